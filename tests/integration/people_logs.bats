#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
#
# Where the output of detached containers goes: --log-driver and --log-opt.
# shellcheck disable=SC2016,SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() { setup_people; }
teardown() {
	HULL=${REAL_HULL:-$HULL}
	teardown_people
}

# with_journal: hull sees a journal of the test's own, tests/tools/fake-journal, and its journalctl.
with_journal() {
	[ "$(id -u)" = 0 ] || skip "needs root, for a /run/systemd of its own"
	requires program=python3
	REAL_HULL=$HULL
	mkdir -p "$WORK/systemd/journal" "$WORK/bin"
	ln -s "$SOURCE/tests/tools/fake-journal" "$WORK/bin/journalctl"
	in_background "$SOURCE/tests/tools/fake-journal" "$WORK/systemd/journal/socket" "$WORK/journal"
	wait_for 20 test -S "$WORK/systemd/journal/socket"
	cat >"$WORK/with-journal" <<-END
		#!/bin/sh
		export FAKE_JOURNAL="$WORK/journal" PATH="$WORK/bin:\$PATH"
		mkdir -p /run/systemd && mount --bind "$WORK/systemd" /run/systemd && exec "$HULL" "\$@"
	END
	printf '#!/bin/sh\nexec unshare --mount --propagation private "%s" "$@"\n' "$WORK/with-journal" >"$WORK/hull"
	chmod +x "$WORK/with-journal" "$WORK/hull"
	HULL=$WORK/hull
}

@test "json-file: max-size and max-file, and logs reads all that is kept" {
	run_ 0 -d --name one --log-opt max-size=2k --log-opt max-file=3 hull/busybox seq 1 200
	do_ 0 wait one
	[ "$(cd "$DATA/containers/"* && ls log.jsonl*)" = $'log.jsonl\nlog.jsonl.1\nlog.jsonl.2' ]
	[ "$(cd "$DATA/containers/"* && stat -c %s log.jsonl* | sort -n | tail -n 1)" -le 2048 ]
	do_ 0 logs one
	[ "$(tail -n 1 <<<"$stdout")" = 200 ]
	local kept
	kept=$(wc -l <<<"$stdout")
	[ "$kept" -gt 40 ] && [ "$kept" -lt 120 ]
	[ "$stdout" = "$(seq $((201 - kept)) 200)" ]
	# The tail may begin in any of them.
	do_ 0 logs --tail $((kept - 3)) one
	[ "$stdout" = "$(seq $((204 - kept)) 200)" ]
	do_ 0 logs --tail 1 one
	stdout_is 200
	do_ 0 logs --tail 0 one
	stdout_is ""
	do_ 0 logs --tail 1000 one
	[ "$stdout" = "$(seq $((201 - kept)) 200)" ]
}

@test "what wrote in the foreground has no log, and has one when it is started again without" {
	run_ 0 --name one --log-driver none hull/busybox echo out
	stdout_is out
	do_ 1 logs one
	stderr_is "hull: container one keeps no log (--log-driver none)"
	run_ 0 --name two hull/busybox echo out
	do_ 1 logs two
	stderr_is "hull: container two ran in the foreground: what it wrote went there"
	do_ 0 start two
	do_ 0 wait two
	do_ 0 logs two
	stdout_is out
	do_ 0 start --attach two
	stdout_is out
	do_ 0 logs two
	stdout_is out
}

@test "logs: of several, and whose the lines are" {
	run_ 0 -d --name one hull/busybox sh -c 'echo a; echo b >&2'
	run_ 0 -d --name two hull/busybox sh -c 'echo c; until [ -e /go ]; do sleep 0.1; done; echo d; exit 3'
	do_ 0 wait one
	do_ 0 logs --names one
	stdout_is "one a"
	stderr_is "one b"
	wait_for 10 eval 'hull --data-root "$DATA" logs two | grep -q c'
	do_ 0 logs --names --tail 1 one two
	stdout_is "two c"
	stderr_is "one b"
	do_ 0 logs two one
	local id=$(hull --data-root "$DATA" ps -aq --filter name=two)
	[ "${stdout%%$'\n'*}" = "$id c" ]
	do_ 1 logs one none two
	stdout_is "$(printf '%s a\n%s c' "$(hull --data-root "$DATA" ps -aq --filter name=one)" "$id")"
	stderr_has "hull: no such container: none"
	in_background "$HULL" --root "$STATE" --data-root "$DATA" logs --names --follow one two >"$WORK/out" 2>"$WORK/err"
	local pid=$!
	wait_for 10 grep -q "two c" "$WORK/out"
	let_go two
	wait "$pid"
	[ "$(sort "$WORK/out")" = $'one a\ntwo c\ntwo d' ]
	[ "$(cat "$WORK/err")" = "one b" ]
	do_ 1 logs --follow one none
	stderr_has "hull: no such container: none"
	do_ 0 rm one two
}

