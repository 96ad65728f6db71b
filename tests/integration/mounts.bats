#!/usr/bin/env bats
# as: root, user
#
# Mounts: file systems, binds, their options, and what the root looks like
# then. What images try with links is in escape.bats.
# shellcheck disable=SC2154,SC2016
load helpers

# with [FILTER...]: a bundle of its own, its root writable.
with() { make_bundle "bundle$((++bundles))" '.root.readonly = false' "$@"; }

# run_sh SCRIPT: in a container of $BUNDLE.
run_sh() {
	config_args sh -c "$1"
	expect 0 run --bundle "$BUNDLE" "$ID"
}

# run_beside SETUP SCRIPT: the same, with a mount namespace of its own for the
# host's side, in which SETUP makes mounts.
run_beside() {
	config_args sh -c "$2"
	run_command unshare --mount --propagation "${propagation:-private}" \
		sh -euc "$1"'; exec "$@"' sh "$HULL" --root "$STATE" run --bundle "$BUNDLE" "$ID"
	[ "$status" = 0 ] || mismatch "exit status" 0 "$status"
}

# add DESTINATION SOURCE OPTION...: a filter that adds a bind.
add() {
	local options
	printf -v options '"%s",' "${@:3}"
	echo ".mounts += [{destination: \"$1\", type: \"bind\", source: \"$2\", options: [${options%,}]}]"
}

# add_tmpfs DESTINATION OPTION...: ... a tmpfs.
add_tmpfs() {
	local options
	printf -v options '"%s",' "${@:2}"
	echo ".mounts += [{destination: \"$1\", type: \"tmpfs\", source: \"name\", options: [${options%,}]}]"
}

# Of mountinfo: the optional fields of the mount at the path.
propagation_of='awk -v path="$path" "\$5 == path { for (i = 7; \$i != \"-\"; i++) print \$i }" /proc/self/mountinfo'

@test "the standard file systems" {
	local line
	with
	run_sh 'awk "{ for (i = 7; \$i != \"-\"; i++); print \$5, \$(i + 1) }" /proc/self/mountinfo'
	for line in '/proc proc' '/dev tmpfs' '/dev/pts devpts' '/dev/shm tmpfs' '/dev/mqueue mqueue' \
		'/sys sysfs'; do
		[[ $'\n'$stdout$'\n' == *$'\n'"$line"$'\n'* ]] || mismatch mount "$line" "$stdout"
	done
}

@test "message queues are the container root's" {
	with
	run_sh ': >/dev/mqueue/q && stat -c %u:%g /dev/mqueue /dev/mqueue/q'
	stdout_is $'0:0\n0:0'
}

@test "options of a file system show in mountinfo" {
	with "$(add_tmpfs /t nosuid nodev noexec noatime ro size=64k mode=1700 '')"
	run_sh 'grep " /t " /proc/self/mountinfo; stat -c "%a %u %g" /t; ! touch /t/x 2>/dev/null'
	[[ ${lines[0]} == *" /t ro,nosuid,nodev,noexec,noatime"*" - tmpfs name "*size=64k,mode=1700* ]] ||
		mismatch mountinfo "..." "$stdout"
	[ "${lines[1]}" = "1700 0 0" ]
}

@test "binds: read-write reaches the host, read-only is EROFS" {
	mkdir rw ro
	touch ro/x
	with "$(add /rw "$WORK/rw" rbind)" "$(add /ro "$WORK/ro" rbind ro nosuid)"
	run_sh 'echo hi >/rw/x; touch /ro/y; rm -f /ro/x; grep " /ro " /proc/self/mountinfo'
	[ "$(<rw/x)" = hi ]
	[ "$(ls ro)" = x ]
	stderr_has "/ro/y: Read-only file system"
	[[ $stdout == *" /ro ro,nosuid"* ]]
}

@test "binds: ro is of one mount, rro of all below; bind is of one, rbind of all" {
	requires root
	mkdir -p tree/sub
	with "$(add /ro "$WORK/tree" rbind ro)" "$(add /rro "$WORK/tree" rbind rro)" \
		"$(add /one "$WORK/tree" bind)"
	run_beside "mount -t tmpfs $TAG tree/sub; touch tree/sub/x" \
		'touch /ro/sub/a && echo writable; touch /rro/sub/b; touch /ro/c /rro/c; ls /one/sub; ls /rro/sub'
	stdout_is $'writable\na\nx'
	stderr_has "/rro/sub/b: Read-only file system"
	stderr_has "/ro/c: Read-only file system"
	stderr_has "/rro/c: Read-only file system"
}

