#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Responses for real: a miner is blocked, stopped, proven so and kept as evidence, and all of it is
# taken back; and an address in forged packets is never blocked, whoever asks. Only the client's
# namespace is watched, so the server is a stranger.

bats_require_minimum_version 1.5.0
net=pkrs playbooks=/tmp/pkrs-playbooks
load lib

own_config() { # own_config ENABLED
	write_config "$run/picket.yaml"
	sed -i '/^netns:/d' "$run/picket.yaml"
	{
		echo "netns: {containers: false}"
		echo "detect: {off: [$(all_but miner)]}"
		echo "respond: {enabled: [$1], playbooks: $playbooks}"
	} >>"$run/picket.yaml"
}

# Only the client's end is covered.
is_covered() {
	api /v1/status | jq -e '[.coverage[] | select(.iface == "pkrsc0" and .egress != "none")] | length == 1'
}

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	# a pool: answers each line, and goes on sending
	cat >"$run/pool.py" <<-'PY'
		import socket, sys, threading, time
		def serve(c):
		    try:
		        while c.recv(4096):
		            c.sendall(b'{"id":1,"result":true,"error":null}\n')
		    except OSError:
		        pass
		l = socket.create_server((sys.argv[1], 3333))
		while True:
		    threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
	PY
	cat >"$run/miner.py" <<-'PY'
		import socket, sys, time
		def begin():
		    s = socket.create_connection((sys.argv[1], 3333), timeout=5)
		    s.sendall(b'{"id":1,"method":"mining.subscribe","params":["x/1.0"]}\n')
		    return s
		s = begin()
		while True:
		    time.sleep(0.1)
		    try:
		        s.sendall(b'{"id":2,"method":"mining.submit","params":[]}\n')
		        s.recv(4096)
		    except OSError: # blocked or broken off: tries again, as miners do
		        try:
		            s = begin()
		        except OSError:
		            pass
	PY
	in_server python3 "$run/pool.py" $server_ip 3>&- &
	export others=$!
	mkdir -p $playbooks
	cp user/share/playbooks/*.json $playbooks
	jq '.id = "playbook--0b0c51e6-9a3b-4d3e-8f4e-6a4f5d3c2b1a" |
		(.workflow[] | select(.commands[0].command == "picket isolate --ttl 30m")).commands[0].command =
		"picket suspend __pid__:value --ttl 10s" |
		.agent_definitions["individual--5018c5a3-91f3-46af-94ff-2f9d15565fb4"] = {type: "individual", name: "the night shift"} |
		(.workflow | to_entries[] | select(.value.type == "end").key) as $last |
		"action--7b0c51e6-9a3b-4d3e-8f4e-6a4f5d3c2b1a" as $ask |
		.workflow |= with_entries(if .value.on_completion == $last then .value.on_completion = $ask else . end) |
		.workflow[$ask] = {type: "action", name: "Reimage", on_completion: $last, timeout: 3600000,
			agent: "individual--5018c5a3-91f3-46af-94ff-2f9d15565fb4",
			commands: [{type: "manual", command: "Reimage the host."}]}' user/share/playbooks/isolate.json >$playbooks/pause.json
	own_config "block, suspend, snapshot"
	start_daemon
	export daemon
}

teardown_file() {
	kill_children
	in_client "$build/picketd" --config "$run/picket.yaml" --detach
	clean_net
	rm -rf $playbooks
}

incident() { api "/v1/incidents/$1"; }
has_incident() { api /v1/incidents | jq -e '.incidents | length > 0'; }
is_contained() { incident 1 | jq -e '.unmapped.picket.state == "contained"'; }
acts() { incident 1 | jq -r '.unmapped.picket.acts[] | "\(.result) \(.what) | \(.why // "")"'; }
state_of() { sed 's/.*) //' "/proc/$1/stat" | cut -c1; }

@test "a miner is blocked, stopped, and proven so" {
	# its parents end at once: what is stopped must not be this test
	setsid -f nsenter --net=/run/netns/pkrsc python3 "$run/miner.py" $server_ip 3>&- 2>/dev/null
	wait_for 20 has_incident
	wait_for 20 is_contained || { acts; api "/v1/check?ip=$server_ip"; false; }
	acts
	pid=$(incident 1 | jq .unmapped.picket.suspect.pid)
	[ "$(state_of "$pid")" = T ]
	api "/v1/check?ip=$server_ip" | jq -e '.verdict == "drop" and .entry.list == "auto" and .entry.packets > 0'
	incident 1 | jq -e '.unmapped.picket | [.acts[] | select(.result == "done") | .what] |
		any(startswith("block 10.97.0.2")) and any(startswith("suspend pid")) and any(startswith("verify"))'
	incident 1 | jq -e '.unmapped.picket.times.contained - .unmapped.picket.times.detected < 10000'
}

@test "evidence is a bag that sha256sum checks" {
	uid=$(incident 1 | jq -r .metadata.uid)
	is_kept() { acts | grep -q '^done snapshot'; }
	wait_for 20 is_kept || { acts; false; }
	cd "$run/state/evidence/$uid"
	cat bag-info.txt
	sha256sum -c manifest-sha256.txt
	[ "$(wc -l <manifest-sha256.txt)" = "$(find data -type f | wc -l)" ]
	cmp data/exe "$(readlink -f "$(python3 -c "import sys; print(sys.executable)")")"
	grep -q socket: data/fds.txt
	tcpdump -r data/packets.pcapng -nn 2>/dev/null | grep -q '10.97.0.2.3333'
}

waits() { incident 1 | jq -r '.unmapped.picket.waits[] | select(.result_id == null) | "\(.whom): \(.text)"'; }
asked() { waits | grep -qF "$1"; }

@test "a playbook waits for a person, and goes on when he did it" {
	export PICKET_SOCKET=$run/picket.sock
	wait_for 20 asked "who is on call: Find what started it" || { acts; false; }
	picket incident show 1 | tee "$run/show"
	grep -q 'its playbook waits for who is on call until ' "$run/show"
	grep -q 'then: picket incident done 1 --reason TEXT' "$run/show"
	picket playbook dry-run --incident 1 miner | grep -q 'waits until that is done or skipped, at most 4h'
	picket playbook check user/share/playbooks/miner.json | grep -q 'a person (who is on call): Find what'
	api /v1/playbooks | jq -e '.counts.waiting == 1 and .counts.active == 0'
	# who and why are required, and only what waits can be done
	run -2 picket incident done 1
	[[ $output == *reason* ]]
	run -1 picket incident done --step 999 --reason x 1
	[[ $output == *"no step of this number waits"* ]]
	run -2 picket incident done --step one --reason x 1
	picket incident done --reason 'it came by a mail; both are gone' 1
	[ -z "$(waits)" ]
	incident 1 | jq -e '[.unmapped.picket.acts[] | select(.what | startswith("Find what started it"))] |
		map(.result) == ["advised", "done"] and (.[1].why == "it came by a mail; both are gone") and (.[1].who | contains("uid 0"))'
	in_chain() { sqlite3 "$run/state/store/store.db" ".timeout 5000" \
		"SELECT record FROM chain WHERE record LIKE '%Find what started it%'" | grep -q '"actor":"[^"]*uid 0'; }
	wait_for 10 in_chain
	run -1 picket incident skip --reason again 1
	[[ $output == *"no step of it waits for a person"* ]]
}

@test "somebody takes it back, with a reason" {
	pid=$(incident 1 | jq .unmapped.picket.suspect.pid)
	PICKET_SOCKET=$run/picket.sock
	export PICKET_SOCKET
	! picket incident revert 1 || false
	picket incident revert --reason 'it is a test' 1
	goes_on() { [ "$(state_of "$pid")" != T ]; }
	wait_for 5 goes_on
	api "/v1/check?ip=$server_ip" | jq -e '.verdict != "drop"'
	acts | grep -q '^done resume pid'
	# and it is not done again by itself
	sleep 2
	[ "$(state_of "$pid")" != T ]
}

# how often a process was stopped, says an incident on standard input
stops() { jq '[.unmapped.picket.acts[] | select((.what | startswith("suspend")) and .result == "done")] | length'; }
on_disk() { sqlite3 "$run/state/store/store.db" ".timeout 5000" "SELECT json FROM object WHERE uid LIKE 'inc-%-1'"; }
stopped() { [ "$(incident 1 | stops)" = "$1" ]; }
kept() { [ "$(on_disk | stops)" = "$1" ]; }
did() { acts | grep -q "^done $1"; }
is_stopped() { [ "$(state_of "$1")" = T ]; }

@test "a stopped process goes on by itself, also when the agent was killed meanwhile" {
	export PICKET_SOCKET=$run/picket.sock
	pid=$(incident 1 | jq .unmapped.picket.suspect.pid)
	before=$(incident 1 | stops)
	picket incident contain --playbook pause --reason 'for a moment' 1 2>&1 | tee "$run/contain"
	! grep 'not on the disk' "$run/contain" || false
	wait_for 5 is_stopped "$pid" || { acts; false; }
	picket incident show 1 | grep "in force: suspend pid $pid until "
	wait_for 10 stopped $((before + 1)) || { acts; false; }
	wait_for 10 kept $((before + 1)) || { acts; on_disk | jq -c .unmapped.picket.acts; false; }
	kill -KILL $daemon $(pgrep -P $daemon)
	wait_for 10 is_gone $daemon
	is_stopped "$pid"
	launch_daemon
	wait_for 30 asked "the night shift: Reimage the host." || { acts; false; }
	wait_for 30 did "end of suspend pid $pid" || { acts; false; }
	! is_stopped "$pid" || { acts; grep " by a response" "$run/log"; false; }
	# it mines on: that is the same attack, and what was decided about it counts
	sleep 2
	api /v1/incidents | jq -e '.incidents | length == 1'
	! is_stopped "$pid" || { acts; false; }
	picket incident show 1 | grep -q 'waits for the night shift'
	picket incident skip --reason 'nobody is there at night' 1
	acts | grep -q '^refused Reimage the host. | nobody is there at night'
	[ -z "$(waits)" ]
	kill -9 "$pid"
	picket incident close --verdict test --reason 'it was one' 1
	incident 1 | jq -e '.unmapped.picket.state == "drill"'
}

@test "an address in forged packets is never blocked, not even by a person" {
	cat >"$run/forge.py" <<-'PY'
		import socket, struct, sys
		def sum16(b):
		    if len(b) % 2: b += b'\0'
		    s = sum(struct.unpack('!%dH' % (len(b) // 2), b))
		    while s >> 16: s = (s & 0xffff) + (s >> 16)
		    return ~s & 0xffff
		def tcp(src, dst, sp, dp, flags, seq, ack, data=b''):
		    s, d = socket.inet_aton(src), socket.inet_aton(dst)
		    h = struct.pack('!HHIIBBHHH', sp, dp, seq, ack, 5 << 4, flags, 8192, 0, 0)
		    c = sum16(s + d + struct.pack('!BBH', 0, 6, len(h) + len(data)) + h + data)
		    h = h[:16] + struct.pack('!H', c) + h[18:]
		    i = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(h) + len(data), 1, 0, 64, 6, 0, s, d)
		    return i[:10] + struct.pack('!H', sum16(i)) + i[12:] + h + data
		out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
		victim, us = sys.argv[1], sys.argv[2]
		line = b'{"id":1,"method":"mining.subscribe","params":["x/1.0"]}\n'
		for port in range(40000, 40020):
		    out.sendto(tcp(victim, us, port, 3333, 2, 1000, 0), (us, 0))          # SYN
		    out.sendto(tcp(victim, us, port, 3333, 16, 1001, 7), (us, 0))         # ACK, guessed
		    out.sendto(tcp(victim, us, port, 3333, 24, 1001, 7, line), (us, 0))   # and data
	PY
	victim=10.97.0.77
	ip -n pkrss addr add $victim/24 dev pkrss0
	in_client python3 "$run/pool.py" $client_ip 3>&- &
	others="$others $!"
	sleep 1
	in_server python3 "$run/forge.py" $victim $client_ip
	sleep 4
	api "/v1/check?ip=$victim" | jq -e '.verdict == "pass"'
	# a person who believes it: still not
	for i in $(api "/v1/incidents" | jq -r '.incidents[].unmapped.picket.number'); do
		api "/v1/incidents/$i" | jq -c '[.unmapped.picket.remotes, .desc]'
		curl -sS --unix-socket "$run/picket.sock" -d '{"reason":"I believe it","playbook":"miner"}' \
			"http://picket/v1/incidents/$i/contain" >/dev/null
	done
	sleep 5
	api "/v1/check?ip=$victim" | jq -e '.verdict == "pass"'
	api "/v1/lists/auto" | jq -e --arg v "$victim" '[.entries[]? | select(.prefix == $v)] | length == 0' ||
		! api "/v1/lists/auto" >/dev/null
}