@test "logs --follow of several: nothing outlives it" {
	run_ 0 -d --name one hull/busybox sh -c 'echo a; sleep 1000'
	run_ 0 -d --name two hull/busybox sh -c 'echo b; sleep 1000'
	in_background "$HULL" --root "$STATE" --data-root "$DATA" logs --follow one two >"$WORK/out"
	local pid=$! children
	wait_for 10 eval '[ "$(wc -l <"$WORK/out")" = 2 ]'
	children=$(cat "/proc/$pid/task/$pid/children")
	[ -n "$children" ]
	kill -KILL "$pid"
	wait_for 10 eval '! kill -0 $children 2>/dev/null'
	do_ 0 rm -f one two
}

@test "journald: lines, streams, fields, and logs reads them back" {
	with_journal
	run_ 0 -d --name one --log-driver journald hull/busybox sh -c 'echo out; echo err >&2; printf "tab\tand \377\n"; printf end'
	do_ 0 wait one
	wait_for 10 has_lines 4
	[ "$(jq -r 'select(.MESSAGE == "out") | "\(.PRIORITY) \(.CONTAINER_NAME) \(.IMAGE_NAME) \(.SYSLOG_IDENTIFIER == .CONTAINER_ID) \(.CONTAINER_ID_FULL[0:12] == .CONTAINER_ID) \(.CONTAINER_TAG == .CONTAINER_ID)"' "$WORK/journal")" = "6 one hull/busybox true true true" ]
	[ "$(jq -r 'select(.MESSAGE == "err") | .PRIORITY' "$WORK/journal")" = 3 ]
	[ "$(jq -r 'select(.MESSAGE == "end") | .CONTAINER_PARTIAL_MESSAGE' "$WORK/journal")" = true ]
	[ -z "$(find "$DATA/containers" -name 'log.jsonl*')" ]
	do_ 0 logs one
	[ "$stdout" = "$(printf 'out\ntab\tand \377\nend')" ]
	stderr_is err
	do_ 0 logs --tail 1 one
	stdout_is end
	do_ 0 logs -t --until 2000-01-01T00:00:00Z one
	stdout_is ""
	do_ 0 logs -t one
	[[ $stdout == "$(date +%Y)"-*T*Z\ out* ]]
}
has_lines() { [ "$(wc -l <"$WORK/journal")" = "$1" ]; }

@test "journald: a tag, long lines in parts, and a container without output" {
	with_journal
	run_ 0 -d --name one --log-driver journald --log-opt 'tag=my/{{.Name}}/{{ .ImageName }}' hull/busybox sh -c 'head -c 20000 /dev/zero | tr "\0" x; echo'
	do_ 0 wait one
	wait_for 10 has_lines 2
	[ "$(jq -r .SYSLOG_IDENTIFIER "$WORK/journal" | sort -u)" = my/one/hull/busybox ]
	[ "$(jq -r '"\(.MESSAGE | length) \(.CONTAINER_PARTIAL_MESSAGE)"' "$WORK/journal")" = $'16384 true\n3616 null' ]
	do_ 0 logs one
	[ "${#stdout}" = 20000 ]
	run_ 0 -d --name two --log-driver journald hull/busybox true
	do_ 0 wait two
	do_ 0 logs two
	stdout_is ""
	# Without journalctl that is said, and nothing is made up.
	rm "$WORK/bin/journalctl"
	sed -i 's#PATH=.*#PATH="/nowhere"#; s#mkdir -p /run/systemd && ##; s#mount#/bin/mount#' "$WORK/with-journal"
	do_ 1 logs one
	stderr_is "hull: what is in the journal is read by journalctl, which is not there"
}

