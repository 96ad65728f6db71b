#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/doctor_words.h"
#include "runtime/doctor.h"

struct doctor_values {
	const char *format;
};

static const struct option_row rows[] = {
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct doctor_values, format),
	  .argument = "text|json",
	  .help = "print lines or JSON (default: text)" },
};

const struct option_table doctor_options = { rows, ARRAY_LEN(rows), sizeof(struct doctor_values),
					     NULL, false };

int cmd_doctor(const struct call *call, struct err *e)
{
	const struct doctor_values *values = call->options.values;
	const char *bus = getenv("DBUS_SESSION_BUS_ADDRESS"); /* NOLINT(concurrency-mt-unsafe) */
	auto_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct doctor_report report;
	struct doctor_facts facts;
	auto_buf struct buf text = { 0 };

	if (root < 0)
		return err_sys(e, "open /");
	TRY(doctor_read(root, geteuid(), bus, call->arena, &facts, e));
	TRY(doctor_probe(&facts.probes, e));
	doctor_judge(&facts, call->arena, &report);
	if (choice_is(values->format, "json"))
		doctor_json(&text, &report);
	else
		doctor_text(&text, &report);
	fputs(text.text, stdout);
	return report.usable ? 0 : 1;
}
