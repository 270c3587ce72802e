#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Real programs ask, connect and greet; each flow shows the name, SNI and fingerprints of what it
# carries, and contradictions are said.

net=pknm
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	mkdir -p "/etc/netns/${net}c"
	echo "nameserver $server_ip" >"/etc/netns/${net}c/resolv.conf"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj /CN=names.test -keyout "$run/key" -out "$run/cert" 2>/dev/null
	mkdir -p "$run/www" /run/sshd
	echo hello >"$run/www/index.html"
	ssh-keygen -q -t ed25519 -N '' -f "$run/hostkey"
	write_config "$run/picket.yaml"
	start_daemon
	export daemon
	serve dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --user=root \
		--listen-address=$server_ip --bind-interfaces --address=/names.test/$server_ip \
		--cname=alias.test,www.names.test --host-record=www.names.test,$server_ip,60
	serve python3 -m http.server 8080 --bind $server_ip --directory "$run/www"
	serve nghttpd -d "$run/www" 8443 "$run/key" "$run/cert"
	serve /usr/sbin/sshd -D -f /dev/null -p 2222 -h "$run/hostkey" -o PidFile=none
	if command -v gtlsserver >/dev/null; then
		serve gtlsserver -q -d "$run/www" "$server_ip" 4433 "$run/key" "$run/cert"
	fi
	wait_for 10 in_client nc -z $server_ip 8443
	wait_for 10 in_client nc -z $server_ip 2222
	wait_for 10 in_client nc -z $server_ip 8080
	wait_for 10 in_client dig +tries=1 +time=1 @$server_ip ready.names.test
}

# Not through a function of lib: clean_net ends whatever runs in the namespaces.
serve() {
	nsenter --net="/run/netns/${net}s" "$@" >>"$run/servers.log" 2>&1 3>&- &
}

teardown_file() {
	kill_children
	clean_net
	rm -rf "/etc/netns/${net}c"
}

as_client() { ip netns exec "${net}c" "$@"; } # with that namespace's resolver
# flow_with PORT JQ: some flow from the client's end of this port satisfies it.
flow_with() {
	api "/v1/flows?state=all&filter=iface%20${net}c0%20and%20port%20$1" |
		jq -e ".flows | any(.[]; $2)" >"$run/last" || {
		api "/v1/flows?state=all&filter=iface%20${net}c0%20and%20port%20$1" >"$run/flows"
		return 1
	}
}
# dns_with JQ: some transaction satisfies it.
dns_with() { api /v1/dns | jq -e ".dns | any(.[]; $1)"; }

@test "a lookup is a record with its answer and the process that asked" {
	as_client dig +short www.names.test @$server_ip
	wait_for 10 dns_with '.class_uid == 4003 and .query.hostname == "www.names.test" and
		.query.type == "A" and .rcode == "NoError" and .answers[0].rdata == "10.97.0.2" and
		.answers[0].ttl == 60 and .actor.process.name == "dig" and .unmapped.picket.believed'
}

@test "a name that does not exist, and one over TCP" {
	as_client dig +short nothing.invalid @$server_ip || true
	as_client dig +tcp +short tcp.names.test @$server_ip
	wait_for 10 dns_with '.query.hostname == "nothing.invalid" and .rcode_id != 0 and .status_id == 2'
	wait_for 10 dns_with '.query.hostname == "tcp.names.test" and .connection_info.protocol_num == 6 and
		.answers[0].rdata == "10.97.0.2"'
}

@test "curl, HTTP/1: Host, status, and the name the address was resolved from" {
	as_client curl -s -A names-test/1 http://www.names.test:8080/index.html?secret=1
	wait_for 10 flow_with 8080 '.app_name == "http" and .http_request.http_method == "GET" and
		.http_request.url.hostname == "www.names.test" and .http_request.url.path == "/index.html" and
		.http_request.user_agent == "names-test/1" and .http_response.code == 200 and
		.dst_endpoint.hostname == "www.names.test" and .actor.process.name == "curl" and
		.unmapped.picket.name_conflict == null'
}

@test "curl, HTTP/2: SNI, ALPN, JA4, version and cipher" {
	as_client curl -sk https://www.names.test:8443/
	wait_for 10 flow_with 8443 '.app_name == "tls" and .tls.sni == "www.names.test" and
		.tls.version == "TLS 1.3" and (.tls.cipher | startswith("TLS_")) and
		(.ja4_fingerprint_list[0].value | test("^t13d[0-9]{4}h2_[0-9a-f]{12}_[0-9a-f]{12}$")) and
		.unmapped.picket.tls.alpn == ["h2", "http/1.1"] and .unmapped.picket.name_source == "sni" and
		.dst_endpoint.hostname == "www.names.test" and .actor.process.name == "curl"'
}

