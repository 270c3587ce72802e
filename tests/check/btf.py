#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads BTF (through `bpftool btf dump -j`) for two checks.

btf.py layout OBJECT               sizes, offsets and numbers of every pk_ type, one line each
btf.py compare OBJECT VMLINUX-BTF  every field that kernel.h names exists there, with its width
"""
import json
import subprocess
import sys


class Btf:
    def __init__(self, bpftool, path):
        raw = subprocess.run([bpftool, "-j", "btf", "dump", "file", path], check=True,
                             stdout=subprocess.PIPE).stdout
        self.types = {t["id"]: t for t in json.loads(raw)["types"]}
        self.by_name = {}
        for t in self.types.values():
            if t["kind"] in ("STRUCT", "UNION", "ENUM", "ENUM64") and t["name"] != "(anon)":
                self.by_name.setdefault((t["kind"][:4], t["name"]), []).append(t)

    def strip(self, ident):
        t = self.types.get(ident)
        while t and t["kind"] in ("TYPEDEF", "CONST", "VOLATILE", "RESTRICT", "TYPE_TAG"):
            t = self.types.get(t["type_id"])
        return t

    def width(self, ident):
        """Bytes of a type; None where it can not be told."""
        t = self.strip(ident)
        if not t:
            return 0
        if t["kind"] == "PTR":
            return 8
        if t["kind"] == "ARRAY":
            one = self.width(t["type_id"])
            return None if one is None else one * t["nr_elems"]
        return t.get("size")

    def spell(self, ident):
        t = self.types.get(ident)
        if not t:
            return "void"
        if t["kind"] == "ARRAY":
            return "%s[%d]" % (self.spell(t["type_id"]), t["nr_elems"])
        if t["kind"] == "PTR":
            return self.spell(t["type_id"]) + "*"
        if t["kind"] in ("CONST", "VOLATILE", "RESTRICT"):
            return self.spell(t["type_id"])
        return t["name"]

    def fields(self, t):
        """name -> type id, those of anonymous members too."""
        found = {}
        for m in t["members"]:
            if m["name"] != "(anon)":
                found[m["name"]] = m["type_id"]
            inner = self.strip(m["type_id"])
            if m["name"] == "(anon)" and inner and inner["kind"] in ("STRUCT", "UNION"):
                found.update(self.fields(inner))
        return found


def layout(btf):
    for (_, name), same in sorted(btf.by_name.items()):
        t = same[0]
        if t["kind"] == "ENUM" and name.startswith("pk_"):
            print("enum %s" % name)
            for v in t["values"]:
                print("\t%s = %d" % (v["name"], v["val"]))
        elif t["kind"] == "STRUCT" and name.startswith("pk_"):
            print("struct %s %d" % (name, t["size"]))
            for m in t["members"]:
                print("\t%d %s %s" % (m["bits_offset"] // 8, m["name"], btf.spell(m["type_id"])))


def compare(ours, theirs, optional):
    """Complains about fields of ours that the kernel lacks or has in another width."""
    bad = checked = 0
    for (kind, name), same in sorted(ours.by_name.items()):
        kernel_name = name.split("___")[0]
        flavour = "___" in name
        if kind == "ENUM" or (kind, kernel_name) not in theirs.by_name:
            if kind != "ENUM" and not flavour and name not in optional:
                print("%s: no such type in this kernel" % name)
                bad += 1
            continue
        want = ours.fields(same[0])
        best = None
        for candidate in theirs.by_name[(kind, kernel_name)]:
            have = theirs.fields(candidate)
            wrong = []
            for field, ident in want.items():
                if "%s.%s" % (name, field) in optional:
                    continue
                if field not in have:
                    wrong.append("%s.%s: no such field" % (name, field))
                    continue
                a, b = ours.strip(ident), theirs.strip(have[field])
                if a and b and a["kind"] in ("INT", "ENUM", "PTR") and \
                        ours.width(ident) != theirs.width(have[field]):
                    wrong.append("%s.%s: %s bytes here, %s in the kernel" % (
                        name, field, ours.width(ident), theirs.width(have[field])))
            if best is None or len(wrong) < len(best):
                best = wrong
        checked += len(want)
        if best and not flavour:
            print("\n".join(best))
            bad += len(best)
    print("%d fields compared" % checked, file=sys.stderr)
    return bad


def main():
    bpftool, what, obj = sys.argv[1], sys.argv[2], sys.argv[3]
    if what == "layout":
        layout(Btf(bpftool, obj))
        return 0
    optional = set(sys.argv[5:])
    return 1 if compare(Btf(bpftool, obj), Btf(bpftool, sys.argv[4]), optional) else 0


sys.exit(main())
