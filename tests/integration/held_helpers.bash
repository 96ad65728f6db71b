# shellcheck shell=bash
# held_helpers.bash - containers that are held at their limits. After `load helpers`; $cgroup is
# the container's.
# shellcheck disable=SC2154,SC2034 # helpers.bash and the tests set these, and use those

# count FILE KEY: the number of a flat file.
count() { sed -n "s/^$2 //p" "$cgroup/$1"; }
counted() { [ "$(count "$1" "$2")" -ge "$3" ]; }

# What state, why and the log say of it once it has ended: a jq filter, a sentence's pattern.
named() {
	wait_state "$ID" stopped
	hull state "$ID" | jq --exit-status ".\"run.hull.held\" | $1" ||
		mismatch "run.hull.held" "$1" "$(hull state "$ID")"
	hull list --format json | jq --exit-status '.[0]."run.hull.held" != null'
	expect 0 why "$ID"
	grep --extended-regexp --quiet "^    $2\$" <<<"$stdout" || mismatch "why" "$2" "$stdout"
	expect 0 --log-level info delete "$ID"
	grep --extended-regexp --quiet "$3: container $ID: $2\$" <<<"$stderr" || mismatch "log" "$2" "$stderr"
}

REFUSED='the kernel refused [0-9]+ of its forks: its limit is 20 processes'
THROTTLED='it used up its CPU time in [0-9]+ of [0-9]+ periods: its limit is 20\.0 ms in each 100\.0 ms'

# whole_disk PATH: sets $device, "8:0", or skips. Not what a disk is made up of: that has no limits.
whole_disk() {
	device=$(stat -c %d "$1")
	device=$((device >> 8 & 0xfff)):$((device & 0xff))
	[ -e "/sys/dev/block/$device" ] || skip "needs $1 on a disk"
	[ ! -e "/sys/dev/block/$device/partition" ] || skip "needs $1 on a whole disk"
	[ -e "$(cgroup_mount)/cgroup.pressure" ] || [ -e /proc/pressure/io ] || skip "needs pressure accounting"
}

# io_hog DEVICE: the filter of one that may read 1 MiB in a second. It reads /file once there is /dev/shm/go.
io_hog() {
	echo ".linux.resources.blockIO.throttleReadBpsDevice =
		[{major: ${1%:*}, minor: ${1#*:}, rate: 1048576}]"
}
IO_HOG='until [ -e /dev/shm/go ]; do sleep 0.1; done; cat /file >/dev/null'
