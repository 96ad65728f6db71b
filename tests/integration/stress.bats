#!/usr/bin/env bats
# as: root, user
# sanitizers: no
#
# HULL_STRESS_CYCLES containers (1000; fewer on a slow machine), 64 at a time, leave
# nothing, and what comes after them takes neither more time nor more memory.

load helpers
load ../tools/tools

cycles=${HULL_STRESS_CYCLES:-$(if [ "$HULL_TEST_SLOW" -gt 1 ] || [[ $HULL == */asan/* ]]; then
	echo 200
else
	echo 1000
fi)}

# Distinct namespaces of all processes that we may see.
count_namespaces() {
	find /proc/[0-9]*/ns -maxdepth 1 -type l -printf '%l\n' 2>/dev/null | sort -u | wc -l
}

# active_objects CACHE: how many of them the kernel has; root only.
active_objects() {
	[ ! -r /proc/slabinfo ] || awk -v cache="$1" '$1 == cache { print $2 }' /proc/slabinfo
}

available_memory() {
	awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo
}

@test "many create, start and delete, 64 at a time, leave nothing and do not grow" {
	tool churn
	make_bundle
	config_args sleep 1000
	mounts=$(wc -l </proc/self/mountinfo)
	namespaces=$(count_namespaces)
	memory=$(available_memory)
	declare -A objects
	for cache in net_namespace mnt_cache pid_namespace nsproxy; do
		objects[$cache]=$(active_objects "$cache")
	done
	begin=$SECONDS

	HULL_TEST=$TAG XDG_RUNTIME_DIR=$RUNTIME_DIR timeout $((300 * HULL_TEST_SLOW)) \
		"$tool" "$cycles" 64 "$ID" "$HULL" --root "$STATE" --log-level error -- "$BUNDLE" \
		>"$WORK/figures" 2>"$WORK/stderr.0" 3>&- 4>&- || status=$?
	figures=$(<"$WORK/figures")
	echo "# $cycles cycles in $((SECONDS - begin)) s: $figures" >&3
	[ "${status:-0}" = 0 ] || mismatch "churn" 0 "$status $(head -n 20 "$WORK/stderr.0")"
	[ ! -s "$WORK/stderr.0" ] || mismatch "what hull says" nothing "$(head -n 20 "$WORK/stderr.0")"

	# By name, all that is ours; by number, what has no name. Others on this machine
	# may have a few more or fewer now than before, not one for each cycle.
	assert_nothing_left
	noise=$((cycles / 5))
	wait_for 20 grows_at_most "$noise" "$namespaces" count_namespaces
	grows_at_most 20 "$mounts" wc -l </proc/self/mountinfo
	for cache in "${!objects[@]}"; do
		[ -n "${objects[$cache]}" ] || continue
		# The kernel frees some of them later, and by the page.
		wait_for 30 grows_at_most $((cycles / 2)) "${objects[$cache]}" active_objects "$cache" ||
			mismatch "$cache objects" "${objects[$cache]}" "$(active_objects "$cache")"
	done
	after=$(available_memory)
	[ "$after" -gt $((memory - 300 * 1024)) ] || mismatch MemAvailable "about $memory" "$after"

	jq --exit-status '.last_peak_kib <= .first_peak_kib * 1.1' <<<"$figures"
	jq --exit-status '.used_us <= .fresh_us * 1.3' <<<"$figures"
}

# grows_at_most BY FROM COMMAND...: what it prints is at most that much more.
grows_at_most() {
	[ "$("${@:3}")" -le $(($1 + $2)) ]
}

@test "a hundred exec's in one container, 16 at a time, leave only the container" {
	requires cgroup
	make_bundle
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	export -f hull
	export HULL STATE TAG RUNTIME_DIR ID
	seq "$(rounds 100)" | xargs -P16 -I{} bash -c 'hull exec "$ID" sh -c "exit 7"; [ $? = 7 ]' \
		2>"$WORK/stderr.0"
	[ "$(hull ps --format json "$ID" | jq length)" = 1 ]
	expect 0 delete --force "$ID"
}
