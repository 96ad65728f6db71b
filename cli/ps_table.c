#include "cli/ps_table.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/mem.h"
#include "cli/options.h"
#include "cli/show.h"

enum { OUTPUT_LIMIT = 16 * 1024 * 1024 };

/* A word of a line that goes on; len 0 after the last one. */
struct word {
	const char *text;
	size_t len;
};

static struct word next_word(const char **line)
{
	struct word w;

	*line += strspn(*line, " \t");
	w.text = *line;
	w.len = strcspn(*line, " \t\n");
	*line += w.len;
	return w;
}

static struct word nth_word(const char *line, int n)
{
	struct word w = next_word(&line);

	while (n-- && w.len)
		w = next_word(&line);
	return w;
}

/* Returns its index. */
static int find_pid_column(const char *heading, struct err *e)
{
	struct word w = next_word(&heading);

	for (int i = 0; w.len; i++, w = next_word(&heading))
		if (w.len == strlen("PID") && memcmp(w.text, "PID", w.len) == 0)
			return i;
	return err_set(e, EINVAL, "couldn't find PID field in ps output");
}

static bool has_pid(const struct pid_list *pids, struct word w)
{
	char text[16] = { 0 };
	uint32_t pid;

	if (w.len >= sizeof(text))
		return false;
	memcpy(text, w.text, w.len);
	if (number_parse(text, INT32_MAX, &pid) < 0)
		return false;
	for (size_t i = 0; i < pids->n; i++)
		if (pids->at[i] == (pid_t)pid)
			return true;
	return false;
}

int ps_table_filter(const char *text, const struct pid_list *pids, struct buf *ret, struct err *e)
{
	int column = find_pid_column(text, e);
	size_t len;

	TRY(column);
	for (const char *line = text; *line; line += len) {
		len = strcspn(line, "\n");
		len += line[len] == '\n';
		if (line == text || has_pid(pids, nth_word(line, column)))
			buf_add(ret, line, len);
	}
	return 0;
}

/* Starts ps with all it prints going to a pipe, whose other end is *ret_fd. */
static int start_ps(const char **argv, pid_t *ret_pid, int *ret_fd, struct err *e)
{
	posix_spawn_file_actions_t actions;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe for ps");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	r = posix_spawnp(ret_pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (r) {
		close(ends[0]);
		return err_neg(e, -r, "run ps");
	}
	*ret_fd = ends[0];
	return 0;
}

static int run_ps(const char **argv, struct buf *ret, struct err *e)
{
	auto_fd int fd = -1;
	int status, r;
	pid_t pid;

	TRY(start_ps(argv, &pid, &fd, e));
	buf_str(ret, "");
	r = io_slurp(fd, OUTPUT_LIMIT, ret);
	close_fd(&fd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for ps");
	if (r < 0)
		return err_neg(e, r, "read what ps prints");
	if (WIFSIGNALED(status))
		return err_set(e, ECHILD, "ps was killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return err_set(e, ECHILD, "ps: exit status %d: %s", WEXITSTATUS(status), ret->text);
	return 0;
}

int ps_table(const struct strings *options, const struct pid_list *pids, struct buf *ret,
	     struct err *e)
{
	size_t n = options->n ? options->n : 1;
	auto_free const char **argv = mem_grow(NULL, n + 2, sizeof(*argv));
	auto_buf struct buf output = { 0 };

	argv[0] = "ps";
	argv[1] = "-ef";
	if (options->n)
		memcpy(argv + 1, options->at, options->n * sizeof(*argv));
	argv[n + 1] = NULL;
	TRY(run_ps(argv, &output, e));
	return ps_table_filter(output.text, pids, ret, e);
}

int ps_show(const struct runtime *rt, const char *id, const struct strings *options, bool json,
	    struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	struct pid_list pids = { 0 };
	int r = 0;

	if (!json) {
		r = container_processes(rt, id, &text, e);
		TRY(r);
	}
	if (r > 0 && options->n)
		return err_set(e, ENOTSUP,
			       "%s: the host's ps can't see the processes of container %s, which "
			       "are a microVM's",
			       options->at[0], id);
	if (r == 0) {
		TRY(container_pids(rt, id, &a, &pids, e));
		if (json)
			show_pids(&text, &pids);
		else
			TRY(ps_table(options, &pids, &text, e));
	}
	fputs(text.text, stdout);
	return 0;
}
