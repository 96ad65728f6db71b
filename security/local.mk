noinst_LIBRARIES += security/libsecurity.a
security_libsecurity_a_SOURCES = \
	security/attempt.c \
	security/attempt.h \
	security/caps.c \
	security/caps.h \
	security/denials.c \
	security/denials.h \
	security/keyring.c \
	security/keyring.h \
	security/lsm.c \
	security/lsm.h \
	security/privileges.c \
	security/privileges.h \
	security/seal.c \
	security/seal.h \
	security/seal_place.c \
	security/seal_place.h \
	security/seccomp.c \
	security/seccomp.h \
	security/seccomp_cache.c \
	security/seccomp_cache.h \
	security/seccomp_enosys.c \
	security/seccomp_enosys.h

# The agent of `hull profile record`; started by hull, shut in by itself.
recorddir = $(pkglibexecdir)
record_PROGRAMS = libexec/hull/hull-record
libexec_hull_hull_record_SOURCES = security/record_main.c
libexec_hull_hull_record_LDADD = $(LIBSECURITY)
