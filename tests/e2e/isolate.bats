#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A host is isolated: all but the way to those who manage it is cut, both ways, also what is open. It
# ends when a person says so, and by itself, also when nobody is there any more to end it. And one
# connection is cut, and no other. Only the client's namespace is watched.

net=pkis playbooks=/tmp/pkis-playbooks
load lib

# All at the other end of the wire; what they are is in the configuration, and so for the agent.
stranger=$server_ip stranger6=$server_ip6 manager=10.97.0.3 resolver=10.97.0.4 admin=10.97.0.5 gateway=10.97.0.6

own_config() {
	write_config "$run/picket.yaml"
	sed -i '/^netns:/d' "$run/picket.yaml"
	{
		echo "netns: {containers: false}"
		echo "block: {management: [$manager/32]}"
		echo "detect: {off: [$(all_but miner)]}"
		echo "respond: {playbooks: $playbooks}"
	} >>"$run/picket.yaml"
}

is_covered() {
	api /v1/status | jq -e '[.coverage[] | select(.iface == "pkisc0" and .egress != "none")] | length == 1'
}

# one playbook of two steps, and a way to say what the first one does
write_playbook() { # write_playbook NAME COMMAND
	jq --arg c "$2" --arg id "playbook--$(cat /proc/sys/kernel/random/uuid)" \
		'.id = $id | (.workflow[] | select(.commands[0].command | strings | startswith("picket isolate"))).commands[0].command = $c' \
		user/share/playbooks/isolate.json >$playbooks/$1.json
}

# The agent with a resolver of its own.
launch_daemon() {
	nsenter --net="/run/netns/${net}c" unshare -m sh -c 'mount --bind "$1/resolv.conf" /etc/resolv.conf &&
		exec "$2" --config "$1/picket.yaml"' - "$run" "$build/picketd" >>"$run/log" 2>&1 3>&- &
	daemon=$!
	echo $daemon >"$run/daemon"
}

