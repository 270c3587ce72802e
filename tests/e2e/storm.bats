#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A storm of short processes: each start arrives with the right pid and command line, or is counted
# as lost; the counters of the hooks balance to the unit. PICKET_FULL=1: 20,000 instead of 3,000.

net=pkst
load lib
count=$([ -n "${PICKET_FULL:-}" ] && echo 20000 || echo 3000)

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml"
	start_daemon
	export daemon
}

teardown_file() {
	kill_children
	clean_net
}

lost() { api /v1/status | jq '[.events.hooks[] | select(.hook == "exec") | .ring_full + .map_full + .oversized] | add'; }
seen() { api /v1/status | jq '.events.hooks[] | select(.hook == "exec") | .seen'; }

@test "storm: every start arrives or is counted" {
	curl -sN --unix-socket "$run/picket.sock" http://picket/v1/events/stream >"$run/events" 3>&- &
	others=$!
	sleep 0.5
	seen_before=$(seen) lost_before=$(lost)
	"$bin/burst" "$count" 4 "$run/burst.log" /bin/true id{}x
	wait_for 20 eval '[ $(($(seen) - seen_before)) -ge $count ]'
	wait_for 20 eval 'api /v1/status | jq -e .events.ok'
	sleep 1
	kill $others
	lost_now=$(($(lost) - lost_before))
	jq -r 'select(.class_uid == 1007 and .activity_id == 1) |
		"\(.process.pid) \(.process.cmd_line)"' "$run/events" |
		sed -nE 's/^([0-9]+) .*true id([0-9]+)x$/\1 \2/p' | sort -u >"$run/arrived"
	cut -d' ' -f1,2 "$run/burst.log" | sort -u >"$run/born"
	reader_lost=$(jq -s 'map(.lost // empty) | add // 0' "$run/events")
	right=$(comm -12 "$run/arrived" "$run/born" | wc -l)
	wrong=$(comm -23 "$run/arrived" "$run/born" | wc -l)
	echo "$count started, $right arrived right, $wrong wrong; lost: ring $lost_now, reader $reader_lost"
	[ "$wrong" -eq 0 ]
	[ $((right + lost_now + reader_lost)) -ge "$count" ]
	[ "$lost_now" -gt 0 ] || [ "$reader_lost" -gt 0 ] || [ "$right" -eq "$count" ]
}

@test "storm: seen = submitted + lost + filtered in every hook" {
	api /v1/status | jq -c '.events.hooks[] | select(.balance != 0)'
	wait_for 10 eval 'api /v1/status | jq -e .events.ok'
}
