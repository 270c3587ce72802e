#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Programs and maps of the linked object: at most 15 characters, prefix pk_, so that
# `bpftool prog` shows them whole.
. tests/check/tap.sh
object=$PICKET_BUILD/picket.bpf.o
make -s --no-print-directory "${PICKET_BUILD#"$PWD"/}/picket.bpf.o" || true
if [ ! -f "$object" ]; then
	not_ok "names" "$object is not built"
	finish
fi
maps=$(readelf -SW "$object" | sed -n 's/^ *\[ *\([0-9]*\)\] \.maps .*/\1/p')
text=$(readelf -SW "$object" | sed -n 's/^ *\[ *\([0-9]*\)\] \.text .*/\1/p')
names=$(readelf -sW "$object" | awk -v maps="${maps:-x}" -v text="${text:-x}" '
	$5 == "GLOBAL" && (($4 == "FUNC" && $7 != text) || ($4 == "OBJECT" && $7 == maps)) { print $8 }')
if [ -z "$names" ]; then
	not_ok "names" "no program and no map found in $object"
	finish
fi
verdict "names of $(wc -w <<<"$names") programs and maps" "$(awk 'length > 15 || !/^pk_/' <<<"$names")"
finish
