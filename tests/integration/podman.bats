#!/usr/bin/env bats
# as: none, it is the VM that has Podman
# vm: root, user
#
# Podman with hull as its runtime, and with crun beside it: every step is taken with both, and
# both have to give what is asked here. Podman knows of each container which runtime made it, so
# what is not about making one is a single command for both containers: under the VM's emulation
# each costs seconds.
# shellcheck disable=SC2154,SC2016,SC2317 # status, stdout and stderr are run_command's
load helpers

RUNTIMES=(hull-oci crun)

# What hull offers to Podman's users, with hull from here. Podman's own journals go to files:
# one of journald's that lives in memory is not a user's to read.
setup_file() {
	export PLACE SESSION=${XDG_RUNTIME_DIR:-}
	# Short: of the place for what is running Podman takes 50 characters.
	PLACE=$(mktemp --directory "${HULL_TEST_TMP:-/tmp}/p-XXXXXX")
	chmod 755 "$PLACE"
	ln -s "$HULL" "$PLACE/hull-oci"
	sed -e "s,@bindir@,$PLACE,g" -e '/^\[engine\]$/a events_logger = "file"' \
		"$SOURCE/contrib/containers.conf.in" >"$PLACE/containers.conf"
	# The first command of a user's Podman leaves a process to hold its namespaces: not a test's.
	podman_plain pull --quiet "oci:$HULL_IMAGE" >"$PLACE/image"
}

teardown_file() {
	podman_plain rm --all --force --time 0 >/dev/null || true
	if is_root; then
		umount "$PLACE/root/overlay" 2>/dev/null || true
		rm -rf "$PLACE"
	else
		podman_plain unshare rm -rf "$PLACE/root"
		podman_plain system migrate
		rm -rf "$PLACE"
	fi
}

setup() {
	requires program=podman program=crun systemd pure-v2
	setup_test
	IMAGE=$(<"$PLACE/image")
	BOTH=("$TAG-hull-oci" "$TAG-crun")
}

teardown() {
	if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -n "${WORK:-}" ]; then
		podman_plain pod rm --all --force --time 0 >/dev/null || true
		podman_plain rm --all --force --time 0 >/dev/null || true
	fi
	teardown_test
}

podman_plain() {
	podman_env podman --root "$PLACE/root" --runroot "$PLACE/run" "$@"
}

podman_env() {
	CONTAINERS_CONF_OVERRIDE=$PLACE/containers.conf XDG_RUNTIME_DIR=$SESSION "$@" 3>&- 4>&-
}

# podman_ STATUS WORD...: Podman, and its exit status.
podman_() {
	local want=$1
	shift
	run_command env CONTAINERS_CONF_OVERRIDE="$PLACE/containers.conf" XDG_RUNTIME_DIR="$SESSION" \
		podman --root "$PLACE/root" --runroot "$PLACE/run" "$@"
	[ "$status" = "$want" ] || mismatch "exit status of \`podman $*\`" "$want" "$status"
}

# both FUNCTION: with $runtime and $name of a container for each of the two.
both() {
	local runtime name
	for runtime in "${RUNTIMES[@]}"; do
		name=$TAG-$runtime
		"$@" # without ||, which would forgive what fails in there
	done
}

# run_ STATUS WORD...: a container of $runtime; image and program are among the words.
run_() {
	local want=$1
	shift
	podman_ "$want" --runtime "$runtime" run --network none "$@"
}

# in_podmans_terminal FILE WORD...
in_podmans_terminal() {
	local file=$1
	shift
	in_terminal "$file" env CONTAINERS_CONF_OVERRIDE="$PLACE/containers.conf" XDG_RUNTIME_DIR="$SESSION" \
		podman --root "$PLACE/root" --runroot "$PLACE/run" "$@"
}

both_are() {
	podman_ 0 inspect --format '{{.State.Status}}' "${BOTH[@]}"
	stdout_is "$1"$'\n'"$1"
}

# limit PID FILE: that of its cgroup, or of the one above, which is the unit's.
limit() {
	local cgroup value
	cgroup=$(cgroup_of "$1")
	value=$(<"$cgroup/$2")
	case $value in max*) value=$(<"${cgroup%/*}/$2") ;; esac
	echo "$value"
}

# gone: no container, and of those that were neither a cgroup nor what the runtime knew.
gone() {
	podman_ 0 ps --all --quiet
	stdout_is ""
	wait_for 10 forgotten
}

forgotten() {
	local state=/run/hull cgroups=(/sys/fs/cgroup -path '*/user.slice' -prune -o)
	is_root || state=$SESSION/hull cgroups=("/sys/fs/cgroup/user.slice/user-$UID.slice")
	[ -z "$(find "${cgroups[@]}" \( -name 'libpod-*' -o -name '*-libpod_pod_*' \) -print 2>/dev/null)" ] &&
		[ -z "$(find "$state" -maxdepth 1 -name '[0-9a-f]*' 2>/dev/null)" ]
}

fetch() {
	busybox wget -q -O - "http://127.0.0.1:$1/etc/hostname"
}

# free_port: one that nobody listens at, in $port.
free_port() {
	port=$((20000 + SRANDOM % 10000))
	while grep -q ":$(printf %04X "$port") " /proc/net/tcp; do
		port=$((port + 1))
	done
}

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

