#!/usr/bin/env bats
# as: root, user
#
# Options of `hull run` that give a container something, and what is said to those that cannot.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
}

teardown() {
	teardown_people
}

# refused TEXT OPTION...: a run with them fails with that sentence, and makes nothing.
refused() {
	local text=$1
	shift
	run_ 125 --name refused "$@" "$IMAGE" true
	stderr_is "hull: $text"
	do_ 0 ps --all --quiet
	stdout_is ""
}

@test "--device: a device of the host's, under its name or another" {
	run_ 0 --rm --device /dev/full "$IMAGE" sh -c 'test -c /dev/full && ! echo x >/dev/full'
	if is_root; then
		run_ 0 --rm --device /dev/null:/dev/thing:rw "$IMAGE" sh -c 'test -c /dev/thing && echo x >/dev/thing'
	else
		refused "--device /dev/null: without root a device keeps its name in the container" --device /dev/null:/dev/thing
	fi
	refused "--device /etc/passwd: it is no device" --device /etc/passwd
	refused "--device /nowhere: no such file or directory" --device /nowhere
}

@test "--ulimit and --group-add are there in the container" {
	run_ 0 --rm --ulimit nofile=99:99 "$IMAGE" sh -c 'ulimit -n'
	stdout_is 99
	is_root || skip "of groups, the user of a namespace of one id has none"
	run_ 0 --rm --group-add 4242 --group-add 4243 "$IMAGE" sh -c 'grep Groups /proc/self/status'
	stdout_has "4242 4243"
	refused 'group "nobody-has-this" is not in the image'"'"'s /etc/group' --group-add nobody-has-this
}

@test "namespaces of others: host's, a container's, one by its path" {
	is_root || skip "without root, a container's namespaces are those of a user namespace of its own"
	run_ 0 --detach --name other "$IMAGE" sleep 1000
	do_ 0 inspect other
	pid=$(jq '.[0].State.Pid' <<<"$stdout")
	run_ 0 --rm --uts container:other "$IMAGE" readlink /proc/self/ns/uts
	stdout_is "$(readlink "/proc/$pid/ns/uts")"
	run_ 0 --rm --ipc "ns:/proc/$pid/ns/ipc" "$IMAGE" readlink /proc/self/ns/ipc
	stdout_is "$(readlink "/proc/$pid/ns/ipc")"
	do_ 0 rm --force other
	run_ 0 --name ended "$IMAGE" true
	run_ 125 --uts container:ended "$IMAGE" true
	stderr_is "hull: --uts container:ended: that container does not run"
	run_ 125 --uts container:nobody "$IMAGE" true
	stderr_is "hull: no such container: nobody"
}

@test "namespaces of another container, with a root and without" {
	run_ 0 --detach --name other "$IMAGE" sleep 1000
	do_ 0 inspect other
	pid=$(jq '.[0].State.Pid' <<<"$stdout")
	for name in uts ipc pid; do
		run_ 0 --rm "--$name" container:other "$IMAGE" readlink "/proc/self/ns/$name"
		stdout_is "$(readlink "/proc/$pid/ns/$name")"
	done
	run_ 0 --rm --uts container:other --ipc container:other "$IMAGE" sh -c 'touch /file; readlink /proc/self/ns/uts; readlink /proc/self/ns/ipc'
	stdout_is "$(readlink "/proc/$pid/ns/uts" "/proc/$pid/ns/ipc")"
	do_ 0 run --rm --network container:other "$IMAGE" readlink /proc/self/ns/net
	stdout_is "$(readlink "/proc/$pid/ns/net")"
	run_ 0 --detach --name more "$IMAGE" sleep 1000
	if is_root; then
		run_ 0 --rm --uts container:other --ipc container:more "$IMAGE" true
	else
		run_ 125 --rm --ipc container:other --uts container:more "$IMAGE" true
		stderr_is "hull: --uts container:more: without root, namespaces are those of one container only"
	fi
	do_ 0 rm --force other more
}

@test "a container that is started again is in the namespaces that the other one has by then" {
	run_ 0 --detach --name other "$IMAGE" sleep 1000
	run_ 0 --name user --uts container:other --ipc container:other "$IMAGE" sh -c 'readlink /proc/self/ns/uts; readlink /proc/self/ns/ipc'
	do_ 0 restart --time 0 other
	do_ 0 rename other another
	do_ 0 inspect another
	pid=$(jq '.[0].State.Pid' <<<"$stdout")
	do_ 0 start --attach user
	stdout_is "$(readlink "/proc/$pid/ns/uts" "/proc/$pid/ns/ipc")"
	do_ 0 stop --time 0 another
	do_ 1 start user
	stderr_is "hull: its ipc namespace is that of container another, which does not run"
	do_ 0 inspect another
	id=$(jq --raw-output '.[0].Id' <<<"$stdout")
	do_ 0 rm another
	do_ 1 start user
	stderr_is "hull: its ipc namespace was to be that of container ${id:0:12}, which is no more"
}

@test "what an option cannot be is said, and nothing is made" {
	refused '--pid "elsewhere": expected private, host, container:NAME or ns:PATH' --pid elsewhere
	refused "--cgroupns: private or host" --cgroupns ns:/proc/self/ns/cgroup
	refused '--log-driver "syslog": expected json-file, journald or none' --log-driver syslog
	refused "--log-driver journald: what a container in the foreground writes goes to who started it, and to no log: use --detach" --log-driver journald
	refused "--log-opt max-size=1m: what a container in the foreground writes goes to who started it, and to no log: use --detach" --log-opt max-size=1m
	refused "--restart: a container with --rm is not started again" --restart always --rm --detach
	refused "--restart: only with --detach is there somebody to do it" --restart always
	refused "--pid-file: only with --bundle" --pid-file "$WORK/pid"
	refused "--pidfd-socket: only with --bundle" --pidfd-socket "$WORK/socket"
	refused "--preserve-fds: only with --bundle" --preserve-fds 1
	refused "--keep: only with --bundle" --keep
	refused "--env-file: open nowhere: no such file or directory" --env-file nowhere
}

@test "run --bundle refuses what is only for an image, and knows what is for both" {
	make_bundle
	config_args true
	for option in --env=A=b --memory=64m --rm --name=x --tls-verify=false --health-interval=1s --stop-timeout=0 \
		--oom-score-adj=0 --interactive --cidfile=x; do
		name=${option%%=*}
		expect 1 run --bundle "$BUNDLE" "$option" "$ID"
		stderr_is "hull: $name: only for a container of an image; with --bundle it is config.json that says what is made"
	done
	expect 0 run --bundle "$BUNDLE" --no-subreaper --isolation process "$ID"
}
