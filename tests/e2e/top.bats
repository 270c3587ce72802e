#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The live view, in a terminal of tmux: what a person sees, types and clicks.

bats_require_minimum_version 1.5.0
net=pktt
load lib

# A window title, a cleared screen, text from right to left: what a process may call itself.
evil=$'e\e]0;PWN\a\e[2J'
argument=$'=cmd|\e[2J\r\u202egpj.exe\u009b31m\xff\xfe\n'

setup_file() {
	export run=$BATS_FILE_TMPDIR
	export PICKET_SOCKET=$run/picket.sock
	export TMUX_TMPDIR=$run
	export XDG_CONFIG_HOME=$run/config
	export LC_ALL=C.UTF-8
	make_net
	write_config "$run/picket.yaml"
	start_daemon
	start_server 7003
	tmux -f /dev/null new-session -d -s keep cat # or the server ends with the last view
	cp "$bin/client" "$run/$evil"
	export daemon server
}

teardown_file() {
	[ ! -s "$run/daemon" ] || daemon=$(cat "$run/daemon")
	tmux kill-server 2>/dev/null || true
	kill_children
	clean_net
}

pane() { tmux capture-pane -p -t view; }
shows() { pane | grep -qF -- "$1"; }
keys() { tmux send-keys -t view "$@"; }
has_talker() { pane | grep -qE "^[+.] client .*$server_ip:7003"; } # a mark, then its name
# start_top WIDTHxHEIGHT [ARGUMENTS [ENVIRONMENT]]
start_top() {
	tmux kill-session -t view 2>/dev/null || true
	tmux new-session -d -s view -x "${1%x*}" -y "${1#*x}" \
		"exec env ${3:-} $build/picket top ${2:-} 2>$run/top.err"
	tmux pipe-pane -t view "cat >>$run/raw"
}
talk() { in_client "$bin/client" tcp $server_ip 7003 "${1:-top}"; }
# click COLUMN LINE (from 1): a press and a release as tmux tells them (X11 mouse reporting)
click() {
	local at
	at=$(printf "\\x$(printf %x $(($1 + 32)))\\x$(printf %x $(($2 + 32)))")
	keys -l $'\e[M '"$at"$'\e[M#'"$at"
}

@test "a talker with its process at every size, and no line too wide" {
	for size in 40x10 80x24 120x40 200x60; do
		start_top $size "'port 7003'"
		talk
		wait_for 10 has_talker
		[ "$(pane | python3 -c 'import sys; print(max(len(l.rstrip("\n")) for l in sys.stdin))')" -le ${size%x*} ]
	done
}

@test "no hostile name gets through" {
	: >"$run/raw"
	start_top 120x40 "port 7003 and iface ${net}c0"
	in_client "$run/$evil" tcp $server_ip 7003 "$argument"
	keys 3
	wait_for 10 shows 'e\e]0;PWN'
	keys Enter
	wait_for 10 shows 'Process tree'
	keys Enter
	wait_for 10 shows '\u{202E}gpj.exe'
	pane | head -n 1 | grep -qE '^▲ .*B/s .*▼ .*B/s' # its history stands above
	! grep -qF $'\e]0;PWN' "$run/raw" || false
	! grep -qF $'\u202e' "$run/raw" || false
	[ "$(tmux display-message -p -t view '#{pane_title}')" != PWN ]
}

@test "a wrong filter is told while it is typed, below its place; a right one applies" {
	start_top 80x24
	wait_for 10 shows '3Procs'
	keys /
	keys -l 'prot 1'
	wait_for 5 shows '^ unknown word'
	pane | grep -B1 'unknown word' | head -n 1 | grep -q '^filter: prot 1'
	keys C-u
	keys -l 'port 7003'
	wait_for 5 shows 'flows; Enter applies'
	keys Enter
	wait_for 5 shows 'filter: port 7003'
	keys Escape
	wait_for 5 bash -c "! tmux capture-pane -p -t view | grep -q 'filter:'"
	tmux resize-window -t view -x 60 -y 15
	wait_for 5 shows 'RATE/s'
	keys '?'
	wait_for 5 shows 'Marks and colours'
	keys Escape
	wait_for 5 shows 'RATE/s'
	keys q
	wait_for 5 bash -c '! tmux has-session -t view'
	[ ! -s "$run/top.err" ]
}

