#!/usr/bin/env bats
# as: root
# vm: root
# sanitizers: thorough
#
# process.apparmorProfile where the kernel enforces profiles: whom it confines, and what is known of
# what it denied. (security/lsm.h, security/denials.h)
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers
load ../tools/tools

setup() {
	setup_people
	loaded=()
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] || skip "needs AppArmor in the kernel"
	[ -e /sys/kernel/security/apparmor/profiles ] || skip "needs securityfs"
	requires program=apparmor_parser
	PROFILE=hull-default-$TAG
	load_profile "$PROFILE" 'audit deny /forbidden/** wl, audit deny /new/ w,'
}

teardown() {
	local profile
	teardown_people
	for profile in "${loaded[@]}"; do
		printf %s "$profile" >/sys/kernel/security/apparmor/.remove
	done
}

# load_profile NAME RULES: all is allowed but for what the rules deny.
load_profile() {
	apparmor_parser --skip-cache --replace <<-END
		profile $1 flags=(attach_disconnected,mediate_deleted) {
			file, capability, network, mount, umount, pivot_root, signal, ptrace, unix, dbus,
			$2
		}
	END
	loaded+=("$1")
}

@test "the profile confines the container's program, exec's, and what they execute" {
	load_profile "$PROFILE-exec" ''
	make_bundle bundle ".process.apparmorProfile = \"$PROFILE\"" \
		'.process.args = ["sh", "-c", "cat /proc/self/attr/current; exec sleep 1000"]'
	expect 0 create --bundle "$BUNDLE" "$ID"
	created=$stdout_file
	pid=$(state_of "$ID" .pid)
	expect 0 start "$ID"
	wait_for 20 grep -q enforce "$created"
	[ "$(cat "$created")" = "$PROFILE (enforce)" ] || mismatch "its label" "$PROFILE (enforce)" "$(cat "$created")"
	[ "$(cat "/proc/$pid/attr/current")" = "$PROFILE (enforce)" ]
	# exec's is the container's, if it names none.
	expect 0 exec "$ID" cat /proc/self/attr/current
	stdout_is "$PROFILE (enforce)"
	expect 0 exec --apparmor "$PROFILE-exec" "$ID" cat /proc/self/attr/current
	stdout_is "$PROFILE-exec (enforce)"
	jq ".process | .apparmorProfile = \"$PROFILE-exec\" | .args = [\"cat\", \"/proc/self/attr/current\"]" \
		"$BUNDLE/config.json" >process.json
	expect 0 exec --process process.json "$ID"
	stdout_is "$PROFILE-exec (enforce)"
	expect 0 delete --force "$ID"
}

@test "the profile denies what it says, to both" {
	make_bundle bundle ".process.apparmorProfile = \"$PROFILE\"" '.root.readonly = false' \
		'.process.args = ["sh", "-c", "mkdir /new; mkdir /other && sleep 1000"]'
	mkdir "$BUNDLE/rootfs/forbidden"
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	wait_for 20 test -d "$BUNDLE/rootfs/other"
	[ ! -e "$BUNDLE/rootfs/new" ]
	expect 1 exec "$ID" mkdir /forbidden/one
	stderr_has "Permission denied"
	[ ! -e "$BUNDLE/rootfs/forbidden/one" ]
	expect 0 delete --force "$ID"
}

@test "a profile that is not loaded is an error, and nothing is left" {
	make_bundle bundle ".process.apparmorProfile = \"no-such-$TAG\""
	run_hull run --bundle "$BUNDLE" "$ID"
	[ "$status" != 0 ] || mismatch status "that of a failure" "$status"
	stderr_has "apply AppArmor profile \"no-such-$TAG\": it is not loaded"
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 1 start "$ID"
	stderr_has "apply AppArmor profile \"no-such-$TAG\": it is not loaded"
	expect 0 delete --force "$ID"
	config '.process.apparmorProfile = "unconfined" | .process.args = ["sleep", "1000"]'
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	run_hull exec --apparmor "no-such-$TAG" "$ID" true
	[ "$status" != 0 ]
	stderr_has "apply AppArmor profile \"no-such-$TAG\": it is not loaded"
	expect 0 delete --force "$ID"
}

@test "hull why names what the profile denied" {
	run_ 1 --name refused --security-opt "apparmor=$PROFILE" "$IMAGE" mkdir /new
	stderr_has "Permission denied"
	do_ 0 why refused
	[ "${lines[0]}" = "refused (exited): its program ended by itself, with status 1" ]
	stdout_has "    AppArmor denied it mkdir of /new/ (profile $PROFILE)"
	do_ 0 why --format json refused
	jq --exit-status --arg said "AppArmor denied it mkdir of /new/ (profile $PROFILE)" \
		'.denied == $said and .exitCode == 1' <<<"$stdout"
	# What was allowed is not told, nor what another container was denied.
	run_ 3 --name allowed --security-opt "apparmor=$PROFILE" "$IMAGE" sh -c 'mkdir /other && exit 3'
	do_ 0 why allowed
	[[ $stdout != *AppArmor* ]] || mismatch "hull why" "no denial" "$stdout"
}

@test "a /proc that is exchanged gets no label in the process's place" {
	make_bundle bundle ".process.apparmorProfile = \"$PROFILE\"" '.root.readonly = false' \
		'.mounts += [{destination: "/real", type: "proc", source: "proc"}]' \
		'.process.args = ["cat", "/real/self/attr/current"]'
	mkdir -p "$BUNDLE"/rootfs/{real,fake/self/attr/apparmor,fake/thread-self/attr/apparmor}
	tool swap
	in_background "$tool" "$BUNDLE/rootfs/proc" "$BUNDLE/rootfs/fake"
	started=0
	for ((i = 0; i < 10; i++)); do
		run_hull run --bundle "$BUNDLE" "$ID"
		if [ "$status" = 0 ]; then
			stdout_is "$PROFILE (enforce)"
			started=$((started + 1))
		else
			stderr_has "hull: "
		fi
	done
	[ "$started" -gt 0 ] || mismatch "containers that started" "some of 10" "none: $stderr"
}
