#!/usr/bin/env bats
# Mounts: file systems, binds and their options, and what images try with links
# (SECURITY.md).
# shellcheck disable=SC2154,SC2016
load helpers

setup() {
	setup_test
	cp /proc/self/mountinfo "$WORK/host-mounts"
}

# The host's mount table is as before.
teardown() {
	local changed=0
	diff "$WORK/host-mounts" /proc/self/mountinfo >&2 || changed=1
	teardown_test && [ "$changed" = 0 ]
}

# with [FILTER...]: the default bundle, its root writable.
with() { make_bundle "bundle$((++bundles))" '.root.readonly = false' "$@"; }

# run_sh SCRIPT: in a container of $BUNDLE.
run_sh() {
	config_args sh -c "$1"
	expect 0 run --bundle "$BUNDLE" "$ID"
}

# add DESTINATION SOURCE OPTION...: a filter that adds a bind.
add() {
	local options
	printf -v options '"%s",' "${@:3}"
	echo ".mounts += [{destination: \"$1\", type: \"bind\", source: \"$2\", options: [${options%,}]}]"
}

@test "the standard file systems" {
	with
	run_sh 'awk "{ for (i = 7; \$i != \"-\"; i++); print \$5, \$(i + 1) }" /proc/self/mountinfo'
	for line in '/proc proc' '/dev tmpfs' '/dev/pts devpts' '/dev/shm tmpfs' '/dev/mqueue mqueue' \
		'/sys sysfs'; do
		[[ $'\n'$stdout$'\n' == *$'\n'"$line"$'\n'* ]] || mismatch mount "$line" "$stdout"
	done
	stdout_has "/sys/fs/cgroup cgroup2"
}

@test "options show in mountinfo" {
	with '.mounts += [{destination: "/t", type: "tmpfs", source: "name",
		options: ["nosuid", "nodev", "noexec", "noatime", "ro", "size=64k", "mode=1700", "uid=5", "gid=6", ""]}]'
	run_sh 'grep " /t " /proc/self/mountinfo; stat -c "%a %u %g" /t; ! touch /t/x 2>/dev/null'
	[[ ${lines[0]} == *" /t ro,nosuid,nodev,noexec,noatime "*" - tmpfs name "*size=64k,mode=1700,uid=5,gid=6* ]]
	[ "${lines[1]}" = "1700 5 6" ]
}

@test "binds: read-write reaches the host, read-only is EROFS" {
	mkdir rw ro
	touch ro/x
	with "$(add /rw "$WORK/rw" rbind)" "$(add /ro "$WORK/ro" rbind ro nosuid)"
	run_sh 'echo hi >/rw/x; touch /ro/y; rm /ro/x; grep " /ro " /proc/self/mountinfo; true'
	[ "$(<rw/x)" = hi ]
	[ "$(ls ro)" = x ]
	stderr_has "/ro/y: Read-only file system"
	[[ $stdout == *" /ro ro,nosuid"* ]]
}

@test "binds: ro is of one mount, rro of all below" {
	mkdir -p tree/sub
	mount -t tmpfs "$TAG" tree/sub
	with "$(add /ro "$WORK/tree" rbind ro)" "$(add /rro "$WORK/tree" rbind rro)"
	config_args sh -c 'touch /ro/sub/a && echo one; touch /rro/sub/b; touch /rro/c; true'
	run_hull run --bundle "$BUNDLE" "$ID"
	umount tree/sub
	[ "$status" = 0 ]
	stdout_is one
	stderr_has "/rro/sub/b: Read-only file system"
	stderr_has "/rro/c: Read-only file system"
}

@test "binds: bind is of one mount, rbind of all" {
	mkdir -p tree/sub
	mount -t tmpfs "$TAG" tree/sub
	touch tree/sub/x
	with "$(add /one "$WORK/tree" bind)" "$(add /all "$WORK/tree" rbind)"
	config_args sh -c 'ls /one/sub; echo -; ls /all/sub'
	run_hull run --bundle "$BUNDLE" "$ID"
	umount tree/sub
	stdout_is $'-\nx'
}

@test "binds: a file's target is made, also its directories; a source by a relative path" {
	with "$(add /a/b/file "$WORK/file" bind ro)" "$(add /rel in-bundle bind)"
	echo text >file
	mkdir "$BUNDLE/in-bundle"
	touch "$BUNDLE/in-bundle/x"
	run_sh 'cat /a/b/file; ls /rel'
	stdout_is $'text\nx'
	[ -f "$BUNDLE/rootfs/a/b/file" ] && [ ! -s "$BUNDLE/rootfs/a/b/file" ]
}

