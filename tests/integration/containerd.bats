#!/usr/bin/env bats
# as: none, it is the VM that has containerd
# vm-long: root
#
# containerd's own shim with hull in the place of runc, and with runc beside it.
# shellcheck disable=SC2154,SC2016,SC2317 # status, stdout and stderr are run_command's
load helpers

# A daemon of these tests, with nothing but what ctr needs.
setup_file() {
	export PLACE
	PLACE=$(mktemp --directory "${HULL_TEST_TMP:-/tmp}/c-XXXXXX")
	ln -s "$HULL" "$PLACE/hull-oci"
	cat >"$PLACE/config.toml" <<-END
		version = 2
		root = "$PLACE/root"
		state = "$PLACE/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.devmapper",
			"io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs",
			"io.containerd.snapshotter.v1.zfs", "io.containerd.nri.v1.nri", "io.containerd.internal.v1.tracing"]
		[grpc]
		address = "$PLACE/socket"
	END
	containerd --config "$PLACE/config.toml" >"$PLACE/log" 2>&1 3>&- 4>&- &
	echo "$!" >"$PLACE/pid"
	wait_for 60 ctr --address "$PLACE/socket" version >/dev/null 2>&1 || cat "$PLACE/log"
	tar -C "$HULL_IMAGE" -cf "$PLACE/image.tar" .
	ctr --address "$PLACE/socket" images import --index-name localhost/default:latest "$PLACE/image.tar" 3>&- 4>&-
}

teardown_file() {
	kill "$(<"$PLACE/pid")"
	wait_for 20 process_gone "$(<"$PLACE/pid")"
	rm -rf --one-file-system "$PLACE"
}

setup() {
	requires root program=containerd program=ctr program=runc systemd pure-v2
	setup_test
	IMAGE=localhost/default:latest
}

teardown() {
	local id
	if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -n "${WORK:-}" ]; then
		for id in $(ctr --address "$PLACE/socket" containers ls --quiet); do
			ctr --address "$PLACE/socket" task delete --force "$id" || true
			ctr --address "$PLACE/socket" containers delete "$id" || true
		done
	fi
	teardown_test
}

# ctr_ STATUS WORD...
ctr_() {
	local want=$1
	shift
	run_command ctr --address "$PLACE/socket" "$@"
	[ "$status" = "$want" ] || mismatch "exit status of \`ctr $*\`" "$want" "$status"
}

