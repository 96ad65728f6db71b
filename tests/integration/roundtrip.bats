#!/usr/bin/env bats
# as: root
# sanitizers: no
#
# Images of several layers there and back: by hull, skopeo, buildah and umoci, over Debian's
# docker-registry with TLS and basic authentication; digests and trees are the same for all.
# shellcheck disable=SC2016,SC2154 # status, stdout and stderr are run_command's
load helpers

setup() {
	setup_test
	requires program=docker-registry program=skopeo program=openssl program=htpasswd program=python3
	[ -e "${HULL%/*}/libexec/hull/hull-fetch" ] || skip "needs hull-fetch beside hull"
	DATA=$WORK/data
	export HOME=$WORK/home BUILDAH_ISOLATION=chroot
	mkdir -p "$HOME" "$WORK/tmp"
	free_port
	REGISTRY=127.0.0.1:$port
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$WORK/key.pem" -out "$WORK/cert.pem" 2>/dev/null
	htpasswd -Bbc "$WORK/passwords" me secret 2>/dev/null
	cat >"$WORK/registry.yml" <<-END
		version: 0.1
		storage: {filesystem: {rootdirectory: $WORK/registry}}
		http: {addr: $REGISTRY, tls: {certificate: $WORK/cert.pem, key: $WORK/key.pem}}
		auth: {htpasswd: {realm: test, path: $WORK/passwords}}
	END
	in_background docker-registry serve "$WORK/registry.yml" 2>"$WORK/registry.log" >&2
	wait_for 20 listens
}

teardown() {
	local id
	for id in $(hull --data-root "$DATA" ps -aq --no-trunc 2>/dev/null); do
		hull --data-root "$DATA" rm -f "$id" >/dev/null 2>&1 || true
	done
	rm -rf "$DATA" "$WORK/storage"
	teardown_test
}

listens() { (exec 5<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

do_() {
	local want=$1
	shift
	expect "$want" --data-root "$DATA" "$@"
}
pulls() { do_ 0 pull -q --ca "$WORK/cert.pem" --creds me:secret "$REGISTRY/$1"; }
pushes() { do_ 0 push -q --ca "$WORK/cert.pem" --creds me:secret "$1" "$REGISTRY/$2"; }
# No mounts of its own: all that is mounted is a directory.
buildah_() { buildah --storage-driver vfs --root "$WORK/storage" --runroot "$WORK/storage/run" "$@"; }
copies() { skopeo copy --quiet --src-tls-verify=false --src-creds me:secret --dest-tls-verify=false --dest-creds me:secret "$@"; }
digest_there() { skopeo inspect --tls-verify=false --creds me:secret --format '{{.Digest}}' "docker://$REGISTRY/$1"; }

# grow DIRECTORY NUMBER: what the layer NUMBER changes in the tree.
grow() {
	case $2 in
	1)
		mkdir -p "$1"/{bin,etc/conf,usr/lib,var/old,tmp,"with space"}
		cp "$BUSYBOX" "$1/bin/busybox"
		ln -s busybox "$1/bin/sh"
		ln "$1/bin/busybox" "$1/usr/hard"
		printf 'root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n' >"$1/etc/passwd"
		echo setuid >"$1/bin/setuid"
		chown 3:4 "$1/bin/setuid"
		chmod 6755 "$1/bin/setuid"
		chmod 1777 "$1/tmp"
		mknod "$1/null" c 1 3
		mknod "$1/disk" b 259 7
		echo a >"$1/etc/conf/a"
		echo b >"$1/etc/conf/b"
		echo gone >"$1/var/gone"
		echo old >"$1/var/old/file"
		echo x >"$1/with space/ü"
		python3 -c 'import os, sys
os.setxattr(sys.argv[1] + "/bin/busybox", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
os.setxattr(sys.argv[1] + "/etc", "user.note", b"kept")' "$1"
		;;
	2)
		rm "$1/var/gone" "$1/etc/conf/a"
		rm -r "$1/var/old"
		mkdir "$1/var/old" # opaque
		echo new >"$1/var/old/new"
		rm -r "$1/with space"
		echo "a file now" >"$1/with space"
		chown 7:8 "$1/etc/conf/b"
		;;
	3)
		rm "$1/with space"
		mkdir "$1/with space"
		ln "$1/etc/passwd" "$1/etc/passwd.too"
		ln -s /etc/passwd "$1/var/link"
		chmod 700 "$1/var"
		;;
	esac
	find "$1" -newermt '2002-01-01' -exec touch --no-dereference --date="@$((1000000000 + $2))" {} +
}

