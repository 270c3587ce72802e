#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `picket hub` on a real cluster: three hosts with their own credentials send alerts, one of them a
# real agent's; what no single one of them sees is found, once, over kills of the hub and of nodes.

net=pknh
load lib
load nats
load postgres

nats_netns=${net}c

setup_file() {
	export run=$BATS_FILE_TMPDIR
	nats_has || return 0
	nats_begin
}

setup() {
	nats_has || skip "no nats-server"
	rm -rf "$run/state" "$run"/hub.*
	nats_as admin empty "$nats_stream"
}
teardown() {
	kill_hub
	[ ! -d "$run/pg" ] || pg_kill
	kill_children
}
teardown_file() {
	nats_has || return 0
	nats_stop
	clean_net
}

hub_config() { # hub_config USER [KEY-OF-SECTION-HUB...]
	local user=$1
	shift
	{
		nats_section "$user"
		echo "hub:"
		echo "  db: \"${hub_db:-$run/hub.db}\""
		echo "  learning: 0s"
		printf '  %s\n' "$@"
	} >"$run/hub.yaml"
}

start_hub() {
	nsenter --net="/run/netns/${net}c" picket hub run --config "$run/hub.yaml" \
		>>"$run/hub.found" 2>>"$run/hub.log" 3>&- &
	hub=$!
	wait_for 20 grep -q "takes alerts" "$run/hub.log"
}
kill_hub() { # kill_hub [SIGNAL]
	[ -n "${hub:-}" ] || return 0
	kill "-${1:-TERM}" "$hub" 2>/dev/null || true
	wait_for 15 is_gone "$hub" || kill -KILL "$hub"
	wait "$hub" 2>/dev/null || true
	hub=
}

# alert SRC DST REMOTE [MORE-OF-THE-EVIDENCE]: as an agent writes one, with a uid of its own
alert() {
	number=$((${number:-0} + 1))
	jq -cn --arg uid "e2e-$BATS_TEST_NUMBER-a-$number" --arg src "$1" --arg dst "$2" --arg remote "$3" \
		--argjson more "${4:-{\}}" '{
		metadata: {version: "1.8.0", uid: $uid, sequence: 1}, class_uid: 2004, severity_id: 3,
		time: (now * 1000 | floor), message: "seen", is_alert: true, status_id: 1,
		finding_info: {uid: $uid, analytic: {uid: "password_guess"}},
		device: {hostname: "a liar"},
		evidences: [{src_endpoint: {ip: $src}, dst_endpoint: {ip: $dst}} + $more],
		unmapped: {picket: {remote: $remote, spoofable: false}}}'
}
from() { nats_as "$1" send "picket.default.$1.alerts"; } # from HOST < LINES
found() { jq -se --arg rule "$1" "map(select(.finding_info.analytic.uid == \$rule)) | $2" "$run/hub.found"; }
is_attached() { api /v1/status | jq -e ".coverage[] | select(.iface == \"${net}c0\" and .ingress != \"none\")"; }
hub_hosts() { picket hub hosts --config "$run/hub.yaml" -o json | jq -se "$1"; }

@test "one source, slowly, at three hosts; each told once, over a kill of the hub" {
	hub_config hub
	start_hub
	alert 203.0.113.9 10.0.0.1 203.0.113.9 | from web1
	wait_for 10 hub_hosts 'any(.host == "web1" and .alerts == 1)'
	alert 203.0.113.9 10.0.0.2 203.0.113.9 | from web2
	alert 198.51.100.1 10.0.0.2 198.51.100.1 | from web2
	wait_for 10 hub_hosts 'any(.host == "web2" and .alerts == 2)'
	kill_hub KILL
	alert 203.0.113.9 10.0.0.3 203.0.113.9 | from web3
	rm "$run/hub.log"
	start_hub
	wait_for 20 found hub_source 'length == 1'
	found hub_source '.[0] | .class_uid == 2004 and .unmapped.picket.value == "203.0.113.9" and
		([.evidences[].data.host] | sort) == ["web1", "web2", "web3"]'
	sleep 2
	[ "$(wc -l <"$run/hub.found")" = 1 ]
	hub_hosts 'length == 3 and all(.host != "a liar")'
	picket hub ls --config "$run/hub.yaml" | grep -E ' 1 .*Medium +hub_source +3 .*203\.0\.113\.9'
	picket hub show 1 --config "$run/hub.yaml" | grep -A 20 "203.0.113.9" | grep -q web3
	run picket hub show 7 --config "$run/hub.yaml"
	[ "$status" = 1 ]
}

@test "a fingerprint and a name that are new at three hosts" {
	hub_config hub
	start_hub
	tls='{"ja4_fingerprint_list": [{"value": "t13d1516h2_8daaf6152771_e5627efa2ab1"}], "tls": {"sni": "c2.example"}}'
	for k in 1 2 3; do alert 10.0.0.$k 198.51.100.7 198.51.100.7 "$tls" | from web$k; done
	wait_for 20 found hub_new_ja4 'length == 1'
	wait_for 20 found hub_new_name 'length == 1 and .[0].unmapped.picket.value == "c2.example"'
}

