#!/usr/bin/env bats
# as: root
# sanitizers: no
#
# Each system call of create, start, run, exec, state, kill and delete fails, once, in
# turn (tests/tools/faultcall), with an errno that fits it, some with two. Then hull
# says so, in one sentence that has the reason, exits with 1 and has left nothing.
# What may be otherwise, and why, stands in tests/data/faults.tsv, row by row.
#
# The calls are those of this very hull: they are listed first, by a run in which none
# fails, so a new call is tested as well.
#
# Environment: HULL_FAULTS_STRIDE (1: each call; 3: every third), HULL_FAULTS_LOG (a
# file that gets a line for each call, with what came of it).

# shellcheck disable=SC2030,SC2031,SC2154,SC2317 # what a test sets is for its own functions
load helpers
load ../tools/tools

setup() {
	setup_test
	[ "$(uname -m)" = x86_64 ] || skip "tests/tools/faultcall knows x86_64 alone"
	tool faultcall
	faultcall=$tool
	# With the engines' command line nothing is looked up among the containers for people,
	# so each call is made once.
	oci=$WORK/hull-oci
	ln -s "$HULL" "$oci"
	stride=${HULL_FAULTS_STRIDE:-1}
	# Under the VM's software emulation a sample has to do.
	[ "$HULL_TEST_SLOW" = 1 ] || stride=$((stride * 20))
	make_bundle bundle "$seccomp"
	config_args sleep 1000
}

# The filter makes hull compile or read one, and load it.
seccomp='.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
	syscalls: [{ names: ["reboot"], action: "SCMP_ACT_ERRNO" }] }'

list_bundle() {
	find "$BUNDLE" -printf '%P %y %m %U:%G %s\n' | sort
}

# ---- one call that fails

# Everything below runs in two workers, each with an $id of its own. All of it avoids
# to start programs: it is done two thousand times.

# faulty NAME: hull's command with the call of that name failing. Sets $status, and $said
# to what it says, $about to what the call was about, $left to processes that are left.
faulty() {
	local word first second

	status=0
	timeout "$((20 * HULL_TEST_SLOW))" "$faultcall" --fail "$1" --report "$own/report" \
		"${also[@]}" "$oci" --log-level warn --root "$STATE" "${command[@]}" \
		</dev/zero >"$own/stdout" 2>"$own/stderr" 3>&- 4>&- || status=$?
	mapfile -t said <"$own/stderr"
	left=()
	about=
	while IFS=$'\t' read -r word first second; do
		case $word in
		failed) about=$second ;;
		left) left+=("$first") ;;
		esac
	done <"$own/report"
	about=${about//$id/ID}
	about=${about//$WORK/WORK}
}

# what_is_left: sets $remains to what there is of the container $id, or to nothing.
what_is_left() {
	local mounts

	remains=
	[ ! -e "$STATE/$id" ] || remains+=" state"
	[ -z "$cgroup" ] || [ ! -d "$cgroup/$id" ] || remains+=" cgroup"
	mounts=$(</proc/self/mountinfo)
	[[ $mounts != *"$id"* ]] || remains+=" mount"
	[ "${#left[@]}" = 0 ] || remains+=" process"
}

# outcome_of_failure: sets $outcome; $text is the errno in words.
outcome_of_failure() {
	outcome=fails
	if [ "$status" != "$failure" ]; then
		outcome="status-$status"
	elif [ "${#said[@]}" != 1 ]; then
		outcome="${#said[@]}-lines"
	elif [[ ${said[0]} != "hull-oci: "*" "*": $text"* ]]; then
		outcome=other-text
	fi
}

note() {
	printf '%s\t%s\t%s\t%s\t%s\n' "$verb" "$outcome" "$name" "$about" "${said[*]}" >>"$own/found"
}

# The texts as hull has them (base/err.c).
declare -gA text_of=(
	[EAGAIN]="resource temporarily unavailable" [EBUSY]="device or resource busy"
	[EDQUOT]="disk quota exceeded" [EINTR]="interrupted system call"
	[EINVAL]="invalid argument" [EIO]="input/output error"
	[EMFILE]="too many open files" [ENOBUFS]="no buffer space available"
	[ENOLCK]="no locks available" [ENOMEM]="cannot allocate memory"
	[ENOSPC]="no space left on device" [EPERM]="operation not permitted"
)

# each_call WORKER: the calls of $list in turn, every other one.
each_call() {
	local id=$ID-$1 own=$WORK/worker-$1 n=0 command also name about outcome status text
	local said left remains init

	mkdir "$own"
	: >"$own/found"
	prepare_worker
	while IFS=$'\t' read -r name _; do
		n=$((n + 1))
		[ $((n % (2 * stride))) = "$1" ] || continue
		text=${text_of[${name#*=}]:?}
		also=()
		before
		faulty "$name"
		case $status in
		99) outcome=not-made ;;
		0)
			outcome=succeeds
			[ "${#said[@]}" = 0 ] || outcome=warns
			;;
		124) outcome=hangs ;;
		*) outcome_of_failure ;;
		esac
		after
		[ -z "${HULL_FAULTS_LOG:-}" ] ||
			printf '%s\t%s\t%s\t%s\t%s\n' "$verb" "$outcome" "$name" "$about" \
				"${said[*]}" >>"$HULL_FAULTS_LOG"
		case $outcome in
		fails | not-made) ;;
		*) note ;;
		esac
		echo "$outcome" >>"$own/outcomes"
	done <"$list"
	finish_worker
}

