#!/usr/bin/env bats
# as: root, user
# vm: root, user
# sanitizers: thorough
# What hull says about the host that it is on.
# shellcheck disable=SC2154,SC2016,SC2034 # helpers.bash sets these
load helpers

# no_line GREP-ARGUMENT...: grep finds none in the output; that it fails is no answer.
no_line() {
	local result=0
	grep "$@" <<<"$stdout" || result=$?
	[ "$result" = 1 ]
}

@test "doctor has a line for each thing, and exits with 0 where a container can run" {
	make_bundle bundle '.process.args = ["true"]'
	expect 0 run --bundle "$BUNDLE" "$ID"
	expect 0 doctor
	stderr_is ""
	no_line --invert-match --extended-regexp '^(ok|missing|failed) +[a-z-]+ +[^ ].*$'
	stdout_has "Linux $(uname --kernel-release)"
	no_line '^failed'
}

@test "doctor tells the same as JSON" {
	expect 0 doctor --format json
	stderr_is ""
	jq --exit-status '.usable and (.checks | length > 10 and all(.name and .text and
		(.health | IN("ok", "missing", "failed"))))' <<<"$stdout"
	wanted=$(jq --raw-output '.checks[] | "\(.health) \(.name)"' <<<"$stdout")
	expect 0 doctor
	[ "$(awk '{ print $1, $2 }' <<<"$stdout")" = "$wanted" ]
}

@test "doctor knows what the other tests require" {
	expect 0 doctor --format json
	health() { jq --raw-output --arg name "$1" '.checks[] | select(.name == $name).health' <<<"$stdout"; }
	has_cgroup && wanted=ok || wanted=missing
	[ "$(health cgroup-delegation)" = "$wanted" ]
	[ -e /sys/fs/cgroup/cgroup.controllers ] && wanted=ok || wanted=missing
	[ "$(health cgroups)" = "$wanted" ]
}

@test "doctor exits with 1 and names it where no container can run" {
	requires program=unshare program=setpriv
	# Without any capability, root can't make namespaces; nor can a user where none may be made.
	if is_root; then
		status=0
		setpriv --bounding-set=-sys_admin "$HULL" doctor >"$WORK/out" 2>"$WORK/err" || status=$?
		[ "$status" = 1 ]
		grep '^failed   namespaces  .*CAP_SYS_ADMIN' "$WORK/out"
	else
		status=0
		unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
			exec setpriv --bounding-set=-sys_admin "$1" doctor' sh "$HULL" \
			>"$WORK/out" 2>"$WORK/err" || status=$?
		[ "$status" = 1 ]
		grep '^failed   user-namespaces  .*user.max_user_namespaces' "$WORK/out"
	fi
	[ ! -s "$WORK/err" ]
}

@test "doctor leaves nothing behind" {
	mounts=$(</proc/self/mountinfo)
	expect 0 doctor
	[ "$mounts" = "$(</proc/self/mountinfo)" ]
	assert_nothing_left
	expect 1 doctor --format xml
	stderr_has "format"
}
