#!/usr/bin/env bats
# as: root, user
#
# Containers for people: made of images, named, kept, logged, stopped and removed.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
	# A network is another file's subject, and the host's is nobody's to change.
	NET=(--network none)
}

teardown() {
	teardown_people
}

# run_ STATUS WORD...: hull run
run_() {
	local want=$1
	shift
	do_ "$want" run "${NET[@]}" "$@"
}

has_status() {
	run_hull --data-root "$DATA" ps -a --filter "name=$1" --format '{{.State}}'
	[ "$stdout" = "$2" ]
}

@test "a program runs in the image that comes with hull" {
	run_ 0 --rm $IMAGE echo hello
	stdout_is hello
	stderr_is ""
	do_ 0 ps -aq
	stdout_is ""
	do_ 0 images --format '{{.Repository}}:{{.Tag}}'
	stdout_is localhost/hull/busybox:latest
}

named() { [ "$(hull --data-root "$DATA" ps -q --filter "name=$1" | wc -l)" = 1 ]; }

@test "exit statuses are Docker's" {
	run_ 7 --rm $IMAGE sh -c 'exit 7'
	run_ 0 -d --name killed $IMAGE sleep 1000
	do_ 0 kill killed KILL
	do_ 0 wait killed
	stdout_is 137
	do_ 0 rm killed
	run_ 0 -d --rm --name goes $IMAGE sh -c 'sleep 2; exit 7'
	do_ 0 wait goes
	stdout_is 7
	"$HULL" --root "$STATE" --data-root "$DATA" run --rm --name here --network none $IMAGE sleep 2 &
	wait_for 10 named here
	do_ 1 wait here
	stderr_has "container here was removed when it ended: how it did is not known any more"
	wait
	run_ 127 --rm $IMAGE /no/such/program
	run_ 126 --rm $IMAGE /etc
	run_ 1 --rm --memory lots $IMAGE true
	run_ 125 --rm no/such/image@sha256:bad true
	do_ 0 ps -aq
	stdout_is ""
}

@test "the image's command runs when none is given, and --entrypoint takes its place" {
	run_ 0 --rm --entrypoint echo $IMAGE one two
	stdout_is "one two"
	run_ 0 --rm --entrypoint '["echo","a b"]' $IMAGE c
	stdout_is "a b c"
}

@test "environment, directory, user and hostname are what was asked for" {
	printf '# remark\nTHREE=3\n\nFOUR=a b\n' >"$WORK/env"
	run_ 0 --rm -e ONE=1 -eTWO=2 --env-file "$WORK/env" -w /tmp -h box $IMAGE \
		sh -c 'echo $ONE $TWO $THREE $FOUR; pwd; hostname; cat /etc/hostname'
	stdout_is $'1 2 3 a b\n/tmp\nbox\nbox'
	run_ 0 --rm --user 0:0 $IMAGE id -u
	stdout_is 0
	run_ 125 --rm --user nobody-there $IMAGE true
	stderr_has "nobody-there"
}

@test "capabilities are few, can be dropped and added, and a filter is loaded" {
	run_ 0 --rm $IMAGE sed -n 's/^CapBnd:\t*//p;s/^Seccomp:\t*//p' /proc/self/status
	stdout_is $'00000000800405fb\n2'
	run_ 0 --rm --cap-drop ALL --cap-add chown $IMAGE sed -n 's/^CapBnd:\t*//p' /proc/self/status
	stdout_is 0000000000000001
	run_ 0 --rm --security-opt seccomp=unconfined --security-opt no-new-privileges $IMAGE \
		sed -n 's/^NoNewPrivs:\t*//p;s/^Seccomp:\t*//p' /proc/self/status
	stdout_is $'1\n0'
	run_ 125 --rm --cap-add everything $IMAGE true
	stderr_is "hull: --cap-add \"everything\": there is no such capability"
}