@test "a file that intelligence lists, run at three hosts" {
	hub_config hub
	start_hub
	hash=$(sha256sum "$BATS_TEST_FILENAME" | cut -d ' ' -f 1)
	for k in 1 2 3; do
		alert "" "" "" '{}' | jq -c --arg h "$hash" '.evidences = [{process: {pid: 7}}, {data: {indicator: $h, kind: "sha256", sha256: $h}}] | del(.unmapped.picket.remote)' | from web$k
	done
	wait_for 20 found hub_new_sha256 "length == 1 and .[0].unmapped.picket.value == \"$hash\" and .[0].severity == \"High\""
}

@test "from the first host to the third; a node is killed in between" {
	hub_config hub
	start_hub
	alert 203.0.113.9 10.0.0.1 203.0.113.9 | from web1
	sleep 0.1
	alert 10.0.0.1 10.0.0.2 10.0.0.1 | from web2
	wait_for 20 found hub_lateral 'length == 1'
	leader=$(nats_as admin leader "$nats_stream")
	nats_kill "${leader#n}" KILL
	wait_for 60 nats_has_leader
	alert 10.0.0.2 10.0.0.3 10.0.0.2 >"$run/third"
	wait_for 60 from web3 <"$run/third"
	wait_for 90 found hub_lateral 'length == 2'
	found hub_lateral '.[1] | [.evidences[].data | [.from, .to]] == [["web1", "web2"], ["web2", "web3"]]'
	nats_node "${leader#n}"
	wait_for 60 nats_is_whole
}

@test "what a host that was taken over sends: counted for it, and the others go on" {
	hub_config hub
	start_hub
	{
		echo 'not json'
		echo '{"class_uid": 2004}'
		printf '[%.0s' $(seq 20000)
		echo
		alert 203.0.113.9 10.0.0.1 203.0.113.9 | jq -c '.metadata.uid = "a\u0007b"'
		alert 203.0.113.9 10.0.0.1 203.0.113.9 | jq -c '.message = ("x" * 100000)'
	} | from web1
	# in another's name: the server refuses it
	run bash -c "echo '{}' | $bin/nats '$nats_servers' '$run/nats' web1 send picket.default.web2.alerts"
	[ "$status" != 0 ]
	alert 203.0.113.9 10.0.0.2 203.0.113.9 | from web2
	alert 203.0.113.9 10.0.0.3 203.0.113.9 | from web3
	wait_for 20 hub_hosts 'any(.host == "web1" and .alerts == 1 and .refused == {not_json: 2, not_ocsf: 2})'
	wait_for 20 found hub_source 'length == 1'
}

@test "a real agent's alert is one of them" {
	hub_config hub "source_hosts: 2"
	start_hub
	write_config "$run/picket.yaml"
	{
		echo "sink: {nats: true}"
		sed -n '/^nats:/,/^hub:/p' "$run/hub.yaml" | sed '/^hub:/d; s#/hub\.#/web1.#; s/host: hub/host: web1/'
		echo "detect: {off: [$(all_but port_scan)], port_scan_ports: 10}"
	} >>"$run/picket.yaml"
	# the attacked side alone: of both, either may be the alert's
	sed -i "s/names: \[${net}s\]/names: []/" "$run/picket.yaml"
	launch_daemon
	wait_for 20 is_attached
	for port in $(seq 2001 2030); do in_server timeout 1 bash -c "exec 5<>/dev/tcp/$client_ip/$port" 2>/dev/null || true; done
	wait_for 20 hub_hosts 'any(.host == "web1" and .alerts >= 1)'
	alert $server_ip 10.0.0.2 $server_ip | from web2
	wait_for 20 found hub_source "any(.unmapped.picket.value == \"$server_ip\")"
}

@test "without the stream it says what to do; init makes one" {
	hub_config admin
	sed -i 's/^hub:/  stream: other\nhub:/' "$run/hub.yaml"
	nsenter --net="/run/netns/${net}c" picket hub run --config "$run/hub.yaml" 2>"$run/hub.log" 3>&- &
	hub=$!
	wait_for 20 grep -q "there is no stream other: .picket hub init." "$run/hub.log" || { cat "$run/hub.log"; false; }
	# its subjects are taken by the other one: the server's words
	run nsenter --net="/run/netns/${net}c" picket hub init --config "$run/hub.yaml"
	[ "$status" = 1 ]
	[[ $output == *"overlap"* ]]
	sed -i 's/stream: other/stream: picket/' "$run/hub.yaml"
	nats_as admin drop "$nats_stream"
	run nsenter --net="/run/netns/${net}c" picket hub init --config "$run/hub.yaml" --replicas 3 --days 7
	[ "$status" = 0 ]
	wait_for 20 nats_is_whole
	echo '{}' | from web1
}

