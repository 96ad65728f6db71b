# network_helpers.bash - a host, a world outside of it and containers, all of them network
# namespaces of the test's. For files that load helpers and ../tools/tools before it.
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2031,SC2154 # status, stdout and stderr are run_command's, tool is tool's

setup() {
	setup_test
	requires program=python3 program=ip program=nsenter
	attach_tool=$(find_netattach) || skip "needs the program tests/tools/netattach, which make builds"
	python=$(PATH=/usr/bin:/bin:$PATH command -v python3) # no wrapper around it: it is started often
	export HULL_NETWORK_DIR=$WORK/networks HULL_LIBEXEC=${attach_tool%/tests/tools/*}/libexec/hull
	export NETCONFPATH=$WORK/net.d # the host's own are not the test's
	HOST=$(namespace)
	WORLD=$(namespace)
	at "$HOST" ip link set lo up
	at "$WORLD" ip link set lo up
	at "$HOST" ip link add uplink type veth peer name eth0 netns "/proc/$WORLD/ns/net"
	at "$HOST" ip address add 192.0.2.1/24 dev uplink
	at "$HOST" ip -6 address add 2001:db8::1/64 dev uplink nodad
	at "$HOST" ip link set uplink up
	at "$WORLD" ip address add 192.0.2.2/24 dev eth0
	at "$WORLD" ip -6 address add 2001:db8::2/64 dev eth0 nodad
	at "$WORLD" ip link set eth0 up
}

find_netattach() {
	local directory
	for directory in "${HULL%/*}" "${HULL%/*}/.." "$SOURCE/build"; do
		if [ -x "$directory/tests/tools/netattach" ]; then
			echo "$directory/tests/tools/netattach"
			return
		fi
	done
	return 1
}

# namespace: a new network namespace; prints the pid of the process that holds it, which
# the test's end kills.
namespace() {
	local pid
	unshare --net sleep 1000 >/dev/null 2>&1 3>&- &
	pid=$!
	while [ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/self/ns/net)" ] ||
		[ "$(cat "/proc/$pid/comm")" != sleep ]; do
		sleep 0.01
	done
	echo "$pid" >>"$WORK/pids"
	echo "$pid"
}

# The containers die, and what they had is swept, before their host goes.
teardown() {
	local problem=0 pid
	if [ -f "$WORK/pids" ]; then
		while read -r pid; do
			[ "$pid" = "$HOST" ] || kill "$pid" 2>/dev/null || true
		done <"$WORK/pids"
		while read -r pid; do
			[ "$pid" = "$HOST" ] || wait_for 30 process_gone "$pid"
		done <"$WORK/pids"
		netattach sweep
		[ "$status" -eq 0 ] || problem=1
		for pid in $(pgrep -x hull-dns); do
			[[ $(readlink "/proc/$pid/root") != "$WORK"/* ]] || {
				echo "left behind: hull-dns, $pid" >&2
				kill "$pid"
				problem=1
			}
		done
		kill "$HOST"
	fi
	teardown_test || problem=1
	return "$problem"
}

# at PID COMMAND...: runs it in that process's network namespace.
at() { nsenter --net="/proc/$1/ns/net" "${@:2}"; }

# netattach WORD...: in the host's namespace; sets $status, $stdout and $stderr. The host's
# resolv.conf is $WORK/resolv.conf, if the test makes one, and $WORK/resolved.conf what systemd-resolved asks.
netattach() {
	if [ -e "$WORK/resolv.conf" ]; then
		run_command nsenter --net="/proc/$HOST/ns/net" unshare --mount sh -c '
			mount --bind "$0/resolv.conf" /etc/resolv.conf || exit 99
			if [ -e "$0/resolved.conf" ]; then
				mount -t tmpfs run /run && mkdir -p /run/systemd/resolve &&
					cp "$0/resolved.conf" /run/systemd/resolve/resolv.conf || exit 99
			fi
			exec "$@"' "$WORK" "$attach_tool" "$HULL_NETWORK_DIR" "$@"
		return
	fi
	run_command nsenter --net="/proc/$HOST/ns/net" "$attach_tool" "$HULL_NETWORK_DIR" "$@"
}

network() { run_command nsenter --net="/proc/$HOST/ns/net" "$HULL" network "$@"; }

# A named network; its name is printed.
create() {
	network create "$@"
	[ "$status" -eq 0 ] || mismatch "network create $*" 0 "$status: $stderr"
}

# container NAME [WORD...]: a namespace that is attached; sets $NAME to its pid.
container() {
	local name=$1
	printf -v "$name" %s "$(namespace)"
	netattach attach "$name" "${!name}" "${@:2}"
	[ "$status" -eq 0 ] || mismatch "attach $name" 0 "$status: $stderr"
}

# refused MESSAGE ID [WORD...]: a further namespace is not attached, and why.
refused() {
	netattach attach "$2" "$(namespace)" "${@:3}"
	[ "$status" -eq 1 ] || mismatch "attach $2" 1 "$status"
	stderr_is "netattach: $1"
}

# address PID [FAMILY [LINK]]: of the container.
address() {
	at "$1" ip -"${2:-4}" -brief address show dev "${3:-eth0}" scope global | awk '{ sub("/.*", "", $3); print $3 }'
}

# gateway PID: the container's.
gateway() { at "$1" ip route show default | awk '{ print $3 }'; }

# serve PID tcp|udp PORT [NAME]
serve() {
	local ready=$WORK/listens-$1-$2-$3
	in_background nsenter --net="/proc/$1/ns/net" "$python" "$SOURCE/tests/tools/peer.py" serve "$2" "$3" "$ready" "${4:-server}"
	wait_for 30 test -e "$ready"
}

# answers PID tcp|udp ADDRESS PORT ANSWER
answers() {
	run_command nsenter --net="/proc/$1/ns/net" "$python" "$SOURCE/tests/tools/peer.py" ask "$2" "$3" "$4" $((15 * HULL_TEST_SLOW))
	[ "$status" -eq 0 ] || mismatch "answer of $2 $3 $4" "$5" "$stderr"
	stdout_is "$5"
}

silent() {
	run_command nsenter --net="/proc/$1/ns/net" "$python" "$SOURCE/tests/tools/peer.py" ask "$2" "$3" "$4" 2
	[ "$status" -ne 0 ] || mismatch "answer of $2 $3 $4" none "$stdout"
}

# No link, lease, record or published port of a container.
assert_no_container() {
	local left
	left=$(
		at "$HOST" ip -brief link show | grep '^hv'
		ls -A "$HULL_NETWORK_DIR/containers" 2>/dev/null
		grep -v '^last ' "$HULL_NETWORK_DIR"/leases/* 2>/dev/null
		at "$HOST" nft list table inet hull 2>/dev/null | grep comment
	) || true
	[ -z "$left" ] || mismatch 'what is left' '' "$left"
}

# named PID NAME ANSWER [TYPE [udp|tcp [SERVER]]]: what the container's resolver answers.
named() {
	run_command nsenter --net="/proc/$1/ns/net" "$python" "$SOURCE/tests/tools/peer.py" \
		name "${5:-udp}" "${6:-$(gateway "$1")}" "$2" "${4:-A}"
	[ "$status" -eq 0 ] || mismatch "name $2" "$3" "$stderr"
	stdout_is "$3"
}

# A DNS server in the world, which is the host's.
world_names() {
	local kind
	for kind in udp tcp; do
		in_background nsenter --net="/proc/$WORLD/ns/net" "$python" "$SOURCE/tests/tools/peer.py" \
			names "$kind" 53 "$WORK/names-$kind"
		wait_for 30 test -e "$WORK/names-$kind"
	done
	echo "nameserver 192.0.2.2" >"$WORK/resolv.conf"
}

requires_dns() { [ -x "$HULL_LIBEXEC/hull-dns" ] || skip "needs the program hull-dns, which make builds"; }
