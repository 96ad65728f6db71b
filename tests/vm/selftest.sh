#!/bin/bash
# Tests the test machine: TAP on stdout. Boots six of them, three not for long: two minutes under emulation.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
vm=$here/vm
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0
failures=0
shown=

# The machines' temporary directories go where anything left behind can be seen.
export TMPDIR=$dir/tmp
mkdir "$TMPDIR" "$dir/job"

ok()
{
	local verdict=ok name=$1
	shift
	"$@" || verdict="not ok"
	count=$((count + 1))
	echo "$verdict $count - $name"
	if [ "$verdict" != ok ]; then
		failures=$((failures + 1))
		[ -n "$shown" ] || sed 's/^/# /' "$dir/stdout" "$dir/stderr"
		shown=yes
	fi
}

# Sets status and seconds; the output is in $dir/stdout and $dir/stderr.
vm_run()
{
	local started=$SECONDS
	status=0
	shown=
	"$vm" run "$@" >"$dir/stdout" 2>"$dir/stderr" || status=$?
	seconds=$((SECONDS - started))
}

is()
{
	[ "$1" = "$2" ] || { echo "# expected \"$2\", not \"$1\""; return 1; }
}

says()
{
	grep -q "$2" "$1" || { echo "# expected \"$2\""; return 1; }
}

# The command lines of QEMU and of tail name files in the temporary directory.
no_process_left()
{
	is "$(pgrep -af "$TMPDIR/")" ""
}

nothing_left()
{
	is "$(ls -A "$TMPDIR")" "" && no_process_left
}

script()
{
	printf '%s\n' "$2" >"$dir/$1"
}

"$vm" build || exit
script seven 'echo on stdout; echo on stderr >&2; echo brought back >/out/file; exit 7'
script off 'systemctl --force --force poweroff; sleep 60'
echo hello >"$dir/job/greeting"

vm_run --out "$dir/out" "$dir/seven"
ok "exit status 7" is "$status" 7
ok "stdout and stderr, in order" is "$(cat "$dir/stdout")" $'on stdout\non stderr'
ok "nothing from vm itself" is "$(cat "$dir/stderr")" ""
ok "a file in /out comes back" is "$(cat "$dir/out/file")" "brought back"
ok "nothing is left" nothing_left
echo "# boot to exit: $seconds s"

vm_run "$here/selftest-guest.sh" "$dir/job"
ok "exit status 0" is "$status" 0
while read -r line; do
	ok "guest: ${line#*ok }" test "${line%% *}" = ok
done < <(grep -E '^(not )?ok ' "$dir/stdout")
ok "nothing is left" nothing_left

vm_run "$dir/off"
ok "a guest that goes away is our failure" is "$status" 125
ok "and said so" says "$dir/stderr" "the guest stopped before it could finish the script"
ok "with the end of the console" says "$dir/stderr" "reboot: Power down"

vm_run --timeout 2 "$dir/seven"
ok "a timeout is our failure" is "$status" 125
ok "and said so" says "$dir/stderr" "did not boot within 2 s"
ok "nothing is left" nothing_left

vm_run "$dir/nonesuch"
ok "a missing script is our failure" is "$status" 125
ok "and said so" is "$(cat "$dir/stderr")" "vm: there is no script $dir/nonesuch"

vm_run --cpu nonesuch "$dir/seven"
ok "QEMU's failure is our failure" is "$status" 125
ok "and QEMU said why" says "$dir/stderr" "unable to find CPU model 'nonesuch'"

"$vm" run "$dir/seven" >"$dir/stdout" 2>"$dir/stderr" &
sleep 3
kill -TERM $!
status=0
wait $! || status=$?
ok "SIGTERM ends it" is "$status" 143
ok "nothing is left" nothing_left

"$vm" run "$dir/seven" >"$dir/stdout" 2>"$dir/stderr" &
sleep 3
kill -KILL $!
{ wait $!; } 2>/dev/null
sleep 1
ok "not even SIGKILL leaves a process" no_process_left

echo "1..$count"
[ "$failures" -eq 0 ]
