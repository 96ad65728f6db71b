#include "network/resolv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"

#define HOST_FILE "/etc/resolv.conf"
#define UPSTREAM_FILE "/run/systemd/resolve/resolv.conf"

static const char blanks[] = " \t\r\v\f";

static void add(struct strings *list, const char *text, size_t len, struct arena *a)
{
	const char **at;

	if (list->n == RESOLV_SERVERS_MAX)
		return;
	if (!list->at)
		list->at = arena_array(a, RESOLV_SERVERS_MAX, sizeof(*at));
	at = list->at + list->n++;
	*at = arena_strndup(a, text, len);
}

/* The next word of [*at, end); 0 when there is none. */
static size_t next_word(const char **at, const char *end)
{
	const char *word = *at, *stop;

	while (word < end && memchr(blanks, *word, sizeof(blanks) - 1))
		word++;
	for (stop = word; stop < end && !memchr(blanks, *stop, sizeof(blanks) - 1); stop++)
		;
	*at = word;
	return (size_t)(stop - word);
}

static bool is_word(const char *word, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(word, want, len) == 0;
}

/* Letters, digits and a few signs: what may be written into a file of lines. */
static bool is_plain(const char *text)
{
	return *text &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-") ==
		       strlen(text);
}

/* fe80::1%eth0 names a link of the host: nothing for a container. */
static void add_server(struct resolv *r, const char *word, size_t len, struct arena *a)
{
	struct net_addr addr;
	char text[64];

	if (len == 0 || len >= sizeof(text) || memchr(word, '\0', len))
		return;
	memcpy(text, word, len);
	text[len] = '\0';
	if (addr_parse(text, &addr, NULL) == 0)
		add(&r->servers, text, len, a);
}

static void add_words(struct strings *list, const char *at, const char *end, struct arena *a)
{
	size_t len;

	for (; (len = next_word(&at, end)); at += len) {
		const char *word = arena_strndup(a, at, len);

		if (strlen(word) == len && (is_plain(word) || strcmp(word, ".") == 0))
			add(list, word, len, a);
	}
}

void resolv_parse(const char *text, size_t size, struct arena *a, struct resolv *ret)
{
	struct resolv r = { 0 };
	const char *end = text + size;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end, *word = text;
		size_t len = next_word(&word, stop);
		const char *rest = word + len;

		if (is_word(word, len, "nameserver")) {
			len = next_word(&rest, stop);
			add_server(&r, rest, len, a);
		} else if (is_word(word, len, "search") || is_word(word, len, "domain")) {
			r.searches.n = 0; /* resolv.conf(5): the last one counts */
			add_words(&r.searches, rest, stop, a);
		} else if (is_word(word, len, "options")) {
			add_words(&r.options, rest, stop, a);
		}
		text = stop + 1;
	}
	*ret = r;
}

static bool is_local(const char *server)
{
	struct net_addr a;

	return addr_parse(server, &a, NULL) == 0 && addr_is_loopback(&a);
}

bool resolv_is_local(const struct resolv *r)
{
	for (size_t i = 0; i < r->servers.n; i++)
		if (!is_local(r->servers.at[i]))
			return false;
	return true;
}

static int read_file(const char *path, struct arena *a, struct resolv *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };
	int r = io_read_file(AT_FDCWD, path, RESOLV_SIZE_MAX, path, &text, e);

	if (r < 0)
		return r;
	resolv_parse(text.text, text.len, a, ret);
	return 0;
}

int resolv_read_host(struct arena *a, struct resolv *ret, struct err *e)
{
	struct resolv host = { 0 }, upstream = { 0 };
	struct err why = { 0 };
	int r = read_file(HOST_FILE, a, &host, &why);

	if (r < 0 && r != -ENOENT)
		return err_set(e, why.code, "%s", why.msg);
	if (resolv_is_local(&host) && read_file(UPSTREAM_FILE, a, &upstream, NULL) == 0 &&
	    upstream.servers.n) {
		host.servers = upstream.servers;
		if (!host.searches.n)
			host.searches = upstream.searches;
	}
	*ret = host;
	return 0;
}

