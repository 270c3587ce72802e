# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
#
# A PostgreSQL server of the test's own below $run/pg, on a unix socket there, as a user who is not
# root (it refuses root). The role picket has a password, which is in $run/pg/pass as .pgpass has it.
# For files that have loaded lib.bash.

pg_bin=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
pg_bin=${pg_bin%/initdb}
pg_password=hunter2-of-the-test

pg_has() { [ -x "$pg_bin/initdb" ]; }

pg_as() { # pg_as COMMAND...: as whoever may run it
	setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
}

pg_up() { # until it takes connections; one that was killed may hold its memory for a moment
	local end=$((SECONDS + 60))
	while [ $SECONDS -lt $end ]; do
		(cd "$run/pg" && exec setpriv --reuid=postgres --regid=postgres --clear-groups "$pg_bin/postgres" \
			-D "$run/pg/data" -k "$run/pg" -c listen_addresses=) >>"$run/pg/log" 2>&1 3>&- &
		echo $! >"$run/pg/started"
		while ! is_gone "$(cat "$run/pg/started")"; do
			"$pg_bin/pg_isready" -q -h "$run/pg" && return 0
			sleep 0.2
		done
		sleep 0.5
	done
	tail -n 20 "$run/pg/log"
	return 1
}

pg_kill() { # pg_kill [SIGNAL]: by its pid, until it is gone; QUIT ends it at once, and its children
	local pid
	pid=$(cat "$run/pg/started" 2>/dev/null) || return 0
	rm -f "$run/pg/started"
	kill "-${1:-QUIT}" "$pid" 2>/dev/null || return 0
	wait_for 20 is_gone "$pid"
	wait "$pid" 2>/dev/null || true
}

pg_start() {
	rm -rf "$run/pg"
	install -d -o postgres -g postgres -m 755 "$run/pg"
	install -o postgres -m 600 <(echo "$pg_password") "$run/pg/first"
	(cd "$run/pg" && pg_as "$pg_bin/initdb" -D "$run/pg/data" -A scram-sha-256 -U picket -E UTF8 --locale=C.UTF-8 \
		--pwfile "$run/pg/first") >"$run/pg/log" 2>&1 || {
		cat "$run/pg/log"
		return 1
	}
	install -m 600 <(echo "*:*:*:picket:$pg_password") "$run/pg/pass"
	pg_up
}

# For hub.db; the password is in a file.
pg_where() { echo "host=$run/pg user=picket dbname=postgres passfile=$run/pg/pass"; }
pg_sql() { "$pg_bin/psql" -qAtX -d "$(pg_where)" -c "SET search_path = picket_hub" -c "$1"; }
