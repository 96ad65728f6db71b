# What some bats files drive hull with. Static, because some run inside containers,
# and without the sanitizers of a debugging build.
TEST_TOOLS = tests/tools/churn tests/tools/faultcall tests/tools/fsexercise tests/tools/hostile-tar tests/tools/intruder tests/tools/killat tests/tools/probe tests/tools/swap tests/tools/vsock
noinst_PROGRAMS += $(TEST_TOOLS)
TOOLCFLAGS = -std=c11 -O2 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
TOOLLDFLAGS = -static -no-pie
tests_tools_churn_SOURCES = tests/tools/churn.c
tests_tools_churn_CFLAGS = $(TOOLCFLAGS)
tests_tools_churn_LDFLAGS = $(TOOLLDFLAGS)
tests_tools_faultcall_SOURCES = tests/tools/faultcall.c
tests_tools_faultcall_CFLAGS = $(TOOLCFLAGS)
tests_tools_faultcall_LDFLAGS = $(TOOLLDFLAGS)
tests_tools_hostile_tar_SOURCES = tests/tools/hostile-tar.c
tests_tools_hostile_tar_CFLAGS = $(TOOLCFLAGS)
tests_tools_hostile_tar_LDFLAGS = $(TOOLLDFLAGS)
tests_tools_intruder_SOURCES = tests/tools/intruder.c
tests_tools_intruder_CFLAGS = $(TOOLCFLAGS)
tests_tools_intruder_LDFLAGS = $(TOOLLDFLAGS)
tests_tools_killat_SOURCES = tests/tools/killat.c
tests_tools_killat_CFLAGS = $(TOOLCFLAGS)
tests_tools_killat_LDFLAGS = $(TOOLLDFLAGS)
tests_tools_probe_SOURCES = tests/tools/probe.c
tests_tools_probe_CFLAGS = $(TOOLCFLAGS)
tests_tools_probe_LDFLAGS = $(TOOLLDFLAGS)
tests_tools_swap_SOURCES = tests/tools/swap.c
tests_tools_swap_CFLAGS = $(TOOLCFLAGS)
tests_tools_swap_LDFLAGS = $(TOOLLDFLAGS)
tests_tools_vsock_SOURCES = tests/tools/vsock.c
tests_tools_vsock_CFLAGS = $(TOOLCFLAGS)
tests_tools_vsock_LDFLAGS = $(TOOLLDFLAGS)
EXTRA_DIST += tests/tools/tools.bash tests/tools/peer.py tests/tools/token-server tests/tools/fake-registry tests/tools/fake-journal tests/tools/take-pidfd tests/tools/store-faults tests/tools/verbs
# Drives the network layer as `hull run` does, so it is built like hull.
noinst_PROGRAMS += tests/tools/netattach
tests_tools_netattach_SOURCES = tests/tools/netattach.c
tests_tools_netattach_LDADD = $(LIBNETWORK)
EXTRA_DIST += tests/tools/hostile-run tests/tools/tools.bash
tests_tools_fsexercise_SOURCES = tests/tools/fsexercise.c
tests_tools_fsexercise_CFLAGS = $(TOOLCFLAGS)
tests_tools_fsexercise_LDFLAGS = $(TOOLLDFLAGS)
EXTRA_DIST += tests/tools/tools.bash

# The microVM's file system server on this kernel's FUSE; with the sanitizers of the build.
noinst_PROGRAMS += tests/tools/fsmount
tests_tools_fsmount_SOURCES = tests/tools/fsmount.c
tests_tools_fsmount_LDADD = $(LIBVMFS)

# The suite of tests/security; its probe is what runs in the containers.
noinst_PROGRAMS += tests/security/probe
tests_security_probe_SOURCES = tests/security/probe.c
tests_security_probe_CFLAGS = $(TOOLCFLAGS)
tests_security_probe_LDFLAGS = $(TOOLLDFLAGS)
EXTRA_DIST += tests/security/README.md tests/security/run tests/security/harness.py \
	tests/security/rows_engine.py tests/security/rows_runtime.py

# What is preloaded into hull; a shared object, whatever its name here.
noinst_PROGRAMS += tests/tools/unlucky.so
tests_tools_unlucky_so_SOURCES = tests/tools/unlucky.c
tests_tools_unlucky_so_CFLAGS = -std=c11 -O2 -fPIC -Wall -Wextra -Wshadow
tests_tools_unlucky_so_LDFLAGS = -shared -fPIC
