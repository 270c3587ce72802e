#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Every capture of the corpora through `picket replay`: none may crash it, every packet is accounted
for, two runs give the same bytes, and flows agree with what Arkime, nDPI, Zeek and Suricata say.

Each source has a floor, the number measured when it was last looked at, and each kind of difference
a reason; what has none is listed and fails. PICKET_CORPORA names the corpora.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import expected  # noqa: E402
import flows  # noqa: E402

ROOT = os.environ.get("PICKET_ROOT", os.getcwd())
BUILD = os.environ.get("PICKET_BUILD", os.path.join(ROOT, "build"))
CORPORA = os.path.realpath(os.environ.get("PICKET_CORPORA", os.path.join(ROOT, "../shared/corpora")))
SUFFIXES = (".pcap", ".pcapng", ".cap", ".trace", ".pcap.gz", ".pcap_")

# Conversations (packets and bytes, each side) and community ids that agree: at least so many.
FLOORS = {"arkime": 268, "arkime community id": 243, "ndpi": 991, "zeek": 111, "suricata": 31}

# Files that break off or can't be read: what must have been said.
BROKEN = {
    "ndpi/pcap/fuzz-2021-10-13.pcap": "packet 2: truncated dump file",
    "zeek/Traces/ldap/modify-request.pcapng": "different from the snapshot length of the first",
}

NOT_OPENED = "inside an encapsulation that is not opened: "
# Where a difference is known to come from, by capture.
REASONS = {
    "arkime/80211http.pcap": "link type 802.11",
    "arkime/gre-erspan-vxlan.pcap": NOT_OPENED + "ERSPAN",
    "arkime/gre-erspan.pcap": NOT_OPENED + "ERSPAN",
    "arkime/ipv6-gtp6.pcap": NOT_OPENED + "GTP",
    "arkime/ospf.pcap": "the reference joins all senders to a multicast group",
    "arkime/pim.pcap": "the reference joins all senders to a multicast group",
    "arkime/tcpdump-geneve.pcap": "tunnel options, which the reference counts, differ by packet",
    "arkime/vxlan.pcap": "ARP inside VXLAN: the reference takes it for UDP",
    "ndpi/pcap/dtls.pcap": NOT_OPENED + "GTP",
    "ndpi/pcap/false_positives.pcapng": NOT_OPENED + "GTP",
    "ndpi/pcap/ipv6_in_gtp.pcap": NOT_OPENED + "GTP",
    "ndpi/pcap/someip_sd_sample.pcap": "link type PPI",
    "zeek/Traces/erspanIII.pcap": NOT_OPENED + "ERSPAN",
    "zeek/Traces/mpls-in-vlan.pcap": NOT_OPENED + "MPLS",
    "zeek/Traces/radiotap.pcap": "link type 802.11",
    "zeek/Traces/wlanmon.pcap": "link type 802.11",
    "zeek/Traces/tunnels/Teredo.pcap": NOT_OPENED + "Teredo",
    "zeek/Traces/tunnels/ayiya-large-identity.pcap": NOT_OPENED + "AYIYA",
    "zeek/Traces/tunnels/ayiya3.pcap": NOT_OPENED + "AYIYA",
    "zeek/Traces/tunnels/geneve-vxlan-dns-truncated.pcap": NOT_OPENED + "a tunnel in a tunnel",
    "zeek/Traces/tunnels/gre-aruba-amsdu.pcap": NOT_OPENED + "802.11 in GRE",
    "zeek/Traces/tunnels/gtp/gtp1_gn_normal_incl_fragmentation.pcap": NOT_OPENED + "GTP",
    "zeek/Traces/tunnels/gtp/gtp6_gtp_0x32.pcap": NOT_OPENED + "GTP",
    "zeek/Traces/tunnels/gtp/gtp8_teredo.pcap": NOT_OPENED + "GTP",
    "zeek/Traces/vntag_vlan_sandwich_clean.pcap": NOT_OPENED + "VN-Tag",
    # Zeek ends the connection early there; tshark counts the 9 and 9 packets that we count.
    "zeek/Traces/globus-url-copy.pcap": "the reference ended the connection early",
    # tshark counts the 25 packets of the server that we count, the check has 29.
    "suricata-verify/tests/bug-3616-smtp/input.pcap": "the reference counts more than there is",
    "suricata-verify/tests/decode-erspan-typeII-01/input.pcap": NOT_OPENED + "ERSPAN",
    "suricata-verify/tests/decode-teredo-01/input.pcap": NOT_OPENED + "Teredo",
}


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def check(self, name, problems):
        self.n += 1
        self.failed += bool(problems)
        print("%sok %d - %s" % ("not " if problems else "", self.n, name))
        for line in problems[:40]:
            print("# " + line)

    def note(self, text):
        print("# " + text)

    def skip(self, name, why):
        self.n += 1
        print("ok %d - %s # SKIP %s" % (self.n, name, why))


