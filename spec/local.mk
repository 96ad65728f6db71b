noinst_LIBRARIES += spec/libspec.a
spec_libspec_a_SOURCES = \
	spec/names.c \
	spec/names.h \
	spec/rules_config.c \
	spec/rules_linux.c \
	spec/rules_process.c \
	spec/rules_resources.c \
	spec/rules_seccomp.c \
	spec/spec.h \
	spec/spec_default.c \
	spec/spec_default.h \
	spec/spec_load.c \
	spec/tables.h \
	spec/tables_config.c \
	spec/tables_linux.c \
	spec/tables_process.c \
	spec/tables_resources.c \
	spec/tables_vm.c \
	spec/validate.c \
	spec/validate.h
