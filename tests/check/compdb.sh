#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Turns `make -nB V=1` on standard input into compile_commands.json on standard output.
exec python3 -c '
import json, os, re, shlex, sys
entries = []
for line in sys.stdin:
    try:
        words = shlex.split(line)
    except ValueError:
        continue
    if "-c" not in words:
        continue
    source = words[words.index("-c") + 1]
    if re.search(r"\.c$", source):
        entries.append({"directory": os.getcwd(), "file": source, "arguments": words})
json.dump(entries, sys.stdout, indent=1)
'