@test "a ClientHello over 2 KiB in two segments, for a name nobody resolved: a contradiction" {
	as_client ethtool -K "${net}c0" tso off gso off >/dev/null 2>&1 || true
	protos=$(seq -f 'protocol-number-%03g' 1 110 | paste -sd,)
	echo | as_client timeout 10 openssl s_client -connect $server_ip:8443 -servername front.test \
		-alpn "$protos,h2" >/dev/null 2>&1 || true
	wait_for 10 flow_with 8443 '.tls.sni == "front.test" and (.unmapped.picket.tls.alpn | length) > 2 and
		(.ja4_fingerprint_list | length) == 1 and .unmapped.picket.name_conflict == "sni_dns" and
		.actor.process.name == "openssl"'
}

@test "ssh: software and HASSH of both ends" {
	as_client ssh -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null nobody@$server_ip true 2>/dev/null || true
	wait_for 10 flow_with 2222 '.app_name == "ssh" and (.unmapped.picket.ssh |
		(.src.software | startswith("SSH-2.0-OpenSSH")) and (.dst.software | startswith("SSH-2.0-OpenSSH")) and
		(.src.hassh | length) == 32 and (.dst.hassh | length) == 32)'
}

@test "QUIC: SNI, ALPN and JA4 of the Initial" {
	command -v gtlsclient >/dev/null || skip "no QUIC client is packaged here"
	as_client timeout 10 gtlsclient -q --exit-on-all-streams-close www.names.test 4433 \
		https://www.names.test:4433/index.html >/dev/null 2>&1 || true
	wait_for 10 flow_with 4433 '.app_name == "quic" and .tls.sni == "www.names.test" and
		(.ja4_fingerprint_list[0].value | startswith("q13d")) and (.unmapped.picket.tls.alpn[0] | startswith("h3")) and
		.unmapped.picket.tls.quic_version == 1'
}

@test "filters find flows by what they carry, in lists and in what is kept" {
	for f in 'name .names.test' 'sni www.names.test' 'app tls' 'alpn h2' 'ja4 t13d*'; do
		run in_client picket --socket "$run/picket.sock" flows -a -o csv "$f and port 8443"
		[ "$status" -eq 0 ]
		[ "${#lines[@]}" -ge 2 ]
	done
	run in_client picket --socket "$run/picket.sock" flows -a -o csv "app ssh and port 8443"
	[ "${#lines[@]}" -le 1 ]
	api "/v1/dns?filter=name%20tcp.*" | jq -e '.dns | length >= 1 and all(.[]; .query.hostname == "tcp.names.test")'
	# A handshake is written 1.5 to 3 seconds after its hello, see user/api/README.md.
	tls_only() { api "/v1/tls?filter=sni%20$1" | jq -e ".tls | length >= 1 and all(.[]; .tls.sni == \"$1\")"; }
	wait_for 10 tls_only front.test
}

@test "the table shows the name beside the address" {
	in_client picket --socket "$run/picket.sock" flows -a port 8443 | tee "$run/table"
	grep -qE '10\.97\.0\.2:8443 +www\.names\.test +tls' "$run/table"
	grep -qE '10\.97\.0\.2:8443 +front\.test!' "$run/table"
}

@test "a forged answer teaches nothing and is counted" {
	before=$(api /v1/status | jq .names.dns_answers.unsolicited)
	# from a port 53, to a port from where nobody asked: forged.test is 10.97.0.2
	printf '\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x06forged\x04test\x00\x00\x01\x00\x01\x06forged\x04test\x00\x00\x01\x00\x01\x00\x00\x0e\x10\x0a\x61\x00\x02' |
		in_client socat -u - "udp4-sendto:$server_ip:40053,sourceport=53,bind=$client_ip"
	counted() { [ "$(api /v1/status | jq .names.dns_answers.unsolicited)" -gt "$before" ]; }
	wait_for 10 counted
	dns_with '.query.hostname == "forged.test" and (.unmapped.picket.believed | not)'
}

@test "nothing that was read was lost, and the tables say how full they are" {
	api /v1/status | jq -e '.packets.ok and .events.ok and .names.records.lost == 0 and
		([.tables[] | select(.name == "facts" or .name == "addresses" or .name == "tcp_streams") |
			select(.used > 0 or .name == "tcp_streams") | select(.evicted == 0)] | length) == 3'
}
