#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
#
# Images as one file of EROFS: image pack, and run --rootfs FILE.
# shellcheck disable=SC2016,SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
	requires program=mkfs.erofs
}

teardown() {
	HULL=${REAL_HULL:-$HULL}
	teardown_people
}

# layered: localhost/layered, an image of three layers with what there is in images.
layered() {
	local special=true
	is_root && special='mknod /null c 1 3; chown 3:4 /owned'
	run_ 0 --cap-add MKNOD --name one "$IMAGE" sh -c "mkdir /dir /opaque; echo a >/dir/a; echo b >/opaque/b; ln /dir/a /hard; ln -s dir /link; touch /owned; $special; chmod 4755 /hard; rm /bin/vi"
	do_ 0 commit one step
	run_ 0 --name two step sh -c 'rm /dir/a; rm -r /opaque; mkdir /opaque; echo c >/opaque/c; mkdir /late; echo late >/late/file'
	do_ 0 commit two layered
	do_ 0 rm one two
}

listing() { tar --list --verbose --numeric-owner --full-time --file="$1" | grep -Ev ' \./?(etc/(hosts|hostname|resolv.conf)|dev/?|proc/?|sys/?|run/?)?$| etc/(hosts|hostname|resolv.conf)$' | sort -k 6; }

@test "an image is packed, and runs from the file as it runs from its layers" {
	requires root
	layered
	do_ 0 image pack --output "$WORK/image.erofs" layered
	stdout_is ""
	[ "$(od -An -tx4 -j1024 -N4 "$WORK/image.erofs" | tr -d ' ')" = e0f5e1e2 ]
	[ -z "$(find . -name '*.new')" ]
	run_ 0 --name packed --rootfs "$WORK/image.erofs" sh -c 'cat /opaque/c /late/file; test ! -e /dir/a; test ! -e /bin/vi; stat -c %a /hard; echo new >/new; rm /late/file; grep -c " / overlay rw" /proc/mounts'
	stdout_is $'c\nlate\n4755\n1'
	do_ 0 diff packed
	stdout_has $'D /late/file\nA /new'
	# What it changed is its own; another begins anew.
	run_ 0 --name fresh --rootfs "$WORK/image.erofs" true
	run_ 0 --name layers layered true
	hull --data-root "$DATA" export fresh >"$WORK/fresh.tar"
	hull --data-root "$DATA" export layers >"$WORK/layers.tar"
	diff <(listing "$WORK/layers.tar") <(listing "$WORK/fresh.tar")
	do_ 0 start -a packed
	do_ 0 cp packed:/new "$WORK/new"
	[ "$(cat "$WORK/new")" = new ]
}

@test "a packed image: --read-only, users by name, detached, several at the same time" {
	requires root
	do_ 0 pull -q "$IMAGE"
	do_ 0 image pack --compression lz4 -o "$WORK/image.erofs" "$IMAGE"
	run_ 1 --rm --read-only --rootfs "$WORK/image.erofs" touch /x
	stderr_has "Read-only file system"
	run_ 0 --rm -u user --rootfs "$WORK/image.erofs" id -u
	stdout_is 1000
	local i
	for i in 1 2 3; do run_ 0 -d --name "c$i" --rootfs "$WORK/image.erofs" sh -c "echo $i >/x; sleep 1000"; done
	for i in 1 2 3; do
		wait_for 10 has_file "c$i"
		do_ 0 exec "c$i" cat /x
		stdout_is "$i"
	done
	do_ 0 rm -f c1 c2 c3
}
has_file() { hull --data-root "$DATA" exec "$1" test -s /x; }

@test "packing says what is wrong, and leaves nothing" {
	do_ 0 pull -q "$IMAGE"
	do_ 1 image pack -o "$WORK/out" no/such
	stderr_has "no/such"
	do_ 1 image pack "$IMAGE"
	stderr_is 'hull: image pack: --output FILE says which file to write'
	do_ 1 image other "$IMAGE"
	stderr_is 'hull: image "other": expected inspect or pack'
	do_ 1 image pack -o "$WORK/no/dir/out" "$IMAGE"
	stderr_has "no such file or directory"
	do_ 1 image pack --compression zip -o "$WORK/out" "$IMAGE"
	stderr_has "not one of none|lz4|lz4hc"
	[ -z "$(find "$WORK" -name 'out*')" ]
	do_ 0 image pack -o "$WORK/out" "$IMAGE"
	[ -s "$WORK/out" ]
	echo text >"$WORK/text"
	is_root || return 0
	run_ 125 --rm --rootfs "$WORK/text" true
	stderr_is "hull: $WORK/text: it is neither a directory nor a file with an EROFS in it"
	[ -z "$(ls "$DATA/containers")" ]
}

@test "without mkfs.erofs that is said" {
	requires root
	do_ 0 pull -q "$IMAGE"
	REAL_HULL=$HULL
	: >"$WORK/none"
	printf '#!/bin/sh\nexec unshare --mount --propagation private sh -c '"'"'for p in /usr/bin /usr/sbin /usr/local/bin; do [ ! -e $p/mkfs.erofs ] || mount --bind "%s" $p/mkfs.erofs; done; exec "$@"'"'"' sh "%s" "$@"\n' "$WORK/none" "$HULL" >"$WORK/hull"
	chmod +x "$WORK/hull"
	HULL=$WORK/hull
	do_ 1 image pack -o "$WORK/out" "$IMAGE"
	stderr_is "hull: an image is packed by mkfs.erofs, which is not there: install erofs-utils"
	[ ! -e "$WORK/out" ]
}

@test "without root a packed image is not run, and says why" {
	is_root && skip "is for users"
	do_ 0 pull -q "$IMAGE"
	do_ 0 image pack -o "$WORK/image.erofs" "$IMAGE"
	run_ 125 --rm --rootfs "$WORK/image.erofs" true
	stderr_is "hull: $WORK/image.erofs: an EROFS can be mounted by root alone"
}
