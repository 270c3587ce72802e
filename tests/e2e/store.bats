#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is kept: nothing that was on the disk is lost by SIGKILL at any moment; a full disk costs what
# is counted, and no sensing; a broken database is set aside; each way to tamper with the chain gives
# its own exit code. PICKET_FULL=1: 40 kills instead of 6.

bats_require_minimum_version 1.5.0
net=pkst
load lib
rounds=$([ -n "${PICKET_FULL:-}" ] && echo 40 || echo 6)

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml"
	echo 'incident: {deadlines: ["early warning=24h", "notification=72h", "final report=1mo after notification"]}' >>"$run/picket.yaml"
	mkdir -p "$run/state"
}

teardown() {
	kill_children
	umount "$run/small" 2>/dev/null || true
}

teardown_file() {
	in_client "$build/picketd" --config "$run/picket.yaml" --detach >/dev/null 2>&1 || true # what was blocked outlives its agent
	clean_net
}

db() { echo "${state:-$run/state}/store/store.db"; }
sql() { sqlite3 "$(db)" ".timeout 5000" "$1"; }

# odd N: a program that runs from no lasting file, which is an alert of its own.
odd() {
	cp /bin/true "/dev/shm/pkst-odd-$1"
	in_client "/dev/shm/pkst-odd-$1"
	rm -f "/dev/shm/pkst-odd-$1"
}
has_alert() { api "/v1/alerts?since=0&limit=10000" | jq -e --arg n "pkst-odd-$1" 'any(.alerts[]; tostring | contains($n))'; }
store_says() { api /v1/status | jq -e "$1"; }

# verify CODE TEXT: that exit code, and that text in the answer.
verify() {
	local want=$1 text=$2 rc=0
	shift 2
	"$build/picket" verify --db "$(db)" "$@" >"$run/verdict" 2>&1 || rc=$?
	cat "$run/verdict"
	[ "$rc" = "$want" ]
	grep -q "$text" "$run/verdict"
}

@test "what is kept outlives the agent that found it" {
	start_daemon
	odd 1
	wait_for 10 has_alert 1
	api "/v1/alerts?since=0&limit=1" | jq -e '.alerts[0].metadata.uid' >"$run/uid"
	[ "$(stat -c %a "$run/state/store" "$run/state/store/store.key" | tr '\n' ' ')" = "700 600 " ]
	verify 0 "^ok" # beside the agent
	stop_daemon
	verify 0 "^ok"
	start_daemon
	has_alert 1
	uid=$(jq -r . "$run/uid")
	api "/v1/alerts/$uid" | jq -e --arg u "$uid" '.metadata.uid == $u'
	odd 2 # and its number is not taken for an earlier one's
	wait_for 10 has_alert 2
	has_alert 1
	stop_daemon
}

@test "an incident, and what a person did about it, outlive the agent" {
	start_daemon
	odd i1
	an_incident() { api "/v1/incidents?state=all" | jq -e '.incidents | length > 0'; }
	wait_for 10 an_incident
	inc=$(sql "SELECT uid FROM object WHERE kind = 2 ORDER BY id LIMIT 1")
	"$build/picket" --socket "$run/picket.sock" incident note "$inc" "looked at by hand"
	act_kept() { [ "$(sql "SELECT count(*) FROM object WHERE kind = 3 AND incident = '$inc' AND json LIKE '%looked at by hand%'")" = 1 ]; }
	wait_for 10 act_kept
	assess() { "$build/picket" --socket "$run/picket.sock" incident assess "$@"; }
	assess --reason 'first look' "$inc" confidentiality=high integrity=none personal-data=yes services='web shop'
	assess --reason review "$inc" root-cause=shared-key improvements='keys per person'
	run -2 assess "$inc" services=x
	[[ $output == *reason* ]]
	run -2 assess --reason x "$inc" services
	run -2 assess --reason x "$inc" availability=huge
	[[ $output == *"one of none low medium high"* ]]
	run -2 assess --reason x "$inc" mood=low
	[ "$(sql "SELECT count(*) FROM chain WHERE record LIKE '%\"actor\":\"%uid 0%' AND record LIKE '%$inc-act-%'")" -ge 1 ]
	family="$daemon $(pgrep -P "$daemon")"
	kill -KILL $family
	for pid in $family; do wait_for 10 is_gone "$pid"; done
	start_daemon
	api "/v1/incidents/$inc" | grep -q "looked at by hand"
	api "/v1/incidents/$inc" | jq -e '.impact_id == 3 and (.unmapped.picket.assessment ==
		{confidentiality: "high", integrity: "none", personal_data: "yes", services: "web shop",
		 root_cause: "shared-key", improvements: "keys per person"})'
	"$build/picket" --socket "$run/picket.sock" incident show "$inc" | tee "$run/show"
	grep -q '^  impact  *confidentiality high, integrity none$' "$run/show"
	grep -q '^  to improve  *keys per person$' "$run/show"
	grep -q 'uid 0.*root_cause: shared-key (review)' "$run/show"
	odd i2 # it is told again, and acts are not kept twice
	wait_for 10 has_alert i2
	sleep 1.5
	act_kept
	stop_daemon
	verify 0 "^ok"
}

