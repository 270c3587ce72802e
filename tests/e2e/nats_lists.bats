#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Signed lists from a bucket of a real cluster of NATS servers: a change is in force within a second,
# whichever server dies or falls silent, and a host can write nothing there.

net=pknl
load lib
load nats

nats_netns=${net}c

setup_file() {
	export run=$BATS_FILE_TMPDIR
	nats_has || return 0
	nats_begin
	nats_keys stranger
	write_config "$run/picket.yaml"
	nats_section web1 >>"$run/picket.yaml"
	cat >>"$run/picket.yaml" <<-CONF
		sign: {keys: $trusted}
		pull: {lists: ["drop=nats", "web=nats"], interval: 5s, ca: $run/nats/ca.pem}
	CONF
	start_daemon
	export daemon
}

setup() { nats_has || skip "no nats-server"; }
teardown_file() {
	nats_has || return 0
	nats_end
}

addresses() { seq 0 $(($1 - 1)) | awk '{ printf "100.%d.%d.%d\n", 64 + int($1 / 65536), int($1 / 256) % 256, $1 % 256 }'; }
sign() { picket list sign "$1" --dir "$keys" "${@:2}" >/dev/null; }
publish_as() { # publish_as USER FILE
	in_client "$build/picket" list publish --server "$nats_servers" --ca "$run/nats/ca.pem" --cert "$run/nats/$1.pem" --key "$run/nats/$1.key" "$2"
}
version() { api "/v1/lists/$1" | jq -e ".list | .mode == \"enforce\" and .signed.version == $2 and .signed.in_force"; }
has() { api /v1/status | jq -e --arg list "$1" ".pull.lists[] | select(.list == \$list) | $2"; }
# takes VERSION SECONDS: published, and in force so soon. Prints how long it took.
takes() {
	local began
	sign "$run/drop.txt" --version "$1"
	wait_for 40 publish_as admin "$run/drop.txt" # a leader may have to be found first
	began=$(date +%s%N)
	wait_for "$2" version drop "$1"
	echo "# version $1 in force $((($(date +%s%N) - began) / 1000000)) ms after it was published" >&3
}
# To which of the servers is the agent connected?
server_of() {
	local pid
	pid=$(pgrep -x -P "$(cat "$run/daemon")" picketd-pull)
	in_client ss -Htnp state established | sed -n "s/.*127.0.0.1:461\([123]\) .*pid=$pid,.*/\1/p" | head -n 1
}

@test "a list is taken from the bucket, and a change of it as it is published" {
	addresses 1000 >"$run/drop.txt"
	takes 1 10
	api /v1/lists/drop | jq -e '.list | .entries == 1000 and .pull.mirror == "nats" and .pull.outcome == "accepted"'
	addresses 900 >"$run/drop.txt"
	takes 2 5
	grep -q "audit: list push drop version 2 signed by [0-9a-f]\{16\} by nats (carrier): ok" "$run/log"
	wait_for 15 has drop '.outcome == "unchanged"'
	wait_for 15 has web '.outcome == "bad-answer" and (.why | test("not in the bucket"))'
}

@test "a list that is larger than a message comes in parts, whole" {
	addresses 200000 >"$run/web.txt"
	[ "$(stat -c %s "$run/web.txt")" -gt 2000000 ]
	sign "$run/web.txt" --version 1
	publish_as admin "$run/web.txt"
	wait_for 20 version web 1
	api /v1/lists/web | jq -e '.list.entries == 200000'
}

@test "old, altered and foreign lists are refused, and nothing changes" {
	addresses 5 >"$run/drop.txt"
	sign "$run/drop.txt" --version 1
	publish_as admin "$run/drop.txt"
	wait_for 10 has drop '.outcome == "refused" and .why == "replayed"'
	sign "$run/drop.txt" --version 3 --key stranger
	publish_as admin "$run/drop.txt"
	wait_for 10 has drop '.outcome == "refused" and .why == "unknown-key"'
	echo "no head" >"$run/bad"
	nats_as admin put "$nats_bucket" drop "$run/bad"
	wait_for 10 has drop '.outcome == "bad-answer" and (.why | test("no list"))'
	version drop 2
}

@test "a host can write neither lists nor parts of them" {
	before=$(nats_as admin get "$nats_bucket" drop)
	sign "$run/drop.txt" --version 4
	run publish_as web1 "$run/drop.txt"
	[ "$status" = 1 ]
	! nats_as web1 put "$nats_bucket" drop "$run/drop.txt" || false
	sleep 1
	[ "$(nats_as admin get "$nats_bucket" drop)" = "$before" ]
	version drop 2
}

@test "the server that an agent speaks to dies, and falls silent: lists reach it by another" {
	addresses 50 >"$run/drop.txt"
	takes 5 10
	first=$(server_of)
	[ -n "$first" ]
	nats_kill "$first" KILL
	takes 6 20
	second=$(server_of)
	[ "$second" != "$first" ]
	nats_node "$first"
	wait_for 30 nats_has_leader
	wait_for 30 nats_is_whole
	# nothing on the wire says that this one is gone
	kill -STOP "$(cat "$run/nats/n$second.started")"
	takes 7 60
	kill -CONT "$(cat "$run/nats/n$second.started")"
	[ "$(server_of)" != "$second" ]
}

@test "when the whole cluster was away, what was published since is taken" {
	nats_stop
	wait_for 20 has drop '.outcome == "unreachable"'
	nats_up
	takes 8 60
}