@test "the tree shows who began it, with the sum of what is below, and folds" {
	in_client bash -c "for i in 1 2 3; do $bin/client tcp $server_ip 7003 tree; sleep 0.5; done; exec sleep 6" &
	others="$others $!"
	start_top 120x40 '-v tree'
	wait_for 10 bash -c "tmux capture-pane -p -t view | grep -qE '[├└]─client'"
	keys -l '*'
	wait_for 5 shows '[+'
	keys -l '*'
	wait_for 5 bash -c "! tmux capture-pane -p -t view | grep -qF '[+'"
}

@test "the story of a flow: who, with whom, how much, how usual" {
	start_top 120x40 "port 7003 and iface ${net}c0"
	talk
	wait_for 10 has_talker
	keys Enter
	wait_for 5 shows "talks to $server_ip"
	shows 'begun by'
	shows 'usual'
	shows 'blocked    no'
	shows 'RATE/s' # the list is still there
	keys Escape
	wait_for 5 bash -c "! tmux capture-pane -p -t view | grep -q 'talks to'"
}

@test "what a block would cut, and that nothing is done without y" {
	start_top 100x30 "port 7003 and iface ${net}c0"
	talk
	wait_for 10 has_talker
	keys 5
	wait_for 5 shows 'ADDRESS'
	keys b
	wait_for 5 shows 'What blocking it would cut'
	shows "picket block $server_ip --ttl 1h --reason 'seen in picket top'"
	shows 'y/N'
	keys n
	wait_for 5 shows 'ADDRESS'
	[ -z "$(picket list show manual 2>/dev/null)" ]
}

@test "a view is saved by its name, chosen from the list, started with" {
	start_top 80x24 "-v ports 'port 7003'"
	wait_for 5 shows 'filter: port 7003'
	keys w
	keys -l 'my ports'
	keys Enter
	wait_for 5 shows 'saved'
	grep -q 'name: "my ports"' "$XDG_CONFIG_HOME/picket/top.yaml"
	keys 1 Escape v
	wait_for 5 shows 'Saved views'
	keys Enter
	wait_for 5 shows 'PORT'
	shows 'filter: port 7003'
	start_top 80x24 "-v 'my ports'"
	wait_for 5 shows 'filter: port 7003'
	run --separate-stderr picket top -v nonsense </dev/null
	[ "$status" = 2 ]
}

@test "mouse: a click on a tab, on a title; off when asked" {
	start_top 120x40
	wait_for 10 shows '2 Tree'
	click 28 4
	wait_for 5 shows 'NAME  '
	click 3 5
	wait_for 5 shows 'NAME↓'
	click 3 5
	wait_for 5 shows 'NAME↑'
	: >"$run/raw"
	keys m
	wait_for 5 grep -qF $'\e[?1000l' "$run/raw"
}

@test "without UTF-8 and without colours it says the same in ASCII" {
	start_top 80x24 "'port 7003'" 'LC_ALL=C NO_COLOR=1'
	talk
	wait_for 10 has_talker
	: >"$run/raw"
	keys 2
	wait_for 5 shows '`-client'
	! LC_ALL=C grep -q '[^ -~[:cntrl:]]' "$run/raw" || false
	! grep -qE $'\e\[(3|4)[0-9](;|m)' "$run/raw" || false
}

@test "it survives the daemon: says so, and goes on when it is back" {
	start_top 80x24
	wait_for 10 shows '3Procs'
	kill -TERM "$daemon"
	wait_for 15 is_gone "$daemon"
	wait_for 5 shows 'trying again'
	start_daemon
	echo "$daemon" >"$run/daemon"
	wait_for 15 shows 'the daemon was restarted'
	talk back
	wait_for 15 shows "$server_ip:7003"
	! shows 'trying again' || false
}
