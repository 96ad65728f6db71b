#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
#
# Images to archives, and back.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
}

teardown() {
	rm -rf "$DATA" "$WORK/other" 2>/dev/null || true
	teardown_test
}

# digests_of DATA-ROOT: the digest and id of the one image, and its layers' digests.
digests_of() {
	run_hull --data-root "$1" inspect --type image busybox
	python3 -c 'import json, sys
i = json.loads(sys.argv[1])[0]
print(i["Name"], i["Id"], i["Digest"], i["Layers"])' "$stdout"
}

@test "what was saved is loaded as it was, in either format, and is the same each time" {
	local format before
	do_ 0 pull $IMAGE
	before=$(digests_of "$DATA")
	for format in oci-archive docker-archive; do
		do_ 0 save --format "$format" -o "$WORK/image.tar" $IMAGE
		stdout_is ""
		hull --data-root "$DATA" save --format "$format" $IMAGE >"$WORK/again.tar"
		cmp "$WORK/image.tar" "$WORK/again.tar"
		tar -tf "$WORK/image.tar" >"$WORK/list"
		[ "$(sort "$WORK/list" | uniq -d)" = "" ]
		expect 0 --data-root "$WORK/other" load --input "$WORK/image.tar"
		stdout_is "Loaded image: localhost/hull/busybox:latest"
		[ "$(digests_of "$WORK/other")" = "$before" ]
		rm -rf "$WORK/other"
	done
	# An OCI layout may also be a directory.
	do_ 0 save --format oci-archive -o "$WORK/oci.tar" $IMAGE
	mkdir "$WORK/layout"
	tar -C "$WORK/layout" -xf "$WORK/oci.tar"
	expect 0 --data-root "$WORK/other" load --input "$WORK/layout"
	stdout_is "Loaded image: localhost/hull/busybox:latest"
	[ "$(digests_of "$WORK/other")" = "$before" ]
	rm -rf "$WORK/other" "$WORK/layout/oci-layout"
	expect 1 --data-root "$WORK/other" load --input "$WORK/layout"
	stderr_is "hull: $WORK/layout: a directory without oci-layout is no OCI image layout"
	# Docker's older ways know nothing of an index.
	mkdir "$WORK/old"
	tar -C "$WORK/old" -xf "$WORK/image.tar"
	rm "$WORK/old/oci-layout" "$WORK/old/index.json"
	tar -C "$WORK/old" -c . | hull --data-root "$WORK/other" load
	[ "$(digests_of "$WORK/other" | cut -d' ' -f1,2)" = "$(cut -d' ' -f1,2 <<<"$before")" ]
}

# old_archive: of $WORK/image.tar, what Docker wrote before it knew of OCI; its layers packed by a command.
old_archive() {
	local layer
	rm -rf "$WORK/old"
	mkdir "$WORK/old"
	tar -C "$WORK/old" -xf "$WORK/image.tar"
	rm "$WORK/old/oci-layout" "$WORK/old/index.json"
	for layer in $(jq -r '.[].Layers[]' "$WORK/old/manifest.json"); do
		gzip -dcf <"$WORK/old/$layer" | "$@" >"$WORK/packed"
		mv "$WORK/packed" "$WORK/old/$layer"
	done
}

@test "layers of an old archive that are compressed are called so" {
	local row kind
	do_ 0 pull $IMAGE
	do_ 0 save --format docker-archive -o "$WORK/image.tar" $IMAGE
	for row in cat: 'gzip -n:+gzip' 'zstd -q:+zstd'; do
		requires program="${row%%[ :]*}"
		kind=${row#*:}
		# shellcheck disable=SC2086 # a command and its option
		old_archive ${row%:*}
		tar -C "$WORK/old" -c . | hull --data-root "$WORK/other" load
		# The index's one manifest, and what that calls its layer.
		row=$(jq -r '.manifests[0].digest' "$WORK/other/index.json")
		row=$(jq -r '.layers[0].mediaType' "$WORK/other/blobs/${row/://}")
		[ "$row" = "application/vnd.oci.image.layer.v1.tar$kind" ]
		expect 0 --data-root "$WORK/other" run --rm --network none localhost/hull/busybox true
		rm -rf "$WORK/other"
	done
}

@test "skopeo reads what was saved, several images too" {
	requires program=skopeo
	do_ 0 pull $IMAGE
	do_ 0 tag $IMAGE localhost/second:2
	do_ 0 save -o "$WORK/oci.tar" $IMAGE
	do_ 0 save --format docker-archive -o "$WORK/docker.tar" $IMAGE localhost/second:2
	run_hull --data-root "$DATA" inspect --type image busybox
	local digest
	digest=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])[0]["Digest"])' "$stdout")
	# Where it works is the user's own place, which the test's user has none of.
	export HOME=$WORK XDG_RUNTIME_DIR=$WORK TMPDIR=$WORK
	[ "$(skopeo inspect --tmpdir "$WORK" --format '{{.Digest}}' "oci-archive:$WORK/oci.tar")" = "$digest" ]
	skopeo copy --quiet --tmpdir "$WORK" --insecure-policy "oci-archive:$WORK/oci.tar:localhost/hull/busybox:latest" "dir:$WORK/dir"
	[ "sha256:$(sha256sum <"$WORK/dir/manifest.json" | cut -d' ' -f1)" = "$digest" ]
	skopeo copy --quiet --tmpdir "$WORK" --insecure-policy "docker-archive:$WORK/docker.tar:localhost/second:2" "dir:$WORK/dir2"
}

@test "what can't be saved leaves nothing, and what was there stays" {
	do_ 0 pull $IMAGE
	echo before >"$WORK/image.tar"
	do_ 1 save -o "$WORK/image.tar" $IMAGE no/such/image
	stderr_has "no/such/image"
	do_ 1 save --format zip -o "$WORK/image.tar" $IMAGE
	do_ 1 save -o "$WORK/no/such/dir/image.tar" $IMAGE
	stderr_has "$WORK/no/such/dir/image.tar"
	# A layer that is no longer what it was.
	local layer
	layer=$(find "$DATA/blobs/sha256" -size +100k | head -n 1)
	chmod u+w "$layer"
	printf 'x' | dd of="$layer" bs=1 seek=5000 conv=notrunc status=none
	do_ 1 save -o "$WORK/image.tar" $IMAGE
	stderr_is "hull: the blob sha256:${layer##*/} holds something else; run \"hull fsck --repair\""
	[ "$(cat "$WORK/image.tar")" = before ]
	[ "$(find "$WORK" -maxdepth 1 -name 'image.tar*' | wc -l)" = 1 ]
}
