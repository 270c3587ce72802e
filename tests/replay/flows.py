# SPDX-License-Identifier: Apache-2.0
"""What `picket replay` says of many captures, and sums by (protocol, ends) to compare with."""
import collections
import ipaddress
import json
import os
import subprocess

L4 = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "icmp6": 58, "ipv6-icmp": 58, "sctp": 132}


def address(text):
    return str(ipaddress.ip_address(text))


class Sum:
    """Packets and bytes by sender, over all flows between two ends."""

    def __init__(self):
        self.packets = collections.Counter()
        self.bytes = collections.Counter()
        self.community = set()
        self.flows = 0
        self.fragments = 0

    def add(self, sender, packets, size):
        self.packets[sender] += packets
        self.bytes[sender] += size


class Capture:
    """The flows of one capture, outer ones and those inside a tunnel apart."""

    def __init__(self, flows, account):
        self.account = account
        self.outer, self.inner = {}, {}
        for flow in flows:
            self.add(flow)

    def add(self, flow):
        info, own = flow["connection_info"], flow["unmapped"]["picket"]
        if "protocol_num" not in info:
            return
        ends = [(address(flow[e]["ip"]), flow[e].get("port", 0))
                for e in ("src_endpoint", "dst_endpoint")]
        table = self.inner if "encap" in own else self.outer
        total = table.setdefault(key(info["protocol_num"], *ends), Sum())
        total.flows += 1
        total.community.add(info.get("community_uid"))
        for end, side in zip(ends, ("src", "dst")):
            total.add(end, own[side]["packets"], own[side]["bytes"])
            total.fragments += own[side]["fragments"]


def key(proto, a, b):
    return (proto,) + tuple(sorted((a, b)))


def replay(picket, files, *options):
    """One run over all files: (Captures by file, standard output, standard error, status)."""
    listing = "\n".join(files) + "\n"
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), "picket-replay-%d" % os.getpid())
    with open(path, "w", encoding="utf-8") as out:
        out.write(listing)
    try:
        run = subprocess.run([picket, "replay", "-q", "-o", "json", "--files-from", path, *options],
                             capture_output=True, timeout=600, check=False)
    finally:
        os.unlink(path)
    captures, flows = {}, []
    for line in run.stdout.splitlines():
        record = json.loads(line)
        if "replay" in record:
            captures[record["replay"]["file"]] = Capture(flows, record["replay"])
            flows = []
        elif record["class_uid"] == 4001:
            flows.append(record)
    return captures, run.stdout, run.stderr.decode("utf-8", "replace"), run.returncode
