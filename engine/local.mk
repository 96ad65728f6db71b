noinst_LIBRARIES += engine/libengine.a
engine_libengine_a_CPPFLAGS = $(AM_CPPFLAGS) -DHULL_PKGDATADIR='"$(pkgdatadir)"'
engine_libengine_a_SOURCES = \
	engine/attach.c \
	engine/attach.h \
	engine/attach_guest.c \
	engine/attach_private.h \
	engine/borrowed.c \
	engine/borrowed.h \
	engine/checkpoint.c \
	engine/checkpoint.h \
	engine/checkpoint_archive.c \
	engine/checkpoint_archive.h \
	engine/checkpoint_import.c \
	engine/commit.c \
	engine/commit.h \
	engine/config.c \
	engine/config.h \
	engine/containers.c \
	engine/containers.h \
	engine/copy.c \
	engine/copy.h \
	engine/create.c \
	engine/create_mounts.c \
	engine/create_private.h \
	engine/diff.c \
	engine/diff.h \
	engine/engine.c \
	engine/engine.h \
	engine/joins.c \
	engine/joins.h \
	engine/expose.c \
	engine/expose.h \
	engine/export.c \
	engine/export.h \
	engine/files.c \
	engine/files.h \
	engine/journal.c \
	engine/journal.h \
	engine/journal_read.c \
	engine/keep.c \
	engine/keep.h \
	engine/gone.c \
	engine/gone.h \
	engine/happened.c \
	engine/happened.h \
	engine/happened_run.c \
	engine/happened_run.h \
	engine/health.c \
	engine/health.h \
	engine/health_private.h \
	engine/health_run.c \
	engine/idrange.c \
	engine/idrange.h \
	engine/layer.c \
	engine/layer.h \
	engine/load.c \
	engine/load.h \
	engine/logs.c \
	engine/logs.h \
	engine/mounted.c \
	engine/mounted.h \
	engine/mountwish.c \
	engine/mountwish.h \
	engine/netconnect.c \
	engine/netjoin.c \
	engine/netjoin.h \
	engine/netjoin_private.h \
	engine/netsockets.c \
	engine/netsockets.h \
	engine/netwish.c \
	engine/netwish.h \
	engine/output.c \
	engine/output.h \
	engine/pack.c \
	engine/pack.h \
	engine/place.c \
	engine/place.h \
	engine/pull.c \
	engine/pull.h \
	engine/pull_names.c \
	engine/pull_registry.c \
	engine/push.c \
	engine/push.h \
	engine/record.c \
	engine/record.h \
	engine/recording.c \
	engine/recording.h \
	engine/rootfs.c \
	engine/rootfs.h \
	engine/save.c \
	engine/save.h \
	engine/seccomp_default.c \
	engine/size.c \
	engine/size.h \
	engine/sweep.c \
	engine/sweep.h \
	engine/userns.c \
	engine/userns.h \
	engine/volumes.c \
	engine/volumes.h \
	engine/volumes_from.c \
	engine/volumes_from.h \
	engine/wish.c \
	engine/wish.h \
	engine/wish_private.h

# What --init puts into a container, on whatever root file system that has: it brings its library.
if STATIC_PROGRAMS
pkglibexec_PROGRAMS += libexec/hull/hull-init
endif
EXTRA_PROGRAMS += libexec/hull/hull-init
libexec_hull_hull_init_SOURCES = engine/init_main.c
libexec_hull_hull_init_LDFLAGS = $(STATIC_LD)
CLEANFILES += libexec/hull/hull-init
