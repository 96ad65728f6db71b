noinst_LIBRARIES += process/libprocess.a
process_libprocess_a_SOURCES = \
	process/console.c \
	process/console.h \
	process/console_socket.c \
	process/console_socket.h \
	process/environment.c \
	process/environment.h \
	process/executable.c \
	process/executable.h \
	process/executable_diagnose.c \
	process/fds.c \
	process/fds.h \
	process/listen_fds.c \
	process/listen_fds.h \
	process/notify.c \
	process/notify.h \
	process/number_set.c \
	process/number_set.h \
	process/pidfd_socket.c \
	process/pidfd_socket.h \
	process/pidfile.c \
	process/pidfile.h \
	process/relay.c \
	process/relay.h \
	process/rlimits.c \
	process/rlimits.h \
	process/scheduling.c \
	process/scheduling.h \
	process/signals.c \
	process/signals.h \
	process/terminal.c \
	process/terminal.h \
	process/unix_socket.c \
	process/unix_socket.h \
	process/user.c \
	process/user.h
