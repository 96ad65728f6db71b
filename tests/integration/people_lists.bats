#!/usr/bin/env bats
# as: root, user
#
# The lists of people as Docker has them: ps and images, their words, options, filters and templates.
# shellcheck disable=SC2016,SC2154 # stdout and stderr are run_command's
load helpers
load people_helpers

setup() { setup_people; }
teardown() { teardown_people; }

names() { sort <<<"$stdout" | paste -sd ' '; }

@test "ps: a container's status in words, from its making to its end" {
	run_ 0 -d --name box $IMAGE sleep 1000
	do_ 0 ps --format '{{.Status}}|{{.RunningFor}}|{{.State}}'
	[[ $stdout =~ ^Up\ (Less\ than\ a\ second|[0-9]+\ seconds?)\|(Less\ than\ a\ second|[0-9]+\ seconds?)\ ago\|running$ ]] || mismatch status "Up ..." "$stdout"
	do_ 0 kill box
	do_ 0 wait box
	do_ 0 ps -a --format '{{.Status}}|{{.State}}'
	[[ $stdout == "Exited (137) "*" ago|exited" ]]
	do_ 0 ps -a --format '{{.CreatedAt}}'
	[ "$(date --date "${stdout% *}" +%s)" = "$(date --date "$(hull --data-root "$DATA" ps -a --format '{{.Created}}')" +%s)" ]
	do_ 0 rm box
}

@test "ps: of a paused container" {
	requires cgroup
	run_ 0 -d --name box $IMAGE sleep 1000
	do_ 0 pause box
	do_ 0 ps --format '{{.Status}}|{{.State}}'
	[[ $stdout == "Up "*" (Paused)|paused" ]]
	do_ 0 ps --filter status=paused --filter status=exited --format '{{.Names}}'
	stdout_is box
	do_ 0 unpause box
	do_ 0 events --until 0s --filter event=pause --filter event=unpause --format '{{.Action}}'
	stdout_is $'pause\nunpause'
	do_ 0 rm -f box
}

@test "ps: the table, and one that a template makes" {
	run_ 0 --name one -l com.example.some-team=blue $IMAGE sh -c 'echo a-long-command-it-is; true'
	do_ 0 ps --all
	[[ ${stdout%%$'\n'*} =~ ^"CONTAINER ID   IMAGE          COMMAND                  CREATED "\ *"  STATUS "\ *"  PORTS   NAMES"$ ]] || mismatch heading table "$stdout"
	[[ $stdout == *'   "sh -c echo a-long-c…"   '*'   one' ]] || mismatch row table "$stdout"
	do_ 0 ps --all --format 'table {{.Names}}\t{{upper .Image}}\t{{.Label "com.example.some-team"}}'
	stdout_is $'NAMES   IMAGE          some team\none     HULL/BUSYBOX   blue'
	# What would be another column, or move the cursor, is blank in a table, and itself elsewhere.
	run_ 0 --name two -l odd=$'a\tb\nc\e[1md' $IMAGE true
	do_ 0 ps --all --filter name=two --format 'table {{.Label "odd"}}\t{{.Names}}'
	stdout_is $'odd          NAMES\na b c [1md   two'
	do_ 0 ps --all --filter name=two --format '{{.Label "odd"}}'
	stdout_is $'a\tb\nc\e[1md'
	do_ 0 rm two
	do_ 0 ps --format 'table {{.Names}}\t{{.RunningFor}}'
	stdout_is "NAMES   CREATED"
	do_ 1 ps --format 'table {{.Nothing}}'
	stderr_is 'hull: --format: there is no field ".Nothing"'
	# Told of no container, too.
	do_ 1 ps --format '{{.Nothing}}'
	stderr_is 'hull: --format: there is no field ".Nothing"'
	do_ 1 ps --all --format '{{frob .Names}}'
	stderr_is 'hull: --format: there is no function "frob"'
	do_ 0 rm one
}

@test "ps: templates with functions" {
	run_ 0 --name one -l team=blue -l tier=web $IMAGE true
	do_ 0 ps -a --format '{{lower "ABC"}} {{title .Names}} {{truncate .ID 4 | len}} {{join (split .Image "/") "+"}} {{.Label "tier"}}{{.Label "none"}} {{json .Names}}'
	stdout_is 'abc One 4 hull+busybox web "one"'
	do_ 0 ps -a --format '{{range split .Labels ","}}<{{.}}>{{end}}{{if eq .State "exited"}}{{pad "x" 1 1}}{{end}}|'
	stdout_is '<team=blue><tier=web> x |'
	do_ 0 rm one
}

