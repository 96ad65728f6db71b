# One program per file, linked with its own layer and those below it, and nothing else: the linker
# checks the layering.
if HAVE_CRITERION
UNIT_TESTS = \
	tests/unit/test_arena \
	tests/unit/test_buf \
	tests/unit/test_caps \
	tests/unit/test_cgroup_bus \
	tests/unit/test_cgroup_devices \
	tests/unit/test_cgroup_knobs \
	tests/unit/test_cgroup_limits \
	tests/unit/test_cgroup_live \
	tests/unit/test_cgroup_plan \
	tests/unit/test_cgroup_previous \
	tests/unit/test_cgroup_rdt \
	tests/unit/test_cgroup_stats \
	tests/unit/test_cgroup_unit \
	tests/unit/test_challenge \
	tests/unit/test_cli_commands \
	tests/unit/test_cli_events \
	tests/unit/test_cli_globals \
	tests/unit/test_cli_invocation \
	tests/unit/test_cli_options \
	tests/unit/test_cli_image \
	tests/unit/test_cli_network \
	tests/unit/test_cli_stats \
	tests/unit/test_cli_text \
	tests/unit/test_cli_ps_filter \
	tests/unit/test_cli_template \
	tests/unit/test_cli_values \
	tests/unit/test_cli_words \
	tests/unit/test_console \
	tests/unit/test_copy_up \
	tests/unit/test_denials \
	tests/unit/test_dns \
	tests/unit/test_doctor \
	tests/unit/test_exec_request \
	tests/unit/test_external \
	tests/unit/test_engine \
	tests/unit/test_engine_record \
	tests/unit/test_err \
	tests/unit/test_gate \
	tests/unit/test_health \
	tests/unit/test_held \
	tests/unit/test_idmap \
	tests/unit/test_image_auth \
	tests/unit/test_image_bundle \
	tests/unit/test_image_crash \
	tests/unit/test_image_digest \
	tests/unit/test_image_documents \
	tests/unit/test_image_layout \
	tests/unit/test_image_passwd \
	tests/unit/test_image_platform \
	tests/unit/test_image_reference \
	tests/unit/test_image_registries \
	tests/unit/test_image_schema \
	tests/unit/test_image_store \
	tests/unit/test_image_config_change \
	tests/unit/test_image_tar_write \
	tests/unit/test_image_unpack \
	tests/unit/test_init \
	tests/unit/test_io \
	tests/unit/test_ipam \
	tests/unit/test_json \
	tests/unit/test_json_decode \
	tests/unit/test_json_write \
	tests/unit/test_link \
	tests/unit/test_listen_fds \
	tests/unit/test_listener \
	tests/unit/test_keys \
	tests/unit/test_lock \
	tests/unit/test_musl_copy \
	tests/unit/test_log \
	tests/unit/test_loopback \
	tests/unit/test_microvm_boot \
	tests/unit/test_microvm_devices \
	tests/unit/test_microvm_net \
	tests/unit/test_microvm_mux \
	tests/unit/test_microvm_saved \
	tests/unit/test_microvm_snapshot \
	tests/unit/test_microvm_spec \
	tests/unit/test_microvm_vsock \
	tests/unit/test_mount_options \
	tests/unit/test_mount_plan \
	tests/unit/test_mount_tree \
	tests/unit/test_namespaces \
	tests/unit/test_net_counters \
	tests/unit/test_netdev \
	tests/unit/test_net_redirect \
	tests/unit/test_net_route \
	tests/unit/test_netlink \
	tests/unit/test_nlattr \
	tests/unit/test_network_config \
	tests/unit/test_network_plan \
	tests/unit/test_notify \
	tests/unit/test_oom \
	tests/unit/test_oom_log \
	tests/unit/test_pidfile \
	tests/unit/test_cni \
	tests/unit/test_conntrack \
	tests/unit/test_port \
	tests/unit/test_process_environment \
	tests/unit/test_process_executable \
	tests/unit/test_process_fds \
	tests/unit/test_powers \
	tests/unit/test_process_limits \
	tests/unit/test_process_scheduling \
	tests/unit/test_process_user \
	tests/unit/test_relay \
	tests/unit/test_resolv \
	tests/unit/test_rootfd \
	tests/unit/test_scratch \
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
	tests/unit/test_subnet \
	tests/unit/test_sysctl \
	tests/unit/test_terminal \
	tests/unit/test_unpack_entry \
	tests/unit/test_vm_fs \
	tests/unit/test_vm_fs_dir \
	tests/unit/test_vm_fs_io \
	tests/unit/test_vm_fs_lock \
	tests/unit/test_vm_fs_save \
	tests/unit/test_vm_fs_tree \
	tests/unit/test_vm_fs_xattr \
	tests/unit/test_netwish \
	tests/unit/test_wish
