#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
#
# A container's file system to a tar.
# shellcheck disable=SC2016,SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
}

teardown() {
	teardown_people
}

ready() { hull --data-root "$DATA" exec "$1" test -e /ready; }

long=$(printf 'n%.0s' {1..200})
changes='rm /bin/vi; mkdir -m 750 /new; echo one >/new/file; ln /new/file /new/second; ln -s /etc/passwd /new/link
	chmod 4711 /new/file; touch -d "2001-02-03 04:05:06" /new/file; mkfifo /new/pipe; echo x >/new/'$long'
	mkdir /new/dir; echo y >"/new/dir/a
b"; echo volume >/data/secret; touch /ready'

# verify FILE: the tar has what $changes made.
verify() {
	python3 - "$1" "$long" <<-'END'
		import sys, tarfile
		t = tarfile.open(sys.argv[1])
		m = {i.name: i for i in t.getmembers()}
		names = t.getnames()
		assert len(names) == len(set(names)), "a name twice"
		assert "bin/vi" not in m and "bin/busybox" in m
		assert m["new"].isdir() and m["new"].mode == 0o750 and m["new"].uid == 0
		f = m["new/file"]
		assert f.isreg() and f.mode == 0o4711 and f.mtime == 981173106 and t.extractfile(f).read() == b"one\n"
		assert m["new/second"].islnk() and m["new/second"].linkname == "new/file"
		assert m["new/link"].issym() and m["new/link"].linkname == "/etc/passwd"
		assert m["new/pipe"].isfifo()
		assert t.extractfile("new/" + sys.argv[2]).read() == b"x\n"
		assert t.extractfile("new/dir/a\nb").read() == b"y\n"
		# Mount points are there, and nothing of what is mounted.
		assert all(m[name].isdir() for name in ("proc", "sys", "dev", "data"))
		inside = [n for n in names if n.startswith(("proc/", "sys/", "data/"))]
		assert not inside, inside
	END
}

@test "export writes what is in a container, running or stopped, and the same each time" {
	do_ 0 run -d --network none --name one -v "$TAG-v:/data" $IMAGE sh -c "$changes; exec sleep 1000"
	wait_for 20 ready one
	do_ 0 export -o "$WORK/running.tar" one
	stdout_is ""
	verify "$WORK/running.tar"
	do_ 0 stop -t 0 one
	do_ 0 export --output "$WORK/stopped.tar" one
	verify "$WORK/stopped.tar"
	cmp "$WORK/running.tar" "$WORK/stopped.tar"
	hull --data-root "$DATA" export one >"$WORK/stream.tar"
	cmp "$WORK/running.tar" "$WORK/stream.tar"
	do_ 0 import "$WORK/running.tar" again
	do_ 0 run --rm --network none again cat /new/second
	stdout_is one
}

@test "export of a container of a directory, and of one that never ran" {
	mkdir "$WORK/root"
	do_ 0 run --network none --rm -v "$WORK/root:/out" $IMAGE sh -c 'mkdir /out/bin && cp /bin/busybox /out/bin/ && ln -s busybox /out/bin/true'
	do_ 0 run --network none --name plain --rootfs "$WORK/root" /bin/true
	do_ 0 export -o "$WORK/plain.tar" plain
	tar -tf "$WORK/plain.tar" | grep -qx bin/busybox
	do_ 127 run --network none --name never $IMAGE /no/such/program
	do_ 0 export -o "$WORK/never.tar" never
	tar -tf "$WORK/never.tar" | grep -qx bin/busybox
}

@test "an export that fails says why and leaves nothing" {
	do_ 1 export -o "$WORK/x.tar" nobody
	stderr_is "hull: no such container: nobody"
	do_ 0 run --network none --name one $IMAGE true
	do_ 1 export -o "$WORK/no/dir/x.tar" one
	stderr_has "$WORK/no/dir/x.tar"
	echo before >"$WORK/x.tar"
	[ ! -e /dev/full ] || {
		do_ 1 export -o /dev/full one
		stderr_is "hull: export one: write the archive: no space left on device"
	}
	# Deeper than an archive can say.
	do_ 0 run --network none --name deep $IMAGE sh -c 'i=0; while [ $i -lt 300 ]; do mkdir d; cd d; i=$((i + 1)); done'
	do_ 1 export -o "$WORK/x.tar" deep
	stderr_has "it lies below more than 256 directories"
	[ "$(cat "$WORK/x.tar")" = before ]
	[ "$(find "$WORK" -maxdepth 1 -name 'x.tar*' | wc -l)" = 1 ]
}

@test "export opens nothing but files, while they are swapped with pipes and links to the host's" {
	local i
	echo "$TAG-secret" >"$WORK/secret"
	do_ 0 run -d --network none --name racer $IMAGE sh -c "
		mkdir /r; cd /r; mkfifo pipe; echo mine >file; ln -s $WORK/secret link; mkdir dir; ln -s $WORK dirlink; touch /ready
		while :; do mv file t; mv pipe file; mv link pipe; mv t link; mv dir t; mv dirlink dir; mv t dirlink; done"
	wait_for 20 ready racer
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		timeout 60 "$HULL" --root "$STATE" --data-root "$DATA" export -o "$WORK/$i.tar" racer 
		tar -tf "$WORK/$i.tar" | grep -qx bin/busybox
		[ "$(grep -ac "$TAG-secret" "$WORK/$i.tar")" = 0 ]
	done
}
