noinst_LIBRARIES += security/libsecurity.a
security_libsecurity_a_SOURCES = \
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