endif
check_PROGRAMS += $(UNIT_TESTS)

UNITCFLAGS = $(AM_CFLAGS) -Wno-missing-prototypes -Wno-missing-field-initializers $(CRITERION_CFLAGS)
# Criterion finds its tests in a section that nothing refers to, so no --gc-sections here.
UNITLDFLAGS = $(HARDEN_LD) $(SANITIZE)
LIBCLI = cli/libcli.a $(LIBENGINE)

tests_unit_test_netwish_SOURCES = tests/unit/test_netwish.c
tests_unit_test_netwish_CFLAGS = $(UNITCFLAGS)
tests_unit_test_netwish_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_netwish_LDADD = $(LIBENGINE) $(CRITERION_LIBS)
tests_unit_test_wish_SOURCES = tests/unit/test_wish.c
tests_unit_test_wish_CFLAGS = $(UNITCFLAGS)
tests_unit_test_wish_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_wish_LDADD = $(LIBENGINE) $(CRITERION_LIBS)
tests_unit_test_engine_record_SOURCES = tests/unit/test_engine_record.c
tests_unit_test_engine_record_CFLAGS = $(UNITCFLAGS)
tests_unit_test_engine_record_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_engine_record_LDADD = $(LIBENGINE) $(CRITERION_LIBS)
tests_unit_test_engine_SOURCES = tests/unit/test_engine.c
tests_unit_test_engine_CFLAGS = $(UNITCFLAGS)
tests_unit_test_engine_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_engine_LDADD = $(LIBENGINE) $(CRITERION_LIBS)
tests_unit_test_health_SOURCES = tests/unit/test_health.c
tests_unit_test_health_CFLAGS = $(UNITCFLAGS)
tests_unit_test_health_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_health_LDADD = $(LIBENGINE) $(CRITERION_LIBS)
tests_unit_test_image_config_change_SOURCES = tests/unit/test_image_config_change.c
tests_unit_test_image_config_change_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_config_change_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_config_change_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_tar_write_SOURCES = tests/unit/test_image_tar_write.c
tests_unit_test_image_tar_write_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_tar_write_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_tar_write_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_challenge_SOURCES = tests/unit/test_challenge.c
tests_unit_test_challenge_CFLAGS = $(UNITCFLAGS)
tests_unit_test_challenge_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_challenge_LDADD = image/fetch/libfetch.a $(LIBIMAGE) $(CRITERION_LIBS)
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
tests_unit_test_cgroup_bus_SOURCES = tests/unit/test_cgroup_bus.c
tests_unit_test_cgroup_bus_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_bus_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_bus_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cgroup_devices_SOURCES = tests/unit/test_cgroup_devices.c
tests_unit_test_cgroup_devices_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_devices_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_devices_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cgroup_knobs_SOURCES = tests/unit/test_cgroup_knobs.c
tests_unit_test_cgroup_knobs_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_knobs_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_knobs_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cgroup_limits_SOURCES = tests/unit/test_cgroup_limits.c
tests_unit_test_cgroup_limits_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_limits_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_limits_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
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
tests_unit_test_cgroup_rdt_SOURCES = tests/unit/test_cgroup_rdt.c
tests_unit_test_cgroup_rdt_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_rdt_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_rdt_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cgroup_unit_SOURCES = tests/unit/test_cgroup_unit.c
tests_unit_test_cgroup_unit_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_unit_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_unit_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cgroup_stats_SOURCES = tests/unit/test_cgroup_stats.c
tests_unit_test_cgroup_stats_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cgroup_stats_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cgroup_stats_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)
tests_unit_test_cli_commands_SOURCES = tests/unit/test_cli_commands.c
tests_unit_test_cli_commands_CFLAGS = $(UNITCFLAGS)
# It has its own container_run() and the like in place of the runtime's.
tests_unit_test_cli_commands_LDFLAGS = $(UNITLDFLAGS) -Wl,--allow-multiple-definition
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
tests_unit_test_cli_image_SOURCES = tests/unit/test_cli_image.c
tests_unit_test_cli_image_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_image_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_image_LDADD = $(LIBCLI) $(CRITERION_LIBS)