@test "who must be told, until when, and that he was, outlive the agent" {
	start_daemon
	odd d1
	an_incident() { api "/v1/incidents?state=all" | jq -e '.incidents | length > 0'; }
	wait_for 10 an_incident
	export PICKET_SOCKET=$run/picket.sock
	n=$(api "/v1/incidents?state=all" | jq '.incidents[-1].unmapped.picket.number')
	duties() { api "/v1/incidents/$n" | jq -e ".unmapped.picket as \$p | \$p.obligations as \$o | $1"; }
	# nobody said that it is significant: only the earliest is told
	duties '($o | map(.name)) == ["early warning", "notification", "final report"] and
		all($o[]; has("due") | not) and ($o[2] | has("due_earliest") | not) and
		$o[0].due_earliest == $p.times.detected + 86400000'
	picket incident show "$n" | grep -q '^  early warning: due .* at the earliest, if it is significant'
	run -2 picket incident reported "$n" 'early warning'
	run -2 picket incident reported --reason x "$n" 'some warning'
	[[ $output == *"incident.deadlines"* ]]
	picket incident state "$n" --aware --reason 'personal data left'
	duties '$o[0].due == $p.times.aware + 86400000 and $o[1].due == $p.times.aware + 3 * 86400000'
	picket incident show "$n" | grep -q '^  early warning: due .*, in 23h59m'
	picket incident show "$n" | grep -q '^  final report: its time begins when reported: notification'
	picket incident reported --reason 'case 4711' "$n" notification
	run -1 picket incident reported --reason 'case 4711' "$n" notification
	[[ $output == *"reported before"* ]]
	month=$(date -u -d "@$(duties '$o[1].reported / 1000 | floor')" +%-m)
	[ "$(date -u -d "@$(duties '$o[2].due / 1000 | floor')" +%-m)" = $((month % 12 + 1)) ]
	family="$daemon $(pgrep -P "$daemon")"
	kill -KILL $family
	for pid in $family; do wait_for 10 is_gone "$pid"; done
	start_daemon
	picket incident show "$n" | tee "$run/show"
	grep -q '^  notification: reported [0-9:]*$' "$run/show"
	grep -q 'reported: notification (case 4711)' "$run/show"
	stop_daemon
	verify 0 "^ok"
	# what nobody can have meant is no configuration
	for wrong in 'x=24' 'x=1mo after y' 'x=1h, x=2h'; do
		echo "incident: {deadlines: [$wrong]}" >"$run/wrong.yaml"
		run -1 "$build/picketd" --config "$run/wrong.yaml" --check-config
		[[ $output == *deadlines* ]]
	done
}

