#!/usr/bin/env bats
# as: root, user
#
# Files out of containers and into them.
# shellcheck disable=SC2016,SC2154 # status, stdout and stderr are run_command's; tool sets tool
load helpers
load people_helpers
load ../tools/tools

setup() {
	setup_people
	mkdir "$WORK/h"
	cd "$WORK/h" || return
}

teardown() {
	teardown_people
}

ready() { hull --data-root "$DATA" exec "$1" test -e /ready; }

# box NAME SCRIPT [OPTION...]: a container that has run SCRIPT and goes on.
box() {
	do_ 0 run -d --network none --name "$1" "${@:3}" $IMAGE sh -c "$2
		touch /ready; exec sleep 1000"
	wait_for 20 ready "$1"
}

# inside NAME SCRIPT: runs it in the running container.
inside() { hull --data-root "$DATA" exec "$1" sh -c "$2"; }

# What "one" has to be copied out of it.
content='mkdir -p /s/sub; echo f >/s/f; echo g >/s/sub/g; ln -s f /s/link; ln -s sub /s/dirlink; ln -s /s/sub /abs; chmod 4750 /s/f'

# tree DIR: names and what is in them.
tree() { (cd "$1" && find . -mindepth 1 | sort | while read -r n; do
	if [ -L "$n" ]; then echo "$n -> $(readlink "$n")"; elif [ -d "$n" ]; then echo "$n/"; else echo "$n = $(cat "$n")"; fi
done); }