int dns_check(const struct net_dns *dns, struct err *e)
{
	struct net_addr a;
	struct err why = { 0 };

	for (size_t i = 0; i < dns->servers.n; i++)
		if (addr_parse(dns->servers.at[i], &a, &why) < 0)
			return err_set(e, EINVAL, "DNS server: %s", why.msg);
	for (size_t i = 0; i < dns->searches.n; i++)
		if (strcmp(dns->searches.at[i], ".") != 0 &&
		    host_name_check(dns->searches.at[i], &why) < 0)
			return err_set(e, EINVAL, "DNS search domain: %s", why.msg);
	for (size_t i = 0; i < dns->options.n; i++)
		if (!is_plain(dns->options.at[i]))
			return err_set(e, EINVAL, "DNS option %s is none",
				       json_quote(dns->options.at[i]).text);
	return 0;
}

static void add_line(struct buf *out, const char *word, const struct strings *words)
{
	if (!words->n)
		return;
	buf_str(out, word);
	for (size_t i = 0; i < words->n; i++)
		buf_printf(out, " %s", words->at[i]);
	buf_char(out, '\n');
}

const char *resolv_text(const struct resolv *host, const struct net_dns *dns, bool shared,
			struct arena *a)
{
	static const struct strings none;
	const struct strings *servers = dns->servers.n ? &dns->servers : &host->servers;
	const struct strings *searches = dns->searches.n ? &dns->searches : &host->searches;
	bool keep_local = shared || dns->servers.n;
	auto_buf struct buf out = { 0 };

	buf_str(&out, "");
	if (searches->n == 1 && strcmp(searches->at[0], ".") == 0 && dns->searches.n)
		searches = &none; /* docker's --dns-search . */
	add_line(&out, "search", searches);
	for (size_t i = 0; i < servers->n; i++)
		if (keep_local || !is_local(servers->at[i]))
			buf_printf(&out, "nameserver %s\n", servers->at[i]);
	add_line(&out, "options", dns->options.n ? &dns->options : &host->options);
	return arena_strdup(a, out.text);
}

static int add_extra(struct buf *out, const struct hosts_facts *facts, const char *extra,
		     struct arena *a, struct err *e)
{
	const char *colon = strchr(extra, ':'), *address = colon ? colon + 1 : "";
	char *name = arena_strndup(a, extra, colon ? (size_t)(colon - extra) : 0);
	struct net_addr addr = facts->gateway;
	struct err why = { 0 };

	if (!colon)
		return err_set(e, EINVAL, "add host %s: it is written NAME:ADDRESS",
			       json_quote(extra).text);
	if (host_name_check(name, &why) < 0)
		return err_set(e, EINVAL, "add host %s: %s", json_quote(extra).text, why.msg);
	if (strcmp(address, "host-gateway") == 0) {
		if (!addr.family)
			return err_set(e, EINVAL,
				       "add host %s: this container has no gateway to the host",
				       json_quote(extra).text);
	} else {
		size_t len = strlen(address);

		if (len > 2 && address[0] == '[' && address[len - 1] == ']')
			address = arena_strndup(a, address + 1, len - 2);
		if (addr_parse(address, &addr, &why) < 0)
			return err_set(e, EINVAL, "add host %s: %s", json_quote(extra).text,
				       why.msg);
	}
	buf_printf(out, "%s\t%s\n", addr_text(&addr).text, name);
	return 0;
}

int hosts_text(const struct hosts_facts *facts, struct arena *a, const char **ret, struct err *e)
{
	auto_buf struct buf out = { 0 };
	bool named = false;

	buf_str(&out, "127.0.0.1\tlocalhost\n"
		      "::1\tlocalhost ip6-localhost ip6-loopback\n");
	for (size_t i = 0; i < facts->extra.n; i++)
		TRY(add_extra(&out, facts, facts->extra.at[i], a, e));
	if (facts->hostname) {
		TRY(host_name_check(facts->hostname, e));
		for (size_t i = 0; i < ARRAY_LEN(facts->own); i++) {
			if (facts->own[i].family)
				buf_printf(&out, "%s\t%s\n", addr_text(&facts->own[i]).text,
					   facts->hostname);
			named = named || facts->own[i].family;
		}
		if (!named)
			buf_printf(&out, "127.0.1.1\t%s\n", facts->hostname);
	}
	*ret = arena_strdup(a, out.text);
	return 0;
}