# listing TAR|DIRECTORY: a line for each name with all that images keep of it.
listing() {
	if [ -d "$1" ]; then
		tar --create --directory="$1" --sort=name --format=pax --xattrs --xattrs-include='*' --numeric-owner .
	else
		cat "$1"
	fi | python3 -c '
import hashlib, sys, tarfile

rows, same = {}, {}
archive = tarfile.open(fileobj=sys.stdin.buffer, mode="r|")
for m in archive:
    name = "/" + "/".join(p for p in m.name.split("/") if p not in ("", "."))
    data = hashlib.sha256(archive.extractfile(m).read()).hexdigest() if m.isreg() else ""
    link = "/" + "/".join(p for p in m.linkname.split("/") if p not in ("", ".")) if m.islnk() else m.linkname
    if m.islnk():
        same.setdefault(link, {link}).add(name)
        continue
    xattrs = sorted((k, v) for k, v in m.pax_headers.items() if k.startswith("SCHILY.xattr.") and "overlay" not in k)
    mtime = 0 if m.isdir() else int(m.mtime)
    rows[name] = (oct(m.mode), m.uid, m.gid, m.type, m.devmajor if m.isdev() else 0, m.devminor if m.isdev() else 0, link, data, mtime, xattrs)
for names in same.values():
    row = next(rows[n] for n in names if n in rows) + (sorted(names),)
    rows.update((n, row) for n in names)
for name in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev", "/proc", "/sys", "/run", "/"):
    rows.pop(name, None)
for name in sorted(rows):
    print(name, *rows[name])'
}
same() {
	listing "$1" >"$WORK/listing.1"
	listing "$2" >"$WORK/listing.2"
	[ -s "$WORK/listing.1" ]
	diff "$WORK/listing.1" "$WORK/listing.2" >&2
}

# tree_of IMAGE FILE: what hull makes of an image, as a tar
tree_of() {
	do_ 0 run --network none --name tree "$1" /bin/busybox true
	hull --data-root "$DATA" export tree >"$2"
	do_ 0 rm tree
}

# build_with_buildah TAG: three layers in the registry as buildah makes them; the tree is in $WORK/expected
build_with_buildah() {
	local c from=scratch n root
	mkdir -p "$WORK/expected"
	for n in 1 2 3; do
		c=$(buildah_ from "$from")
		root=$(buildah_ mount "$c")
		grow "$root" "$n"
		buildah_ config --cmd '["/bin/sh"]' --user 1000 --env BUILT=yes "$c"
		buildah_ commit --quiet "$c" "step:$n" >/dev/null
		from="localhost/step:$n"
	done
	buildah_ push --quiet --tls-verify=false --creds me:secret "localhost/step:3" "docker://$REGISTRY/$1"
	# As it is there, which of hard links over layers keeps less than the containers had.
	buildah_ rmi --all --force >/dev/null
	buildah_ pull --quiet --tls-verify=false --creds me:secret "docker://$REGISTRY/$1" >/dev/null
	c=$(buildah_ from --pull-never "$REGISTRY/$1")
	cp -a "$(buildah_ mount "$c")/." "$WORK/expected"
	[ "$(stat -c %h "$WORK/expected/usr/hard")" = 2 ] && [ -c "$WORK/expected/null" ] && [ ! -e "$WORK/expected/var/gone" ]
}

find_busybox() {
	BUSYBOX=$(command -v busybox) || skip "needs busybox"
}

@test "what buildah pushed is pulled and run, byte for byte the same tree; and pushed on it is the same image" {
	requires program=buildah
	find_busybox
	build_with_buildah team/built:1
	pulls team/built:1
	do_ 0 run --rm --network none --entrypoint /bin/sh "$REGISTRY/team/built:1" -c '/bin/busybox id -u; echo $BUILT; /bin/busybox stat -c %a:%u:%g /bin/setuid'
	stdout_is $'1000\nyes\n6755:3:4'
	tree_of "$REGISTRY/team/built:1" "$WORK/hull.tar"
	same "$WORK/expected" "$WORK/hull.tar"
	pushes "$REGISTRY/team/built:1" other/built:2
	stdout_is "$(digest_there team/built:1)"
	[ "$(digest_there other/built:2)" = "$stdout" ]
}