out_of() {
	# A file to a name, to a directory, over a file.
	do_ 0 cp one:/s/f new
	[ "$(cat new)" = f ]
	[ "$(stat -c %a:%u new)" = "750:$(id -u)" ]
	mkdir d
	do_ 0 cp one:s/f d
	do_ 0 cp one:/s/sub/g d/f
	[ "$(cat d/f)" = g ]
	do_ 1 cp one:/s/f nodir/
	stderr_is "hull: copy one:/s/f to nodir/: there is no directory nodir/"
	do_ 1 cp one:/s/f no/dir
	stderr_is "hull: copy one:/s/f to no/dir: open the directory no: no such file or directory"
	# A directory to a new name, below one, its content, over a file.
	do_ 0 cp one:/s copy
	[ "$(tree copy)" = "./dirlink -> sub
./f = f
./link -> f
./sub/
./sub/g = g" ]
	do_ 0 cp one:/s/ d
	[ "$(tree d/s)" = "$(tree copy)" ]
	mkdir c
	do_ 0 cp one:/s/. c
	[ "$(tree c)" = "$(tree copy)" ]
	do_ 0 cp one:/s/sub/.. c
	do_ 1 cp one:/s new
	stderr_has "a directory can't be copied to a file, which new is"
	mkdir -p clash/f
	do_ 1 cp one:/s/. clash
	stderr_has 'entry "f": a directory is there already'
	# Links: themselves, or what they lead to.
	do_ 0 cp one:/s/link l
	[ "$(readlink l)" = f ]
	do_ 0 cp -L one:/s/link l2
	[ "$(cat l2)" = f ] && [ ! -L l2 ]
	do_ 0 cp one:/abs/ abs
	[ "$(tree abs)" = "./g = g" ]
	# One's own links are followed.
	ln -s d/target tl
	do_ 0 cp one:/s/f tl
	[ -L tl ] && [ "$(cat d/target)" = f ]
	do_ 1 cp one:/nothing x
	stderr_is "hull: copy one:/nothing to x: /nothing: no such file or directory"
	do_ 1 cp one:/s/f/ x
	do_ 1 cp one:/s/f/. x
	mkfifo pipe
	do_ 1 cp one:/s/f pipe
	stderr_has "pipe is neither a directory nor a regular file"
	[ ! -e x ]
	# As a tar.
	hull --data-root "$DATA" cp one:/s - >s.tar
	[ "$(tar -tf s.tar)" = "s/
s/dirlink
s/f
s/link
s/sub/
s/sub/g" ]
	hull --data-root "$DATA" cp one:/s/f - | tar -xO f | grep -qx f
	hull --data-root "$DATA" cp one:/s/. - | tar -t | grep -qx ./sub/g
	rm -rf "${WORK:?}/h"/*
}

@test "cp out of a running container and of a stopped one" {
	box one "$content"
	out_of
	do_ 0 stop -t 0 one
	out_of
}

into() {
	echo f >f
	chmod 4711 f
	mkdir -p s/sub
	echo g >s/sub/g
	ln -s sub s/dirlink
	do_ 0 cp f one:/a
	do_ 0 cp f one:d
	do_ 0 cp s one:/copy
	do_ 0 cp s one:/d
	do_ 0 cp s/. one:/c
	do_ 0 cp s/sub/g one:/d/f
	# Links inside, absolute ones too, lead to where they lead inside.
	do_ 0 cp f one:/tolink
	do_ 0 cp f one:/todir
	do_ 0 cp f one:/todir/sub/below
	do_ 0 cp f one:/dangling
	do_ 0 cp -L s/dirlink one:/followed
	do_ 0 cp s/dirlink one:/alink
	tar -c s f | hull --data-root "$DATA" cp - one:/t
	tar -cz s | hull --data-root "$DATA" cp - one:/z
	do_ 1 cp f one:/nodir/
	stderr_is "hull: copy f to one:/nodir/: there is no directory /nodir/"
	do_ 1 cp f one:/no/dir
	stderr_is "hull: copy f to one:/no/dir: open the directory /no: no such file or directory"
	do_ 1 cp s one:/a
	stderr_has "a directory can't be copied to a file, which /a is"
	do_ 1 cp nothing one:/a
	stderr_is "hull: copy nothing to one:/a: nothing: no such file or directory"
	run_command sh -c "tar -c f | '$HULL' --root '$STATE' --data-root '$DATA' cp - one:/a"
	[ "$status" = 1 ]
	run_command sh -c "echo rubbish | '$HULL' --root '$STATE' --data-root '$DATA' cp - one:/t"
	[ "$status" = 1 ]
	# A file is no directory, deep inside neither.
	mkdir -p x/sub/g
	do_ 1 cp x/. one:/c
	stderr_has 'entry "sub/g": a regular file is there already'
	rm -rf "${WORK:?}/h"/*
}

became='[ "$(stat -c %a:%u:%g /a)" = 711:0:0 ] && [ "$(cat /d/f)" = g ] && [ "$(cat /copy/sub/g)" = g ] &&
	[ "$(cat /d/s/sub/g)" = g ] && [ "$(readlink /c/dirlink)" = sub ] && [ "$(cat /c/sub/g)" = g ] && [ "$(stat -c %a /c)" = 700 ] &&
	[ -L /tolink ] && [ "$(cat /linked)" = f ] && [ "$(cat /real/f)" = f ] && [ "$(cat /real/sub/below)" = f ] &&
	[ "$(cat /fell)" = f ] && [ "$(cat /followed/g)" = g ] && [ -L /alink ] && [ "$(cat /t/s/sub/g)" = g ] &&
	[ "$(cat /t/f)" = f ] && [ "$(cat /z/s/sub/g)" = g ]'
places='mkdir /d /t /z /real /real/sub; mkdir -m 700 /c; ln -s /linked /tolink; touch /linked; ln -s ../../real /todir; ln -s /fell /dangling'

@test "cp into a running container and into a stopped one" {
	box one "$places"
	into
	inside one "$became"
	do_ 0 rm -f one
	box one "$places"
	do_ 0 stop -t 0 one
	into
	do_ 0 start one
	wait_for 20 ready one
	inside one "$became"
}

@test "cp reaches volumes and binds, and what is read-only stays so" {
	local step
	mkdir bind ro
	echo host >bind/file
	echo one >x
	box one true -v "$TAG-v:/v" -v "$WORK/h/bind:/b" -v "$WORK/h/ro:/ro:ro"
	for step in running stopped; do
		[ $step = running ] || do_ 0 stop -t 0 one
		do_ 0 cp x one:/v/$step
		do_ 0 cp x one:/b/$step
		[ "$(cat bind/$step)" = one ]
		do_ 0 cp one:/b/file out
		[ "$(cat out)" = host ]
		do_ 1 cp x one:/ro/file
		stderr_has "read-only file system"
		[ ! -e ro/file ]
		do_ 0 cp one:/v - >/dev/null
		tar -tf <(hull --data-root "$DATA" cp one:/v -) | grep -qx "v/$step"
		# What the kernel shows is no data.
		do_ 0 cp one:/proc p-$step
		[ "$(ls p-$step)" = "" ]
		rmdir "p-$step"
	done
	do_ 0 run --network none --name fixed --read-only $IMAGE true
	do_ 1 cp x fixed:/x
	stderr_has "read-only file system"
	do_ 0 cp fixed:/etc/passwd out
}

@test "cp --archive keeps owners" {
	[ "$(id -u)" = 0 ] || {
		box one true
		do_ 1 cp -a one:/etc/passwd x
		stderr_is "hull: --archive: only root can give files of the host to others"
		return 0
	}
	box one 'echo x >/x; chown 12:34 /x; chmod 4755 /x'
	do_ 0 cp -a one:/x x
	[ "$(stat -c %a:%u:%g x)" = 4755:12:34 ]
	do_ 0 cp -a x one:/y
	[ "$(inside one 'stat -c %a:%u:%g /y')" = 4755:12:34 ]
	do_ 0 cp x one:/z
	[ "$(inside one 'stat -c %a:%u:%g /z')" = 755:0:0 ]
}

@test "cp of what is not two, and of nobody" {
	do_ 1 cp x y
	stderr_is "hull: cp: one of the two is CONTAINER:PATH"
	do_ 1 cp a:/x b:/y
	stderr_is "hull: cp: one of the two is a path of the host"
	do_ 1 cp a: y
	stderr_is "hull: cp: a path is empty"
	do_ 1 cp nobody:/x y
	stderr_is "hull: copy nobody:/x to y: no such container: nobody"
	touch ./a:b
	do_ 1 cp ./a:b nobody:/
	stderr_is "hull: copy ./a:b to nobody:/: no such container: nobody"
}

@test "a container is not started while it is written to, and start waits" {
	box one true
	do_ 0 stop -t 0 one
	mkfifo hold
	# A tar that does not end yet.
	in_background sh -c "'$HULL' --root '$STATE' --data-root '$DATA' cp - one:/ <hold 2>cp.err"
	exec 9>hold
	wait_for 20 locked
	in_background sh -c "'$HULL' --root '$STATE' --data-root '$DATA' start one >started" 9>&-
	wait_for 20 waiting
	[ ! -s started ]
	echo late >late
	tar -c late >&9
	exec 9>&-
	wait_for 20 ready one
	[ "$(inside one 'cat /late')" = late ]
	wait_for 20 grep --quiet . started
	[ "$(cat started)" = one ]
}
# Whether somebody holds the lock of its files, and somebody waits for it.
locked() { local f; for f in "$DATA"/containers/*/copying; do ! flock -n "$f" true || return 1; done; [ -e "$f" ]; }
waiting() { grep -q -- '-> FLOCK' /proc/locks; }

@test "a cp that is killed leaves no process, no mount and no lock" {
	local pid
	box one true
	do_ 0 stop -t 0 one
	mkfifo hold
	"$HULL" --root "$STATE" --data-root "$DATA" cp - one:/ <hold 3>&- 4>&- &
	pid=$!
	exec 9>hold
	wait_for 20 locked
	wait_for 20 unpacks
	kill -9 "$pid"
	wait_for 20 unlocked
	[ "$(ls "/proc/$pid" 2>/dev/null | wc -l)" = 0 ] || wait "$pid" || true
	exec 9>&-
	do_ 0 start one
	wait_for 20 ready one
}
unpacks() { pgrep -f "hull-unpack --dir-fd" >/dev/null; }
unlocked() { ! locked; }

@test "cp and export load and execute nothing of the container's" {
	box one 'for d in /lib /lib64 /usr/lib /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu; do
			mkdir -p $d; for f in libnss_files.so.2 libc.so.6 ld-linux-x86-64.so.2; do echo evil >$d/$f; done; done
		echo "passwd: files" >/etc/nsswitch.conf; echo /evil.so >/etc/ld.so.preload; echo evil >/evil.so
		for f in '"${HULL%/*}"'/libexec/hull/hull-unpack '"$HULL"'; do
			mkdir -p "${f%/*}"; printf "#!/bin/sh\ntouch /was-run\n" >$f; chmod +x $f; done'
	echo x >x
	do_ 0 cp x one:/x
	stderr_is ""
	do_ 0 cp one:/x y
	stderr_is ""
	do_ 0 export -o export.tar one
	stderr_is ""
	inside one '[ ! -e /was-run ] && [ "$(cat /x)" = x ]'
	[ "$(tar -tf export.tar | grep -c '^was-run$')" = 0 ]
}

# lacks_secret FILE: what is only on the host has not come to be in it. A link may have, as a link.
lacks_secret() { [ -L "$1" ] || [ ! -e "$1" ] || [ "$(grep -ac "$TAG-secret" "$1")" = 0 ]; }

@test "no race of links in a container leads cp to the host's files" {
	local in=0 out=0
	tool swap
	mkdir "$WORK/bin" "$WORK/host"
	cp "$tool" "$WORK/bin/swap"
	chmod -R a+rX "$WORK/bin"
	echo "$TAG-secret" >"$WORK/host/secret"
	echo mine >mine
	mkdir tree
	echo mine >tree/secret
	box racer "mkdir -p /r/dir; echo theirs >/r/dir/secret; ln -s $WORK/host /r/link; ln -s ../../../../../../..$WORK/host /r/up
		echo theirs >/r/file; ln -s $WORK/host/secret /r/filelink
		/swap/swap /r/dir /r/link & /swap/swap /r/file /r/filelink &
		(while :; do mv /r/up /r/dir2 2>/dev/null; mv /r/dir2 /r/up; done) &" -v "$WORK/bin:/swap:ro"
	for _ in $(seq "$(rounds 60)"); do
		# Into it: by name, below, as trees and tars; each may fail.
		! hull --data-root "$DATA" cp mine racer:/r/dir/secret 2>/dev/null || in=$((in + 1))
		hull --data-root "$DATA" cp tree/. racer:/r/dir 2>/dev/null || true
		hull --data-root "$DATA" cp mine racer:/r/file 2>/dev/null || true
		tar -c -C tree . | hull --data-root "$DATA" cp - racer:/r/link 2>/dev/null || true
		# Out of it.
		rm -rf got
		hull --data-root "$DATA" cp racer:/r/dir/secret got 2>/dev/null || true
		lacks_secret got
		rm -rf got
		! hull --data-root "$DATA" cp -L racer:/r/file got 2>/dev/null || out=$((out + 1))
		lacks_secret got
		# What a link leads to is copied, or nothing, and never a link.
		[ ! -L got ]
		hull --data-root "$DATA" cp racer:/r - 2>/dev/null >got.tar || true
		lacks_secret got.tar
	done
	[ "$(ls "$WORK/host")" = secret ]
	[ "$(cat "$WORK/host/secret")" = "$TAG-secret" ]
	# The race took place, and was won at times by us.
	[ "$in" -gt 0 ] && [ "$out" -gt 0 ]
	inside racer 'pidof swap >/dev/null'
}
