#!/usr/bin/env bats
# as: root, user
#
# Who keeps a detached container: how much memory it takes, what becomes of the container when it is killed,
# and when hull is replaced by another version meanwhile.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers
load ../tools/tools

setup() {
	setup_people
	do_ 0 pull -q "$IMAGE"
}
teardown() { teardown_people; }

# program NAME, keeper NAME: the process of a container's program, and who keeps it
program() { hull --data-root "$DATA" inspect "$1" | jq '.[0].State.Pid'; }
keeper() { ps -o ppid= -p "$(program "$1")" | tr -d ' '; }
has_state() { [ "$(hull --data-root "$DATA" ps -a --filter "name=$1" --format '{{.State}}')" = "$2" ]; }
logs_match() { hull --data-root "$DATA" logs "$1" 2>&1 | grep -Eq "$2"; }

@test "a keeper takes less than 1 MB of its own, from its first container on" {
	[ -z "${ASAN_OPTIONS:-}${UBSAN_OPTIONS:-}" ] || skip "sanitizers take memory of their own"
	local name own
	# The first one compiles a filter and unpacks an image before it keeps anything.
	for name in first second third; do
		run_ 0 -d --name "$name" --restart on-failure --health-cmd true "$IMAGE" sh -c 'echo started; sleep 1000'
		wait_for 10 logs_match "$name" started
		own=$(awk '/^Private_(Clean|Dirty):/ { sum += $2 } /^[0-9a-f]+-[0-9a-f]+ / { file = $6 != "" && $6 !~ /^\[/ } /^Private_Clean:/ && file { sum -= $2 } END { print sum }' \
			"/proc/$(keeper "$name")/smaps")
		echo "$name: $own KiB"
		[ "$own" -gt 50 ]
		[ "$own" -lt 1024 ]
	done
	# What it has given back it does not miss: it starts the next one, and writes what that says.
	kill -KILL "$(program second)"
	wait_for 10 restarted second
	do_ 0 stop -t 0 second
	do_ 0 logs second
	stdout_is $'started\nstarted'
	do_ 0 rm -f first second third
}
restarted() { [ "$(hull --data-root "$DATA" logs "$1" | grep -c started)" = 2 ]; }

