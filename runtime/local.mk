noinst_LIBRARIES += runtime/libruntime.a
runtime_libruntime_a_SOURCES = \
	runtime/container.h \
	runtime/creation.c \
	runtime/creation.h \
	runtime/exec.c \
	runtime/features.c \
	runtime/features.h \
	runtime/gate.c \
	runtime/gate.h \
	runtime/handle.c \
	runtime/handle.h \
	runtime/handshake.c \
	runtime/handshake.h \
	runtime/hooks.c \
	runtime/hooks.h \
	runtime/host.c \
	runtime/host.h \
	runtime/init.c \
	runtime/init.h \
	runtime/launch.c \
	runtime/launch.h \
	runtime/lifecycle.c \
	runtime/listener.c \
	runtime/listener.h \
	runtime/plan.c \
	runtime/plan.h \
	runtime/process_stat.c \
	runtime/process_stat.h \
	runtime/run.c \
	runtime/state.c \
	runtime/state.h \
	runtime/store.c \
	runtime/store.h \
	runtime/update.c
