# shellcheck shell=bash
# nested_helpers.bash - containers that make containers, and that boot systemd. After `load helpers`.
# shellcheck disable=SC2154,SC2016,SC2034 # helpers.bash sets these; the tests use those

# All that the host's root may do, and the cgroups below its own.
MASTER='.root.readonly = false |
	.process.capabilities |= map_values($capabilities) |
	.mounts |= map(if .type == "cgroup" then .options = ["nosuid", "noexec", "nodev", "rw"] else . end)'

# In one it may mount what is whole: no path of its /proc is masked.
USERNS='.linux.namespaces += [{type: "user"}] |
	.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
	.linux.gidMappings = .linux.uidMappings |
	.linux.maskedPaths = [] | .linux.readonlyPaths = []'

# A user's has its user namespace anyway, and the one within it is its root's.
USERS='.linux.maskedPaths = [] | .linux.readonlyPaths = []'
USERS_INNER='.linux |= (.namespaces |= map(select(.type != "user")) | del(.uidMappings, .gidMappings))'

# capabilities: those that we have, as config.json has them.
capabilities() {
	capsh --decode="$(sed -n 's/^CapBnd:\t//p' /proc/self/status)" |
		sed 's/.*=//; s/cap_/CAP_/g' | tr '[:lower:]' '[:upper:]' | jq --raw-input --compact-output 'split(",")'
}

# outer [FILTER [FILTER]]: a bundle whose container may make containers, with a bundle for those in
# /inner; the filters are for the one and for the other.
outer() {
	make_bundle inner "${2:-.}"
	config '.root.readonly = false | .linux.cgroupsPath = "/inner/one"'
	make_bundle bundle
	config "$MASTER | ${1:-.}" --argjson capabilities "$(capabilities)"
	mv "$WORK/inner" "$BUNDLE/rootfs/inner"
	cp "$HULL" "$BUNDLE/rootfs/bin/hull"
	for library in $(ldd "$HULL" | grep --only-matching '/[^ ]*'); do
		mkdir --parents "$BUNDLE/rootfs/${library%/*}"
		cp "$library" "$BUNDLE/rootfs$library"
	done
}

inner_config() {
	local outer=$BUNDLE
	BUNDLE=$outer/rootfs/inner config_args "$@"
	BUNDLE=$outer
}

# What the outer container does, and what that says.
LIFE='set -e
mkdir /sys/fs/cgroup/me
echo 0 >/sys/fs/cgroup/me/cgroup.procs
hull="hull --root /run/hull"
$hull create --bundle /inner one
$hull start one
status=0
$hull exec one sh -c "echo \$\$ of \$(cat /proc/1/comm); grep ^0: /proc/self/cgroup; exit 7" || status=$?
echo status $status
$hull pause one
$hull update --resources /new.json one
cat /sys/fs/cgroup/inner/one/cgroup.max.depth
$hull resume one
$hull delete --force one
ls -A /run/hull
[ ! -e /sys/fs/cgroup/inner ]'
LIVED='[0-9]+ of sleep
0::/
status 7
7'

lives() {
	inner_config sleep 1000
	config_args sh -c "$LIFE"
	echo '{"unified": {"cgroup.max.depth": "7"}}' >"$BUNDLE/rootfs/new.json"
	run_hull run --bundle "$BUNDLE" "$ID"
	[[ $status = 0 && $stdout =~ ^$LIVED$ ]] || mismatch "what it said" "$LIVED" "$stdout"
	stderr_is ""
}

# ---- systemd, with the machine's own root beneath an overlay

# as_owner COMMAND...: in a user namespace with the ids that hull gives the container.
as_owner() { unshare --user --map-root-user --map-users=auto --map-groups=auto "$@"; }

teardown() {
	if [ -d "${WORK:-/nowhere}/users/root" ]; then
		delete_all_containers
		as_owner rm -rf "$WORK/users/root"
	fi
	if mountpoint --quiet "${WORK:-/nowhere}/tree/root" 2>/dev/null; then
		delete_all_containers
		umount "$WORK/tree/root"
	fi
	! mountpoint --quiet "${WORK:-/nowhere}/tree/lower" 2>/dev/null || umount "$WORK/tree/lower"
	! mountpoint --quiet "${WORK:-/nowhere}/tree" 2>/dev/null || umount "$WORK/tree"
	teardown_test
}

