#!/usr/bin/env bats
# as: root
# The microVM's file system server under real programs, through this kernel's FUSE instead of a
# guest's (tests/tools/fsmount). What they do to it is compared with the same done natively.
load helpers
load ../tools/tools
# shellcheck disable=SC2016 # the scripts expand what is in them where they run

setup() {
	export PATH=/usr/bin:/bin:$PATH # python3 itself, not a wrapper that looks around where it is
	setup_test
	[ -c /dev/fuse ] || skip "there is no /dev/fuse to mount the file system server by"
	unshare --mount true 2>/dev/null || skip "no mount namespace of its own may be made here"
	tool fsexercise
	EXERCISE=$tool
	for FSMOUNT in "${HULL%/*}" "${HULL%/*}/.." "$SOURCE/build"; do
		FSMOUNT+=/tests/tools/fsmount
		[ ! -x "$FSMOUNT" ] || break
	done
	[ -x "$FSMOUNT" ] || skip "needs the program tests/tools/fsmount, which \`make\` builds"
	export EXERCISE FSMOUNT WORK SOURCE
	umask 022
	mkdir src mnt native
}

# with_fs OPTIONS SCRIPT: runs SCRIPT in $WORK/mnt, which shows $WORK/src through the server, in a
# mount namespace; $BEFORE is run in there before the server starts. Its output is in $output.
with_fs() {
	export OPTIONS=$1 SCRIPT=$2 BEFORE=${BEFORE:-}
	run timeout --kill-after=5 $((120 * HULL_TEST_SLOW)) unshare --mount --propagation private bash -euo pipefail -c '
		(cd "$WORK" && eval "$BEFORE")
		: >"$WORK/mounted" # not what the server before wrote, and there when grep looks
		# shellcheck disable=SC2086
		"$FSMOUNT" $OPTIONS "$WORK/src" "$WORK/mnt" >"$WORK/mounted" 2>"$WORK/said" &
		server=$!
		until grep -q mounted "$WORK/mounted"; do kill -0 $server; sleep 0.02; done
		status=0
		(cd "$WORK/mnt" && bash -euo pipefail -c "$SCRIPT") || status=$?
		umount "$WORK/mnt" || { echo "still busy"; umount --lazy "$WORK/mnt"; status=98; }
		wait $server || { echo "the server ended with $?"; status=99; }
		cat "$WORK/said"
		exit $status'
	[ "$status" -eq 0 ] || { echo "status $status: $output"; return 1; }
}

# All of a tree that a program can see, but for inode numbers and times of change.
tree_of() {
	(cd "$1" && find . -printf '%P %y %m %U %G %n %l %T@' \( -type d -printf '\n' -o -printf ' %s\n' \) | sort &&
		find . -type f -print0 | sort --zero-terminated | xargs --null --no-run-if-empty sha256sum)
}

# same SCRIPT: it says the same and leaves the same in the server's directory as natively, whatever
# the guest may keep in its cache.
same() {
	local native_said options

	native_said=$(cd native && bash -euo pipefail -c "$1") || { echo "natively: $native_said"; return 1; }
	for options in auto none "always writeback"; do
		with_fs "$options" "$1"
		[ "$output" = "$native_said" ] || { diff <(echo "$native_said") <(echo "$output"); return 1; }
		diff <(tree_of native | without_times) <(tree_of src | without_times)
		rm -r src
		mkdir src
	done
}

without_times() { sed 's/ [0-9.]*\( [0-9]*\)\?$//'; }

@test "vmfs: cp -a, tar and diff give a tree back as it was, and rm -r takes it away" {
	mkdir origin
	cp -a "$SOURCE/tests/." origin/
	ln origin/run origin/run-again
	mkfifo origin/fifo
	ln -s nowhere origin/dangling
	chown 12:34 origin/run
	chmod 06751 origin/run
	touch -d '2001-02-03 04:05:06.789' origin/fifo origin/run origin/demo
	with_fs "" '
		cp -a "$WORK/origin" copy
		diff -r --no-dereference copy "$WORK/origin" --exclude=fifo
		mkdir tar && tar -C copy --format=posix -c . | tar -C tar -xp
		rm -r copy
		[ "$(ls)" = tar ]'
	diff <(tree_of origin) <(tree_of src/tar)
	with_fs always 'rm -r tar; ls -A'
	[ "$output" = "" ]
}

