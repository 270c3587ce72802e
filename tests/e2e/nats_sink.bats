#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Alerts to a stream of a real cluster of NATS servers: each is there exactly once, whoever dies in
# between, and nobody can send in another host's name.

net=pknt
load lib
load nats

nats_netns=${net}c

setup_file() {
	export run=$BATS_FILE_TMPDIR
	nats_has || return 0
	nats_begin
}

setup() {
	nats_has || skip "no nats-server"
	rm -rf "$run/state"
}
teardown() { kill_children; }
teardown_file() {
	nats_has || return 0
	nats_stop
	clean_net
}

# daemon_as CERTIFICATE HOST [KEY-OF-SECTION-NATS...]
daemon_as() {
	local cert=$1 host=$2
	shift 2
	write_config "$run/picket.yaml"
	{
		echo "sink: {nats: true}"
		nats_section "$host" "$cert"
		printf '  %s\n' "$@"
		echo "detect: {off: [$(all_but fileless)]}"
	} >>"$run/picket.yaml"
	start_daemon
}

# By what they are and by the server's id: none twice.
no_doubles() {
	stream_once || return 1
	[ "$(cut -f 2 "$run/stream" | sort | uniq -d | wc -l)" = 0 ]
	[ "$(cut -f 3 "$run/stream" | sort | uniq -d | wc -l)" = 0 ]
}

@test "exactly once, under the host's subject, also when the agent is killed" {
	daemon_as web1 web1
	odd 1
	wait_for 20 in_stream 1
	sink_says '.sent >= 1 and .failed == 0 and .trouble == null'
	for k in 2 3 4 5; do odd $k; done
	wait_for 10 is_alert 5
	family="$daemon $(pgrep -P "$daemon")"
	kill -KILL $family
	for pid in $family; do wait_for 10 is_gone "$pid"; done
	start_daemon
	odd 6
	wait_for 20 in_stream 6
	wait_for 10 sink_says '.waiting == 0'
	no_doubles
	[ "$(cut -f 1 "$run/stream" | sort -u)" = picket.default.web1.alerts ]
	picket --socket "$run/picket.sock" status | grep -E '^  nats +sent [1-9]'
}

@test "a node dies, then the one that leads: none is lost" {
	daemon_as web1 web1
	odd 11
	wait_for 20 in_stream 11
	for k in 1 2; do
		leader=$(nats_as admin leader "$nats_stream")
		other=$((${leader#n} % 3 + 1))
		[ $k = 2 ] && victim=${leader#n} || victim=$other
		for i in 1 2 3; do odd $k$i; done
		nats_kill "$victim" KILL
		for i in 4 5 6; do odd $k$i; done
		for i in 1 2 3 4 5 6; do wait_for 60 in_stream $k$i; done
		nats_node "$victim"
		wait_for 60 nats_is_whole
	done
	wait_for 60 sink_says '.waiting == 0 and .trouble == null and .dropped == 0 and .refused == 0'
	no_doubles
}

@test "the whole cluster is away: what is found meanwhile waits on disk, over a restart" {
	daemon_as web1 web1
	odd 31
	wait_for 20 in_stream 31
	nats_stop
	for k in 32 33; do odd $k; done
	wait_for 30 sink_says '.waiting >= 2 and .failed > 0 and (.trouble | length > 0)'
	api /v1/status | jq -e '.degraded | any(startswith("sink nats: "))'
	stop_daemon
	start_daemon
	odd 34
	wait_for 10 is_alert 34
	wait_for 30 sink_says '.waiting >= 3'
	nats_up
	for k in 32 33 34; do wait_for 90 in_stream $k; done
	wait_for 20 sink_says '.waiting == 0 and .trouble == null and .dropped == 0'
	no_doubles
}

@test "in another host's name: the server refuses it, and the status says so" {
	daemon_as web1 web2
	odd 41
	wait_for 20 sink_says '.trouble // "" | test("Permissions Violation for .*web2")'
	sink_says '.sent == 0 and .waiting >= 1'
	wait_for 30 stream_once # the nodes were all away in the test before
	cut -f 1 "$run/stream" | grep web2 && false
	cut -f 3 "$run/stream" | grep "$net-odd-41\\b" && false
	# nor may it read what others say, or listen where others get their answers
	run nats_as web1 read "$nats_stream"
	[ "$status" = 1 ]
	[[ $output == *"Permissions Violation"* ]]
	run nats_as web1 listen '_INBOX.default.hub.>' 500
	[[ $output == *"Permissions Violation for Subscription"* ]]
	run nats_as web1 put "$nats_bucket" list /etc/hostname
	[ "$status" = 1 ]
}

@test "no such stream: what to do is in the status" {
	daemon_as admin web3 "stream: nowhere"
	odd 51
	wait_for 20 sink_says '.trouble // "" | contains("there is no stream nowhere: `picket hub init`")'
	sink_says '.sent == 0 and .refused == 0'
}

@test "a server whose certificate is of somebody else gets nothing" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other \
		-keyout "$run/nats/other.key" -out "$run/nats/other.pem" 2>>"$run/nats/openssl.log"
	daemon_as web1 web1
	stop_daemon
	sed -i "s#/nats/ca.pem#/nats/other.pem#" "$run/picket.yaml"
	start_daemon
	odd 61
	wait_for 20 sink_says '.sent == 0 and .failed >= 1 and (.trouble | test("ssl|certificate"; "i"))'
}

@test "a section that does not fit is refused, or said" {
	write_config "$run/picket.yaml"
	echo 'nats: {servers: ["http://a:4222"]}' >>"$run/picket.yaml"
	run "$build/picketd" --config "$run/picket.yaml" --check-config
	[ "$status" = 1 ]
	[[ $output == *"nats.servers"*"tls, nats"* ]]
	daemon_as web1 web1 "tenant: acme"
	wait_for 10 sink_says '.trouble == null'
	odd 71
	wait_for 20 sink_says '.trouble // "" | contains("Permissions Violation")'
}
