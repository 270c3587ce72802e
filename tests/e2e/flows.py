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
    """(proto, source end, target end, frame length, TCP flags) of every TCP and UDP packet."""
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
            flags = frame[head + 13] if proto == PROTO["tcp"] else 0
            yield proto, (src, sport), (dst, dport), wire, flags


def conversations(pcap):
    """Five-tuple -> the conversations that had it, in order: a SYN after FIN or RST begins another."""
    truth, total = {}, 0
    for proto, src, dst, wire, flags in packets(pcap):
        talks = truth.setdefault((proto, frozenset((src, dst))), [])
        if not talks or (flags & 0x12 == 0x02 and talks[-1]["over"]):
            talks.append({"over": False, "count": {}})
        n, size = talks[-1]["count"].get(src, (0, 0))
        talks[-1]["count"][src] = (n + 1, size + wire)
        talks[-1]["over"] |= bool(flags & 0x05)
        total += 1
    return truth, total


def exact(flows, pcap):
    truth, total = conversations(pcap)
    bad, right, known = [], 0, {}
    for f in sorted(flows, key=lambda f: f["start_time"]):
        proto, (src, dst), t = f["connection_info"]["protocol_num"], ends(f), f["traffic"]
        key = (proto, frozenset((src, dst)))
        at = known.get(key, 0)
        known[key] = at + 1
        if at >= len(truth.get(key, [])):
            bad.append("%s: %s" % ("twice" if at else "not in the capture", key))
            continue
        count = truth[key][at]["count"]
        want = (count.get(src, (0, 0)), count.get(dst, (0, 0)))
        have = ((t["packets_out"], t["bytes_out"]), (t["packets_in"], t["bytes_in"]))
        if want == have:
            right += 1
        else:
            bad.append("%s: captured %s, reported %s" % (key, want, have))
    bad += ["not reported: %s" % (k,) for k in truth if len(truth[k]) > known.get(k, 0)]
    print("%d conversations, %d packets captured; %d flows reported, %d exact" % (
        sum(map(len, truth.values())), total, len(flows), right))
    return bad


def requests(path):
    """(proto, client port, number) from the server's log; the token is idNUMBERx."""
    for line in open(path):
        m = re.match(r"(tcp|udp) (\d+) .*\bid(\d+)x", line)
        if m:
            yield PROTO[m.group(1)], int(m.group(2)), int(m.group(3))


def by_port(flows):
    """(proto, client port) -> its flows, latest first: a port may come back."""
    table = {}
    for f in sorted(flows, key=lambda f: -f["start_time"]):
        key = f["connection_info"]["protocol_num"], ends(f)[0][1]
        table.setdefault(key, []).append(f)
    return table


def take(table, key):
    """The earliest flow of the port that no request took yet."""
    return table[key].pop() if table.get(key) else None


def clients(flows, server_log, burst_log):
    born = {int(n): int(pid) for pid, n, _, _ in (s.split() for s in open(burst_log))}
    table, bad, right, total = by_port(flows), [], 0, 0
    for proto, port, number in requests(server_log):
        total += 1
        f = take(table, (proto, port))
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
        f = take(table, (proto, port))
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