prepare_worker() { :; }
finish_worker() { :; }
before() { :; }

# removed: delete --force takes all that is left, and says nothing of it.
removed() {
	local said_then

	hull delete --force "$id" </dev/zero >/dev/null 2>"$own/delete" || outcome+=+delete-fails
	said_then=$(<"$own/delete")
	if [ -n "$said_then" ]; then
		outcome+=+delete-says
		said+=("$said_then")
	fi
	left=()
	what_is_left
	[ -z "$remains" ] || outcome+="+delete-leaves${remains// /-}"
}

# ---- all of them

# each_fails VERB: lets each listed call fail, and judges what came of it.
each_fails() {
	local worker pids=() n

	verb=$1
	[ "$verb" = exec ] && failure=255 || failure=1 # as runc has it
	list=$WORK/calls
	[ "$(wc -l <"$list")" -gt 40 ] || mismatch "calls listed" "more than 40" "$(wc -l <"$list")"
	! grep -w unknown "$list" || mismatch "calls that faultcall has in its table" all "the above"
	for worker in 0 1; do
		each_call "$worker" &
		pids+=($!)
	done
	for worker in "${pids[@]}"; do
		wait "$worker"
	done
	n=$(cat "$WORK"/worker-*/outcomes | wc -l)
	# Which calls are made depends a little on who is faster; that may not hide much.
	[ "$(cat "$WORK"/worker-*/outcomes | grep -c not-made)" -le $((n / 20 + 1)) ] ||
		mismatch "calls that were not made again" "few of $n" "$(cat "$WORK"/worker-*/outcomes | grep -c not-made)"
	echo "# $verb: $n calls failed; $(cat "$WORK"/worker-*/outcomes | sed 's/+.*//' | sort |
		uniq -c | awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }')" >&3
	judge "$WORK"/worker-*/found
	[ "$(list_bundle)" = "$bundle_before" ] ||
		mismatch "the bundle" "as it was" "$(diff <(echo "$bundle_before") <(list_bundle))"
	assert_nothing_left
}