@test "a container whose keeper was killed goes on, is found, waited for, stopped and started" {
	run_ 0 -d --name one "$IMAGE" sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
	kill -KILL "$(keeper one)"
	do_ 0 ps --format '{{.Names}} {{.State}}'
	stdout_is "one running"
	do_ 0 exec one true
	do_ 0 start one
	# Nobody is there to see its end: that is not success.
	in_background sh -c '"$0" --root "$1" --data-root "$2" wait one >"$3/waited"' "$HULL" "$STATE" "$DATA" "$WORK"
	sleep 0.5
	[ ! -s "$WORK/waited" ]
	do_ 0 stop one
	wait_for 10 grep -q . "$WORK/waited"
	[ "$(cat "$WORK/waited")" = 255 ]
	do_ 0 wait one
	stdout_is 255
	do_ 0 ps -a --format '{{.Status}}'
	[[ $stdout == "Exited (255)"* ]]
	do_ 0 inspect one
	[ "$(jq -r '.[0].State | .Status, .ExitCode, .Error' <<<"$stdout")" = "exited
255
its keeper was killed, so nobody saw how it ended" ]
	do_ 0 why one
	stdout_has "its keeper was killed, so nobody saw how it ended"
	# The next one is kept as any other.
	do_ 0 start one
	wait_for 10 has_state one running
	do_ 0 stop one
	do_ 0 wait one
	stdout_is 3
	do_ 0 inspect one
	[ "$(jq -r '.[0].State | .ExitCode, .Error' <<<"$stdout")" = 3 ]
	do_ 0 rm one
}

@test "a container and its keeper that were killed together, as by a power cut" {
	run_ 0 -d --name one --restart always "$IMAGE" sleep 1000
	local pid kept
	pid=$(program one) kept=$(keeper one)
	kill -KILL "$kept" "$pid"
	wait_for 10 has_state one exited
	do_ 0 inspect one
	[ "$(jq '.[0].State.ExitCode' <<<"$stdout")" = 255 ]
	do_ 0 ps -aq --filter exited=255
	[ -n "$stdout" ]
	do_ 0 start one
	do_ 0 rm -f one
	do_ 0 prune
	do_ 0 fsck
	stdout_is ""
}

@test "hull is replaced while a container runs: its keeper goes on, and the new one knows it" {
	mkdir -p "$WORK/installed/image"
	cp -a "$HULL" "${HULL%/*}/libexec" "$WORK/installed/"
	cp -a "$HULL_IMAGE" "$WORK/installed/image/default.oci"
	local old=$WORK/installed/hull file
	run_command "$old" --root "$STATE" --data-root "$DATA" run -d --network none --name one --restart always \
		--health-cmd 'echo fine' --health-interval 1s "$IMAGE" sh -c 'trap "exit 3" TERM; echo started; while :; do sleep 0.1; done'
	[ "$status" = 0 ]
	wait_for 10 logs_match one started
	# As install(1) does: other files take the names.
	for file in "$old" "$WORK"/installed/libexec/hull/*; do
		cp "$file" "$file.new"
		mv "$file.new" "$file"
	done
	kill -KILL "$(program one)"
	wait_for 20 restarted one
	wait_for 20 is_healthy one
	do_ 0 exec one true
	do_ 0 stop one
	do_ 0 wait one
	stdout_is 3
	do_ 0 start one
	wait_for 10 has_state one running
	do_ 0 rm -f one
}
is_healthy() { [ "$(hull --data-root "$DATA" inspect "$1" | jq -r '.[0].State.Health.Status')" = healthy ]; }

# own_memory PID: kB that are that process's alone. Not counted is the sealed copy of the program that it
# runs without root (security/seal.h): 1 MB.
own_memory() {
	awk '/^[0-9a-f]+-[0-9a-f]+ /{ program = $6 == "/memfd:hull" }
		/^Private_/ && !program { sum += $2 } END { print sum }' "/proc/$1/smaps"
}

# logged TEXT: the last line that container `second` wrote.
logged() {
	[ "$(hull --data-root "$DATA" logs second | tail -n 1)" = "$1" ]
}

@test "a keeper has less than 512 kB of its own, also the one that has logged much" {
	[ -z "${ASAN_OPTIONS:-}${UBSAN_OPTIONS:-}" ] || skip "sanitizers take memory of their own"
	run_ 0 --detach --name first "$IMAGE" sleep 1000
	run_ 0 --detach --name second --interactive "$IMAGE" sh -c 'seq 100000; cat'
	wait_for 10 logged 100000
	for name in first second; do
		[ "$(cat "/proc/$(keeper "$name")/comm")" = hull-keep ]
		echo "$name: $(own_memory "$(keeper "$name")") kB"
		cat "/proc/$(keeper "$name")/smaps_rollup"
		[ "$(own_memory "$(keeper "$name")")" -lt 512 ]
	done
	do_ 0 rm -f first second
}

@test "stop ends a container that is started again and again, whenever it comes" {
	local n
	run_ 0 -d --name again --restart always "$IMAGE" true
	for n in $(seq "$(rounds 40)"); do
		sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
		do_ 0 stop -t 0 again
		stderr_is ""
		do_ 0 ps -a --format '{{.State}}'
		stdout_is exited
		do_ 0 start again
	done
	do_ 0 rm -f again
}

has_ended() { [ "$(hull --data-root "$DATA" ps -a --format '{{.State}}')" = exited ]; }

@test "who ran it with --attach is killed: its program goes on to its end, however much it writes" {
	run_ 0 -d --name pull "$IMAGE" true
	do_ 0 rm -f pull
	start_hull --data-root "$DATA" run --network none --name one --attach stdout "$IMAGE" \
		sh -c 'until [ -e /go ]; do sleep 0.1; done; seq 200000; exit 7'
	wait_for 20 hull --data-root "$DATA" exec one true
	kill -KILL "$hull_pid"
	wait_hull
	do_ 0 exec one touch /go
	wait_for 20 has_ended
	do_ 0 wait one
	stdout_is 7
	do_ 0 logs --tail 1 one
	stdout_is 200000
	do_ 0 rm one
}

@test "who ran it with --attach and reads nothing: stop and rm do not wait for that" {
	local reader
	mkfifo pipe
	sleep 1000 <>pipe 3>&- 4>&- &
	reader=$!
	BACKGROUND+=("$reader")
	HULL_TEST=$TAG XDG_RUNTIME_DIR=$RUNTIME_DIR "$HULL" --root "$STATE" --data-root "$DATA" run --network none --name one \
		--attach stdout "$IMAGE" seq 1000000 >pipe 3>&- 4>&- &
	BACKGROUND+=($!)
	wait_for 20 has_state one running
	sleep 1
	do_ 0 rm -f one
}
