#!/usr/bin/env bats
# as: root, user
# sanitizers: no
#
# What is hull's, or its caller's, does not get into the container: descriptors
# (CVE-2024-21626), the environment, and hull's own executable (CVE-2019-5736).

load helpers
load ../tools/tools

# Runs a command with descriptors open that an engine forgot to close: a directory
# of the host (3, 8 to 16).
with_descriptors() {
	(
		for fd in 3 8 9 10 11 12 13 14 15 16; do
			eval "exec $fd</"
		done
		"$@"
	)
}

# descriptors_of PID: what each of a process's is, without the numbers of inodes.
descriptors_of() {
	find "/proc/$1/fd" -type l -printf '%f %l\n' | sed 's/\[[0-9]*\]$//' | sort -n
}

raw_hull() {
	HULL_TEST=$TAG XDG_RUNTIME_DIR=$RUNTIME_DIR "$HULL" --root "$STATE" "$@"
}

@test "a created container's init has its standard streams and its start socket" {
	requires root # init is not dumpable: its descriptors are closed to others
	make_bundle
	expect 0 create --bundle "$BUNDLE" "$ID" </dev/null
	descriptors=$(descriptors_of "$(state_of "$ID" .pid)")
	[ "$(awk '$1 < 3' <<<"$descriptors" | wc -l)" = 3 ]
	rest=$(awk '$1 >= 3 { print $2 }' <<<"$descriptors" | sort | uniq -c | sed 's/^ *//')
	# The gate, and its half of the handshake with a hull that is gone.
	[[ $rest =~ ^[12]\ socket:$ ]] || mismatch descriptors "1 or 2 sockets" "$descriptors"
	expect 0 delete --force "$ID"
}

@test "a created container's init holds none of the descriptors that hull was started with" {
	make_bundle
	with_descriptors raw_hull create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	descriptors=$(descriptors_of "$(state_of "$ID" .pid)")
	rest=$(awk '$1 >= 3 && $2 != "socket:"' <<<"$descriptors")
	[ -z "$rest" ] || mismatch descriptors "none but sockets" "$rest"
	expect 0 delete --force "$ID"
}

@test "a pipe that hull was started with ends when hull has ended" {
	make_bundle
	config_args sleep 1000
	mkfifo pipe
	cat pipe >copy &
	reader=$!
	raw_hull create --bundle "$BUNDLE" "$ID" 9>pipe 3>&- </dev/null >/dev/null 2>&1
	wait_for 5 process_gone "$reader"
	expect 0 start "$ID"
	cat pipe >copy &
	reader=$!
	raw_hull exec --detach "$ID" sleep 1000 9>pipe 3>&- </dev/null >/dev/null 2>&1
	wait_for 5 process_gone "$reader"
	expect 0 delete --force "$ID"
}

@test "the program has no descriptor but its standard streams, by run and by exec" {
	make_bundle
	config_args sh -c 'ls /proc/self/fd | sort -n | tr "\n" " "'
	out=$(with_descriptors raw_hull run --bundle "$BUNDLE" "$ID" 2>/dev/null </dev/null)
	# The fourth is the one that ls reads the directory by.
	[ "$out" = "0 1 2 3 " ] || mismatch "of run" "0 1 2 3 " "$out"
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	out=$(with_descriptors raw_hull exec "$ID" sh -c 'ls /proc/self/fd | sort -n | tr "\n" " "' \
		2>/dev/null </dev/null)
	[ "$out" = "0 1 2 3 " ] || mismatch "of exec" "0 1 2 3 " "$out"
	expect 0 delete --force "$ID"
}

@test "hull's environment does not get into the program, nor into hooks" {
	make_bundle bundle '.process.env = ["PATH=/bin", "A=b"]' '.process.args = ["env"]'
	is_root && config '.hooks = { createRuntime: [{ path: "/bin/sh",
		args: ["sh", "-c", "env >" + $file], env: ["H=1"] }] }' --arg file "$WORK/hook"
	export SECRET_OF_HULL=1 LD_PRELOAD=
	expect 0 run --bundle "$BUNDLE" "$ID"
	[ "$(sort <<<"$stdout")" = $'A=b\nHOME=/root\nPATH=/bin' ] ||
		mismatch environment "A, HOME and PATH" "$stdout"
	! is_root || ! grep -q SECRET "$WORK/hook"
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	! tr '\0' '\n' <"/proc/$(state_of "$ID" .pid)/environ" | grep -q "^A=" || false # it is hull's, still
	expect 0 start "$ID"
	expect 0 exec "$ID" env
	[[ $stdout != *SECRET* ]] || mismatch "environment of exec" "no SECRET" "$stdout"
	expect 0 delete --force "$ID"
}

@test "a working directory below /proc/self/fd leads nowhere (CVE-2024-21626)" {
	make_bundle bundle '.process.args = ["pwd", "-P"]'
	for n in {3..40}; do
		config '.process.cwd = $cwd' --arg cwd "/proc/self/fd/$n"
		with_descriptors raw_hull run --bundle "$BUNDLE" "$ID" >out 2>err </dev/null && status=0 || status=$?
		[ "$status" != 0 ] || mismatch "run in descriptor $n" "a failure" "$(<out)"
		grep -q '^hull: process.cwd: ' err || mismatch "run in descriptor $n" "hull: process.cwd: ..." "$(<err)"
	done
	config '.process.cwd = "/"'
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	for n in {3..40}; do
		for cwd in "/proc/self/fd/$n" "/proc/self/fd/$n/../.."; do
			with_descriptors raw_hull exec --cwd "$cwd" "$ID" pwd -P >out 2>err </dev/null && status=0 || status=$?
			[ "$status" != 0 ] || mismatch "exec in $cwd" "a failure" "$(<out)"
		done
	done
	expect 0 delete --force "$ID"
}

@test "hull's executable cannot be written from inside (CVE-2019-5736)" {
	tool intruder
	make_bundle bundle '.root.readonly = false'
	cp "$tool" "$BUNDLE/rootfs/intruder"
	sum=$(sha256sum <"$HULL")
	printf '#!/proc/self/exe\n' >"$BUNDLE/rootfs/bin/trap"
	chmod 755 "$BUNDLE/rootfs/bin/trap"
	# As the program itself: it is empty and sealed, hull's sealed self, or not found; never written.
	for program in /proc/self/exe trap /proc/1/exe; do
		config_args "$program" --version
		run_hull run --bundle "$BUNDLE" "$ID"
		[ "$sum" = "$(sha256sum <"$HULL")" ]
	done
	# And pid 1 goes for every process that comes.
	seconds=$((HULL_TEST_SLOW > 1 ? 30 : 6))
	config_args /intruder executable "$seconds"
	start_hull run --bundle "$BUNDLE" "$ID"
	wait_for 10 grep -q ready "$stdout_file"
	intruder_out=$stdout_file
	for ((n = 0; n < $(rounds 60); n++)); do
		run_hull exec "$ID" true
		[ $((n % 4)) != 0 ] || run_hull exec "$ID" /proc/self/exe --version
		[ $((n % 4)) != 1 ] || run_hull exec "$ID" trap
	done
	stdout_file=$intruder_out
	wait_hull
	grep -q '^done' "$intruder_out"
	! grep '^opened' "$intruder_out" || false
	[ "$sum" = "$(sha256sum <"$HULL")" ]
}
