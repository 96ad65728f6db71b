#include "engine/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

static const struct sockaddr_un journal_address = { AF_UNIX, "/run/systemd/journal/socket" };

void journal_field(struct buf *to, const char *name, const char *value, size_t len)
{
	unsigned char size[8];

	for (size_t i = 0; i < sizeof(size); i++)
		size[i] = (unsigned char)((uint64_t)len >> (8 * i));
	buf_printf(to, "%s\n", name);
	buf_add(to, size, sizeof(size));
	buf_add(to, value, len);
	buf_char(to, '\n');
}

static void text_field(struct buf *to, const char *name, const char *value)
{
	if (value)
		journal_field(to, name, value, strlen(value));
}

static int add_tag_field(const struct record *r, const char *name, size_t len, struct buf *ret,
			 struct err *e)
{
	static const char *const names[] = { ".ID", ".FullID", ".Name", ".ImageName" };
	const char *const values[] = { r->id, r->id, r->name, r->image };

	while (len && *name == ' ')
		name++, len--;
	while (len && name[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strlen(names[i]) != len || memcmp(names[i], name, len) != 0)
			continue;
		buf_printf(ret, "%.*s", i == 0 ? RECORD_SHORT : 4096, values[i] ? values[i] : "");
		return 0;
	}
	return err_set(e, EINVAL,
		       "--log-opt tag: there is no field \"%.*s\", but .ID, .FullID, .Name and "
		       ".ImageName",
		       (int)len, name);
}

int journal_tag(const struct record *r, struct arena *a, const char **ret, struct err *e)
{
	const char *at = r->log_tag ? r->log_tag : "{{.ID}}";
	auto_buf struct buf text = { 0 };

	while (*at) {
		const char *end = strncmp(at, "{{", 2) == 0 ? strstr(at, "}}") : NULL;

		if (!end) {
			buf_char(&text, *at++);
			continue;
		}
		TRY(add_tag_field(r, at + 2, (size_t)(end - at - 2), &text, e));
		at = end + 2;
	}
	*ret = arena_strdup(a, text.text ? text.text : "");
	return 0;
}

static int fill_fields(const struct record *r, struct buf *to, struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *tag;

	TRY(journal_tag(r, &a, &tag, e));
	journal_field(to, "CONTAINER_ID", r->id, RECORD_SHORT);
	text_field(to, "CONTAINER_ID_FULL", r->id);
	text_field(to, "CONTAINER_NAME", r->name);
	text_field(to, "CONTAINER_TAG", tag);
	text_field(to, "SYSLOG_IDENTIFIER", tag);
	text_field(to, "IMAGE_NAME", r->image);
	return 0;
}

int journal_open(const struct record *r, struct journal *ret, struct err *e)
{
	struct journal j = JOURNAL_CLOSED;

	j.sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (j.sock < 0)
		return err_sys(e, "make a socket for the journal");
	/* Only to see; the journal may be started anew while the container runs. */
	if (connect(j.sock, (const struct sockaddr *)&journal_address, sizeof(journal_address)) <
	    0) {
		err_set(e, errno, "--log-driver journald: the journal does not listen at %s: %s",
			journal_address.sun_path, err_text(errno));
		close(j.sock);
		return -e->code;
	}
	if (fill_fields(r, &j.fields, e) < 0) {
		journal_close(&j);
		return -e->code;
	}
	*ret = j;
	return 0;
}

void journal_close(struct journal *j)
{
	close_fd(&j->sock);
	buf_done(&j->fields);
}

void journal_send(struct journal *j, bool is_stderr, const char *text, size_t len, bool partial)
{
	auto_buf struct buf message = { 0 };
	ssize_t n;

	buf_add(&message, j->fields.text, j->fields.len);
	buf_printf(&message, "PRIORITY=%d\n", is_stderr ? JOURNAL_ERR : JOURNAL_INFO);
	if (partial)
		buf_str(&message, "CONTAINER_PARTIAL_MESSAGE=true\n");
	journal_field(&message, "MESSAGE", text, len);
	while ((n = sendto(j->sock, message.text, message.len, MSG_NOSIGNAL,
			   (const struct sockaddr *)&journal_address, sizeof(journal_address))) <
		       0 &&
	       errno == EINTR)
		;
	if (n < 0 && !j->failing)
		log_line(LOG_LEVEL_ERROR, "the journal does not take the container's output: %s",
			 err_text(errno));
	j->failing = n < 0;
}