def short(path):
    return os.path.relpath(path, CORPORA)


def records(path):
    """Packets in a classic pcap file that is whole, counted by itself; None: not such a file."""
    with open(path, "rb") as file:
        data = file.read()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">",
             b"\xa1\xb2\x3c\x4d": ">"}.get(data[:4])
    if not order:
        return None
    n, at = 0, 24
    while at + 16 <= len(data):
        at += 16 + struct.unpack_from(order + "I", data, at + 8)[0]
        n += 1
    return n if at == len(data) else None


def check_accounts(tap, captures, stderr, status):
    tap.check("%d captures, no crash" % len(captures),
              [] if status in (0, 1) else ["exit status %d" % status] + stderr.splitlines()[-5:])
    odd = []
    for path, capture in captures.items():
        a, n = capture.account, records(path)
        refused = sum(a["refused"].values())
        if a["packets"] != a["unsupported_link"] + a["truncated_link"] + a["seen"] or \
                a["seen"] != a["flow"] + a["aggregate"] + refused or not a["balanced"]:
            odd.append("%s: the sum does not match: %s" % (short(path), a))
        if n is not None and n != a["packets"]:
            odd.append("%s: %d packets in the file, %d read" % (short(path), n, a["packets"]))
        counted = sum(sum(s.packets.values()) for s in capture.outer.values())
        if counted > a["flow"]:
            odd.append("%s: flows hold %d packets of %d" % (short(path), counted, a["flow"]))
    total = sum(c.account["packets"] for c in captures.values())
    tap.check("each of %d packets is accounted for" % total, odd)


def check_broken(tap, files, captures, stderr):
    said = [line for line in stderr.splitlines() if line.startswith("picket replay: ")]
    wrong = ["said: " + s for s in said
             if not any(name in s and text in s for name, text in BROKEN.items())]
    wrong += ["not said of " + n for n in BROKEN
              if os.path.join(CORPORA, n) in files and not any(n in s for s in said)]
    wrong += [short(f) + ": no answer" for f in files if f not in captures and
              not any(short(f) in s for s in said)]
    tap.check("damaged files are named, %d of them" % len(said), wrong)


def same_bytes(ours, theirs, exact):
    """Equal, or larger by the same headers on every packet (tunnel, link layer, its padding)."""
    if ours.bytes == theirs.bytes:
        return True
    if exact:
        return False
    more = {e: ours.bytes[e] - theirs.bytes[e] for e in ours.packets if ours.packets[e]}
    per = {m / ours.packets[e] for e, m in more.items()}
    return len(per) == 1 or all(0 <= m - 14 * ours.packets[e] <= 26 * ours.packets[e]
                                for e, m in more.items())


def find(capture, tunnelled, ends, theirs, exact):
    """The sum that agrees, or the best candidate."""
    tables = (capture.inner,) if tunnelled else (capture.outer, capture.inner)
    best = None
    for table in tables:
        ours = table.get(ends)
        if not ours:
            continue
        best = best or ours
        if ours.packets == theirs.packets and \
                same_bytes(ours, theirs, exact and table is capture.outer):
            return ours, True
    return best, False


def reason(path, capture, ends, ours, theirs):
    known = REASONS.get(short(path))
    both = capture.inner.get(ends)
    if known:
        return known
    fragments = any(s.fragments for k, s in capture.outer.items()
                    if {e[0] for e in k[1:]} == {e[0] for e in ends[1:]})
    if fragments:
        return "fragments: the reference counts datagrams after reassembly"
    if ours and both and ours is not both and \
            sum(theirs.packets.values()) == sum(ours.packets.values()) + sum(both.packets.values()):
        return "the reference adds up what came plain and what came through a tunnel"
    if ends[0] == 17 and {e[1] for e in ends[1:]} in ({67, 68}, {546, 547}):
        return "the reference joins a broadcast with its answer (DHCP)"
    return None


class Score:
    def __init__(self, source):
        self.source, self.equal, self.total = source, 0, 0
        self.why, self.unexplained = {}, []

    def add(self, equal, why, text):
        self.total += 1
        self.equal += equal
        if equal:
            return
        if why:
            self.why[why] = self.why.get(why, 0) + 1
        else:
            self.unexplained.append(text)

    def tell(self, tap):
        tap.note("%-20s %4d of %4d equal" % (self.source, self.equal, self.total))
        for why, n in sorted(self.why.items(), key=lambda w: (-w[1], w[0])):
            tap.note("%-20s %4d %s" % ("", n, why))
        bad = ["unexplained: " + u for u in self.unexplained]
        if self.equal < FLOORS[self.source]:
            bad.append("%d are equal, %d were" % (self.equal, FLOORS[self.source]))
        tap.check("%s: %d of %d equal, each difference explained" %
                  (self.source, self.equal, self.total), bad)


