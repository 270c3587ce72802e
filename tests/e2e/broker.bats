#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The broker follows what happens to interfaces, namespaces and hooks, within a second, and leaves
# nothing behind.

net=pkbk
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml"
	sed -i "s/names: \[.*\]/names: [${net}s, ${net}x]/" "$run/picket.yaml"
	mkdir -p "$run/state"
	sleep 1000 3>&- &
	echo $! >"$run/sleeper"
	start_daemon
	echo "$daemon" >"$run/pid"
}

teardown_file() {
	[ ! -f "$run/pid" ] || kill -KILL "$(cat "$run/pid")" 2>/dev/null || true
	kill "$(cat "$run/sleeper")" 2>/dev/null || true
	ip netns del ${net}x 2>/dev/null || true
	clean_net
}

# link NAME JQ: the interface is covered as the expression says.
link() { api /v1/status | jq -e --arg n "$1" "[.coverage[] | select(.iface == \$n)][0] | $2"; }
# tells NAME JQ SECONDS: it becomes true in time. Prints how long it took.
tells() {
	local from=$(date +%s%N)
	wait_for "$3" link "$1" "$2" || { api /v1/status | jq -c .coverage; return 1; }
	echo "$1: $((($(date +%s%N) - from) / 1000000)) ms"
}

@test "a new interface is covered within a second" {
	ip -n ${net}c link add ${net}n0 type veth peer name ${net}n1
	tells ${net}n0 '.ingress == "xdp-native" and (.egress == "tcx" or .egress == "clsact")' 1
}

@test "a rename is followed" {
	ip -n ${net}c link set ${net}n1 name ${net}r1
	tells ${net}r1 '.ingress == "xdp-native"' 1
	! link ${net}n1 . || false
}

@test "what the configuration leaves out is left alone" {
	ip -n ${net}c link add other0 type veth peer name other1
	tells other0 '.ingress == "excluded"' 1
	[ -z "$(ip -n ${net}c -d link show other0 | grep prog/xdp)" ]
	ip -n ${net}c link del other0
}

@test "an interface that goes is forgotten" {
	ip -n ${net}c link del ${net}n0
	gone() { ! link ${net}n0 . && ! link ${net}r1 .; }
	wait_for 1 gone
}

@test "another tool's XDP program is left alone and told" {
	ip -n ${net}c link add ${net}x0 type veth peer name ${net}x1
	tells ${net}x0 '.ingress == "xdp-native"' 1
	ip -n ${net}c link del ${net}x0
	# The other tool is faster: its program is on the interface before it has a name we cover.
	ip -n ${net}c link add foreign0 type veth peer name foreign1
	in_client ip link set dev foreign0 xdpgeneric obj "$build/tests/e2e/flood.bpf.o" sec xdp
	before=$(ip -n ${net}c -d link show foreign0 | grep -o 'id [0-9]*')
	ip -n ${net}c link set foreign0 name ${net}f0
	tells ${net}f0 '.ingress == "tcx" and (.reason | test("another tool"))' 2
	[ "$(ip -n ${net}c -d link show ${net}f0 | grep -o 'id [0-9]*')" = "$before" ]
	ip -n ${net}c link del ${net}f0
}

@test "a hook that somebody removes is back within two seconds" {
	id=$(in_client bpftool -j net show | jq '.[0].xdp[] | select(.devname == "'${net}c0'") | .id')
	linkid=$(bpftool -j link show | jq ".[] | select(.type == \"xdp\" and .prog_id == $id) | .id" | head -1)
	# The link is detached by its id, as a root user would.
	bpftool link detach id "$linkid"
	back() { in_client bpftool -j net show | jq -e '.[0].xdp[] | select(.devname == "'${net}c0'")'; }
	wait_for 2 back
	api /v1/status | jq -e '.notices[] | select(.text | test("removed by somebody; attached again"))'
}

@test "a namespace made later is covered, and can be deleted" {
	ip netns add ${net}x
	ip -n ${net}x link add ${net}z0 type veth peer name ${net}z1
	tells ${net}z0 '.ingress == "xdp-native"' 5
	ip netns del ${net}x
	gone() { ! link ${net}z0 .; }
	wait_for 3 gone
}

@test "what ran before the start is known" {
	sleeper=$(cat "$run/sleeper")
	api "/v1/processes?limit=10000" |
		jq -e "[.processes[].process | select(.pid == $sleeper and .cmd_line == \"sleep 1000\")] | length == 1"
}

@test "what programs cost is sampled" {
	costs() { api /v1/status | jq -e '[.programs[] | select(.runs > 0 and .ns_per_run > 0)] | length > 3'; }
	wait_for 10 costs
}

