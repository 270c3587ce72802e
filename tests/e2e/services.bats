#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the broker does for block lists: chunks, the safe set, files. `asker` is the broker with a
# pipeline that prints what it is told and asks what it is told to.

net=pksv
load lib

setup() {
	export run=$BATS_TEST_TMPDIR
	mkdir -p "$run/state"
	mkdir -m 700 "$run/state/lists"
	mkfifo "$run/ctl"
	chmod 666 "$run/ctl"
	exec 7<>"$run/ctl"
	make_net
	write_config "$run/picket.yaml"
}

teardown() {
	[ -z "${asker:-}" ] || kill -KILL "$asker" 2>/dev/null || true
	[ ! -e /sys/fs/bpf/$net ] || in_client "$build/picketd" --config "$run/picket.yaml" --detach
	clean_net
}

has() { grep -qxE -- "$1" "$run/log"; }
begin() {
	: >"$run/log"
	nsenter --net=/run/netns/${net}c "$bin/asker" "$run/picket.yaml" "$run/ctl" >>"$run/log" 2>&1 3>&- 7>&- &
	asker=$!
	wait_for 20 has start
}
end() {
	kill "-$1" "$asker"
	wait_for 10 is_gone "$asker"
	wait "$asker" 2>/dev/null || true
	asker=
}
say() { echo "$*" >"$run/ctl"; }
# told LINE: within five seconds.
told() { wait_for 5 has "$1" || { cat "$run/log"; return 1; }; }

@test "chunks come when asked for, up to the limit, and are found again" {
	echo "block: {memory: 8M}" >>"$run/picket.yaml"
	begin
	has "block adopted=0 max=8"
	say grow 2
	told "chunk 0 fresh=1 word=0"
	told "chunk 1 fresh=1 word=0"
	say grow 7
	told "grow failed: No space left on device"
	say crash
	told "chunk 1 fresh=0 word=1001"
	say hold
	wait_for 5 test -e /sys/fs/bpf/$net/meta
	end TERM
	begin
	has "block adopted=1 max=8"
	has "chunk 0 fresh=0 word=1000"
	has "chunk 1 fresh=0 word=1001"
}

@test "own addresses, gateways and management networks are safe, and only as long as they are" {
	ip -n ${net}c route add default via 10.97.0.2
	echo "block: {management: [10.5.0.0/16]}" >>"$run/picket.yaml"
	begin
	has "safe 10.97.0.1/128 1"
	has "safe 10.97.0.2/128 [37]" # the other end is watched too: its own, and our gateway
	has "safe fd97::1/128 1"
	has "safe 127.0.0.0/104 20"
	has "safe 10.5.0.0/112 10"
	ip -n ${net}c addr add 10.97.7.7/32 dev ${net}c0
	told "safe 10.97.7.7/128 1"
	ip -n ${net}c addr del 10.97.7.7/32 dev ${net}c0
	told "gone 10.97.7.7/128 1"
	ip -n ${net}c route replace default via 10.97.0.3
	told "safe 10.97.0.3/128 2"
	ip -n ${net}c route replace default via 10.97.0.4
	told "safe 10.97.0.4/128 2"
	told "gone 10.97.0.3/128 2"
	ip -n ${net}c link set ${net}c0 down
	told "gone 10.97.0.4/128 2"
	sed -i 's,10.5.0.0/16,10.6.0.0/16,' "$run/picket.yaml"
	kill -HUP "$asker"
	told "gone 10.5.0.0/112 10"
	told "safe 10.6.0.0/112 10"
}

@test "administrators and exceptions are as the pipeline says, but never about ourselves" {
	ip -n ${net}c route add default via 10.97.0.3
	begin
	say admin 192.0.2.7
	told "safe 192.0.2.7/128 8"
	say except 10.97.0.3
	told "safe 10.97.0.3/128 0"
	say unexcept 10.97.0.3
	told "safe 10.97.0.3/128 2"
	say except 10.97.0.1
	told ".*an exception from the safe set is refused: the address is our own"
	say except 127.0.0.1
	refused_twice() { [ "$(grep -c 'is refused: the address' "$run/log")" = 2 ]; }
	wait_for 5 refused_twice
	! has "safe (10.97.0.1|127.0.0.1)/128 0" || false
}

@test "lists are saved in order, found again read only, and removed" {
	begin
	say save manual one
	say save manual two
	say save feed xyz
	told "saved manual 1: Success"
	told "saved manual 2: Success"
	told "saved feed 3: Success"
	[ "$(cat "$run/state/lists/manual.list")" = two ]
	[ "$(cat "$run/state/lists/manual.list.prev")" = one ]
	[ "$(stat -c %a "$run/state/lists/manual.list")" = 600 ]
	end KILL
	begin
	has "list manual previous=0 two writable=0"
	has "list manual previous=1 one writable=0"
	has "list feed previous=0 xyz writable=0"
	say remove manual
	told "saved manual 1: Success"
	[ "$(cd "$run/state/lists" && echo *)" = "changes.0 changes.1 feed.list" ]
	end TERM
	ln -s /etc/passwd "$run/state/lists/evil.list"
	begin
	has ".*evil.list can not be read: .*"
	! grep -q root: "$run/log" || false
}

@test "a full disk is told and the old list stays" {
	mount -t tmpfs -o size=64K,mode=700 pksv "$run/state/lists"
	begin
	say save manual one
	told "saved manual 1: Success"
	head -c 200000 /dev/zero >"$run/state/lists/fill" 2>/dev/null || true
	say save manual two
	told "saved manual 2: No space left on device"
	end TERM
	begin
	has "list manual previous=0 one writable=0"
	end TERM
	umount "$run/state/lists"
}

@test "where nothing can be kept that is told, and the rest goes on" {
	chmod 777 "$run/state/lists"
	begin
	has ".*lists are lost when the host restarts"
	say save manual one
	told "saved manual 1: Operation not permitted"
	[ -z "$(ls "$run/state/lists")" ]
}
