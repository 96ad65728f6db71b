noinst_LIBRARIES += mounts/libmounts.a
mounts_libmounts_a_SOURCES = \
	mounts/apply.c \
	mounts/apply.h \
	mounts/classic.c \
	mounts/classic.h \
	mounts/copy_up.c \
	mounts/copy_up.h \
	mounts/idmap.c \
	mounts/idmap.h \
	mounts/mountinfo.c \
	mounts/mountinfo.h \
	mounts/options.c \
	mounts/options.h \
	mounts/overlay.c \
	mounts/overlay.h \
	mounts/plan.c \
	mounts/plan.h \
	mounts/protect.c \
	mounts/rootfd.c \
	mounts/rootfd.h \
	mounts/tree.c \
	mounts/tree.h
