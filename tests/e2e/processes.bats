#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a process may not talk to, by executable, user, cgroup and container: its calls fail with EPERM
# at once, those of all others are as before; and --force-cover, the one way past the safe set.

bats_require_minimum_version 1.5.0
net=pkwh
load lib

picket() { "$build/picket" --socket "$run/picket.sock" "$@"; }
answers() { api /v1/lists; }
cgroups=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
container=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
groups="pkwh/inner pkwh docker-$container.scope"

remove_groups() {
	local g
	for g in $groups; do
		[ ! -d "$cgroups/$g" ] || rmdir "$cgroups/$g"
	done
}

setup() {
	run=$BATS_TEST_TMPDIR
	[ -n "$cgroups" ] || skip "there is no cgroup v2 here"
	mkdir -p "$run/state"
	remove_groups
	make_net
	write_config "$run/picket.yaml"
	sed -i "s/^netns:.*/netns: {names: [], containers: false}/" "$run/picket.yaml"
	launch_daemon
	wait_for 20 answers
}

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || tail -5 "$run/log"
	kill_children
	"$build/picketd" --config "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	remove_groups
	[ -z "${own:-}" ] || rm -rf "$own"
	clean_net
	[ ! -e /sys/fs/bpf/$net ]
}

# call [CGROUP] -- what a connect() to a closed port of the server said: EPERM or its answer.
call() {
	local group=${1:-}
	[ -z "$group" ] || group="echo \$\$ >'$cgroups/$group/cgroup.procs';"
	nsenter --net=/run/netns/${net}c bash -c "$group exec 3<>/dev/tcp/$server_ip/80" 2>&1 || true
}
is_refused() { [[ $(call "$@") == *"Operation not permitted"* ]]; }
is_open() { [[ $(call "$@") == *"Connection refused"* ]]; }

@test "a cgroup and what is below it" {
	mkdir -p "$cgroups/pkwh/inner"
	is_open pkwh
	picket block --cgroup pkwh --to $server_ip/32 --list by
	wait_for 5 is_refused pkwh
	is_refused pkwh/inner
	is_open
	picket unblock --cgroup pkwh --to $server_ip/32 --list by
	wait_for 5 is_open pkwh
	picket block --cgroup pkwh --to 198.51.100.0/24 --list by # elsewhere
	sleep 1.2
	is_open pkwh
	run ! "$build/picket" --socket "$run/picket.sock" block --cgroup ../etc --list by
}

# A process in the cgroup of a container, by which it is known as one.
run_container() {
	mkdir "$cgroups/$1"
	nsenter --net=/run/netns/${net}c bash -c "echo \$\$ >'$cgroups/$1/cgroup.procs'; exec sleep 60" 3>&- &
	others=$!
}
end_container() {
	kill $others
	wait $others || true
	others=
	rmdir "$cgroups/$1"
}

@test "a container, also when it is started anew" {
	local group=docker-$container.scope
	run ! "$build/picket" --socket "$run/picket.sock" block --container ${container:0:12}
	[[ $output == *"no such container"* ]]
	run=$BATS_TEST_TMPDIR
	run_container $group
	wait_for 10 picket block --container ${container:0:12} --to $server_ip/32 --list by
	wait_for 5 is_refused $group
	is_open
	end_container $group
	run_container $group # another id
	wait_for 10 is_refused $group
	is_open
	end_container $group
}

@test "an executable and a user" {
	own=$(mktemp -d /usr/local/pkwh.XXXXXX) # where the agent may look, too
	chmod 755 "$own"
	cp /bin/bash "$own/bash"
	picket block --exe "$own/bash" --to $server_ip/32 --list by
	run -1 in_client "$own/bash" -c "exec 3<>/dev/tcp/$server_ip/80"
	run=$BATS_TEST_TMPDIR
	[[ $output == *"Operation not permitted"* ]]
	is_open
	picket unblock --exe "$own/bash" --to $server_ip/32 --list by
	picket block --user nobody --to $server_ip/32 --list by
	run -1 in_client setpriv --reuid nobody bash -c "exec 3<>/dev/tcp/$server_ip/80"
	run=$BATS_TEST_TMPDIR
	[[ $output == *"Operation not permitted"* ]]
	is_open
}

@test "--force-cover: the address it names, and no other" {
	ip -n ${net}c route add default via $server_ip
	is_safe() { api /v1/lists | jq -e 'any(.safe[]; .prefix == "10.97.0.2")'; }
	wait_for 5 is_safe
	run ! "$build/picket" --socket "$run/picket.sock" block $server_ip
	[[ $output == *"--force-cover $server_ip"* ]]
	run=$BATS_TEST_TMPDIR
	in_client ping -c 1 -W 1 $server_ip
	run ! "$build/picket" --socket "$run/picket.sock" block --force-cover 10.97.0.9 $server_ip
	run=$BATS_TEST_TMPDIR
	picket block --force-cover $server_ip $server_ip
	run ! in_client ping -c 1 -W 1 $server_ip
	run=$BATS_TEST_TMPDIR
	# what is never dropped is not blocked either
	run ! "$build/picket" --socket "$run/picket.sock" block --force-cover $client_ip $client_ip
	[[ $output == *"own address; packets of it are never dropped"* ]]
	run=$BATS_TEST_TMPDIR
	picket unblock $server_ip
	in_client ping -c 1 -W 1 $server_ip
}
