#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
#
# What a container changed of its image.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
}

teardown() {
	teardown_people
}

@test "diff tells what was added, changed and deleted, and nothing else" {
	do_ 0 run --network none --name same $IMAGE true
	do_ 0 diff same
	stdout_is ""
	do_ 0 run --network none --name other $IMAGE sh -c 'echo x >>/etc/passwd; rm /bin/vi; mkdir -p /new/dir
		echo y >/new/dir/file; ln -s / /new/link; printf z >"/new/a	b"'
	do_ 0 diff other
	stdout_is 'C /bin
D /bin/vi
C /etc
C /etc/passwd
A /new
A /new/a\x09b
A /new/dir
A /new/dir/file
A /new/link'
	do_ 0 run --network none --name mode $IMAGE chmod 700 /etc
	do_ 0 diff mode
	stdout_is "C /etc"
	do_ 1 diff nobody
	stderr_is "hull: no such container: nobody"
}

@test "diff sees through a directory that was made anew, and looks at a running container" {
	do_ 0 run --network none -d --name anew $IMAGE sh -c 'mv /etc /old; mkdir /etc; echo x >/etc/passwd; touch /done; exec sleep 1000'
	[ "$status" = 0 ]
	wait_for 20 made
	do_ 0 diff anew
	grep -qx 'C /etc' <<<"$stdout"
	grep -qx 'C /etc/passwd' <<<"$stdout"
	grep -qx 'D /etc/group' <<<"$stdout"
	grep -qx 'A /old/group' <<<"$stdout"
	grep -qx 'A /done' <<<"$stdout"
}

made() { hull --data-root "$DATA" exec anew test -e /done; }

@test "diff of a container of a directory is refused" {
	mkdir "$WORK/root"
	do_ 0 run --network none --rm -v "$WORK/root:/out" $IMAGE sh -c 'mkdir /out/bin && cp /bin/busybox /out/bin/ && ln -s busybox /out/bin/true'
	do_ 0 run --network none --name plain --rootfs "$WORK/root" /bin/true
	do_ 1 diff plain
	stderr_has "container plain is of a directory (--rootfs)"
}

# two_layers: an image localhost/two, whose upper layer adds /etc/second and deletes /bin/vi.
two_layers() {
	mkdir "$WORK/archive" "$WORK/layer"
	mkdir -p "$WORK/layer/etc" "$WORK/layer/bin"
	echo 2 >"$WORK/layer/etc/second"
	: >"$WORK/layer/bin/.wh.vi"
	tar -C "$WORK/layer" --owner=0 --group=0 -cf "$WORK/archive/1.tar" etc bin
	python3 - "$HULL_IMAGE" "$WORK/archive" <<-'END'
		import hashlib, json, shutil, sys
		layout, to = sys.argv[1:]
		blob = lambda d: layout + "/blobs/" + d["digest"].replace(":", "/")
		manifest = json.load(open(blob(json.load(open(layout + "/index.json"))["manifests"][0])))
		config = json.load(open(blob(manifest["config"])))
		shutil.copy(blob(manifest["layers"][0]), to + "/0.tar")
		config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(open(to + "/1.tar", "rb").read()).hexdigest())
		config.pop("history", None)
		json.dump(config, open(to + "/config.json", "w"))
		json.dump([{"Config": "config.json", "RepoTags": ["localhost/two:latest"], "Layers": ["0.tar", "1.tar"]}],
		          open(to + "/manifest.json", "w"))
	END
	tar -C "$WORK/archive" -c . >"$WORK/archive.tar"
	do_ 0 load --input "$WORK/archive.tar"
}

@test "diff of an image of several layers knows them as one" {
	[ -e "${HULL_IMAGE:-}/index.json" ] || skip "needs the default image as HULL_IMAGE"
	two_layers
	do_ 0 run --network none --name two localhost/two sh -c 'rm /etc/second; [ ! -e /bin/vi ] && echo x >/bin/vi; echo y >/bin/new'
	do_ 0 diff two
	stdout_is 'C /bin
A /bin/new
A /bin/vi
C /etc
D /etc/second'
}
