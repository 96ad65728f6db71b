#!/usr/bin/env bats
# as: root, user
#
# Docker's words beside the life of a container: inspect and info with templates, port, kill,
# exec --workdir, update --cpus, images --filter, run --isolation.
# shellcheck disable=SC2016,SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() { setup_people; }
teardown() { teardown_people; }

@test "inspect --format: members, as JSON, by index; and what is not there" {
	run_ 0 -d --name one -l a.b=c -l 'q="x"' -e X=1 hull/busybox sleep 1000
	do_ 0 inspect --format '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{ .Name }}' one
	stdout_is "running true 0 one"
	do_ 0 inspect -f '{{.State.Pid}}' one
	[ -d "/proc/$stdout" ]
	do_ 0 inspect -f '{{json .Labels}}\t{{index .Labels "a.b"}}\t{{json .Labels.q}}' one
	[ "$stdout" = "$(printf '{"a.b":"c","q":"\\"x\\""}\tc\t"\\"x\\""')" ]
	do_ 0 inspect -f '{{index .Command 1}}{{index .Command 7}}{{index .Labels "none"}}' one
	stdout_is 1000
	do_ 0 inspect -f '{{.OCIConfig.process.args}}' one
	stdout_is '["sleep","1000"]'
	do_ 0 inspect -f '{{.Name}}' one hull/busybox
	[ "$(wc -l <<<"$stdout")" = 2 ]
	do_ 0 image inspect --format '{{.Id}} {{join .RepoTags ","}} {{.Os}} {{len .RootFS.Layers}} {{.Config.Cmd}}' hull/busybox
	[ "$stdout" = "$(do_ 0 inspect --type image hull/busybox && jq -r '.[0] | "\(.Id) localhost/hull/busybox:latest linux \(.ImageConfig.rootfs.diff_ids | length) \(.ImageConfig.config.Cmd | tojson)"' <<<"$stdout")" ]
	do_ 1 image inspect one
	[[ $stderr == *one* ]]
	do_ 1 image inspect --output x hull/busybox
	stderr_is "hull: image inspect takes no --output"
	do_ 1 image pack --format x hull/busybox
	stderr_is "hull: image pack takes no --format"
	do_ 0 inspect --format json one
	[ "$(jq length <<<"$stdout")" = 1 ]
	do_ 1 inspect -f '{{.State.Nothing}}' one
	stderr_is 'hull: --format: there is no field ".State.Nothing"'
	do_ 1 inspect -f '{{.Name' one
	stderr_is 'hull: --format: "}}" is missing'
	do_ 1 inspect -f '{{range .Labels}}' one
	stderr_is 'hull: --format: the {{end}} of {{range}} is missing'
	do_ 1 inspect -f '{{frob .Labels}}' one
	stderr_is 'hull: --format: there is no function "frob"'
	do_ 1 inspect -f '{{.Name .Id}}' one
	stderr_is 'hull: --format: ".Id" is more than hull understands'
	do_ 1 inspect -f '{{}}' one
	stderr_is 'hull: --format: "{{}}" names nothing'
	do_ 1 inspect -f '{{index .Labels "a}}' one
	stderr_is 'hull: --format: a quotation mark is missing'
	do_ 1 inspect -f '{{index}}' one
	stderr_is 'hull: --format: expected {{index VALUE KEY...}}'
	do_ 0 inspect -f '{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}{{if .State.Running}}{{upper .Name}}{{end}} {{join .Command "+"}}' one
	stdout_is 'a.b=c q="x" ONE sleep+1000'
	do_ 0 rm -f one
}

@test "lists have the same templates" {
	run_ 0 --name one hull/busybox true
	do_ 0 ps --all --format '{{index . "Names"}}\t{{json .Image}}'
	[ "$stdout" = "$(printf 'one\t"hull/busybox"')" ]
	do_ 0 ps --all --format '{{json .}}'
	local all timeless='.RunningFor |= (length > 0) | .Status |= .[:10]' # what a second changes
	all=$(jq --compact-output "$timeless" <<<"$stdout")
	[ "$(jq --raw-output .Names <<<"$all")" = one ]
	do_ 0 ps --all --format json
	[ "$(jq --compact-output "$timeless" <<<"$stdout")" = "$all" ] || mismatch "--format json" "$all" "$stdout"
	do_ 1 ps --all --format '{{.Nothing}}'
	stderr_is 'hull: --format: there is no field ".Nothing"'
	do_ 1 ps --all --format '{{.Names'
	stderr_is 'hull: --format: "}}" is missing'
	do_ 0 rm one
}

@test "info: what there is, and where" {
	do_ 0 pull -q hull/busybox
	run_ 0 -d --name one hull/busybox sleep 1000
	run_ 0 --name two hull/busybox true
	do_ 0 info
	[ "$(jq -r '"\(.Containers) \(.ContainersRunning) \(.ContainersStopped) \(.Images) \(.DockerRootDir) \(.Driver)"' <<<"$stdout")" = "2 1 1 1 $DATA overlay" ]
	do_ 0 info --format '{{.OSType}} {{.NCPU}}'
	stdout_is "linux $(getconf _NPROCESSORS_ONLN)"
	do_ 1 info --format '{{.Nothing}}'
	stderr_is 'hull: --format: there is no field ".Nothing"'
	do_ 0 rm -f one two
}