@test "binds: a file's place is made, also its directories" {
	echo text >file
	with "$(add /a/b/file "$WORK/file" bind ro)"
	run_sh 'cat /a/b/file'
	stdout_is text
	[ -f "$BUNDLE/rootfs/a/b/file" ]
	[ ! -s "$BUNDLE/rootfs/a/b/file" ]
}

@test "binds: a relative source is of the bundle" {
	with "$(add /rel in-bundle bind)" "$(add /up ../beside bind)"
	mkdir "$BUNDLE/in-bundle" beside
	touch "$BUNDLE/in-bundle/x" beside/y
	run_sh 'ls /rel /up/'
	stdout_is $'/rel:\nx\n\n/up/:\ny'
}

@test "binds: a dangling resolv.conf of the image gets its bind, inside" {
	echo "nameserver 192.0.2.1" >resolv
	with "$(add /etc/resolv.conf "$WORK/resolv" bind ro)"
	rm -f "$BUNDLE/rootfs/etc/resolv.conf"
	ln -s "../run/$TAG/resolve/stub.conf" "$BUNDLE/rootfs/etc/resolv.conf"
	run_sh 'cat /etc/resolv.conf'
	stdout_is "nameserver 192.0.2.1"
	[ -f "$BUNDLE/rootfs/run/$TAG/resolve/stub.conf" ]
	[ ! -e "/run/$TAG" ]
}

@test "binds: links at destinations stay inside, absolute, relative, upwards" {
	mkdir canary src
	touch src/x
	with "$(add /abs/d "$WORK/src" bind)" "$(add /up/d "$WORK/src" bind)" "$(add /last "$WORK/src" bind)"
	ln -s "$WORK/canary" "$BUNDLE/rootfs/abs"
	ln -s "../../../../../../../..$WORK/canary" "$BUNDLE/rootfs/up"
	ln -s "$WORK/canary" "$BUNDLE/rootfs/last"
	run_sh "ls $WORK/canary"
	stdout_is x
	[ -z "$(ls canary)" ]
}