# judge FILE...: what is not as it should be, and not in the table.
judge() {
	cat "$@" | awk -F'\t' -v rows="$SOURCE/tests/data/faults.tsv" '
		function regex(glob) {
			gsub(/[][.^$+?(){}|\\]/, "\\\\&", glob)
			gsub(/\*/, ".*", glob)
			return "^(" glob ")$"
		}
		function fits(glob, word, parts, i, n) {
			n = split(glob, parts, ",")
			for (i = 1; i <= n; i++)
				if (word ~ regex(parts[i]))
					return 1
			return 0
		}
		BEGIN {
			while ((getline line < rows) > 0) {
				if (line ~ /^(#|$)/)
					continue
				n++
				if (split(line, f, "\t") != 5 || f[5] == "") {
					print "faults.tsv: not five columns: " line
					bad = 1
				}
				verbs[n] = f[1]; outcomes[n] = f[2]; calls[n] = f[3]; abouts[n] = f[4]
			}
			if (!n) {
				print "faults.tsv has no rows"
				bad = 1
			}
		}
		{
			name = $3
			sub(/:[0-9]+=/, "=", name) # the table does not count
			fit = 0
			for (i = 1; i <= n; i++)
				if (fits(verbs[i], $1) && fits(outcomes[i], $2) && fits(calls[i], name) &&
				    fits(abouts[i], $4)) {
					fit = 1
					print i >> used
				}
			if (!fit) {
				print
				bad = 1
			}
		}
		END { exit bad }' used="$BATS_FILE_TMPDIR/used.$verb" >"$WORK/unexplained" ||
		mismatch "outcomes that tests/data/faults.tsv does not explain" none "$(<"$WORK/unexplained")"
}

# listed WORD...: makes the list of hull's calls; $also are faultcall's other options.
listed() {
	bundle_before=$(list_bundle)
	run_command "$faultcall" --list "$WORK/calls" "${also[@]}" "$oci" --log-level warn --root "$STATE" "$@" </dev/zero
	[ "$status" = 0 ] || mismatch "status of the listed $*" 0 "$status"
	stderr_is ""
}

# Where the cgroups of these containers are made.
find_cgroups() {
	local pid

	expect 0 create --bundle "$BUNDLE" "$ID"
	pid=$(state_of "$ID" .pid)
	cgroup=$(dirname "$(cgroup_of "$pid")")
	expect 0 delete --force "$ID"
}

# ---- the verbs

@test "each system call of run fails once" {
	find_cgroups
	config_args true
	also=()
	listed run --bundle "$BUNDLE" "$ID"
	before() { command=(run --bundle "$BUNDLE" "$id"); }
	after() {
		what_is_left
		[ -n "$remains" ] || return 0
		# What has ended was made; else it is a making that failed and left something.
		if [ "$(state_of "$id" 2>/dev/null)" = stopped ] && [[ $remains != *mount* && $remains != *process* ]]; then
			outcome+=+leaves-stopped
		else
			outcome+="+leaves${remains// /-}"
		fi
		removed
	}
	each_fails run
}

fails_to_create() {
	before() { command=(create --bundle "$BUNDLE" "$id"); }
	after() {
		case $outcome in
		succeeds* | warns* | not-made) ;;
		*)
			what_is_left
			[ -n "$remains" ] || return 0
			outcome+="+leaves${remains// /-}"
			;;
		esac
		removed
	}
	each_fails create
}

@test "each system call of create fails once" {
	find_cgroups
	also=()
	listed create --bundle "$BUNDLE" "$ID"
	expect 0 delete --force "$ID"
	fails_to_create
}

# only_new FILE: takes out of the list what is in FILE already: the same call about the same.
only_new() {
	awk -F'\t' '{
		whole = $0
		sub(/:[0-9]+=/, "=", $1)
		gsub(/[0-9]+/, "N", $2) # pids and inodes
		key = $1 FS $2
		if (NR == FNR)
			old[key] = 1
		else if (!(key in old))
			print whole
	}' "$1" "$WORK/calls" >new
	mv new "$WORK/calls"
}

@test "each system call of create fails once, with a user namespace, hooks and more" {
	find_cgroups
	also=()
	listed create --bundle "$BUNDLE" "$ID"
	expect 0 delete --force "$ID"
	mv "$WORK/calls" plain
	config '.hooks = ([
			"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"
		] | map({ (.): [{ path: "/bin/true" }] }) | add) |
		.linux.namespaces |= map(select(.type != "user")) + [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] |
		.linux.gidMappings = .linux.uidMappings |
		.linux.sysctl = { "net.ipv4.ip_forward": "1" } |
		.process.oomScoreAdj = 100 | .process.user = { uid: 1, gid: 1, additionalGids: [2] } |
		.mounts += [{ destination: "/mnt", type: "bind", source: "/usr/share", options: ["rbind", "ro"] }]'
	mkdir -p "$BUNDLE/rootfs/mnt"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	listed create --bundle "$BUNDLE" "$ID"
	expect 0 delete --force "$ID"
	only_new plain
	fails_to_create
}

