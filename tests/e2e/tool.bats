#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The tool as a person and a script meet it: formats, wrong input, hostile names.

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
	make_net
	write_config "$run/picket.yaml"
	start_daemon
	start_server 7003
	cp "$bin/client" "$run/$evil"
	in_client "$run/$evil" tcp $server_ip 7003 "$argument"
	export daemon server
}

teardown_file() {
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
	for command in top who flows events ps status replay completion; do
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

@test "who talks to a port: the program, since when, how much, once however often it ran" {
	for i in 1 2 3; do in_client "$bin/client" tcp $server_ip 7003 "$i"; done
	wait_for 10 bash -c "picket who 7003 | grep -qE '3 x +client +root .* 3 .* $server_ip +'"
	picket who $server_ip -o json | jq -se 'any(.[]; .process.name == "client" and .processes >= 3 and .sent > 0)'
	picket who 192.0.2.77 2>"$run/err" | grep -q '^ *PID PROCESS'
	grep -q nobody "$run/err"
	run ! picket who
}

@test "completion scripts are valid and know every command" {
	picket completion bash >"$run/c.bash"
	bash -n "$run/c.bash"
	for shell in bash zsh fish; do
		for command in top who flows events ps status replay completion; do
			picket completion $shell | grep -qw "$command"
		done
	done
}

@test "install puts everything below DESTDIR" {
	tools/install.sh "$build" "$run/dest" /usr /etc
	for file in usr/sbin/picketd usr/bin/picket etc/picket/picket.yaml \
		usr/lib/systemd/system/picket.service usr/lib/systemd/system/picket-hub.service \
		usr/lib/sysusers.d/picket.conf \
		usr/lib/tmpfiles.d/picket.conf usr/share/man/man1/picket.1 \
		usr/share/man/man8/picketd.8 usr/share/man/man5/picket.yaml.5 \
		usr/share/bash-completion/completions/picket; do
		[ -s "$run/dest/$file" ]
	done
	"$run/dest/usr/sbin/picketd" --check-config --config "$run/dest/etc/picket/picket.yaml"
}
