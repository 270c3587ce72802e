#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh BUILD DESTDIR PREFIX SYSCONFDIR: puts a built tree where the system looks for it.
set -eu
build=$1 dest=$2 prefix=$3 conf=$4
put() { install -D -m "$1" "$2" "$dest$3"; }

put 755 "$build/picketd" "$prefix/sbin/picketd"
put 755 "$build/picket" "$prefix/bin/picket"
for page in "$build"/man/*.[158]; do
	put 644 "$page" "$prefix/share/man/man${page##*.}/${page##*/}"
done
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
"$build/picket" completion bash >"$tmp"
put 644 "$tmp" "$prefix/share/bash-completion/completions/picket"
"$build/picket" completion zsh >"$tmp"
put 644 "$tmp" "$prefix/share/zsh/vendor-completions/_picket"
"$build/picket" completion fish >"$tmp"
put 644 "$tmp" "$prefix/share/fish/vendor_completions.d/picket.fish"
# An operator's configuration is never overwritten.
if [ -e "$dest$conf/picket/picket.yaml" ]; then
	put 644 user/share/picket.yaml "$conf/picket/picket.yaml.new"
else
	put 644 user/share/picket.yaml "$conf/picket/picket.yaml"
fi
for rule in user/share/rules.d/*.yml; do
	put 644 "$rule" "$prefix/share/picket/rules.d/${rule##*/}"
done
# Made once: whoever removes the link runs without these rules.
if [ ! -d "$dest$conf/picket/rules.d" ]; then
	mkdir -p "$dest$conf/picket/rules.d"
	ln -s "$prefix/share/picket/rules.d" "$dest$conf/picket/rules.d/picket"
fi
for book in user/share/playbooks/*.json; do
	put 644 "$book" "$prefix/share/picket/playbooks/${book##*/}"
done
sed "s|/usr/sbin/picketd|$prefix/sbin/picketd|g" user/share/picket.service >"$tmp"
put 644 "$tmp" "$prefix/lib/systemd/system/picket.service"
sed "s|/usr/bin/picket|$prefix/bin/picket|g" user/share/picket-hub.service >"$tmp"
put 644 "$tmp" "$prefix/lib/systemd/system/picket-hub.service"
put 644 user/hub/postgres.sql "$prefix/share/picket/hub-postgres.sql"
put 644 user/share/picket.sysusers "$prefix/lib/sysusers.d/picket.conf"
put 644 user/share/picket.tmpfiles "$prefix/lib/tmpfiles.d/picket.conf"
