#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what the daemon reported with the ground truth.

flows.py exact FLOWS.json IFACE FILE.pcap      packets and bytes of each direction of every flow
flows.py clients FLOWS.json IFACE SERVER.log BURST.log   each flow belongs to the process that made it
flows.py servers FLOWS.json IFACE SERVER.log PID         each flow's answering end belongs to PID
Prints one line of figures, then what differs (the first ten); status 1 if anything does.
"""
import ipaddress
import json
import re
import struct
import sys

PROTO = {"tcp": 6, "udp": 17}


def load(path, iface):
    flows = json.load(open(path))["flows"]
    return [f for f in flows if f["unmapped"]["picket"]["iface"]["name"] == iface]


def ends(f):
    out = []
    for side in ("src_endpoint", "dst_endpoint"):
        ip = ipaddress.ip_address(f[side]["ip"])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        out.append((str(ip), f[side].get("port", 0)))
    return out


def packets(path):
    """(proto, source end, target end, frame length) of every TCP and UDP packet of a pcap."""
    data = open(path, "rb").read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at + 16 <= len(data):
        caplen, wire = struct.unpack_from(order + "II", data, at + 8)
        frame = data[at + 16:at + 16 + caplen]
        at += 16 + caplen
        ethertype = struct.unpack_from(">H", frame, 12)[0]
        if ethertype == 0x0800:
            proto, head = frame[23], 14 + (frame[14] & 15) * 4
            src, dst = (str(ipaddress.IPv4Address(frame[i:i + 4])) for i in (26, 30))
        elif ethertype == 0x86dd:
            proto, head = frame[20], 54
            src, dst = (str(ipaddress.IPv6Address(frame[i:i + 16])) for i in (22, 38))
        else:
            continue
        if proto in PROTO.values():
            sport, dport = struct.unpack_from(">HH", frame, head)
            yield proto, (src, sport), (dst, dport), wire


def exact(flows, pcap):
    truth = {}
    for proto, src, dst, wire in packets(pcap):
        count = truth.setdefault((proto, frozenset((src, dst))), {})
        n, size = count.get(src, (0, 0))
        count[src] = (n + 1, size + wire)
    bad, seen, right = [], set(), 0
    for f in flows:
        proto, (src, dst), t = f["connection_info"]["protocol_num"], ends(f), f["traffic"]
        key = (proto, frozenset((src, dst)))
        if key not in truth:
            bad.append("not in the capture: %s" % (key,))
            continue
        if key in seen:
            bad.append("twice: %s" % (key,))
            continue
        seen.add(key)
        want = (truth[key].get(src, (0, 0)), truth[key].get(dst, (0, 0)))
        have = ((t["packets_out"], t["bytes_out"]), (t["packets_in"], t["bytes_in"]))
        if want == have:
            right += 1
        else:
            bad.append("%s: captured %s, reported %s" % (key, want, have))
    bad += ["not reported: %s" % (k,) for k in truth if k not in seen]
    total = sum(n for c in truth.values() for n, _ in c.values())
    print("%d conversations, %d packets captured; %d flows reported, %d exact" % (
        len(truth), total, len(flows), right))
    return bad


def requests(path):
    """(proto, client port, number) from the server's log; the token is idNUMBERx."""
    for line in open(path):
        m = re.match(r"(tcp|udp) (\d+) .*\bid(\d+)x", line)
        if m:
            yield PROTO[m.group(1)], int(m.group(2)), int(m.group(3))


def by_port(flows):
    return {(f["connection_info"]["protocol_num"], ends(f)[0][1]): f for f in flows}


def clients(flows, server_log, burst_log):
    born = {int(n): int(pid) for pid, n, _, _ in (s.split() for s in open(burst_log))}
    table, bad, right, total = by_port(flows), [], 0, 0
    for proto, port, number in requests(server_log):
        total += 1
        f = table.get((proto, port))
        process = (f or {}).get("actor", {}).get("process", {})
        if process.get("pid") == born.get(number) and \
                "id%dx" % number in process.get("cmd_line", ""):
            right += 1
        else:
            bad.append("request %d from port %d: pid %s, flow says %s" % (
                number, port, born.get(number), process if f else "nothing: no flow"))
    print("%d requests, %d attributed to the process that sent it" % (total, right))
    return bad


def servers(flows, server_log, pid):
    table, bad, right, total = by_port(flows), [], 0, 0
    for proto, port, number in requests(server_log):
        total += 1
        f = table.get((proto, port))
        owner = (f or {"unmapped": {"picket": {}}})["unmapped"]["picket"].get("dst", {}).get(
            "owner", {})
        if owner.get("user", {}).get("pid") == pid:
            right += 1
        else:
            bad.append("request %d from port %d: owner %s" % (number, port, owner or "none"))
    print("%d requests, %d attributed to the server" % (total, right))
    return bad


def main():
    what, path, iface = sys.argv[1:4]
    flows = load(path, iface)
    if what == "exact":
        bad = exact(flows, sys.argv[4])
    elif what == "clients":
        bad = clients(flows, sys.argv[4], sys.argv[5])
    else:
        bad = servers(flows, sys.argv[4], int(sys.argv[5]))
    for line in bad[:10]:
        print("  " + line)
    if len(bad) > 10:
        print("  and %d more" % (len(bad) - 10))
    return 1 if bad else 0


sys.exit(main())
