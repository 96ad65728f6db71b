#!/usr/bin/env bats
# as: root, user
# Hooks: six kinds, their order, input and environment, and what failures do.
# shellcheck disable=SC2154,SC2016
load helpers

# hook KIND SCRIPT: a filter that adds a hook which runs the script on the host
# or, for those within, in the container.
hook() {
	jq -nr --arg kind "$1" --arg script "$2" \
		'".hooks[\($kind | tojson)] += [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \($script | tojson)], env: [\"PATH=/usr/bin:/bin\"]}]"'
}

@test "several of a kind, in the order of the list" {
	make_bundle bundle "$(hook prestart "echo 1 >>$WORK/o")" "$(hook prestart "echo 2 >>$WORK/o")" \
		"$(hook prestart "echo 3 >>$WORK/o")"
	expect 0 run --bundle "$BUNDLE" "$ID"
	[ "$(<o)" = $'1\n2\n3' ]
}

@test "without args the path is the name; args[0] is given otherwise" {
	printf '#!/bin/sh\necho "$0 $#" >%s/name\n' "$WORK" >prog
	chmod 755 prog
	make_bundle bundle ".hooks.prestart = [{path: \"$WORK/prog\"}]"
	expect 0 run --bundle "$BUNDLE" "$ID"
	[ "$(<name)" = "$WORK/prog 0" ]
	config ".hooks.prestart[0].args = [\"x\", \"1\", \"2\"]"
	expect 0 run --bundle "$BUNDLE" "$ID"
	[ "$(<name)" = "$WORK/prog 2" ]
}

@test "poststart that fails stops the container" {
	make_bundle bundle "$(hook poststart 'exit 5')" '.process.args = ["sleep", "100"]'
	expect 1 run -d --bundle "$BUNDLE" "$ID"
	stderr_is 'hull: hooks.poststart[0]: /bin/sh ended with exit status 5'
	assert_nothing_left
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 1 start "$ID"
	wait_state "$ID" stopped
	expect 0 delete "$ID"
}

@test "poststop that fails is a warning, the next ones run" {
	make_bundle bundle "$(hook poststop 'exit 6')" "$(hook poststop "echo two >$WORK/two")"
	expect 0 run --bundle "$BUNDLE" "$ID"
	stderr_has 'hooks.poststop[0]: /bin/sh ended with exit status 6'
	[ "$(<two)" = two ]
	assert_nothing_left
}

@test "a timeout ends the hook" {
	make_bundle bundle '.hooks.prestart = [{path: "/bin/sleep", args: ["sleep", "30"], timeout: 1}]'
	before=$SECONDS
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_is "hull: hooks.prestart[0]: /bin/sleep did not end within 1 s and was killed"
	[ $((SECONDS - before)) -lt $((10 * HULL_TEST_SLOW)) ]
	assert_nothing_left
}

@test "a timeout of more seconds than 32 bits hold does not end the hook" {
	make_bundle bundle '.hooks.prestart = [{path: "/bin/sleep", args: ["sleep", "2"], timeout: 4294967297}]'
	expect 0 run --bundle "$BUNDLE" "$ID"
	stderr_is ""
}

@test "a hook that is killed, that is missing, that reads nothing" {
	make_bundle bundle "$(hook prestart 'kill -9 $$')"
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_is "hull: hooks.prestart[0]: /bin/sh was killed by signal 9"
	config '.hooks.prestart = [{path: "/nothing"}]'
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_is "hull: hooks.prestart[0]: execute /nothing: no such file or directory"
	config '.hooks.prestart = [{path: "/bin/true"}] | .annotations = ([range(3000) | {key: "k\(.)", value: ("v" * 50)}] | from_entries)'
	expect 0 run --bundle "$BUNDLE" "$ID"
}

@test "prestart sees the container's namespaces, createContainer is in them" {
	# Without root, the kernel closes the namespaces of a process that changed its user (ptrace(2)).
	look='readlink /proc/$pid/ns/net'
	is_root || look='ls -d /proc/$pid'
	make_bundle bundle "$(hook prestart "sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' | { read pid; $look; } >$WORK/pre")" \
		"$(hook createContainer "readlink /proc/self/ns/uts >$WORK/in")"
	config_args readlink /proc/self/ns/uts
	expect 0 run --bundle "$BUNDLE" "$ID"
	stdout_is "$(<in)"
	if is_root; then
		[[ $(<pre) == net:* ]]
		[ "$(<pre)" != "$(readlink /proc/self/ns/net)" ]
	else
		[[ $(<pre) == /proc/[0-9]* ]]
	fi
}

