#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The tool as a person and a script meet it: formats, wrong input, hostile names, the live view.

bats_require_minimum_version 1.5.0
net=pkto
load lib

# What a process may call itself: a window title, a cleared screen, text from right to left, a C1
# control, bytes that are not UTF-8, a spreadsheet formula.
evil=$'e\e]0;PWN\a\e[2J'
argument=$'=cmd|\e[2J\r\u202egpj.exe\u009b31m\xff\xfe\n'

setup_file() {
	export run=$BATS_FILE_TMPDIR
	export PICKET_SOCKET=$run/picket.sock
	export TMUX_TMPDIR=$run
	make_net
	write_config "$run/picket.yaml"
	start_daemon
	start_server 7003
	tmux -f /dev/null new-session -d -s keep cat # or the server ends with the last view
	cp "$bin/client" "$run/$evil"
	in_client "$run/$evil" tcp $server_ip 7003 "$argument"
	export daemon server
}

teardown_file() {
	[ ! -s "$run/daemon" ] || daemon=$(cat "$run/daemon")
	tmux kill-server 2>/dev/null || true
	kill_children
	clean_net
}

# Standard input is UTF-8 without any character that a terminal would obey or hide.
is_harmless() {
	python3 -c '
import sys, unicodedata
text = sys.stdin.buffer.read().decode("utf-8")
bad = {hex(ord(c)) for c in text if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs") and c != "\n"}
sys.exit(f"raw: {sorted(bad)}" if bad else 0)'
}

is_listed() { picket flows -a -o json port 7003 | grep -q gpj.exe; }

@test "hostile names reach no terminal raw, in any command and format" {
	wait_for 10 is_listed
	for command in 'flows -a' events ps status; do
		for format in table json csv; do
			# shellcheck disable=SC2086
			picket $command -o $format >"$run/text"
			[ -s "$run/text" ]
			is_harmless <"$run/text" || {
				echo "$command -o $format"
				false
			}
		done
	done
	picket flows -a port 7003 | grep -F 'e\e]0;PWN\x07\e[2J'
	picket flows -a port 7003 | grep -F '\u{202E}gpj.exe'
}

@test "json is the record, csv has a header and no formula" {
	picket flows -a -o json port 7003 | jq -se '.[0].class_uid == 4001 and .[0].dst_endpoint.port == 7003'
	picket flows -a -o csv port 7003 | python3 -c '
import csv, sys
rows = list(csv.DictReader(sys.stdin))
assert rows and all(None not in r and None not in r.values() for r in rows), rows
assert not any(v[:1] in "=+@" for r in rows for v in r.values() if v), rows'
}

@test "a wrong filter shows where, on standard error, status 2" {
	run --separate-stderr picket flows 'port 7003 and prot 1'
	[ "$status" = 2 ]
	[ -z "$output" ]
	[ "${stderr_lines[1]}" = "  port 7003 and prot 1" ]
	[ "${stderr_lines[2]}" = "                ^" ]
	run --separate-stderr picket flows 'proc 漢ü and prot 1'
	[ "${stderr_lines[2]}" = "               ^" ]
}

@test "wrong usage is 2, no daemon is 1 and says how to start it, help is 0" {
	run picket nonsense
	[ "$status" = 2 ]
	run picket flows --nonsense
	[ "$status" = 2 ]
	run picket flows -o xml
	[ "$status" = 2 ]
	run picket --socket "$run/none.sock" status
	[ "$status" = 1 ]
	[[ $output == *"systemctl start"* ]]
	for command in top flows events ps status replay completion; do
		picket $command --help | grep -q Examples
	done
}

@test "a reader that leaves is no error message" {
	run --separate-stderr bash -c 'picket events | head -n 1'
	[ -z "$stderr" ]
	[ "${#lines[@]}" = 1 ]
}

@test "ps has the listening server below those that started it" {
	picket ps -o json | jq -se --argjson pid "$server" '
		any(.[]; .process.pid == $pid and .depth > 0 and (.listening | index("tcp [::]:7003")))'
}

@test "completion scripts are valid and know every command" {
	picket completion bash >"$run/c.bash"
	bash -n "$run/c.bash"
	for shell in bash zsh fish; do
		for command in top flows events ps status replay completion; do
			picket completion $shell | grep -qw "$command"
		done
	done
}

@test "install puts everything below DESTDIR" {
	tools/install.sh "$build" "$run/dest" /usr /etc
	for file in usr/sbin/picketd usr/bin/picket etc/picket/picket.yaml \
		usr/lib/systemd/system/picket.service usr/lib/sysusers.d/picket.conf \
		usr/lib/tmpfiles.d/picket.conf usr/share/man/man1/picket.1 \
		usr/share/man/man8/picketd.8 usr/share/man/man5/picket.yaml.5 \
		usr/share/bash-completion/completions/picket; do
		[ -s "$run/dest/$file" ]
	done
	"$run/dest/usr/sbin/picketd" --check-config --config "$run/dest/etc/picket/picket.yaml"
}

# The live view, in a terminal of tmux.
pane() { tmux capture-pane -p -t view; }
shows() { pane | grep -qF -- "$1"; }
has_talker() { pane | grep -q "^client .*$server_ip:7003"; } # the name begins its line
start_top() { # start_top WIDTH HEIGHT [FILTER]
	tmux kill-session -t view 2>/dev/null || true
	tmux new-session -d -s view -x "$1" -y "$2" \
		"exec $build/picket top $3 2>$run/top.err"
	tmux pipe-pane -t view "cat >>$run/raw"
}

@test "top shows a talker with its process at every size" {
	for size in 40x10 80x24 200x60; do
		start_top ${size%x*} ${size#*x} 'port 7003'
		in_client "$bin/client" tcp $server_ip 7003 top
		wait_for 10 has_talker
		[ "$(pane | python3 -c 'import sys; print(max(len(l.rstrip("\n")) for l in sys.stdin))')" -le ${size%x*} ]
	done
}

@test "top lets no hostile name through" {
	: >"$run/raw"
	start_top 120 40 "port 7003 and iface ${net}c0"
	in_client "$run/$evil" tcp $server_ip 7003 "$argument"
	tmux send-keys -t view 2
	wait_for 10 shows 'e\e]0;PWN'
	tmux send-keys -t view Enter
	wait_for 10 shows 'Process tree'
	shows '\u{202E}gpj.exe'
	pane | head -n 1 | grep -qE '^▲ .*B/s .*▼ .*B/s' # its history stands above
	pane | sed -n 2p | grep -q '^Process'
	! grep -qF $'\e]0;PWN' "$run/raw"
	! grep -qF $'\u202e' "$run/raw"
	[ "$(tmux display-message -p -t view '#{pane_title}')" != PWN ]
}

@test "top: a wrong filter is told in place, a resize keeps the view, q ends it" {
	start_top 80 24
	wait_for 10 shows 'Processes'
	tmux send-keys -t view /
	tmux send-keys -t view -l 'prot 1'
	tmux send-keys -t view Enter
	wait_for 5 shows 'unknown word'
	tmux send-keys -t view Escape
	tmux resize-window -t view -x 60 -y 15
	wait_for 5 shows 'RATE/s'
	tmux send-keys -t view '?'
	wait_for 5 shows 'Keys'
	tmux send-keys -t view Escape
	wait_for 5 shows 'RATE/s'
	tmux send-keys -t view q
	wait_for 5 bash -c '! tmux has-session -t view'
	[ ! -s "$run/top.err" ]
}

@test "top survives the daemon: says so, and goes on when it is back" {
	start_top 80 24
	wait_for 10 shows 'Processes'
	kill -TERM "$daemon"
	wait_for 15 is_gone "$daemon"
	wait_for 5 shows 'trying again'
	start_daemon
	echo "$daemon" >"$run/daemon"
	in_client "$bin/client" tcp $server_ip 7003 back
	wait_for 15 shows "$server_ip:7003"
	! shows 'trying again'
}