@test "what hull made in three layers is pulled by skopeo and umoci, and by buildah: the same tree" {
	requires program=buildah program=umoci
	find_busybox
	local n
	mkdir "$WORK/tree"
	grow "$WORK/tree" 1
	tar --create --directory="$WORK/tree" --format=pax --xattrs --xattrs-include='*' --numeric-owner . >"$WORK/one.tar"
	do_ 0 import "$WORK/one.tar" step:1
	for n in 2 3; do
		# In the container's own root file system, as the program there would do it.
		do_ 0 run -d --network none --cap-add MKNOD --name "c$n" "step:$((n - 1))" /bin/busybox sleep 1000
		do_ 0 inspect -f '{{.State.Pid}}' "c$n"
		grow_in "$stdout" "$n"
		do_ 0 stop -t 0 "c$n"
		do_ 0 commit "c$n" "step:$n"
	done
	pushes step:3 team/made:1
	local digest=$stdout
	[ "$(digest_there team/made:1)" = "$digest" ]
	tree_of step:3 "$WORK/hull.tar"
	copies --preserve-digests "docker://$REGISTRY/team/made:1" "oci:$WORK/layout:made"
	[ "$(jq -r '.manifests[0].digest' "$WORK/layout/index.json")" = "$digest" ]
	umoci unpack --image "$WORK/layout:made" "$WORK/bundle"
	same "$WORK/bundle/rootfs" "$WORK/hull.tar"
	buildah_ pull --quiet --tls-verify=false --creds me:secret "docker://$REGISTRY/team/made:1" >/dev/null
	local c
	c=$(buildah_ from --pull-never "$REGISTRY/team/made:1")
	same "$(buildah_ mount "$c")" "$WORK/hull.tar"
}

# grow_in PID NUMBER: grow, seen from the container's mount namespace, with the host's programs
grow_in() {
	local root="/proc/$1/root"
	case $2 in
	2)
		rm "$root/var/gone" "$root/etc/conf/a"
		rm -r "$root/var/old"
		mkdir "$root/var/old"
		echo new >"$root/var/old/new"
		rm -r "$root/with space"
		echo "a file now" >"$root/with space"
		chown 7:8 "$root/etc/conf/b"
		;;
	3)
		rm "$root/with space"
		mkdir "$root/with space"
		ln "$root/etc/passwd" "$root/etc/passwd.too"
		ln -s /etc/passwd "$root/var/link"
		chmod 700 "$root/var"
		;;
	esac
}

@test "the same image in other forms: docker's schema, zstd, and what skopeo makes of an archive" {
	requires program=buildah
	find_busybox
	build_with_buildah team/built:1
	copies --format v2s2 "docker://$REGISTRY/team/built:1" "docker://$REGISTRY/team/docker:1"
	copies --format oci --dest-compress-format zstd "docker://$REGISTRY/team/built:1" "oci:$WORK/zstd:1"
	copies "oci:$WORK/zstd:1" "docker://$REGISTRY/team/zstd:1"
	local name
	for name in docker zstd; do
		pulls "team/$name:1"
		do_ 0 inspect "$REGISTRY/team/$name:1"
		[ "$(jq -r '.[0].Digest' <<<"$stdout")" = "$(digest_there "team/$name:1")" ]
		tree_of "$REGISTRY/team/$name:1" "$WORK/$name.tar"
		same "$WORK/expected" "$WORK/$name.tar"
	done
	# Pushed by hull, docker's form stays docker's.
	pushes "$REGISTRY/team/docker:1" other/docker:1
	[ "$(digest_there other/docker:1)" = "$(digest_there team/docker:1)" ]
	# By archives.
	do_ 0 save -o "$WORK/saved" "$REGISTRY/team/docker:1"
	copies "oci-archive:$WORK/saved" "docker://$REGISTRY/team/saved:1"
	pulls team/saved:1
	tree_of "$REGISTRY/team/saved:1" "$WORK/saved.tar"
	same "$WORK/expected" "$WORK/saved.tar"
}