# events FILE SECONDS PATH HEADER...: server-sent events for so long.
events() {
	local file=$1 seconds=$2 path=$3 heads=(-H "Accept: text/event-stream")
	shift 3
	for h in "$@"; do heads+=(-H "$h"); done
	curl -sSN --max-time "$seconds" "${heads[@]}" --unix-socket "$run/picket.sock" "http://picket$path" >"$file" 2>/dev/null || true
}
# alerts_of: the programs that records name, in their order; one alert of each, of several.
alerts_of() { jq -r 'select(.finding_info.title == "Program without a file") | tostring | capture("(?<n>pkst-odd-r[0-9])").n'; }
alerts_in() { sed -n 's/^data: //p' "$1" | alerts_of; }

# the last act of this kind that was kept, as its record
act() { sql "SELECT json FROM object WHERE kind = 3 AND json LIKE '%\"operation\":\"$1\"%' ORDER BY id DESC LIMIT 1"; }

@test "who blocked what, and why, is on the disk when it is answered" {
	start_daemon
	export PICKET_SOCKET=$run/picket.sock
	"$build/picket" block 198.51.100.7 evil.example --ttl 10m --reason 'it scans us'
	act block | jq -e '.class_uid == 6003 and .status == "Success" and .actor.user.name == "root" and
		[.resources[].name] == ["198.51.100.7", "evil.example"] and .unmapped.picket.why == "it scans us" and
		(.unmapped.picket.object | endswith("list manual"))'
	! "$build/picket" block $client_ip --reason 'by mistake' || false
	refused() { act block | jq -e --arg ip $client_ip '.status == "Failure" and .resources[0].name == $ip'; }
	wait_for 5 refused
	"$build/picket" unblock evil.example --reason 'it is ours'
	act unblock | jq -e '.unmapped.picket.why == "it is ours" and .resources[0].name == "evil.example"'
	# killed right after the answer
	family="$daemon $(pgrep -P "$daemon")"
	curl -sS --unix-socket "$run/picket.sock" -d '{"targets":["198.51.100.8"],"reason":"at last"}' \
		http://picket/v1/blocks >"$run/answer"
	kill -KILL $family
	jq -e .kept "$run/answer"
	for pid in $family; do wait_for 10 is_gone "$pid"; done
	wait $daemon || true
	rm -f "$run/daemon"
	act block | jq -e '.unmapped.picket.why == "at last"'
	[ "$(sql "SELECT count(*) FROM chain WHERE record LIKE '{\"act\":\"block\",\"actor\":\"root\",%'")" = 3 ]
	start_daemon
	stop_daemon
	verify 0 "^ok"
	in_client "$build/picketd" --config "$run/picket.yaml" --detach
}

@test "a reader goes on where it left off, over a restart, without loss or doubles; a quiet stream beats" {
	start_daemon
	events "$run/first" 60 /v1/alerts/stream &
	reader=$!
	sleep 0.5
	for n in r1 r2 r3; do odd $n; done
	told() { [ "$(alerts_in "$run/first" | sort -u | wc -l)" = 3 ]; }
	wait_for 10 told
	kill $reader
	[ "$(alerts_in "$run/first" | tr '\n' ' ')" = "pkst-odd-r1 pkst-odd-r2 pkst-odd-r3 " ]
	last=$(sed -n 's/^id: //p' "$run/first" | tail -n1)
	[[ $last =~ ^[0-9a-f]{16}-[0-9]+$ ]]
	# while nobody reads, and nothing of it is in the memory of the agent that is asked
	for n in r4 r5; do odd $n; done
	wait_for 10 has_alert r5
	stop_daemon
	start_daemon
	odd r6
	wait_for 10 has_alert r6
	events "$run/second" 90 /v1/alerts/stream "Last-Event-ID: $last" &
	reader=$!
	beats() { grep -qx : "$run/second"; }
	wait_for 60 beats
	kill $reader
	[ "$(alerts_in "$run/second" | tr '\n' ' ')" = "pkst-odd-r4 pkst-odd-r5 pkst-odd-r6 " ]
	sed -n 's/^id: .*-//p' "$run/second" | sort -nuc # each number once, in order
	! grep -q '^event: lost' "$run/second" || false
	# the same as NDJSON; incidents; and who asks for all gets all that is kept
	seen=$(curl -sSN --max-time 2 --unix-socket "$run/picket.sock" "http://picket/v1/alerts/stream?after=${last#*-}" 2>/dev/null || true)
	[ "$(alerts_of <<<"$seen" | tr '\n' ' ')" = "pkst-odd-r4 pkst-odd-r5 pkst-odd-r6 " ]
	events "$run/all" 2 "/v1/alerts/stream?after=0"
	[ "$(alerts_in "$run/all" | tr '\n' ' ')" = "pkst-odd-r1 pkst-odd-r2 pkst-odd-r3 pkst-odd-r4 pkst-odd-r5 pkst-odd-r6 " ]
	events "$run/incidents" 2 "/v1/incidents/stream?after=0"
	sed -n 's/^id: .*-//p' "$run/incidents" | sort -nuc
	grep -q '^data: .*"class_uid":2005' "$run/incidents"
	# flows are numbered anew by each agent, and who comes from another one is told so
	events "$run/flows" 2 /v1/flows/stream "Last-Event-ID: $last"
	grep -A1 -x "event: lost" "$run/flows" | grep -q '"restarted":true'
	stop_daemon
}