@test "propagation of a mount" {
	mkdir src
	for pair in 'private:' 'slave:master' 'shared:shared' 'unbindable:unbindable'; do
		with "$(add /p "$WORK/src" rbind "r${pair%:*}")"
		run_sh 'sed -n "s/^.* \/p [^ ]* \(.*\) - .*/\1/p; s/^.* \/p [^ ]* - .*//p" /proc/self/mountinfo'
		case $pair in
		slave:*) [[ $stdout != *shared* ]] ;;
		*) [[ ${pair#*:} ? $stdout == *"${pair#*:}"* : $stdout == "" ]] 2>/dev/null ||
			[[ $stdout == *"${pair#*:}"* ]] ;;
		esac
	done
}

@test "rootfsPropagation" {
	for pair in private: shared:shared: unbindable:unbindable; do
		with ".linux.rootfsPropagation = \"${pair%%:*}\""
		run_sh 'grep " / / " /proc/self/mountinfo || awk "\$5 == \"/\"" /proc/self/mountinfo'
		[[ $stdout == *"${pair#*:}"* ]] || mismatch "$pair" "$pair" "$stdout"
	done
}

@test "a read-only root, with writable mounts" {
	with '.root.readonly = true'
	run_sh 'touch /x; touch /dev/shm/x && echo shm; awk "\$5 == \"/\" { print \$6 }" /proc/self/mountinfo'
	stderr_has "/x: Read-only file system"
	[[ $stdout == $'shm\nro'* ]]
}

@test "masked and read-only paths" {
	with '.linux.maskedPaths = ["/proc/kcore", "/secret", "/dir", "/nothing"] |
		.linux.readonlyPaths = ["/proc/sys", "/ro", "/nothing"]'
	echo secret >"$BUNDLE/rootfs/secret"
	mkdir "$BUNDLE/rootfs/dir" "$BUNDLE/rootfs/ro"
	touch "$BUNDLE/rootfs/dir/x"
	run_sh 'cat /secret; ls /dir; touch /dir/y; touch /ro/x; echo 1 >/proc/sys/kernel/domainname
		stat -c %t:%T /proc/kcore; stat -c %t:%T /secret; test ! -e /nothing && echo none'
	stdout_is $'1:3\n1:3\nnone'
	stderr_has "/dir/y: Read-only file system"
	stderr_has "/ro/x: Read-only file system"
	[ "$(grep -c 'Read-only file system' <<<"$stderr")" = 3 ]
}

@test "maskedPaths: a /dev/null that is a link does not redirect the mask (CVE-2025-31133)" {
	with '.mounts |= map(select(.destination | startswith("/dev") | not)) |
		.mounts += [{destination: "/dev", type: "tmpfs", source: "tmpfs"}]'
	rm -rf "$BUNDLE/rootfs/dev"
	mkdir "$BUNDLE/rootfs/dev"
	ln -s /proc/sys/kernel/core_pattern "$BUNDLE/rootfs/dev/null"
	before=$(</proc/sys/kernel/core_pattern)
	run_sh 'stat -c %t:%T /proc/kcore; stat -c %F /dev/null'
	stdout_is $'1:3\ncharacter special file'
	with "$(add /dev "$WORK/dev" rbind)" \
		'.mounts |= map(select((.destination | startswith("/dev/") | not) and (.destination != "/dev" or .type == "bind")))'
	mkdir dev
	ln -s /proc/sys/kernel/core_pattern dev/null
	config_args sh -c 'head -c 9 /proc/timer_list; echo x >/proc/kcore'
	run_hull run --bundle "$BUNDLE" "$ID"
	[ "$(</proc/sys/kernel/core_pattern)" = "$before" ]
}

@test "--no-pivot" {
	with
	config_args sh -c 'ls -d /etc/os-release; ls / | wc -l'
	expect 0 run --bundle "$BUNDLE" "$ID"
	want=$stdout
	expect 0 run --no-pivot --bundle "$BUNDLE" "$ID"
	stdout_is "$want"
}

@test "/dev is a link: nothing is made outside" {
	mkdir canary
	touch canary/ptmx
	for to in "$WORK/canary" "../../../../../../../../..$WORK/canary"; do
		for config in . '.mounts |= map(select(.destination | startswith("/dev") | not))'; do
			with "$config"
			rm -rf "$BUNDLE/rootfs/dev"
			ln -s "$to" "$BUNDLE/rootfs/dev"
			config_args true
			run_hull run --bundle "$BUNDLE" "$ID"
			[ "$(ls canary)" = ptmx ] && [ -f canary/ptmx ]
		done
	done
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
	stderr_has "/proc"
	assert_nothing_left
}

@test "/proc through a link of the image: nothing is mounted in it" {
	mkdir src
	with "$(add /link/attr "$WORK/src" bind)"
	ln -s /proc/self "$BUNDLE/rootfs/link"
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_has 'leads into /proc, where nothing may be mounted'
	assert_nothing_left
}

@test "links at destinations stay inside: absolute, relative, upwards" {
	mkdir canary src
	touch src/x
	with "$(add /abs/d "$WORK/src" bind)" "$(add /up/d "$WORK/src" bind)" "$(add /last "$WORK/src" bind)"
	ln -s "$WORK/canary" "$BUNDLE/rootfs/abs"
	ln -s "../../../../../../../..$WORK/canary" "$BUNDLE/rootfs/up"
	ln -s "$WORK/canary" "$BUNDLE/rootfs/last"
	config_args sh -c "ls $WORK/canary/d"
	run_hull run --bundle "$BUNDLE" "$ID"
	[ -z "$(ls canary)" ]
	[ "$status" = 0 ]
	stdout_is x
}

@test "a dangling resolv.conf gets its bind" {
	echo "nameserver 192.0.2.1" >resolv
	with "$(add /etc/resolv.conf "$WORK/resolv" bind ro)"
	rm -f "$BUNDLE/rootfs/etc/resolv.conf"
	ln -s ../run/systemd/resolve/stub-resolv.conf "$BUNDLE/rootfs/etc/resolv.conf"
	run_sh 'cat /etc/resolv.conf'
	stdout_is "nameserver 192.0.2.1"
	[ ! -e /run/systemd/resolve/stub-resolv.conf ] || [ "$(</run/systemd/resolve/stub-resolv.conf)" != "" ]
}

@test "the container has none of the host's mounts" {
	with
	run_sh 'cut -d" " -f5 /proc/self/mountinfo'
	! grep -qE '^/(work|old|\.pivot|oldroot)' <<<"$stdout"
	[[ $stdout != *"$WORK"* ]]
}

@test "sysfs and proc masks: no write reaches the host's sysctl" {
	with
	run_sh 'echo 1 >/proc/sys/vm/swappiness; echo b >/proc/sysrq-trigger; touch /sys/x; true'
	[ "$(grep -c 'Read-only file system' <<<"$stderr")" = 3 ]
}
