#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Makes the captures of the stories here, byte for byte the same each time: make.py [FOLDER].
Addresses and names are those reserved for documentation.
"""
import os
import struct
import sys

A, B = "192.0.2.1", "198.51.100.2"
A6, B6 = "2001:db8::1", "2001:db8:ffff::2"
MAC = bytes.fromhex("020000000002020000000001")
START = 1700000000
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def address(text):
    if "." in text:
        return bytes(int(n) for n in text.split("."))
    head, _, tail = text.partition("::")
    parts = [p.split(":") if p else [] for p in (head, tail)]
    words = parts[0] + ["0"] * (8 - len(parts[0]) - len(parts[1])) + parts[1]
    return b"".join(struct.pack(">H", int(w, 16)) for w in words)


def eth(payload, kind=0x0800, tags=()):
    """tags: (TPID, VLAN id) from the outermost."""
    out = MAC
    for tpid, vid in tags:
        out += struct.pack(">HH", tpid, vid)
    return out + struct.pack(">H", kind) + payload


def ip4(payload, proto, src=A, dst=B, ident=1, frag=0, length=None, first=0x45, options=b""):
    length = 20 + len(options) + len(payload) if length is None else length
    first += len(options) // 4
    return struct.pack(">BBHHHBBH", first, 0, length, ident, frag, 64, proto, 0) + \
        address(src) + address(dst) + options + payload


def ip6(payload, proto, src=A6, dst=B6):
    return struct.pack(">IHBB", 6 << 28, len(payload), proto, 64) + address(src) + \
        address(dst) + payload


def udp(payload, sport, dport, length=None):
    return struct.pack(">HHHH", sport, dport, length or 8 + len(payload), 0) + payload


def tcp(sport, dport, flags, seq, ack=0, data=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 65535, 0, 0) + data


def pcap(packets, link=1, nano=False):
    """packets: (seconds after START, frame) or (seconds, frame, length on the wire)."""
    out = [struct.pack("<IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)]
    for at, frame, *wire in packets:
        units = round(at * (1000000000 if nano else 1000000))
        per = 1000000000 if nano else 1000000
        out.append(struct.pack("<IIII", START + units // per, units % per, len(frame),
                               wire[0] if wire else len(frame)) + frame)
    return b"".join(out)


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def pcapng(packets, link=1):
    out = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    out += block(1, struct.pack("<HHI", link, 0, 262144))
    for at, frame in packets:
        us = START * 1000000 + round(at * 1000000)
        out += block(6, struct.pack("<IIIII", 0, us >> 32, us & 0xffffffff, len(frame),
                                    len(frame)) + frame)
    return out


def conversation(client=40000, server=80, src=A, dst=B):
    """Handshake of 10 ms, request, answer in three segments of which one comes twice, both FIN."""
    def c(at, *rest):
        return at, ip4(tcp(client, server, *rest), TCP, src, dst)

    def s(at, *rest):
        return at, ip4(tcp(server, client, *rest), TCP, dst, src)
    return [
        c(0, SYN, 1000), s(0.006, SYN | ACK, 5000, 1001), c(0.010, ACK, 1001, 5001),
        c(0.011, PSH | ACK, 1001, 5001, b"q" * 100), s(0.017, ACK, 5001, 1101),
        s(0.020, ACK, 5001, 1101, b"a" * 1000), s(0.021, ACK, 6001, 1101, b"a" * 1000),
        s(0.220, ACK, 6001, 1101, b"a" * 1000), s(0.221, PSH | ACK, 7001, 1101, b"a" * 500),
        c(0.225, ACK, 1101, 7501), c(0.230, FIN | ACK, 1101, 7501),
        s(0.236, FIN | ACK, 7501, 1102), c(0.240, ACK, 1102, 7502),
    ]


def ether(packets, kind=0x0800, tags=()):
    return [(at, eth(frame, kind, tags), *rest) for at, frame, *rest in packets]


def story_tcp():
    reset = [(1, ip4(tcp(40001, 81, SYN, 1), TCP)), (1.001, ip4(tcp(81, 40001, RST | ACK, 0, 2), TCP, B, A))]
    middle = [(2, ip4(tcp(40002, 22, PSH | ACK, 9, 9, b"x"), TCP))]
    yield "conversation.pcap", pcap(ether(conversation()))
    yield "nano.pcap", pcap(ether(conversation()), nano=True)
    yield "conversation.pcapng", pcapng(ether(conversation()))
    yield "others.pcap", pcap(ether(reset + middle))


def story_udp():
    four = [(0, ip4(udp(b"q" * 30, 50000, 53), UDP)), (0.02, ip4(udp(b"a" * 90, 53, 50000), UDP, B, A))]
    six = [(0.1, ip6(udp(b"q" * 30, 50000, 53), UDP)), (0.12, ip6(udp(b"a" * 90, 53, 50000), UDP, B6, A6))]
    ping = [(1 + n, ip4(struct.pack(">BBHHH", kind, 0, 0, 77, n) + b"p" * 56, ICMP, *ends))
            for n in range(2) for kind, ends in ((8, (A, B)), (0, (B, A)))]
    solicit = [(4, ip6(struct.pack(">BBHI", 135, 0, 0, 0) + address(B6), ICMP6))]
    error = [(5, ip4(struct.pack(">BBHI", 3, 3, 0, 0) + b"e" * 28, ICMP, B, A))]
    arp = [(6, struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + MAC[6:] + address(A) + b"\0" * 6 + address(B))]
    yield "both.pcap", pcap(ether(four) + ether(six, 0x86dd) + ether(ping) +
                            ether(solicit, 0x86dd) + ether(error) + ether(arp, 0x0806))


def story_fragments():
    data = udp(b"f" * 2992, 50000, 53)
    parts = [(0, ip4(data[:1480], UDP, ident=7, frag=0x2000)),
             (0.001, ip4(data[1480:2960], UDP, ident=7, frag=0x2000 | 185)),
             (0.002, ip4(data[2960:], UDP, ident=7, frag=370))]
    orphan = [(1, ip4(b"o" * 100, UDP, ident=8, frag=185))]
    tiny = [(2, ip4(tcp(1, 2, SYN, 3)[:16], TCP, ident=9, frag=0x2000))]
    data6 = udp(b"f" * 1600, 50000, 53)
    six = [(3, ip6(struct.pack(">BBHI", UDP, 0, 1, 99) + data6[:1232], 44)),
           (3.001, ip6(struct.pack(">BBHI", UDP, 0, 1232, 99) + data6[1232:], 44))]
    yield "fragments.pcap", pcap(ether(parts + orphan + tiny) + ether(six, 0x86dd))


def story_vlan():
    one = ip4(udp(b"v", 1000, 2000), UDP)
    back = ip4(udp(b"v", 2000, 1000), UDP, B, A)
    out = []
    for n, tags in enumerate([(), [(0x8100, 10)], [(0x88a8, 100), (0x8100, 10)],
                              [(0x8100, 100), (0x8100, 10)], [(0x8100, 0xa00a)]]):
        out += ether([(n, one), (n + 0.5, back)], tags=tags)
    out += ether([(9, one)], tags=[(0x8100, n) for n in range(1, 6)])
    yield "tags.pcap", pcap(out)


def story_tunnel():
    def vxlan(frame, src, dst, port):
        return ip4(udp(struct.pack(">II", 8 << 24, 42 << 8) + frame, port, 4789), UDP, src, dst)

    def geneve(frame, src, dst, port):
        return ip4(udp(struct.pack(">BBHI", 1, 0, 0x6558, 43 << 8) + b"o" * 4 + frame, port, 6081),
                   UDP, src, dst)

    inner = conversation(src="10.0.0.1", dst="10.0.0.2")
    outs = []
    for at, packet in inner:
        there = packet[12:16] == address("10.0.0.1")
        ends = ("203.0.113.1", "203.0.113.2", 51000) if there else ("203.0.113.2", "203.0.113.1", 52000)
        outs.append((at, vxlan(eth(packet), *ends)))
        outs.append((at + 0.0001, geneve(eth(packet), *ends)))
        outs.append((at + 0.0002, ip4(struct.pack(">HHI", 0x2000, 0x0800, 44) + packet, 47, *ends[:2])))
        outs.append((at + 0.0003, ip4(packet, 4, *ends[:2])))
    six = ip6(udp(b"q", 1000, 2000), UDP)
    outs.append((1, ip4(six, 41, "203.0.113.1", "203.0.113.2")))
    deep = vxlan(eth(vxlan(eth(six, 0x86dd), "10.0.0.1", "10.0.0.2", 1)), "203.0.113.1", "203.0.113.2", 1)
    outs.append((2, deep))
    outs.append((3, ip4(udp(b"\x08\0\0\0", 1, 4789), UDP)))
    yield "tunnel.pcap", pcap(ether(outs))


def story_ipv6():
    def opt(following, length=0):
        return struct.pack(">BB", following, length) + b"\1" + bytes([3 + 8 * length]) + \
            b"\0" * (4 + 8 * length)

    chain = opt(43) + opt(60, 1) + opt(UDP) + udp(b"e" * 20, 1000, 2000)
    longest = b"".join(opt(60) for _ in range(15)) + opt(UDP) + udp(b"e", 1001, 2000)
    too_long = b"".join(opt(60) for _ in range(16)) + opt(UDP) + udp(b"e", 1002, 2000)
    auth = struct.pack(">BBHII", TCP, 2, 0, 1, 1) + b"\0" * 4 + tcp(1003, 2000, SYN, 1)
    atomic = struct.pack(">BBHI", UDP, 0, 0, 5) + udp(b"e", 1004, 2000)
    cut = opt(60)
    packets = [(chain, 0), (longest, 60), (too_long, 60), (auth, 51), (atomic, 44), (cut, 0)]
    yield "chains.pcap", pcap(ether([(n, ip6(p, kind)) for n, (p, kind) in enumerate(packets)], 0x86dd))


def story_malformed():
    good = udp(b"g" * 10, 1000, 2000)
    frames = [
        eth(ip4(good, UDP)),
        eth(ip4(good, UDP, first=0x65)),              # version 6 in an IPv4 frame
        eth(ip4(good, UDP, first=0x44)),              # header of 16 bytes
        eth(ip4(good, UDP, length=2000)),             # longer than the frame
        eth(ip4(good, UDP, length=10)),               # shorter than its header
        eth(ip4(good, UDP)[:15]),                     # ends in the IP header
        eth(ip4(b"\x01\x02\x03\x04", UDP)),           # ends in the UDP header
        eth(ip4(tcp(1, 2, SYN, 3)[:12], TCP)),        # ends in the TCP header
        eth(b"\0" * 40, 0x88b5),                      # an EtherType for experiments
        eth(b"", 0x0800, [(0x8100, 5)])[:15],         # ends in the VLAN tag
        b"\x01\x02\x03\x04\x05\x06",                  # no Ethernet header at all
        b"",
        eth(ip6(good, UDP)[:39], 0x86dd),
        eth(b"\x45" + ip6(good, UDP)[1:], 0x86dd),
        eth(ip4(good, UDP, A, A)),
        eth(ip4(b"", 255)),
        eth(ip4(good, UDP)) + b"\0" * 18,             # padded to 60 bytes
    ]
    yield "malformed.pcap", pcap([(n / 10, f) for n, f in enumerate(frames)])


def story_damaged():
    whole = pcap(ether(conversation()))
    yield "cut-data.pcap", whole[:-20]
    yield "cut-header.pcap", whole[:24 + 2 * 70 + 7]
    yield "huge.pcap", whole[:24 + 70] + struct.pack("<IIII", START, 0, 0x7fffffff, 0x7fffffff) + b"x" * 50
    yield "empty.pcap", pcap([])
    yield "not-a-capture.pcap", b"GIF89a" + b"\0" * 40


def story_links():
    packets = conversation()
    six = [(at + 1, ip6(udp(b"x" * 9, 1, 2), UDP)) for at in (0, 1)]
    yield "raw.pcap", pcap(packets + six, 101)
    yield "ipv4.pcap", pcap(packets, 228)
    yield "null.pcap", pcap([(at, struct.pack("<I", 2) + p) for at, p in packets] +
                            [(at, struct.pack(">I", 30) + p) for at, p in six], 0)
    yield "loop.pcap", pcap([(at, struct.pack(">I", 2) + p) for at, p in packets], 108)
    yield "sll.pcap", pcap([(at, struct.pack(">HHHQH", 0, 1, 6, 0, 0x0800) + p) for at, p in packets] +
                           [(3, struct.pack(">HHHQH", 0, 1, 6, 0, 4) + b"\0" * 30)], 113)
    yield "sll2.pcap", pcap([(at, struct.pack(">HHIHBBQ", 0x0800, 0, 1, 1, 0, 6, 0) + p)
                             for at, p in packets], 276)
    yield "ppp.pcap", pcap([(at, b"\xff\x03\x00\x21" + p) for at, p in packets] +
                           [(at, b"\x57" + p) for at, p in six] + [(4, b"\xc0\x21\x01\x01\x00\x04")], 9)
    yield "hdlc.pcap", pcap([(at, b"\x0f\x00\x08\x00" + p) for at, p in packets] + [(5, b"\x0f")], 104)
    yield "frame-relay.pcap", pcap([(at, b"\x18\x61\x03\xcc" + p) for at, p in packets], 107)
    yield "usb.pcap", pcap([(at, b"\0" * 48) for at in range(3)], 189)


def story_lengths():
    long = ip4(udp(b"j" * 8972, 1000, 2000), UDP)
    cut = [(n / 10, eth(ip4(tcp(40000, 80, ACK, 1 + 1460 * n, 1, b"d" * 1460), TCP))[:60], 1514)
           for n in range(5)]
    gso = eth(ip4(tcp(40001, 80, ACK, 1, 1, b"d" * 20), TCP, length=64000))
    yield "snaplen.pcap", pcap(cut)
    yield "jumbo.pcap", pcap(ether([(0, long), (0.1, long)]) + [(0.2, gso, 64014)])


def story_clock():
    one = eth(ip4(udp(b"1", 1000, 2000), UDP))
    back = eth(ip4(udp(b"2", 2000, 1000), UDP, B, A))
    yield "gap.pcap", pcap([(0, one), (0.1, back), (1.5, one), (100, one), (100.1, back)])
    yield "back.pcap", pcap([(10, one), (5, back), (10.2, one), (0, back)])
    again = [(at + 30, p) for at, p in conversation()]
    yield "ports-again.pcap", pcap(ether(conversation() + again))


def make(folder):
    for name, story in sorted(globals().items()):
        if not name.startswith("story_"):
            continue
        where = os.path.join(folder, name[len("story_"):])
        os.makedirs(where, exist_ok=True)
        for file, data in story():
            with open(os.path.join(where, file), "wb") as out:
                out.write(data)


if __name__ == "__main__":
    make(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))
