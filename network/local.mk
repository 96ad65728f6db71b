noinst_LIBRARIES += network/libnetwork.a
network_libnetwork_a_SOURCES = \
	network/loopback.c \
	network/loopback.h
