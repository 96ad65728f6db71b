#!/usr/bin/env bats
# as: none, it is the VM that has Docker
# vm-long: root
#
# Docker Engine with hull as one of its runtimes, and with its own, runc, beside it.
# shellcheck disable=SC2154,SC2016,SC2317 # status, stdout and stderr are run_command's
load helpers

RUNTIMES=(hull runc)

# A daemon of these tests, with a network and with mounts of its own: its rules for packets
# are not for those of other tests.
setup_file() {
	export PLACE DOCKER_HOST
	PLACE=$(mktemp --directory "${HULL_TEST_TMP:-/tmp}/d-XXXXXX")
	DOCKER_HOST=unix://$PLACE/socket
	ln -s "$HULL" "$PLACE/hull-oci"
	unshare --net --mount --propagation private dockerd --host "$DOCKER_HOST" --add-runtime "hull=$PLACE/hull-oci" \
		--data-root "$PLACE/data" --exec-root "$PLACE/exec" --pidfile "$PLACE/pid" >"$PLACE/log" 2>&1 3>&- 4>&- &
	echo "$!" >"$PLACE/daemon"
	wait_for 60 docker version >/dev/null 2>&1 || cat "$PLACE/log"
	docker import "$HULL_IMAGE/blobs/sha256/$(layer)" localhost/default >/dev/null
}

# The default image has only this one.
layer() {
	local manifest
	manifest=$(jq --raw-output '.manifests[0].digest | ltrimstr("sha256:")' "$HULL_IMAGE/index.json")
	jq --raw-output '.layers[0].digest | ltrimstr("sha256:")' "$HULL_IMAGE/blobs/sha256/$manifest"
}

teardown_file() {
	kill "$(<"$PLACE/daemon")"
	wait_for 20 process_gone "$(<"$PLACE/daemon")"
	rm -rf --one-file-system "$PLACE"
}

setup() {
	requires root program=dockerd program=docker program=runc systemd pure-v2
	setup_test
	BOTH=("$TAG-hull" "$TAG-runc")
	IMAGE=localhost/default
}

teardown() {
	local id
	if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -n "${WORK:-}" ]; then
		for id in $(docker ps --all --quiet); do
			docker rm --force "$id" || true
		done
		docker network prune --force || true
	fi
	teardown_test
}

# docker_ STATUS WORD...
docker_() {
	local want=$1
	shift
	run_command docker "$@"
	[ "$status" = "$want" ] || mismatch "exit status of \`docker $*\`" "$want" "$status"
}

# both FUNCTION: with $runtime and $name of a container for each of the two.
both() {
	local runtime name
	for runtime in "${RUNTIMES[@]}"; do
		name=$TAG-$runtime
		"$@" # without ||, which would forgive what fails in there
	done
}

run_() {
	local want=$1
	shift
	docker_ "$want" run --runtime "$runtime" --pull never "$@"
}

both_are() {
	docker_ 0 inspect --format '{{.State.Status}}' "${BOTH[@]}"
	stdout_is "$1"$'\n'"$1"
}

# limit PID FILE
limit() {
	cat "$(cgroup_of "$1")/$2"
}

# gone: Docker knows no container, and neither cgroups nor what the runtimes knew are left.
gone() {
	docker_ 0 ps --all --quiet
	stdout_is ""
	wait_for 10 forgotten
}

forgotten() {
	[ -z "$(find /sys/fs/cgroup -name 'docker-*.scope')" ] &&
		[ -z "$(find "$PLACE"/exec/runtime-*/moby -mindepth 1 -maxdepth 1 -name '[0-9a-f]*')" ]
}

@test "docker: run, with limits, volumes, an init, a read-only root and a network" {
	mkdir "$WORK/given"
	echo thing >"$WORK/given/file"
	step() {
		run_ 7 --name "$name" --rm --interactive --init --read-only --tmpfs /scratch:size=1m \
			--volume "$WORK/given:/given:ro" --memory 64m --cpus 0.5 --pids-limit 33 --ulimit nofile=99:99 \
			--user 7:8 --cap-drop all --hostname box --env A=b --workdir /given "$IMAGE" sh -c '
			cat /proc/1/comm
			for file in memory.max cpu.max pids.max; do cat /sys/fs/cgroup/$file; done
			touch /new
			touch /given/new
			grep -o "^tmpfs /scratch .*size=1024k" /proc/mounts | cut -d " " -f 2
			ip -o -4 addr show dev eth0 | grep -c 172.17.
			read line
			echo "$line $(cat file) $(id -u):$(id -g) $(hostname) $A $PWD $(ulimit -n)"
			grep CapEff /proc/self/status
			exit 7' <<<typed
		stdout_is "docker-init
67108864
50000 100000
33
/scratch
1
typed thing 7:8 box b /given 99
CapEff:	0000000000000000"
		stderr_is "touch: /new: Read-only file system
touch: /given/new: Read-only file system"
		run_ 127 --rm "$IMAGE" no-such-program
		stderr_has 'exec: "no-such-program": executable file not found in $PATH'
		run_ 126 --rm "$IMAGE" /etc
		stderr_has 'exec: "/etc": '
	}
	both step
	gone
}

