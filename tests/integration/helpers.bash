# helpers.bash - what every integration test stands on. A test file looks like
#
#	#!/usr/bin/env bats
#	# as: root, user
#	load helpers
#
#	@test "run gives the program's exit status" {
#		make_bundle
#		config_args sh -c 'exit 7'
#		expect 7 run --bundle "$BUNDLE" "$ID"
#		stderr_is ""
#	}
#
# "as:" says as whom tests/run runs the file: root (when the line is missing),
# user (an ordinary one, rootless), or both. A single test says what it needs
# with `requires`, and is skipped with a reason where the machine lacks that.
#
# Each test has a directory of its own, $WORK, a state root, $STATE, and a word
# that nothing else on the machine has in its name, $TAG. Ids begin with it:
# $ID, and "$ID-two" and so on if a test needs more. So, when the test is over
# (see teardown), everything that hull might have left can be found by name and
# fails the test: processes, cgroups, mounts, state.
#
# Commands:
#	make_bundle [NAME [FILTER...]]  a bundle with the default image; sets $BUNDLE
#	config FILTER [JQ OPTION...]    edits $BUNDLE/config.json with jq
#	config_args WORD...             ... its process.args
#	run_hull WORD...                runs hull; see run_command for what it sets
#	expect STATUS WORD...           run_hull, and fail unless that is its status
#	hull WORD...                    just runs hull, for pipes and loops
#	start_hull WORD...              hull in the background, its pid in $hull_pid
#	wait_hull                       waits for it, its exit status in $status
#	stdout_is, stderr_is TEXT       fail unless it is exactly that
#	stdout_has, stderr_has TEXT     ... unless that is a part of it
#	state_of ID [JQ FILTER]         a container's status, or another member of its state
#	wait_for SECONDS COMMAND...     until the command succeeds, or fail
#	wait_state ID STATUS            until the container has that status
#	console_listen SOCKET FILE      takes one terminal from SOCKET, copies what it says to FILE
#	in_terminal FILE WORD...        runs a command in a terminal, what that shows is in FILE
#	start_in_terminal FILE WORD...  the same in the background, its pid in $terminal_pid
#	in_background COMMAND...        runs a command until the test ends
#	free_port                       sets $port to one on which nobody listens, nor on the one after it
#	requires WHAT...                skips the test, with a reason, where that is missing
#	assert_nothing_left             what teardown does, for use within a test
#
# Environment: HULL (the program; build/hull), HULL_IMAGE (an OCI layout;
# build/image/default.oci), HULL_TEST_TMP (where $WORK is made; /tmp), HULL_TEST_SLOW
# (a factor for all time limits; 1), HULL_TEST_THOROUGH=1 (tools.bash), HULL_TEST_KEEP=1 (leaves $WORK).
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # jq has $variables too; the tests use what is set here

SOURCE=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
HULL=${HULL:-$SOURCE/build/hull}
HULL_IMAGE=${HULL_IMAGE:-$SOURCE/build/image/default.oci}
HULL_TEST_SLOW=${HULL_TEST_SLOW:-1}

# ---- before and after each test

# A file with a setup of its own calls this first.
#
# Here and in teardown every program started counts: under the VM's software
# emulation each is a tenth of a second, for each of hundreds of tests.
setup_test() {
	printf -v TAG 'ht-%x' "$SRANDOM"
	ID=$TAG
	WORK=${HULL_TEST_TMP:-/tmp}/$TAG
	STATE=$WORK/state
	RUNTIME_DIR=$WORK/run
	BACKGROUND=()
	calls=0
	(umask 022 && mkdir "$WORK" "$RUNTIME_DIR") # the ids of a user namespace have to pass
	cd "$WORK" || return
}

