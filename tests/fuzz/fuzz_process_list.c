/*
 * fuzz_process_list.c - a guest that says anything of its processes, and files of /proc that have
 * anything in them.
 *
 * What is shown of it is lines of what can be printed, and a line of the agent's is a line of the
 * table.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "microvm/process_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void check_table(const char *lines)
{
	auto_buf struct buf table = { 0 };
	struct err e = { 0 };

	if (process_table(lines, 1 << 30, &table, &e) < 0)
		return;
	if (count_lines(table.text) != count_lines(lines) + 1)
		abort();
	for (const char *p = table.text; *p; p++)
		if ((*p >= 0 && *p < ' ' && *p != '\n') || *p == 0x7f)
			abort();
}

static void check_counts(const char *lines)
{
	struct opt_u64 values[3];
	struct opt_u64 *const all[] = { &values[0], &values[1], &values[2] };
	struct err e = { 0 };

	if (process_counts(lines, all, 3, &e) == 0 && count_lines(lines) != 3)
		abort();
}

/* The input in three: stat, status and the command line. */
static void check_line(const char *text, size_t size)
{
	auto_buf struct buf line = { 0 };
	const char *status = memchr(text, '\0', size), *command;

	if (!status)
		return;
	status++;
	command = memchr(status, '\0', size - (size_t)(status - text));
	if (!command)
		return;
	command++;
	if (process_line(&(struct process_files){ text, status, command,
						  size - (size_t)(command - text) },
			 1 << 20, 100, &line) < 0)
		return;
	if (count_lines(line.text) != 1)
		abort();
	check_table(line.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf text = { 0 };

	buf_str(&text, "");
	buf_add(&text, data, size);
	check_table(text.text);
	check_counts(text.text);
	check_line(text.text, text.len);
	return 0;
}