alerts_kept() { [ "$(pg_sql "SELECT count(*) FROM alert")" = "$1" ]; }
flood_of() { # flood_of HOST FROM TO: alerts of one source, by their numbers
	local i
	for i in $(seq "$2" "$3"); do
		echo "{\"metadata\":{\"uid\":\"flood-$1-$i\",\"sequence\":1},\"class_uid\":2004,\"severity_id\":3,\"time\":$(date +%s)000,\"message\":\"m\",\"status_id\":1,\"finding_info\":{\"analytic\":{\"uid\":\"r\"}},\"evidences\":[{\"src_endpoint\":{\"ip\":\"203.0.113.9\"},\"dst_endpoint\":{\"ip\":\"10.0.0.${1#web}\"}}],\"unmapped\":{\"picket\":{\"remote\":\"203.0.113.9\"}}}"
	done
}

@test "PostgreSQL, killed and started again: nothing that was acknowledged is lost, nothing is double" {
	pg_has || skip "no PostgreSQL server"
	pg_start
	hub_db=$(pg_where) hub_config hub
	start_hub
	flood_of web1 1 200 | from web1
	wait_for 20 alerts_kept 200
	# away while alerts come: the stream has them
	pg_kill KILL
	for k in 1 2 3; do flood_of web$k 201 400 | from web$k; done
	wait_for 20 grep -q "PostgreSQL: .*; trying again" "$run/hub.log"
	pg_up
	wait_for 60 alerts_kept 800
	# in the middle of it, and the hub besides
	for k in 1 2 3; do flood_of web$k 401 900 | from web$k; done &
	floods=$!
	sleep 1
	pg_kill KILL
	pg_up
	kill_hub KILL
	start_hub
	wait $floods
	wait_for 90 alerts_kept 2300 || { pg_sql "SELECT * FROM hosts"; tail "$run/hub.log"; false; }
	[ "$(pg_sql "SELECT sum(n) FROM seen WHERE kind = 0")" = 2300 ]
	[ "$(pg_sql "SELECT sum(alerts) FROM host")" = 2300 ]
	[ "$(pg_sql "SELECT count(*) FROM finding")" = 1 ]
	found hub_source 'map(.metadata.uid + " \(.metadata.sequence)") | unique | length == 1'
	picket hub ls --config "$run/hub.yaml" | grep -E ' 1 .*Medium +hub_source +3 .*203\.0\.113\.9'
	picket hub show 1 --config "$run/hub.yaml" | grep -q web3
	hub_hosts 'length == 3 and (map(.host) == ["web1", "web2", "web3"])'
	run grep -r "$pg_password" "$run/hub.log" "$run/hub.found" "/proc/$hub/cmdline"
	[ "$status" = 1 ]
}

@test "PostgreSQL: what is wrong is said, and no password" {
	pg_has || skip "no PostgreSQL server"
	pg_start
	hub_config hub
	run picket hub ls --config "$run/hub.yaml" --db "postgresql://picket:$pg_password@/postgres?host=$run/pg"
	[ "$status" = 1 ]
	[[ $output == *"passfile"* && $output != *"$pg_password"* ]]
	run picket hub ls --config "$run/hub.yaml" --db "host=$run/pg user=picket dbname=postgres passfile=/dev/null"
	[ "$status" = 1 ]
	[[ $output == *"no password supplied"* ]]
	run picket hub ls --config "$run/hub.yaml" --db "$(pg_where)"
	[ "$status" = 1 ]
	[[ $output == *"the hub has made nothing there yet"* ]]
	# made by somebody else, with the file that is installed; the hub's role may not
	"$pg_bin/psql" -qX -v ON_ERROR_STOP=1 -d "$(pg_where)" -f "$BATS_TEST_DIRNAME/../../user/hub/postgres.sql"
	pg_sql "CREATE ROLE hub LOGIN PASSWORD '$pg_password'; GRANT USAGE ON SCHEMA picket_hub TO hub;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA picket_hub TO hub"
	sed -i '1s/picket:/hub:/' "$run/pg/pass"
	hub_db="host=$run/pg user=hub dbname=postgres passfile=$run/pg/pass" hub_config hub
	start_hub
	flood_of web1 1 3 | from web1
	wait_for 20 hub_hosts 'any(.host == "web1" and .alerts == 3)'
	kill_hub
	# of a newer Picket: left as it is
	sed -i '1s/hub:/picket:/' "$run/pg/pass"
	pg_sql "UPDATE meta SET value = 99 WHERE key = 'version'"
	run picket hub run --config "$run/hub.yaml" --db "$(pg_where)"
	[ "$status" = 1 ]
	[[ $output == *"version 99"* ]]
}
