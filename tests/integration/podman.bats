#!/usr/bin/env bats
# as: none, it is the VM that has Podman
# vm: user
# vm-long: root
#
# Podman with hull as its runtime (podman_helpers.bash).
# shellcheck disable=SC2154,SC2016,SC2317 # status, stdout and stderr are run_command's
load helpers

RUNTIMES=(hull-oci crun)
load podman_helpers

@test "podman: run, with limits, volumes, an init and a read-only root" {
	mkdir "$WORK/given"
	echo thing >"$WORK/given/file"
	step() {
		run_ 7 --name "$name" --rm --interactive --init --read-only --tmpfs /scratch:size=1m \
			--volume "$WORK/given:/given:ro" --volume /anonymous \
			--memory 64m --cpus 0.5 --pids-limit 33 --ulimit nofile=99:99 \
			--user 7:8 --cap-drop all --hostname box --env A=b --workdir /given "$IMAGE" sh -c '
			cat /proc/1/comm
			for file in memory.max cpu.max pids.max; do cat /sys/fs/cgroup/$file; done
			touch /new
			touch /given/new
			grep -o "^tmpfs /scratch .*size=1024k" /proc/mounts | cut -d " " -f 2
			read line
			echo "$line $(cat file) $(id -u):$(id -g) $(hostname) $A $PWD $(ulimit -n)"
			grep CapEff /proc/self/status
			exit 7' <<<typed
		stdout_is "podman-init
67108864
50000 100000
33
/scratch
typed thing 7:8 box b /given 99
CapEff:	0000000000000000"
		stderr_is "touch: /new: Read-only file system
touch: /given/new: Read-only file system"
		podman_ 1 container exists "$name"
	}
	both step
	wait_for 10 forgotten
}

@test "podman: run of what is no program" {
	step() {
		run_ 127 --rm "$IMAGE" no-such-program
		stderr_has "no-such-program"
	}
	both step
	wait_for 10 forgotten
}

# Ends with 9 when it is told to.
PROGRAM='trap "echo told" USR1; trap "echo bye; exit 9" TERM; echo up; echo wrong >&2
	while :; do sleep 1000 & wait; done'

@test "podman: a container's life" {
	local -A port_of pid
	local port cgroup

	start() {
		free_port
		port_of[$runtime]=$port
		podman_ 0 --runtime "$runtime" run --detach --name "$name" --publish "127.0.0.1:$port:80" \
			--log-driver k8s-file --health-cmd 'test -e /tmp/well' --health-interval disable \
			--hostname "$runtime" "$IMAGE" sh -c "httpd -p 80 -h /; $PROGRAM"
		stderr_is ""
	}
	both start
	podman_ 0 inspect --format '{{.State.Status}} {{.OCIRuntime}} {{.State.Pid}}' "${BOTH[@]}"
	[ "$(cut -d ' ' -f 1,2 <<<"$stdout")" = $'running hull-oci\nrunning crun' ]
	pid=([hull-oci]=$(awk 'NR == 1 { print $3 }' <<<"$stdout") [crun]=$(awk 'NR == 2 { print $3 }' <<<"$stdout"))

	# The default is systemd's cgroups: a scope for each.
	step() {
		cgroup=$(cgroup_of "${pid[$runtime]}")
		[[ $cgroup =~ /(machine|user).slice/libpod-[0-9a-f]{64}.scope(/container)?$ ]]
		wait_for 20 fetch "${port_of[$runtime]}" >"$WORK/fetched"
		[ "$(<"$WORK/fetched")" = "$runtime" ]
		exec_
		podman_ 0 update --memory 48m --cpus 0.25 --pids-limit 20 "$name"
		[ "$(limit "${pid[$runtime]}" memory.max)" = 50331648 ]
		[ "$(limit "${pid[$runtime]}" cpu.max)" = "25000 100000" ]
		[ "$(limit "${pid[$runtime]}" pids.max)" = 20 ]
		podman_ 0 top "$name" pid comm
		grep -qx '1 *sh' <<<"$stdout"
		grep -q ' sleep$' <<<"$stdout"
	}
	exec_() {
		podman_ 1 healthcheck run "$name"
		podman_ 5 exec --interactive --user 7:8 --workdir /tmp --env A=b "$name" \
			sh -c 'read line; echo "$line $(id -u):$(id -g) $PWD $A"; echo wrong >&2; exit 5' <<<typed
		stdout_is "typed 7:8 /tmp b"
		stderr_is wrong
		podman_ 126 exec "$name" /etc
		podman_ 0 exec --detach "$name" touch /tmp/well
		wait_for 10 test -e "/proc/${pid[$runtime]}/root/tmp/well"
		podman_ 0 healthcheck run "$name"
		in_podmans_terminal "$WORK/exec-$runtime" exec --interactive --tty "$name" sh -c 'tty; exit 6'
		[ "$status" = 6 ]
		[ "$(tr -d '\r' <"$WORK/exec-$runtime")" = /dev/pts/0 ]
	}
	both step

	podman_ 0 stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' "${BOTH[@]}"
	[ "$(sed 's/[^ ]* \/ //' <<<"$stdout" | sort --reverse)" = "$TAG-hull-oci 3 50.33MB"$'\n'"$TAG-crun 3 50.33MB" ]
	podman_ 0 pause "${BOTH[@]}"
	both_are paused
	frozen() { grep -qx 'frozen 1' "$(cgroup_of "${pid[$runtime]}")/cgroup.events"; }
	both frozen
	podman_ 0 unpause "${BOTH[@]}"
	both_are running
	podman_ 0 kill --signal USR1 "${BOTH[@]}"
	podman_ 0 stop --time 600 "${BOTH[@]}"
	podman_ 0 wait "${BOTH[@]}"
	stdout_is $'9\n9'
	podman_ 0 logs "${BOTH[@]}"
	# The first word of each line is the container's.
	[ "$(cut -d ' ' -f 2- <<<"$stdout" | sort | uniq --count | tr -s ' ')" = $' 2 bye\n 2 told\n 2 up' ] ||
		mismatch logs "up, told and bye of both" "$stdout"
	[ "$(cut -d ' ' -f 2- <<<"$stderr")" = $'wrong\nwrong' ]
	podman_ 0 rm "${BOTH[@]}"
	gone
}