@test "what a container changes is its own, and --read-only lets it change nothing" {
	run_ 0 --name one $IMAGE sh -c 'echo x >/file; rm /bin/vi; ls /file'
	run_ 1 --rm $IMAGE ls /file
	run_ 0 --rm $IMAGE ls /bin/vi
	run_ 1 --rm --read-only $IMAGE touch /file
	stderr_has "Read-only file system"
	run_ 0 --rm --read-only --tmpfs /scratch:size=1m $IMAGE touch /scratch/file
	do_ 0 rm one
}

@test "only what goes with the container is volatile, and nothing of an upper directory refers to what is below" {
	run_ 0 --rm $IMAGE grep ' / overlay ' /proc/mounts
	[[ $stdout == *volatile* && $stdout != *metacopy=on* && $stdout != *redirect_dir=on* ]]
	run_ 0 --name stays $IMAGE grep ' / overlay ' /proc/mounts
	[[ $stdout != *volatile* && $stdout != *metacopy=on* && $stdout != *redirect_dir=on* ]]
	do_ 0 rm stays
}

@test "directories, volumes and --mount" {
	mkdir "$WORK/dir"
	echo content >"$WORK/dir/file"
	run_ 0 --rm -v "$WORK/dir:/d:ro" $IMAGE cat /d/file
	stdout_is content
	run_ 1 --rm -v "$WORK/dir:/d:ro" $IMAGE touch /d/new
	run_ 0 --rm --mount "type=bind,src=$WORK/dir,dst=/d,readonly" $IMAGE cat /d/file
	run_ 0 --rm -v keep:/data $IMAGE sh -c 'echo kept >/data/file'
	run_ 0 --rm -v keep:/data $IMAGE cat /data/file
	stdout_is kept
	do_ 0 volume ls -q
	stdout_is keep
	run_ 125 --rm -v relative/name:/d $IMAGE true
	stderr_has "is neither a path (begin it with / or ./) nor a volume's name"
	run_ 125 --rm --mount type=bind,src=/no/such/place,dst=/d $IMAGE true
	stderr_has "/no/such/place"
	do_ 0 volume rm keep
	do_ 1 volume rm keep
	stderr_is "hull: no such volume: keep"
}

@test "an empty volume takes what the image has at its place" {
	run_ 0 --rm -v etc:/etc2 -v filled:/usr $IMAGE sh -c 'ls /usr; ls /etc2'
	run_ 0 --rm $IMAGE ls /usr
	local image=$stdout
	run_ 0 --rm -v filled:/elsewhere $IMAGE ls /elsewhere
	stdout_is "$image"
	do_ 0 volume rm etc filled
}