@test "a mount's propagation" {
	requires root
	local pair
	mkdir src
	for pair in private= slave=master: shared=shared: unbindable=unbindable; do
		with "$(add /p "$WORK/src" rbind "r${pair%=*}")"
		propagation=shared run_beside : "path=/p; $propagation_of"
		[[ $stdout == "${pair#*=}"* && (-n ${pair#*=} || -z $stdout) ]] || mismatch "$pair" "${pair#*=}" "$stdout"
	done
}

@test "rootfsPropagation" {
	requires root
	local pair
	for pair in private= slave=master: rslave=master: shared=shared: unbindable=unbindable; do
		with ".linux.rootfsPropagation = \"${pair%=*}\""
		propagation=shared run_beside : "path=/; $propagation_of"
		[[ $stdout == "${pair#*=}"* && (-n ${pair#*=} || -z $stdout) ]] || mismatch "$pair" "${pair#*=}" "$stdout"
	done
}

@test "a read-only root, with writable mounts" {
	with '.root.readonly = true'
	run_sh 'touch /x; touch /dev/shm/x && echo shm; awk "\$5 == \"/\" { print \$6 }" /proc/self/mountinfo'
	stderr_has "/x: Read-only file system"
	[[ $stdout == $'shm\nro'* ]]
}

@test "masked and read-only paths" {
	with '.linux.maskedPaths = ["/proc/version", "/secret", "/dir", "/nothing"] |
		.linux.readonlyPaths = ["/proc/sys", "/ro", "/nothing"]'
	echo secret >"$BUNDLE/rootfs/secret"
	mkdir "$BUNDLE/rootfs/dir" "$BUNDLE/rootfs/ro"
	touch "$BUNDLE/rootfs/dir/x"
	run_sh 'cat /secret; ls /dir; touch /dir/y; touch /ro/x; touch /proc/sys/kernel/domainname
		stat -c %t:%T /proc/version; stat -c %t:%T /secret; test ! -e /nothing && echo none'
	stdout_is $'1:3\n1:3\nnone'
	stderr_has "/dir/y: Read-only file system"
	stderr_has "/ro/x: Read-only file system"
	stderr_has "/proc/sys/kernel/domainname: Read-only file system"
}

@test "--no-pivot shows the same root" {
	with
	config_args sh -c 'ls -d /etc/os-release; ls / | wc -l'
	expect 0 run --bundle "$BUNDLE" "$ID"
	want=$stdout
	expect 0 run --no-pivot --bundle "$BUNDLE" "$ID"
	stdout_is "$want"
}

@test "/proc is a link, or a file: refused" {
	with
	rmdir "$BUNDLE/rootfs/proc"
	ln -s tmp "$BUNDLE/rootfs/proc"
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_is "hull: mounts[0]: proc must be mounted on a real directory, and /proc is none"
	rm "$BUNDLE/rootfs/proc"
	touch "$BUNDLE/rootfs/proc"
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_is "hull: mounts[0]: proc must be mounted on a real directory, and /proc is none"
	assert_nothing_left
}

@test "the container has none of the host's mounts, and the host none of its" {
	with
	run_sh 'cut -d" " -f5 /proc/self/mountinfo'
	[[ $'\n'$stdout != *$'\n'/.[a-z]* && $stdout != *pivot* ]] || mismatch mounts "none to pivot" "$stdout"
	[[ $stdout != *"$WORK"* ]] || mismatch mounts "none of $WORK" "$stdout"
	[[ $(</proc/self/mountinfo) != *"$TAG"* ]]
}

@test "no write reaches the host's sysctl or sysfs" {
	requires root
	with
	run_sh 'echo 1 >/proc/sys/vm/swappiness; touch /sys/x; true'
	[ "$(grep -c 'Read-only file system' <<<"$stderr")" = 2 ] || mismatch stderr "twice read-only" "$stderr"
}

@test "tmpcopyup: content, modes, links and times are as the image has them" {
	with "$(add_tmpfs /data tmpcopyup nosuid)"
	mkdir -p "$BUNDLE/rootfs/data/dir"
	echo text >"$BUNDLE/rootfs/data/dir/file"
	ln -s dir/file "$BUNDLE/rootfs/data/link"
	ln "$BUNDLE/rootfs/data/dir/file" "$BUNDLE/rootfs/data/hard"
	mkfifo "$BUNDLE/rootfs/data/fifo"
	chmod 640 "$BUNDLE/rootfs/data/dir/file"
	chmod 1711 "$BUNDLE/rootfs/data/dir"
	chmod 750 "$BUNDLE/rootfs/data"
	touch -d @1000 -h "$BUNDLE/rootfs/data/link"
	touch -d @2000 "$BUNDLE/rootfs/data/dir/file"
	touch -d @3000 "$BUNDLE/rootfs/data/dir"
	touch -d @4000 "$BUNDLE/rootfs/data"
	run_sh 'stat -f -c %T /data; cd /data; stat -c "%n %A %u:%g %Y" . dir dir/file link
		stat -c "%h %F" hard fifo; cat link; echo changed >hard; cat dir/file'
	stdout_is 'tmpfs
. drwxr-x--- 0:0 4000
dir drwx--x--t 0:0 3000
dir/file -rw-r----- 0:0 2000
link lrwxrwxrwx 0:0 1000
2 regular file
1 fifo
text
changed'
	[ "$(<"$BUNDLE/rootfs/data/hard")" = text ]
}

@test "tmpcopyup: mode= is the option's, what is missing is empty, and ro is ro" {
	with "$(add_tmpfs /data tmpcopyup mode=711)" "$(add_tmpfs /none tmpcopyup)" \
		"$(add_tmpfs /ro tmpcopyup ro)"
	mkdir "$BUNDLE/rootfs/data" "$BUNDLE/rootfs/ro"
	touch "$BUNDLE/rootfs/data/x" "$BUNDLE/rootfs/ro/y"
	run_sh 'stat -c "%n %a" /data /none; ls /data /none /ro; touch /ro/z; true'
	stdout_is $'/data 711\n/none 1777\n/data:\nx\n\n/none:\n\n/ro:\ny'
	stderr_has '/ro/z: Read-only file system'
}

@test "tmpcopyup: owners, as root" {
	requires root
	with "$(add_tmpfs /data tmpcopyup)"
	mkdir "$BUNDLE/rootfs/data"
	touch "$BUNDLE/rootfs/data/x"
	chown 5:6 "$BUNDLE/rootfs/data/x"
	chown 7:8 "$BUNDLE/rootfs/data"
	run_sh 'stat -c "%n %u:%g" /data /data/x'
	stdout_is $'/data 7:8\n/data/x 5:6'
}

@test "tmpcopyup: a link of the image into /proc or /sys is refused, nothing of it read" {
	local to
	for to in /proc/self ../../sys/kernel; do
		with "$(add_tmpfs /link tmpcopyup)"
		ln -s "$to" "$BUNDLE/rootfs/link"
		expect 1 run --bundle "$BUNDLE" "$ID"
		case $to in
		/proc*) stderr_has '.destination: "/link" is inside /proc, where nothing may be mounted' ;;
		*) stderr_has 'tmpcopyup" copies what the image has, and /link is in a file system of the kernel' ;;
		esac
		assert_nothing_left
	done
}

@test "tmpcopyup: a link of the image leads nowhere but inside" {
	with "$(add_tmpfs /link tmpcopyup)"
	mkdir canary
	touch canary/witness
	mkdir -p "$BUNDLE/rootfs$WORK/canary"
	touch "$BUNDLE/rootfs$WORK/canary/inside"
	ln -s "$WORK/canary" "$BUNDLE/rootfs/link"
	run_sh 'ls /link/'
	stdout_is inside
}

@test "tmpcopyup: more than the new file system holds is one sentence" {
	with "$(add_tmpfs /data tmpcopyup size=64k)"
	mkdir "$BUNDLE/rootfs/data"
	head -c 200000 /dev/zero | tr '\0' x >"$BUNDLE/rootfs/data/big"
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_has ": copy /data/big into the new file system: copy its content: no space left on device"
	assert_nothing_left
}

@test "src-nofollow: a link is bound itself" {
	ln -s to/nowhere link
	with "$(add /file "$WORK/link" bind src-nofollow)"
	run_sh 'readlink /file; grep -c " /file " /proc/self/mountinfo'
	stdout_is $'to/nowhere\n1'
}

@test "dest-nofollow: the mount is on the link, not where it leads" {
	echo source >source
	with "$(add /etc/link "$WORK/source" bind dest-nofollow)" "$(add /new/file "$WORK/source" bind dest-nofollow)"
	echo target >"$BUNDLE/rootfs/target"
	ln -s ../target "$BUNDLE/rootfs/etc/link"
	run_sh 'cat /etc/link /target /new/file'
	stdout_is $'source\ntarget\nsource'
}

@test "dest-nofollow: a directory cannot be on a link" {
	mkdir source
	with "$(add /link "$WORK/source" bind dest-nofollow)"
	ln -s etc "$BUNDLE/rootfs/link"
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_has ': /link in the container is no directory, and what is to be mounted there is one'
}

@test "copy-symlink: a link becomes one, anything else a bind; what is there must be the same" {
	ln -s /etc/localtime link
	echo text >file
	with "$(add /a/link "$WORK/link" bind copy-symlink)" "$(add /file "$WORK/file" bind copy-symlink)"
	for _ in 1 2; do
		run_sh 'readlink /a/link; cat /file; ! grep " /a/link " /proc/self/mountinfo'
		stdout_is $'/etc/localtime\ntext'
	done
	[ "$(readlink "$BUNDLE/rootfs/a/link")" = /etc/localtime ]
	ln -sf elsewhere "$BUNDLE/rootfs/a/link"
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_has ': /a/link exists in the container and is not the link to /etc/localtime'
	assert_nothing_left
}

@test "copy-symlink: the link is made inside" {
	mkdir canary
	ln -s /x link
	with "$(add /dir/new "$WORK/link" bind copy-symlink)"
	ln -s "$WORK/canary" "$BUNDLE/rootfs/dir"
	run_sh true
	[ -L "$BUNDLE/rootfs$WORK/canary/new" ]
	[ -z "$(ls canary)" ]
}

MAPS='.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
	.linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{type: "user"}]'

@test "idmap: a volume belongs to the container's root, and what it makes to the host's" {
	requires root
	mkdir volume
	touch volume/x
	chown 5:6 volume/x
	with "$MAPS" "$(add /v "$WORK/volume" bind idmap)"
	mkdir "$BUNDLE/rootfs/v" # root of the namespace may make nothing in an image of the host's root
	run_sh 'stat -c "%n %u:%g" /v /v/x; touch /v/new; id -u'
	stdout_is $'/v 0:0\n/v/x 5:6\n0'
	[ "$(stat -c %u:%g volume/new volume/x)" = $'0:0\n5:6' ]
}

@test "idmap: mappings of the mount, without a user namespace" {
	requires root
	mkdir volume
	with "$(add /v "$WORK/volume" bind)" '.mounts[-1].uidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		.mounts[-1].gidMappings = [{containerID: 0, hostID: 1001, size: 1}]' \
		"$(add /w "$WORK/volume" bind 'idmap=uids=0-7-1;gids=0-8-1')"
	run_sh 'stat -c "%n %u:%g" /v /w'
	stdout_is $'/v 1000:1001\n/w 7:8'
}

@test "idmap: mappings relative to those of the container" {
	requires root
	mkdir volume
	with "$MAPS" "$(add /v "$WORK/volume" bind 'idmap=uids=@0-7-1;gids=@0-0-1')"
	mkdir "$BUNDLE/rootfs/v"
	run_sh 'stat -c "%n %u:%g" /v'
	stdout_is '/v 7:0'
}

@test "idmap: tmpcopyup into a mapped tmpfs" {
	requires root
	with "$(add_tmpfs /data tmpcopyup ro)" '.mounts[-1].uidMappings = [{containerID: 0, hostID: 1000, size: 9}] |
		.mounts[-1].gidMappings = [{containerID: 0, hostID: 2000, size: 9}]'
	mkdir "$BUNDLE/rootfs/data"
	touch "$BUNDLE/rootfs/data/x"
	chown 3:4 "$BUNDLE/rootfs/data/x"
	run_sh 'stat -c "%n %u:%g" /data /data/x; touch /data/y 2>&1 | grep -c Read-only'
	stdout_is $'/data 1000:2000\n/data/x 1003:2004\n1'
}

@test "idmap: a file system that cannot, and a user who may not" {
	if is_root; then
		with "$MAPS" "$(add /v /sys/kernel bind idmap)"
		expect 1 run --bundle "$BUNDLE" "$ID"
		stderr_has ": the file system of /sys/kernel cannot be id-mapped by this kernel"
	else
		with "$(add /v "$WORK" bind idmap)"
		expect 1 run --bundle "$BUNDLE" "$ID"
		stderr_has ": an id-mapped mount needs root, and a mount namespace that is made for the container"
	fi
	assert_nothing_left
}

@test "an option that nothing is made of for a bind is told by name" {
	mkdir volume
	with "$(add /v "$WORK/volume" rbind nosiud readonly)"
	mkdir -p "$BUNDLE/rootfs/v"
	expect 0 run --bundle "$BUNDLE" "$ID"
	n=$(jq '.mounts | length - 1' "$BUNDLE/config.json")
	stderr_has " hull warning: mounts[$n].options: \"nosiud\" means nothing for a bind, and is ignored"
	stderr_has " hull warning: mounts[$n].options: \"readonly\" means nothing for a bind, and is ignored"
	hull plan --format json --bundle "$BUNDLE" "$ID" | jq --exit-status '.warnings | length == 2' ||
		mismatch "warnings of plan" 2 none
}

@test "a remount changes the file system itself where an option is its own" {
	with "$(add_tmpfs /data size=64k)" \
		'.mounts += [{destination: "/data", options: ["remount", "size=1m", "nosuid"]}]'
	run_sh 'grep " /data " /proc/self/mountinfo'
	[[ $stdout == *nosuid*size=1024k* ]] || mismatch "the mount" "nosuid, size=1024k" "$stdout"
	config '.mounts[-1].options = ["remount", "bind", "size=2m"]'
	run_sh 'grep " /data " /proc/self/mountinfo'
	[[ $stdout == *size=64k* ]] || mismatch "the mount" "size=64k" "$stdout"
	config '.mounts[-1].options = ["remount", "siez=2m"]'
	expect 1 run --bundle "$BUNDLE" "$ID"
	n=$(jq '.mounts | length - 1' "$BUNDLE/config.json")
	stderr_is "hull: mounts[$n]: change the file system on /data: siez=2m: tmpfs: Unknown parameter 'siez' (invalid argument)"
	assert_nothing_left
}

@test "a read-only tmpfs is read-only once what lies in it is made" {
	make_bundle bundle '(.mounts[] | select(.destination == "/dev") | .options) += ["ro"]' \
		'.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["ro", "size=64k"]},
			{destination: "/tmp/deep/er", type: "tmpfs", source: "tmpfs", options: ["size=64k"]}]'
	config_args sh -c 'echo data >/dev/null && [ -d /dev/pts ] && echo made
		(>/dev/new) 2>&1; (>/tmp/new) 2>&1; >/tmp/deep/er/new && echo writable'
	expect 0 run --bundle "$BUNDLE" "$ID"
	stdout_is "made
sh: can't create /dev/new: Read-only file system
sh: can't create /tmp/new: Read-only file system
writable"
	stderr_is ""
}