@test "journald: --follow shows what comes, ends with the container, and takes journalctl with it" {
	with_journal
	run_ 0 -d --name one --log-driver journald hull/busybox sh -c 'echo one; until [ -e /go ]; do sleep 0.1; done; echo two; echo three'
	start_hull --data-root "$DATA" logs --follow one
	local followed=$stdout_file
	wait_for 10 grep -qx one "$followed"
	let_go one
	stdout_file=$followed
	wait_hull
	[ "$status" = 0 ]
	stdout_is $'one\ntwo\nthree'
	# Of one that has ended, all of it, and its tail.
	do_ 0 logs --follow one
	stdout_is $'one\ntwo\nthree'
	do_ 0 logs --follow --tail 1 one
	stdout_is three
	do_ 0 logs --follow --tail 0 one
	stdout_is ""
	wait_for 10 no_journalctl
}

@test "journald: journalctl does not outlive a hull that is killed" {
	with_journal
	run_ 0 -d --name one --log-driver journald hull/busybox sh -c 'echo one; exec sleep 1000'
	start_hull --data-root "$DATA" logs --follow one
	wait_for 10 grep -qx one "$stdout_file"
	kill -KILL "$hull_pid"
	wait_hull
	wait_for 10 no_journalctl
}
no_journalctl() { ! pgrep -f "$WORK/bin/journalctl" >/dev/null; }

@test "journald: journalctl's failure is told in its words, nothing found is none, others' lines are none" {
	with_journal
	run_ 0 -d --name one --log-driver journald hull/busybox echo one
	do_ 0 wait one
	wait_for 10 has_lines 1
	# Another user sends a line with this container's id.
	jq -c '._UID = "65534" | .MESSAGE = "forged" | .__CURSOR = "s=9"' "$WORK/journal" >"$WORK/forged"
	cat "$WORK/forged" >>"$WORK/journal"
	do_ 0 logs one
	stdout_is one
	echo "No journal files were opened due to insufficient permissions." >"$WORK/journal.says"
	do_ 1 logs one
	stdout_is ""
	stderr_is "hull: journalctl failed (exit status 1): No journal files were opened due to insufficient permissions."
	do_ 1 logs --follow one
	stderr_is "hull: journalctl failed (exit status 1): No journal files were opened due to insufficient permissions."
}

@test "journald: a journal that stops listening does not stop the container" {
	with_journal
	run_ 0 -d --name one --log-driver journald hull/busybox sh -c 'echo one; while [ ! -e /go ]; do sleep 0.1; done; echo two; echo three; exit 7'
	wait_for 10 has_lines 1
	kill "${BACKGROUND[0]}"
	rm "$WORK/systemd/journal/socket"
	let_go one
	do_ 0 wait one
	stdout_is 7
	do_ 0 logs one
	stdout_is one
}

@test "journald where no journal listens, and words that are wrong" {
	[ -S /run/systemd/journal/socket ] || {
		run_ 125 -d --name one --log-driver journald hull/busybox true
		stderr_is "hull: --log-driver journald: the journal does not listen at /run/systemd/journal/socket: no such file or directory"
	}
	run_ 125 -d --log-driver syslog hull/busybox true
	stderr_is 'hull: --log-driver "syslog": expected json-file, journald or none'
	run_ 125 -d --log-opt max-size=x hull/busybox true
	stderr_is 'hull: --log-opt "max-size=x": expected a size like 10m'
	run_ 125 -d --log-opt max-size=1m --log-opt max-file=0 hull/busybox true
	stderr_is 'hull: --log-opt "max-file=0": expected a number from 1 to 1000'
	run_ 125 -d --log-opt max-file=3 hull/busybox true
	stderr_is 'hull: --log-opt max-file: it needs max-size too'
	run_ 125 -d --log-opt tag=x hull/busybox true
	stderr_is 'hull: --log-opt tag is for --log-driver journald, not json-file'
	run_ 125 -d --log-driver journald --log-opt max-size=1m hull/busybox true
	stderr_is 'hull: --log-opt max-size is for --log-driver json-file, not journald'
	run_ 125 -d --log-driver journald --log-opt 'tag={{.Nothing}}' hull/busybox true
	stderr_is 'hull: --log-opt tag: there is no field ".Nothing", but .ID, .FullID, .Name and .ImageName'
	run_ 125 -d --log-opt nothing=1 hull/busybox true
	stderr_is 'hull: --log-opt "nothing=1": expected max-size=, max-file= or tag='
}