# A file with a teardown of its own calls this last.
teardown_test() {
	local problem=0

	[ -d "${WORK:-}" ] || return 0
	cd / || return
	if [ "${#BACKGROUND[@]}" -gt 0 ]; then
		kill "${BACKGROUND[@]}" 2>/dev/null || true
		wait "${BACKGROUND[@]}" 2>/dev/null || true
	fi
	# What a failed or skipped test did not come to delete is deleted by hull
	# itself; what a passed one leaves is a failure.
	if [ -z "${BATS_TEST_COMPLETED:-}" ] || [ -n "${BATS_TEST_SKIPPED:-}" ]; then
		delete_all_containers
	fi
	if ! assert_nothing_left; then
		problem=1
		remove_leftovers "$TAG" "$WORK"
	fi
	assert_no_sanitizer_report || problem=1
	remove_work "$TAG" "$WORK"
	return "$problem"
}

setup() { setup_test; }
teardown() { teardown_test; }

# ---- bundles

# make_bundle [NAME [FILTER...]]: makes $WORK/NAME ("bundle") with a root file
# system from the default image and hull's default config.json (the rootless one
# for a user), without a terminal, running `true`; then edits it with the jq
# filters. Sets $BUNDLE.
make_bundle() {
	local cache=$BATS_RUN_TMPDIR/bundle-$UID default

	BUNDLE=$WORK/${1:-bundle}
	[ -d "$cache" ] || make_cached_bundle "$cache"
	cp -a "$cache" "$BUNDLE"
	default=$(<"$cache/config.json")
	printf '%s\n' "${default/@TAG@/$TAG}" >"$BUNDLE/config.json"
	if [ $# -gt 1 ]; then
		# All filters as one: a single jq.
		printf -v default '| %s ' "${@:2}"
		config "${default#|}"
	fi
}

# The same for all tests of a run but for the mark of its processes.
make_cached_bundle() {
	local new=$1.$BASHPID options=()

	is_root || options=(--rootless)
	"$SOURCE/image/default/unpack" "$HULL_IMAGE" "$new/rootfs"
	hull spec "${options[@]}" --bundle "$new"
	BUNDLE=$new config '.process.terminal = false | .process.args = ["true"] |
		.process.env += ["HULL_TEST=@TAG@"]'
	# Another test may have been faster.
	mv -T "$new" "$1" 2>/dev/null || rm -rf "$new"
}

config() {
	jq "$@" <"$BUNDLE/config.json" >"$BUNDLE/config.new"
	mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

config_args() {
	local word names='' options=()
	# jq's own --args takes a word like -c for an option.
	for word in "$@"; do
		options+=(--arg "w${#options[@]}" "$word")
		names+=${names:+,}\$w$((${#options[@]} - 3))
	done
	config ".process.args = [$names]" "${options[@]}"
}

# ---- running hull

# hull with the test's own state root. Without a terminal, without bats's
# descriptors, and marked so that whatever comes of it can be found.
hull() {
	HULL_TEST=$TAG XDG_RUNTIME_DIR=$RUNTIME_DIR "$HULL" --root "$STATE" "$@" 3>&- 4>&-
}

run_hull() {
	run_command "$HULL" --root "$STATE" "$@"
}

# run_command WORD...: runs a command to its end, or for a minute. Sets $status,
# $stdout and $stderr, $output (both, in this order) and $lines (of $output).
# They go through files, $stdout_file and $stderr_file, not through pipes: so
# nothing waits for a container that is created here and goes on, and what that
# container prints later is in these files too.
run_command() {
	calls=$((calls + 1))
	stdout_file=$WORK/stdout.$calls
	stderr_file=$WORK/stderr.$calls
	status=0
	HULL_TEST=$TAG XDG_RUNTIME_DIR=$RUNTIME_DIR \
		timeout --foreground --kill-after=5 "$((60 * HULL_TEST_SLOW))" "$@" \
		>"$stdout_file" 2>"$stderr_file" 3>&- 4>&- || status=$?
	read_output
	if [ "$status" = 124 ]; then
		echo "still running after $((60 * HULL_TEST_SLOW)) s: $*" >&2
		return 1
	fi
}

# Reads again what the last command, or the container it made, has printed.
read_output() {
	{
		stdout=$(<"$stdout_file")
		stderr=$(<"$stderr_file")
	} 2>/dev/null # bash complains of NUL bytes, and drops them
	output=$stdout${stdout:+${stderr:+$'\n'}}$stderr
	mapfile -t lines <<<"$output"
}

expect() {
	local want=$1
	shift
	run_hull "$@"
	[ "$status" = "$want" ] || mismatch "exit status of \`hull $*\`" "$want" "$status"
}

# start_hull WORD...: hull in the background; what it prints is in $stdout_file
# and $stderr_file.
start_hull() {
	calls=$((calls + 1))
	stdout_file=$WORK/stdout.$calls
	stderr_file=$WORK/stderr.$calls
	HULL_TEST=$TAG XDG_RUNTIME_DIR=$RUNTIME_DIR "$HULL" --root "$STATE" "$@" \
		>"$stdout_file" 2>"$stderr_file" 3>&- 4>&- &
	hull_pid=$!
}

wait_hull() {
	wait_for 60 process_gone "$hull_pid"
	status=0
	wait "$hull_pid" || status=$?
	read_output
}

# in_background COMMAND...: for helpers of the test that are not hull.
in_background() {
	"$@" 3>&- 4>&- &
	BACKGROUND+=($!)
}

# Below those that the kernel gives to clients; the suites of root and of users run side by side.
free_port() {
	while
		port=$((20000 + SRANDOM % 3000 * 4 + (UID != 0) * 2))
		grep -q ":$(printf %04X "$port") \|:$(printf %04X "$((port + 1))") " /proc/net/tcp
	do :; done
}

# ---- what came of it

stdout_is() { [ "$stdout" = "$1" ] || mismatch stdout "$1" "$stdout"; }
stderr_is() { [ "$stderr" = "$1" ] || mismatch stderr "$1" "$stderr"; }
stdout_has() { [[ $stdout == *"$1"* ]] || mismatch 'part of stdout' "$1" "$stdout"; }
stderr_has() { [[ $stderr == *"$1"* ]] || mismatch 'part of stderr' "$1" "$stderr"; }

# mismatch WHAT EXPECTED FOUND: says it, with all that the last command said, and fails.
mismatch() {
	printf '%s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3"
	printf 'the command exited with %s\nstdout: %s\nstderr: %s\n' \
		"${status:-?}" "${stdout:-}" "${stderr:-}"
	return 1
} >&2

state_of() {
	hull state "$1" | jq -r "${2:-.status}"
}

wait_state() {
	wait_for 30 has_state "$@"
}

has_state() {
	[ "$(state_of "$1" 2>/dev/null)" = "$2" ]
}

# wait_for SECONDS COMMAND...: tries the command every 20 ms.
wait_for() {
	local limit=$((SECONDS + $1 * HULL_TEST_SLOW + 1))
	shift
	until "$@"; do
		if [ "$SECONDS" -ge "$limit" ]; then
			echo "waited in vain for: $*" >&2
			return 1
		fi
		sleep 0.02
	done
}

process_gone() {
	! kill -0 "$1" 2>/dev/null || [ "$(process_status "$1")" = Z ]
}

# process_status PID: one letter, as in proc_pid_stat(5).
process_status() {
	sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}

# ---- terminals

# Receives one terminal at a unix socket as engines do. FILE gets what the
# terminal shows; $FILE.name the message that came with it; whatever is written
# to the fifo $FILE.in is typed. Returns once the socket listens.
console_listen() {
	mkfifo "$2.in"
	in_background python3 -c '
import array, os, select, socket, sys
path, out = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen()
connection, _ = listener.accept()
data, control, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(16))
descriptors = array.array("i")
for level, kind, payload in control:
    if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
        descriptors.frombytes(payload)
connection.close()
assert len(descriptors) == 1, descriptors
terminal = descriptors[0]
with open(out + ".name", "wb") as name:
    name.write(data)
typed = os.open(out + ".in", os.O_RDWR)
with open(out, "wb", buffering=0) as shown:
    while True:
        for ready in select.select([terminal, typed], [], [])[0]:
            try:
                data = os.read(ready, 4096)
            except OSError: # EIO: nobody holds the other end any more
                data = b""
            if not data:
                sys.exit(0)
            if ready == terminal:
                shown.write(data)
            else:
                os.write(terminal, data)
' "$1" "$2"
	wait_for 10 test -S "$1"
}

# in_terminal FILE WORD...: a person's terminal, made by script(1); sets $status.
in_terminal() {
	local file=$1
	shift
	status=0
	# At the end of its input script(1) types what then stands in the terminal's output.
	[ -p "$file.stdin" ] || mkfifo "$file.stdin"
	env HULL_TEST="$TAG" XDG_RUNTIME_DIR="$RUNTIME_DIR" \
		timeout --foreground --kill-after=5 "$((60 * HULL_TEST_SLOW))" \
		script --quiet --return --flush --command "$(printf '%q ' "$@")" "$file.script" \
		<>"$file.stdin" >"$file" 3>&- 4>&- || status=$?
}

# The same in the background, its pid in $terminal_pid; `wait` for that gives its status.
start_in_terminal() {
	(in_terminal "$@" && exit "$status") &
	terminal_pid=$!
}

# ---- what the machine has

is_root() { [ "$(id -u)" -eq 0 ]; }

# requires WHAT...: each is one of the words below, some with a value: kernel=6.12
requires() {
	local what
	for what in "$@"; do
		case $what in
		root) is_root || skip "needs root" ;;
		user) ! is_root || skip "is about users other than root" ;;
		kernel=*) kernel_is_at_least "${what#*=}" || skip "needs Linux ${what#*=}" ;;
		program=*) command -v "${what#*=}" >/dev/null || skip "needs the program ${what#*=}" ;;
		capability=*) has_capability "${what#*=}" || skip "needs CAP_${what#*=} on the host" ;;
		controller=*) has_controller "${what#*=}" ||
			skip "needs the ${what#*=} controller in cgroup v2" ;;
		cgroup-write) [ -w "$(cgroup_mount)$(own_cgroup)/cgroup.procs" ] ||
			skip "needs a cgroup it may write" ;;
		pure-v2) [ -e /sys/fs/cgroup/cgroup.controllers ] || skip "needs cgroup v2 alone" ;;
		hybrid) [ -e /sys/fs/cgroup/unified ] || skip "is about hybrid cgroups" ;;
		cgroup) has_cgroup || skip "needs a cgroup that this user may make others beside" ;;
		systemd) [ -d /run/systemd/system ] || skip "needs systemd" ;;
		subids) grep -q "^$(id -un):" /etc/subuid 2>/dev/null || skip "needs a range of subordinate ids" ;;
		overlay) grep -qw overlay /proc/filesystems || skip "needs overlayfs" ;;
		path=*) [ -e "${what#*=}" ] || skip "needs ${what#*=}" ;;
		*)
			echo "requires: what is \"$what\"?" >&2
			return 1
			;;
		esac
	done
}

