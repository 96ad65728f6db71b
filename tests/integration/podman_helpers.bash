# shellcheck shell=bash disable=SC2154,SC2016,SC2317,SC2034 # status, stdout and stderr are run_command's
#
# What the tests with Podman share: hull as its runtime, and crun beside it. Every step is taken with
# both, and both have to give what is asked here. Podman knows of each container which runtime made it,
# so what is not about making one is a single command for both containers: under the VM's emulation
# each costs seconds.

# What hull offers to Podman's users, with hull from here. Podman's own journals go to files:
# one of journald's that lives in memory is not a user's to read.
setup_file() {
	export PLACE SESSION=${XDG_RUNTIME_DIR:-}
	# Short: of the place for what is running Podman takes 50 characters.
	PLACE=$(mktemp --directory "${HULL_TEST_TMP:-/tmp}/p-XXXXXX")
	chmod 755 "$PLACE"
	ln -s "$HULL" "$PLACE/hull-oci"
	sed -e "s,@bindir@,$PLACE,g" -e '/^\[engine\]$/a events_logger = "file"' \
		"$SOURCE/contrib/containers.conf.in" >"$PLACE/containers.conf"
	# The first command of a user's Podman leaves a process to hold its namespaces: not a test's.
	podman_plain pull --quiet "oci:$HULL_IMAGE" >"$PLACE/image"
}

teardown_file() {
	podman_plain rm --all --force --time 0 >/dev/null || true
	if is_root; then
		umount "$PLACE/root/overlay" 2>/dev/null || true
		rm -rf "$PLACE"
	else
		podman_plain unshare rm -rf "$PLACE/root"
		podman_plain system migrate
		rm -rf "$PLACE"
	fi
}

setup() {
	requires program=podman program=crun systemd pure-v2
	setup_test
	IMAGE=$(<"$PLACE/image")
	BOTH=("$TAG-hull-oci" "$TAG-crun")
}

teardown() {
	if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -n "${WORK:-}" ]; then
		podman_plain pod rm --all --force --time 0 >/dev/null || true
		podman_plain rm --all --force --time 0 >/dev/null || true
	fi
	teardown_test
}

podman_plain() {
	podman_env podman --root "$PLACE/root" --runroot "$PLACE/run" "$@"
}

podman_env() {
	CONTAINERS_CONF_OVERRIDE=$PLACE/containers.conf XDG_RUNTIME_DIR=$SESSION "$@" 3>&- 4>&-
}

# podman_ STATUS WORD...: Podman, and its exit status.
podman_() {
	local want=$1
	shift
	run_command env CONTAINERS_CONF_OVERRIDE="$PLACE/containers.conf" XDG_RUNTIME_DIR="$SESSION" \
		podman --root "$PLACE/root" --runroot "$PLACE/run" "$@"
	[ "$status" = "$want" ] || mismatch "exit status of \`podman $*\`" "$want" "$status"
}

# both FUNCTION: with $runtime and $name of a container for each of the two.
both() {
	local runtime name
	for runtime in "${RUNTIMES[@]}"; do
		name=$TAG-$runtime
		"$@" # without ||, which would forgive what fails in there
	done
}

# run_ STATUS WORD...: a container of $runtime; image and program are among the words.
run_() {
	local want=$1
	shift
	podman_ "$want" --runtime "$runtime" run --network none "$@"
}

# in_podmans_terminal FILE WORD...
in_podmans_terminal() {
	local file=$1
	shift
	in_terminal "$file" env CONTAINERS_CONF_OVERRIDE="$PLACE/containers.conf" XDG_RUNTIME_DIR="$SESSION" \
		podman --root "$PLACE/root" --runroot "$PLACE/run" "$@"
}

both_are() {
	podman_ 0 inspect --format '{{.State.Status}}' "${BOTH[@]}"
	stdout_is "$1"$'\n'"$1"
}

# limit PID FILE: that of its cgroup, or of the one above, which is the unit's.
limit() {
	local cgroup value
	cgroup=$(cgroup_of "$1")
	value=$(<"$cgroup/$2")
	case $value in max*) value=$(<"${cgroup%/*}/$2") ;; esac
	echo "$value"
}

# gone: no container, and of those that were neither a cgroup nor what the runtime knew.
gone() {
	podman_ 0 ps --all --quiet
	stdout_is ""
	wait_for 10 forgotten
}

forgotten() {
	local state=/run/hull cgroups=(/sys/fs/cgroup -path '*/user.slice' -prune -o)
	is_root || state=$SESSION/hull cgroups=("/sys/fs/cgroup/user.slice/user-$UID.slice")
	[ -z "$(find "${cgroups[@]}" \( -name 'libpod-*' -o -name '*-libpod_pod_*' \) -print 2>/dev/null)" ] &&
		[ -z "$(find "$state" -maxdepth 1 -name '[0-9a-f]*' 2>/dev/null)" ]
}

fetch() {
	busybox wget -q -O - "http://127.0.0.1:$1/etc/hostname"
}
