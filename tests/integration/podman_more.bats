#!/usr/bin/env bats
# as: none, it is the VM that has Podman
# vm-long: root, user
#
# What takes long with Podman: checkpoints, systemd in a container, a quadlet unit.
# shellcheck disable=SC2154,SC2016,SC2317 # status, stdout and stderr are run_command's
load helpers

RUNTIMES=(hull-oci crun)
load podman_helpers

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
	local place=/run/containers/systemd ctl=(systemctl)
	if [ "$(id -u)" -ne 0 ]; then
		place=$(getent passwd "$(id -u)" | cut -d : -f 6)/.config/containers/systemd
		ctl+=(--user)
	fi
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
	"${ctl[@]}" daemon-reload
	"${ctl[@]}" start "${BOTH[@]/%/.service}"
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
	"${ctl[@]}" stop "${BOTH[@]/%/.service}"
	[ "$("${ctl[@]}" show --property Result,ActiveState --value "${BOTH[@]/%/.service}" | xargs)" = "success inactive success inactive" ]
	rm "$place/$TAG"-*.container
	"${ctl[@]}" daemon-reload
	gone
}
