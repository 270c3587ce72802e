# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
#
# What the end-to-end stories share: two namespaces joined by a veth pair, a daemon that watches both
# from the client's side, the API, and captures as ground truth. The daemon's own namespace is the
# client's, so nothing is ever attached to an interface of the machine. Each file sets `net`, the
# prefix of its names, before it loads this.
#
#   ${net}c  10.97.0.1 fd97::1  ${net}c0 ---- ${net}s0  10.97.0.2 fd97::2  ${net}s

build=${PICKET_BUILD:-$PWD/build}
bin=$build/tests/e2e
PATH=$build:$PATH
# Waits are so many times longer: in an emulated machine the verifier alone takes some 10 s.
wait_factor=${PICKET_SLOW:-1}
client_ip=10.97.0.1 server_ip=10.97.0.2 server_ip6=fd97::2

# systemd mounts one; without it, nothing could outlive the agent.
findmnt -n -t bpf /sys/fs/bpf >/dev/null || mount -t bpf bpf /sys/fs/bpf

in_client() { nsenter --net="/run/netns/${net}c" "$@"; }
in_server() { nsenter --net="/run/netns/${net}s" "$@"; }

# Whatever still runs inside our own namespaces is ours, also when a test failed half-way and forgot
# its pids.
clean_net() {
	local side pids
	for side in c s; do
		pids=$(ip netns pids "${net}$side" 2>/dev/null || true)
		[ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
	done
	ip netns del "${net}c" 2>/dev/null || true
	ip netns del "${net}s" 2>/dev/null || true
}

make_net() {
	clean_net
	ip netns add "${net}c"
	ip netns add "${net}s"
	ip -n "${net}c" link add "${net}c0" type veth peer name "${net}s0" netns "${net}s"
	in_client sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv4.tcp_fastopen=3 2>/dev/null || true
	in_server sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv4.tcp_fastopen=3 2>/dev/null || true
	ip -n "${net}c" addr add $client_ip/24 dev "${net}c0"
	ip -n "${net}s" addr add $server_ip/24 dev "${net}s0"
	ip -n "${net}c" addr add fd97::1/64 dev "${net}c0" nodad
	ip -n "${net}s" addr add $server_ip6/64 dev "${net}s0" nodad
	local side
	for side in c s; do
		ip -n "${net}$side" link set lo up
		ip -n "${net}$side" link set "${net}${side}0" up
	done
}

# write_config FILE: a whole instance below $run, side by side with any other. Words after FILE are
# further lines of the flow section, as in "slots: 4096".
write_config() {
	local file=$1 line
	shift
	{
		echo "api: {socket: $run/picket.sock, group: \"\"}"
		echo "dirs: {run: $run, lock: $run/lock, pins: /sys/fs/bpf/$net, state: $run/state}"
		echo "interfaces: {include: [\"${net}*\", lo]}"
		echo "netns: {names: [${net}s], containers: false}"
		echo "history: {flows: 100000}"
		echo "flow:"
		for line in "active_timeout: 2s" "idle_timeout: 2s" "half_open_timeout: 2s" \
			"linger: 500ms" "sweep_interval: 500ms" "$@"; do
			echo "  $line"
		done | awk -F: '{ text[$1] = $0 } END { for (k in text) print text[k] }'
	} >"$file"
}

# wait_for SECONDS COMMAND...: until it succeeds, $wait_factor times as long at most.
wait_for() {
	local end=$(($(date +%s) + $1 * wait_factor))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# jq -e that got no input is content (1.6): then an answer that never came would be a right one.
jq() {
	local out
	[[ $1 =~ ^-[a-z]*e ]] || {
		command jq "$@"
		return
	}
	out=$(command jq "$@") || return
	[ -n "$out" ] || return 4
	printf '%s\n' "$out"
}

api() { curl -sS -f --max-time $((20 * wait_factor)) --unix-socket "$run/picket.sock" "http://picket$1"; }
# Covered: both ends of the pair, both directions.
is_covered() {
	api /v1/status | jq -e --arg net "$net" '
		[.coverage[] | select(.iface | startswith($net)) |
			select(.ingress != "none" and .egress != "none")] | length == 2'
}

# Not through in_client: $! would be a shell of bash, not the program.
launch_daemon() {
	nsenter --net="/run/netns/${net}c" "$build/picketd" --config "$run/picket.yaml" \
		>>"$run/log" 2>&1 3>&- &
	daemon=$!
	echo $daemon >"$run/daemon"
}

start_daemon() {
	mkdir -p "$run/state"
	launch_daemon
	wait_for 20 is_covered || {
		cat "$run/log"
		api /v1/status | jq -c '.coverage, .degraded, .notices' || true
		return 1
	}
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# The one that was launched last, by a test that is over as well.
stop_daemon() {
	[ ! -e "$run/daemon" ] || daemon=$(cat "$run/daemon")
	rm -f "$run/daemon"
	[ -n "${daemon:-}" ] || return 0
	kill -TERM "$daemon" 2>/dev/null || true
	wait_for 15 is_gone "$daemon" || kill -KILL "$daemon"
	daemon=
}

# hooks_of c|s: whatever XDP or tc program is attached to the interfaces of that side.
hooks_of() {
	local dev
	ip -n "${net}$1" -d link show | grep -oE 'prog/xdp.*' || true
	for dev in "${net}${1}0" lo; do
		nsenter --net="/run/netns/${net}$1" tc filter show dev "$dev" egress 2>/dev/null
		nsenter --net="/run/netns/${net}$1" tc filter show dev "$dev" ingress 2>/dev/null
	done
	nsenter --net="/run/netns/${net}$1" bpftool net show 2>/dev/null | grep -E 'tcx|xdp|clsact' |
		grep -vE '^(xdp|tc):' || true
}

start_server() { # start_server PORT
	nsenter --net="/run/netns/${net}s" "$bin/server" "$1" "$run/server.log" 3>&- &
	server=$!
	wait_for 10 grep -q ready "$run/server.log"
}

# capture c|s PORT: everything that passes that end, to $run/SIDE.pcap, but for a flood's 11.0.0.0/8.
capture() {
	nsenter --net="/run/netns/${net}$1" tcpdump -i "${net}${1}0" -n --immediate-mode -B 65536 -s 128 -U \
		-w "$run/$1.pcap" "port $2 and not net 11.0.0.0/8" 2>"$run/$1.tcpdump" 3>&- &
	captures="${captures:-} $!"
	wait_for 10 grep -q listening "$run/$1.tcpdump"
}

stop_captures() {
	sleep 0.5
	local pid
	for pid in ${captures:-}; do
		kill -INT "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	captures=
	! grep -hE '[1-9][0-9]* packets? dropped by kernel' "$run"/?.tcpdump
}

# Flows of this port were reported, and none is open any more.
all_ended() {
	api "/v1/flows?state=all&limit=10000&filter=port%20$1%20and%20not%20net%2011.0.0.0/8" |
		jq -e '.flows | length > 0 and all(.[]; .unmapped.picket.status == "ended")'
}
# flows_of PORT: waits until they have ended, then all of them to $run/flows.json.
flows_of() {
	wait_for 60 all_ended "$1"
	api "/v1/flows?state=all&limit=10000&filter=port%20$1%20and%20not%20net%2011.0.0.0/8" >"$run/flows.json"
}

kill_children() {
	local pid
	stop_daemon
	for pid in ${captures:-} ${server:-} ${others:-}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	captures='' server='' others=''
}

# all_but DETECTOR...: the others by name, for detect.off: what else happens on the machine, which
# detectors of processes see, is not of the story.
all_but() {
	local words
	words=$(printf -- '-e %s ' all "$@")
	"$build/picketd" --config /dev/null --print-config 2>/dev/null |
		awk '/Detectors that do not run/ { f = 1 } f { print } f && /^  off:/ { exit }' | tr -d '#\n' |
		sed 's/.*Takes a list of \(.*\); *default.*/\1/' | tr -d ' ' | tr ',' '\n' |
		grep -vx $words | paste -sd,
}
