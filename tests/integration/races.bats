#!/usr/bin/env bats
# as: root, user
# sanitizers: no
#
# Two commands at the same time on one id: the state is never broken, nothing is
# left, and whoever loses says so in one line.
#
# Environment: HULL_RACE_ROUNDS (300; commands of each of two hulls in mixed verbs).

# shellcheck disable=SC2030,SC2031 # each test has a shell of its own
load helpers
load ../tools/tools

setup() {
	setup_test
	make_bundle
	config_args sleep 1000
	watchers=()
}

# race COMMAND-A COMMAND-B: both at once (words without spaces), in either order.
# Sets $status_a, $status_b, and what they said, $said_a and $said_b.
race() {
	local a b
	status_a=0 status_b=0
	# shellcheck disable=SC2086 # they are words
	if ((RANDOM % 2)); then
		hull $1 >a.out 2>a </dev/null &
		a=$!
		hull $2 >b.out 2>b </dev/null &
		b=$!
	else
		hull $2 >b.out 2>b </dev/null &
		b=$!
		hull $1 >a.out 2>a </dev/null &
		a=$!
	fi
	wait "$a" || status_a=$?
	wait "$b" || status_b=$?
	said_a=$(grep -v ' hull warning: ' a) || true
	said_b=$(grep -v ' hull warning: ' b) || true
}

# loser STATUS TEXT PATTERN: fails unless it succeeded in silence, or failed with
# one line that matches.
loser() {
	[ "$1" = 0 ] && [ -z "$2" ] && return 0
	[ "$1" != 0 ] && [[ "$2" =~ ^hull:\ ($3)$ ]] && return 0
	mismatch "message of the loser (status $1)" "$3" "$2"
}

# Others look at it all the time; the list is always whole.
watch_states() {
	local at
	(
		while [ -e watching ]; do
			hull list --format json >list.out 2>list.err || echo "list: $(<list.err)" >>watched
			jq --exit-status 'type == "array" or . == null' list.out >/dev/null ||
				echo "list: $(<list.out)" >>watched
			[ ! -s list.err ] || echo "list says: $(<list.err)" >>watched
			sleep 0.02
		done
	) 3>&- 4>&- &
	watchers+=($!)
	(
		while [ -e watching ]; do
			if at=$(hull state "$ID" 2>state.err); then
				jq --exit-status '.status | IN("creating", "created", "running", "stopped")' \
					<<<"$at" >/dev/null || echo "state: $at" >>watched
			elif ! grep -qx 'hull: container does not exist' state.err; then
				echo "state: $(<state.err)" >>watched
			fi
			sleep 0.02
		done
	) 3>&- 4>&- &
	watchers+=($!)
}

# rounds_of N COMMAND...: calls it so often, while watched.
rounds_of() {
	local n=$1 i
	shift
	: >watched
	: >watching
	watch_states
	for ((i = 0; i < $(rounds "$n"); i++)); do
		"$@" || break
	done
	rm -f watching
	wait "${watchers[@]}"
	[ ! -s watched ] || mismatch "seen meanwhile" "whole states" "$(sort watched | uniq -c)"
	[ "$i" = "$(rounds "$n")" ] || mismatch "rounds" "$(rounds "$n")" "$i"
	expect 0 list --quiet
	stdout_is ""
}

new_container() { expect 0 create --bundle "$BUNDLE" "$ID"; }
running_container() { new_container && expect 0 start "$ID"; }
delete_it() { expect 0 delete --force "$ID"; }

exists='container with given ID already exists: .*'
missing='container does not exist'
not_running='container not running'

create_create() {
	race "create --bundle $BUNDLE $ID" "create --bundle $BUNDLE $ID"
	loser "$status_a" "$said_a" "$exists" && loser "$status_b" "$said_b" "$exists" || return
	[ $((status_a + status_b)) = 1 ] || mismatch "exit statuses" "0 and 1" "$status_a and $status_b" || return
	[ "$(state_of "$ID")" = created ] && delete_it
}
@test "create and create: exactly one wins" { rounds_of 60 create_create; }

create_delete() {
	race "create --bundle $BUNDLE $ID" "delete --force $ID"
	loser "$status_a" "$said_a" "container $ID was deleted while it was being created" || return
	loser "$status_b" "$said_b" nothing && delete_it
}
@test "create and delete --force" { rounds_of 60 create_delete; }

start_start() {
	new_container
	race "start $ID" "start $ID"
	local other='cannot start an already running container'
	loser "$status_a" "$said_a" "$other" && loser "$status_b" "$said_b" "$other" || return
	[ $((status_a + status_b)) = 1 ] || mismatch "exit statuses" "0 and 1" "$status_a and $status_b" || return
	[ "$(state_of "$ID")" = running ] && delete_it
}
@test "start and start: exactly one wins" { rounds_of 60 start_start; }

start_delete() {
	new_container
	race "start $ID" "delete --force $ID"
	loser "$status_a" "$said_a" "$missing|cannot start a container that has stopped" || return
	loser "$status_b" "$said_b" nothing
}
@test "start and delete --force" { rounds_of 60 start_delete; }

