#!/usr/bin/env bats
# as: root, user
# hull-unpack: layers of every kind become directories, hostile ones nothing outside of them.
# shellcheck disable=SC2154,SC2034,SC2030,SC2031 # helpers.bash and bats set these; a test is a subshell
# shellcheck disable=SC2015,SC2016 # mismatch is to run when either fails; sh -c has words of its own
load helpers
load ../tools/tools

# The helper beside the program under test.
setup_file() {
	HULL_UNPACK=${HULL:-$BATS_TEST_DIRNAME/../../build/hull}
	HULL_UNPACK=${HULL_LIBEXEC:-${HULL_UNPACK%/*}/libexec/hull}/hull-unpack
	export HULL_UNPACK
}

setup() {
	setup_test
	[ -x "$HULL_UNPACK" ] || skip "needs $HULL_UNPACK"
	mkdir "$WORK/out"
	# Root's layers keep their owners; a user's belong to the user.
	if is_root; then
		defaults=(--whiteouts overlay)
	else
		defaults=(--whiteouts userxattr --ids squash)
	fi
}

# unpack [OPTION...] <LAYER: into out/; sets $status, $answer and $said.
unpack() {
	status=0
	"$HULL_UNPACK" --dir-fd 9 "${defaults[@]}" "$@" 9<"$WORK/out" >"$WORK/answer" 2>"$WORK/said" ||
		status=$?
	answer=$(<"$WORK/answer")
	said=$(<"$WORK/said")
}

# unpacks [OPTION...] <LAYER: the same, and fails unless it worked and said nothing.
unpacks() {
	unpack "$@"
	[ "$status" -eq 0 ] && [ -z "$said" ] || mismatch "exit status and errors" "0:" "$status: $said"
}

# archive ENTRIES: an archive in the language of tests/tools/hostile-tar.c.
archive() {
	tool hostile-tar
	"$tool" - "$1"
}

# listing DIRECTORY: a line for each file with all that tar keeps of it, links by what they share.
listing() {
	(cd "$1" && python3 - <<'PYTHON'
import hashlib, os, stat

first = {}
for top, dirs, files in os.walk(b"."):
    for name in sorted(dirs + files) + ([b""] if top == b"." else []):
        path = os.path.join(top, name)
        st = os.lstat(path)
        kind = stat.S_IFMT(st.st_mode)
        words = [path, oct(st.st_mode), st.st_uid, st.st_gid, st.st_mtime_ns]
        if kind == stat.S_IFREG:
            words += [st.st_size, hashlib.sha256(open(path, "rb").read()).hexdigest() if
                      os.access(path, os.R_OK) else "unreadable", st.st_blocks * 512 < st.st_size]
        if kind == stat.S_IFLNK:
            words.append(os.readlink(path))
        if kind in (stat.S_IFCHR, stat.S_IFBLK):
            words.append(st.st_rdev)
        if kind != stat.S_IFDIR:
            words.append(first.setdefault(st.st_ino, path))
        for key in sorted(os.listxattr(path, follow_symlinks=False)):
            words.append((key, os.getxattr(path, key, follow_symlinks=False)))
        print(*words)
PYTHON
	) | sort
}

# same_tree A B: fails and shows what differs.
same_tree() {
	listing "$1" >"$WORK/listing.1"
	listing "$2" >"$WORK/listing.2"
	diff "$WORK/listing.1" "$WORK/listing.2" >&2
}

# rich_tree DIRECTORY: something of everything that this user can make.
rich_tree() {
	local long
	printf -v long 'n%.0s' {1..255}
	mkdir -p "$1/bin" "$1/usr/lib" "$1/tmp" "$1/$long/$long" "$1/empty" "$1/closed"
	echo text >"$1/bin/file"
	ln "$1/bin/file" "$1/usr/hard-link"
	ln -s ../bin/file "$1/usr/link"
	ln "$1/usr/link" "$1/usr/hard-link-to-link"
	ln -s /nowhere "$1/usr/dangling"
	: >"$1/usr/nothing"
	echo long >"$1/$long/$long/$long"
	ln -s "$long/$long" "$1/long-link"
	echo unicode >"$1/usr/"$'caf\xc3\xa9'
	echo unicode >"$1/usr/"$'cafe\xcc\x81'
	echo bytes >"$1/usr/"$'\xff\xfe'
	head --bytes=3000000 /dev/urandom >"$1/usr/lib/random"
	echo script >"$1/bin/setuid"
	chmod 4755 "$1/bin/setuid"
	chmod 2755 "$1/usr/lib"
	chmod 1777 "$1/tmp"
	chmod 0400 "$1/bin/file"
	truncate --size=50M "$1/sparse"
	printf 'middle' | dd of="$1/sparse" bs=1M seek=20 conv=notrunc status=none
	python3 - "$1" <<'PYTHON'
import os, sys

top = sys.argv[1]
os.setxattr(top + "/bin/setuid", "user.note", b"a\0b")
os.setxattr(top + "/usr", "user.empty", b"")
if os.getuid() == 0:
    os.setxattr(top + "/bin/setuid", "security.capability",
                bytes.fromhex("0100000200040000000000000000000000000000"))
    os.chown(top + "/bin/setuid", 12, 34)
    os.setxattr(top + "/bin/setuid", "security.capability",
                bytes.fromhex("0100000200040000000000000000000000000000"))
    os.chmod(top + "/bin/setuid", 0o4755)
    os.chown(top + "/empty", 3000000, 4000000)
    os.lchown(top + "/usr/link", 5, 6)
    os.mknod(top + "/null", 0o020666, os.makedev(1, 3))
    os.mknod(top + "/disk", 0o060640, os.makedev(259, 70000))
PYTHON
	find "$1" -depth -exec touch --no-dereference --date='2001-02-03 04:05:06.123456789' {} +
	chmod 0500 "$1/closed"
	touch --date='1969-12-31 23:59:58' "$1/closed"
}

pack() {
	tar --create --directory="$1" --format="${2:-pax}" --sparse --xattrs --xattrs-include='*' \
		--numeric-owner .
}

# What tar does not put into a pax archive as we take it: its time of access, a blocks' number.
@test "unpack: a rich layer comes out as it went in: PAX, plain, gzip and zstd" {
	local filter
	rich_tree "$WORK/in"
	pack "$WORK/in" >"$WORK/layer"
	for filter in cat gzip 'zstd --quiet' 'zstd --quiet -19' 'gzip --best'; do
		$filter <"$WORK/layer" >"$WORK/packed"
		unpacks <"$WORK/packed"
		same_tree "$WORK/in" "$WORK/out"
		[ "$(jq --raw-output .diff_id <<<"$answer")" = "sha256:$(sha256sum "$WORK/layer" | cut -d' ' -f1)" ]
		[ "$(jq .size <<<"$answer")" = "$(stat --format=%s "$WORK/layer")" ]
		[ "$(jq .entries <<<"$answer")" = "$(tar --list --file="$WORK/layer" | wc --lines)" ]
		[ "$(jq '.skipped + .dropped_xattrs' <<<"$answer")" = 0 ]
		chmod --recursive u+rwx "$WORK/out"
		rm -rf "$WORK/out"
		mkdir "$WORK/out"
	done
	chmod --recursive u+rwx "$WORK/in"
}

@test "unpack: the same from GNU's format with its long names and sparse files" {
	rich_tree "$WORK/in"
	# It has neither nanoseconds nor attributes.
	find "$WORK/in" -exec touch --no-dereference --date='2001-02-03 04:05:06' {} +
	python3 - "$WORK/in" <<'PYTHON'
import os, sys

for top, dirs, files in os.walk(sys.argv[1]):
    for name in dirs + files:
        path = os.path.join(top, name)
        for key in os.listxattr(path, follow_symlinks=False):
            os.removexattr(path, key, follow_symlinks=False)
PYTHON
	tar --create --directory="$WORK/in" --format=gnu --sparse --numeric-owner . >"$WORK/layer"
	unpacks <"$WORK/layer"
	same_tree "$WORK/in" "$WORK/out"
	chmod --recursive u+rwx "$WORK/in" "$WORK/out"
}

@test "unpack: the same tree as umoci makes of several layers" {
	requires root program=umoci
	local n
	rich_tree "$WORK/one"
	rm "$WORK/one/sparse" # umoci fills the holes
	mkdir -p "$WORK/two/bin" "$WORK/two/usr/lib/new" "$WORK/three/tmp"
	echo second >"$WORK/two/bin/file"
	: >"$WORK/two/.wh.empty"
	: >"$WORK/two/usr/.wh.link"
	echo own >"$WORK/two/usr/lib/new/own"
	: >"$WORK/two/usr/lib/.wh..wh..opq"
	ln -s elsewhere "$WORK/two/closed"
	echo third >"$WORK/three/tmp/file"
	mkdir "$WORK/three/closed"
	umoci init --layout "$WORK/image"
	umoci new --image "$WORK/image:test"
	for n in one two three; do
		pack "$WORK/$n" >"$WORK/$n.tar"
		umoci raw add-layer --image "$WORK/image:test" "$WORK/$n.tar"
		unpacks --whiteouts apply <"$WORK/$n.tar"
	done
	umoci unpack --image "$WORK/image:test" "$WORK/bundle"
	# umoci puts back the times of directories that a whiteout has changed; a tar does not say.
	rm -rf "$WORK/bundle/rootfs/usr/lib" "$WORK/out/usr/lib.kept"
	listing "$WORK/out/usr/lib" | cut -d' ' -f1 >"$WORK/lib"
	printf '%s\n' "b'./'" "b'./new'" "b'./new/own'" | sort | diff - "$WORK/lib"
	rm -rf "$WORK/out/usr/lib"
	touch --date=@1 "$WORK/out/usr" "$WORK/bundle/rootfs/usr" "$WORK/out" "$WORK/bundle/rootfs"
	same_tree "$WORK/bundle/rootfs" "$WORK/out"
}

# xattr FILE NAME: its value; nothing without it.
xattr() {
	python3 -c 'import os, sys
try: print(os.getxattr(sys.argv[1], sys.argv[2], follow_symlinks=False).decode())
except OSError: pass' "$1" "$2"
}

@test "unpack: whiteouts as overlayfs wants them, opaque directories by attribute" {
	local name=user.overlay.opaque
	! is_root || name=trusted.overlay.opaque
	unpacks < <(archive 'd a|f a/.wh.gone|f a/kept|d b|f b/.wh..wh..opq|f .wh.c|d c|f c/new|d e|f .wh.e|f f|f .wh.f|f .wh.g|f g/below')
	[ "$(stat --format='%F %t:%T' out/a/gone)" = "character special file 0:0" ]
	[ "$(xattr out/b $name)" = y ]
	[ -z "$(xattr out/a $name)" ]
	# A directory of this layer hides the older one of which the whiteout speaks.
	[ -f out/c/new ] && [ "$(xattr out/c $name)" = y ]
	[ "$(xattr out/e $name)" = y ]
	[ -f out/f ]
	[ -f out/g/below ] && [ "$(xattr out/g $name)" = y ]
	[ ! -e out/b/.wh..wh..opq ]
}

@test "unpack: the kernel's overlayfs sees what whiteouts hide" {
	requires root overlay
	mkdir lower upper work merged
	archive 'd a|f a/gone|f a/stays|d b|f b/gone|d c|f c/gone|f d' >"$WORK/layer"
	unpacks <"$WORK/layer"
	mv out lower.out
	mkdir out
	unpacks < <(archive 'f a/.wh.gone|d b|f b/.wh..wh..opq|f b/new|f .wh.c|d c|f .wh.d')
	unshare --mount sh -c 'mount -t overlay none -o "lowerdir=$1/out:$1/lower.out" "$1/merged" &&
		cd "$1/merged" && find . | sort' sh "$WORK" >"$WORK/seen"
	printf '%s\n' . ./a ./a/stays ./b ./b/new ./c | diff - "$WORK/seen"
}

@test "unpack: whiteouts that are applied spare what the layer itself brings" {
	unpacks --whiteouts apply < <(archive 'f a/old|f a/d/old|f a/d/kept|f b/old|f c|l l to=a|f n/old')
	unpacks --whiteouts apply < <(archive 'f a/new|f a/d/new|f a/.wh..wh..opq|f a/.wh.new|f b/.wh.old|f .wh.c|f .wh.l|f .wh.absent|f n/x|f .wh.n')
	(cd out && find . -mindepth 1 | sort) >"$WORK/seen"
	printf '%s\n' ./a ./a/d ./a/d/new ./a/new ./b ./n ./n/x | diff - "$WORK/seen"
}

@test "unpack: owners are mapped, those without a place are refused" {
	requires root
	defaults=()
	unpacks --ids u:0:100000:1000,g:0:200000:1000,u:1000:5000:1 < <(archive 'f a uid=999 gid=999|f b/c uid=1000|l l to=x uid=7')
	[ "$(stat --format='%u:%g' out/a out/b out/b/c out/l | xargs)" = "100999:200999 100000:200000 5000:200000 100007:200000" ]
	printf 'u:0:10:5\ng:0:20:5\n' >"$WORK/map"
	rm -rf out/a
	unpacks --ids "$WORK/map" < <(archive 'f a uid=4 gid=4')
	[ "$(stat --format='%u:%g' out/a)" = 14:24 ]
	unpack --ids "$WORK/map" < <(archive 'f a uid=5')
	[ "$said" = 'hull-unpack: entry "a": its owner 5 has no place in the map of ids' ]
}

@test "unpack: ACLs name mapped users, and are not handed on to what has none" {
	requires root
	local acl='system.posix_acl_access' entries
	# USER_OBJ rw-, USER 5 r--, GROUP_OBJ r--, MASK r--, OTHER r--; ids of the others are -1.
	entries='%02%00%00%00%01%00%06%00%ff%ff%ff%ff%02%00%04%00%05%00%00%00%04%00%04%00%ff%ff%ff%ff'
	entries+='%10%00%04%00%ff%ff%ff%ff%20%00%04%00%ff%ff%ff%ff'
	defaults=()
	unpacks --ids u:0:100000:1000,g:0:100000:1000 < <(archive "d d x=SCHILY.xattr.system.posix_acl_default=$entries|f d/f|d d/e|f g x=SCHILY.xattr.$acl=$entries")
	[ "$(python3 -c 'import os; print(os.getxattr("out/g", "system.posix_acl_access").hex()[24:40])')" = 02000400a5860100 ]
	[ "$(python3 -c 'import os; print(os.listxattr("out/d"), os.listxattr("out/d/f"), os.listxattr("out/d/e"))')" = "['system.posix_acl_default'] [] []" ]
	[ "$(stat --format=%a out/d/f)" = 644 ]
}

@test "unpack: what is left out is counted" {
	unpacks --ids squash --whiteouts userxattr < <(archive 'p a|c b dev=1:3|f c x=SCHILY.xattr.trusted.x=y|f .wh..wh.aufs')
	[ "$(jq --compact-output '[.entries, .skipped, .dropped_xattrs]' <<<"$answer")" = "[4,3,1]" ]
}

@test "unpack: a digest that is asked for is checked" {
	local digest
	archive 'f a data=x' >"$WORK/layer"
	digest=$(sha256sum "$WORK/layer" | cut -d' ' -f1)
	gzip --keep "$WORK/layer"
	unpacks --diff-id "sha256:$digest" <"$WORK/layer.gz"
	unpack --diff-id "sha256:${digest//[0-9]/0}" <"$WORK/layer.gz"
	[ "$status" -eq 1 ] && [ -z "$answer" ]
	[ "$said" = "hull-unpack: the layer's digest is sha256:$digest, not sha256:${digest//[0-9]/0}" ]
}

@test "unpack: words that are wrong are named" {
	local words
	while IFS='|' read -r words said_wanted; do
		# shellcheck disable=SC2086 # words
		unpack $words </dev/null
		[ "$status" -eq 1 ] && [ "$said" = "hull-unpack: $said_wanted" ] ||
			mismatch "$words" "$said_wanted" "$said"
	done <<-'ROWS'
		--nonsense|there is no option "--nonsense"; --help lists them
		--ids|--ids wants a value
		--ids u:0:1|--ids wants squash or rows like u:0:100000:65536, not "u:0:1"
		--ids u:0:1:4294967296|--ids wants squash or rows like u:0:100000:65536, not "u:0:1:4294967296"
		--ids /nonexistent|open /nonexistent: no such file or directory
		--whiteouts x|--whiteouts wants overlay, userxattr, apply or plain, not "x"
		--max-entries 1x|--max-entries wants a number up to 9223372036854775807, not "1x"
		--max-bytes -1|--max-bytes wants a number up to 9223372036854775807, not "-1"
		--diff-id sha512:00|--diff-id wants sha256: and 64 hexadecimal digits, not "sha512:00"
		--dir-fd 77|--dir-fd 77: bad file descriptor
		--dir-fd 0|--dir-fd 0 is no directory that is open for reading
	ROWS
}

@test "unpack: a full disk and a directory that is not ours are named" {
	requires root
	mkdir small
	unshare --mount sh -c 'mount -t tmpfs -o size=64k none small && exec "$0" --dir-fd 9 9<small' "$HULL_UNPACK" \
		< <(archive 'd d|f d/a data=%{100000:x}') 2>"$WORK/said" && false
	[ "$(<"$WORK/said")" = 'hull-unpack: entry "d/a": write: no space left on device' ]
	chmod 700 small
	setpriv --reuid=65534 --regid=65534 --clear-groups "$HULL_UNPACK" --dir-fd 9 --ids squash 9<small \
		< <(archive 'f a') 2>"$WORK/said" && false
	[ "$(<"$WORK/said")" = "hull-unpack: make a file in the directory: permission denied" ]
}

@test "unpack: the sandbox is on, and refuses what it should" {
	unpacks --self-test
	jq --exit-status 'del(.landlock, .environment) | length == 12 and all(.[]; . != "possible")' <<<"$answer"
	jq --exit-status '.environment == false' <<<"$answer"
	# What decompresses has a closer one, in which it dies with whom it works for.
	unpacks --self-test-stream
	jq --exit-status 'del(.landlock, .environment) | length == 12 and all(.[]; . != "possible")' <<<"$answer"
	# In the process itself, while it waits for a layer.
	mkfifo "$WORK/layer"
	in_background sh -c 'exec "$0" --dir-fd 9 "$@" 9<out <layer >answer 2>said' "$HULL_UNPACK" "${defaults[@]}"
	exec 8>"$WORK/layer"
	local pid=${BACKGROUND[-1]}
	wait_for 5 grep --quiet '^Seccomp:.*2' "/proc/$pid/status"
	grep --quiet '^NoNewPrivs:.*1' "/proc/$pid/status"
	[ "$(cd "/proc/$pid/fd" && echo *)" = "0 1 2 3" ]
	[ ! -s "/proc/$pid/environ" ] || ! tr '\0' '\n' <"/proc/$pid/environ" | grep --quiet ^PATH=
	local kept=0
	# CHOWN, DAC_OVERRIDE, FOWNER, FSETID, MKNOD, SETFCAP; SYS_ADMIN for trusted.overlay.opaque.
	! is_root || kept=88020001b
	is_root && kept=$(printf '%016x' $((1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 27 | 1 << 31 | 1 << 21))) ||
		kept=0000000000000000
	grep --quiet "^CapEff:.*$kept" "/proc/$pid/status"
	grep --quiet "^CapPrm:.*$kept" "/proc/$pid/status"
	! is_root || grep --quiet "^CapBnd:.*0000000000000000" "/proc/$pid/status"
	local reader
	reader=$(<"/proc/$pid/task/$pid/children")
	reader=${reader% }
	wait_for 5 grep --quiet '^Seccomp:.*2' "/proc/$reader/status"
	grep --quiet '^NoNewPrivs:.*1' "/proc/$reader/status"
	grep --quiet '^CapPrm:.*0000000000000000' "/proc/$reader/status"
	[ "$(cd "/proc/$reader/fd" && echo *)" = "0 1 2" ]
	# Half of a layer is not taken for all of it.
	kill -KILL "$reader"
	wait_for 5 grep --quiet . "$WORK/said"
	[ "$(<"$WORK/said")" = "hull-unpack: the process that decompresses the layer died" ]
	exec 8>&-
}

@test "unpack: hostile archives are refused by name or stay inside" {
	tool hostile-tar
	"$SOURCE/tests/tools/hostile-run" "$tool" "$HULL_UNPACK" "$WORK"
}

# layer KIND: one that would take memory if anything did.
layer() {
	python3 - "$1" <<'PYTHON'
import io, sys, tarfile

kind, out = sys.argv[1], tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT)

def add(name, **fields):
    info = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    out.addfile(info, io.BytesIO(bytes(info.size)))

if kind == "files":
    for i in range(20000):
        add(f"d{i % 97}/f{i}")
elif kind == "directories":
    for i in range(20000):
        add(f"a{i % 100}/b{i}", type=tarfile.DIRTYPE)
elif kind == "headers":
    add("a", pax_headers={"comment": "x" * 500000})
elif kind == "sparse-map":
    add("a", pax_headers={"GNU.sparse.size": "1000000", "GNU.sparse.numblocks": "50000",
                          "GNU.sparse.map": ",".join(f"{i * 10},0" for i in range(50000))})
elif kind == "xattrs":
    add("a", pax_headers={f"SCHILY.xattr.user.{i}": "x" * 2000 for i in range(200)})
else:
    add("a", size=60000000)
out.close()
PYTHON
}

@test "unpack: memory stays below 16 MB whatever the layer is" {
	requires program=zstd
	[ -z "${UBSAN_OPTIONS:-}" ] || skip "sanitizers take memory of their own"
	local kind filter used
	while IFS='|' read -r kind filter; do
		rm -rf out
		mkdir out
		layer "$kind" | $filter >packed
		used=$(python3 - "$HULL_UNPACK" "${defaults[@]}" <<'PYTHON'
import os, resource, subprocess, sys

fd = os.open("out", os.O_RDONLY)
r = subprocess.run([*sys.argv[1:], "--dir-fd", str(fd)], pass_fds=[fd], stdin=open("packed", "rb"),
                   capture_output=True, text=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, r.returncode, r.stderr)
PYTHON
		)
		echo "$kind, $filter: $used"
		# Small file systems have no room for so many attributes; that is refused.
		[[ $used == *" 0 "* ]] || [ "$kind" = xattrs ]
		[ "${used%% *}" -lt 16384 ]
	done <<-'ROWS'
		files|cat
		directories|cat
		headers|cat
		sparse-map|cat
		xattrs|cat
		zeros|gzip --fast
		zeros|zstd --quiet
		zeros|zstd --quiet -19
	ROWS
}
