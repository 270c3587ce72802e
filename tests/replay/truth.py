# SPDX-License-Identifier: Apache-2.0
"""
What other tools read of TLS and QUIC in the captures of the corpora: each source is a function that
yields Rows. DNS and SSH are in truth_lines.py.
"""
import csv
import glob
import json
import os

import expected
import truth_lines
from rows import Row, pair


def agreed(root):
    """JA4 values that a project expects and that tshark's fields give as well, and their SNIs."""
    path = os.path.join(root, "reference", "ja4-agreed.derived.tsv")
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            capture = os.path.join(root, row["pcap"])
            yield Row("agreed", capture, "ja4", None, row["ja4"])
            for name in filter(None, (row["sni"] or "").split(";")):
                yield Row("agreed", capture, "sni", None, name)


def foxio(root):
    """expected-rust: server name of each stream."""
    for path in sorted(glob.glob(os.path.join(root, "foxio-ja4", "expected-rust", "*.snap.yaml"))):
        capture = os.path.join(root, "foxio-ja4", "pcap", os.path.basename(path)[:-len(".snap.yaml")])
        stream = {}
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith("- stream:"):
                    stream = {}
                name, _, value = line.strip().lstrip("- ").partition(": ")
                stream[name] = value.strip("'\"")
                if name == "tls_server_name":
                    proto = 17 if stream["transport"] == "udp" else 6
                    yield Row("foxio", capture, "sni", pair(
                        proto, stream["src"], stream["src_port"], stream["dst"], stream["dst_port"]),
                              stream[name])


def ndpi(root):
    """Server names and JA3 of flows that nDPI takes for TLS or QUIC. Its JA4 is not the standard's."""
    path = os.path.join(root, "ndpi", "flows.derived.jsonl")
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for row in rows:
        proto = expected.NUMBERS.get(row["l4"].upper())
        capture = os.path.join(root, "ndpi", "pcap", row["pcap"])
        if proto not in (6, 17) or not row.get("ja3c"):
            continue
        ends = pair(proto, row["src"], row["sport"], row["dst"], row["dport"])
        what = {"sni": row.get("host"), "ja3": row["ja3c"]}
        for name, value in what.items():
            if value:
                yield Row("ndpi", capture, name, ends, value)


ZEEK_VERSIONS = {"SSLv3": "SSL 3.0", "TLSv10": "TLS 1.0", "TLSv11": "TLS 1.1", "TLSv12": "TLS 1.2",
                 "TLSv13": "TLS 1.3"}


def zeek_ssl(row):
    return (("sni", row.get("server_name")), ("cipher", row.get("cipher")),
            ("version", ZEEK_VERSIONS.get(row.get("version"))))


def zeek_quic(row):
    return (("quic", {"1": 1, "quicv2": 2}.get(row.get("version"))), ("sni", row.get("server_name")),
            ("alpn", row.get("client_protocol")))


ZEEK_LOGS = {"quic.log": zeek_quic, "ssl.log": zeek_ssl}  # TLS in QUIC is in both of them


def zeek_test(root, capture, test):
    datagrams = set()
    for name, read in ZEEK_LOGS.items():
        log = os.path.join(root, "zeek", "Baseline", test, name)
        if not os.path.exists(log):
            continue
        for row in expected.zeek_rows(log):
            ids = [row.get("id." + n, "-") for n in ("orig_h", "orig_p", "resp_h", "resp_p")]
            if not ids[1].isdigit():
                continue
            if name == "quic.log":
                datagrams.add(tuple(ids))
            ends = pair(17 if tuple(ids) in datagrams else 6, *ids)
            for what, value in read(row):
                if value not in (None, "-", "(empty)"):
                    yield Row("zeek", capture, what, ends, value)


def zeek(root):
    """ssl.log and quic.log."""
    path = os.path.join(root, "zeek", "trace-to-baseline.tsv")
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        for test in csv.DictReader(file, delimiter="\t"):
            yield from zeek_test(root, os.path.join(root, "zeek", "Traces", test["trace"]),
                                 test["test"])


def suricata(root):
    """Checks of TLS and QUIC records that must match at least once."""
    wanted = {"tls.sni": "sni", "tls.ja3.hash": "ja3", "tls.ja4": "ja4"}
    for capture, _, match in expected.suricata_checks(root, ("tls", "quic")):
        for field, value in match.items():
            if field in wanted:
                yield Row("suricata", capture, wanted[field], None, value)
            elif field.endswith(".name") and value == "server_name":
                name = match.get(field.replace(".name", ".values[0]"))
                if name:
                    yield Row("suricata", capture, "sni", None, name)


def arkime(root):
    """JA3, versions and ciphers by session."""
    for path in sorted(glob.glob(os.path.join(root, "arkime", "*.test.json"))):
        capture = path.replace(".test.json", ".pcap")
        with open(path, encoding="utf-8") as file:
            sessions = json.load(file)["sessions3"]
        for body in (s["body"] for s in sessions):
            tls = body.get("tls")
            if not isinstance(tls, dict) or body["ipProtocol"] not in (6, 17):
                continue
            ends = pair(body["ipProtocol"], body["source"]["ip"], body["source"]["port"],
                        body["destination"]["ip"], body["destination"]["port"])
            for value in tls.get("ja3", []):
                yield Row("arkime", capture, "ja3", ends, value)
            for value in tls.get("cipher", []):
                yield Row("arkime", capture, "cipher", ends, value)


SOURCES = (agreed, foxio, ndpi, zeek, suricata, arkime) + truth_lines.SOURCES


def rows(root):
    """All of them once each, of captures that are there; and names of sources that can't be read."""
    found, missing = {}, []
    for source in SOURCES:
        try:
            found.update((row, None) for row in source(root) if os.path.exists(row.capture))
        except ImportError:
            missing.append(source.__name__)
    return list(found), missing
