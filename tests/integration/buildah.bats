#!/usr/bin/env bats
# as: none, it is the VM that has buildah
# vm-long: root, user
#
# buildah with hull as its runtime, and with crun beside it.
# shellcheck disable=SC2154,SC2016,SC2317 # status, stdout and stderr are run_command's
load helpers

setup_file() {
	export PLACE SESSION=${XDG_RUNTIME_DIR:-}
	PLACE=$(mktemp --directory "${HULL_TEST_TMP:-/tmp}/b-XXXXXX")
	ln -s "$HULL" "$PLACE/hull-oci"
	chmod 755 "$PLACE"
	mkdir "$PLACE/context"
	buildah_plain tag "$(buildah_plain pull --quiet "oci:$HULL_IMAGE")" localhost/default
}

teardown_file() {
	if is_root; then
		umount "$PLACE/root/overlay" 2>/dev/null || true
		rm -rf "$PLACE"
	else
		XDG_RUNTIME_DIR=$SESSION buildah unshare rm -rf "$PLACE"
	fi
}

setup() {
	requires program=buildah program=crun systemd pure-v2
	setup_test
}

buildah_plain() {
	XDG_RUNTIME_DIR=$SESSION buildah --root "$PLACE/root" --runroot "$PLACE/run" "$@" 3>&- 4>&-
}

# buildah_ STATUS WORD...: buildah, and its exit status.
buildah_() {
	local want=$1
	shift
	run_command env XDG_RUNTIME_DIR="$SESSION" buildah --root "$PLACE/root" --runroot "$PLACE/run" "$@"
	[ "$status" = "$want" ] || mismatch "exit status of \`buildah $*\`" "$want" "$status"
}

# bud STATUS WORD...: of the Containerfile on standard input.
bud() {
	local want=$1
	shift
	cat >"$PLACE/context/Containerfile"
	buildah_ "$want" bud --runtime "$runtime" --network none --layers=false "$@" "$PLACE/context"
}

# both FUNCTION: with $runtime, and $name for what it makes, for each of the two.
both() {
	local runtime name
	for runtime in "$PLACE/hull-oci" crun; do
		name=$TAG-${runtime##*/}
		"$@" # without ||, which would forgive what fails in there
	done
}

@test "buildah: bud with RUN steps" {
	step() {
		bud 0 --tag "$name" --memory 64m --build-arg given=thing <<-'END'
			FROM localhost/default
			ENV A=b
			ARG given
			RUN echo "$(id -u) $A $given $PWD" >/first
			WORKDIR /work
			USER 7:8
			RUN --mount=type=tmpfs,target=/scratch grep -c ' /scratch tmpfs ' /proc/mounts >/tmp/second && \
				echo "$(id -u):$(id -g) $PWD" >>/tmp/second
			RUN cat /first /tmp/second
		END
		stdout_has "0 b thing /
1
7:8 /work"
	}
	both step
}

@test "buildah: a RUN step that fails, and one that is no program" {
	step() {
		bud 3 <<<$'FROM localhost/default\nRUN exit 3'
		stderr_has "exit status 3"
		bud 1 <<<$'FROM localhost/default\nRUN ["no-such-program"]'
		stderr_has "no-such-program"
	}
	both step
}

@test "buildah: run in a working container" {
	step() {
		buildah_ 0 from --quiet --name "$name" localhost/default
		buildah_ 7 run --runtime "$runtime" --network none --volume "$WORK:/given:ro" "$name" \
			sh -c 'read line; echo "$line $(id -u)"; touch /given/new 2>/dev/null || exit 7' <<<typed
		stdout_is "typed 0"
		buildah_ 0 rm "$name"
	}
	both step
}
