# One program per file, linked with its own layer and those below it, and nothing else: the linker
# checks the layering.
if HAVE_CRITERION
UNIT_TESTS = \
	tests/unit/test_arena \
	tests/unit/test_buf \
	tests/unit/test_caps \
	tests/unit/test_cgroup_devices \
	tests/unit/test_cgroup_knobs \
	tests/unit/test_cgroup_live \
	tests/unit/test_cgroup_plan \
	tests/unit/test_cgroup_previous \
	tests/unit/test_cli_commands \
	tests/unit/test_cli_globals \
	tests/unit/test_cli_invocation \
	tests/unit/test_cli_options \
	tests/unit/test_cli_text \
	tests/unit/test_cli_values \
	tests/unit/test_console \
	tests/unit/test_err \
	tests/unit/test_gate \
	tests/unit/test_idmap \
	tests/unit/test_init \
	tests/unit/test_io \
	tests/unit/test_json \
	tests/unit/test_json_decode \
	tests/unit/test_json_write \
	tests/unit/test_listen_fds \
	tests/unit/test_listener \
	tests/unit/test_log \
	tests/unit/test_loopback \
	tests/unit/test_mount_options \
	tests/unit/test_mount_plan \
	tests/unit/test_mount_tree \
	tests/unit/test_namespaces \
	tests/unit/test_notify \
	tests/unit/test_pidfile \
	tests/unit/test_process_environment \
	tests/unit/test_process_executable \
	tests/unit/test_process_fds \
	tests/unit/test_process_limits \
	tests/unit/test_process_scheduling \
	tests/unit/test_process_user \
	tests/unit/test_relay \
	tests/unit/test_rootfd \
	tests/unit/test_seccomp \
	tests/unit/test_seccomp_cache \
	tests/unit/test_security_lsm \
	tests/unit/test_security_privileges \
	tests/unit/test_security_seal \
	tests/unit/test_signals \
	tests/unit/test_spawn \
	tests/unit/test_spec \
	tests/unit/test_spec_clients \
	tests/unit/test_spec_schema \
	tests/unit/test_spec_wrong \
	tests/unit/test_state \
	tests/unit/test_sysctl \
	tests/unit/test_terminal
endif
check_PROGRAMS += $(UNIT_TESTS)

UNITCFLAGS = $(AM_CFLAGS) -Wno-missing-prototypes -Wno-missing-field-initializers $(CRITERION_CFLAGS)
# Criterion finds its tests in a section that nothing refers to, so no --gc-sections here.
UNITLDFLAGS = $(HARDEN_LD) $(SANITIZE)
LIBCLI = cli/libcli.a $(LIBRUNTIME)

