#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Block lists under traffic that they must stop throughout (198.19.113.0/24) and traffic that no
# version of them stops (198.51.100.0/24): replaced, changed, killed, damaged, and the owner let in.
# It is listed for the whole machine: so no example network, where some machines have their mirror.

bats_require_minimum_version 1.5.0
net=pkbl
load lib
rounds=$([ -n "${PICKET_FULL:-}" ] && echo 1000 || echo 100)
changes=$([ -n "${PICKET_FULL:-}" ] && echo 100000 || echo 10000)
kills=$([ -n "${PICKET_FULL:-}" ] && echo 100 || echo 10)

picket() { "$build/picket" --socket "$run/picket.sock" "$@"; }
answers() { api /v1/lists; }
launch() {
	launch_daemon
	wait_for 20 answers
}

setup() {
	run=$BATS_TEST_TMPDIR
	mkdir -p "$run/state"
	make_net
	write_config "$run/picket.yaml"
	sed -i "s/^netns:.*/netns: {names: [], containers: false}/" "$run/picket.yaml"
	in_client sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.conf.${net}c0.rp_filter=0 || true
	launch
}

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || tail -5 "$run/log"
	kill_children
	"$build/picketd" --config "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	clean_net
	[ ! -e /sys/fs/bpf/$net ]
}

# A list of n entries of its own, always with the listed network.
make_list() { # make_list SEED N
	echo 198.19.113.0/24
	awk -v seed="$1" -v n="$2" 'BEGIN { srand(seed); for (i = 0; i < n; i++)
		printf "%d.%d.%d.%d\n", 20 + rand() * 60, rand() * 256, rand() * 256, rand() * 256 }'
}

begin_traffic() { # begin_traffic SECONDS
	local mac
	mac=$(ip -n ${net}c -j link show ${net}c0 | jq -r '.[0].address')
	nsenter --net=/run/netns/${net}c "$bin/spoof" recv 9999 >"$run/recv" 3>&- &
	receiver=$!
	wait_for 5 grep -q ready "$run/recv"
	nsenter --net=/run/netns/${net}s "$bin/spoof" send ${net}s0 "$mac" $client_ip 9999 "$1" 20000 \
		>"$run/send" 3>&- &
	sender=$!
	others="$sender $receiver"
}

# Not one that is listed came through, and every other did.
end_traffic() {
	kill -TERM $sender # still there: it lasted
	wait $sender || true
	sleep 0.5
	kill -TERM $receiver
	wait $receiver || true
	others=
	cat "$run/send" "$run/recv" >&3
	echo "entries $(dropped), list $(list_counts)" >&3
	read -r _ sent_listed _ sent_benign <"$run/send"
	read -r _ got_listed _ got_benign _ < <(tail -n 1 "$run/recv")
	[ "$sent_listed" -gt 1000 ]
	[ "$got_listed" = 0 ]
	[ "$got_benign" = "$sent_benign" ]
}