kill_delete() {
	running_container
	race "kill $ID KILL" "delete $ID"
	loser "$status_a" "$said_a" "$missing|$not_running" || return
	loser "$status_b" "$said_b" "cannot delete container $ID that is not stopped: running" && delete_it
}
@test "kill and delete" { rounds_of 40 kill_delete; }

exec_delete() {
	running_container
	race "exec $ID sleep 500" "delete --force $ID"
	[ "$status_b" = 0 ] && [ -z "$said_b" ] || mismatch "delete" "0, silent" "$status_b $said_b" || return
	# It ran, and was killed; or it came too late; or it died with the container half way.
	[ "$status_a" = 137 ] && [ -z "$said_a" ] && return 0
	[ "$status_a" = 255 ] && [[ $said_a == "hull: "* ]] && [[ $said_a != *$'\n'* ]] && {
		echo "$said_a" >>exec.said
		return 0
	}
	mismatch "exec" "killed, or one line" "$status_a $said_a"
}
@test "exec and delete --force" {
	rounds_of 60 exec_delete
	echo "# exec said: $(sort exec.said 2>/dev/null | uniq -c | tr '\n' ';')" >&3
}

delete_delete() {
	new_container
	race "delete $ID" "delete $ID"
	loser "$status_a" "$said_a" "$missing" && loser "$status_b" "$said_b" "$missing" || return
	[ $((status_a + status_b)) = 1 ] || mismatch "exit statuses" "0 and 1" "$status_a and $status_b"
}
@test "delete and delete: exactly one wins" { rounds_of 60 delete_delete; }

delete_delete_force() {
	running_container
	race "delete --force $ID" "delete --force $ID"
	loser "$status_a" "$said_a" nothing && loser "$status_b" "$said_b" nothing
}
@test "delete --force and delete --force: both succeed" { rounds_of 40 delete_delete_force; }

run_kill() {
	config_args true
	race "run --bundle $BUNDLE $ID" "delete --force $ID"
	[[ $status_a == 0 || $status_a == 137 ]] && [ -z "$said_a" ] ||
		[[ $status_a == 1 && $said_a == "hull: "* && $said_a != *$'\n'* ]] ||
		mismatch run "0, 137, or one line" "$status_a $said_a" || return
	loser "$status_b" "$said_b" nothing && delete_it
}
@test "run and delete --force" { rounds_of 40 run_kill; }

# What either of two may be told when the other does anything at all to the same id.
told="$exists|$missing|$not_running|container .* was deleted while it was being created"
told+="|cannot start (an already running container|a container that (has stopped|is being created))"
told+="|cannot exec in a (stopped container|container that is being created or deleted)"
told+="|cannot delete container .* that is not stopped: .*"

died='the other side of the handshake died unexpectedly'

# mixed N NAME: N commands on the id, in any order; a line for each in told.NAME.
mixed() {
	local i verb status verbs=(
		"create --bundle $BUNDLE $ID" "run --detach --bundle $BUNDLE $ID" "start $ID"
		"state $ID" "exec $ID true" "kill $ID KILL" "delete $ID" "delete --force $ID"
	)
	for ((i = 0; i < $1; i++)); do
		verb=${verbs[RANDOM % ${#verbs[@]}]}
		status=0
		# shellcheck disable=SC2086 # they are words
		HULL_TEST=$TAG XDG_RUNTIME_DIR=$RUNTIME_DIR timeout "$((60 * HULL_TEST_SLOW))" \
			"$HULL" --root "$STATE" $verb >/dev/null 2>"said.$2" </dev/zero 3>&- 4>&- || status=$?
		printf '%s\t%s\t%s\n' "${verb%% *}" "$status" "$(<"said.$2")" >>"told.$2"
	done
}

@test "two hulls at one id, any verbs: each does it or says one thing, and nothing is left" {
	local n=0 verb
	both "${HULL_RACE_ROUNDS:-$(rounds 300)}"
	# Where that were few, some verb may have had no luck yet.
	while ! each_succeeded && [ "$n" -lt 1000 ]; do both 30; done
	each_succeeded || mismatch "a $verb that succeeds" some none
	expect 0 delete --force "$ID"
	[ "$(cat told.a told.b | wc -l)" = $((2 * n)) ] || mismatch "lines" $((2 * n)) "$(cat told.a told.b | wc -l)"
	# What exec began may have been killed, and so may init before it became run's program.
	! grep -hvP "^\w+\t0\t$|^exec\t137\t$|^run\t1\thull: $died$|^\w+\t(1|255)\thull: ($told)$" told.a told.b ||
		mismatch "what they say" "what $told has" "the above"
}

# both N: two of them, with N commands each; $n counts them.
both() {
	local pids=()
	mixed "$1" a &
	pids+=($!)
	mixed "$1" b &
	pids+=($!)
	wait "${pids[@]}"
	n=$((n + $1))
}

# Sets $verb to one that never did.
each_succeeded() {
	for verb in create run start exec kill delete state; do
		grep -qP "^$verb\t0\t" told.a told.b || return
	done
}
