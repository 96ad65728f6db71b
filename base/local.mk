noinst_LIBRARIES += base/libbase.a
base_libbase_a_SOURCES = \
	base/arena.c \
	base/arena.h \
	base/buf.c \
	base/buf.h \
	base/err.c \
	base/err.h \
	base/full.c \
	base/full.h \
	base/helper.c \
	base/helper.h \
	base/io.c \
	base/io.h \
	base/json.c \
	base/json.h \
	base/json_decode.c \
	base/json_decode.h \
	base/json_parse.c \
	base/json_write.c \
	base/json_write.h \
	base/keys.c \
	base/keys.h \
	base/kmsg.c \
	base/kmsg.h \
	base/list.h \
	base/lock.c \
	base/lock.h \
	base/signals.c \
	base/signals.h \
	base/log.c \
	base/log.h \
	base/mem.c \
	base/mem.h \
	base/opt.h \
	base/powers.c \
	base/powers.h \
	base/scratch.c \
	base/scratch.h \
	base/spawn.c \
	base/spawn.h \
	base/sys.c \
	base/sys.h \
	base/util.h
base_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) -DHULL_LIBEXECDIR='"$(pkglibexecdir)"'