def describe(path, ends, ours, theirs):
    return "%s %s: here %s, there %s" % (
        short(path), ends, ours and (dict(ours.packets), dict(ours.bytes)),
        (dict(theirs.packets), dict(theirs.bytes)))


def score_flows(source, found, captures, exact):
    score = Score(source)
    for (path, _), expect in found.items():
        capture = captures.get(path)
        if not capture:
            continue
        for tunnelled, table in ((False, expect.plain), (True, expect.tunnelled)):
            for ends, theirs in table.items():
                ours, equal = find(capture, tunnelled, ends, theirs, exact)
                score.add(equal, reason(path, capture, ends, ours, theirs),
                          describe(path, ends, ours, theirs))
    return score


def score_community(found, captures):
    """Where Arkime gives an id and the flow is here. It has its own idea of ids without ports."""
    score = Score("arkime community id")
    for (path, _), expect in found.items():
        for table in (expect.plain, expect.tunnelled):
            for ends, theirs in table.items():
                capture = captures.get(path)
                ours = capture and (capture.outer.get(ends) or capture.inner.get(ends))
                want = theirs.community - {None}
                if not ours or not want:
                    continue
                why = None
                if ends[0] not in (1, 6, 17, 58, 132):
                    why = "protocol without ports: the reference hashes ports of 0, tshark and we none"
                elif ends[0] == 58:
                    why = "one-way ICMPv6: the reference sorts the ends, specification and we do not"
                score.add(want <= ours.community, why,
                          "%s %s: %s, %s" % (short(path), ends, ours.community, want))
    return score


def suricata_sum(capture, match):
    """Sums whose ends are those of the check, sender first."""
    proto = expected.NUMBERS.get(str(match.get("proto", "")).upper())
    src, dst = flows.address(match["src_ip"]), flows.address(match["dest_ip"])
    for table in (capture.outer, capture.inner):
        for ends, ours in table.items():
            for a, b in (ends[1:], ends[:0:-1]):
                if (proto in (None, ends[0]) and a[0] == src and b[0] == dst and
                        match.get("src_port", a[1]) == a[1] and
                        match.get("dest_port", b[1]) == b[1]):
                    yield ends, ours, a, b


def score_suricata(checks, captures):
    score = Score("suricata")
    for path, name, match in checks:
        capture, equal, text = captures.get(path), False, "no such flow"
        if not capture:
            continue
        for _, ours, a, b in suricata_sum(capture, match):
            have = {"flow.pkts_toserver": ours.packets[a], "flow.pkts_toclient": ours.packets[b],
                    "flow.bytes_toserver": ours.bytes[a], "flow.bytes_toclient": ours.bytes[b]}
            text = "%s, expected %s" % (have, {m: match[m] for m in have if m in match})
            equal = equal or all(match[m] == v for m, v in have.items() if m in match)
        score.add(equal, REASONS.get(short(path)), "%s: %s" % (name, text))
    return score


def main():
    if not os.path.isdir(CORPORA):
        print("1..0 # SKIP no corpora at %s (set PICKET_CORPORA)" % CORPORA)
        return 0
    files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(CORPORA)
                   for name in names if name.endswith(SUFFIXES) and
                   os.path.getsize(os.path.join(folder, name)))
    picket = os.path.join(BUILD, "picket")
    captures, stdout, stderr, status = flows.replay(picket, files)
    tap = Tap()
    check_accounts(tap, captures, stderr, status)
    check_broken(tap, files, captures, stderr)
    again = flows.replay(picket, files)
    tap.check("a second run, with other hash keys, gives the same bytes",
              [] if again[1] == stdout and again[2] == stderr else ["output differs"])
    arkime = expected.arkime(CORPORA)
    for score in (score_flows("arkime", arkime, captures, True), score_community(arkime, captures),
                  score_flows("ndpi", expected.ndpi(CORPORA), captures, True),
                  score_flows("zeek", expected.zeek(CORPORA), captures, False)):
        score.tell(tap)
    checks = expected.suricata(CORPORA)
    if checks is None:
        tap.skip("suricata", "python3-yaml is not installed")
    else:
        score_suricata(checks, captures).tell(tap)
    print("1..%d" % tap.n)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