@test "ended flows are kept with who and with whom" {
	start_daemon
	start_server 7311
	in_client "$bin/client" tcp $server_ip 7311 kept
	flow_kept() { [ "$(sql "SELECT count(*) FROM flow WHERE dport = 7311 AND exe LIKE '%/client' AND bytes_out > 0")" -gt 0 ]; }
	wait_for 20 flow_kept
	kill_children
}

@test "alerts and flows of yesterday are listed from the disk, page by page" {
	start_daemon
	for i in 1 2 3; do in_client ping -c 1 -W 1 $server_ip >/dev/null; done
	kept() { [ "$(sql "SELECT count(*) FROM flow WHERE proto = 1")" -ge 3 ]; } # others may be there from before
	wait_for 20 kept
	stop_daemon
	start_daemon # which has none of it in memory
	rows=$(sql "SELECT count(*) FROM flow")
	picket="$build/picket --socket $run/picket.sock"
	$picket flows --since 1h -o json >"$run/flows.json"
	[ "$(jq -s 'length' "$run/flows.json")" -ge "$rows" ]
	[ "$(jq -s 'map(.unmapped.picket.row) | length == (unique | length)' "$run/flows.json")" = true ]
	[ "$(jq -s 'map(.end_time) | . == sort' "$run/flows.json")" = true ]
	[ "$($picket flows --since 1h -o json -n 2 | jq -s '[.[].unmapped.picket.row] == ['"$(jq -s '.[-2:] | map(.unmapped.picket.row) | join(",")' -r "$run/flows.json")"']')" = true ]
	$picket flows --since 1h "host $server_ip and icmp" | grep -q "$server_ip"
	[ "$($picket flows --since 1h -o json "port 9" | wc -l)" = 0 ]
	run -2 $picket flows --since 1h dir out
	[[ $output == *"are not kept"* ]]
	# in pages of one, as a client would read them
	after= n=0
	while page=$(api "/v1/flows?since=0&order=oldest&limit=1${after:+&after=$after}"); do
		n=$((n + $(jq '.flows | length' <<<"$page")))
		[ "$(jq .more <<<"$page")" = true ] || break
		after=$(jq .last <<<"$page")
	done
	[ "$n" -ge "$rows" ]
	all=$(api "/v1/alerts?since=0&limit=10000" | jq '.alerts | length')
	[ "$all" -gt 0 ]
	[ "$($picket alerts --since 24h -o json | jq -s length)" -ge "$all" ]
	[ "$($picket alerts --since 24h -o json -n 1 | jq -s length)" = 1 ]
	run -2 $picket alerts --since 1h --follow
	stop_daemon
}