@test "kill --signal, exec --workdir, update --cpus" {
	run_ 0 -d --name one hull/busybox sh -c 'trap "exit 9" USR1; while :; do sleep 0.1; done'
	do_ 0 exec -w /etc one pwd
	stdout_is /etc
	do_ 1 kill -s USR1 one TERM
	stderr_is 'hull: kill: the signal is said twice'
	do_ 1 update --cpus 1 --cpu-quota 5000 one
	stderr_is 'hull: --cpus: it says the same as --cpu-quota and --cpu-period, which were given too'
	do_ 0 kill --signal SIGUSR1 one
	do_ 0 wait one
	stdout_is 9
	do_ 1 kill -s NONSENSE one
}

@test "kill: SIGKILL to each that is named; the second word may be a signal" {
	run_ 0 -d --name one hull/busybox sh -c 'trap "exit 9" TERM; echo; while :; do sleep 0.1; done'
	run_ 0 -d --name TERM hull/busybox sleep 1000
	run_ 0 -d --name two hull/busybox sh -c 'trap "exit 9" USR1; echo up; while :; do sleep 0.1; done'
	do_ 1 kill one none TERM
	stderr_is "hull: container does not exist"
	do_ 0 wait one TERM
	stdout_is "$(printf '137\n137')"
	do_ 0 start TERM
	run_ 0 -d --name three hull/busybox sleep 1000
	do_ 1 kill three TREM
	stderr_is 'hull: kill: "TREM" is no container and no signal'
	do_ 0 kill three TERM
	do_ 0 wait three TERM
	stdout_is "$(printf '137\n137')"
	wait_for 10 eval 'hull --data-root "$DATA" logs two | grep -q up'
	do_ 0 kill two USR1
	do_ 0 wait two
	stdout_is 9
	do_ 0 rm one two three TERM
}

@test "update --cpus sets a quota" {
	requires controller=cpu
	run_ 0 -d --name one --cpus 1 hull/busybox sleep 1000
	do_ 0 update --cpus 0.5 --cpu-shares 512 one
	do_ 0 exec one cat /sys/fs/cgroup/cpu.max
	stdout_is "50000 100000"
}

@test "ps --filter: a wrong key is refused of no container, too; exited, before and since" {
	do_ 1 ps --filter nothing=1
	stderr_has "hull: --filter nothing=1: expected name=, id=, status=, exited="
	do_ 1 ps --filter exited=x
	stderr_is "hull: --filter exited=x: expected a status from 0 to 255"
	do_ 1 ps --filter before=none
	stderr_has "hull: --filter before=none: "
	run_ 3 --name one hull/busybox sh -c 'exit 3'
	run_ 0 --name two hull/busybox true
	do_ 0 ps --filter exited=3 --format '{{.Names}}'
	stdout_is one
	do_ 0 ps --filter before=two --format '{{.Names}}'
	stdout_is one
	do_ 0 ps --filter since=one --format '{{.Names}}'
	stdout_is two
	do_ 0 rm one two
}

@test "images --filter" {
	do_ 0 pull -q hull/busybox
	do_ 0 tag hull/busybox other/name:2
	do_ 0 images --filter reference=hull/busybox --format '{{.Repository}}'
	stdout_is localhost/hull/busybox
	do_ 0 images -f 'reference=*/busy*:latest' --format '{{.Repository}}'
	stdout_is localhost/hull/busybox
	do_ 0 images -f reference=nothing -q
	stdout_is ""
	do_ 0 images -f dangling=true -q
	stdout_is ""
	do_ 0 images -f dangling=false --format '{{.Tag}}'
	[ "$(sort <<<"$stdout")" = $'2\nlatest' ]
	run_ 0 --name one hull/busybox touch /x
	do_ 0 commit --change 'LABEL team=blue' one labelled
	do_ 0 images -f label=team --format '{{.Tag}}'
	stdout_is latest
	do_ 0 images -f label=team=red -q
	stdout_is ""
	do_ 1 images -f before=x
	stderr_has 'hull: --filter before=x: '
}

@test "port: what is published while it runs" {
	run_ 0 -d --name none hull/busybox sleep 1000
	do_ 0 port none
	stdout_is ""
	do_ 1 port none 80
	stderr_is "hull: container none has published no port 80/tcp"
	do_ 1 port none 80/icmp
	stderr_is 'hull: port "80/icmp": expected PORT or PORT/PROTOCOL'
	do_ 1 port nobody
	stderr_has "no such container: nobody"
}

@test "run --isolation is hull's own word of the same name" {
	run_ 0 --rm --isolation process hull/busybox echo here
	stdout_is here
	run_ 1 --rm --isolation other hull/busybox true
	stderr_has "for flag -isolation: not one of process|vm"
}