# created: a container that waits for its start, made by the worker; sets $init.
created() {
	local word

	hull create --bundle "$BUNDLE" --pid-file "$own/pid" "$id" </dev/zero >/dev/null
	init=$(<"$own/pid")
}

@test "each system call of start fails once, and each of the init that it lets go" {
	local init own=$WORK id=$ID
	find_cgroups
	created
	also=(--also "$init")
	listed start "$ID"
	grep -q '^1\.execve' "$WORK/calls" || mismatch "calls of init" some none
	expect 0 delete --force "$ID"
	before() {
		created
		also=(--also "$init")
		command=(start "$id")
	}
	after() { removed; }
	each_fails start
}

# One container for all calls of a worker, which goes on whatever fails.
container_for_all() {
	prepare_worker() { started; }
	finish_worker() { hull delete --force "$id"; }
}

started() {
	created
	hull start "$id"
}

@test "each system call of exec fails once" {
	local init own=$WORK id=$ID
	find_cgroups
	started
	also=()
	listed exec "$ID" true
	expect 0 delete --force "$ID"
	container_for_all
	before() { command=(exec "$id" true); }
	after() {
		local processes

		# What was killed may need a moment to be gone from the cgroup.
		for _ in {1..100}; do
			mapfile -t processes <"$cgroup/$id/cgroup.procs"
			[ "${#processes[@]}" != 1 ] || break
			sleep 0.01
		done
		if [ "${#processes[@]}" != 1 ]; then
			outcome+=+container-has-${#processes[@]}-processes
			hull delete --force "$id"
			started
		fi
		[ "${#left[@]}" = 0 ] || outcome+=+leaves-process
	}
	each_fails exec
}

@test "each system call of state fails once" {
	local init own=$WORK id=$ID
	find_cgroups
	started
	also=()
	listed state "$ID"
	expect 0 delete --force "$ID"
	container_for_all
	before() { command=(state "$id"); }
	after() {
		local printed
		printed=$(<"$own/stdout")
		case $outcome in
		succeeds | warns | not-made)
			[[ $printed == *'"status": "running"'* ]] || outcome+=+says-else
			;;
		*) [ -z "$printed" ] || outcome+=+prints ;;
		esac
		[ -d "/proc/$init" ] || outcome+=+container-ended
	}
	each_fails state
}

@test "each system call of kill fails once" {
	local init own=$WORK id=$ID
	find_cgroups
	started
	also=()
	listed kill "$ID" KILL
	expect 0 delete --force "$ID"
	before() {
		started
		command=(kill "$id" KILL)
	}
	after() {
		case $outcome in
		succeeds | warns | not-made)
			for _ in {1..100}; do
				process_gone "$init" && break
				sleep 0.01
			done
			process_gone "$init" || outcome+=+not-killed
			;;
		esac
		removed
	}
	each_fails kill
}

@test "each system call of delete fails once" {
	local init own=$WORK id=$ID
	find_cgroups
	created
	also=()
	listed delete "$ID"
	before() {
		created
		command=(delete "$id")
	}
	after() {
		case $outcome in
		succeeds | warns | not-made)
			left=()
			what_is_left
			[ -z "$remains" ] || outcome+="+leaves${remains// /-}"
			[ -z "$remains" ] || removed
			;;
		*) removed ;;
		esac
	}
	each_fails delete
}

# A row for nothing hides what comes to be like it.
@test "each row of faults.tsv explains something" {
	local verb number=0 line unused=
	for verb in run create start exec state kill delete; do
		[ -e "$BATS_FILE_TMPDIR/used.$verb" ] || skip "only with all of this file's tests"
	done
	[ "$stride" = 1 ] || skip "only where each call fails"
	while IFS= read -r line; do
		[[ -n $line && $line != "#"* ]] || continue
		number=$((number + 1))
		[[ $line != *$'\t'"Sometimes: "* ]] || continue
		grep -qx "$number" "$BATS_FILE_TMPDIR"/used.* || unused+=$line$'\n'
	done <"$SOURCE/tests/data/faults.tsv"
	[ -z "$unused" ] || mismatch "rows that explain nothing" none "$unused"
}
