#!/usr/bin/env bats
# as: root, user
# Hooks: six kinds, their order, input and environment, and what failures do.
# shellcheck disable=SC2154,SC2016
load helpers

# hook KIND SCRIPT: a filter that adds a hook which runs the script on the host
# or, for those within, in the container.
hook() {
	jq -nr --arg kind "$1" --arg script "$2" \
		'".hooks[\($kind | tojson)] += [{path: \"/bin/sh\", args: [\"hook\", \"-c\", \($script | tojson)], env: [\"PATH=/usr/bin:/bin\"]}]"'
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
	jq -e --arg id "$ID" '.id == $id' "$BUNDLE/rootfs/start.state"
}

@test "a hook that fails: the words, what it said, and nothing is left" {
	for kind in prestart createRuntime createContainer; do
		make_bundle $kind "$(hook $kind 'echo out; echo oops >&2; exit 3')" \
			"$(hook poststop "echo $kind >>$WORK/stopped")"
		expect 1 run --bundle "$BUNDLE" "$ID"
		stderr_is $'hull: hooks.'$kind$'[0]: /bin/sh ended with exit status 3, it said: out\noops'
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
		\"sh\", \"-c\", \"tr '\\\\0' '\\\\n' </proc/\$\$/environ >$WORK/env; pwd >$WORK/pwd; ls /proc/\$\$/fd >$WORK/fds\"],
		env: [\"A=b\", \"PATH=/usr/bin:/bin\"]}]"
	SECRET=x expect 0 run --bundle "$BUNDLE" "$ID"
	[ "$(sort env)" = $'A=b\nPATH=/usr/bin:/bin' ]
	[ "$(<pwd)" = / ]
	[ "$(tr '\n' ' ' <fds)" = "0 1 2 " ]
}

