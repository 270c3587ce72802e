# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
#
# A real cluster of three nats-servers, with JetStream on disk and TLS for clients, who come to
# $nats_address (loopback), and between its nodes, on loopback. Who somebody is says his certificate (verify_and_map): `admin` may do all, `hub`
# reads the stream, each of $nats_hosts may publish its own alerts and read the bucket of lists, and
# listen below _INBOX.default.HOST only. All of it is below $run/nats; the nodes run in the namespace
# $nats_netns, or here if that is not set. For files that have loaded lib.bash.

nats_stream=picket nats_bucket=picket_lists nats_port=4610
nats_hosts=${nats_hosts:-web1 web2 web3}
nats_address=${nats_address:-127.0.0.1}
nats_servers=tls://$nats_address:4611,tls://$nats_address:4612,tls://$nats_address:4613

nats_has() { command -v nats-server >/dev/null; }

nats_cert() { # nats_cert NAME SAN
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-keyout "$run/nats/$1.key" -out "$run/nats/$1.csr"
	openssl x509 -req -in "$run/nats/$1.csr" -CA "$run/nats/ca.pem" -CAkey "$run/nats/ca.key" \
		-CAcreateserial -days 2 -extfile <(echo "subjectAltName=$2") -out "$run/nats/$1.pem"
}

# What a host may do: a consumer, which could send to any subject, is nothing that it may make.
nats_may() {
	cat <<-END
		{ user: "$1", permissions: {
		  publish: { allow: [ "picket.default.$1.alerts", "\$JS.API.STREAM.INFO.$nats_stream",
		    "\$JS.API.STREAM.INFO.KV_$nats_bucket", "\$JS.API.STREAM.MSG.GET.KV_$nats_bucket",
		    "\$JS.API.DIRECT.GET.KV_$nats_bucket", "\$JS.API.DIRECT.GET.KV_$nats_bucket.>" ] },
		  subscribe: { allow: [ "_INBOX.default.$1.>", "\$KV.$nats_bucket.*" ] } } }
	END
}

nats_config() { # nats_config NODE
	local tls="cert_file: '$run/nats/node.pem', key_file: '$run/nats/node.key', ca_file: '$run/nats/ca.pem'" other host
	echo "server_name: n$1"
	echo "listen: '$nats_address:$((nats_port + $1))'"
	echo "tls: { $tls, verify_and_map: true }"
	echo "jetstream: { store_dir: '$run/nats/n$1', max_memory_store: 16M, max_file_store: 256M }"
	echo "cluster: { name: picket, listen: '127.0.0.1:$((nats_port + 10 + $1))', tls: { $tls, verify: true }, routes: ["
	for other in 1 2 3; do echo "  'nats://localhost:$((nats_port + 10 + other))'"; done
	echo "] }"
	echo "authorization: { users: ["
	echo '{ user: "admin" }'
	cat <<-END
		{ user: "hub", permissions: {
		  publish: { allow: [ "\$JS.API.STREAM.INFO.$nats_stream", "\$JS.API.CONSUMER.*.$nats_stream",
		    "\$JS.API.CONSUMER.*.$nats_stream.>", "\$JS.API.CONSUMER.DURABLE.CREATE.$nats_stream.>",
		    "\$JS.API.CONSUMER.MSG.NEXT.$nats_stream.>", "\$JS.ACK.$nats_stream.>" ] },
		  subscribe: { allow: [ "_INBOX.default.hub.>" ] } } }
	END
	for host in $nats_hosts; do nats_may "$host"; done
	echo "] }"
}

nats_node() { # nats_node NODE: starts it; its pid is in $run/nats/nNODE.started
	local space=()
	[ -z "${nats_netns:-}" ] || space=(nsenter "--net=/run/netns/$nats_netns")
	"${space[@]}" nats-server -c "$run/nats/n$1.conf" >>"$run/nats/n$1.log" 2>&1 3>&- &
	echo $! >"$run/nats/n$1.started"
}

nats_kill() { # nats_kill NODE [SIGNAL]: by its pid, until it is gone
	local pid
	pid=$(cat "$run/nats/n$1.started" 2>/dev/null) || return 0
	rm -f "$run/nats/n$1.started"
	kill "-${2:-TERM}" "$pid" 2>/dev/null || return 0
	wait_for 20 is_gone "$pid" || kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
}

