#!/usr/bin/env bats
# as: root, user
#
# What happened to containers, and what happens: events.
# shellcheck disable=SC2016,SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() { setup_people; }
teardown() { teardown_people; }

# seen FILE: the words of its lines, "create one"
seen() { paste -sd , "$1"; }
says() { [ "$(seen "$1")" = "$2" ]; }

@test "events: from now on, a line each, from the making of a container to its removal" {
	run_ 0 --rm --name before $IMAGE true
	in_background "$HULL" --root "$STATE" --data-root "$DATA" events \
		--format '{{.Action}} {{.Actor.Attributes.name}}{{with .Actor.Attributes.exitCode}} {{.}}{{end}}' >"$WORK/out"
	local live=$!
	wait_for 10 eval 'ls -l /proc/$live/fd | grep -q inotify'
	run_ 0 -d --name one $IMAGE sleep 1000
	do_ 0 rename one uno
	do_ 0 kill uno
	do_ 0 wait uno
	# Nothing is stopped.
	do_ 0 stop uno
	do_ 0 rm uno
	wait_for 10 says "$WORK/out" "create one,start one,rename uno,kill uno,die uno 137,destroy uno"
	kill "$live"
	run_ 3 --rm --name two $IMAGE sh -c 'exit 3'
	do_ 0 events --since 10m --until 0s --filter container=two --format '{{.Status}} {{.From}} {{.Actor.Attributes.exitCode}}|'
	stdout_is $'create hull/busybox |\nstart hull/busybox |\ndie hull/busybox 3|\ndestroy hull/busybox |'
}

@test "events: words, JSON, filters, and times" {
	run_ 0 --name one -l team=blue -l tier=web $IMAGE true
	run_ 0 --name two -l team=blue $IMAGE true
	do_ 0 events --until 0s --filter container=one --filter event=create
	[[ $stdout =~ ^20[0-9-]+T[0-9:]+\.[0-9]{9}Z\ container\ create\ [0-9a-f]{64}\ \(image=hull/busybox,\ team=blue,\ tier=web,\ name=one\)$ ]] || mismatch event words "$stdout"
	do_ 0 events --until 0s --filter event=die --format json
	[ "$(jq -r '"\(.status) \(.Type) \(.Action) \(.Actor.Attributes.name) \(.Actor.Attributes.exitCode)"' <<<"$stdout")" = $'die container die one 0\ndie container die two 0' ]
	[ "$(jq -s '.[1].timeNano > .[0].timeNano and .[0].time > 1000000000' <<<"$stdout")" = true ]
	local between=$(jq -rs '.[0].timeNano / 1000000 | floor / 1000 + 0.001' <<<"$stdout")
	do_ 0 events --until 0s --since "$between" --filter event=die --format '{{.Actor.Attributes.name}}'
	stdout_is two
	do_ 0 events --until "$between" --filter event=die --format '{{.Actor.Attributes.name}}'
	stdout_is one
	do_ 0 events --until 0s --filter label=team=blue --filter label=tier --filter event=start --format '{{.Actor.Attributes.name}} {{.Type}}'
	stdout_is "one container"
	do_ 0 events --until 0s --filter type=network
	stdout_is ""
	# One that a crash cut off spoils no other.
	printf '\n{"status":"cut' >>"$DATA/events.jsonl"
	do_ 0 rm one two
	do_ 0 events --until 0s --filter event=destroy --format '{{.Actor.Attributes.name}}'
	stdout_is $'one\ntwo'
	do_ 1 events --filter nothing=1
	stderr_is "hull: --filter nothing=1: expected container=, event=, image=, label=, network=, scope=, type= or volume="
	do_ 1 events --since yesterday
	stderr_is 'hull: --since "yesterday": expected 2026-01-31T12:00:00Z, or a span like 10m'
	do_ 1 events --format '{{.Nothing}}'
	stderr_is 'hull: --format: there is no field ".Nothing"'
	do_ 1 events --stats
	stderr_is "hull: events: --stats and --interval are of one container"
	do_ 1 events --since 1m some
	stderr_is "hull: events of one container: --filter, --since, --until and --format are for those of all; --filter container=some"
}

@test "events: stop, and changes of health" {
	run_ 0 -d --name box --health-cmd 'test -e /good' --health-interval 50ms --health-retries 1 $IMAGE sleep 1000
	wait_for 20 eval 'hull --data-root "$DATA" events --until 0s --filter event=health_status --format "{{.Action}}" | grep -q "^health_status: unhealthy$"'
	do_ 0 exec box touch /good
	wait_for 20 eval 'hull --data-root "$DATA" events --until 0s | grep -q "health_status: healthy"'
	do_ 0 stop -t 0 box
	do_ 0 events --until 0s --filter event=stop --filter event=die --format '{{.Action}}'
	stdout_is $'die\nstop'
	do_ 0 rm box
}

