#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Enforcement outlives the agent: while it holds, programs and maps stay when it ends, whatever ends
# it, and the next one takes over without a packet between. `hold` is the broker with a pipeline that
# says hold on, hold off and detach when told.

net=pkpn
load lib
pins=/sys/fs/bpf/$net
# Where the kernel has tcx, what sees packets out is a link, and pinned; else it is a filter.
tcx=$(grep -qw tcx_link_attach /proc/kallsyms && echo 1 || echo 0)
# pinned XDP TC: how many links are pinned with that many hooks of interfaces.
pinned() { echo $((4 + $1 + tcx * $2)); }
all=$(pinned 2 4) # two ends of the pair, two loopbacks
rounds=$([ -n "${PICKET_FULL:-}" ] && echo 100 || echo 20)
stride=$([ -n "${PICKET_FULL:-}" ] && echo 1 || echo 4)

setup_file() {
	export run=$BATS_FILE_TMPDIR
	mkdir -p "$run/state"
	mkfifo "$run/ctl"
	exec 7<>"$run/ctl" # so that a word is never lost nor waited for
}

setup() {
	rm -f "$run/log"
	make_net
	write_config "$run/picket.yaml"
}

teardown() {
	[ -z "${holder:-}" ] || kill -KILL "$holder" 2>/dev/null || true
	for pid in ${senders:-}; do
		kill "$pid" 2>/dev/null || true
	done
	ip netns del ${net}x 2>/dev/null || true
	take_down >/dev/null 2>&1 || true
	clean_net
	[ ! -e $pins ]
}

take_down() { in_client "$build/picketd" --config "$run/picket.yaml" --detach 3>&-; }

