#!/usr/bin/env bats
# as: none, it needs all controllers, systemd, crun and runc
# vm-long: root, user
# Every limit of linux.resources, by create and by update, beside crun and runc: tests/differential/knobs.
# shellcheck disable=SC2154 # helpers.bash sets these
load helpers

# knobs STATUS [OPTION...]: fails unless that is its exit status. systemctl finds its systemd by
# the person's own runtime directory, not the test's.
knobs() {
	run_command env XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$RUNTIME_DIR}" "$SOURCE/tests/differential/knobs" --hull "$HULL" "${@:2}"
	[ "$status" = "$1" ] || mismatch "exit status" "$1" "$status"
}

@test "each limit is in its file, by create and by update, and each difference has its reason" {
	requires root controller=memory controller=cpu controller=cpuset controller=io controller=pids \
		controller=hugetlb systemd pure-v2 program=crun program=runc path=/dev/vdb
	knobs 0
	stdout_has " 0 problems"
}

@test "each limit is in its file as a user, by create and by update" {
	requires user cgroup systemd pure-v2 path=/dev/vdb
	knobs 0
	[[ $stdout =~ ^1[0-9]\ groups,\ hull-.*" 0 problems"$ ]] || mismatch "groups" "ten or more" "$stdout"
}

@test "weights of a disk with BFQ, by create and by update, beside crun and runc" {
	requires root controller=io systemd pure-v2 program=crun program=runc path=/dev/vdb
	modprobe bfq
	echo bfq >/sys/block/vdb/queue/scheduler
	{
		printf 'bfq\tblockIO.weight\tio.bfq.weight\t300\tdefault 300 @MAJOR@:@MINOR@ 100\t600\tdefault 600 @MAJOR@:@MINOR@ 200\n'
		printf 'bfq\tblockIO.weightDevice\tio.bfq.weight\t[{"major": @MAJOR@, "minor": @MINOR@, "weight": 100}]\tdefault 300 @MAJOR@:@MINOR@ 100\t[{"major": @MAJOR@, "minor": @MINOR@, "weight": 200}]\tdefault 600 @MAJOR@:@MINOR@ 200\n'
	} >table
	{
		printf '%s\t' 'bfq, update*' io.bfq.weight 'runc-1.1.*' '*' '*' && echo 'runc 1.1 updates no weight of a device'
		printf '%s\t' 'bfq, *, systemd' 'unit IO*Weight' 'runc-*' '*' '*' && echo 'nor does it tell systemd'
		printf '%s\t' 'bfq, *, systemd' 'unit IODeviceWeight' 'crun-*' '*' '*' && echo 'crun names the disk otherwise'
		printf '%s\t' 'bfq, *, systemd' pids.max 'runc-1.1.*' max '*' && echo 'of the slice'
	} >rows
	knobs 0 --table table --expected rows
	stdout_has " 0 problems"
	echo none >/sys/block/vdb/queue/scheduler
}

@test "a limit that is not as the table says fails, and a difference without a reason" {
	requires root controller=pids systemd pure-v2 program=crun program=runc path=/dev/vdb
	printf 'one\tpids.limit\tpids.max\t33\t34\t-\t-\n' >table
	: >rows
	knobs 1 --table table --expected rows
	stdout_has "one, create: pids.limit: pids.max is '33', not '34'"
	printf 'one\tpids.limit\tpids.max\t0\t1\t-\t-\n' >table
	printf '%s\t' '*' 'nothing' '*' 'a' 'b' >rows
	echo 'there is none' >>rows
	knobs 1 --table table --expected rows
	stdout_has "one, create: pids.max: hull '1', "
	stdout_has "rows:1: no difference is like this: * | nothing | * | a | b"
	echo wrong >table
	knobs 2 --table table
	stderr_is "knobs: table:1: not GROUP MEMBER FILE CREATE VALUE UPDATE VALUE"
}