@test "events: what is kept has an end, and who follows misses nothing there" {
	run_ 0 --name one $IMAGE true
	# So many that the next one fills the file.
	local line
	line=$(tail -n 1 "$DATA/events.jsonl")
	yes "$line" | head -c $((1024 * 1024)) >>"$DATA/events.jsonl"
	in_background "$HULL" --root "$STATE" --data-root "$DATA" events --format '{{.Action}} {{.Actor.Attributes.name}}' >"$WORK/out"
	local live=$!
	wait_for 10 eval 'ls -l /proc/$live/fd | grep -q inotify'
	do_ 0 rename one two
	[ -e "$DATA/events.jsonl.1" ]
	do_ 0 rm two
	wait_for 10 says "$WORK/out" "rename two,destroy two"
	[ "$(stat -c %s "$DATA/events.jsonl")" -lt 2000 ]
	do_ 0 events --since 10m --until 0s --filter event=create --filter event=destroy --format '{{.Action}}'
	stdout_is $'create\ndestroy'
}

# told FILTER...: TYPE ACTION NAME of what has happened, a line each
told() {
	local filters=()
	for f in "$@"; do filters+=(--filter "$f"); done
	do_ 0 events --until 0s "${filters[@]}" --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'
}

@test "events: of images" {
	run_ 0 --rm "$IMAGE" true
	told type=image
	stdout_is "image pull hull/busybox"
	do_ 0 tag "$IMAGE" other:1
	do_ 0 save -o "$WORK/saved" other:1
	do_ 0 rmi other:1
	do_ 0 load -q -i "$WORK/saved"
	do_ 0 events --until 0s --filter image=localhost/other:1 --format '{{.Action}}'
	stdout_is $'tag\nuntag\nload'
	do_ 0 events --until 0s --filter event=save --format '{{.ID}} {{.Actor.Attributes.name}} {{.Status}}'
	local id=${stdout%% *}
	[ "$stdout" = "$id other:1 save" ]
	[[ $id == sha256:* ]]
	mkdir "$WORK/root"
	tar -cf "$WORK/root.tar" -C "$WORK/root" .
	do_ 0 import "$WORK/root.tar" made
	local made=$stdout
	do_ 0 rmi made
	do_ 0 events --until 0s --filter "image=$made" --format '{{.Action}} {{.Actor.Attributes.name}}'
	stdout_is "import localhost/made:latest
untag localhost/made:latest
delete $made"
	do_ 0 prune
	do_ 0 events --until 0s --filter event=prune --format '{{.Type}} {{.Actor.Attributes.reclaimed}}'
	[[ $stdout =~ ^image\ [0-9]+$ ]] || mismatch reclaimed "a number" "$stdout"
	# What fails has not happened.
	do_ 1 tag none:1 more
	do_ 1 rmi none:1
	told event=tag
	stdout_is "image tag localhost/other:1"
}

@test "events: of volumes" {
	run_ 0 --rm -v data:/data:ro -v /anonymous "$IMAGE" true
	do_ 0 events --until 0s --filter volume=data --format '{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.destination}} {{index .Actor.Attributes "read/write"}}|'
	stdout_is 'create data  |
mount data /data false|
unmount data  |'
	told type=volume event=destroy
	[ "$(wc -l <<<"$stdout")" = 1 ]
	do_ 0 volume create data
	do_ 0 volume rm data
	do_ 0 events --until 0s --filter volume=data --filter event=create --filter event=destroy --format '{{.Action}} {{.Actor.Attributes.driver}}'
	stdout_is $'create local\ndestroy local'
	# A container that cannot be begun mounts nothing.
	run_ 127 --rm -v late:/data "$IMAGE" /none
	do_ 0 events --until 0s --filter volume=late --filter event=create --format '{{.Action}}'
	stdout_is create
	run_ 0 -d --name kept -v data:/data "$IMAGE" sleep 1000
	do_ 0 events --until 0s --filter volume=data --filter event=mount --format '{{.Actor.Attributes.container}}'
	local id
	id=$(do_ 0 inspect --format '{{.Id}}' kept && echo "$stdout")
	[ "$(tail -n 1 <<<"$stdout")" = "$id" ]
	do_ 0 rm -f kept
	do_ 0 events --until 0s --filter volume=data --format '{{.Action}}'
	[ "$(tail -n 3 <<<"$stdout")" = $'create\nmount\nunmount' ]
}

@test "events: of programs of exec" {
	run_ 0 -d --name box "$IMAGE" sleep 1000
	do_ 3 exec box sh -c 'exit 3'
	do_ 255 exec box none
	do_ 0 exec -d box true
	do_ 0 events --until 0s --filter container=box --filter event=exec_create --filter event=exec_start --filter event=exec_die --format '{{.Action}} {{.Actor.Attributes.exitCode}}|'
	stdout_is 'exec_create: sh -c exit 3 |
exec_start: sh -c exit 3 |
exec_die 3|
exec_create: none |
exec_start: none |
exec_die 127|
exec_create: true |
exec_start: true |'
	do_ 0 events --until 0s --filter event=exec_start --filter event=exec_die --format '{{.Actor.Attributes.execID}}'
	[ "$(sed -n 1p <<<"$stdout")" = "$(sed -n 2p <<<"$stdout")" ]
	[ "$(sed -n 1p <<<"$stdout")" != "$(sed -n 3p <<<"$stdout")" ]
	do_ 0 rm -f box
	do_ 255 exec box true
	do_ 0 events --until 0s --filter event=exec_start --format x
	[ "$(wc -l <<<"$stdout")" = 3 ]
}