# begin [NAME=VALUE...]: the agent, until it is ready or gone.
begin() {
	: >"$run/log"
	env "$@" nsenter --net=/run/netns/${net}c "$bin/hold" "$run/picket.yaml" "$run/ctl" \
		>>"$run/log" 2>&1 3>&- 7>&- &
	holder=$!
	up() { grep -q ready "$run/log" || is_gone "$holder"; }
	wait_for 15 up
}
say() { echo "$1" >"$run/ctl"; }
# held: meta is pinned last of the maps, links after it.
held() { [ -e $pins/meta ] && [ "$(ls $pins/links | grep -c cgroup)" = 4 ] && [ "$(ls $pins/links | wc -l)" -ge "${1:-$all}" ]; }
hold() {
	say on
	wait_for 5 held
}
end() { # end SIGNAL
	kill "-$1" "$holder"
	wait_for 10 is_gone "$holder"
	wait "$holder" 2>/dev/null || true
	holder=
}
# Ids of pinned links and of their programs, one line each.
links() {
	for f in "$pins"/links/*; do
		bpftool -j link show pinned "$f" | jq -r '"\(.id) \(.prog_id)"'
	done
}
link_ids() { links | awk '{ print $1 }' | sort -n; }
prog_ids() { links | awk '{ print $2 }' | sort -nu; }
xdp_everywhere() {
	for side in c s; do
		[ "$(hooks_of $side | grep -c 'prog/xdp.*pk_xdp')" = 1 ] || return 1
	done
}
# Pinned and at work: in and out at both ends, and the calls.
works() {
	xdp_everywhere || return 1
	for call in connect4 connect6 sendmsg4 sendmsg6; do
		[ "$(bpftool -j link show pinned $pins/links/cgroup-pk_$call | jq .cgroup_id)" -gt 0 ] || return 1
	done
	local in=$(seen 0) out=$(seen 1)
	in_client ping -q -c 5 -i 0.01 $server_ip >/dev/null
	[ "$(seen 0)" -ge $((in + 10)) ] && [ "$(seen 1)" -ge $((out + 10)) ]
}
no_hooks() { [ -z "$(hooks_of c; hooks_of s)" ]; }
# seen HOOK: packets by the pinned counters.
seen() {
	bpftool -j map dump pinned $pins/maps/pk_pkt_cnt |
		jq "[.[] | .formatted // . | select(.key == $1) | .values[].value.n[0]] | add"
}
# passed rx|tx: packets by the interfaces' own counters.
passed() {
	for side in c s; do
		ip -n ${net}$side -s -j link show | jq ".[] | select(.ifname == \"${net}${side}0\" or \"$1\" == \"tx\") | .stats64.$1.packets"
	done | awk '{ n += $1 } END { print n }'
}
# All four, at a moment when nothing moves.
count_all() {
	while true; do
		rx_now=$(passed rx) tx_now=$(passed tx) in_now=$(seen 0) out_now=$(seen 1)
		[ "$rx_now $tx_now" != "$(passed rx) $(passed tx)" ] || break
	done
}
traffic() { # both ways, some 4,000 packets a second
	for side in c:$server_ip s:$client_ip; do
		nsenter --net=/run/netns/${net}${side%:*} python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for i in range(20):
        s.sendto(b"x" * 64, (sys.argv[1], 9999))
    time.sleep(0.01)' "${side#*:}" 3>&- 7>&- &
		senders="${senders:-} $!"
	done
}
no_traffic() {
	for pid in $senders; do
		kill "$pid"
		wait "$pid" 2>/dev/null || true
	done
	senders=
	sleep 0.3
}

@test "who enforces nothing pins nothing, also after it did" {
	begin
	[ ! -e $pins ]
	hold
	[ "$(stat -c %a:%u $pins)" = 700:0 ]
	say off
	gone() { [ ! -e $pins ]; }
	wait_for 5 gone
	xdp_everywhere
	end TERM
	wait_for 2 no_hooks
	grep -vq 'stays in the kernel' "$run/log"
}

@test "SIGKILL while it holds: hooks stay and count on" {
	begin
	hold
	end KILL
	works
}

@test "SIGTERM while it holds: the same, and it says how to take it down" {
	begin
	hold
	end TERM
	works
	grep -q 'enforcement stays in the kernel; `picket detach`' "$run/log"
	run take_down
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == "detached: 2 XDP, $((tcx * 4)) tcx, $((4 - tcx * 4)) clsact and 4 cgroup hooks, "*" maps" ]]
	no_hooks
	[ ! -e $pins ]
	run take_down
	[ "$status" = 0 ]
	[[ "$output" == "nothing is attached"* ]]
}

@test "detach by message takes everything down" {
	begin
	hold
	say detach
	wait_for 5 is_gone "$holder"
	no_hooks
	[ ! -e $pins ]
	grep -q 'nothing is enforced any more' "$run/log"
}

@test "nothing is detached beside an agent that runs" {
	begin
	hold
	run take_down
	[ "$status" = 1 ]
	[[ "$output" == *"another picketd uses $pins"* ]]
	works
}

@test "the next start takes over: the same links, new programs, counters go on" {
	begin
	hold
	in_client ping -q -c 20 -i 0.01 $server_ip >/dev/null
	end KILL
	links=$(link_ids) progs=$(prog_ids) before=$(seen 0)
	map=$(bpftool -j map show pinned $pins/maps/pk_flows | jq .id)
	begin
	grep -q 'took over what an earlier agent left' "$run/log"
	[ "$(link_ids)" = "$links" ]
	[ -z "$(comm -12 <(echo "$progs" | sort) <(prog_ids | sort))" ]
	[ "$(bpftool -j map show pinned $pins/maps/pk_flows | jq .id)" = "$map" ]
	[ "$(seen 0)" -ge "$before" ]
	works
	hold
	[ "$(link_ids)" = "$links" ]
	works
}

@test "killed again and again under traffic, not a packet is uncounted" {
	in_client sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	in_server sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	begin
	hold
	count_all
	rx=$rx_now tx=$tx_now in=$in_now out=$out_now links=$(link_ids)
	traffic
	last=$in
	for i in $(seq "$rounds"); do
		end KILL
		[ "$(seen 0)" -ge "$last" ]
		begin
		now=$(seen 0)
		[ "$now" -gt "$last" ]
		last=$now
	done
	no_traffic
	[ "$(link_ids)" = "$links" ]
	count_all
	rx=$((rx_now - rx)) tx=$((tx_now - tx)) in=$((in_now - in)) out=$((out_now - out))
	echo "# $rounds starts: $rx packets in, $in counted; $tx out, $out counted" >&3
	[ "$rx" -gt $((rounds * 1000)) ]
	[ "$in" = "$rx" ]
	[ "$out" = "$tx" ]
}

@test "without tcx the filters in clsact stay, are taken over and taken down" {
	tcx=0 all=$(pinned 2 4)
	filters() { # id of the program at each end
		for side in c s; do
			nsenter --net=/run/netns/${net}$side tc filter show dev ${net}${side}0 egress | grep -oE 'pk_tc_out.* id [0-9]+'
		done
	}
	in_client sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	in_server sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	in_client tc qdisc add dev ${net}c0 clsact
	in_client tc filter add dev ${net}c0 egress prio 7 protocol ip u32 match u32 0 0
	begin PK_NO_TCX=1
	hold
	count_all
	tx=$tx_now out=$out_now
	traffic
	for i in 1 2 3; do
		old=$(filters)
		[ "$(wc -l <<<"$old")" = 2 ]
		end KILL
		[ "$(filters)" = "$old" ]
		begin PK_NO_TCX=1
		[ "$(wc -l <<<"$(filters)")" = 2 ]
		[ "$(filters)" != "$old" ]
	done
	no_traffic
	count_all
	tx=$((tx_now - tx)) out=$((out_now - out))
	echo "# $tx packets out, $out counted" >&3
	[ "$tx" -gt 3000 ]
	[ "$out" = "$tx" ]
	# Of another ABI, they wait as links do.
	old=$(filters)
	end KILL
	rm $pins/meta
	begin PK_NO_TCX=1
	[ "$(filters)" = "$old" ]
	hold
	renewed() { [ "$(filters)" != "$old" ]; }
	wait_for 5 renewed
	works
	end TERM
	works
	run take_down
	echo "$output"
	[[ "$output" == "detached: 2 XDP, 0 tcx, 4 clsact and 4 cgroup hooks, "* ]]
	# The filter of another tool, and its qdisc, stay.
	in_client tc filter show dev ${net}c0 egress | grep -q 'pref 7'
	[ "$(hooks_of c | grep -c pk_)" = 0 ]
	no_qdisc() { ! in_server tc qdisc show dev ${net}s0 | grep -q clsact; }
	no_qdisc
}

@test "interfaces and namespaces that come while it holds are pinned, those that go unpinned" {
	sed -i "s/names: \[.*\]/names: [${net}s, ${net}x]/" "$run/picket.yaml"
	begin
	hold
	ip netns add ${net}x
	ip -n ${net}x link add ${net}z0 type veth peer name ${net}z1
	more() { held "$(pinned 4 7)"; }
	wait_for 5 more
	ip -n ${net}x link del ${net}z0
	less() { [ "$(ls $pins/links | wc -l)" = "$(pinned 2 5)" ]; }
	wait_for 5 less
	ip netns del ${net}x
	none() { [ "$(ls $pins/links | wc -l)" = "$all" ]; }
	wait_for 5 none
}

@test "what went while nobody looked is forgotten, what moved is found" {
	sed -i "s/names: \[.*\]/names: [${net}s, ${net}x]/" "$run/picket.yaml"
	ip netns add ${net}x
	ip -n ${net}x link add ${net}z0 type veth peer name ${net}z1
	ip -n ${net}c link add ${net}m0 type veth peer name ${net}m1
	ip -n ${net}c link add ${net}d0 type veth peer name ${net}d1
	begin
	hold
	wait_for 5 held "$(pinned 8 11)"
	end KILL
	ip netns del ${net}x
	ip -n ${net}c link del ${net}d0
	ip -n ${net}c link set ${net}m1 netns ${net}s
	moved=$(in_server bpftool -j net show | jq ".[0].xdp[] | select(.devname == \"${net}m1\") | .id")
	[ -n "$moved" ]
	begin
	hold
	[ "$(ls $pins/links | wc -l)" = "$(pinned 4 6)" ]
	now=$(in_server bpftool -j net show | jq ".[0].xdp[] | select(.devname == \"${net}m1\") | .id")
	[ -n "$now" ] && [ "$now" != "$moved" ]
	# Its program is that of the namespace it is in now.
	mine=$(in_server bpftool -j net show | jq ".[0].xdp[] | select(.devname == \"${net}s0\") | .id")
	[ "$now" = "$mine" ]
	grep -q 'not watched any more removed' "$run/log"
}

@test "another tool's XDP program in the place of ours is left alone" {
	begin
	hold
	end KILL
	bpftool link detach pinned "$(ls $pins/links/*-in-xdp | head -1)"
	bpftool link detach pinned "$(ls $pins/links/*-in-xdp | tail -1)"
	in_client ip link set dev ${net}c0 xdpgeneric obj "$build/tests/e2e/flood.bpf.o" sec xdp
	before=$(ip -n ${net}c -d link show ${net}c0 | grep -o 'prog/xdp id [0-9]*')
	begin
	hold
	[ "$(ip -n ${net}c -d link show ${net}c0 | grep -o 'prog/xdp id [0-9]*')" = "$before" ]
	hooks_of s | grep -q 'prog/xdp.*pk_xdp'
	wait_for 5 held "$(pinned 1 5)" # tc in has the place of XDP
	[ -n "$(ls $pins/links | grep -E -- '-in$')" ] || in_client tc filter show dev ${net}c0 ingress | grep -q pk_tc_in
	take_down_by_message() { say detach && wait_for 5 is_gone "$holder"; }
	take_down_by_message
	[ "$(ip -n ${net}c -d link show ${net}c0 | grep -o 'prog/xdp id [0-9]*')" = "$before" ]
}

@test "a pinned link that somebody detaches is back, pinned; so is a pin that is removed" {
	begin
	hold
	for f in "$(ls $pins/links/*-in-xdp | head -1)" "$pins/links/cgroup-pk_connect4"; do
		id=$(bpftool -j link show pinned "$f" | jq .id)
		bpftool link detach pinned "$f"
		other() { [ "$(bpftool -j link show pinned "$f" | jq .id)" != "$id" ]; }
		wait_for 3 other
	done
	works
	rm $pins/links/cgroup-pk_sendmsg4 "$(ls $pins/links/*-in-xdp | head -1)" $pins/maps/pk_flows
	again() { held && [ -e $pins/maps/pk_flows ]; }
	wait_for 3 again
	rm -r $pins
	wait_for 3 again
	end KILL
	works
}

@test "pins of another ABI enforce until the new lists are in force" {
	begin
	hold
	end KILL
	links=$(link_ids) progs=$(prog_ids)
	old=$(bpftool -j map show pinned $pins/maps/pk_pkt_cnt | jq .id)
	other=$(printf '99 %.0s' $(seq 72))
	bpftool map update pinned $pins/meta key 0 0 0 0 value $other
	begin
	grep -q 'an earlier agent of another kind' "$run/log"
	sleep 1.5
	[ "$(prog_ids)" = "$progs" ]
	[ "$(link_ids)" = "$links" ]
	works
	# Killed before the lists are in force: nothing changed.
	end KILL
	[ "$(prog_ids)" = "$progs" ]
	begin
	hold
	renewed() { [ "$(bpftool -j map show pinned $pins/maps/pk_pkt_cnt | jq .id)" != "$old" ]; }
	wait_for 5 renewed
	[ "$(link_ids)" = "$links" ]
	[ -z "$(comm -12 <(echo "$progs" | sort) <(prog_ids | sort))" ]
	works
	! bpftool map show id "$old" 2>/dev/null || false
}

@test "pins of another ABI go when there is nothing to enforce" {
	begin
	hold
	end KILL
	rm $pins/meta
	begin
	works
	say off
	gone() { [ ! -e $pins ]; }
	wait_for 5 gone
	xdp_everywhere
	end TERM
	wait_for 2 no_hooks
}

@test "a table of another size is taken over as it is" {
	begin
	hold
	end KILL
	sed -i 's/^flow:/flow:\n  slots: 4096/; s/^rings:.*//' "$run/picket.yaml"
	begin
	grep -q 'the flow table keeps its 65536 slots until `picket detach`' "$run/log"
	works
}

