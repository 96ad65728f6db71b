noinst_LIBRARIES += network/libnetwork.a
network_libnetwork_a_SOURCES = \
	network/address.c \
	network/address.h \
	network/attach.c \
	network/attach.h \
	network/attachment.c \
	network/attachment.h \
	network/attachment_cni.c \
	network/attachment_make.c \
	network/attachment_remove.c \
	network/bridge.c \
	network/bridge.h \
	network/cni.h \
	network/cni_config.c \
	network/cni_result.c \
	network/cni_run.c \
	network/config.c \
	network/config.h \
	network/connect.c \
	network/conntrack.c \
	network/conntrack.h \
	network/counters.c \
	network/counters.h \
	network/daemon.c \
	network/daemon.h \
	network/detach.c \
	network/dns/packet.c \
	network/dns/packet.h \
	network/host_port.c \
	network/host_port.h \
	network/ipam.c \
	network/ipam.h \
	network/link.c \
	network/link.h \
	network/listen.c \
	network/listen.h \
	network/lock.c \
	network/lock.h \
	network/loopback.c \
	network/loopback.h \
	network/mode.c \
	network/names.c \
	network/names.h \
	network/netdev.c \
	network/netdev.h \
	network/netlink.c \
	network/netlink.h \
	network/nlattr.c \
	network/nlattr.h \
	network/nft.c \
	network/nft.h \
	network/port.c \
	network/port.h \
	network/record.c \
	network/record.h \
	network/redirect.c \
	network/redirect.h \
	network/resolv.c \
	network/resolv.h \
	network/resolver.c \
	network/resolver.h \
	network/rootless.c \
	network/rootless.h \
	network/route.c \
	network/route.h \
	network/subnet.c \
	network/subnet.h \
	network/tap.c \
	network/tap.h

# Answers the names of containers; started by hull, shut in by itself.
dnsdir = $(pkglibexecdir)
dns_PROGRAMS = libexec/hull/hull-dns
libexec_hull_hull_dns_SOURCES = network/dns/main.c
libexec_hull_hull_dns_LDADD = $(LIBNETWORK) $(SECCOMP_LIBS)

# Runs the rules: libnftables is its alone.
dns_PROGRAMS += libexec/hull/hull-nft
libexec_hull_hull_nft_SOURCES = network/nft_main.c
libexec_hull_hull_nft_LDADD = $(LIBBASE)
