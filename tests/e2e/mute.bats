#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Suppressions: a real alert that somebody decided not to hear of is kept and counted, begins no incident
# and goes to no sink; for others, and once it is over, the alert is told. All of it outlives the agent
# and is in the hash chain.

bats_require_minimum_version 1.5.0
net=pkmu
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml"
	# where who runs without privileges may read, and write the sink's file
	export rules=/tmp/pkmu-$$
	mkdir -m 755 "$rules"
	{
		printf 'sink:\n  file: %s/sink/alerts.jsonl\n' "$rules"
		printf 'detect:\n  rules_dir: %s\n  off: [%s]\n' "$rules" "$(all_but rules tamper)"
	} >>"$run/picket.yaml"
	cat >"$rules/odd.yml" <<-'RULE'
		title: An odd tool
		id: id-odd
		level: high
		tags: [attack.t1059.004]
		logsource: {category: process_creation, product: linux}
		detection:
		  s: {Image|endswith: [/ours, /theirs], CommandLine|contains: an evil word}
		  condition: s
	RULE
	cp "$(type -P true)" "$run/ours"
	cp "$(type -P true)" "$run/theirs"
	start_daemon
	export daemon
}

teardown_file() {
	kill_children
	clean_net
	rm -rf "$rules"
}

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || tail -5 "$run/log"
}

mute() { picket --socket "$run/picket.sock" mute "$@"; }
alerts() { picket --socket "$run/picket.sock" alerts -o json "$@"; }
# told NAME COUNT, quiet NAME COUNT: findings about that program, in alerts that are told or suppressed
counted() { jq -es --arg n "$1" --argjson c "$2" '[.[] | select(.finding_info.analytic.uid == "id-odd") |
	select(tostring | contains($n)) | .count] | add // 0 | . == $c'; }
told() { alerts | counted "$@"; }
quiet() { alerts --muted | counted "$@"; }
hits() { mute ls -a -o json | jq -es --argjson n "$1" --argjson h "$2" 'any(.[]; .number == $n and .hits == $h)'; }
incidents() { picket --socket "$run/picket.sock" incident ls -a -o json | jq -es --argjson n "$1" 'length == $n'; }
state() { mute show "$1" -o json | jq -e --arg s "$2" '.state == $s'; }
sql() { sqlite3 "$run/state/store/store.db" ".timeout 5000" "$1"; }
in_sink() { grep -h "$1" "$rules"/sink/alerts.jsonl* 2>/dev/null | grep -q '"class_uid":2004'; }
noticed() { api /v1/status | jq -e --arg t "$1" 'any(.notices[]; .text | contains($t))'; }

@test "what is asked for wrongly changes nothing, and says what is wrong" {
	run -2 mute id-odd --exe "$run/ours"
	[[ $output == *"--reason is required"* ]]
	run -2 mute id-odd --reason x
	[[ $output == *wide* ]]
	run -2 mute id-od --exe "$run/ours" --reason x
	[[ $output == *"called id-od"* ]]
	run -2 mute id-odd --exe ours --reason x
	[[ $output == *"whole path"* ]]
	run -2 mute id-odd --remote 0.0.0.0/0 --reason x
	[[ $output == *wide* ]]
	run -2 mute id-odd --exe "$run/ours" --reason x --for ever
	run -2 mute id-odd --exe "$run/ours" --reason x --for 91d
	[[ $output == *ttl_max* ]]
	run -2 mute tamper --wide --reason x
	[[ $output == *"guards the sensor"* ]]
	run -2 mute tamper --process ansible --reason x
	run -0 mute ls
	[[ $output == *"nothing is suppressed"* ]]
}

