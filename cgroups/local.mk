noinst_LIBRARIES += cgroups/libcgroups.a
cgroups_libcgroups_a_SOURCES = \
	cgroups/cgroup.c \
	cgroups/cgroup.h \
	cgroups/destroy.c \
	cgroups/devices.c \
	cgroups/devices.h \
	cgroups/grow.h \
	cgroups/host.c \
	cgroups/host.h \
	cgroups/knobs.c \
	cgroups/knobs.h \
	cgroups/limits.c \
	cgroups/limits.h \
	cgroups/plan.c \
	cgroups/plan.h \
	cgroups/previous.c \
	cgroups/previous.h \
	cgroups/procs.c \
	cgroups/procs.h