tests_unit_test_cli_network_SOURCES = tests/unit/test_cli_network.c
tests_unit_test_cli_network_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_network_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_network_LDADD = $(LIBCLI) $(CRITERION_LIBS)

tests_unit_test_cli_stats_SOURCES = tests/unit/test_cli_stats.c
tests_unit_test_cli_stats_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_stats_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_stats_LDADD = $(LIBCLI) $(CRITERION_LIBS)
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
tests_unit_test_copy_up_SOURCES = tests/unit/test_copy_up.c
tests_unit_test_copy_up_CFLAGS = $(UNITCFLAGS)
tests_unit_test_copy_up_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_copy_up_LDADD = $(LIBMOUNTS) $(CRITERION_LIBS)

tests_unit_test_cli_ps_filter_SOURCES = tests/unit/test_cli_ps_filter.c
tests_unit_test_cli_ps_filter_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_ps_filter_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_ps_filter_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_cli_template_SOURCES = tests/unit/test_cli_template.c
tests_unit_test_cli_template_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_template_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_template_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_cli_words_SOURCES = tests/unit/test_cli_words.c
tests_unit_test_cli_words_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_words_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_words_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_cli_events_SOURCES = tests/unit/test_cli_events.c
tests_unit_test_cli_events_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cli_events_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cli_events_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_doctor_SOURCES = tests/unit/test_doctor.c
tests_unit_test_doctor_CFLAGS = $(UNITCFLAGS)
tests_unit_test_doctor_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_doctor_LDADD = $(LIBCLI) $(CRITERION_LIBS)
tests_unit_test_denials_SOURCES = tests/unit/test_denials.c
tests_unit_test_denials_CFLAGS = $(UNITCFLAGS)
tests_unit_test_denials_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_denials_LDADD = $(LIBSECURITY) $(CRITERION_LIBS)
tests_unit_test_dns_SOURCES = tests/unit/test_dns.c
tests_unit_test_dns_CFLAGS = $(UNITCFLAGS)
tests_unit_test_dns_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_dns_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_err_SOURCES = tests/unit/test_err.c
tests_unit_test_err_CFLAGS = $(UNITCFLAGS)
tests_unit_test_err_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_err_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_gate_SOURCES = tests/unit/test_gate.c
tests_unit_test_gate_CFLAGS = $(UNITCFLAGS)
tests_unit_test_gate_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_gate_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_held_SOURCES = tests/unit/test_held.c
tests_unit_test_held_CFLAGS = $(UNITCFLAGS)
tests_unit_test_held_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_held_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_idmap_SOURCES = tests/unit/test_idmap.c
tests_unit_test_idmap_CFLAGS = $(UNITCFLAGS)
tests_unit_test_idmap_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_idmap_LDADD = $(LIBNAMESPACES) $(CRITERION_LIBS)
tests_unit_test_image_reference_SOURCES = tests/unit/test_image_reference.c
tests_unit_test_image_reference_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_reference_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_reference_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_digest_SOURCES = tests/unit/test_image_digest.c
tests_unit_test_image_digest_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_digest_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_digest_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_documents_SOURCES = tests/unit/test_image_documents.c
tests_unit_test_image_documents_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_documents_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_documents_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_platform_SOURCES = tests/unit/test_image_platform.c
tests_unit_test_image_platform_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_platform_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_platform_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_schema_SOURCES = tests/unit/test_image_schema.c
tests_unit_test_image_schema_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_schema_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_schema_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_store_SOURCES = tests/unit/test_image_store.c
tests_unit_test_image_store_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_store_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_store_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_crash_SOURCES = tests/unit/test_image_crash.c
tests_unit_test_image_crash_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_crash_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_crash_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_passwd_SOURCES = tests/unit/test_image_passwd.c
tests_unit_test_image_passwd_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_passwd_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_passwd_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_bundle_SOURCES = tests/unit/test_image_bundle.c
tests_unit_test_image_bundle_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_bundle_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_bundle_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_layout_SOURCES = tests/unit/test_image_layout.c
tests_unit_test_image_layout_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_layout_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_layout_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_auth_SOURCES = tests/unit/test_image_auth.c
tests_unit_test_image_auth_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_auth_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_auth_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_registries_SOURCES = tests/unit/test_image_registries.c
tests_unit_test_image_registries_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_registries_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_registries_LDADD = $(LIBIMAGE) $(CRITERION_LIBS)
tests_unit_test_image_unpack_SOURCES = tests/unit/test_image_unpack.c
tests_unit_test_image_unpack_CFLAGS = $(UNITCFLAGS)
tests_unit_test_image_unpack_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_image_unpack_LDADD = $(LIBUNPACK) $(CRITERION_LIBS)
tests_unit_test_exec_request_SOURCES = tests/unit/test_exec_request.c
tests_unit_test_exec_request_CFLAGS = $(UNITCFLAGS)
tests_unit_test_exec_request_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_exec_request_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_external_SOURCES = tests/unit/test_external.c
tests_unit_test_external_CFLAGS = $(UNITCFLAGS)
tests_unit_test_external_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_external_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_init_SOURCES = tests/unit/test_init.c
tests_unit_test_init_CFLAGS = $(UNITCFLAGS)
tests_unit_test_init_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_init_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_io_SOURCES = tests/unit/test_io.c
tests_unit_test_io_CFLAGS = $(UNITCFLAGS)
tests_unit_test_io_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_io_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_ipam_SOURCES = tests/unit/test_ipam.c
tests_unit_test_ipam_CFLAGS = $(UNITCFLAGS)
tests_unit_test_ipam_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_ipam_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
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
tests_unit_test_link_SOURCES = tests/unit/test_link.c
tests_unit_test_link_CFLAGS = $(UNITCFLAGS)
tests_unit_test_link_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_link_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_netlink_SOURCES = tests/unit/test_netlink.c
tests_unit_test_netlink_CFLAGS = $(UNITCFLAGS)
tests_unit_test_netlink_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_netlink_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_nlattr_SOURCES = tests/unit/test_nlattr.c
tests_unit_test_nlattr_CFLAGS = $(UNITCFLAGS)
tests_unit_test_nlattr_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_nlattr_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_net_redirect_SOURCES = tests/unit/test_net_redirect.c
tests_unit_test_net_redirect_CFLAGS = $(UNITCFLAGS)
tests_unit_test_net_redirect_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_net_redirect_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_net_route_SOURCES = tests/unit/test_net_route.c
tests_unit_test_net_route_CFLAGS = $(UNITCFLAGS)
tests_unit_test_net_route_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_net_route_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_netdev_SOURCES = tests/unit/test_netdev.c
tests_unit_test_netdev_CFLAGS = $(UNITCFLAGS)
tests_unit_test_netdev_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_netdev_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_listen_fds_SOURCES = tests/unit/test_listen_fds.c
tests_unit_test_listen_fds_CFLAGS = $(UNITCFLAGS)
tests_unit_test_listen_fds_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_listen_fds_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_listener_SOURCES = tests/unit/test_listener.c
tests_unit_test_listener_CFLAGS = $(UNITCFLAGS)
tests_unit_test_listener_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_listener_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_musl_copy_SOURCES = tests/unit/test_musl_copy.c
tests_unit_test_musl_copy_CFLAGS = $(UNITCFLAGS) -fno-builtin -fno-tree-loop-distribute-patterns
tests_unit_test_musl_copy_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_musl_copy_LDADD = $(CRITERION_LIBS)
tests_unit_test_lock_SOURCES = tests/unit/test_lock.c
tests_unit_test_lock_CFLAGS = $(UNITCFLAGS)
tests_unit_test_lock_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_lock_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_CFLAGS = $(UNITCFLAGS)
tests_unit_test_log_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_log_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_loopback_SOURCES = tests/unit/test_loopback.c
tests_unit_test_loopback_CFLAGS = $(UNITCFLAGS)
tests_unit_test_loopback_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_loopback_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_microvm_boot_SOURCES = tests/unit/test_microvm_boot.c
tests_unit_test_microvm_boot_CFLAGS = $(UNITCFLAGS)
tests_unit_test_microvm_boot_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_microvm_boot_LDADD = $(LIBMICROVM) $(LIBVMFS) -lzstd $(CRITERION_LIBS)
tests_unit_test_microvm_net_SOURCES = tests/unit/test_microvm_net.c
tests_unit_test_microvm_net_CFLAGS = $(UNITCFLAGS)
tests_unit_test_microvm_net_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_microvm_net_LDADD = $(LIBMICROVM) $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_microvm_devices_SOURCES = tests/unit/test_microvm_devices.c
tests_unit_test_microvm_devices_CFLAGS = $(UNITCFLAGS)
tests_unit_test_microvm_devices_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_microvm_devices_LDADD = $(LIBMICROVM) $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_microvm_mux_SOURCES = tests/unit/test_microvm_mux.c
tests_unit_test_microvm_mux_CFLAGS = $(UNITCFLAGS)
tests_unit_test_microvm_mux_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_microvm_mux_LDADD = $(LIBMICROVM) $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_microvm_saved_SOURCES = tests/unit/test_microvm_saved.c
tests_unit_test_microvm_saved_CFLAGS = $(UNITCFLAGS)
tests_unit_test_microvm_saved_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_microvm_saved_LDADD = $(LIBMICROVM) $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_microvm_snapshot_SOURCES = tests/unit/test_microvm_snapshot.c
tests_unit_test_microvm_snapshot_CFLAGS = $(UNITCFLAGS)
tests_unit_test_microvm_snapshot_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_microvm_snapshot_LDADD = $(LIBMICROVM) $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_microvm_vsock_SOURCES = tests/unit/test_microvm_vsock.c
tests_unit_test_microvm_vsock_CFLAGS = $(UNITCFLAGS)
tests_unit_test_microvm_vsock_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_microvm_vsock_LDADD = $(LIBMICROVM) $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_microvm_spec_SOURCES = tests/unit/test_microvm_spec.c
tests_unit_test_microvm_spec_CFLAGS = $(UNITCFLAGS)
tests_unit_test_microvm_spec_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_microvm_spec_LDADD = $(LIBMICROVM) $(LIBVMFS) $(CRITERION_LIBS)
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
tests_unit_test_net_counters_SOURCES = tests/unit/test_net_counters.c
tests_unit_test_net_counters_CFLAGS = $(UNITCFLAGS)
tests_unit_test_net_counters_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_net_counters_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_network_config_SOURCES = tests/unit/test_network_config.c
tests_unit_test_network_config_CFLAGS = $(UNITCFLAGS)
tests_unit_test_network_config_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_network_config_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_network_plan_SOURCES = tests/unit/test_network_plan.c
tests_unit_test_network_plan_CFLAGS = $(UNITCFLAGS)
tests_unit_test_network_plan_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_network_plan_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_notify_SOURCES = tests/unit/test_notify.c
tests_unit_test_notify_CFLAGS = $(UNITCFLAGS)
tests_unit_test_notify_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_notify_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_oom_log_SOURCES = tests/unit/test_oom_log.c
tests_unit_test_oom_log_CFLAGS = $(UNITCFLAGS)
tests_unit_test_oom_log_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_oom_log_LDADD = $(LIBCGROUPS) $(CRITERION_LIBS)