@test "a suppressed alert is kept and counted, and nothing comes of it; others are told" {
	mute id-odd --exe "$run/ours" --reason 'our own tool' --owner 'team a' | grep -q 'suppression 1 of id-odd is active'
	"$run/ours" an evil word
	"$run/ours" an evil word
	wait_for 10 hits 1 2
	quiet "$run/ours" 2
	alerts --muted | jq -es 'all(.[]; .status_id == 3 and .status == "Suppressed" and .unmapped.picket.mute == 1)'
	"$run/theirs" an evil word
	wait_for 10 told "$run/theirs" 1
	wait_for 10 in_sink "$run/theirs"
	told "$run/ours" 0
	! in_sink "$run/ours" || false
	# the one incident is of the other program
	wait_for 10 incidents 1
	api /v1/incidents?state=all | jq -e --arg o "$run/ours" 'tostring | contains($o) | not'
	# on the disk as it is in memory, apart from the others unless asked for
	kept() { api "/v1/alerts?since=0&muted=1" | jq -e --arg o "$run/ours" '.alerts | length == 1 and (tostring | contains($o))'; }
	wait_for 10 kept
	api "/v1/alerts?since=0" | jq -e --arg o "$run/ours" '.alerts | length > 0 and (tostring | contains($o) | not)'
	mute ls | grep -q 'id-odd.*team a.*our own tool'
	mute show 1 | grep -q 'created by root (uid 0, pid [0-9]*).*: our own tool'
}

@test "it outlives the agent, with its hits, and each change is in the chain" {
	kept() { [ "$(sql "SELECT count(*) FROM object WHERE kind = 3 AND uid LIKE 'mute-%-1-act-1'")" = 1 ]; }
	wait_for 10 kept
	stop_daemon
	start_daemon
	export daemon
	state 1 active
	hits 1 2
	"$run/ours" an evil word
	wait_for 10 hits 1 3
	told "$run/ours" 0
	[ "$(sql "SELECT count(*) FROM chain WHERE record LIKE '%\"act\":\"created\"%\"actor\":\"root (uid 0, pid %mute-%'")" = 1 ]
	picket verify --db "$run/state/store/store.db" | grep -q '^ok'
}

@test "removed, its alerts are told from then on, as alerts of their own" {
	mute rm 1 --reason 'not ours any more'
	"$run/ours" an evil word
	wait_for 10 told "$run/ours" 1
	hits 1 3
	mute ls -a | grep -q removed
	run -1 mute rm 1
	run -1 mute extend 1 --for 1h --reason x
	act() { [ "$(sql "SELECT count(*) FROM object WHERE kind = 3 AND json LIKE '%not ours any more%'")" = 1 ]; }
	wait_for 10 act
}

@test "it ends in time without a restart, which is told, and can be renewed" {
	mute id-odd --exe "$run/ours" --for 3s --reason 'a short one'
	"$run/ours" an evil word
	wait_for 10 hits 2 1
	wait_for 15 state 2 expired
	noticed "suppression 2 of id-odd (owner root) has expired"
	grep -q 'suppression 2 of id-odd.*has expired' "$run/log"
	now=$(alerts | jq -es --arg n "$run/ours" '[.[] | select(tostring | contains($n)) | .count] | add // 0')
	"$run/ours" an evil word
	wait_for 10 told "$run/ours" $((now + 1))
	hits 2 1
	mute extend 2 --for 1h --reason 'longer than thought'
	state 2 active
	"$run/ours" an evil word
	wait_for 10 hits 2 2
	mute show 2 | grep -q 'renewed until .*Z by root.*: longer than thought'
}

@test "by process, user and all of a rule" {
	mute id-odd --process theirs --user root --reason x -o json | jq -e '.match == {"process": "theirs", "user": "root"}'
	"$run/theirs" an evil word
	wait_for 10 hits 3 1
	setpriv --reuid 65534 --clear-groups "$run/theirs" an evil word
	nobody_told() { alerts | jq -es 'any(.[]; any(.evidences[]; .process.user.uid == "65534"))'; }
	wait_for 10 nobody_told
	hits 3 1
	mute id-odd --wide --reason 'wait for the next version' --for 1h
	"$run/theirs" an evil word
	wait_for 10 hits 3 2 # the oldest that fits
	setpriv --reuid 65534 --clear-groups "$run/theirs" an evil word
	wait_for 10 hits 4 1
}
