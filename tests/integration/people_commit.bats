#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
#
# Images of what containers have become.
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

# config_of IMAGE: its configuration, as it is in the store.
config_of() {
	local id
	id=$(hull --data-root "$DATA" inspect --type image "$1" | jq -r '.[0].Id')
	cat "$DATA/blobs/${id/://}"
}

# last_layer IMAGE: the file of its uppermost layer, whose name is also that of the plain tar.
last_layer() {
	local digest
	digest=$(config_of "$1" | jq -r '.rootfs.diff_ids[-1]')
	echo "$DATA/blobs/${digest/://}"
}

changes='rm /bin/vi; mkdir -m 750 /new; echo one >/new/file; ln /new/file /new/second; chmod 4711 /new/file
	mv /etc /old; mkdir /etc; cp /old/passwd /etc/; echo data >/v/file; touch /ready'

@test "commit makes an image of a container, running or stopped, whose layer is the same each time" {
	local first
	do_ 0 run -d --network none --name one -v "$TAG-v:/v" $IMAGE sh -c "$changes; exec sleep 1000"
	wait_for 20 ready one
	do_ 0 commit -q -m 'a message' -a 'An Author' one made:1
	first=$stdout
	[ "$(config_of made:1 | sha256sum | cut -d' ' -f1)" = "${first#sha256:}" ]
	do_ 0 stop -t 0 one
	do_ 0 commit one made:2
	cmp "$(last_layer made:1)" "$(last_layer made:2)"
	do_ 0 run --rm --network none --entrypoint sh made:1 -c '[ ! -e /bin/vi ] && [ "$(cat /new/second)" = one ] &&
		[ "$(stat -c %a:%h /new/file)" = 4711:2 ] && [ "$(stat -c %a /new)" = 750 ] && [ "$(ls /etc)" = "$(echo hostname; echo hosts; echo passwd; echo resolv.conf)" ] &&
		[ -e /old/group ] && [ ! -e /v/file ]'
	# What was is all there, with a step more.
	do_ 0 history made:1
	[ "$(config_of made:1 | jq -c '.history[-1] | [.author, .comment]')" = '["An Author","a message"]' ]
	[ "$(config_of made:1 | jq -r .author)" = "An Author" ]
	[ "$(config_of made:1 | jq '.rootfs.diff_ids | length')" = "$(($(config_of $IMAGE | jq '.rootfs.diff_ids | length') + 1))" ]
	[ "$(config_of made:1 | jq -c '.config.Cmd[0:2]')" = '["sh","-c"]' ]
	do_ 0 fsck
	# The layer is what tar(1) reads, with whiteouts as the image specification has them.
	tar -tf "$(last_layer made:1)" >"$WORK/list"
	grep -qx 'bin/.wh.vi' "$WORK/list"
	grep -qx 'etc/.wh.group' "$WORK/list"
	[ "$(grep -c '^v/file\|^proc/\|^dev/' "$WORK/list")" = 0 ]
	[ "$(sort "$WORK/list" | uniq -d)" = "" ]
}

@test "commit of nothing changed, of a commit, and without a name" {
	do_ 0 run --network none --name same $IMAGE true
	do_ 0 commit same
	do_ 0 images -q --no-trunc
	do_ 0 run --network none --name next "${stdout%%$'\n'*}" true
	do_ 0 commit same same
	do_ 0 run --network none --name two same sh -c 'rm /bin/vi; echo 2 >/two'
	do_ 0 commit two localhost/two:x
	do_ 0 run --network none --name three localhost/two:x sh -c '[ ! -e /bin/vi ] && echo 3 >/bin/vi && cat /two'
	stdout_is 2
	# Its image has lost its name meanwhile.
	do_ 0 rmi -f localhost/two:x
	do_ 0 commit three three
	do_ 0 run --rm --network none three cat /bin/vi /two
	stdout_is '3
2'
}

