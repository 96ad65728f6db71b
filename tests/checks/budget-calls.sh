#!/bin/bash
# run, create, start, exec and delete, and the run of an image, make no more system calls than tests/data/budget says.
# Of three times each the one with the fewest counts: what the machine does meanwhile only adds.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${builddir:-build}" && pwd)
hull=$(realpath "${HULL:-$build/hull}")
budgets=$top/tests/data/budget

skip() {
	echo "$*"
	exit 77
}

# The depth of this directory is part of the count, so it is not TMPDIR's.
if [ "${1:-}" != inside ]; then
	[ "$(id -u)" = 0 ] || skip "not root"
	for tool in strace jq; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
	strace -f -c -o /dev/null true 2>/dev/null || skip "ptrace is refused"
	"$top/bench/v2ns" true 2>/dev/null || skip "no mount namespace with cgroup v2 alone"
	[ -e "$build/image/default.oci" ] || skip "no default image"
	if readelf --dyn-syms --wide "$hull" | grep -q ' __asan_init'; then
		skip "$hull is built with sanitizers, which have no budget"
	fi
	work=$(mktemp -d /tmp/hull-budget.XXXXXX)
	tag=budget-$$
	# shellcheck disable=SC2317,SC2329 # the trap calls it
	clean() {
		"$top/bench/v2ns" "$hull" --root "$work/state" delete --force "$tag" 2>/dev/null || :
		rm -rf "$work"
	}
	trap clean EXIT
	export HULL_LIBEXEC=${HULL_LIBEXEC:-$build/libexec/hull}
	WORK=$work TAG=$tag builddir=$build "$top/bench/v2ns" "$0" inside
	exit
fi

: "${WORK:?}" "${TAG:?}"
bad=0
declare -A fewest

# count NAME [-f] COMMAND...: of hull
count() {
	local name=$1 follow=() calls
	shift
	if [ "$1" = -f ]; then
		follow=(-f)
		shift
	fi
	# Not /dev/null, which is given to the container's user.
	strace "${follow[@]}" -c -o "$WORK/calls" "$hull" --root "$WORK/state" "$@" </dev/zero
	calls=$(awk '$NF == "total" { print $4 }' "$WORK/calls")
	if [ -z "${fewest[$name]:-}" ] || [ "$calls" -lt "${fewest[$name]}" ]; then
		fewest[$name]=$calls
	fi
}

bundle() { # NAME ARG...
	mkdir "$WORK/$1"
	jq --arg root "$WORK/rootfs" '.process.terminal = false | .root.path = $root
		| .process.args = $ARGS.positional' --args "${@:2}" \
		<"$WORK/config.json" >"$WORK/$1/config.json"
}

"$top/image/default/unpack" "$build/image/default.oci" "$WORK/rootfs"
"$hull" spec --bundle "$WORK"
bundle short /bin/true
bundle long /bin/sleep 1000000
for ((i = 0; i < 3; i++)); do
	count run -f run --bundle "$WORK/short" "$TAG"
	count create create --bundle "$WORK/long" "$TAG"
	count start start "$TAG"
	count exec -f exec "$TAG" /bin/true
	# The first one brings the image into the store.
	count run-image -f --data-root "$WORK/data" run --rm --network none hull/busybox /bin/true
	"$hull" --root "$WORK/state" kill "$TAG" KILL
	for ((n = 0; n < 300; n++)); do
		[ "$("$hull" --root "$WORK/state" state "$TAG" | jq --raw-output .status)" != stopped ] || break
		sleep 0.1
	done
	count delete delete "$TAG"
done
for name in run create start exec delete run-image; do
	limit=$(awk -v name="calls-$name" '$1 == name { print $2 }' "$budgets")
	[ -n "$limit" ] || { echo "$budgets has no calls-$name"; bad=1; continue; }
	echo "calls-$name: ${fewest[$name]} of $limit"
	[ "${fewest[$name]}" -le "$limit" ] || {
		echo "hull $name exceeds its budget: ${fewest[$name]} system calls, may be $limit"
		bad=1
	}
done
exit $bad
