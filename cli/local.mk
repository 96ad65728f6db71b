noinst_LIBRARIES += cli/libcli.a
cli_libcli_a_SOURCES = \
	cli/cmd.h \
	cli/cmd_checkpoint.c \
	cli/cmd_commit.c \
	cli/cmd_complete.c \
	cli/cmd_containers.c \
	cli/cmd_cp.c \
	cli/cmd_create.c \
	cli/cmd_delete.c \
	cli/cmd_diff.c \
	cli/cmd_doctor.c \
	cli/cmd_events.c \
	cli/cmd_exec.c \
	cli/cmd_export.c \
	cli/cmd_features.c \
	cli/cmd_healthcheck.c \
	cli/cmd_help.c \
	cli/cmd_image.c \
	cli/cmd_images.c \
	cli/cmd_images_list.c \
	cli/cmd_info.c \
	cli/cmd_inspect.c \
	cli/cmd_kill.c \
	cli/cmd_list.c \
	cli/cmd_logs.c \
	cli/cmd_metrics.c \
	cli/cmd_network.c \
	cli/cmd_pause.c \
	cli/cmd_people_checkpoint.c \
	cli/cmd_people_events.c \
	cli/cmd_people_ps.c \
	cli/cmd_plan.c \
	cli/cmd_port.c \
	cli/cmd_profile.c \
	cli/cmd_ps.c \
	cli/cmd_run.c \
	cli/cmd_run_image.c \
	cli/cmd_spec.c \
	cli/cmd_start.c \
	cli/cmd_state.c \
	cli/cmd_stats.c \
	cli/cmd_update.c \
	cli/cmd_version.c \
	cli/cmd_volume.c \
	cli/cmd_why.c \
	cli/commands.c \
	cli/commands.h \
	cli/commands_people.c \
	cli/columns.c \
	cli/columns.h \
	cli/complete.c \
	cli/complete.h \
	cli/doctor_words.c \
	cli/doctor_words.h \
	cli/events_filter.c \
	cli/events_filter.h \
	cli/filters.c \
	cli/filters.h \
	cli/follow.c \
	cli/follow.h \
	cli/globals.c \
	cli/globals.h \
	cli/help.c \
	cli/help.h \
	cli/image_json.c \
	cli/image_json.h \
	cli/invocation.c \
	cli/invocation.h \
	cli/manual.c \
	cli/manual.h \
	cli/network_connect.c \
	cli/network_connect.h \
	cli/network_table.c \
	cli/network_table.h \
	cli/metrics.c \
	cli/metrics.h \
	cli/options.c \
	cli/options.h \
	cli/people.c \
	cli/people.h \
	cli/progress.c \
	cli/progress.h \
	cli/ps_entry.c \
	cli/ps_filter.c \
	cli/ps_filter.h \
	cli/ps_table.c \
	cli/ps_table.h \
	cli/show.c \
	cli/show.h \
	cli/signals.c \
	cli/signals.h \
	cli/stats_json.c \
	cli/stats_json.h \
	cli/stats_table.c \
	cli/template.c \
	cli/template.h \
	cli/template_functions.c \
	cli/template_private.h \
	cli/template_value.c \
	cli/stats_table.h \
	cli/values.c \
	cli/values.h \
	cli/version.h \
	cli/when.c \
	cli/when.h \
	cli/words.c \
	cli/words.h

# Writes the parts of the manual pages that follow from the tables.
noinst_PROGRAMS += cli/generate
cli_generate_SOURCES = cli/generate.c
cli_generate_LDADD = cli/libcli.a $(LIBENGINE)

# The names that people and engines see are links to the one binary.
install-exec-hook:
	cd $(DESTDIR)$(bindir) && for name in hull-oci hull-vm; do \
		rm -f $$name$(EXEEXT) && $(LN_S) hull$(EXEEXT) $$name$(EXEEXT); done
install-data-hook:
	cd $(DESTDIR)$(bashcompletiondir) && rm -f hull-oci && mv -f hull.bash hull && $(LN_S) hull hull-oci
	cd $(DESTDIR)$(fishcompletiondir) && rm -f hull-oci.fish && $(LN_S) hull.fish hull-oci.fish
uninstall-hook:
	cd $(DESTDIR)$(bindir) && rm -f hull-oci$(EXEEXT) hull-vm$(EXEEXT)
	cd $(DESTDIR)$(bashcompletiondir) && rm -f hull hull-oci
	cd $(DESTDIR)$(fishcompletiondir) && rm -f hull-oci.fish
