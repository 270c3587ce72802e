#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `picket pki`, judged by the openssl tool. No daemon, no root.

build=${PICKET_BUILD:-$PWD/build}
PATH=$build:$PATH

setup() {
	pki=$BATS_TEST_TMPDIR/pki
}

verify() { openssl verify -x509_strict -crl_check -CAfile "$pki/ca.crt" -CRLfile "$pki/ca.crl" "$@"; }

@test "a host and a role are issued, verified, and one is revoked" {
	picket pki init --dir "$pki"
	picket pki issue --dir "$pki" web1.example.org --san 192.0.2.10 --san fd00::1
	picket pki issue --dir "$pki" operator --name alice --key ed25519
	verify -purpose sslserver -verify_hostname web1.example.org "$pki/web1.example.org.crt"
	verify -purpose sslserver -verify_ip fd00::1 "$pki/web1.example.org.crt"
	verify -purpose sslclient "$pki/alice.crt"
	openssl x509 -in "$pki/alice.crt" -noout -ext subjectAltName | grep -q 'URI:urn:picket:role:operator$'
	[ "$(stat -c %a "$pki" "$pki/ca.key" "$pki/alice.key" | tr '\n' ' ')" = "700 600 600 " ]

	picket pki revoke --dir "$pki" alice
	run verify "$pki/alice.crt"
	[[ $output == *"certificate revoked"* ]]
	verify "$pki/web1.example.org.crt"
	[ "$(picket pki ls --dir "$pki" -o json | jq -r '"\(.name) \(.role) \(.state)"' | sort | tr '\n' ';')" = \
		"alice operator revoked;web1.example.org host valid;" ]
	run picket pki revoke --dir "$pki" alice
	[ "$status" = 1 ]
}

@test "renewing makes a new pair; the one before counts until it is revoked" {
	picket pki init --dir "$pki" --key ed25519 --name "Lab CA"
	picket pki issue --dir "$pki" reader --days 30
	cp "$pki/reader.crt" "$BATS_TEST_TMPDIR/old.crt"
	run picket pki issue --dir "$pki" reader
	[ "$status" = 1 ]
	[[ $output == *--renew* ]]
	picket pki issue --dir "$pki" reader --renew
	! cmp -s "$pki/reader.crt" "$BATS_TEST_TMPDIR/old.crt" || false
	verify "$pki/reader.crt" "$BATS_TEST_TMPDIR/old.crt"
	picket pki revoke --dir "$pki" "$(openssl x509 -in "$BATS_TEST_TMPDIR/old.crt" -noout -serial | cut -d= -f2)"
	verify "$pki/reader.crt"
	run verify "$BATS_TEST_TMPDIR/old.crt"
	[[ $output == *"certificate revoked"* ]]
}

@test "what must not be is refused, and nothing is left behind" {
	run picket pki issue --dir "$pki" web1
	[ "$status" = 1 ]
	[[ $output == *"picket pki init"* ]]
	picket pki init --dir "$pki"
	before=$(cat "$pki"/* | sha256sum)
	for words in "web1,URI:x" "../x" "ca" "operator --name ../x" "operator --san 10.0.0.1" \
		"web1 --name bob" "web1 --san a,b" "web1 --days 826" "web1 --days 0" "web1 --key rsa" "a b"; do
		# shellcheck disable=SC2086
		run picket pki issue --dir "$pki" $words
		echo "$words: $status"
		[ "$status" = 2 ]
	done
	run picket pki init --dir "$pki"
	[ "$status" = 1 ]
	[ "$(cat "$pki"/* | sha256sum)" = "$before" ]
}
