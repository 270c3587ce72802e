# SPDX-License-Identifier: Apache-2.0
"""What other tools say of the flows in captures: Expect by (capture, name of the result)."""
import collections
import csv
import glob
import json
import os

from flows import Sum, address, key

NUMBERS = {"ICMP": 1, "IGMP": 2, "TCP": 6, "UDP": 17, "GRE": 47, "ESP": 50, "AH": 51, "ICMPV6": 58,
           "IPV6-ICMP": 58, "OSPF": 89, "PIM": 103, "VRRP": 112, "PGM": 113, "SCTP": 132}
PORTS = (6, 17, 132)


class Expect:
    """Sums by ends, of plain conversations and of those inside a tunnel, where the source tells."""

    def __init__(self):
        self.plain, self.tunnelled = {}, {}

    def at(self, tunnelled, proto, a, b):
        table = self.tunnelled if tunnelled else self.plain
        return table.setdefault(key(proto, a, b), Sum())


def end(proto, ip, port):
    return address(ip), int(port or 0) if proto in PORTS else 0


def arkime(root):
    """NAME.test.json beside NAME.pcap: packets and frame bytes of each side, community id."""
    found = collections.defaultdict(Expect)
    for path in sorted(glob.glob(os.path.join(root, "arkime", "*.test.json"))):
        capture = path.replace(".test.json", ".pcap")
        with open(path, encoding="utf-8") as file:
            sessions = json.load(file)["sessions3"]
        for body in (s["body"] for s in sessions if "ip" in s["body"]["source"]):
            proto = body["ipProtocol"]
            ends = [end(proto, body[e]["ip"], body[e].get("port")) for e in ("source", "destination")]
            total = found[capture, "arkime"].at("srcOuterIp" in body, proto, *ends)
            total.flows += 1
            total.community.add(body["network"].get("community_id"))
            for e, side in zip(ends, ("source", "destination")):
                total.add(e, body[side]["packets"], body[side]["bytes"])
    return found


def ndpi(root):
    """flows.derived.jsonl, files that tshark agrees with as a whole; frame bytes."""
    found = collections.defaultdict(Expect)
    path = os.path.join(root, "ndpi", "flows.derived.jsonl")
    if not os.path.exists(path):
        return found
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for row in rows:
        proto = NUMBERS.get(row["l4"].upper())
        capture = os.path.join(root, "ndpi", "pcap", row["pcap"])
        if not row["tshark_agrees_whole_file"] or not os.path.exists(capture) or proto is None:
            continue
        ends = end(proto, row["src"], row.get("sport")), end(proto, row["dst"], row.get("dport"))
        total = found[capture, "ndpi"].at(False, proto, *ends)
        total.flows += 1
        total.add(ends[0], row["pkts_c2s"], row["bytes_c2s"])
        total.add(ends[1], row["pkts_s2c"], row["bytes_s2c"])
    return found


def zeek_rows(path):
    fields = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            cells = line.rstrip("\n").split("\t")
            if cells[0] == "#fields":
                fields = cells[1:]
            elif fields and not line.startswith("#"):
                yield dict(zip(fields, cells))


def zeek(root):
    """conn.log: packets and IP bytes of each side."""
    found = {}
    path = os.path.join(root, "zeek", "trace-to-baseline.tsv")
    if not os.path.exists(path):
        return found
    with open(path, encoding="utf-8") as file:
        tests = list(csv.DictReader(file, delimiter="\t"))
    for test in tests:
        log = os.path.join(root, "zeek", "Baseline", test["test"], "conn.log")
        capture = os.path.join(root, "zeek", "Traces", test["trace"])
        if not os.path.exists(log) or not os.path.exists(capture):
            continue
        expect = found.setdefault((capture, test["test"]), Expect())
        for row in zeek_rows(log):
            zeek_row(expect, row)
    return found


def zeek_row(expect, row):
    sides = (("orig_pkts", "orig_ip_bytes"), ("resp_pkts", "resp_ip_bytes"))
    if "id.orig_h" not in row or not all(row.get(c, "-").isdigit() for s in sides for c in s):
        return
    proto = NUMBERS.get(row["proto"].upper())
    if proto is None:
        proto = int(row["ip_proto"]) if row.get("ip_proto", "-").isdigit() else 0
    if proto == 1 and ":" in row["id.orig_h"]:
        proto = 58
    ends = (end(proto, row["id.orig_h"], row["id.orig_p"]),
            end(proto, row["id.resp_h"], row["id.resp_p"]))
    total = expect.at(False, proto, *ends)
    total.flows += 1
    for e, (packets, size) in zip(ends, sides):
        total.add(e, int(row[packets]), int(row[size]))


def suricata_checks(root, types):
    """What must match at least one record of these event types: (capture, name of the test, match)."""
    import yaml
    base = os.path.join(root, "suricata-verify", "tests")
    for path in sorted(glob.glob(base + "/**/test.yaml", recursive=True)):
        folder = os.path.dirname(path)
        try:
            with open(path, encoding="utf-8") as file:
                test = yaml.safe_load(file)
        except yaml.YAMLError:
            continue
        captures = glob.glob(folder + "/*.pcap") + glob.glob(folder + "/*.pcapng")
        if test.get("pcap"):
            captures = [os.path.normpath(os.path.join(folder, test["pcap"]))]
        for check in test.get("checks") or []:
            match = (check.get("filter") or {}).get("match") or {}
            if match.get("event_type") in types and len(captures) == 1 and \
                    check["filter"].get("count") != 0:
                yield captures[0], os.path.relpath(folder, base), match


def suricata(root):
    """Checks of flow records that name both ends. None: python3-yaml is not installed."""
    try:
        import yaml  # noqa: F401
    except ImportError:
        return None
    return [(capture, name, match) for capture, name, match in suricata_checks(root, ("flow",))
            if "src_ip" in match and "dest_ip" in match and
            any(m.startswith(("flow.pkts_", "flow.bytes_")) for m in match)]