@test "all six kinds, in order" {
	filters=()
	for kind in prestart createRuntime createContainer poststart poststop; do
		filters+=("$(hook $kind "echo $kind >>$WORK/order; cat >$WORK/$kind.state")")
	done
	# startContainer is within the container.
	make_bundle bundle '.root.readonly = false' "${filters[@]}" \
		"$(hook startContainer "echo startContainer >>/order; cat >/start.state")"
	: >"$BUNDLE/rootfs/order"
	config_args sh -c 'echo program >>/order'
	expect 0 create --bundle "$BUNDLE" --pid-file pid "$ID"
	[ "$(<order)" = $'prestart\ncreateRuntime\ncreateContainer' ]
	[ ! -s "$BUNDLE/rootfs/order" ]
	expect 0 start "$ID"
	wait_state "$ID" stopped
	[ "$(<"$BUNDLE/rootfs/order")" = $'startContainer\nprogram' ]
	expect 0 delete "$ID"
	[ "$(<order)" = $'prestart\ncreateRuntime\ncreateContainer\npoststart\npoststop' ]
	for kind in prestart createRuntime; do
		jq -e --arg id "$ID" --arg bundle "$BUNDLE" --argjson pid "$(<pid)" '.id == $id and .pid == $pid and
			.bundle == $bundle and .ociVersion == "1.3.0" and (.status | IN("creating", "created"))' $kind.state
	done
	jq -e '.status == "running"' poststart.state
	jq -e '.status == "stopped"' poststop.state
	# Within the container's namespaces the pid is that which the container sees.
	jq -e '.status == "creating" and .pid == 1' createContainer.state
	jq -e --arg id "$ID" '.id == $id and .status == "created" and .pid == 1' "$BUNDLE/rootfs/start.state"
}

@test "each kind is a file of its own side, and in the namespaces of its own side" {
	# Of this name there is one file on the host, and another in the container.
	printf '#!/bin/sh\n%s\n' 'echo "host $(readlink /proc/self/ns/uts)" >$2/$1.side' >prog
	mkdir sides
	chmod 755 prog
	make_bundle bundle '.root.readonly = false' \
		'.hooks = ([["prestart", "createRuntime", "createContainer", "poststart", "poststop"][] |
			{key: ., value: [{path: "'"$WORK"'/prog", args: ["prog", ., "'"$WORK"'/sides"], env: ["PATH=/usr/bin:/bin"]}]}] |
			from_entries) + {startContainer: [{path: "'"$WORK"'/prog", args: ["prog", "startContainer"]}]}'
	mkdir -p "$BUNDLE/rootfs$WORK"
	printf '#!/bin/sh\n%s\n' 'echo "container $(readlink /proc/self/ns/uts)" >/$1.side' >"$BUNDLE/rootfs$WORK/prog"
	chmod 755 "$BUNDLE/rootfs$WORK/prog"
	config_args readlink /proc/self/ns/uts
	expect 0 run --bundle "$BUNDLE" "$ID"
	inside=$stdout
	[ "$inside" != "$(readlink /proc/self/ns/uts)" ]
	for kind in prestart createRuntime poststart poststop; do
		[ "$(<sides/$kind.side)" = "host $(readlink /proc/self/ns/uts)" ] ||
			mismatch "$kind" "of the host" "$(<sides/$kind.side)"
	done
	[ "$(<sides/createContainer.side)" = "host $inside" ]
	[ "$(<"$BUNDLE/rootfs/startContainer.side")" = "container $inside" ]
}

@test "poststop runs when nothing of the container is left" {
	make_bundle bundle "$(hook poststop "find /sys/fs/cgroup -name '$ID' >$WORK/cgroups")"
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	find /sys/fs/cgroup -name "$ID" >before
	expect 0 start "$ID"
	[ ! -e cgroups ]
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	[ ! -e cgroups ]
	expect 0 delete "$ID"
	[ -e cgroups ]
	[ ! -s cgroups ] || mismatch "cgroups while poststop ran" "none of $(<before)" "$(<cgroups)"
}

@test "a hook that fails: the words, what it said, and nothing is left" {
	for kind in prestart createRuntime createContainer; do
		make_bundle $kind "$(hook $kind 'echo out; echo oops >&2; exit 3')" \
			"$(hook poststop "echo $kind >>$WORK/stopped")"
		expect 1 run --bundle "$BUNDLE" "$ID"
		stderr_is $'hull: hooks.'$kind$'[0]: /bin/sh ended with exit status 3, it said: out oops'
		expect 1 create --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID"
		[ ! -e "$WORK/pid" ]
		assert_nothing_left
	done
	[ "$(<stopped)" = $'prestart\nprestart\ncreateRuntime\ncreateRuntime\ncreateContainer\ncreateContainer' ]
}

@test "startContainer that fails fails start; the program does not run" {
	make_bundle bundle '.root.readonly = false' "$(hook startContainer 'echo oops >&2; exit 4')"
	config_args touch /ran
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 1 start "$ID"
	stderr_is 'hull: hooks.startContainer[0]: /bin/sh ended with exit status 4, it said: oops'
	wait_state "$ID" stopped
	[ ! -e "$BUNDLE/rootfs/ran" ]
	expect 0 delete "$ID"
}

@test "the environment is the hook's own, and nothing of ours" {
	make_bundle bundle ".hooks.createRuntime = [{path: \"/usr/bin/env\", args: [\"env\", \"-u\", \"NOTHING\",
		\"sh\", \"-c\", \"tr '\\\\0' '\\\\n' </proc/\$\$/environ >$WORK/env; pwd >$WORK/pwd\"],
		env: [\"A=b\", \"PATH=/usr/bin:/bin\"]}]" "$(hook createRuntime "exec >$WORK/fds; for fd in /proc/\$\$/fd/*; do [ ! -e \$fd ] || echo \${fd##*/}; done")"
	SECRET=x expect 0 run --bundle "$BUNDLE" "$ID"
	[ "$(sort env)" = $'A=b\nPATH=/usr/bin:/bin' ]
	[ "$(<pwd)" = / ]
	[ "$(tr "\n" " " <fds)" = "0 1 2 " ] || mismatch descriptors "0 1 2" "$(<fds)"
}
