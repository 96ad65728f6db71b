#!/usr/bin/env bats
# as: none, it is the VM that has systemd
# vm-long: root, user
# Five hundred containers at once, each in a unit of systemd: all start, all go.
# shellcheck disable=SC2154 # helpers.bash sets these
load helpers
load systemd_helpers

# Under emulation the VM has one processor for five hundred hulls.
BATS_TEST_TIMEOUT=$((360 * HULL_TEST_SLOW))

# each WORD...: `hull WORD... ID` for all of $MANY containers, so many at the same time as
# HULL_TEST_ABREAST says; how many failed is in $failed.
each() {
	local i pids=() abreast=${HULL_TEST_ABREAST:-$MANY}
	failed=0
	[ "$abreast" -le "$MANY" ] || abreast=$MANY
	for ((i = 0; i < MANY; i++)); do
		hull "${@//@/$i}" "$ID-$i" &
		pids+=($!)
		[ "$i" -lt "$abreast" ] || wait "${pids[i - abreast]}" || failed=$((failed + 1))
	done
	for ((i = MANY - abreast; i < MANY; i++)); do
		wait "${pids[i]}" || failed=$((failed + 1))
	done
}

@test "systemd: many at once in one slice, and nothing is left of them" {
	local i MANY=${HULL_TEST_MANY:-500} keys=()
	# A user may have 200 keys, and each session keyring is one (keyrings(7), maxkeys).
	[ "$(id -u)" -eq 0 ] || keys=(--no-new-keyring)
	slice=${TAG//-/_}.slice
	make_bundle bundle '.process.args = ["sleep", "1000"]' ".root.path = \"$WORK/bundle/rootfs\"" \
		".linux.cgroupsPath = \"$slice:$TAG:@\""
	for ((i = 0; i < MANY; i++)); do
		mkdir "$WORK/$i"
		sed "s/$TAG:@/$TAG:$i/" "$BUNDLE/config.json" >"$WORK/$i/config.json"
	done
	each --systemd-cgroup run --detach "${keys[@]}" --bundle "$WORK/@"
	[ "$failed" = 0 ] || mismatch "failed" 0 "$failed"
	[ "$(ctl list-units --plain --no-legend --state=active "$TAG-*.scope" | wc -l)" = "$MANY" ]
	[ "$(find "$manager/$slice" -mindepth 2 -maxdepth 2 -name container | wc -l)" = "$MANY" ]
	each delete --force
	[ "$failed" = 0 ] || mismatch "failed" 0 "$failed"
	[ -z "$(ctl list-units --all --plain --no-legend "$TAG-*.scope")" ]
	[ -z "$(find "$manager/$slice" -mindepth 1 -type d)" ]
	[ -z "$(ls -A "$STATE")" ]
	# The slice is the engine's.
	ctl stop "$slice"
}
