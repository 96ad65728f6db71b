# people_helpers.bash - what the tests of the commands for people stand on, beside helpers.
#
#	setup_people        a store of images of the test's own, $DATA; without hull-unpack, a skip
#	teardown_people     all containers of it are removed, then it itself
#	do_ STATUS WORD...  hull with that store, and its exit status
#	run_ STATUS WORD... hull run, without a network: that is another file's subject
# shellcheck shell=bash
# shellcheck disable=SC2034 # the tests use what is set here

IMAGE=hull/busybox # the default image's name

setup_people() {
	setup_test
	DATA=$WORK/data
	[ -e "${HULL%/*}/libexec/hull/hull-unpack" ] || skip "needs hull-unpack beside hull"
}

teardown_people() {
	local id
	for id in $(hull --data-root "$DATA" ps -aq --no-trunc 2>/dev/null); do
		hull --data-root "$DATA" rm -fv "$id" >/dev/null 2>&1 || true
		[ -z "$(find /sys/fs/cgroup -maxdepth 3 -name "$id" 2>/dev/null)" ] ||
			echo "a cgroup of $id is left" >&2
	done
	# What rootless containers leave is of ids that only their user namespace has.
	rm -rf "$DATA" 2>/dev/null || true
	teardown_test
}

# let_go NAME: makes /go, which its program waits for; the container may end, and touch with it.
let_go() {
	run_hull --data-root "$DATA" exec "$1" touch /go
	[ "$status" = 0 ] || [ "$status" = 137 ] || mismatch "exit status" "0 or 137" "$status"
}

do_() {
	local want=$1
	shift
	expect "$want" --data-root "$DATA" "$@"
}

run_() {
	local want=$1
	shift
	do_ "$want" run --network none "$@"
}