@test "ps --last, --latest: so many of those made last, also of a filter" {
	local name
	for name in a1 a2 b1; do
		run_ 0 --name "$name" $IMAGE true
	done
	do_ 0 ps --format '{{.Names}}'
	stdout_is ""
	do_ 0 ps --last 2 --format '{{.Names}}'
	stdout_is $'b1\na2'
	do_ 0 ps -n1 --format '{{.Names}}'
	stdout_is b1
	do_ 0 ps -l --filter name=^a --format '{{.Names}}'
	stdout_is a2
	do_ 0 ps -an -1 --format '{{.Names}}'
	stdout_is $'b1\na2\na1'
	do_ 1 ps --last 0
	stderr_is "hull: --last 0: expected a number from 1 on"
	do_ 0 rm a1 a2 b1
}

@test "ps --size: what a container changed, and all that it has" {
	run_ 0 --name box $IMAGE sh -c 'head -c 3000 /dev/zero >/file; ln /file /again; rm /bin/vi; mkdir -m 0700 /deep; echo x >/deep/y; chown -R 1:1 /deep 2>&- || true'
	do_ 0 ps -a --size --format '{{.Size}}'
	[[ $stdout =~ ^"3.0kB (virtual "[0-9.]+MB\)$ ]] || mismatch size "3.0kB (virtual ...)" "$stdout"
	do_ 0 ps -as
	[[ ${stdout%%$'\n'*} == *"NAMES   SIZE" ]]
	[[ $stdout == *"box     3.0kB (virtual "* ]]
	# A template that names it asks for it.
	do_ 0 ps -a --format '{{.Names}} {{.Size}}'
	[[ $stdout == "box 3.0kB (virtual "* ]]
	do_ 0 ps -a --format json
	[ "$(jq -r .Size <<<"$stdout")" = "" ]
	do_ 0 rm box
}

@test "ps: mounts and networks, and their filters" {
	mkdir "$WORK/dir"
	run_ 0 --name one -v data:/d -v "$WORK/dir:/w" --tmpfs /t $IMAGE true
	run_ 0 --name two -v other:/d $IMAGE true
	run_ 0 --name three $IMAGE true
	do_ 0 ps -a --no-trunc --format '{{.Names}} {{.Mounts}} {{.LocalVolumes}} {{.Networks}}'
	stdout_is $'three  0 none\ntwo other 1 none\none data,'"$WORK/dir"' 1 none'
	do_ 0 ps -a --filter name=one --format '{{json .}}'
	jq --exit-status '.LocalVolumes == "1" and .Networks == "none"' <<<"$stdout"
	do_ 0 ps -a --filter name=one --format '{{.}}'
	[[ $stdout == *'"LocalVolumes":"1"'* ]]
	do_ 0 ps -a --filter volume=data --format '{{.Names}}'
	stdout_is one
	do_ 0 ps -a --filter volume=/d --format '{{.Names}}'
	[ "$(names)" = "one two" ]
	do_ 0 ps -a --filter "volume=$WORK/dir" --filter volume=other --format '{{.Names}}'
	[ "$(names)" = "one two" ]
	do_ 0 ps -a --filter volume=/d --filter name=two --format '{{.Names}}'
	stdout_is two
	do_ 0 ps -a --filter network=none --format '{{.Names}}'
	[ "$(names)" = "one three two" ]
	do_ 0 ps -a --filter network=bridge --format '{{.Names}}'
	stdout_is ""
	do_ 0 rm -v one two three
	do_ 0 volume rm data other
}