# put_lists N FILE...: replaced by each file in turn, N times, over one connection.
put_lists() {
	local n=$1 i file
	shift
	for i in $(seq "$n"); do
		for file; do
			printf 'next\nurl = "http://picket/v1/lists/feed?source=%s"\nupload-file = "%s"\n' "${file##*/}" "$file"
			printf 'unix-socket = "%s"\nfail\nsilent\nshow-error\noutput = "/dev/null"\n' "$run/picket.sock"
			printf 'write-out = "%%{http_code}\\n"\n'
		done
	done | curl -K - >"$run/puts"
	[ "$(grep -c '^200$' "$run/puts")" = $((n * $#)) ]
}

has_feed() { [ "$(dropped)" != null ]; }
is_told() {
	picket events -o json | jq -es 'any(.[]; .disposition == "Blocked" and
		.actor.process.name == "bash" and .unmapped.picket.list == "feed")'
}
# Hits of the listed network, whether it is one entry or many.
dropped() {
	picket list show -n 0 -o json feed | jq -s '[.[] | select(.prefix | startswith("198.19.113.")) | .packets] | add'
}
list_counts() { api /v1/lists | jq -c '.lists[] | select(.name == "feed") | [.in.packets, .out.packets, .calls]'; }

# Each packet once, in its entry and in its list. Calls are judged on the whole machine, not in our
# namespaces alone: who calls somebody in the listed network meanwhile is refused, which is a hit of
# the entry, too. It is no packet of ours, and the list has it apart.
counted_once() {
	local hits came went calls
	hits=$(dropped)
	IFS=, read -r came went calls < <(list_counts | tr -d '[]')
	[ "$came" = "$sent_listed" ] && [ "$went" = 0 ] && [ $((hits - calls)) = "$sent_listed" ]
}
# Again, as such a call may come between the two questions.
is_exact() { wait_for 5 counted_once; }

@test "replaced and changed under traffic: nothing listed comes through, nothing else is lost" {
	make_list 1 2000 >"$run/a"
	make_list 2 2000 >"$run/b"
	picket list load "$run/a" --name feed
	begin_traffic 3600
	put_lists $((rounds / 2)) "$run/b" "$run/a"
	for i in $(seq $((changes / 400))); do
		targets=$(awk -v i="$i" 'BEGIN { for (k = 0; k < 200; k++)
			printf "%d.%d.%d.%d ", 100 + i % 20, i / 20, i % 250, k }')
		picket block --list feed $targets >/dev/null
		picket unblock --list feed $targets >/dev/null
	done
	end_traffic
	is_exact
}

@test "killed again and again under traffic: the same, and counters never go back" {
	make_list 1 2000 >"$run/a"
	picket list load "$run/a" --name feed
	begin_traffic 3600
	last=0
	for i in $(seq $kills); do
		kill -KILL $daemon
		wait $daemon || true
		sleep 0.2
		launch
		wait_for 20 has_feed
		n=$(dropped)
		echo "kill $i: $last -> $n" >>"$run/counts"
		[ "$n" -ge "$last" ]
		last=$n
	done
	end_traffic
	is_exact
}

# 256 of them are where the traffic comes from.
make_hosts() { # make_hosts SEED N
	make_list "$@" | sed 1d
	seq -f 198.19.113.%g 0 255
}
have_table() { [ "$(api /v1/lists | jq .memory.hosts)" -gt 9000 ]; }

@test "many hosts, each an entry: replaced, changed, killed, each packet is counted once" {
	make_hosts 1 10000 >"$run/a"
	make_hosts 2 11000 >"$run/b"
	picket list load "$run/a" --name feed
	wait_for 20 have_table
	begin_traffic 3600
	put_lists $((rounds / 20)) "$run/b" "$run/a"
	for i in $(seq $((kills / 2))); do
		targets=$(seq -f 100.$i.0.%g 0 199)
		picket block --list feed $targets >/dev/null
		picket unblock --list feed $targets >/dev/null
		wait_for 20 have_table
		kill -KILL $daemon
		wait $daemon || true
		launch
	done
	wait_for 20 have_table
	end_traffic
	is_exact
}

@test "of two who change the same list the later one is told, and nothing is lost" {
	printf '100.99.0.1\n' >"$run/a"
	printf '100.99.0.2\n' >"$run/b"
	picket list load "$run/a" --name shared
	tag=$(picket list diff "$run/b" --name shared 2>&1 >/dev/null | sed -n 's/.*--if-match \([^ ]*\).*/\1/p')
	[ -n "$tag" ]
	picket list show shared | grep -qx "  tag $tag"
	picket block --list shared 100.99.0.3
	run ! picket list load "$run/b" --name shared --if-match "$tag"
	[[ $output == *"not the one of If-Match any more"* ]]
	run ! picket list rm shared --if-match "$tag"
	run ! picket list mode shared off --if-match "$tag"
	for act in push remove mode; do
		grep -q "audit: list $act shared by root[^:]*: precondition" "$run/log" || {
			grep audit: "$run/log"
			false
		}
	done
	[ "$(picket list export shared | grep -c '^100')" = 2 ]
	picket list load "$run/b" --name shared --if-match "$(picket list show shared | sed -n 's/^  tag //p')"
	picket list rm shared --if-match "$(picket list show shared | sed -n 's/^  tag //p')"
	run -2 picket list load "$run/b" --name shared --if-match 'a b'
}

@test "a call to a listed address is refused at once, and the record says whose it was" {
	printf '10.97.0.2\n' >"$run/a"
	picket list load "$run/a" --name feed
	run ! in_client ping -c 1 -W 1 $server_ip
	run in_client bash -c "exec 3<>/dev/tcp/$server_ip/80"
	[[ $output == *"Operation not permitted"* ]]
	wait_for 5 is_told
	picket list mode feed observe
	in_client ping -c 1 -W 1 $server_ip
	[ "$(api /v1/lists | jq '.lists[0].seen.packets')" -gt 0 ]
	picket list show feed | grep 'observed: .* packets and calls,'
	picket list rm feed
	in_client ping -c 1 -W 1 $server_ip
}

is_there() { api "/v1/lists/$1"; }
list_came() { api /v1/lists | jq --arg name "$1" '.lists[] | select(.name == $name) | .in.packets'; }

@test "a list counts from nothing, whose place it takes, and goes on after a restart" {
	echo 10.97.0.2 >"$run/a"
	picket list load "$run/a" --name old
	in_server ping -c 3 -i 0.1 -W 0.1 $client_ip || true
	[ "$(list_came old)" = 3 ]
	picket list rm old
	picket list load "$run/a" --name new
	[ "$(list_came new)" = 0 ]
	in_server ping -c 2 -i 0.1 -W 0.1 $client_ip || true
	[ "$(list_came new)" = 2 ]
	kill -KILL $daemon
	wait $daemon || true
	launch
	wait_for 20 is_there new
	[ "$(list_came new)" = 2 ]
}

restart_killed() {
	kill -KILL $daemon
	wait $daemon || true
	launch
}

@test "what was answered holds, although the agent is killed at once" {
	local tmp=$run turn
	printf '10.97.0.2\n198.19.113.1\nevil.example\n' >"$run/a"
	picket list load "$run/a" --name feed --format picket
	for turn in 1 2 3; do
		picket unblock --list feed 10.97.0.2
		restart_killed
		in_client ping -c 1 -W 1 $server_ip
		picket block --list feed --reason "again $turn" 10.97.0.2
		restart_killed
		run ! in_client ping -c 1 -W 1 $server_ip
		run=$tmp
		wait_for 5 exports feed "reason=.again $turn"
	done
	picket unblock --list feed evil.example
	picket block --list new bad.example
	picket list mode feed observe
	restart_killed
	wait_for 5 exports new '^bad.example'
	wait_for 5 exports feed '^198.19.113.1 id='
	run ! exports feed evil.example
	run=$tmp
	in_client ping -c 1 -W 1 $server_ip
	[ "$(api /v1/lists | jq -r '.lists[] | select(.name == "feed") | .mode')" = observe ]
	wait_for 5 all_kept
	echo 198.19.113.2 >"$run/b"
	picket list load "$run/b" --name feed --confirm 60s
	picket list confirm feed
	restart_killed
	wait_for 5 exports feed '^198.19.113.2 id='
	picket list rm new
	restart_killed
	run ! is_there new
	run=$tmp
}
exports() { picket list export "$1" | grep "$2"; }
all_kept() { [ ! -s "$run/state/lists/changes.0" ] && [ ! -s "$run/state/lists/changes.1" ]; }

# A session of an administrator: says a word over it and hears it again.
begin_session() {
	in_client socat TCP-LISTEN:2222,bind=$client_ip,reuseaddr EXEC:cat 3>&- &
	others="$!"
	wait_for 5 sh -c "nsenter --net=/run/netns/${net}c ss -Hltn sport = 2222 | grep -q LISTEN"
	coproc SESSION { nsenter --net=/run/netns/${net}s socat STDIO TCP:$client_ip:2222,bind=10.97.0.77 3>&-; }
	others="$others $SESSION_PID"
}
session_lives() {
	local heard
	echo "$1" >&"${SESSION[1]}"
	read -r -t 5 -u "${SESSION[0]}" heard
	[ "$heard" = "$1" ]
}
is_safe() { api /v1/lists | jq -e --arg p "$1" --arg w "$2" 'any(.safe[]; .prefix == $p and any(.why[]; . == $w))'; }

@test "the owner is not locked out: gateway, resolver, session, everything" {
	local resolver target tmp=$run
	ip -n ${net}s addr add 10.97.0.77/24 dev ${net}s0
	begin_session
	session_lives before
	ip -n ${net}c route add default via $server_ip
	wait_for 5 is_safe $server_ip "default gateway"
	export SSH_CONNECTION="10.97.0.77 5000 10.97.0.1 2222"
	picket list ls >/dev/null
	wait_for 5 is_safe 10.97.0.77 "admin session"
	resolver=$(api /v1/lists | jq -r 'first(.safe[] | select(any(.why[]; . == "resolver")) | .prefix)')
	for target in $server_ip $client_ip 10.97.0.77 10.97.0.0/24 0.0.0.0/0 ::/0 0.0.0.0/1 127.0.0.1 $resolver; do
		run ! "$build/picket" --socket "$tmp/picket.sock" block "$target"
		echo "$target: $output" >&3
		[[ $output == *refused* ]]
		echo "$target" >"$tmp/own"
		run ! "$build/picket" --socket "$tmp/picket.sock" list load "$tmp/own" --name own
		[[ $output == *"nothing has changed"* ]]
	done
	run ! "$build/picket" --socket "$tmp/picket.sock" block 10.97.0.77
	[[ $output == *"admin session"* ]]
	run=$tmp
	session_lives after
	# nor by what was listed before he came: the kernel itself asks the safe set
	ip -n ${net}s addr add 10.97.0.78/24 dev ${net}s0
	picket block 10.97.0.78
	run ! in_client ping -c 1 -W 1 10.97.0.78
	run=$tmp
	SSH_CONNECTION="10.97.0.78 5000 10.97.0.1 22" picket list ls
	wait_for 5 is_safe 10.97.0.78 "admin session"
	in_client ping -c 1 -W 1 10.97.0.78
}

@test "an entry ends within a second of its time; what is not confirmed goes back" {
	picket block 10.97.0.2 --ttl 2s
	tmp=$run
	run ! in_client ping -c 1 -W 1 $server_ip
	run=$tmp
	sleep 2.2
	in_client ping -c 1 -W 1 $server_ip
	make_list 1 10 >"$run/a"
	picket list load "$run/a" --name feed
	echo 10.97.0.2 >"$run/b"
	picket list load "$run/b" --name feed --confirm 2s
	run ! in_client ping -c 1 -W 1 $server_ip
	run=$tmp
	sleep 2.5
	in_client ping -c 1 -W 1 $server_ip
	[ "$(api /v1/lists | jq '.lists[] | select(.name == "feed") | .entries')" = 11 ]
}

@test "a bad line is told, and the running list stays" {
	make_list 1 10 >"$run/a"
	picket list load "$run/a" --name feed
	printf '192.0.2.1\n1.2.3.256\n' >"$run/bad"
	tmp=$run
	run ! "$build/picket" --socket "$tmp/picket.sock" list load "$tmp/bad" --name feed
	echo "$output" >&3
	[[ $output == *"bad:2"* ]]
	run=$tmp
	[ "$(api /v1/lists | jq '.lists[0].entries')" = 11 ]
}

@test "what only the kernel still has is in force, and dated" {
	echo 10.97.0.2 >"$run/a"
	picket list load "$run/a" --name feed
	kill -KILL $daemon
	wait $daemon || true
	rm -rf "$run/state/lists"
	launch
	tmp=$run
	run ! in_client ping -c 1 -W 1 $server_ip
	run=$tmp
	api /v1/lists | jq -e 'any(.lists[]; (.name | startswith("recovered-")) and
		.entries == 1 and .created > 1.6e12 and .changed > 1.6e12)'
}

@test "after a reboot the last good list is in force, also when its file is damaged" {
	printf '10.97.0.2\n' >"$run/a"
	printf '10.97.0.2\n192.0.2.9\n' >"$run/b"
	picket list load "$run/a" --name feed
	picket list load "$run/b" --name feed
	for fault in none cut flip; do
		stop_daemon
		"$build/picketd" --config "$run/picket.yaml" --detach >/dev/null
		in_client ping -c 1 -W 1 $server_ip
		case $fault in
		cut) truncate -s -20 "$run/state/lists/feed.list" ;;
		flip) cp "$run/state/lists/feed.list.prev" "$run/keep" 2>/dev/null || true
			printf 'X' | dd of="$run/state/lists/feed.list" bs=1 seek=30 conv=notrunc status=none ;;
		esac
		launch
		tmp=$run
		run ! in_client ping -c 1 -W 1 $server_ip
		run=$tmp
		if [ $fault != none ]; then
			api /v1/status | jq -e '.notices[] | select(.text | test("damaged"))'
		fi
	done
}
