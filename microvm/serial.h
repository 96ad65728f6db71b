/*
 * serial.h - COM1, for what the guest's kernel says: a line at a time to the log, and the last
 * lines kept for when it dies.
 */
#ifndef HULL_MICROVM_SERIAL_H
#define HULL_MICROVM_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERIAL_PORT = 0x3f8, SERIAL_PORTS = 8, SERIAL_LINE = 160, SERIAL_KEPT = 12 };

struct serial {
	uint8_t ier, lcr, mcr, scr, dll, dlm, fcr;
	bool empty_told; /* the transmitter's interrupt is due */
	bool line;       /* what IRQ 4 is */
	void (*set_line)(void *ctx, bool high);
	void *ctx;
	char kept[SERIAL_KEPT][SERIAL_LINE]; /* a ring */
	size_t lines, column;
};

void serial_read(struct serial *s, unsigned reg, uint8_t *ret);
void serial_write(struct serial *s, unsigned reg, uint8_t value);

/* The i-th of the last lines, oldest first; NULL after the last one. */
const char *serial_last(struct serial *s, size_t i);

#endif