tests_unit_test_arena_SOURCES = tests/unit/test_arena.c
tests_unit_test_arena_CFLAGS = $(UNITCFLAGS)
tests_unit_test_arena_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_arena_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c
tests_unit_test_buf_CFLAGS = $(UNITCFLAGS)
tests_unit_test_buf_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_buf_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_caps_SOURCES = tests/unit/test_caps.c
tests_unit_test_caps_CFLAGS = $(UNITCFLAGS)
tests_unit_test_caps_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_caps_LDADD = $(LIBSECURITY) $(CRITERION_LIBS)
tests_unit_test_cgroup_devices_SOURCES = tests/unit/test_cgroup_devices.c
tests_unit_test_cgroup_devices_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_devices_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_devices_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cgroup_knobs_SOURCES = tests/unit/test_cgroup_knobs.c
tests_unit_test_cgroup_knobs_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_knobs_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_knobs_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cgroup_live_SOURCES = tests/unit/test_cgroup_live.c
tests_unit_test_cgroup_live_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_live_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_live_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cgroup_plan_SOURCES = tests/unit/test_cgroup_plan.c
tests_unit_test_cgroup_plan_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_plan_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_plan_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cgroup_previous_SOURCES = tests/unit/test_cgroup_previous.c
tests_unit_test_cgroup_previous_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_previous_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_previous_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cli_commands_SOURCES = tests/unit/test_cli_commands.c
tests_unit_test_cli_commands_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_commands_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_commands_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_cli_globals_SOURCES = tests/unit/test_cli_globals.c
tests_unit_test_cli_globals_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_globals_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_globals_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_cli_invocation_SOURCES = tests/unit/test_cli_invocation.c
tests_unit_test_cli_invocation_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_invocation_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_invocation_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_cli_options_SOURCES = tests/unit/test_cli_options.c
tests_unit_test_cli_options_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_options_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_options_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_cli_text_SOURCES = tests/unit/test_cli_text.c
tests_unit_test_cli_text_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_text_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_text_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_cli_values_SOURCES = tests/unit/test_cli_values.c
tests_unit_test_cli_values_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_values_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_values_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_console_SOURCES = tests/unit/test_console.c
tests_unit_test_console_CFLAGS = $(UNITCFLAGS)
tests_unit_test_console_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_console_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_err_SOURCES = tests/unit/test_err.c
tests_unit_test_err_CFLAGS = $(UNITCFLAGS)
tests_unit_test_err_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_err_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_gate_SOURCES = tests/unit/test_gate.c
tests_unit_test_gate_CFLAGS = $(UNITCFLAGS)
tests_unit_test_gate_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_gate_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_idmap_SOURCES = tests/unit/test_idmap.c
tests_unit_test_idmap_CFLAGS = $(UNITCFLAGS)
tests_unit_test_idmap_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_idmap_LDADD = $(LIBNAMESPACES) $(CRITERION_LIBS)
tests_unit_test_init_SOURCES = tests/unit/test_init.c
tests_unit_test_init_CFLAGS = $(UNITCFLAGS)
tests_unit_test_init_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_init_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_io_SOURCES = tests/unit/test_io.c
tests_unit_test_io_CFLAGS = $(UNITCFLAGS)
tests_unit_test_io_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_io_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_json_SOURCES = tests/unit/test_json.c
tests_unit_test_json_CFLAGS = $(UNITCFLAGS)
tests_unit_test_json_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_json_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_json_decode_SOURCES = tests/unit/test_json_decode.c
tests_unit_test_json_decode_CFLAGS = $(UNITCFLAGS)
tests_unit_test_json_decode_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_json_decode_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_json_write_SOURCES = tests/unit/test_json_write.c
tests_unit_test_json_write_CFLAGS = $(UNITCFLAGS)
tests_unit_test_json_write_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_json_write_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_listen_fds_SOURCES = tests/unit/test_listen_fds.c
tests_unit_test_listen_fds_CFLAGS = $(UNITCFLAGS)
tests_unit_test_listen_fds_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_listen_fds_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_listener_SOURCES = tests/unit/test_listener.c
tests_unit_test_listener_CFLAGS = $(UNITCFLAGS)
tests_unit_test_listener_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_listener_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_CFLAGS = $(UNITCFLAGS)
tests_unit_test_log_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_log_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_loopback_SOURCES = tests/unit/test_loopback.c
tests_unit_test_loopback_CFLAGS = $(UNITCFLAGS)
tests_unit_test_loopback_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_loopback_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_mount_options_SOURCES = tests/unit/test_mount_options.c
tests_unit_test_mount_options_CFLAGS = $(UNITCFLAGS)
tests_unit_test_mount_options_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_mount_options_LDADD = $(LIBMOUNTS) $(CRITERION_LIBS)
tests_unit_test_mount_plan_SOURCES = tests/unit/test_mount_plan.c
tests_unit_test_mount_plan_CFLAGS = $(UNITCFLAGS)
tests_unit_test_mount_plan_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_mount_plan_LDADD = $(LIBMOUNTS) $(CRITERION_LIBS)
tests_unit_test_mount_tree_SOURCES = tests/unit/test_mount_tree.c
tests_unit_test_mount_tree_CFLAGS = $(UNITCFLAGS)
tests_unit_test_mount_tree_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_mount_tree_LDADD = $(LIBMOUNTS) $(CRITERION_LIBS)
tests_unit_test_namespaces_SOURCES = tests/unit/test_namespaces.c
tests_unit_test_namespaces_CFLAGS = $(UNITCFLAGS)
tests_unit_test_namespaces_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_namespaces_LDADD = $(LIBNAMESPACES) $(CRITERION_LIBS)
tests_unit_test_notify_SOURCES = tests/unit/test_notify.c
tests_unit_test_notify_CFLAGS = $(UNITCFLAGS)
tests_unit_test_notify_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_notify_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_pidfile_SOURCES = tests/unit/test_pidfile.c
tests_unit_test_pidfile_CFLAGS = $(UNITCFLAGS)
tests_unit_test_pidfile_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_pidfile_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_process_environment_SOURCES = tests/unit/test_process_environment.c
tests_unit_test_process_environment_CFLAGS = $(UNITCFLAGS)
tests_unit_test_process_environment_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_process_environment_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_process_executable_SOURCES = tests/unit/test_process_executable.c
tests_unit_test_process_executable_CFLAGS = $(UNITCFLAGS)
tests_unit_test_process_executable_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_process_executable_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_process_fds_SOURCES = tests/unit/test_process_fds.c
tests_unit_test_process_fds_CFLAGS = $(UNITCFLAGS)
tests_unit_test_process_fds_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_process_fds_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_process_limits_SOURCES = tests/unit/test_process_limits.c
tests_unit_test_process_limits_CFLAGS = $(UNITCFLAGS)
tests_unit_test_process_limits_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_process_limits_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_process_scheduling_SOURCES = tests/unit/test_process_scheduling.c
tests_unit_test_process_scheduling_CFLAGS = $(UNITCFLAGS)
tests_unit_test_process_scheduling_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_process_scheduling_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_process_user_SOURCES = tests/unit/test_process_user.c
tests_unit_test_process_user_CFLAGS = $(UNITCFLAGS)
tests_unit_test_process_user_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_process_user_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_relay_SOURCES = tests/unit/test_relay.c
tests_unit_test_relay_CFLAGS = $(UNITCFLAGS)
tests_unit_test_relay_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_relay_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_rootfd_SOURCES = tests/unit/test_rootfd.c
tests_unit_test_rootfd_CFLAGS = $(UNITCFLAGS)
tests_unit_test_rootfd_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_rootfd_LDADD = $(LIBMOUNTS) $(CRITERION_LIBS)
tests_unit_test_seccomp_SOURCES = tests/unit/test_seccomp.c
tests_unit_test_seccomp_CFLAGS = $(UNITCFLAGS)
tests_unit_test_seccomp_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_seccomp_LDADD = $(LIBSECURITY) $(CRITERION_LIBS)
tests_unit_test_seccomp_cache_SOURCES = tests/unit/test_seccomp_cache.c
tests_unit_test_seccomp_cache_CFLAGS = $(UNITCFLAGS)
tests_unit_test_seccomp_cache_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_seccomp_cache_LDADD = $(LIBSECURITY) $(CRITERION_LIBS)
tests_unit_test_security_lsm_SOURCES = tests/unit/test_security_lsm.c
tests_unit_test_security_lsm_CFLAGS = $(UNITCFLAGS)
tests_unit_test_security_lsm_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_security_lsm_LDADD = $(LIBSECURITY) $(CRITERION_LIBS)
tests_unit_test_security_privileges_SOURCES = tests/unit/test_security_privileges.c
tests_unit_test_security_privileges_CFLAGS = $(UNITCFLAGS)
tests_unit_test_security_privileges_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_security_privileges_LDADD = $(LIBSECURITY) $(CRITERION_LIBS)
tests_unit_test_security_seal_SOURCES = tests/unit/test_security_seal.c
tests_unit_test_security_seal_CFLAGS = $(UNITCFLAGS)
tests_unit_test_security_seal_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_security_seal_LDADD = $(LIBSECURITY) $(CRITERION_LIBS)
tests_unit_test_signals_SOURCES = tests/unit/test_signals.c
tests_unit_test_signals_CFLAGS = $(UNITCFLAGS)
tests_unit_test_signals_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_signals_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_spawn_SOURCES = tests/unit/test_spawn.c
tests_unit_test_spawn_CFLAGS = $(UNITCFLAGS)
tests_unit_test_spawn_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_spawn_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_spec_SOURCES = tests/unit/test_spec.c
tests_unit_test_spec_CFLAGS = $(UNITCFLAGS)
tests_unit_test_spec_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_spec_LDADD = $(LIBSPEC) $(CRITERION_LIBS)
tests_unit_test_spec_clients_SOURCES = tests/unit/test_spec_clients.c
tests_unit_test_spec_clients_CFLAGS = $(UNITCFLAGS)
tests_unit_test_spec_clients_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_spec_clients_LDADD = $(LIBSPEC) $(CRITERION_LIBS)
tests_unit_test_spec_schema_SOURCES = tests/unit/test_spec_schema.c
tests_unit_test_spec_schema_CFLAGS = $(UNITCFLAGS)
tests_unit_test_spec_schema_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_spec_schema_LDADD = $(LIBSPEC) $(CRITERION_LIBS)
tests_unit_test_spec_wrong_SOURCES = tests/unit/test_spec_wrong.c
tests_unit_test_spec_wrong_CFLAGS = $(UNITCFLAGS)
tests_unit_test_spec_wrong_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_spec_wrong_LDADD = $(LIBSPEC) $(CRITERION_LIBS)
tests_unit_test_state_SOURCES = tests/unit/test_state.c
tests_unit_test_state_CFLAGS = $(UNITCFLAGS)
tests_unit_test_state_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_state_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_sysctl_SOURCES = tests/unit/test_sysctl.c
tests_unit_test_sysctl_CFLAGS = $(UNITCFLAGS)
tests_unit_test_sysctl_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_sysctl_LDADD = $(LIBNAMESPACES) $(CRITERION_LIBS)
tests_unit_test_terminal_SOURCES = tests/unit/test_terminal.c
tests_unit_test_terminal_CFLAGS = $(UNITCFLAGS)
tests_unit_test_terminal_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_terminal_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)

unit-tests: $(UNIT_TESTS)

include tests/tools/local.mk

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_spec
tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c
tests_fuzz_fuzz_spec_LDADD = $(LIBSPEC)
tests_fuzz_fuzz_spec_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif

EXTRA_DIST += tests/run tests/demo tests/checks tests/data tests/integration tests/vm \
	tests/fuzz/fuzz_spec.dict tests/fuzz/corpus-spec \
	tests/unit/test_child.h tests/unit/test_cli.h tests/unit/test_dir.h tests/unit/test_spec_data.h
.PHONY: unit-tests