tests_unit_test_oom_SOURCES = tests/unit/test_oom.c
tests_unit_test_oom_CFLAGS = $(UNITCFLAGS)
tests_unit_test_oom_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_oom_LDADD = $(LIBRUNTIME) $(CRITERION_LIBS)
tests_unit_test_pidfile_SOURCES = tests/unit/test_pidfile.c
tests_unit_test_pidfile_CFLAGS = $(UNITCFLAGS)
tests_unit_test_pidfile_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_pidfile_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_cni_SOURCES = tests/unit/test_cni.c
tests_unit_test_cni_CFLAGS = $(UNITCFLAGS)
tests_unit_test_cni_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_cni_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_conntrack_SOURCES = tests/unit/test_conntrack.c
tests_unit_test_conntrack_CFLAGS = $(UNITCFLAGS)
tests_unit_test_conntrack_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_conntrack_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_port_SOURCES = tests/unit/test_port.c
tests_unit_test_port_CFLAGS = $(UNITCFLAGS)
tests_unit_test_port_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_port_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
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
tests_unit_test_keys_SOURCES = tests/unit/test_keys.c
tests_unit_test_keys_CFLAGS = $(UNITCFLAGS)
tests_unit_test_keys_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_keys_LDADD = $(LIBBASE) $(CRITERION_LIBS)
tests_unit_test_relay_SOURCES = tests/unit/test_relay.c
tests_unit_test_relay_CFLAGS = $(UNITCFLAGS)
tests_unit_test_relay_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_relay_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_resolv_SOURCES = tests/unit/test_resolv.c
tests_unit_test_resolv_CFLAGS = $(UNITCFLAGS)
tests_unit_test_resolv_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_resolv_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_rootfd_SOURCES = tests/unit/test_rootfd.c
tests_unit_test_rootfd_CFLAGS = $(UNITCFLAGS)
tests_unit_test_rootfd_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_rootfd_LDADD = $(LIBMOUNTS) $(CRITERION_LIBS)
tests_unit_test_scratch_SOURCES = tests/unit/test_scratch.c
tests_unit_test_scratch_CFLAGS = $(UNITCFLAGS)
tests_unit_test_scratch_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_scratch_LDADD = $(LIBBASE) $(CRITERION_LIBS)
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
tests_unit_test_powers_SOURCES = tests/unit/test_powers.c
tests_unit_test_powers_CFLAGS = $(UNITCFLAGS)
tests_unit_test_powers_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_powers_LDADD = $(LIBBASE) $(CRITERION_LIBS)
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
tests_unit_test_subnet_SOURCES = tests/unit/test_subnet.c
tests_unit_test_subnet_CFLAGS = $(UNITCFLAGS)
tests_unit_test_subnet_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_subnet_LDADD = $(LIBNETWORK) $(CRITERION_LIBS)
tests_unit_test_sysctl_SOURCES = tests/unit/test_sysctl.c
tests_unit_test_sysctl_CFLAGS = $(UNITCFLAGS)
tests_unit_test_sysctl_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_sysctl_LDADD = $(LIBNAMESPACES) $(CRITERION_LIBS)
tests_unit_test_terminal_SOURCES = tests/unit/test_terminal.c
tests_unit_test_terminal_CFLAGS = $(UNITCFLAGS)
tests_unit_test_terminal_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_terminal_LDADD = $(LIBPROCESS) $(CRITERION_LIBS)
tests_unit_test_vm_fs_SOURCES = tests/unit/test_vm_fs.c
tests_unit_test_vm_fs_CFLAGS = $(UNITCFLAGS)
tests_unit_test_vm_fs_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_vm_fs_LDADD = $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_vm_fs_dir_SOURCES = tests/unit/test_vm_fs_dir.c
tests_unit_test_vm_fs_dir_CFLAGS = $(UNITCFLAGS)
tests_unit_test_vm_fs_dir_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_vm_fs_dir_LDADD = $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_vm_fs_io_SOURCES = tests/unit/test_vm_fs_io.c
tests_unit_test_vm_fs_io_CFLAGS = $(UNITCFLAGS)
tests_unit_test_vm_fs_io_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_vm_fs_io_LDADD = $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_vm_fs_lock_SOURCES = tests/unit/test_vm_fs_lock.c
tests_unit_test_vm_fs_lock_CFLAGS = $(UNITCFLAGS)
tests_unit_test_vm_fs_lock_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_vm_fs_lock_LDADD = $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_vm_fs_save_SOURCES = tests/unit/test_vm_fs_save.c
tests_unit_test_vm_fs_save_CFLAGS = $(UNITCFLAGS)
tests_unit_test_vm_fs_save_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_vm_fs_save_LDADD = $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_vm_fs_tree_SOURCES = tests/unit/test_vm_fs_tree.c
tests_unit_test_vm_fs_tree_CFLAGS = $(UNITCFLAGS)
tests_unit_test_vm_fs_tree_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_vm_fs_tree_LDADD = $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_vm_fs_xattr_SOURCES = tests/unit/test_vm_fs_xattr.c
tests_unit_test_vm_fs_xattr_CFLAGS = $(UNITCFLAGS)
tests_unit_test_vm_fs_xattr_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_vm_fs_xattr_LDADD = $(LIBVMFS) $(CRITERION_LIBS)
tests_unit_test_unpack_entry_SOURCES = tests/unit/test_unpack_entry.c
tests_unit_test_unpack_entry_CFLAGS = $(UNITCFLAGS)
tests_unit_test_unpack_entry_LDFLAGS = $(UNITLDFLAGS)
tests_unit_test_unpack_entry_LDADD = $(LIBEXTRACT) $(CRITERION_LIBS)