@test "vmfs: a file stays what was written to it, whatever the cache" {
	for options in none auto always "always writeback" "auto threads=1"; do
		with_fs "$options" 'for seed in 1 2 3; do "$EXERCISE" random file $seed 400; done; cp file "$WORK/seen"'
		cmp seen src/file
	done
}

@test "vmfs: owners, modes, sticky and set-group-id directories" {
	same '
		chmod 1777 .
		mkdir -m 2775 group && chgrp 4321 group
		as() { setpriv --reuid "$1" --regid "$1" --clear-groups bash -c "$2"; }
		as 1000 "echo mine >one; mkdir -m 700 closed; mkfifo fifo; ln -s one link; umask 077; echo x >secret"
		as 1001 "rm -f one; echo more >>one; cat secret; ls closed; mv link l2; chmod 600 one; chown 1001 one" 2>&1 |
			sed "s/^bash: line [0-9]*: //" || true
		as 0 "mkdir group/sub; echo x >group/file; cp one group/copy"
		chmod 6755 one secret && chgrp 1000 one
		as 1000 "echo more >>one"
		stat -c "%n %a %u %g %F %s" ./* group/*'
}

@test "vmfs: links, renames, files without names, append and truncate" {
	same '
		echo a >a; ln a b; ln b c; echo more >>c; cat a; stat -c %h a; rm a; stat -c %h b
		ln -s b l; ln -P l l2; readlink l2; [ l -ef b ]
		mkdir -p d/e/f; mv d x; ls x/e; mv x/e .; rmdir e/f e x
		echo 1 >one; echo 2 >two; "$EXERCISE" exchange one two; cat one two; mv -n one two; mv one two; cat two
		"$EXERCISE" tmpfile . ; cat named; "$EXERCISE" unlinked gone
		truncate -s 100000 sparse; stat -c %s sparse; truncate -s 3 two; wc -c <two
		exec 5>open; echo 1 >&5; mv open moved; echo 2 >&5; rm moved; echo 3 >&5; cat /proc/self/fd/5; exec 5>&-
		for i in $(seq 300); do echo "$i" >>log; done; md5sum log
		(set -C; echo x >log) 2>/dev/null || echo exists
		mkdir full; touch full/x; rmdir full 2>&1 || true; cat missing 2>&1 || true; cd log 2>&1 | sed "s/^bash: line [0-9]*: //" || true
		touch "$(printf %0255d 7)"; touch "$(printf %0256d 7)" 2>&1 | sed "s/0*7//" || true'
}

@test "vmfs: extended attributes" {
	same "python3 -c '
import os
open(\"f\", \"w\").close(); os.mkdir(\"d\"); os.symlink(\"f\", \"l\")
for n in \"f\", \"d\":
	os.setxattr(n, \"user.a\", b\"1\"); os.setxattr(n, \"user.b\", b\"x\" * 2000)
	print(sorted(os.listxattr(n)), os.getxattr(n, \"user.a\"), len(os.getxattr(n, \"user.b\")))
	os.removexattr(n, \"user.a\"); print(os.listxattr(n))
for what in (lambda: os.getxattr(\"f\", \"user.none\"), lambda: os.removexattr(\"f\", \"user.none\"),
	lambda: os.setxattr(\"f\", \"user.b\", b\"\", os.XATTR_CREATE)):
	try: what()
	except OSError as e: print(e.errno)
print(os.listxattr(\"l\", follow_symlinks=False))
'"
}

@test "vmfs: locks between processes, the guest's own or the host's" {
	with_fs "" '"$EXERCISE" lock file'
	with_fs "locks threads=8" '"$EXERCISE" lock file
		exec 5>file; flock --exclusive 5
		! flock --nonblock --exclusive "$WORK/src/file" true'
}

@test "vmfs: programs run from it" {
	same 'cp "$(type -P busybox)" busybox; ./busybox echo "it runs"; ./busybox ls
		printf "#!/bin/sh\necho script \$1\n" >script; chmod +x script; ./script one
		echo changed >>busybox; wc -l script'
}

@test "vmfs: read-only means that nothing changes" {
	echo content >src/file
	before=$(stat -c '%a %u %Y %Z' src/file src)
	with_fs "ro" '
		cat file
		for try in "echo x >file" "echo x >new" "rm file" "mkdir d" "mv file f" "chmod 600 file" "touch file" \
			"ln file f" "ln -s x y" "truncate -s 0 file" "chown 7 file" "mkfifo p"; do
			said=$(LC_ALL=C bash -c "$try" 2>&1 || true)
			[[ $said = *"Read-only file system" ]] || echo "$try is not refused"
		done'
	[ "$output" = content ]
	[ "$(stat -c '%a %u %Y %Z' src/file src)" = "$before" ]
}

@test "vmfs: mounts beneath the root are themselves" {
	mkdir src/tmp src/ro src/proc
	touch src/file
	BEFORE='mount -t tmpfs t src/tmp; touch src/tmp/a; mount --bind src/tmp src/ro; mount -o remount,bind,ro src/ro
		mount --bind /proc src/proc; mount --bind src/tmp/a src/file' \
		with_fs none '
		[ "$(stat -c %d tmp/a)" != "$(stat -c %d .)" ] || echo "tmp is no device of its own"
		[ "$(stat -f -c %T "$WORK/src/tmp") $(stat -f -c %b tmp)" = "tmpfs $(stat -f -c %b "$WORK/src/tmp")" ]
		echo x >tmp/a; cat ro/a file
		! echo y >ro/a; ! rm ro/a; ! ln tmp/a b
		! ls proc; ! cat proc/self/status; ! echo b >proc/sysrq-trigger
		true'
	[ "$(grep --count --line-regexp x <<<"$output")" = 2 ]
	[ "$(grep --count 'Read-only file system' <<<"$output")" = 2 ]
	[ "$(grep --count 'Invalid cross-device link' <<<"$output")" -ge 1 ]
	[ "$(grep --count 'Permission denied' <<<"$output")" = 3 ]
}

@test "vmfs: ids are mapped" {
	touch src/ours
	with_fs "uid=0:5000:100 gid=0:6000:100" '
		touch root; setpriv --reuid 7 --regid 8 --clear-groups true
		mkdir -m 777 all; setpriv --reuid 7 --regid 8 --clear-groups touch all/user
		! setpriv --reuid 700 --regid 8 --clear-groups touch all/nobody
		stat -c "%n %u %g" ours root all/user; ls all'
	[ "$(grep --invert-match 'nobody' <<<"$output")" = "ours 65534 65534
root 0 0
all/user 7 8
user" ]
	[ "$(stat -c '%u %g' src/root src/all/user)" = "5000 6000
5007 6008" ]
}

@test "vmfs: more files than there are descriptors" {
	with_fs "stats descriptors=60 handles=20" '
		for i in $(seq 400); do echo "$i" >"f$i"; done
		for i in $(seq 400); do [ "$(<"f$i")" = "$i" ]; done
		mkdir d; mv f1 d/moved; cat d/moved; stat -c %s f[2-9]* | sort -n | uniq -c
		rm -r d f*; ls -A'
	[[ $output =~ evictions\ ([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -gt 300 ]
	[ "${lines[0]}" = 1 ]
}

@test "vmfs: many at a time leave nothing behind" {
	with_fs "stats threads=8" '
		for i in 1 2 3 4; do
			(mkdir $i; cp -r "$SOURCE/tests/unit" $i/; rm -r $i/unit/test_a*; cp -r $i/unit $i/again; rm -r $i) &
		done
		for i in 1 2 3 4; do (for n in $(seq 100); do echo $i >same; mv same other; cat other same; rm other; done) \
			>/dev/null 2>&1 & done
		wait
		ls -A; sync'
	# The kernel forgets inodes when it likes, and all with the mount.
	[[ $output =~ handles\ 0 ]]
	[ -z "$(ls -A src | grep --invert-match --line-regexp 'same\|other')" ]
}

@test "vmfs: what the host changes is seen" {
	echo old >src/file
	with_fs none 'cat file; echo newer >"$WORK/src/file"; cat file; mv "$WORK/src/file" "$WORK/src/f2"; ls; cat f2
		ln -s "$WORK/canary" "$WORK/src/link"; echo x >>link; readlink link | wc -l'
	[ "$output" = "old
newer
f2
newer
1" ]
}

@test "vmfs: git works in it" {
	type -P git >/dev/null || skip "there is no git"
	with_fs writeback '
		export HOME=$WORK GIT_CONFIG_NOSYSTEM=1
		git init --quiet repo; cd repo; cp -r "$SOURCE/base" .; git add .
		git -c user.name=n -c user.email=e commit --quiet --message m
		git clone --quiet . ../clone 2>&1; cd ../clone; git fsck --strict 2>&1; git status --short; diff -r base "$SOURCE/base"'
	[ "$output" = "" ]
}
