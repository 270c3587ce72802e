#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The names, fingerprints and versions that other tools read in the captures of the corpora, through
`picket replay -o json`: a table source by source, equal of total. Each difference has its reason, by
capture; what has none is listed and fails. PICKET_CORPORA names the corpora.
"""
import collections
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import flows  # noqa: E402
import reasons  # noqa: E402
import truth  # noqa: E402
import truth_lines  # noqa: E402

ROOT = os.environ.get("PICKET_ROOT", os.getcwd())
BUILD = os.environ.get("PICKET_BUILD", os.path.join(ROOT, "build"))
CORPORA = os.path.realpath(os.environ.get("PICKET_CORPORA", os.path.join(ROOT, "../shared/corpora")))

# Equal values where not all are: at least so many.
FLOORS = {
    ("agreed", "ja4"): 70,
    ("agreed", "sni"): 84,
    ("ndpi", "sni"): 109,
    ("ndpi", "ja3"): 132,
    ("zeek", "cipher"): 30,
    ("zeek", "version"): 28,
    ("suricata", "ja4"): 1,
    ("arkime", "ja3"): 12,
    ("arkime", "cipher"): 11,
    ("ndpi", "dns"): 240,
    ("suricata", "dns"): 12,
    ("arkime", "dns"): 31,
    ("arkime", "dns rcode"): 30,
    ("arkime", "dns address"): 10,
}


def short(path):
    return os.path.relpath(path, CORPORA)


def values(flow):
    """(what, value) of one flow record."""
    own, tls = flow["unmapped"]["picket"], flow.get("tls", {})
    hello = own.get("tls", {})
    yield "sni", tls.get("sni")
    yield "version", tls.get("version")
    yield "cipher", tls.get("cipher")
    yield "ja3", tls.get("ja3_hash", {}).get("value")
    yield "quic", hello.get("quic_version")
    for print_ in flow.get("ja4_fingerprint_list", []):
        yield "ja4", print_["value"]
    for name in hello.get("alpn", []):
        yield "alpn", name
    for side in own.get("ssh", {}).values():
        yield "ssh", truth_lines.software(side.get("software", ""))
        yield "hassh", side.get("hassh")


def dns_values(record):
    """The same of a DNS transaction."""
    yield "dns", truth_lines.name(record["query"].get("hostname", ""))
    yield "dns rcode", record["unmapped"]["picket"].get("rcode")
    yield from truth_lines.addresses(a["rdata"] for a in record.get("answers", []))


READERS = {4001: values, 4003: dns_values}


def read_record(flow):
    """(ends or None, {(what, value)})"""
    info = flow["connection_info"]
    ends = None
    if "protocol_num" in info:
        ends = flows.key(info["protocol_num"],
                         *((flows.address(flow[e]["ip"]), flow[e].get("port", 0))
                           for e in ("src_endpoint", "dst_endpoint")))
    return ends, {(w, v) for w, v in READERS[flow["class_uid"]](flow) if v is not None}


def replay(files):
    """By capture: [(ends, values)] of its flows; and the exit status."""
    run = subprocess.run([os.path.join(BUILD, "picket"), "replay", "-q", "-o", "json", "--files-from",
                          "/dev/stdin"], input="\n".join(files) + "\n", text=True, errors="replace",
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=600, check=False)
    found, seen = {}, []
    for line in run.stdout.splitlines():
        record = json.loads(line)
        if "replay" in record:
            found[record["replay"]["file"]] = seen
            seen = []
        elif record.get("class_uid") in READERS:
            seen.append(read_record(record))
    return found, run.returncode


def same(row, value):
    """The value as it is compared."""
    if row.source == "ndpi" and row.what == "dns":
        return truth_lines.loose(value)
    return value.lower() if row.what in ("sni", "ja3", "ja4", "hassh", "ssh") else value


def is_found(row, seen):
    ends = row.ends and flows.key(*row.ends)
    want = same(row, row.value)
    return any(same(row, value) == want for at, values_ in seen if ends is None or at == ends
               for what, value in values_ if what == row.what)


def describe(row, seen):
    ends = row.ends and flows.key(*row.ends)
    have = sorted({str(v) for at, values_ in seen if ends is None or at == ends
                   for w, v in values_ if w == row.what})
    return "%s %s %s %s: here %s" % (short(row.capture), row.ends, row.what, row.value,
                                     ", ".join(have[:5]) or "nothing")


def score(rows, found):
    """Prints the table; returns (source, what, equal, total, unexplained) of each of its lines."""
    table = collections.OrderedDict()
    for row in rows:
        line = table.setdefault((row.source, row.what), [0, 0, collections.Counter(), []])
        seen = found.get(row.capture, [])
        line[1] += 1
        if is_found(row, seen):
            line[0] += 1
            continue
        why = reasons.why(row, short(row.capture))
        if why:
            line[2][why] += 1
        else:
            line[3].append(describe(row, seen))
    for (source, what), (equal, total, whys, _) in table.items():
        print("# %-10s %-8s %4d of %4d equal" % (source, what, equal, total))
        for why, n in sorted(whys.items(), key=lambda w: (-w[1], w[0])):
            print("# %-19s %4d %s" % ("", n, why))
    return [(source, what) + tuple(line) for (source, what), line in table.items()]


def main():
    if not os.path.isdir(CORPORA):
        print("1..0 # SKIP no corpora at %s (set PICKET_CORPORA)" % CORPORA)
        return 0
    rows, missing = truth.rows(CORPORA)
    found, status = replay(sorted({row.capture for row in rows}))
    tests = [("%d captures are read" % len(found), [] if status in (0, 1) and found else [status])]
    for source, what, equal, total, _, unexplained in score(rows, found):
        problems = ["unexplained: " + text for text in unexplained]
        if equal < FLOORS.get((source, what), total):
            problems.append("%d are equal, %d were" % (equal, FLOORS.get((source, what), total)))
        tests.append(("%s %s: %d of %d equal, each difference explained" %
                      (source, what, equal, total), problems))
    tests.append(("each reason explains something", [] if missing else reasons.unused()))
    for n, (name, problems) in enumerate(tests, 1):
        print("%sok %d - %s" % ("not " if problems else "", n, name))
        for text in problems[:40]:
            print("# %s" % text)
    for n, source in enumerate(missing, len(tests) + 1):
        print("ok %d - %s # SKIP python3-yaml is not installed" % (n, source))
    print("1..%d" % (len(tests) + len(missing)))
    return 1 if any(problems for _, problems in tests) else 0


if __name__ == "__main__":
    sys.exit(main())