@test "the pipeline has no capability, the broker only what it needs" {
	pid=$(cat "$run/pid")
	child=$(pgrep -P "$pid" | head -n 1)
	[ "$(awk '/^Cap(Prm|Eff)/ { print $2 }' "/proc/$child/status" | sort -u)" = 0000000000000000 ]
	grep -q '^NoNewPrivs:	1' "/proc/$child/status"
	# Nor is it root, who owns files without any capability.
	[ "$(awk '/^Uid/ { print ($2 * $3 * $4 * $5 > 0) }' "/proc/$child/status")" = 1 ]
	# Not among them: SYS_MODULE (16), SYS_RAWIO (17), SYS_BOOT (22), NET_RAW (13), DAC_OVERRIDE (1).
	caps=$((16#$(awk '/^CapEff/ { print $2 }' "/proc/$pid/status")))
	for bit in 1 13 16 17 22; do
		[ $((caps >> bit & 1)) = 0 ]
	done
}

@test "a pipeline that is killed comes back while the kernel counts on" {
	pid=$(cat "$run/pid")
	child=$(pgrep -P "$pid" | head -n 1)
	kill -KILL "$child"
	wait_for 5 is_gone "$child"
	wait_for 10 is_covered
	kill -0 "$pid"
}

@test "a wrong configuration is refused at reload, a right one applied" {
	pid=$(cat "$run/pid")
	cp "$run/picket.yaml" "$run/good.yaml"
	echo "nonsense: 1" >>"$run/picket.yaml"
	kill -HUP "$pid"
	wait_for 3 grep -q 'the configuration has errors' "$run/log"
	grep -q 'picket.yaml:.*nonsense' "$run/log"
	sed "s/include: \[.*\]/include: [${net}*]/" "$run/good.yaml" >"$run/picket.yaml"
	kill -HUP "$pid"
	wait_for 3 grep -q 'configuration read again' "$run/log"
	tells lo '.egress == "excluded"' 2
	# nothing at all is watched: said, not taken for health
	watches() { api /v1/status | jq -e "any(.degraded[]; test(\"no interface is watched\")) | $1"; }
	watches not
	sed "s/include: \[.*\]/include: [none0]/" "$run/good.yaml" >"$run/picket.yaml"
	kill -HUP "$pid"
	wait_for 5 watches .
	sed "s/include: \[.*\]/include: [${net}*]/" "$run/good.yaml" >"$run/picket.yaml"
	kill -HUP "$pid"
	wait_for 5 watches not
}

@test "a second instance with the same lock is refused" {
	run nsenter --net=/run/netns/${net}c "$build/picketd" --config "$run/picket.yaml" 3>&-
	[ "$status" = 1 ]
	[[ "$output" == *"already runs"* ]]
}

@test "idle it needs next to nothing" {
	pid=$(cat "$run/pid")
	ticks() { cat /proc/$pid/stat "/proc/$(pgrep -P "$pid")/stat" | awk '{ s += $14 + $15 } END { print s }'; }
	from=$(ticks)
	sleep 5
	used=$((($(ticks) - from) * 1000 / $(getconf CLK_TCK) / 5))
	# Pages of the rings are the kernel's, and each is mapped twice: what is told apart is its own memory.
	own=$(awk '/RssAnon/ { s += $2 } END { print s }' "/proc/$pid/status" "/proc/$(pgrep -P "$pid")/status")
	rss=$(awk '/VmRSS/ { s += $2 } END { print s }' "/proc/$pid/status" "/proc/$(pgrep -P "$pid")/status")
	echo "# idle: $used ms of CPU a second, $own KiB of its own and $((rss - own)) KiB mapped in both" >&3
	[ "$own" -lt 65536 ]
}

@test "a signal while it starts leaves nothing behind" {
	write_config "$run/second.yaml"
	sed -i "s|$run/picket.sock|$run/second.sock|; s|$run/lock|$run/second.lock|" "$run/second.yaml"
	for wait in 0.05 0.2 0.5 0.9; do
		nsenter --net=/run/netns/${net}s "$build/picketd" --config "$run/second.yaml" \
			>>"$run/second.log" 2>&1 3>&- &
		second=$!
		sleep $wait
		kill -TERM $second 2>/dev/null
		wait_for 15 is_gone $second
		[ ! -e "$run/second.sock" ]
		[ ! -e "$run/second.lock" ]
	done
}

@test "the end leaves nothing behind" {
	daemon=$(cat "$run/pid")
	stop_daemon
	rm -f "$run/pid"
	[ -z "$(hooks_of c; hooks_of s)" ]
	[ ! -e "$run/picket.sock" ]
	[ ! -e "$run/lock" ]
}