# system [--userns] OPTION...: it boots; "$ID" is it.
system() {
	local lower=/ more=.
	requires systemd pure-v2 overlay
	mkdir "$WORK/tree"
	mount -t tmpfs tree "$WORK/tree"
	mkdir "$WORK/tree"/{root,lower,upper,work}
	if [ "${1:-}" = --userns ]; then
		shift
		lower=$WORK/tree/lower more=$USERNS
		mount --bind --options X-mount.idmap=b:0:100000:65536 / "$lower"
		chown 100000:100000 "$WORK/tree/upper"
	fi
	mount -t overlay tree -o "lowerdir=$lower,upperdir=$WORK/tree/upper,workdir=$WORK/tree/work" "$WORK/tree/root"
	# Nobody has a session of his own in there.
	rm -f "$WORK/tree/root/var/lib/systemd/linger/"*
	make_bundle
	rm -r "${BUNDLE:?}/rootfs"
	config ".root = {path: \"$WORK/tree/root\", readonly: false} |
		.process.env += [\"container=oci\"] | .process.args = [\"/sbin/init\"] |
		.process.capabilities |= map_values(\$capabilities) | .process.noNewPrivileges = false |
		.mounts |= map(if .type == \"cgroup\" then .options = [\"nosuid\", \"noexec\", \"nodev\", \"rw\"] else . end) |
		.mounts += [\"/run\", \"/run/lock\", \"/tmp\"] |
		.mounts |= map(if type == \"string\" then
			{destination: ., type: \"tmpfs\", source: \"tmpfs\", options: [\"nosuid\", \"nodev\", \"mode=755\"]} else . end) | $more" \
		--argjson capabilities "$DEFAULT"
	expect 0 "$@" run --detach --bundle "$BUNDLE" "$ID"
}

# users_system OPTION...: the same of a user, for whom the machine's files are copied, and are its root's.
users_system() {
	local ids='[{containerID: 0, hostID: $id, size: 1}, {containerID: 1, hostID: $first, size: 65535}]'
	requires user subids cgroup systemd pure-v2
	mkdir "$WORK/users"
	as_owner sh -c 'mkdir "$1" && cd "$1" && mkdir dev proc run sys tmp var var/tmp root &&
		tar --create --directory / --one-file-system --owner=0 --group=0 --ignore-failed-read \
			--exclude=usr/lib/modules --exclude="usr/lib/python3*" --exclude=usr/lib/firmware --exclude=usr/lib/gcc \
			--exclude=usr/share/doc --exclude=usr/share/man --exclude=usr/share/locale --exclude=usr/libexec/docker \
			--exclude=etc/systemd/system --exclude="etc/*shadow*" bin sbin lib lib64 usr/bin usr/sbin usr/lib usr/lib64 usr/libexec usr/share etc |
		tar --extract && : >etc/machine-id && printf "root:*:1::::::\n" >etc/shadow' sh "$WORK/users/root" 2>"$WORK/users/said"
	make_bundle
	config ".root = {path: \"$WORK/users/root\", readonly: false} |
		.process.env += [\"container=oci\"] | .process.args = [\"/sbin/init\"] |
		.process.capabilities |= map_values(\$capabilities) | .process.noNewPrivileges = false |
		.linux.uidMappings = ($ids) | .linux.gidMappings = ($ids) |
		.mounts |= map(if .type == \"cgroup\" then .options = [\"nosuid\", \"noexec\", \"nodev\", \"rw\"] else . end) |
		.mounts += [\"/run\", \"/run/lock\", \"/tmp\"] |
		.mounts |= map(if type == \"string\" then
			{destination: ., type: \"tmpfs\", source: \"tmpfs\", options: [\"nosuid\", \"nodev\", \"mode=755\"]} else . end)" \
		--argjson capabilities "$DEFAULT" --argjson id "$(id -u)" \
		--argjson first "$(sed -n "s/^$(id -un):\([0-9]*\):.*/\1/p" /etc/subuid)"
	expect 0 "$@" run --detach --bundle "$BUNDLE" "$ID"
}

# What engines leave to a container's root.
DEFAULT='["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
	"CAP_NET_BIND_SERVICE", "CAP_KILL", "CAP_SYS_CHROOT", "CAP_SETFCAP", "CAP_AUDIT_WRITE", "CAP_NET_RAW"]'

is_up() {
	run_hull exec "$ID" systemctl is-system-running
	[[ $stdout = running || $stdout = degraded ]]
}

boots() {
	wait_for 60 is_up
	[ "$stdout" = running ] || {
		run_hull exec "$ID" systemctl --failed --no-legend
		mismatch "is-system-running" running "$stdout$stderr"
	}
	expect 0 exec "$ID" sh -c 'cat /proc/1/comm; cat /proc/self/cgroup; systemd-detect-virt'
	stdout_has systemd
	# Its services have cgroups with controllers, below the container's own.
	expect 0 exec "$ID" systemd-run --quiet --wait --pipe --property=MemoryMax=64M --property=TasksMax=33 \
		sh -c 'cd /sys/fs/cgroup$(sed s/0:://p /proc/self/cgroup | head -n 1) && cat memory.max pids.max'
	stdout_is "67108864
33"
	expect 0 kill "$ID" RTMIN+3
	wait_state "$ID" stopped
	expect 0 delete "$ID"
}
