# hull itself with musl, where that is: a static program starts in a quarter of the time of one of
# glibc's (docs/performance.md). What such a one cannot do, to open libraries, is hull-full's
# (base/full.h). Its sources are those of the archives that the other programs are linked with.
EXTRA_DIST += compat/musl/malloc.c compat/musl/copy.c compat/musl/missing.c compat/musl/missing.h compat/musl/packed.c compat/musl/first.ld \
	compat/musl/fortify.h compat/musl/sys/mount.h compat/musl/sys/pidfd.h compat/musl/linux/prctl.h

if MUSL
bin_SCRIPTS = hull
pkglibexec_PROGRAMS += libexec/hull/hull-full
libexec_hull_hull_full_SOURCES = cli/main.c
libexec_hull_hull_full_LDADD = cli/libcli.a microvm/libmicrovm.a $(LIBENGINE)

MUSL_FILES = $(filter %.c, \
	$(base_libbase_a_SOURCES) $(spec_libspec_a_SOURCES) $(namespaces_libnamespaces_a_SOURCES) \
	$(mounts_libmounts_a_SOURCES) $(cgroups_libcgroups_a_SOURCES) $(process_libprocess_a_SOURCES) \
	$(network_libnetwork_a_SOURCES) $(security_libsecurity_a_SOURCES) $(runtime_libruntime_a_SOURCES) \
	$(image_libimage_a_SOURCES) $(image_fetch_libfetch_a_SOURCES) $(image_libunpack_a_SOURCES) \
	$(engine_libengine_a_SOURCES) $(microvm_libmicrovm_a_SOURCES) $(cli_libcli_a_SOURCES))
MUSL_OBJECTS = $(addprefix musl/,$(MUSL_FILES:.c=.o))
MUSL_CFLAGS = -std=c11 -O2 -g -DHAVE_CONFIG_H -DHULL_STATIC -D_GNU_SOURCE -I. -I$(srcdir) \
	-isystem $(srcdir)/compat/musl -idirafter musl/include -include $(srcdir)/compat/musl/missing.h \
	-Wall -Wextra -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables $(PREFIX_MAPS) \
	-DHULL_LIBEXECDIR='"$(pkglibexecdir)"' -DHULL_LIBEXEC_DIR='"$(hulllibexecdir)"' \
	-DHULL_PKGDATADIR='"$(pkgdatadir)"'
MUSL_LINK = -nostdlib -static -Wl,-pie -Wl,--no-dynamic-linker -Wl,-z,text -Wl,-z,relro,-z,now \
	-Wl,-z,noexecstack -Wl,--gc-sections $(MUSL_PACKED) \
	-Wl,-T,$(srcdir)/compat/musl/first.ld -Wl,-Map,hull.map

# Of the kernel's and the small libraries' headers alone: not of glibc's, which lie beside them.
musl/include:
	$(AM_V_GEN)mkdir -p $@ && for name in linux asm asm-generic video yajl seccomp.h seccomp-syscalls.h \
			zstd.h zstd_errors.h; do \
		for place in /usr/include/`$(CC) -print-multiarch` /usr/include; do \
			if test -e $$place/$$name; then ln -sfn $$place/$$name $@/$$name; break; fi; \
		done; done

musl/%.o: %.c | musl/include $(BUILT_SOURCES)
	@mkdir -p $(@D)
	$(AM_V_CC)$(MUSL_GCC) $(MUSL_CFLAGS) -MMD -MP -c -o $@ $<

MUSL_FIRST = musl/cli/main.o musl/compat/musl/missing.o musl/compat/musl/malloc.o musl/compat/musl/copy.o \
	musl/compat/musl/packed.o

# Or the compiler sees in their loops what it may leave to them.
musl/compat/musl/copy.o: MUSL_CFLAGS += -fno-builtin -fno-tree-loop-distribute-patterns

# Before there is a canary, or a relocated pointer to what would miss it.
musl/compat/musl/packed.o: MUSL_CFLAGS += -fno-stack-protector

# An archive, for the linker to take what hull uses.
musl/libhull.a: $(MUSL_OBJECTS)
	$(AM_V_AR)rm -f $@ && $(AR) cr $@ $(MUSL_OBJECTS)

hull: $(MUSL_FIRST) musl/libhull.a $(srcdir)/compat/musl/first.ld
	$(AM_V_CCLD)$(MUSL_GCC) $(MUSL_LINK) -o $@ $(MUSL_CRT)/rcrt1.o $(MUSL_CRT)/crti.o \
		$(MUSL_FIRST) musl/libhull.a \
		`$(CC) -print-file-name=libyajl_s.a` `$(CC) -print-file-name=libseccomp.a` \
		$(MUSL_CRT)/libc.a `$(CC) -print-libgcc-file-name` $(MUSL_CRT)/crtn.o

-include $(MUSL_OBJECTS:.o=.d) $(MUSL_FIRST:.o=.d)

mostlyclean-local:
	rm -rf musl hull hull.map
else
bin_PROGRAMS += hull
hull_SOURCES = cli/main.c
hull_LDADD = cli/libcli.a microvm/libmicrovm.a $(LIBENGINE)
endif