setup_file() {
	export run=$BATS_FILE_TMPDIR PICKET_SOCKET=$BATS_FILE_TMPDIR/picket.sock addr
	make_net
	for addr in $manager $resolver $admin $gateway; do
		ip -n ${net}s addr add $addr/24 dev ${net}s0
	done
	ip -n ${net}c route add default via $gateway
	mkdir -p $playbooks
	write_playbook isolate "picket isolate --ttl 30m"
	write_playbook short "picket isolate --ttl 12s"
	write_playbook cut "picket cut __remote__:value"
	echo "nameserver $resolver" >"$run/resolv.conf"
	nsenter --net="/run/netns/${net}s" dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --user=root \
		--listen-address=$resolver --bind-interfaces --address=/example/192.0.2.1 >"$run/dnsmasq.log" 2>&1 3>&- &
	# whoever connects hears each of its lines again, at both ends of the wire; when the other side is
	# silent for 3 s, the connection is given up
	cat >"$run/echo.py" <<-'PY'
		import socket, sys, threading
		def serve(c):
		    for what, value in (socket.TCP_USER_TIMEOUT, 3000), (socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1):
		        c.setsockopt(socket.IPPROTO_TCP, what, value)
		    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
		    try:
		        while (d := c.recv(4096)): c.sendall(d)
		    except OSError: pass
		    c.close()
		l = socket.create_server(('::', int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
		while True: threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
	PY
	in_server python3 "$run/echo.py" 3333 3>&- &
	in_client python3 "$run/echo.py" 4444 3>&- &
	# says a word ten times a second and counts the answers, until the connection is given up
	cat >"$run/talk.py" <<-'PY'
		import socket, sys, time
		s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
		s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 3000)
		line = sys.argv[4].encode() + b'\n'
		n = 0
		try:
		    while True:
		        s.sendall(line); s.recv(4096); n += 1
		        open(sys.argv[3], 'a').write(f'{n} {s.getsockname()[1]}\n'); time.sleep(0.1)
		except OSError as e:
		    open(sys.argv[3] + '.end', 'w').write(f'{e}\n')
	PY
	own_config
	start_daemon
	export daemon
	wait_for 10 is_open
	# something to have an incident about
	talk miner $stranger 3333 '{"id":1,"method":"mining.subscribe","params":["x/1.0"]}'
	wait_for 20 has_incident
}

teardown_file() {
	kill_children
	in_client "$build/picketd" --config "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	clean_net
	rm -rf $playbooks
}

# talk NAME ADDRESS PORT [WORD]: an open connection from the host
talk() {
	rm -f "$run/$1" "$run/$1.end"
	setsid -f nsenter --net=/run/netns/${net}c python3 "$run/talk.py" "$2" "$3" "$run/$1" "${4:-hello}" 3>&- >"$run/$1.log" 2>&1
	wait_for 5 test -s "$run/$1" || { cat "$run/$1.log"; in_server ss -Hltn; false; }
}
heard() { wc -l <"$run/$1"; }
goes_on() { # goes_on NAME: more was heard meanwhile
	local n
	n=$(heard "$1")
	wait_for 3 eval "[ \$(heard $1) -gt $n ]"
}
has_incident() { api /v1/incidents | jq -e '.incidents | length > 0'; }
acts() { api /v1/incidents/1 | jq -r '.unmapped.picket.acts[] | "\(.result) \(.what) | \(.who) | \(.why // "")"'; }
did() { acts | grep -q "^done $1"; }
undone() { api /v1/incidents/1 | jq -e '[.unmapped.picket.acts[] | select(.undo == "rejoin")] == []'; }

# reaches ADDRESS PORT: a new connection from the host that carries something
reaches() {
	[ "$(in_client timeout 1 bash -c 'exec 9<>"/dev/tcp/$1/$2" && echo word >&9 && read -r w <&9 && echo "$w"' - "$1" "$2" 2>/dev/null)" = word ]
}
# from ADDRESS: the same, from there to the host
from() {
	[ "$(in_server timeout 1 socat -t1 - "TCP:$client_ip:4444,bind=$1" <<<word 2>/dev/null)" = word ]
}
as_admin() { SSH_CONNECTION="$admin 5000 $client_ip 22" picket "$@"; }
is_open() { reaches $stranger 3333 && reaches $stranger6 3333 && from $stranger; }
is_isolated() {
	! reaches $stranger 3333 && ! reaches $stranger6 3333 && ! from $stranger &&
		! in_client ping -c 1 -W 1 -q $stranger >/dev/null 2>&1 &&
		! in_server ping -c 1 -W 1 -q fd97::1 >/dev/null 2>&1
}
managers_reach_it() {
	reaches $manager 3333 && from $manager && from $admin && from $gateway &&
		[ "$(in_client dig +short +tries=1 +time=2 @$resolver www.example)" = 192.0.2.1 ] && reaches 127.0.0.1 4444
}
# so many isolations are with the incident on disk
kept() {
	sqlite3 "$run/state/store/store.db" ".timeout 5000" \
		"SELECT json FROM object WHERE uid LIKE 'inc-%' AND uid NOT LIKE '%-act-%'" |
		jq -e --argjson n "$1" '[.unmapped.picket.acts[] | select(.what == "isolate this host")] | length == $n'
}
dropped() { api /v1/lists | jq '.lists[] | select(.name == "isolate") | .in.packets + .out.packets'; }

packets_cut() { api /v1/status | jq '[.packets.hooks[].refused.cut] | add'; }
is_over() { ! in_server ss -Htn state established "dport = :$1" | grep -q .; }

@test "isolated: strangers are cut off, also where they were connected; who manages it is not" {
	is_open
	talk open $stranger 3333
	talk managed $manager 3333
	as_admin list ls >/dev/null 2>&1
	goes_on open
	as_admin incident contain --playbook isolate --reason 'it spreads' 1
	wait_for 10 did 'isolate this host' || { acts; cat "$run/log"; false; }
	is_isolated
	managers_reach_it
	# the open one is over, at this end and at the other; the manager's goes on
	wait_for 15 test -s "$run/open.end"
	cat "$run/open.end"
	goes_on managed
	[ "$(dropped)" -gt 0 ]
	acts | grep '^done isolate this host | root (uid 0'
	api /v1/incidents/1 | jq -e '.unmapped.picket.acts[] | select(.undo == "rejoin") | .until - .time | . > 1790000 and . < 1810000'
}

@test "a person ends it, with a reason" {
	! as_admin incident revert 1 # without one || false
	is_isolated
	as_admin incident revert --reason 'it was cleaned' 1
	wait_for 5 is_open
	acts | grep '^done rejoin this host | root (uid 0.* it was cleaned'
	undone
}

@test "it ends by itself, also without an agent; the next one tells so" {
	as_admin incident contain --playbook short --reason 'for a moment' 1
	wait_for 10 kept 2
	kill -KILL "$daemon" $(pgrep -P "$daemon")
	wait "$daemon" 2>/dev/null || true
	is_isolated
	managers_reach_it
	wait_for 20 is_open
	launch_daemon
	wait_for 20 is_covered
	is_open
	wait_for 5 did 'end of isolate this host' || { acts; false; }
	undone
}

@test "one connection is cut, and no other" {
	# the incident's remote is the stranger: its connections go, new ones may come
	talk cut $stranger 3333
	talk spared $manager 3333
	port=$(head -n 1 "$run/cut" | cut -d' ' -f2)
	wait_for 10 eval "api '/v1/flows?filter=port%20$port' | jq -e '.flows | length > 0'"
	before=$(packets_cut)
	as_admin incident contain --playbook cut --reason 'its channel' 1
	wait_for 10 did 'cut 10.97.0.2' || { acts; false; }
	wait_for 15 test -s "$run/cut.end"
	# nothing came through since, and what was tried is counted
	[ "$(packets_cut)" -gt "$before" ]
	# nor is it open at the other end, which gave up as well
	wait_for 15 is_over "$port"
	goes_on spared
	reaches $stranger 3333
}