# both FUNCTION: with $runtime, and $name for its container, for each of the two.
both() {
	local runtime name
	for runtime in "$PLACE/hull-oci" "$(command -v runc)"; do
		name=$TAG-${runtime##*/}
		"$@" # without ||, which would forgive what fails in there
	done
}

# task STATUS: that is what `ctr task ls` says of $name; its process is $pid.
task() {
	ctr_ 0 task ls
	pid=$(awk -v name="$name" '$1 == name { print $2 }' <<<"$stdout")
	[ "$(awk -v name="$name" '$1 == name { print $3 }' <<<"$stdout")" = "$1" ] ||
		mismatch "status of $name" "$1" "$stdout"
}

has_task() { task "$@" >/dev/null 2>&1; }

# gone: containerd and the runtimes have forgotten them.
gone() {
	ctr_ 0 containers ls --quiet
	stdout_is ""
	[ ! -e "/run/containerd/runc/default/$TAG-hull-oci" ]
	[ -z "$(find /sys/fs/cgroup -name "*$TAG*")" ]
}

@test "containerd: run" {
	echo thing >"$WORK/file"
	step() {
		ctr_ 7 run --rm --runc-binary "$runtime" --read-only --env A=b --cwd /etc --user 7:8 \
			--mount "type=bind,src=$WORK,dst=/mnt,options=rbind:ro" \
			"$IMAGE" "$name" sh -c '
			echo "$(cat /mnt/file) $(id -u):$(id -g) $A $PWD"
			touch /new /mnt/new
			exit 7'
		stdout_is "thing 7:8 b /etc"
		stderr_is "touch: /new: Read-only file system
touch: /mnt/new: Read-only file system"
		ctr_ 1 run --rm --runc-binary "$runtime" "$IMAGE" "$name-none" no-such-program
		stderr_has 'exec: "no-such-program": executable file not found in $PATH'
	}
	both step
	gone
}

@test "containerd: a terminal" {
	step() {
		in_terminal "$WORK/tty-$name" ctr --address "$PLACE/socket" run --rm --tty --runc-binary "$runtime" \
			"$IMAGE" "$name" sh -c 'tty; exit 4'
		[ "$status" = 4 ]
		[ "$(tr -d '\r' <"$WORK/tty-$name")" = /dev/pts/0 ] ||
			mismatch terminal /dev/pts/0 "$(cat "$WORK/tty-$name")"
	}
	both step
	gone
}

# has_counted TO: what runs in $name is past that.
has_counted() {
	counted=$(cat "$WORK/$name/count" 2>/dev/null) && [ "${counted:-0}" -gt "$1" ]
}

@test "containerd: checkpoint and restore" {
	local pid counted
	criu check >/dev/null 2>&1 || skip "needs a CRIU that runs on this kernel"
	step() {
		mkdir "$WORK/$name"
		ctr_ 0 run --detach --runc-binary "$runtime" --mount "type=bind,src=$WORK/$name,dst=/mnt,options=rbind:rw" \
			"$IMAGE" "$name" sh -c '
			echo kept >/tmp/file; i=0
			while :; do i=$((i + 1)); echo $i >/mnt/new; mv /mnt/new /mnt/count; sleep 0.1; done'
		wait_for 20 has_counted 2
		ctr_ 0 containers checkpoint --rw --task "$name" "localhost/$name"
		task RUNNING # it goes on
		ctr_ 0 task kill --signal KILL "$name"
		wait_for 20 has_task STOPPED
		ctr_ 0 task delete "$name"
		stderr_has "non-zero exit code 137"
		ctr_ 0 containers delete "$name"
		has_counted 0
		rm "$WORK/$name/count"
		in_background ctr --address "$PLACE/socket" containers restore --rw --live "$name" "localhost/$name"
		wait_for 20 has_counted 2
		task RUNNING
		ctr_ 0 task exec --exec-id one "$name" cat /tmp/file
		stdout_is kept
		ctr_ 0 task kill --signal KILL "$name"
		wait_for 20 has_task STOPPED
		ctr_ 0 task delete "$name"
		ctr_ 0 containers delete "$name"
		ctr_ 0 images delete --sync "localhost/$name"
	}
	both step
	gone
}

@test "containerd: a container's life, in a unit of systemd's" {
	local pid cgroup
	step() {
		ctr_ 0 run --detach --runc-binary "$runtime" --runc-systemd-cgroup --cgroup "system.slice:ctr:$name" \
			--memory-limit 67108864 --cpus 0.5 "$IMAGE" "$name" sleep 1000
		task RUNNING
		cgroup=$(cgroup_of "$pid")
		[[ $cgroup =~ ^/sys/fs/cgroup/system.slice/ctr-$name.scope(/container)?$ ]] ||
			mismatch "its cgroup" "a scope" "$cgroup"
		[ "$(cat "$cgroup"/{memory,cpu}.max)" = $'67108864\n50000 100000' ]
		ctr_ 5 task exec --exec-id one --user 7:8 "$name" sh -c 'id -u; echo wrong >&2; exit 5'
		stdout_is 7
		stderr_is wrong
		ctr_ 1 task exec --exec-id two "$name" no-such-program
		stderr_has 'exec: "no-such-program": executable file not found in $PATH'
		ctr_ 0 task ps "$name"
		[ "$(awk 'NR > 1 { print $1 }' <<<"$stdout")" = "$pid" ]
		ctr_ 0 task metrics --format json "$name"
		jq --exit-status '.pids.current == 1 and (.memory.usage | tonumber) > 0' <<<"$stdout"
		ctr_ 0 task pause "$name"
		task PAUSED
		ctr_ 0 task resume "$name"
		task RUNNING
		ctr_ 0 task kill --signal KILL "$name"
		wait_for 20 has_task STOPPED
		ctr_ 0 task delete "$name"
		stderr_has "non-zero exit code 137"
		ctr_ 0 containers delete "$name"
	}
	both step
	gone
}
