/*
 * netattach - gives a network namespace the network of a container, as `hull run` does.
 *
 *	netattach DIR attach ID PID [WORD...]
 *	netattach DIR connect ID [WORD...]
 *	netattach DIR disconnect|force ID NETWORK
 *	netattach DIR detach ID
 *	netattach DIR check ID
 *	netattach DIR sweep
 *
 * WORDs: mode=MODE, net=NETWORK, ip=ADDRESS, ip6=ADDRESS, mac=MAC, alias=NAME (of the
 * last net), publish=PORT, hostname=NAME, host=NAME:ADDRESS, dns=ADDRESS, search=NAME,
 * option=WORD. Prints what was given, a line each; what is missing, a sentence.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network/attach.h"

enum { LIST_MAX = 64 };

struct words {
	struct net_request req;
	struct net_join joins[LIST_MAX];
	struct port ports[LIST_MAX];
	const char *lists[4][LIST_MAX]; /* host, dns, search, option */
	const char *aliases[LIST_MAX];
};

static void add(struct strings *list, const char **at, const char *text)
{
	if (list->n == LIST_MAX)
		exit(2);
	list->at = at;
	at[list->n++] = text;
}

static int read_word(struct words *w, const char *word, struct err *e)
{
	struct net_request *req = &w->req;
	const char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value - word) : 0;
	struct net_join *join = &w->joins[req->networks.n ? req->networks.n - 1 : 0];
	struct net_mode_choice choice;

	if (!value)
		return err_set(e, EINVAL, "what is %s?", word);
	value++;
#define IS(name) (len == strlen(name) && strncmp(word, name, len) == 0)
	if (IS("mode")) {
		TRY(network_mode_parse(value, &choice, e));
		req->mode = choice.mode;
	} else if (IS("net")) {
		if (req->networks.n == LIST_MAX)
			return err_set(e, EINVAL, "too many networks");
		req->networks.at = w->joins;
		w->joins[req->networks.n++].network = value;
	} else if (IS("publish")) {
		if (req->ports.n == LIST_MAX)
			return err_set(e, EINVAL, "too many ports");
		req->ports.at = w->ports;
		TRY(port_parse(value, &w->ports[req->ports.n++], e));
	} else if (IS("ip")) {
		TRY(addr_parse(value, &join->ip, e));
	} else if (IS("ip6")) {
		TRY(addr_parse(value, &join->ip6, e));
	} else if (IS("mac")) {
		TRY(mac_parse(value, &join->mac, e));
	} else if (IS("alias")) {
		add(&join->aliases, w->aliases, value);
	} else if (IS("hostname")) {
		req->hostname = value;
	} else if (IS("host")) {
		add(&req->add_hosts, w->lists[0], value);
	} else if (IS("dns")) {
		add(&req->dns.servers, w->lists[1], value);
	} else if (IS("search")) {
		add(&req->dns.searches, w->lists[2], value);
	} else if (IS("option")) {
		add(&req->dns.options, w->lists[3], value);
	} else {
		return err_set(e, EINVAL, "what is %s?", word);
	}
	return 0;
}

static int read_words(struct words *w, int argc, char **argv, struct err *e)
{
	for (int i = 0; i < argc; i++)
		TRY(read_word(w, argv[i], e));
	/* ip= and the like without net= are of the default network. */
	if (!w->req.networks.n && (w->joins[0].ip.family || w->joins[0].ip6.family)) {
		w->req.networks.at = w->joins;
		w->req.networks.n = 1;
	}
	return 0;
}

static void show(struct net_result *result)
{
	for (size_t i = 0; i < result->interfaces.n; i++) {
		const struct net_interface *it = &result->interfaces.at[i];

		printf("%s %s %s", it->name, it->network, mac_text(&it->mac).text);
		if (it->ip.base.family)
			printf(" %s via %s", subnet_text(&it->ip).text,
			       addr_text(&it->gateway).text);
		if (it->ip6.base.family)
			printf(" %s via %s", subnet_text(&it->ip6).text,
			       addr_text(&it->gateway6).text);
		printf("\n");
	}
	for (size_t i = 0; i < result->ports.n; i++)
		printf("port %s\n", port_text(&result->ports.at[i]).text);
	printf("-- resolv.conf\n%s-- hosts\n%s", result->resolv_conf, result->hosts);
	network_result_done(result);
}

static int attach(int dir, int argc, char **argv, struct err *e)
{
	static struct words w;
	struct net_result result = { 0 };
	char path[64];
	int fd;

	w.req.container_id = argv[0];
	w.req.owner = atoi(argv[1]);
	TRY(read_words(&w, argc - 2, argv + 2, e));
	snprintf(path, sizeof(path), "/proc/%s/ns/net", argv[1]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	w.req.netns_fd = fd;
	TRY(network_attach(dir, &w.req, &result, e));
	show(&result);
	close(fd);
	return 0;
}

static int connect_one(int dir, int argc, char **argv, struct err *e)
{
	static struct words w;
	struct net_result result = { 0 };

	w.req.container_id = argv[0];
	TRY(read_words(&w, argc - 1, argv + 1, e));
	if (w.req.networks.n != 1)
		return err_set(e, EINVAL, "which network?");
	TRY(network_connect(dir, &w.req, &result, e));
	show(&result);
	return 0;
}

static int disconnect_one(int dir, const char *id, const char *network, bool force, struct err *e)
{
	struct net_request req = { .container_id = id };
	struct net_result result = { 0 };

	int r = network_disconnect(dir, &req, network, force, &result, e);

	TRY(r);
	if (r > 0)
		return err_set(e, ENOENT, "container %s is not on network %s", id, network);
	show(&result);
	return 0;
}

static int run(int argc, char **argv, struct err *e)
{
	int dir;

	if (argc < 3)
		return err_set(e, EINVAL,
			       "usage: netattach DIR attach ID PID [WORD...] | connect ID "
			       "WORD... | disconnect|force ID NETWORK | detach ID | "
			       "check ID | sweep");
	dir = network_state_open(argv[1], e);
	if (dir < 0)
		return dir;
	if (strcmp(argv[2], "attach") == 0 && argc >= 5)
		return attach(dir, argc - 3, argv + 3, e);
	if (strcmp(argv[2], "connect") == 0 && argc >= 4)
		return connect_one(dir, argc - 3, argv + 3, e);
	if ((strcmp(argv[2], "disconnect") == 0 || strcmp(argv[2], "force") == 0) && argc == 5)
		return disconnect_one(dir, argv[3], argv[4], argv[2][0] == 'f', e);
	if (strcmp(argv[2], "detach") == 0 && argc == 4)
		return network_detach(dir, argv[3], NULL, e);
	if (strcmp(argv[2], "check") == 0 && argc == 4)
		return network_check(dir, argv[3], e);
	if (strcmp(argv[2], "sweep") == 0 && argc == 3) {
		int n = network_sweep(dir, e);

		if (n >= 0)
			printf("%d\n", n);
		return n;
	}
	return err_set(e, EINVAL, "what is %s?", argv[2]);
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	if (run(argc, argv, &e) >= 0)
		return 0;
	fprintf(stderr, "netattach: %s\n", e.msg);
	return 1;
}
