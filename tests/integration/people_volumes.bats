#!/usr/bin/env bats
# as: root, user
#
# Volumes: how long they stay, what is in them, and what is told of them.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
	do_ 0 pull -q "$IMAGE"
}
teardown() { teardown_people; }

# volumes: how many there are
volumes() { do_ 0 volume ls -q; grep -c . <<<"$stdout" || true; }

@test "a volume without a name goes with a container that has --rm, or with rm --volumes" {
	run_ 0 --rm -v /data "$IMAGE" touch /data/file
	[ "$(volumes)" = 0 ]
	run_ 0 --name one -v /data -v named:/named "$IMAGE" touch /data/file /named/file
	[ "$(volumes)" = 2 ]
	do_ 0 rm --volumes one
	do_ 0 volume ls -q
	stdout_is named
	run_ 0 --name two -v /data -v named:/named "$IMAGE" true
	do_ 0 rm two
	do_ 0 volume ls -q
	[ "$(grep -Ecx 'named|[0-9a-f]{64}' <<<"$stdout")" = 2 ]
	# With a name it stays, and so does what is in it.
	run_ 0 --rm -v named:/named "$IMAGE" test -e /named/file
	do_ 0 volume ls -q
	[ "$(wc -l <<<"$stdout")" = 2 ]
}

@test "prune: volumes that nobody mounts and nobody gave a name; with --all those, too" {
	do_ 0 volume create
	local made=$stdout
	[[ $made =~ ^[0-9a-f]{64}$ ]]
	do_ 0 volume create mine
	run_ 0 --name user -v /data -v used:/used "$IMAGE" true
	do_ 0 volume prune
	stdout_is "$made"
	# What a container kept is not what it was.
	do_ 0 prune
	stdout_has "Deleted container: "
	do_ 0 volume ls -q
	[ "$(grep -Ecx 'mine|used|[0-9a-f]{64}' <<<"$stdout")" = 3 ]
	run_ 0 --name again -v used:/used "$IMAGE" true
	do_ 0 volume prune --all --force
	[ "$(grep -Ecx 'mine|[0-9a-f]{64}' <<<"$stdout")" = 2 ]
	do_ 0 volume ls -q
	stdout_is used
	do_ 0 rm again
	do_ 0 volume prune -a
	stdout_is used
	[ "$(volumes)" = 0 ]
}

@test "a volume of a container that is being made is not taken away" {
	do_ 0 volume create
	local made=$stdout dir
	# As a run that has made its directory and its volume, and not yet its configuration.
	dir=$DATA/containers/$(printf '%064d' 7)
	mkdir -m 0700 "$dir"
	: >"$dir/lock"
	exec 7<>"$dir/lock"
	flock --exclusive 7
	do_ 0 volume prune
	stdout_is ""
	do_ 1 volume rm "$made"
	stderr_is "hull: the volume $made is in use by container 000000000000"
	exec 7>&-
	# Of one that a crash left nobody knows anything.
	do_ 0 volume prune
	stdout_is "$made"
}

@test "inspect and ls say where a volume is" {
	do_ 0 volume create one
	do_ 0 volume create two
	do_ 0 volume inspect one two
	[ "$(jq -r '.[] | .Name, .Driver, .Scope, .Mountpoint' <<<"$stdout")" = "one
local
local
$DATA/volumes/one/_data
two
local
local
$DATA/volumes/two/_data" ]
	[ "$(stat -c %A "$DATA/volumes/one/_data")" = drwxr-xr-x ]
	# Nobody else gets there.
	[ "$(stat -c %a "$DATA/volumes")" = 700 ]
	do_ 1 volume inspect none one
	stderr_is "hull: no such volume: none"
	[ "$(jq -r '.[].Name' <<<"$stdout")" = one ]
	do_ 1 volume inspect
	stderr_is "hull: volume inspect: which one?"
	do_ 0 volume ls --format '{{.Name}} {{.Driver}} {{.Mountpoint}}'
	stdout_is "one local $DATA/volumes/one/_data
two local $DATA/volumes/two/_data"
	do_ 0 volume ls --format 'table {{.Name}}\t{{.Scope}}' --filter name=^o
	stdout_is $'VOLUME NAME   SCOPE\none           local'
	do_ 0 volume ls -q --filter name=^one --filter name=wo
	stdout_is $'one\ntwo'
	do_ 0 volume ls -q --filter driver=nfs
	stdout_is ""
	run_ 0 --name user -v one:/data hull/busybox true
	do_ 0 volume ls -q --filter dangling=true
	stdout_is two
	do_ 0 volume ls -q --filter dangling=false --filter driver=local
	stdout_is one
	do_ 0 rm user
	do_ 1 volume ls --filter label=x
	stderr_is "hull: --filter label=x: expected name=, driver=, scope= or dangling="
	do_ 1 volume ls --format '{{.Label "x"}}'
	stderr_is 'hull: --format: there is no field ".Label"'
	do_ 1 volume rm --filter name=one
	stderr_is "hull: volume rm takes no --filter"
	do_ 1 volume create a/b
	stderr_is 'hull: volume name "a/b": a name is at most 128 letters, digits, "_", "." and "-", and begins with a letter or digit'
	do_ 1 volume rm none
	stderr_is "hull: no such volume: none"
	do_ 0 volume rm --force none
	do_ 0 volume rm one two
	stdout_is $'one\ntwo'
}

@test "an empty volume takes the image's files with owners and modes, one that is not empty none" {
	# Without root there may be but one owner.
	local owner=0
	! is_root || owner=1000
	run_ 0 --name source "$IMAGE" sh -c "mkdir /stuff; echo a >/stuff/a; ln -s a /stuff/link; chown -R $owner:$owner /stuff; chmod 2750 /stuff; chmod 640 /stuff/a"
	do_ 0 commit source filled
	do_ 0 rm source
	run_ 0 --rm -v v:/stuff filled sh -c 'cd /stuff && stat -c "%n %a %u:%g" . a && readlink link'
	stdout_is ". 2750 $owner:$owner
a 640 $owner:$owner
a"
	run_ 0 --rm -v v:/stuff filled sh -c 'echo mine >/stuff/a; rm /stuff/link'
	run_ 0 --rm -v v:/stuff filled sh -c 'cat /stuff/a; ls /stuff'
	stdout_is $'mine\na'
	# Where an image says VOLUME, it gets one of its own.
	run_ 0 --name declares "$IMAGE" true
	do_ 0 commit --change 'VOLUME /stuff' declares declared
	run_ 0 --rm -v other:/stuff:ro filled cat /stuff/a
	stdout_is a
	run_ 0 --name anonymous declared sh -c 'echo x >/stuff/x'
	do_ 0 diff anonymous
	[[ $stdout != */stuff/x* ]]
	do_ 0 rm --volumes anonymous
	do_ 0 volume ls -q
	stdout_is $'other\nv'
}
