#include <pty.h>
#include <sys/ioctl.h>

#include "process/terminal.h"
#include "test_child.h"

struct pair {
	int master, slave;
};

static struct pair open_pair(void)
{
	struct pair p;

	cr_assert_eq(openpty(&p.master, &p.slave, NULL, NULL, NULL), 0);
	return p;
}

static struct termios modes(int fd)
{
	struct termios m;

	memset(&m, 0, sizeof(m));
	cr_assert_eq(tcgetattr(fd, &m), 0);
	return m;
}

Test(terminal, is_raw_until_restored)
{
	struct pair p = open_pair();
	struct termios before = modes(p.slave), now;
	struct terminal t = TERMINAL_NONE;
	struct err e = { 0 };

	/* The second time it must still know the first modes. */
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(terminal_raw(p.slave, &t, &e), 0, "%s", e.msg);
		now = modes(p.slave);
		cr_assert_not(now.c_lflag & (ICANON | ECHO | ISIG));
		cr_assert_not(now.c_oflag & OPOST);
	}
	terminal_restore(&t);
	now = modes(p.slave);
	cr_assert_arr_eq(&now, &before, sizeof(now));
	cr_assert_eq(t.fd, -1);
}

Test(terminal, is_restored_once)
{
	struct pair p = open_pair();
	struct terminal t = TERMINAL_NONE;
	struct termios changed;
	struct err e = { 0 };

	terminal_restore(&t);
	cr_assert_eq(terminal_raw(p.slave, &t, &e), 0, "%s", e.msg);
	terminal_restore(&t);
	changed = modes(p.slave);
	changed.c_lflag &= ~(tcflag_t)ECHO;
	cr_assert_eq(tcsetattr(p.slave, TCSANOW, &changed), 0);
	terminal_restore(&t);
	cr_assert_not(modes(p.slave).c_lflag & ECHO);
}

Test(terminal, has_to_be_one)
{
	struct terminal t = TERMINAL_NONE;
	struct err e = { 0 };
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(terminal_raw(ends[0], &t, &e), -ENOTTY);
	cr_assert_eq(strncmp(e.msg, "read the modes of the terminal: ", 32), 0, "%s", e.msg);
	cr_assert_eq(t.fd, -1);
	cr_assert_eq(terminal_copy_size(ends[0], ends[1]), -ENOTTY);
	cr_assert_eq(terminal_plain_newlines(ends[0]), -ENOTTY);
}

Test(terminal, copies_a_known_size)
{
	struct pair from = open_pair(), to = open_pair();
	struct winsize size = { .ws_row = 12, .ws_col = 34 }, got;

	cr_assert_eq(ioctl(from.slave, TIOCSWINSZ, &size), 0);
	cr_assert_eq(terminal_copy_size(from.slave, to.master), 0);
	cr_assert_eq(ioctl(to.slave, TIOCGWINSZ, &got), 0);
	cr_assert(got.ws_row == 12 && got.ws_col == 34);
	size = (struct winsize){ 0 };
	cr_assert_eq(ioctl(from.slave, TIOCSWINSZ, &size), 0);
	cr_assert_eq(terminal_copy_size(from.slave, to.master), 0);
	cr_assert_eq(ioctl(to.slave, TIOCGWINSZ, &got), 0);
	cr_assert(got.ws_row == 12 && got.ws_col == 34);
}

Test(terminal, writes_plain_newlines)
{
	struct pair p = open_pair();
	char text[8] = "";

	cr_assert_eq(terminal_plain_newlines(p.master), 0);
	cr_assert_eq(write(p.slave, "a\n", 2), 2);
	cr_assert_eq(read(p.master, text, sizeof(text)), 2);
	cr_assert_str_eq(text, "a\n");
}

static void finds(void *arg UNUSED)
{
	struct pair p;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	CHILD_ASSERT(openpty(&p.master, &p.slave, NULL, NULL, NULL) == 0, "errno %d", errno);
	for (int tty = 0; tty <= 3; tty++) {
		for (int fd = 0; fd < 3; fd++)
			dup2(fd == tty ? p.slave : null, fd);
		CHILD_ASSERT(terminal_of_person() == (tty < 3 ? tty : -1), "for %d", tty);
	}
}

Test(terminal, of_the_person_is_a_standard_stream)
{
	expect_child(finds, NULL);
}