@test "commit keeps how the container runs, and changes what it is told to" {
	do_ 0 run --network none --name one -e A=1 -e B=2 -u 0:0 -w /tmp -l l=1 --entrypoint echo $IMAGE word
	do_ 0 commit one kept
	[ "$(config_of kept | jq -c '[.config.Entrypoint, .config.Cmd, .config.User, .config.WorkingDir, .config.Labels.l]')" = '[null,["echo","word"],"0:0","/tmp","1"]' ]
	config_of kept | jq -e '.config.Env | index("A=1") and index("B=2") and (map(startswith("HOSTNAME=")) | any | not)'
	do_ 0 run --rm --network none kept
	stdout_is word
	do_ 0 commit -c 'CMD ["a", "b c"]' --change 'ENTRYPOINT ["echo", "-n"]' -c 'ENV A=3 C="x y"' -c 'ENV D rest of it' \
		-c 'LABEL m=2 "n o"=3' -c 'USER=12:34' -c 'WORKDIR below' -c 'EXPOSE 80 53/udp' -c 'VOLUME ["/data"]' -c 'stopsignal SIGINT' one changed
	[ "$(config_of changed | jq -cS '.config | [.Cmd, .Entrypoint, .User, .WorkingDir, .ExposedPorts, .Volumes, .StopSignal]')" = \
		'[["a","b c"],["echo","-n"],"12:34","/tmp/below",{"53/udp":{},"80/tcp":{}},{"/data":{}},"SIGINT"]' ]
	[ "$(config_of changed | jq -cS '.config.Labels | [.l, .m, .["n o"]]')" = '["1","2","3"]' ]
	config_of changed | jq -e '.config.Env | index("A=3") and index("B=2") and index("C=x y") and index("D=rest of it") and (index("A=1") | not)'
	do_ 0 commit -c 'CMD echo $((1 + 1))' -c 'ENTRYPOINT' one shell
	do_ 0 run --rm --network none shell
	stdout_is 2
}

@test "what a commit can't do it says, and leaves nothing" {
	local before
	do_ 0 run --network none --name one $IMAGE sh -c 'echo x >/.wh.file'
	before=$(find "$DATA/blobs" | sort)
	do_ 1 commit one x
	stderr_is 'hull: commit one: "/.wh.file": in a layer such a name would delete another'
	do_ 1 commit -c 'FROM x' one x
	stderr_has '"FROM x": expected CMD, ENTRYPOINT'
	do_ 1 commit -c 'CMD ["x"' one x
	do_ 1 commit -c 'ENV A="x' one x
	stderr_has 'a quote (") is not closed'
	do_ 1 commit one UPPER
	do_ 1 commit nobody x
	stderr_is "hull: commit nobody: no such container: nobody"
	[ "$(find "$DATA/blobs" | sort)" = "$before" ]
	[ -z "$(ls "$DATA/staging")" ]
	mkdir -p "$WORK/root/bin"
	do_ 127 run --network none --name plain --rootfs "$WORK/root" /bin/true
	do_ 1 commit plain x
	stderr_has "it is of a directory (--rootfs)"
}

@test "commit --pause stops the container meanwhile, and lets it go on" {
	requires cgroup
	do_ 0 run -d --network none --name one $IMAGE sh -c 'touch /ready; while :; do echo x >>/log; done'
	wait_for 20 ready one
	do_ 0 commit --pause one made
	do_ 0 ps --format '{{.State}}'
	stdout_is running
	do_ 0 exec one true
	do_ 0 pause one
	do_ 0 commit --pause one made
	do_ 0 ps --format '{{.State}}'
	stdout_is paused
	do_ 0 unpause one
}

@test "skopeo takes what was committed" {
	requires program=skopeo
	do_ 0 run --network none --name one $IMAGE sh -c 'echo x >/x'
	do_ 0 commit one made
	do_ 0 save -o "$WORK/made.tar" made
	export HOME=$WORK XDG_RUNTIME_DIR=$WORK TMPDIR=$WORK
	skopeo copy --quiet --tmpdir "$WORK" --insecure-policy "oci-archive:$WORK/made.tar" "dir:$WORK/dir"
	[ "$(skopeo inspect --tmpdir "$WORK" --format '{{len .Layers}}' "oci-archive:$WORK/made.tar")" = 2 ]
}
