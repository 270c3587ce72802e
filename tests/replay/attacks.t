#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
What the detectors say about the captures of the corpora, through `picket replay --alerts -o json`: each
labelled attack raises the detection that is expected of it, and all other captures raise nothing above
low. Prints capture | expected | raised. PICKET_CORPORA names the corpora.

Suricata's tests say little about attacks: of the 277 whose checks count alerts, output-multi-eve alone has a
rule for a real one (Log4Shell). The others test the rule engine, with rules and traffic made for that; some
of their rules only sound like it (http2-long-frame, firewall-76's "id check returned root").
"""
import collections
import json
import os
import subprocess
import sys

ROOT = os.environ.get("PICKET_ROOT", os.getcwd())
BUILD = os.environ.get("PICKET_BUILD", os.path.join(ROOT, "build"))
CORPORA = os.path.realpath(os.environ.get("PICKET_CORPORA", os.path.join(ROOT, "../shared/corpora")))
TRAILS = os.path.join(CORPORA, "maltrail/corpus/trails.csv")
SOURCES = ("arkime", "foxio-ja4", "maltrail", "ndpi", "otrf-log4shell", "stratosphere", "suricata-verify",
           "tcpdump", "zeek")
ABOVE_LOW = ("Medium", "High", "Critical")

# Capture: detectors, one of each group in parentheses; what the capture is.
EXPECT = {
    "stratosphere/test7-malicious.pcap": ("host_sweep|port_scan", "an IoT device looks for others; the break-in before is one SSH login"),
    "stratosphere/test-cc/test-cc-capture-2.pcap": ("beacon", "a call each 2 to 3 seconds"),
    "stratosphere/test12-icmp-portscan.pcap": ("host_sweep", "ICMP sweep"),
    "otrf-log4shell/pcap_log4shell_cve2021_44228_java_serialized_2022-05-13045800.pcapng":
        ("web_attack wrong_port", "Log4Shell, and the victim calls back; control channel in HTTP on 443"),
    "arkime/ftp.pcap": ("clear_text", "FTP login"),
    "arkime/http-basicauth.pcap": ("clear_text", "HTTP Basic"),
    "arkime/irc-cap-req.pcap": ("wrong_port", "IRC on 80"),
    "arkime/tcp_handshake_synthetic.pcap": ("wrong_port", "SSH on 8080"),
    "ndpi/pcap/WebattackSQLinj.pcap": ("web_attack", "SQL injection into a practice server (DVWA)"),
    "ndpi/pcap/bad-dns-traffic.pcap": ("dns_tunnel", "dnscat2"),
    "ndpi/pcap/log4j-webapp-exploit.pcap": ("web_attack", "Log4Shell, and the victim calls back"),
    "ndpi/pcap/tls_port_80.pcapng": ("wrong_port", "TLS on 80"),
    "ndpi/pcap/xss.pcap": ("web_attack", "as low: a script in a link of a practice server (DVWA)"),
    "suricata-verify/tests/dns/bug-1158/input.pcap": ("dns_tunnel", "iodine"),
    "suricata-verify/tests/firewall/app-layer-protocol-unknown-tls-boundary/input.pcap":
        ("wrong_port", "SSH on 443"),
    "suricata-verify/tests/http-brotli-ce/input.pcap": ("wrong_port", "HTTP on 443"),
    "suricata-verify/tests/output-multi-eve/input.pcap": ("web_attack", "Log4Shell, and the victim calls back"),
    "suricata-verify/tests/smtp-tls-protodetect/input.pcap": ("wrong_port", "SMTP on 465"),
    "suricata-verify/tests/uricontent/detect-uricontent-02/input.pcap": ("wrong_port", "HTTP on 53"),
    "zeek/Traces/ftp/bruteforce.pcap": ("password_guess", "FTP logins tried"),
    "zeek/Traces/http/cooper-grill-dvwa.pcapng": ("web_attack", "SQL injection into a practice server (DVWA)"),
    "zeek/Traces/http/http-single-conn-22.pcap": ("wrong_port", "HTTP on 22"),
    "zeek/Traces/postgresql/http-on-port-5432.pcap": ("wrong_port", "HTTP on 5432"),
}

# The same of Maltrail's corpus, whose manifest says what must be reported; None: out of reach, and why.
MALTRAIL = {
    "ip_trails": ("intel", ""),
    "stealth_scan_fin": ("port_scan", ""),
    "udp_scan": ("port_scan", ""),
    "web_scan": ("web_scan", ""),
    "dns_queries": ("intel", ""),
    "dns_resolver_trail": ("intel", ""),
    "dns_responses": ("intel", ""),
    "dns_dga_labels": ("dga", "as low: one name"),
    "http_trails": ("intel", ""),
    "http_heuristics": ("web_attack web_scan", "all but the proxy probe and what is downloaded"),
    "ipv6": ("intel", ""),
    "repeated_detections": ("intel", "folded"),
    "tls_sni": ("intel", ""),
    "pppoe": ("intel", ""),
    "ipv4_options": ("intel", ""),
    "mixed_soup": ("intel", "the manifest names none of what is mixed"),
}

# Said to be benign, and raises more than low all the same.
EXCEPTIONS = {
    ("maltrail/corpus/truncated.pcap", "intel"):
        "a whole IP header names the listed address; what is cut off lies behind it",
}


def has_detector(name):
    return os.path.exists(os.path.join(ROOT, "user/detect", name + ".c"))


def captures():
    """Of all sources, relative to the corpora."""
    for source in SOURCES:
        for at, _, names in os.walk(os.path.join(CORPORA, source), followlinks=True):
            for name in names:
                if name.endswith((".pcap", ".pcapng", ".pcap.gz", ".cap", ".dmp")):
                    yield os.path.relpath(os.path.join(at, name), CORPORA)


def replay(files, *options):
    """By capture: {detector: worst severity}; and the exit status."""
    run = subprocess.run([os.path.join(BUILD, "picket"), "replay", "-q", "--alerts", "-o", "json", *options,
                          "--files-from", "/dev/stdin"], text=True, errors="replace",
                         input="".join(os.path.join(CORPORA, f) + "\n" for f in files),
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=900, check=False)
    raised, seen = {}, collections.OrderedDict()
    for line in run.stdout.splitlines():
        record = json.loads(line)
        if "replay" in record:
            raised[os.path.relpath(record["replay"]["file"], CORPORA)] = seen
            seen = collections.OrderedDict()
            continue
        name = record["finding_info"]["analytic"]["uid"]
        seen[name] = max(seen.get(name, (0, "")), (record["severity_id"], record["severity"]))
    return raised, run.returncode


def words(raised):
    return ", ".join("%s %s" % (name, severity) for name, (_, severity) in sorted(raised.items())) or "nothing"


def judge(capture, want, about, raised):
    """One row and one test: (description, problems, skip)."""
    print("# %s | %s | %s | %s" % (capture, want or "nothing", words(raised), about))
    if not want:
        return "%s: %s" % (capture, about), [], "out of reach"
    groups = [g.split("|") for g in want.split()]
    gone = [g for g in groups if not any(has_detector(d) for d in g)]
    missing = [g for g in groups if g not in gone and not any(d in raised for d in g)]
    skip = "no detector %s" % " ".join("|".join(g) for g in gone) if gone and not missing else None
    return "%s: %s" % (capture, want), ["missing: " + "|".join(g) for g in missing], skip


def maltrail():
    with open(os.path.join(CORPORA, "maltrail/corpus/manifest.json"), encoding="utf-8") as f:
        for case in json.load(f):
            yield "maltrail/corpus/" + case["pcap"], case["name"], case["expect"]


def quiet(capture, raised):
    """What is above low and has no reason."""
    return ["%s: %s %s" % (capture, name, severity) for name, (_, severity) in raised.items()
            if severity in ABOVE_LOW and (capture, name) not in EXCEPTIONS]


def main():
    if not os.path.isdir(CORPORA):
        print("1..0 # SKIP no corpora at %s (set PICKET_CORPORA)" % CORPORA)
        return 0
    files = sorted(captures())
    # Addresses of that list are examples that stand in other captures as well.
    raised, status = replay([f for f in files if not f.startswith("maltrail/")])
    trails, _ = replay([f for f in files if f.startswith("maltrail/")], "--intel", TRAILS)
    raised.update(trails)
    tests = [("%d captures are read" % len(raised),
              [] if status in (0, 1) and len(raised) > 1000 else ["status %d" % status], None)]
    print("# capture | expected | raised | what it is")
    for capture, (want, about) in sorted(EXPECT.items()):
        tests.append(judge(capture, want, about, raised.get(capture, {})))
    labelled = set(EXPECT)
    for capture, name, expect in maltrail():
        if not expect and name not in MALTRAIL:
            continue
        want, about = MALTRAIL[name]
        labelled.add(capture)
        tests.append(judge(capture, want, about, raised.get(capture, {})))
    loud = [p for capture in raised if capture not in labelled for p in quiet(capture, raised[capture])]
    tests.append(("%d other captures raise nothing above low" % len(set(raised) - labelled), loud, None))
    for (capture, name), why in EXCEPTIONS.items():
        print("# exception: %s | %s | %s" % (capture, name, why))
        tests.append(("the exception of %s is needed" % capture,
                      [] if name in raised.get(capture, {}) else ["it raises nothing"], None))
    for n, (name, problems, skip) in enumerate(tests, 1):
        print("%sok %d - %s%s" % ("not " if problems else "", n, name, " # SKIP " + skip if skip else ""))
        for text in problems[:60]:
            print("# %s" % text)
    print("1..%d" % len(tests))
    return 1 if any(problems for _, problems, _ in tests) else 0


if __name__ == "__main__":
    sys.exit(main())