# nats_as USER VERB [ARG...]: see tests/e2e/nats.c
nats_as() {
	local space=()
	[ -z "${nats_netns:-}" ] || space=(nsenter "--net=/run/netns/$nats_netns")
	"${space[@]}" "$bin/nats" "$nats_servers" "$run/nats" "$@"
}

nats_files() { # certificates and configurations
	local name
	rm -rf "$run/nats"
	mkdir -p "$run/nats"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
		-keyout "$run/nats/ca.key" -out "$run/nats/ca.pem" 2>"$run/nats/openssl.log"
	nats_cert node "DNS:localhost,IP:127.0.0.1,IP:$nats_address" 2>>"$run/nats/openssl.log"
	for name in admin hub $nats_hosts; do nats_cert "$name" "DNS:$name" 2>>"$run/nats/openssl.log"; done
	chmod 755 "$run/nats"
	chmod 644 "$run"/nats/*.key # the sensor's process that sends is not root
	for name in 1 2 3; do nats_config $name >"$run/nats/n$name.conf"; done
}

nats_make() {
	nats_as admin stream "$nats_stream" 3 'picket.*.*.alerts' 2>>"$run/nats/made.log" &&
		nats_as admin bucket "$nats_bucket" 3 2>>"$run/nats/made.log"
}
nats_has_leader() { nats_as admin leader "$nats_stream" | grep -q ^n; }
nats_is_whole() { [ "$(nats_as admin peers "$nats_stream")" = 3 ]; }

nats_up() { # nodes of files that are there, until the stream has its leader again
	local n
	for n in 1 2 3; do nats_node $n; done
	[ "${1:-}" = new ] || wait_for 60 nats_has_leader
}

# nats_start: all of it, with the stream and the bucket, all three in step.
nats_start() {
	nats_files
	nats_up new
	wait_for 60 nats_make || {
		tail -n 20 "$run"/nats/*.log
		return 1
	}
	wait_for 30 nats_is_whole
}

nats_stop() {
	local n
	for n in 1 2 3; do nats_kill $n; done
}

# nats_begin: of setup_file, the net and the cluster; and nats_end: all of it gone, pins too.
nats_begin() {
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/file "$run"
	make_net
	nats_start
}
nats_end() {
	kill_children
	in_client "$build/picketd" --config "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	nats_stop
	clean_net
}

# nats_keys [NAME...]: keys to sign lists with, of which the agent trusts the first, default.
nats_keys() {
	local key
	export keys=$run/keys trusted=$run/keys.d XDG_STATE_HOME=$run/home
	for key in default "$@"; do picket key new --dir "$keys" "$key"; done
	mkdir -m 755 "$trusted"
	picket key trust --keys "$trusted" "$keys/default.pub"
}

# nats_section HOST [CERTIFICATE]: `nats` of a configuration; more of its keys may follow.
nats_section() {
	echo "nats:"
	echo "  servers: [$(sed 's/[^,]*/"&"/g' <<<"$nats_servers")]"
	echo "  ca: $run/nats/ca.pem"
	echo "  cert: $run/nats/${2:-$1}.pem"
	echo "  key: $run/nats/${2:-$1}.key"
	echo "  host: $1"
}

# odd NAME: something that is an alert of `fileless`; and where that has come to.
odd() {
	cp /bin/true "/dev/shm/$net-odd-$1"
	in_client "/dev/shm/$net-odd-$1"
	rm -f "/dev/shm/$net-odd-$1"
}
is_alert() { api /v1/alerts | jq -e --arg n "$net-odd-$1" 'any(.alerts[]; tostring | contains($n))'; }
sink_says() { api /v1/status | jq -e ".sinks.sinks[] | select(.name == \"nats\") | $1"; }
in_stream() { nats_as admin read "$nats_stream" | cut -f 3 | grep -q "$net-odd-$1\b"; }
# What the stream has, to $run/stream: no record twice, by what it says it is.
stream_once() {
	nats_as admin read "$nats_stream" >"$run/stream" &&
		[ "$(cut -f 3 "$run/stream" | jq -c 'select(.class_uid == 2004) | [.metadata.uid, .metadata.sequence]' |
			sort | uniq -d | wc -l)" = 0 ]
}
