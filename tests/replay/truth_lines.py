# SPDX-License-Identifier: Apache-2.0
"""What other tools read of DNS and SSH in the captures: Rows as in truth.py."""
import csv
import glob
import ipaddress
import json
import os
import re

import expected
from rows import Row, pair


def name(text):
    """As it is asked for: lower case, without the last dot, in letters of ASCII (RFC 5891)."""
    text = text.lower().rstrip(".")
    return text if text.isascii() else text.encode("idna").decode()


def loose(text):
    """nDPI shows a byte that it does not like as "?" or "_", we as an escape of three digits."""
    return re.sub(r"[^a-z0-9.-]", "?", re.sub(r"\\\\?\d{3}", "?", text))


def addresses(texts):
    for text in texts:
        try:
            yield "dns address", str(ipaddress.ip_address(text))
        except ValueError:
            pass


def software(banner):
    """"SSH-2.0-OpenSSH_9.2p1 Debian-2": the softwareversion of RFC 4253, 4.2."""
    return banner.split("-", 2)[-1].split(" ")[0]


def zeek_dns(row):
    if row.get("query") not in (None, "-", "(empty)"):
        yield "dns", name(row["query"])
    if row.get("rcode_name") not in (None, "-"):
        yield "dns rcode", row["rcode_name"]
    yield from addresses((row.get("answers") or "").split(","))


def zeek_ssh(row):
    for side in ("client", "server"):
        if row.get(side) not in (None, "-"):
            yield "ssh", software(row[side])


def zeek(root):
    """dns.log and ssh.log."""
    path = os.path.join(root, "zeek", "trace-to-baseline.tsv")
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        tests = list(csv.DictReader(file, delimiter="\t"))
    for test in tests:
        capture = os.path.join(root, "zeek", "Traces", test["trace"])
        for log, read in (("dns.log", zeek_dns), ("ssh.log", zeek_ssh)):
            path = os.path.join(root, "zeek", "Baseline", test["test"], log)
            for row in expected.zeek_rows(path) if os.path.exists(path) else ():
                if not row.get("id.orig_p", "-").isdigit():
                    continue
                ends = pair(17 if row.get("proto") == "udp" else 6, row["id.orig_h"],
                            row["id.orig_p"], row["id.resp_h"], row["id.resp_p"])
                for what, value in read(row):
                    yield Row("zeek", capture, what, ends, value)


def arkime_answers(message):
    """The addresses of what was asked for; what the additional section holds besides is there too."""
    names = {message.get("queryHost")}
    for answer in message.get("answers", ()):
        if answer.get("name") in names:
            names.add(answer.get("cname"))
            if "ip" in answer:
                yield answer["ip"]


def arkime_values(body):
    dns, ssh = body.get("dns") or [], body.get("ssh") or {}
    for message in dns if isinstance(dns, list) else ():
        if message.get("queryHost", "<root>") != "<root>":
            yield "dns", name(message["queryHost"])
        if message.get("status"):
            yield "dns rcode", message["status"]
        yield from addresses(arkime_answers(message))
    for banner in ssh.get("version", ()):
        yield "ssh", software(banner)
    for field in ("hassh", "hasshServer"):
        for value in ssh.get(field, ()):
            yield "hassh", value


def arkime(root):
    for path in sorted(glob.glob(os.path.join(root, "arkime", "*.test.json"))):
        capture = path.replace(".test.json", ".pcap")
        with open(path, encoding="utf-8") as file:
            sessions = json.load(file)["sessions3"]
        for body in (s["body"] for s in sessions):
            if body["ipProtocol"] not in (6, 17):
                continue
            ends = pair(body["ipProtocol"], body["source"]["ip"], body["source"]["port"],
                        body["destination"]["ip"], body["destination"]["port"])
            for what, value in arkime_values(body):
                yield Row("arkime", capture, what, ends, value)


def ndpi_values(row):
    app = (row["proto"] or "").split(".")[0]
    if app in ("DNS", "MDNS", "LLMNR") and row.get("host"):
        yield "dns", name(row["host"])
    if app == "SSH" and row.get("host"):
        yield "ssh", software(row["host"])
    for side in ("hassh_c", "hassh_s"):
        if row.get(side):
            yield "hassh", row[side]


def ndpi(root):
    """A question's name for each flow of DNS, banner and HASSH of SSH."""
    path = os.path.join(root, "ndpi", "flows.derived.jsonl")
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        flows = [json.loads(line) for line in file]
    for row in flows:
        proto = expected.NUMBERS.get(row["l4"].upper())
        capture = os.path.join(root, "ndpi", "pcap", row["pcap"])
        for what, value in ndpi_values(row) if proto in (6, 17) else ():
            yield Row("ndpi", capture, what,
                      pair(proto, row["src"], row["sport"], row["dst"], row["dport"]), value)


def suricata_values(match):
    for field, value in match.items():
        if field in ("dns.rrname", "dns.queries[0].rrname", "dns.query[0].rrname"):
            yield "dns", name(value)
        elif field == "dns.rcode":
            yield "dns rcode", value
        elif field.startswith("dns.") and field.endswith(".rdata") or field.startswith("dns.grouped."):
            yield from addresses([str(value)])
        elif field.startswith("ssh.") and field.endswith(".software_version"):
            yield "ssh", value
        elif field.startswith("ssh.") and field.endswith(".hassh.hash"):
            yield "hassh", value


def suricata(root):
    for capture, _, match in expected.suricata_checks(root, ("dns", "ssh")):
        for what, value in suricata_values(match):
            yield Row("suricata", capture, what, None, value)


SOURCES = (ndpi, zeek, suricata, arkime)