# counted FILE BEYOND: what counts into that file has come further.
counted() {
	count=$(cat "$1" 2>/dev/null) && [ "${count:-0}" -gt "$2" ]
}

@test "podman: checkpoint and restore, and of an archive" {
	local count
	requires root # Podman does it for nobody else
	criu check >/dev/null 2>&1 || skip "needs a CRIU that runs on this kernel"
	start() {
		mkdir "$WORK/$runtime"
		run_ 0 --detach --name "$name" --volume "$WORK/$runtime:/mnt" --memory 64m "$IMAGE" sh -c '
			echo kept >/tmp/file; i=0
			while :; do i=$((i + 1)); echo $i >/mnt/new; mv /mnt/new /mnt/count; sleep 0.1; done'
		wait_for 20 counted "$WORK/$runtime/count" 2
	}
	both start
	podman_ 0 container checkpoint "${BOTH[@]}"
	both_are exited
	go_on() {
		local before
		before=$(<"$WORK/$runtime/count")
		wait_for 20 counted "$WORK/$runtime/count" "$before"
	}
	podman_ 0 container restore "${BOTH[@]}"
	both_are running
	both go_on
	step() {
		podman_ 0 container checkpoint --export "$WORK/$runtime/archive" "$name"
		podman_ 0 rm "$name"
		podman_ 0 --runtime "$runtime" container restore --import "$WORK/$runtime/archive" --name "$name-new"
		go_on
		podman_ 0 exec "$name-new" sh -c 'cat /tmp/file /sys/fs/cgroup/memory.max'
		stdout_is $'kept\n67108864'
	}
	both step
	podman_ 0 rm --force --time 0 "$TAG-hull-oci-new" "$TAG-crun-new"
	gone
}

# Of the machine's own programs, in a root of their own.
systemd_root() {
	local directory
	mkdir -p "$1"/{usr,etc/systemd/system,var,tmp,run,proc,sys,dev,out}
	for directory in bin sbin lib lib64; do
		ln -s "usr/$directory" "$1/$directory"
	done
	echo root:x:0:0::/:/bin/sh >"$1/etc/passwd"
	echo root:x:0: >"$1/etc/group"
	: >"$1/etc/machine-id"
	cat >"$1/etc/systemd/system/one.service" <<-'END'
		[Unit]
		DefaultDependencies=no
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		MemoryMax=32M
		StandardOutput=file:/out/said
		ExecStart=/bin/sh -c 'cat /proc/1/comm /proc/self/cgroup; systemd-detect-virt; cat /sys/fs/cgroup/system.slice/one.service/memory.max; echo done'
	END
}

@test "podman: systemd in a container" {
	start() {
		systemd_root "$WORK/$runtime"
		run_ 0 --detach --name "$name" --systemd always --volume /usr:/usr:ro --rootfs "$WORK/$runtime" \
			/usr/lib/systemd/systemd --unit=one.service
	}
	both start
	said() {
		wait_for 60 grep -q "^done$" "$WORK/$runtime/out/said"
		stdout=$(<"$WORK/$runtime/out/said")
		stdout_is "systemd
0::/system.slice/one.service
podman
33554432
done"
		podman_ 0 exec "$name" systemctl is-active one.service
	}
	both said
	podman_ 0 stop --time 600 "${BOTH[@]}" # by its own signal, of which it ends well
	podman_ 0 wait "${BOTH[@]}"
	stdout_is $'0\n0'
	podman_ 0 rm "${BOTH[@]}"
	gone
}

@test "podman: a quadlet unit" {
	local place=/run/containers/systemd
	requires root # a user's units are in another place
	mkdir -p "$place"
	step() {
		cat >"$place/$name.container" <<-END
			[Container]
			Image=$IMAGE
			ContainerName=$name
			GlobalArgs=--root $PLACE/root --runroot $PLACE/run --runtime $runtime
			Network=none
			PidsLimit=33
			Exec=sh -c 'trap "exit 0" TERM; echo up; while :; do sleep 1000 & wait; done'
			[Service]
			Environment=CONTAINERS_CONF_OVERRIDE=$PLACE/containers.conf
			MemoryMax=64M
		END
	}
	both step
	systemctl daemon-reload
	systemctl start "${BOTH[@]/%/.service}"
	step() {
		local pid cgroup
		pid=$(podman_plain inspect --format '{{.State.Pid}} {{.OCIRuntime}}' "$name")
		[ "${pid#* }" = "$runtime" ]
		cgroup=$(cgroup_of "${pid% *}")
		[[ $cgroup == */$name.service/libpod-payload-* ]] || mismatch "its cgroup" "in the unit's" "$cgroup"
		[ "$(limit "${pid% *}" pids.max)" = 33 ]
		[ "$(<"${cgroup%/libpod-payload-*}/memory.max")" = 67108864 ]
	}
	both step
	systemctl stop "${BOTH[@]/%/.service}"
	[ "$(systemctl show --property Result,ActiveState --value "${BOTH[@]/%/.service}" | xargs)" = "success inactive success inactive" ]
	rm "$place/$TAG"-*.container
	systemctl daemon-reload
	gone
}