unit-tests: $(UNIT_TESTS)

EXTRA_DIST += tests/coverage/counters.c tests/coverage/counters.ld tests/coverage/report tests/coverage/run
include tests/tools/local.mk

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_boot
tests_fuzz_fuzz_boot_SOURCES = tests/fuzz/fuzz_boot.c
tests_fuzz_fuzz_boot_LDADD = $(LIBMICROVM) -lzstd
tests_fuzz_fuzz_boot_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_messages
tests_fuzz_fuzz_messages_SOURCES = tests/fuzz/fuzz_messages.c
tests_fuzz_fuzz_messages_LDADD = image/fetch/libfetch.a image/libunpack.a $(LIBMICROVM)
tests_fuzz_fuzz_messages_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_netlink
tests_fuzz_fuzz_netlink_SOURCES = tests/fuzz/fuzz_netlink.c
tests_fuzz_fuzz_netlink_LDADD = $(LIBNETWORK)
tests_fuzz_fuzz_netlink_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_network_records
tests_fuzz_fuzz_network_records_SOURCES = tests/fuzz/fuzz_network_records.c
tests_fuzz_fuzz_network_records_LDADD = $(LIBNETWORK)
tests_fuzz_fuzz_network_records_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_records
tests_fuzz_fuzz_records_SOURCES = tests/fuzz/fuzz_records.c
tests_fuzz_fuzz_records_LDADD = $(LIBENGINE)
tests_fuzz_fuzz_records_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_state
tests_fuzz_fuzz_state_SOURCES = tests/fuzz/fuzz_state.c
tests_fuzz_fuzz_state_LDADD = $(LIBRUNTIME)
tests_fuzz_fuzz_state_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_words
tests_fuzz_fuzz_words_SOURCES = tests/fuzz/fuzz_words.c
tests_fuzz_fuzz_words_LDADD = $(LIBCLI) image/unpack/libextract.a $(LIBBASE)
tests_fuzz_fuzz_words_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_cni
tests_fuzz_fuzz_cni_SOURCES = tests/fuzz/fuzz_cni.c
tests_fuzz_fuzz_cni_LDADD = $(LIBNETWORK)
tests_fuzz_fuzz_cni_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_denials
tests_fuzz_fuzz_denials_SOURCES = tests/fuzz/fuzz_denials.c
tests_fuzz_fuzz_denials_LDADD = $(LIBSECURITY)
tests_fuzz_fuzz_denials_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_oom_log
tests_fuzz_fuzz_oom_log_SOURCES = tests/fuzz/fuzz_oom_log.c
tests_fuzz_fuzz_oom_log_LDADD = $(LIBCGROUPS)
tests_fuzz_fuzz_oom_log_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_dns
tests_fuzz_fuzz_dns_SOURCES = tests/fuzz/fuzz_dns.c
tests_fuzz_fuzz_dns_LDADD = $(LIBNETWORK)
tests_fuzz_fuzz_dns_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_leases
tests_fuzz_fuzz_leases_SOURCES = tests/fuzz/fuzz_leases.c
tests_fuzz_fuzz_leases_LDADD = $(LIBNETWORK)
tests_fuzz_fuzz_leases_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_port
tests_fuzz_fuzz_port_SOURCES = tests/fuzz/fuzz_port.c
tests_fuzz_fuzz_port_LDADD = $(LIBNETWORK)
tests_fuzz_fuzz_port_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_resolv
tests_fuzz_fuzz_resolv_SOURCES = tests/fuzz/fuzz_resolv.c
tests_fuzz_fuzz_resolv_LDADD = $(LIBNETWORK)
tests_fuzz_fuzz_resolv_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_subnet
tests_fuzz_fuzz_subnet_SOURCES = tests/fuzz/fuzz_subnet.c
tests_fuzz_fuzz_subnet_LDADD = $(LIBNETWORK)
tests_fuzz_fuzz_subnet_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_virtio tests/fuzz/fuzz_frame
tests_fuzz_fuzz_virtio_SOURCES = tests/fuzz/fuzz_virtio.c
tests_fuzz_fuzz_virtio_LDADD = $(LIBMICROVM)
tests_fuzz_fuzz_virtio_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c
tests_fuzz_fuzz_frame_LDADD = $(LIBMICROVM)
tests_fuzz_fuzz_frame_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_saved
tests_fuzz_fuzz_saved_SOURCES = tests/fuzz/fuzz_saved.c
tests_fuzz_fuzz_saved_LDADD = $(LIBMICROVM) $(LIBVMFS)
tests_fuzz_fuzz_saved_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_process_list
tests_fuzz_fuzz_process_list_SOURCES = tests/fuzz/fuzz_process_list.c
tests_fuzz_fuzz_process_list_LDADD = $(LIBMICROVM)
tests_fuzz_fuzz_process_list_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_spec
tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c
tests_fuzz_fuzz_spec_LDADD = $(LIBSPEC)
tests_fuzz_fuzz_spec_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_unit_value
tests_fuzz_fuzz_unit_value_SOURCES = tests/fuzz/fuzz_unit_value.c
tests_fuzz_fuzz_unit_value_LDADD = $(LIBCGROUPS)
tests_fuzz_fuzz_unit_value_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_stats
tests_fuzz_fuzz_stats_SOURCES = tests/fuzz/fuzz_stats.c
tests_fuzz_fuzz_stats_LDADD = $(LIBCLI)
tests_fuzz_fuzz_stats_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_image_documents
tests_fuzz_fuzz_image_documents_SOURCES = tests/fuzz/fuzz_image_documents.c
tests_fuzz_fuzz_image_documents_LDADD = $(LIBIMAGE)
tests_fuzz_fuzz_image_documents_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_image_passwd
tests_fuzz_fuzz_image_passwd_SOURCES = tests/fuzz/fuzz_image_passwd.c
tests_fuzz_fuzz_image_passwd_LDADD = $(LIBIMAGE)
tests_fuzz_fuzz_image_passwd_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_image_settings
tests_fuzz_fuzz_image_settings_SOURCES = tests/fuzz/fuzz_image_settings.c
tests_fuzz_fuzz_image_settings_LDADD = $(LIBIMAGE)
tests_fuzz_fuzz_image_settings_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_image_reference
tests_fuzz_fuzz_image_reference_SOURCES = tests/fuzz/fuzz_image_reference.c
tests_fuzz_fuzz_image_reference_LDADD = $(LIBIMAGE)
tests_fuzz_fuzz_image_reference_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_challenge
tests_fuzz_fuzz_challenge_SOURCES = tests/fuzz/fuzz_challenge.c
tests_fuzz_fuzz_challenge_LDADD = image/fetch/libfetch.a $(LIBIMAGE)
tests_fuzz_fuzz_challenge_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_fs
tests_fuzz_fuzz_fs_SOURCES = tests/fuzz/fuzz_fs.c
tests_fuzz_fuzz_fs_LDADD = $(LIBVMFS)
tests_fuzz_fuzz_fs_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_unpack
tests_fuzz_fuzz_unpack_SOURCES = tests/fuzz/fuzz_unpack.c
tests_fuzz_fuzz_unpack_LDADD = $(LIBEXTRACT)
tests_fuzz_fuzz_unpack_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif

EXTRA_DIST += tests/run tests/installed tests/analyze tests/demo tests/soak tests/fuzz tests/checks tests/conformance tests/data \
	tests/differential tests/integration tests/vm tests/unit/test_child.h tests/unit/test_cli.h \
	tests/unit/test_dir.h tests/unit/test_image_make.h tests/unit/test_spec_data.h tests/unit/test_vm_fs.h
.PHONY: unit-tests