# The infra container, which holds the namespaces, is the runtime's too.
@test "podman: a container in a pod" {
	local port
	step() {
		free_port
		podman_ 0 --runtime "$runtime" pod create --name "$name-pod" --publish "127.0.0.1:$port:80" \
			--infra-image "$IMAGE" --infra-command "sleep 1000" --hostname "$runtime"
		podman_ 0 --runtime "$runtime" run --detach --pod "$name-pod" "$IMAGE" httpd -f -p 80 -h /
		wait_for 20 fetch "$port" >"$WORK/fetched"
		[ "$(<"$WORK/fetched")" = "$runtime" ]
	}
	both step
	podman_ 0 ps --format '{{.PodName}} {{.State}}'
	[ "$(sort <<<"$stdout" | uniq --count | tr -s ' ')" = " 2 $TAG-crun-pod running
 2 $TAG-hull-oci-pod running" ] || mismatch "the pods' containers" "two of each, running" "$stdout"
	podman_ 0 pod rm --force --time 0 "$TAG-hull-oci-pod" "$TAG-crun-pod"
	gone
}

@test "podman: a user namespace, and a terminal" {
	mkdir "$WORK/shared"
	chmod 777 "$WORK/shared"
	step() {
		local mapping=(--userns keep-id) inside=1000 owner=$UID ranges=3
		if is_root; then
			mapping=(--uidmap 0:200000:65536 --gidmap 0:200000:65536) inside=0 owner=200000 ranges=1
		fi
		in_podmans_terminal "$WORK/$runtime" --runtime "$runtime" run --rm --interactive --tty \
			--network none "${mapping[@]}" --volume "$WORK/shared:/shared" "$IMAGE" sh -c '
			tty; id -u; stat -c %u /bin; echo new >/shared/$1; wc -l </proc/self/uid_map; exit 4' sh "$name"
		[ "$status" = 4 ]
		stdout=$(tr -d '\r' <"$WORK/$runtime")
		stdout_is "/dev/pts/0
$inside
0
$ranges"
		[ "$(stat -c %u "$WORK/shared/$name")" = "$owner" ]
	}
	both step
	wait_for 10 forgotten
}

@test "podman: the host's namespaces, privileged, without systemd's cgroups" {
	step() {
		podman_ 0 --runtime "$runtime" --cgroup-manager cgroupfs run --rm --privileged \
			--network host --pid host --ipc host --uts host "$IMAGE" sh -c '
			mount -t tmpfs none /tmp && for kind in net pid ipc uts; do readlink /proc/self/ns/$kind; done'
		stdout_is "$(for kind in net pid ipc uts; do readlink "/proc/self/ns/$kind"; done)"
	}
	both step
	wait_for 10 forgotten
}