# Ends with 9 when it is told to.
PROGRAM='trap "echo told" USR1; trap "echo bye; exit 9" TERM; echo up; echo wrong >&2
	while :; do sleep 1000 & wait; done'

@test "docker: a container's life" {
	local -A pid
	local cgroup
	start() {
		run_ 0 --detach --name "$name" --network none --memory 64m "$IMAGE" sh -c "$PROGRAM"
	}
	both start
	docker_ 0 inspect --format '{{.State.Status}} {{.HostConfig.Runtime}} {{.State.Pid}}' "${BOTH[@]}"
	[ "$(cut -d ' ' -f 1,2 <<<"$stdout")" = $'running hull\nrunning runc' ]
	pid=([hull]=$(awk 'NR == 1 { print $3 }' <<<"$stdout") [runc]=$(awk 'NR == 2 { print $3 }' <<<"$stdout"))

	docker_ 0 update --memory 48m --memory-swap 48m --cpus 0.25 --pids-limit 20 "${BOTH[@]}"
	step() {
		# The default where there is systemd: a scope for each, in which hull has a cgroup of its own.
		cgroup=$(cgroup_of "${pid[$runtime]}")
		[[ $cgroup =~ ^/sys/fs/cgroup/system.slice/docker-[0-9a-f]{64}.scope(/container)?$ ]] ||
			mismatch "its cgroup" "a scope" "$cgroup"
		[ "$(limit "${pid[$runtime]}" memory.max)" = 50331648 ]
		[ "$(limit "${pid[$runtime]}" memory.swap.max)" = 0 ]
		[ "$(limit "${pid[$runtime]}" cpu.max)" = "25000 100000" ]
		[ "$(limit "${pid[$runtime]}" pids.max)" = 20 ]
		docker_ 5 exec --interactive --user 7:8 --workdir /tmp --env A=b "$name" \
			sh -c 'read line; echo "$line $(id -u):$(id -g) $PWD $A"; echo wrong >&2; exit 5' <<<typed
		stdout_is "typed 7:8 /tmp b"
		stderr_is wrong
		docker_ 126 exec "$name" no-such-program
		stdout_has 'exec: "no-such-program": executable file not found in $PATH'
		in_terminal "$WORK/exec-$runtime" docker exec --interactive --tty "$name" sh -c 'tty; exit 6'
		[ "$status" = 6 ]
		[ "$(tr -d '\r' <"$WORK/exec-$runtime")" = /dev/pts/0 ]
		docker_ 0 top "$name" -o pid,comm
		[ "$(awk 'NR > 1 { print $2 }' <<<"$stdout")" = $'sh\nsleep' ] || mismatch top "sh, sleep" "$stdout"
		grep -q "^${pid[$runtime]} " <<<"$stdout"
	}
	both step

	docker_ 0 stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' "${BOTH[@]}"
	[ "$(sed 's/[0-9][^ ]* \/ //' <<<"$stdout" | sort)" = "$TAG-hull 2 48MiB"$'\n'"$TAG-runc 2 48MiB" ] ||
		mismatch stats "2 processes, 48MiB" "$stdout"
	docker_ 0 pause "${BOTH[@]}"
	both_are paused
	frozen() { grep -qx 'frozen 1' "$(cgroup_of "${pid[$runtime]}")/cgroup.events"; }
	both frozen
	docker_ 0 unpause "${BOTH[@]}"
	both_are running
	docker_ 0 kill --signal USR1 "${BOTH[@]}"
	docker_ 0 stop --time 600 "${BOTH[@]}"
	docker_ 0 wait "${BOTH[@]}"
	stdout_is $'9\n9'
	step() {
		docker_ 0 logs "$name"
		stdout_is $'up\ntold\nbye'
		stderr_is wrong
	}
	both step
	docker_ 0 rm "${BOTH[@]}"
	gone
}

@test "docker: compose with two services" {
	cat >"$WORK/compose.yaml" <<-END
		services:
		  serves:
		    image: $IMAGE
		    runtime: \${RUNTIME}
		    hostname: \${RUNTIME}-box
		    mem_limit: 64m
		    command: [httpd, -f, -p, "80", -h, /etc]
		    stop_grace_period: 0s
		  asks:
		    image: $IMAGE
		    runtime: \${RUNTIME}
		    depends_on: [serves]
		    command: [sh, -c, "until wget -q -O - http://serves/hostname; do sleep 0.1; done; exit 3"]
		    stop_grace_period: 0s
	END
	step() {
		RUNTIME=$runtime docker_ 3 compose --file "$WORK/compose.yaml" --project-name "$name" --progress plain up \
			--pull never --no-log-prefix --attach asks --exit-code-from asks
		stdout_has "$runtime-box"
		docker_ 0 inspect --format '{{.HostConfig.Runtime}}' "$name-serves-1" "$name-asks-1"
		stdout_is "$runtime"$'\n'"$runtime"
		RUNTIME=$runtime docker_ 0 compose --file "$WORK/compose.yaml" --project-name "$name" --progress quiet down
	}
	both step
	gone
	docker_ 0 network ls --filter "name=$TAG" --quiet
	stdout_is ""
}
