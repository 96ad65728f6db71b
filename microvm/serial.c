#include "microvm/serial.h"

#include <linux/serial_reg.h>

#include "base/log.h"

static void update(struct serial *s)
{
	bool line = (s->ier & UART_IER_THRI) && s->empty_told;

	if (line == s->line)
		return;
	s->line = line;
	if (s->set_line)
		s->set_line(s->ctx, line);
}

/* Only what can be printed: the log is read on terminals. */
static void add(struct serial *s, uint8_t c)
{
	char *line = s->kept[s->lines % SERIAL_KEPT];

	if (c >= ' ' && c < 0x7f)
		line[s->column++] = (char)c;
	if ((c != '\n' && s->column < SERIAL_LINE - 1) || s->column == 0)
		return;
	line[s->column] = '\0';
	log_debug("guest: %s", line);
	s->lines++;
	s->column = 0;
	s->kept[s->lines % SERIAL_KEPT][0] = '\0';
}

void serial_write(struct serial *s, unsigned reg, uint8_t value)
{
	bool divisor = s->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (divisor) {
			s->dll = value;
		} else if (!(s->mcr & UART_MCR_LOOP)) {
			add(s, value);
			s->empty_told = true;
		}
		break;
	case UART_IER:
		if (divisor) {
			s->dlm = value;
		} else {
			s->ier = value & 0xf;
			s->empty_told = true;
		}
		break;
	case UART_FCR:
		s->fcr = value;
		break;
	case UART_LCR:
		s->lcr = value;
		break;
	case UART_MCR:
		s->mcr = value;
		break;
	case UART_SCR:
		s->scr = value;
		break;
	default:
		break;
	}
	update(s);
}

/* In loopback the modem's lines are ours: how drivers find out that there is a chip. */
static uint8_t modem_status(const struct serial *s)
{
	if (!(s->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	return (uint8_t)((s->mcr & 0xc) << 4 | (s->mcr & 2) << 3 | (s->mcr & 1) << 5);
}

void serial_read(struct serial *s, unsigned reg, uint8_t *ret)
{
	bool divisor = s->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_RX:
		*ret = divisor ? s->dll : 0;
		break;
	case UART_IER:
		*ret = divisor ? s->dlm : s->ier;
		break;
	case UART_IIR:
		*ret = (uint8_t)((s->fcr & UART_FCR_ENABLE_FIFO ? 0xc0 : 0) |
				 (s->line ? UART_IIR_THRI : UART_IIR_NO_INT));
		s->empty_told = false;
		break;
	case UART_LCR:
		*ret = s->lcr;
		break;
	case UART_MCR:
		*ret = s->mcr;
		break;
	case UART_LSR:
		*ret = UART_LSR_TEMT | UART_LSR_THRE;
		break;
	case UART_MSR:
		*ret = modem_status(s);
		break;
	default:
		*ret = s->scr;
		break;
	}
	update(s);
}

const char *serial_last(struct serial *s, size_t i)
{
	size_t first = s->lines >= SERIAL_KEPT ? s->lines - SERIAL_KEPT + 1 : 0;

	s->kept[s->lines % SERIAL_KEPT][s->column] = '\0';
	if (first + i > s->lines || (first + i == s->lines && s->column == 0))
		return NULL;
	return s->kept[(first + i) % SERIAL_KEPT];
}
