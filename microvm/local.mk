noinst_LIBRARIES += microvm/libmicrovm.a
microvm_libmicrovm_a_SOURCES = \
	microvm/acpi.c \
	microvm/acpi.h \
	microvm/agent.h \
	microvm/balloon.c \
	microvm/balloon.h \
	microvm/blk.c \
	microvm/blk.h \
	microvm/boot.c \
	microvm/boot.h \
	microvm/console.c \
	microvm/console.h \
	microvm/control.c \
	microvm/control.h \
	microvm/cpu.c \
	microvm/cpu.h \
	microvm/disk.c \
	microvm/disk.h \
	microvm/document.c \
	microvm/document.h \
	microvm/dsdt.h \
	microvm/exec.c \
	microvm/executor.c \
	microvm/executor.h \
	microvm/frame.c \
	microvm/frame.h \
	microvm/fsdev.c \
	microvm/fsdev.h \
	microvm/guest_network.c \
	microvm/guest_network.h \
	microvm/guest_spec.c \
	microvm/guest_spec.h \
	microvm/initramfs.c \
	microvm/initramfs.h \
	microvm/jail.c \
	microvm/jail.h \
	microvm/kernel.c \
	microvm/kernel.h \
	microvm/machine.c \
	microvm/machine.h \
	microvm/memory.h \
	microvm/mux.c \
	microvm/mux.h \
	microvm/net.c \
	microvm/net.h \
	microvm/pci.c \
	microvm/pci.h \
	microvm/process_list.c \
	microvm/process_list.h \
	microvm/process_write.c \
	microvm/process_write.h \
	microvm/question.c \
	microvm/rng.c \
	microvm/rng.h \
	microvm/saved.c \
	microvm/saved.h \
	microvm/serial.c \
	microvm/serial.h \
	microvm/snapshot.h \
	microvm/snapshot_channel.c \
	microvm/snapshot_devices.c \
	microvm/snapshot_memory.c \
	microvm/virtio.c \
	microvm/virtio.h \
	microvm/virtqueue.c \
	microvm/virtqueue.h \
	microvm/vmm.c \
	microvm/vmm.h \
	microvm/vmm_options.c \
	microvm/vmm_options.h \
	microvm/vmm_peers.c \
	microvm/vmnet.c \
	microvm/vmnet.h \
	microvm/vsock.c \
	microvm/vsock.h \
	microvm/vsock_host.c \
	microvm/vsock_host.h \
	microvm/vsock_link.c
microvm_libmicrovm_a_CPPFLAGS = $(AM_CPPFLAGS) -DHULL_LIBEXEC_DIR='"$(hulllibexecdir)"'

hulllibexecdir = $(libexecdir)/hull
EXTRA_DIST += microvm/dsdt.asl

# One has a container's root as its own, the other is all that a guest has: they bring their libraries.
STATIC_LD = -static-pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--gc-sections -Wl,-s
if STATIC_PROGRAMS
hulllibexec_PROGRAMS = hull-vmm hull-agent
endif
EXTRA_PROGRAMS = hull-vmm hull-agent
hull_vmm_SOURCES = microvm/vmm_main.c
hull_vmm_LDFLAGS = $(STATIC_LD)
hull_vmm_LDADD = microvm/libmicrovm.a $(LIBVMFS) $(LIBRUNTIME) -lzstd
hull_agent_SOURCES = microvm/agent_main.c microvm/agent_process.c microvm/agent_question.c microvm/agent_setup.c
hull_agent_LDFLAGS = $(STATIC_LD)
hull_agent_LDADD = microvm/libmicrovm.a $(LIBRUNTIME)

# Where the integration tests find them (HULL_LIBEXEC).
if STATIC_PROGRAMS
noinst_SCRIPTS += tests/tools/hull-vmm tests/tools/hull-agent
endif
tests/tools/hull-vmm: hull-vmm
	$(AM_V_GEN)$(MKDIR_P) tests/tools && cp hull-vmm $@
tests/tools/hull-agent: hull-agent
	$(AM_V_GEN)$(MKDIR_P) tests/tools && cp hull-agent $@
CLEANFILES += tests/tools/hull-vmm tests/tools/hull-agent hull-vmm hull-agent
EXTRA_DIST += docs/microvm.md