@test "SIGKILL at any moment loses nothing that was on the disk" {
	start_daemon
	last=$(sql "SELECT max(seq) FROM chain")
	for i in $(seq "$rounds"); do
		family="$daemon $(pgrep -P "$daemon")"
		(for k in 1 2 3 4 5; do odd "k$i-$k"; done) &
		writer=$!
		sleep "0.$((RANDOM % 10))"
		seen=$(sql "SELECT max(seq) FROM chain") # committed: may never be less again
		kill -KILL $family
		wait $writer || true
		for pid in $family; do wait_for 10 is_gone "$pid"; done
		[ "$seen" -ge "$last" ]
		verify 0 "^ok"
		now=$(sql "SELECT max(seq) FROM chain")
		[ "$now" -ge "$seen" ] || { echo "round $i: $seen records, then $now"; false; }
		last=$now
		start_daemon
	done
	stop_daemon
	verify 0 "^ok"
	[ "$(sql "PRAGMA integrity_check")" = ok ]
	echo "$rounds kills, $last records"
	[ "$last" -gt "$rounds" ]
}

# note_kept INCIDENT TEXT: notes it, and writes TEXT down if it was answered that it is kept.
note_kept() {
	curl -sS -f --max-time 20 --unix-socket "$run/picket.sock" -d "{\"text\":\"$2\"}" \
		"http://picket/v1/incidents/$1/note" >"$run/answer" || return 1
	[ "$(jq .unmapped.picket.kept "$run/answer")" = true ] && echo "$2" >>"$run/told"
}

@test "what a person was told to be done is there after SIGKILL" {
	start_daemon
	odd acts
	has_incident() { api "/v1/incidents?state=all" | jq -e '.incidents | length > 0'; }
	wait_for 10 has_incident
	inc=$(api "/v1/incidents?state=all" | jq -r '.incidents[-1].metadata.uid')
	: >"$run/told"
	for i in $(seq "$((rounds * 2))"); do
		family="$daemon $(pgrep -P "$daemon")"
		(for k in $(seq 500); do note_kept "$inc" "act-$i-$k." || break; done) >/dev/null 2>&1 &
		writer=$!
		wait_for 10 grep -q "^act-$i-" "$run/told"
		sleep "0.0$((RANDOM % 10))"
		kill -KILL $family
		wait $writer || true
		for pid in $family; do wait_for 10 is_gone "$pid"; done
		start_daemon
		api "/v1/incidents/$inc" >"$run/inc"
		last=$(grep "^act-$i-" "$run/told" | tail -1)
		jq -e .unmapped.picket.kept "$run/inc"
		grep -qF "\"$last\"" "$run/inc" || { echo "round $i: $last was lost"; false; }
	done
	stop_daemon
	sql "SELECT json_extract(json, '$.comment') FROM object WHERE kind = 3 AND incident = '$inc'" >"$run/there"
	echo "$(wc -l <"$run/told") acts were answered, $((rounds * 2)) kills"
	grep -vxFf "$run/there" "$run/told" && false
	verify 0 "^ok"
}

@test "a full disk: sensing goes on, the loss is told, and with room it writes again" {
	mkdir -p "$run/small"
	mount -t tmpfs -o size=1200k,mode=755 none "$run/small"
	state=$run/small
	sed "s#state: $run/state#state: $run/small#" "$run/picket.yaml" >"$run/small.yaml"
	nsenter --net="/run/netns/${net}c" "$build/picketd" --config "$run/small.yaml" >>"$run/log" 2>&1 3>&- &
	daemon=$!
	wait_for 20 is_covered
	odd small1
	wait_for 10 has_alert small1
	head -c 2M /dev/zero >"$run/small/filler" 2>/dev/null || true
	troubled() {
		odd "fill$RANDOM"
		store_says '.store.trouble and (.degraded | any(contains("not kept")))'
	}
	wait_for 60 troubled
	# alerts and flows are seen all the same
	odd small2
	seen() { api /v1/alerts | jq -e 'any(.alerts[]; tostring | contains("pkst-odd-small2"))'; }
	wait_for 10 seen
	has_alert small2 && false
	verify 0 "^ok"
	# what is done about it is done, and said not to be kept
	curl -sS -f --unix-socket "$run/picket.sock" -d '{"text":"no room"}' http://picket/v1/incidents/1/note |
		jq -e '.unmapped.picket | .kept == false and .acts[-1].kept == false'
	rm "$run/small/filler"
	wait_for 20 has_alert small2 # it waited
	act_waited() { api /v1/incidents/1 | jq -e '.unmapped.picket.kept'; }
	wait_for 20 act_waited
	store_says '.store.trouble == null and .store.tried_again > 0 and .store.lost.queue_full == 0'
	wait_for 5 grep -q "writing again" "$run/log"
	stop_daemon
	verify 0 "^ok"
	umount "$run/small"
	state=
}