@test "where nothing can be pinned it says so, and enforcement ends with the agent" {
	sed -i "s|pins: $pins|pins: $run/no|" "$run/picket.yaml"
	begin
	say on
	wait_for 5 grep -q "$run is not on bpffs.*enforcement ends with the agent" "$run/log"
	xdp_everywhere
	end TERM
	wait_for 2 no_hooks
	# A directory that others may write is not believed.
	sed -i "s|pins: $run/no|pins: $pins|" "$run/picket.yaml"
	mkdir -m 755 $pins
	begin
	say on
	wait_for 5 grep -q "$pins is not root's alone" "$run/log"
	[ -z "$(ls $pins)" ]
	end KILL
	rmdir $pins
	wait_for 2 no_hooks
}

@test "a start that is killed at any step leaves what enforces" {
	begin
	hold
	end KILL
	n=0 i=1
	while true; do
		begin PK_KILL_AT=$i
		! is_gone "$holder" || { n=$((n + 1)) i=$((i + 1)); works; continue; }
		break
	done
	[ $n -gt 0 ]
	echo "# killed at $n steps of a start" >&3
	hold
	works
}

@test "holding and letting go that is killed at any step leaves what the next start can use" {
	begin
	steps() { # all there is to do, until it ends or is killed
		say on
		died_or() { is_gone "$holder" || "$@"; }
		wait_for 5 died_or held
		say off
		none() { [ ! -e $pins ]; }
		wait_for 5 died_or none
	}
	steps
	end TERM
	last=$(awk '/ steps$/ { print $1 }' "$run/log")
	[ "$last" -gt 60 ]
	n=0
	for i in $(seq 20 $((stride * 2)) "$last"); do
		begin PK_KILL_AT="$i"
		steps
		is_gone "$holder" || { end TERM; continue; }
		n=$((n + 1))
		begin
		hold
		works
		end KILL
		works
		take_down >/dev/null
		no_hooks
	done
	[ $n -gt 5 ]
	echo "# killed at $n of $last steps" >&3
}
