#!/usr/bin/env bats
# as: none, it is the VM that has buildah
# vm: root, user
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
	# The only layer of the default image, which buildah unpacks.
	cp "$HULL_IMAGE/blobs/sha256/$(layer)" "$PLACE/context/rootfs.tar.gz"
}

layer() {
	local manifest
	manifest=$(jq --raw-output '.manifests[0].digest' "$HULL_IMAGE/index.json")
	jq --raw-output '.layers[0].digest | ltrimstr("sha256:")' "$HULL_IMAGE/blobs/sha256/${manifest#sha256:}"
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

# buildah_ STATUS WORD...: buildah, and its exit status.
buildah_() {
	local want=$1
	shift
	run_command env XDG_RUNTIME_DIR="$SESSION" buildah --root "$PLACE/root" --runroot "$PLACE/run" "$@"
	[ "$status" = "$want" ] || mismatch "exit status of \`buildah $*\`" "$want" "$status"
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
	cat >"$PLACE/context/Containerfile" <<-'END'
		FROM scratch
		ADD rootfs.tar.gz /
		ENV A=b
		RUN echo "$(id -u) $A $PWD" >/first
		WORKDIR /work
		USER 7:8
		RUN --mount=type=tmpfs,target=/scratch grep -c ' /scratch tmpfs ' /proc/mounts >/tmp/second && \
			echo "$(id -u):$(id -g) $PWD" >>/tmp/second
		RUN cat /first /tmp/second
	END
	step() {
		buildah_ 0 bud --runtime "$runtime" --network none --quiet --layers=false \
			--tag "$name" "$PLACE/context"
		stdout_has "0 b /
1
7:8 /work"
	}
	both step
}

@test "buildah: a RUN step that fails, and one that is no program" {
	printf 'FROM scratch\nADD rootfs.tar.gz /\nRUN exit 3\n' >"$PLACE/context/Containerfile"
	step() {
		buildah_ 3 bud --runtime "$runtime" --network none --quiet "$PLACE/context"
		stderr_has "exit status 3"
	}
	both step
	printf 'FROM scratch\nADD rootfs.tar.gz /\nRUN ["no-such-program"]\n' >"$PLACE/context/Containerfile"
	step() {
		buildah_ 1 bud --runtime "$runtime" --network none --quiet "$PLACE/context"
		stderr_has "no-such-program"
	}
	both step
}

@test "buildah: run in a working container" {
	step() {
		buildah_ 0 from --quiet --name "$name" scratch
		buildah_ 0 add --quiet "$name" "$PLACE/context/rootfs.tar.gz" /
		buildah_ 7 run --runtime "$runtime" --network none --volume "$WORK:/given:ro" "$name" \
			sh -c 'read line; echo "$line $(id -u)"; touch /given/new 2>/dev/null || exit 7' <<<typed
		stdout_is "typed 0"
		buildah_ 0 rm "$name"
	}
	both step
}