@test "ps --filter: values of a key are alternatives, keys and labels all count" {
	run_ 0 --name one -l a=1 -l b=1 $IMAGE true
	run_ 3 --name two -l a=1 $IMAGE sh -c 'exit 3'
	run_ 0 -d --name three $IMAGE sleep 1000
	do_ 0 ps -a --filter name=one --filter name=three --format '{{.Names}}'
	[ "$(names)" = "one three" ]
	# Those that do not run are only listed if they were asked for, as by a status.
	do_ 0 ps --filter name=one --filter name=three --format '{{.Names}}'
	stdout_is three
	do_ 0 ps --filter status=exited --filter status=running --format '{{.Names}}'
	[ "$(names)" = "one three two" ]
	do_ 0 ps --filter status=exited --filter exited=3 --format '{{.Names}}'
	stdout_is two
	do_ 0 ps -a --filter label=a --filter label=b=1 --format '{{.Names}}'
	stdout_is one
	do_ 0 ps -a --filter 'name=^tw' --format '{{.Names}}'
	stdout_is two
	do_ 0 ps -a --filter ancestor=localhost/hull/busybox:latest --format '{{.Names}}'
	[ "$(names)" = "one three two" ]
	do_ 0 ps -a --filter ancestor=none --format '{{.Names}}'
	stdout_is ""
	do_ 1 ps --filter status=up
	stderr_is "hull: --filter status=up: expected created, running, paused, exited or checkpointed"
	do_ 1 ps --filter publish=http
	stderr_is "hull: --filter publish=http: expected a port of the container, as 80, 80/udp or 8000-8010"
	do_ 0 rm -f one two three
}

@test "images: --digests, --all, a name, and filters" {
	do_ 0 pull -q $IMAGE
	do_ 0 tag $IMAGE other/name:2
	run_ 0 --name box -l x=y $IMAGE touch /x
	do_ 0 commit --change 'LABEL team=blue' --change 'LABEL tier=web' box made:1
	do_ 0 images --all --digests
	[[ ${stdout%%$'\n'*} =~ ^REPOSITORY\ +TAG\ +DIGEST\ +"IMAGE ID"\ +CREATED\ +SIZE$ ]]
	[ "$(grep -c ' sha256:[0-9a-f]\{64\} ' <<<"$stdout")" = 3 ]
	do_ 0 images other/name --format '{{.Repository}}:{{.Tag}}'
	stdout_is localhost/other/name:2
	do_ 0 images '*/busybox' --format '{{.Tag}}'
	stdout_is latest
	do_ 0 images --filter reference=made --filter reference=other/name --format '{{.Tag}}'
	[ "$(names)" = "1 2" ]
	do_ 0 images --filter label=team=blue --filter label=tier --format '{{.Tag}} {{.Label "team"}}'
	stdout_is "1 blue"
	do_ 0 images --filter label=team=blue --filter label=tier=db -q
	stdout_is ""
	do_ 0 images --filter since=other/name:2 --format '{{.Tag}}'
	stdout_is 1
	do_ 0 images --filter before=made:1 --format '{{.Tag}}'
	[ "$(names)" = "2 latest" ]
	do_ 0 images --format 'table {{.Tag}}\t{{.Repository}}' made
	stdout_is $'TAG   REPOSITORY\n1     localhost/made'
	do_ 1 images --filter dangling=maybe
	stderr_is "hull: --filter dangling=maybe: expected true or false"
	do_ 1 images --filter before=none
	stderr_has "hull: --filter before=none: "
	do_ 1 images --filter nothing=1
	stderr_is "hull: --filter nothing=1: expected reference=, label=, dangling=, before= or since="
	do_ 0 rm box
}

@test "stats: by names, with names, and --all those that do not run" {
	run_ 0 -d --name one $IMAGE sleep 1000
	run_ 0 --name two $IMAGE true
	do_ 0 stats --no-stream --format '{{.Name}} {{len .ID}} {{len .Container}}'
	stdout_is "one 12 64"
	do_ 0 stats --no-stream --all --format 'table {{.Name}}\t{{.CPUPerc}}'
	[[ ${stdout%%$'\n'*} =~ ^NAME\ +"CPU %"$ ]]
	[ "$(awk '{ print $1 }' <<<"$stdout" | tail -n +2 | sort | paste -sd ' ')" = "one two" ]
	do_ 0 stats --no-stream two one
	[ "$(awk '{ print $2 }' <<<"$stdout" | tail -n +2 | paste -sd ' ')" = "two one" ]
	do_ 0 stats --no-stream --all --format json
	[ "$(jq -r '"\(.name) \(.status)"' <<<"$stdout" | sort | paste -sd ' ')" = "one running two stopped" ]
	do_ 0 rm -f one two
}