# hull puts a container beside its caller's cgroup, or for root at the top.
has_cgroup() {
	local own mount
	is_root && return
	own=$(sed -n 's/^0:://p' /proc/self/cgroup)
	mount=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
	[ -w "$mount${own%/*}/cgroup.procs" ]
}

kernel_is_at_least() {
	printf '%s\n' "$1" "$(uname -r)" | sort --version-sort --check=quiet
}

# has_capability NAME (sys_resource): by the bounding set, where this machine has holes.
has_capability() {
	capsh --has-b="cap_${1,,}" 2>/dev/null
}

# For a user, where hull would put a container; for root, at the top.
has_controller() {
	local beside=
	is_root || beside=$(own_cgroup)
	grep -qw "$1" "$(cgroup_mount)${beside%/*}/cgroup.controllers" 2>/dev/null
}

# The mount point of cgroup v2: /sys/fs/cgroup, or its unified/ on a hybrid host.
cgroup_mount() {
	if [ -e /sys/fs/cgroup/unified/cgroup.procs ]; then
		echo /sys/fs/cgroup/unified
	else
		echo /sys/fs/cgroup
	fi
}

# Our own cgroup below the mount; / is the empty word.
own_cgroup() {
	sed -n 's/^0:://p' /proc/self/cgroup | sed 's,^/$,,'
}

