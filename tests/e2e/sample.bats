#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# 20,000 new TLS conversations a second on one interface: each is a flow, both hellos of each are
# sampled, and nothing is lost between the packet and the agent. What the configuration turns off
# stays in the kernel. PICKET_FULL=1: 10 s instead of 3.

net=pksa
load lib
seconds=$([ -n "${PICKET_FULL:-}" ] && echo 10 || echo 3)
rate=20000

is_watching() {
	api /v1/status | jq -e '[.coverage[] | select(.iface == "pksac0" and .ingress != "none")] | length == 1'
}

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml" "slots: 131072"
	sed -i 's/^netns:.*/netns: {containers: false}/' "$run/picket.yaml"
	mkdir -p "$run/state"
	launch_daemon
	export daemon
	wait_for 20 is_watching
	# What else this machine is busy with is not the question: each end has a CPU of its own, and
	# has it first.
	local pid
	for pid in "$daemon" $(pgrep -P "$daemon"); do
		chrt -a -r -p 2 "$pid"
		taskset -a -p -c $(($(nproc) - 1)) "$pid" >/dev/null
	done
}

teardown_file() {
	kill_children
	clean_net
}

of() { api /v1/status | jq ".samples.rows[] | select(.app == \"$1\") | $2"; }
cpu() {
	local pid
	for pid in "$daemon" $(pgrep -P "$daemon"); do cat "/proc/$pid/stat"; done |
		sed 's/^.*) //' | awk '{ s += $12 + $13 } END { print s }'
}

# Nanoseconds that the agent's second process could have run and did not.
waited() { cut -d' ' -f2 "/proc/$(pgrep -P "$daemon")/schedstat"; }

@test "no loss at 20,000 new TLS flows a second" {
	before=$(cpu) waits=$(waited)
	chrt -r 1 taskset -c 0 nsenter --net=/run/netns/pksas "$bin/hellos" pksas0 $rate "$seconds" >"$run/hellos"
	sleep 1.5
	cat "$run/hellos"
	want=$((rate * seconds))
	took=$(awk '{ print $4 }' "$run/hellos")
	api /v1/status >"$run/status"
	jq -c '(.samples.rows[] | select(.seen > 0)), (.rings[] | select(.records > 0))' "$run/status"
	echo "it waited $((($(waited) - waits) / 1000000)) ms for its CPU, of $took s"
	cpu_us=$((($(cpu) - before) * 1000000 / $(getconf CLK_TCK) / want))
	echo "the agent took $cpu_us us of a core for each conversation"
	[ "$(of tls .sampled)" = $((2 * want)) ]
	[ "$(of tls '.limited + .ring_full + .unread + .off')" = 0 ]
	[ "$(jq '[.rings[].lost] | add' "$run/status")" = 0 ]
	[ "$(jq .kernel_table.refused "$run/status")" = 0 ]
	[ "$(jq .kernel_table.created "$run/status")" -ge $want ]
	wait_for 10 eval 'api /v1/status | jq -e ".samples.ok and .packets.ok"'
	echo "# $(cat "$run/hellos"): $(of tls .sampled) hellos sampled, none lost," \
		"$cpu_us us of a core each" >&3
}

was_read_again() { api /v1/status | jq -e 'any(.notices[]; .text | test("read again"))'; }

@test "sample.off counts at once on reload" {
	echo "sample: {off: [tls]}" >>"$run/picket.yaml"
	kill -HUP "$daemon"
	wait_for 10 was_read_again
	sampled=$(of tls .sampled) off=$(of tls .off)
	nsenter --net=/run/netns/pksas "$bin/hellos" pksas0 100 1
	[ "$(of tls .sampled)" = "$sampled" ]
	[ "$(of tls .off)" = $((off + 200)) ]
	[ "$(of kept .sampled)" -gt 0 ] # their headers are kept all the same
}