@test "a detached container is listed, logged, entered, stopped and started again" {
	run_ 0 -d --name web --label a=b $IMAGE sh -c 'echo out; echo err >&2; trap "exit 3" TERM; while :; do sleep 0.1; done'
	local id=$stdout
	[[ $id =~ ^[0-9a-f]{64}$ ]]
	do_ 0 ps --format '{{.ID}} {{.Names}} {{.State}} {{.Labels}}'
	stdout_is "${id:0:12} web running a=b"
	wait_for 10 logs_have web out
	do_ 0 logs web
	stdout_is out
	stderr_is err
	do_ 0 exec web echo inside
	stdout_is inside
	do_ 0 exec -it "${id:0:8}" true || true
	do_ 125 run "${NET[@]}" --name web $IMAGE true
	stderr_has "the container name \"web\" is in use by container ${id:0:12}"
	do_ 1 rm web
	stderr_is "hull: cannot remove web: it is running; stop it first, or use --force"
	do_ 0 stop web
	do_ 0 ps -a --format '{{.State}} {{.ExitCode}}'
	stdout_is "exited 3"
	do_ 0 wait web
	stdout_is 3
	do_ 0 start web
	wait_for 10 has_status web running
	do_ 0 rename web site
	do_ 0 restart -t 0 site
	do_ 0 inspect site
	[ "$(jq -r '.[0].Name, .[0].State.Running, .[0].Id' <<<"$stdout")" = "site
true
$id" ]
	do_ 0 rm -f site
	do_ 0 ps -aq
	stdout_is ""
}

logs_have() {
	run_hull --data-root "$DATA" logs "$1"
	[[ $stdout == *"$2"* ]]
}

@test "a volume of which it is not known whether it is in use is not removed" {
	run_ 0 --name one -v kept:/v "$IMAGE" touch /v/file
	do_ 1 volume rm kept
	stderr_has "the volume kept is in use by container"
	echo '{' >"$(echo "$DATA"/containers/*/config.json)"
	do_ 1 volume rm kept
	stderr_has "hull: whether the volume kept is in use: container "
	[ -e "$DATA/volumes/kept/_data/file" ]
	do_ 0 rm one
	do_ 0 volume rm kept
}

@test "logs: the last lines, and following until the end" {
	run_ 0 -d --name talks $IMAGE sh -c 'for i in 1 2 3 4 5; do echo line $i; done; sleep 0.5; printf end'
	do_ 0 wait talks
	do_ 0 logs --tail 2 talks
	stdout_is $'line 5\nend'
	do_ 0 logs -f talks
	stdout_is $'line 1\nline 2\nline 3\nline 4\nline 5\nend'
	do_ 0 logs --until 2000-01-01T00:00:00Z talks
	stdout_is ""
	do_ 1 logs --tail many talks
	stderr_is "hull: --tail \"many\": expected a number or all"
	do_ 0 rm talks
	run_ 0 --name front $IMAGE echo x
	do_ 1 logs front
	stderr_is "hull: container front ran in the foreground: what it wrote went there"
	do_ 0 rm front
}

@test "restart policies: on failure so many times, always until it is stopped" {
	run_ 0 -d --name fails --restart on-failure:2 $IMAGE sh -c 'echo try; exit 1'
	do_ 0 wait fails
	stdout_is 1
	do_ 0 logs fails
	stdout_is $'try\ntry\ntry'
	do_ 0 inspect fails
	[ "$(jq '.[0].RestartCount' <<<"$stdout")" = 2 ]
	run_ 0 -d --name again --restart always $IMAGE sh -c 'echo try; sleep 0.1'
	wait_for 20 logs_have again $'try\ntry\ntry'
	do_ 0 stop again
	do_ 0 rm fails again
	run_ 125 --rm -d --restart always $IMAGE true
	stderr_is "hull: --restart: a container with --rm is not started again"
}

@test "a keeper that was killed leaves a container that can be removed" {
	run_ 0 -d --name orphan $IMAGE sleep 1000
	local pid
	do_ 0 inspect orphan
	pid=$(ps -o ppid= -p "$(jq '.[0].State.Pid' <<<"$stdout")")
	kill -KILL "$pid"
	wait_for 10 process_gone "$pid"
	do_ 1 rm orphan
	stderr_is "hull: cannot remove orphan: it is running; stop it first, or use --force"
	do_ 0 prune
	do_ 0 exec orphan true
	do_ 0 rm -f orphan
	do_ 0 ps -aq
	stdout_is ""
}

@test "attach: what is typed reaches the program, and its exit status comes back" {
	run_ 0 -d -i --name talk $IMAGE sh -c 'while read -r line; do echo "got $line"; done; exit 5'
	status=0
	printf 'one\ntwo\n' | timeout 20 "$HULL" --root "$STATE" --data-root "$DATA" attach talk \
		>"$WORK/attached" || status=$?
	[ "$status" = 5 ]
	[ "$(cat "$WORK/attached")" = $'got one\ngot two' ]
	do_ 0 rm talk
}

@test "attach: a lot of input comes whole, and a program that reads none goes on being heard" {
	run_ 0 -d -i --name reader $IMAGE sh -c 'sleep 1; wc -c; exit 6'
	status=0
	head -c 3000000 /dev/zero | timeout 60 "$HULL" --root "$STATE" --data-root "$DATA" attach reader \
		>"$WORK/attached" || status=$?
	[ "$status" = 6 ]
	[ "$(cat "$WORK/attached")" = 3000000 ]
	run_ 0 -d -i --name deaf $IMAGE sh -c 'i=0; while :; do echo $((i += 1)); sleep 0.1; done'
	in_background sh -c 'head -c 3000000 /dev/zero | "$0" "$@"' "$HULL" --root "$STATE" --data-root "$DATA" attach deaf
	# Its input is full long before that.
	wait_for 30 has_lines deaf 30
	do_ 0 rm --force reader deaf
}
has_lines() { [ "$(hull --data-root "$DATA" logs "$1" | wc -l)" -ge "$2" ]; }

@test "a terminal in the foreground" {
	in_terminal "$WORK/shown" "$HULL" --root "$STATE" --data-root "$DATA" run "${NET[@]}" --rm -it $IMAGE \
		sh -c 'test -t 0 && test -t 1 && echo it is a terminal'
	grep -q 'it is a terminal' "$WORK/shown"
}

@test "names, ids and what makes no sense" {
	run_ 125 --name 'bad name' $IMAGE true
	stderr_has "container name \"bad name\": a name is at most 128 letters"
	do_ 1 rm no-such
	stderr_is "hull: no such container: no-such"
	do_ 0 rm -f no-such
	run_ 125 --rm --ulimit nothing=1 $IMAGE true
	stderr_is "hull: --ulimit \"nothing=1\": there is no limit \"nothing\""
	run_ 125 --rm --cpus none $IMAGE true
	stderr_is "hull: --cpus \"none\": expected a number from 0.01 to 4096"
	run_ 125 --rm -v /etc:relative $IMAGE true
	stderr_is "hull: --volume \"/etc:relative\": the path in the container has to be absolute"
	run_ 1 --rm -zz $IMAGE true
	stderr_has "flag provided but not defined: -zz"
	do_ 0 ps -aq
	stdout_is ""
}

@test "images: tag, history, removal, and what a container needs stays" {
	run_ 0 --name user $IMAGE true
	do_ 0 tag $IMAGE other:1
	do_ 0 images --format '{{.Repository}}:{{.Tag}}'
	stdout_is $'localhost/hull/busybox:latest\nlocalhost/other:1'
	do_ 0 history other:1
	do_ 0 rmi other:1
	do_ 1 rmi $IMAGE
	stderr_has "is of this image; remove that first, or use --force"
	do_ 0 start -a user
	do_ 0 rm user
	do_ 0 rmi $IMAGE
	do_ 0 images -q
	stdout_is ""
	do_ 0 fsck
	stdout_is ""
}

@test "an image from an OCI layout, and from a root file system's tar" {
	do_ 0 pull "oci:$HULL_IMAGE"
	do_ 0 images --format '{{.Repository}}'
	mkdir -p "$WORK/root/bin"
	cp "$(command -v busybox)" "$WORK/root/bin/sh"
	tar -C "$WORK/root" -czf "$WORK/root.tar.gz" .
	do_ 0 import "$WORK/root.tar.gz" tiny:1
	run_ 0 --rm tiny:1 sh -c 'echo from a tar'
	stdout_is "from a tar"
	do_ 1 load -i "$WORK/root.tar.gz"
	stderr_has "it holds no image"
	# An archive of an OCI layout.
	tar -C "$HULL_IMAGE" -cf "$WORK/image.tar" .
	do_ 0 load -i "$WORK/image.tar"
	stdout_has "Loaded image: "
}

@test "a root file system that is there already" {
	make_bundle
	run_ 0 --rm --rootfs "$BUNDLE/rootfs" echo direct
	stdout_is direct
}

@test "64 at the same time" {
	local i
	run_ 0 --rm $IMAGE true
	for i in {1..64}; do
		hull --data-root "$DATA" run "${NET[@]}" --rm $IMAGE echo "$i" >"$WORK/out.$i" 2>&1 &
	done
	wait $(jobs -p)
	for i in {1..64}; do
		[ "$(cat "$WORK/out.$i")" = "$i" ] || {
			cat "$WORK/out.$i" >&2
			false
		}
	done
	do_ 0 ps -aq
	stdout_is ""
}

@test "prune takes away what nobody needs, and nothing else" {
	run_ 0 --name old $IMAGE true
	run_ 0 -d --name new $IMAGE sleep 100
	do_ 0 prune
	do_ 0 ps -a --format '{{.Names}}'
	stdout_is new
	do_ 0 exec new echo lives
	stdout_is lives
	do_ 0 rm -f new
}

@test "--init runs the program as its child, hands on signals, reaps and gives its exit status" {
	[ -x "${HULL_LIBEXEC:-${HULL%/*}/libexec/hull}/hull-init" ] || skip "needs hull-init beside hull"
	run_ 7 --rm --init $IMAGE sh -c 'cat /proc/1/cmdline | tr "\0" " "; exit 7'
	stdout_is "/dev/hull-init sh -c cat /proc/1/cmdline | tr \"\\0\" \" \"; exit 7 "
	stderr_is ""
	# A program that has no handler: the first process of a namespace would not even notice.
	run_ 0 -d --name slept --init $IMAGE sleep 1000
	do_ 0 stop --time 600 slept
	do_ 0 wait slept
	stdout_is 143
	# An orphan that has ended is gone, though its parent did not wait for it.
	run_ 0 --rm --init $IMAGE sh -c 'p=$(sh -c "sleep 0 >/dev/null & echo \$!"); while [ -e /proc/$p ]; do :; done; echo gone'
	stdout_is gone
	run_ 0 --rm --init --read-only $IMAGE true
	run_ 1 --rm --init $IMAGE chmod 777 /dev/hull-init
	stderr_has "Read-only file system"
	run_ 127 --rm --init $IMAGE /no/such/program
	stderr_is "hull-init: exec: /no/such/program: No such file or directory"
	run_ 126 --rm --init $IMAGE /etc
	run_ 125 --rm --init --tmpfs /dev $IMAGE true
	stderr_is "hull: --init: it is put at /dev/hull-init, where a mount on /dev would have it"
	do_ 0 rm slept
	do_ 0 ps -aq
	stdout_is ""
}

@test "a published socket is handed to the program, without a network of its own" {
	# A loopback address that no other test has.
	local address=127.77.$((BASHPID / 250 % 250)).$((BASHPID % 250 + 1))
	expect 0 --data-root "$DATA" run -d --name web "${NET[@]}" --publish-socket "web=$address:8085" hull/busybox sh -c '
		echo "$LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES $$ $(readlink /proc/$$/fd/3 | cut -c 1-7)"
		ls /proc/1/fd
		exec sleep 1000'
	says() { [ "$(hull --data-root "$DATA" logs web | wc -l)" -ge 5 ]; }
	wait_for 20 says
	expect 0 --data-root "$DATA" logs web
	stdout_is $'1 1 web 1 socket:\n0\n1\n2\n3'
	: 3<>"/dev/tcp/$address/8085"
	expect 0 --data-root "$DATA" rm -f web
	run_command bash -c ": 3<>/dev/tcp/$address/8085"
	stderr_has "Connection refused"
}

@test "a container with --rm that was renamed takes its new name away with it" {
	run_ 0 -d --rm --name before hull/busybox sh -c 'while [ ! -e /go ]; do sleep 0.05; done'
	do_ 0 rename before after
	let_go after
	wait_for 20 no_containers
	[ -z "$(ls "$DATA/names")" ]
}
no_containers() { [ -z "$(ls "$DATA/containers")" ]; }

@test "what was killed while it was made leaves no pin, no name and no archive for long" {
	local id
	id=$(printf '%064d' 7)
	do_ 0 pull -q hull/busybox
	do_ 0 inspect -f '{{.Digest}}' hull/busybox
	# As a hull leaves them that is killed: before there is a record, and while an archive is read.
	ln -s "$stdout" "$DATA/pins/$id"
	mkdir "$DATA/containers/$id"
	ln -s "$id" "$DATA/names/gone"
	mkdir -p "$DATA/load-0123456789abcdef/blobs"
	# One that is at it just now.
	mkdir "$DATA/load-fedcba9876543210"
	(
		exec 9<"$DATA/load-fedcba9876543210"
		flock --exclusive 9
		exec sleep 1000
	) 3>&- 4>&- &
	BACKGROUND+=($!)
	wait_for 10 is_locked "$DATA/load-fedcba9876543210"
	do_ 0 rmi hull/busybox
	do_ 0 prune
	[ -z "$(ls "$DATA/pins" "$DATA/containers" "$DATA/names" | grep -v :)" ]
	[ -z "$(find "$DATA/blobs" "$DATA/layers" -type f)" ]
	[ ! -e "$DATA/load-0123456789abcdef" ]
	[ -d "$DATA/load-fedcba9876543210" ]
}
is_locked() { ! flock --exclusive --nonblock "$1" true; }

@test "users are those of the uppermost layer that has them, whatever hides what" {
	requires root # a user alone in a namespace has no other ids
	run_ 0 --name c0 hull/busybox sh -c 'sed -i s/1000:1000/1001:1001/ /etc/passwd'
	do_ 0 commit c0 u1
	run_ 0 --rm -u user u1 id -u
	stdout_is 1001
	run_ 0 --name c1 u1 touch /etc/other
	do_ 0 commit c1 u2
	run_ 0 --rm -u user u2 id -u
	stdout_is 1001
	run_ 0 --name c2 u2 sh -c 'mv /etc/passwd /usr/passwd; ln -s ../usr/passwd /etc/passwd; sed -i s/1001:1001/1002:1002/ /usr/passwd'
	do_ 0 commit c2 u3
	run_ 0 --rm -u user u3 id -u
	stdout_is 1002
	run_ 0 --name c3 u3 sh -c 'rm /etc/passwd'
	do_ 0 commit c3 u4
	run_ 125 --rm -u user u4 id -u
	# A directory that hides all below it, and a link in its place: of tars, as no container can do it.
	mkdir -p "$WORK/tree/bin" "$WORK/tree/etc2"
	hull --data-root "$DATA" export c0 | tar -x -C "$WORK/tree/bin" --strip-components=2 --wildcards './bin/*' 2>/dev/null ||
		hull --data-root "$DATA" export c0 | tar -x -C "$WORK/tree" bin
	echo "user:x:1005:1005::/:/bin/sh" >"$WORK/tree/etc2/passwd"
	ln -s etc2 "$WORK/tree/etc"
	tar -c -C "$WORK/tree" . >"$WORK/linked.tar"
	do_ 0 import "$WORK/linked.tar" u5
	run_ 0 --name c5 u5 touch /new
	do_ 0 commit c5 u6
	run_ 0 --rm -u user u6 /bin/id -u
	stdout_is 1005
}

@test "a lock that stays another's is waited for until a deadline, and then it is said" {
	local id copying
	run_ 0 --name one "$IMAGE" true
	do_ 0 inspect one
	id=$(jq --raw-output '.[0].Id' <<<"$stdout")
	echo x >"$WORK/small"
	exec 8>>"$DATA/index.lock" 9>>"$DATA/containers/$id/copying"
	flock 8
	flock 9
	hull --data-root "$DATA" cp "$WORK/small" one:/ 2>"$WORK/said" 8>&- 9>&- &
	copying=$!
	do_ 1 tag "$IMAGE" other:1 8>&- 9>&-
	stderr_is "hull: the image store: another command has held its lock for 45 seconds"
	wait "$copying" && mismatch "status of cp" 1 0
	exec 8>&- 9>&-
	[[ $(cat "$WORK/said") = *"the container's files: another command has held its lock for 45 seconds" ]] ||
		mismatch "what cp said" "that the files are locked" "$(cat "$WORK/said")"
	do_ 0 tag "$IMAGE" other:1
	do_ 0 start one
}