# cgroup_of PID: the directory of its cgroup.
cgroup_of() {
	echo "$(cgroup_mount)$(sed -n 's/^0:://p' "/proc/$1/cgroup")"
}

# ---- nothing is left

delete_all_containers() {
	local directory
	for directory in "$STATE"/*/; do
		[ -d "$directory" ] || continue
		hull delete --force "$(basename "$directory")" </dev/null || true
	done
}

# Fails, and names each, if anything is there that a container brings with it.
assert_nothing_left() {
	local left limit=$((SECONDS + 2 + HULL_TEST_SLOW / 3))
	# A process that was just killed may need a moment to be gone.
	while left=$(leftovers "$TAG" "$WORK") && [ -n "$left" ]; do
		[ "$SECONDS" -lt "$limit" ] || break
		sleep 0.05
	done
	[ -n "$left" ] || return 0
	printf 'left behind:\n%s\n' "$left" >&2
	return 1
}

# leftovers TAG WORK: a line for each process, cgroup, mount and state directory.
leftovers() {
	local pid path
	for pid in $(processes_of "$1"); do
		echo "process $pid: $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")"
	done
	for path in $(cgroups_of "$1"); do
		# The parent that a test made up (cgroupsPath "/$TAG/...") may stay; runtimes
		# can't know that nobody else needs it.
		[ "${path##*/}" = "$1" ] && [ ! -d "$2/state/$1" ] && continue
		echo "cgroup $path"
	done
	if [[ $(</proc/self/mountinfo) == *"$1"* ]]; then
		mounts_of "$1" | sed 's/^/mount /'
	fi
	for path in "$2"/state/* /run/hull/*"$1"* "/run/user/$UID/hull/"*"$1"*; do
		[ ! -e "$path" ] || echo "state $path"
	done
}

# Processes that hull started (they carry the mark of `hull`), and hulls with the
# test's state root. The words are on stdin and not among those of grep, which
# would find itself.
# shellcheck disable=SC2013,SC2062 # these lines are words; no globs are meant for grep
processes_of() {
	local file pid
	for file in $(grep -lsF --file=- /proc/[0-9]*/environ /proc/[0-9]*/cmdline \
		<<<"HULL_TEST=$1"$'\n'"/$1/state"); do
		pid=${file#/proc/}
		pid=${pid%/*}
		[ "$(process_status "$pid")" = Z ] || echo "$pid"
	done
}

cgroups_of() {
	find /sys/fs/cgroup -depth -type d \( -name "*$1*" -o -path "*/$1/*" \) 2>/dev/null || true
}

mounts_of() {
	awk '{ print $5 }' /proc/self/mountinfo | grep -F "$1" || true
}

# What hull leaves goes after all, so that one test does not disturb the next.
remove_leftovers() {
	local tag=$1 work=$2 pid path

	for pid in $(processes_of "$tag"); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	for path in $(cgroups_of "$tag"); do
		{ echo 1 >"$path/cgroup.kill"; } 2>/dev/null || true
		for _ in {1..50}; do
			rmdir "$path" 2>/dev/null && break
			sleep 0.02
		done
	done
	# Inner mounts first.
	mounts_of "$tag" | tac | while read -r path; do
		umount --lazy "$path" || true
	done
}

# remove_work TAG WORK: the test's directory and the cgroup that it may have made up.
remove_work() {
	local path
	for path in /sys/fs/cgroup/{,*/}"$1"; do
		[ ! -d "$path" ] || rmdir "$path" || true
	done
	if [ -n "${HULL_TEST_KEEP:-}" ]; then
		echo "kept: $2" >&2
	else
		rm -rf "$2" || true
	fi
}

assert_no_sanitizer_report() {
	[ -n "${UBSAN_OPTIONS:-}" ] || return 0
	! grep -sE 'ERROR: (Address|Leak)Sanitizer|: runtime error: ' "$WORK"/std*.* >&2
}
