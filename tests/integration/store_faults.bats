#!/usr/bin/env bats
# as: root
# sanitizers: no
#
# HULL_STORE_ROUNDS commands (25), each killed or without room on its disk at a random point
# (tests/tools/store-faults): the store is whole, nothing that was acknowledged is lost, nothing is left.
# HULL_STORE_SEED repeats one run.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers

setup() {
	setup_test
	requires program=python3 program=mkfs.ext4
	[ -e "${HULL%/*}/libexec/hull/hull-unpack" ] || skip "needs hull-unpack beside hull"
	mkdir "$WORK/source" "$WORK/disk"
	cp -R "$HULL_IMAGE" "$WORK/source/layout"
	expect 0 --data-root "$WORK/data" pull -q hull/busybox
	expect 0 --data-root "$WORK/data" save -o "$WORK/source/archive" hull/busybox
	rm -rf "$WORK/data"
	mkdir -p "$WORK/root/bin"
	cp "$(command -v busybox)" "$WORK/root/bin/sh"
	ln -s sh "$WORK/root/bin/true"
	ln -s sh "$WORK/root/bin/sleep"
	ln -s sh "$WORK/root/bin/dd"
	ln -s sh "$WORK/root/bin/touch"
	ln -s sh "$WORK/root/bin/sync"
	tar -C "$WORK/root" -cf "$WORK/source/root.tar" .
	truncate --size=40M "$WORK/image"
	mkfs.ext4 -q -m 0 "$WORK/image"
}

# faults ROUNDS SEED
faults() {
	run_command unshare --mount --propagation private sh -c \
		'mount -o loop "$1/image" "$1/disk" && shift && exec "$@"' sh "$WORK" \
		"$SOURCE/tests/tools/store-faults" "$HULL" "$WORK/source/layout" "$WORK/disk" "$STATE" "$@"
	[ "$status" -ne 32 ] || skip "a loop device can't be mounted here: $stderr"
	echo "$stdout$stderr"
	[ "$status" = 0 ]
}

@test "killed, or with a full disk, at random points: pull, load, import, run, rm, rmi, commit, prune" {
	local left=${HULL_STORE_ROUNDS:-25} seed=${HULL_STORE_SEED:-$RANDOM}
	while [ "$left" -gt 0 ]; do
		faults "$((left < 25 ? left : 25))" "$seed"
		left=$((left - 25)) seed=$((seed + 1))
	done
}