@test "a broken database is kept under another name, and the next one says so" {
	for how in "head -c 50000 /dev/urandom" "head -c 5000 '$(db)'" "true"; do
		start_daemon
		odd b1
		wait_for 10 has_alert b1
		stop_daemon
		rm -f "$(db)-wal"
		eval "$how" >"$run/broken" || true
		[ "$how" != true ] || sqlite3 "$run/broken" "PRAGMA user_version = 77"
		cat "$run/broken" >"$(db)"
		start_daemon
		wait_for 10 store_says '.store.broken == 1 and (.store.kept | startswith("store.db.broken-"))'
		kept=$(api /v1/status | jq -r .store.kept)
		cmp "$run/broken" "$run/state/store/$kept"
		wait_for 5 store_says '.notices | any(.text | contains("is kept as"))'
		odd b2
		wait_for 10 has_alert b2
		stop_daemon
		sql "SELECT json FROM object WHERE kind = 3" | grep -qF "$kept"
		verify 0 "^ok"
	done
}

# A copy to tamper with, each time anew.
tamper() {
	rm -rf "$run/copy"
	mkdir -p "$run/copy/store"
	cp "$run/state/store/"{store.pub,checkpoints.jsonl} "$run/copy/store/"
	sqlite3 "$run/state/store/store.db" "VACUUM INTO '$run/copy/store/store.db'"
	state=$run/copy
	[ -z "$1" ] || sql "$1"
}

@test "each way to tamper has its own exit code" {
	start_daemon
	for k in 1 2 3 4 5 6; do odd "t$k"; done
	wait_for 10 has_alert t6
	stop_daemon # signs a checkpoint
	tamper ""
	verify 0 "^ok"
	last=$(sql "SELECT max(seq) FROM chain")
	tamper "UPDATE object SET json = replace(json, 'pkst-odd-t3', 'pkst-odd-t4') WHERE json LIKE '%pkst-odd-t3%'"
	verify 2 "is not what record"
	tamper "UPDATE chain SET record = replace(record, '\"actor\":\"picketd\"', '\"actor\":\"somebody\"') WHERE seq = 2"
	verify 2 "record 2 was changed"
	tamper "DELETE FROM chain WHERE seq = 3"
	verify 3 "record 3 is missing"
	tamper "DELETE FROM object WHERE json LIKE '%pkst-odd-t3%'"
	verify 3 "is not there any more"
	tamper "DELETE FROM chain WHERE seq > $last - 2; DELETE FROM object WHERE seq > $last - 2"
	verify 4 "but $last were signed for"
	tamper ""
	python3 tests/e2e/restamp.py "$(db)"
	verify 5 "written anew"
	tamper ""
	rm "$run/copy/store/checkpoints.jsonl"
	verify 6 "no signed checkpoint"
	"$build/picket" verify -o json --db "$(db)" | jq -e '.code == 6 and .result == "no anchor"'
	verify 1 "no-such" --db "$run/no-such.db"
	state=
}

@test "checkpoints go to the file that was named" {
	sed '$ a store: {checkpoints: '"$run"'/elsewhere.jsonl}' "$run/picket.yaml" >"$run/elsewhere.yaml"
	nsenter --net="/run/netns/${net}c" "$build/picketd" --config "$run/elsewhere.yaml" >>"$run/log" 2>&1 3>&- &
	daemon=$!
	wait_for 20 is_covered
	odd e1
	wait_for 10 has_alert e1
	stop_daemon
	[ -s "$run/elsewhere.jsonl" ]
	verify 0 "elsewhere.jsonl" --checkpoints "$run/elsewhere.jsonl"
}
