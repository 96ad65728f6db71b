/*
 * doctor_words.h - what the facts of runtime/doctor.h mean, in words.
 *
 * Pure. What is looked at is a table in doctor_words.c, one function a line.
 */
#ifndef HULL_CLI_DOCTOR_WORDS_H
#define HULL_CLI_DOCTOR_WORDS_H

#include "base/arena.h"
#include "base/buf.h"
#include "runtime/doctor.h"

enum health {
	HEALTH_OK,
	HEALTH_MISSING, /* some containers can't have what they ask for */
	HEALTH_FAILED,  /* none can run */
};

struct doctor_line {
	const char *name;
	enum health health;
	const char *text; /* what there is, or what is missing */
	const char *mend; /* a command, NULL: nothing to mend, or nobody can */
};

struct doctor_report {
	struct doctor_line *at;
	size_t n;
	bool usable; /* a container can run */
};

void doctor_judge(const struct doctor_facts *facts, struct arena *a, struct doctor_report *ret);

void doctor_text(struct buf *b, const struct doctor_report *report);
void doctor_json(struct buf *b, const struct doctor_report *report);

#endif
