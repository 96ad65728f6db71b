#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/json.h"
#include "network/attach.h"
#include "network/record.h"

static const struct {
	const char *word;
	enum net_mode mode;
} words[] = {
	{ "bridge", NET_NETWORKS }, { "default", NET_NETWORKS }, { "none", NET_NONE },
	{ "host", NET_HOST },       { "pasta", NET_PASTA },      { "slirp4netns", NET_SLIRP },
};

/* Where networks are kept, by who we are and in what environment. */
#define STATE_OF_ROOT "/var/lib/hull/network"

int network_mode_parse(const char *text, struct net_mode_choice *ret, struct err *e)
{
	struct net_mode_choice choice = { .mode = NET_NETWORKS };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(text, words[i].word) == 0) {
			choice.mode = words[i].mode;
			*ret = choice;
			return 0;
		}
	}
	if (strncmp(text, "container:", 10) == 0) {
		choice.mode = NET_JOINED;
		choice.container = text + 10;
		TRY(record_check_id(choice.container, e));
	} else if (strncmp(text, "ns:", 3) == 0) {
		choice.mode = NET_JOINED;
		choice.path = text + 3;
		if (choice.path[0] != '/')
			return err_set(e, EINVAL,
				       "network %s: the path of a namespace begins with \"/\"",
				       json_quote(text).text);
	} else {
		choice.network = text;
		TRY(network_name_check(text, e));
		if (network_name_is_reserved(text))
			return err_set(
				e, EINVAL,
				"network %s: that is bridge, none, host, pasta, slirp4netns, "
				"container:ID, ns:PATH or the name of a network",
				json_quote(text).text);
	}
	*ret = choice;
	return 0;
}

static int plan_path(const char *path, struct arena *a, const char **ret, struct err *e)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME"),
		   *own = getenv("HULL_NETWORK_DIR");

	if (!path && own && *own)
		path = own;
	if (path)
		*ret = path;
	else if (geteuid() == 0)
		*ret = STATE_OF_ROOT;
	else if (state && state[0] == '/')
		*ret = arena_printf(a, "%s/hull/network", state);
	else if (home && home[0] == '/')
		*ret = arena_printf(a, "%s/.local/state/hull/network", home);
	else
		return err_set(e, ENOENT,
			       "neither XDG_STATE_HOME nor HOME says where networks are "
			       "to be kept");
	return 0;
}

int network_state_open(const char *path, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct stat st;
	auto_fd int fd = -1;

	TRY(plan_path(path, &a, &path, e));
	TRY(io_mkdir_all(path, 0700, e));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open the directory of networks %s", path);
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, EPERM,
			       "the directory of networks %s belongs to, or can be written by, "
			       "somebody else",
			       path);
	return take_fd(&fd);
}
