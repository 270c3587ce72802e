# SPDX-License-Identifier: Apache-2.0
"""
An evaluator of Sigma rules, written from the specification and slow: what user/sigma/ is compared with.
Events are {"source": ..., "fields": {canonical name: text or list of texts}}.
"""
import base64
import ipaddress
import itertools
import re

import yaml

ZEEK_ID = {"id.orig_h": "src", "id.orig_p": "sport", "id.resp_h": "dst", "id.resp_p": "dport"}
ARGS = {f"a{i}": f"a{i}" for i in range(16)}
# (category, product, service) -> source, names of fields as the rules have them -> canonical ones
SOURCES = [
    (("process_creation", "linux", None), "process",
     {n: n for n in ("Image", "CommandLine", "CurrentDirectory", "User", "LogonId", "ProcessId", "ParentImage",
                     "ParentCommandLine", "ParentProcessId")}),
    (("network_connection", "linux", None), "network",
     {"Image": "Image", "CommandLine": "CommandLine", "User": "User", "ProcessId": "ProcessId",
      "Protocol": "proto", "Initiated": "Initiated", "SourceIp": "src", "SourcePort": "sport",
      "DestinationIp": "dst", "DestinationPort": "dport", "DestinationHostname": "host"}),
    (("dns", None, None), "dns", {"query": "query", "record_type": "rtype", "answer": "answer"}),
    (("dns_query", "linux", None), "dns", {"QueryName": "query", "QueryResults": "answer", "QueryStatus": "rcode",
                                           "Image": "Image", "ProcessId": "ProcessId", "User": "User"}),
    (("firewall", None, None), "flow", {"src_ip": "src", "src_port": "sport", "dst_ip": "dst", "dst_port": "dport",
                                        "action": "action", "blocked": "blocked"}),
    ((None, "zeek", "dns"), "dns", {**ZEEK_ID, "proto": "proto", "query": "query", "qtype_name": "rtype",
                                    "answers": "answer", "rcode": "rcode", "rcode_name": "rcode_name", "Z": "Z"}),
    ((None, "zeek", "http"), "http", {**ZEEK_ID, "host": "http_host", "uri": "uri", "c-uri": "uri",
                                      "method": "method", "user_agent": "agent", "c-useragent": "agent"}),
    ((None, "linux", "auditd"), "audit",
     {"type": "type", "SYSCALL": "syscall", "syscall": "syscall", "exe": "Image", "comm": "comm",
      "proctitle": "proctitle", "pid": "ProcessId", "ppid": "ParentProcessId", "uid": "uid", "euid": "euid",
      "gid": "gid", "egid": "egid", "auid": "auid", "ses": "ses", **ARGS}),
]


def source_of(rule):
    ls = rule["logsource"]
    key = (ls.get("category"), ls.get("product"), ls.get("service"))
    for want, source, names in SOURCES:
        if want == key or (want[1] == "linux" and want[2] is None and key == (want[0], None, None)):
            return key, source, names
    return None


def as_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def tokens(value):
    """Plain characters, and None for `*`, True for `?`."""
    out, i = [], 0
    while i < len(value):
        if value[i] == "\\" and value[i + 1:i + 2] in ("\\", "*", "?") and value[i + 1:i + 2]:
            out.append(value[i + 1])
            i += 1
        else:
            out.append({"*": None, "?": True}.get(value[i], value[i]))
        i += 1
    return out


def pattern(toks, cased):
    text = "".join(".*" if t is None else "." if t is True else re.escape(t) for t in toks)
    return re.compile(text, re.S | re.A | (0 if cased else re.I)).fullmatch


def plain(toks):
    assert all(isinstance(t, str) for t in toks), "wildcards can not be encoded"
    return "".join(toks)


def base64offset(data):
    for i in range(3):
        encoded = base64.b64encode(b" " * i + data).decode()
        yield encoded[(0, 2, 3)[i]:(None, -3, -2)[(len(data) + i) % 3]]


def windash(toks):
    text = "".join("\0" if t is None else "\1" if t is True else t for t in toks)
    parts = re.split(r"(?<!\w)[-/\u2013\u2014\u2015](?=\w)", text, flags=re.A)
    for dashes in itertools.product("-/\u2013\u2014\u2015", repeat=len(parts) - 1):
        mixed = parts[0] + "".join(d + p for d, p in zip(dashes, parts[1:]))
        yield [{"\0": None, "\1": True}.get(c, c) for c in mixed]


def compare(op, want):
    def number(text):
        try:
            have = float(text)
        except ValueError:
            return False
        return {"lt": have < want, "lte": have <= want, "gt": have > want, "gte": have >= want}[op]
    return number


def in_network(network):
    net = ipaddress.ip_network(network, strict=False)

    def test(text):
        try:
            addr = ipaddress.ip_address(text)
        except ValueError:
            return False
        return addr.version == net.version and addr in net
    return test


def test_of(value, mods, keyword):
    """A predicate of one text."""
    if "re" in mods:
        flags = re.A
        for letter, flag in (("i", re.I), ("m", re.M), ("s", re.S)):
            flags |= flag if letter in mods else 0
        return re.compile(as_text(value), flags).search
    if "cidr" in mods:
        return in_network(value)
    for op in ("lt", "lte", "gt", "gte"):
        if op in mods:
            return compare(op, float(value))
    alts, data = [tokens(as_text(value))], None
    for mod in mods:
        if mod == "windash":
            alts = [w for a in alts for w in windash(a)]
        elif mod in ("wide", "utf16le", "utf16be", "utf16"):
            data = {"wide": lambda s: s.encode("utf-16-le"), "utf16le": lambda s: s.encode("utf-16-le"),
                    "utf16be": lambda s: s.encode("utf-16-be"),
                    "utf16": lambda s: b"\xff\xfe" + s.encode("utf-16-le")}[mod](plain(alts[0]))
        elif mod in ("base64", "base64offset"):
            data = plain(alts[0]).encode() if data is None else data
            encoded = [base64.b64encode(data).decode()] if mod == "base64" else base64offset(data)
            alts = [list(e) for e in encoded]
        elif mod in ("contains", "startswith", "endswith"):
            before, behind = mod != "startswith", mod != "endswith"
            alts = [([None] if before else []) + a + ([None] if behind else []) for a in alts]
    if keyword:
        alts = [[None] + a + [None] for a in alts]
    tests = [pattern(a, "cased" in mods) for a in alts]
    return lambda text: any(t(text) for t in tests)


class Item:
    def __init__(self, key, values, names):
        field, *self.mods = key.split("|")
        self.field = names[field] if field else None
        self.null = values is None
        values = values if isinstance(values, list) else [values]
        self.exists = values[0] if "exists" in self.mods else None
        self.other = names[values[0]] if "fieldref" in self.mods else None
        if self.exists is None and not self.other and not self.null:
            self.tests = [test_of(v, self.mods, not field) for v in values]

    def holds(self, fields):
        if self.exists is not None:
            return (self.field in fields) == self.exists
        if self.null:
            return self.field not in fields
        texts = [t for n, v in fields.items() if self.field in (None, n) for t in (v if isinstance(v, list) else [v])]
        if self.other:
            other = fields.get(self.other)
            return any(t.lower() == o.lower() for t in texts
                       for o in (other if isinstance(other, list) else [other]) if o is not None)
        hits = [any(test(t) for t in texts) for test in self.tests]
        found = all(hits) if "all" in self.mods else any(hits)
        return found != ("neq" in self.mods)


def selection(value, names):
    """A predicate of an event's fields."""
    if isinstance(value, dict):
        items = [Item(k, v, names) for k, v in value.items()]
        return lambda fields: all(i.holds(fields) for i in items)
    members = value if isinstance(value, list) else [value]
    parts = [selection(m, names) if isinstance(m, dict) else Item("", m, names).holds for m in members]
    return lambda fields: any(p(fields) for p in parts)


class Condition:
    """Turned into Python: names become look-ups in a dictionary of truths."""

    def __init__(self, text, names):
        self.names = names
        words = re.findall(r"[()]|[^\s()]+", text)
        out, i = [], 0
        while i < len(words):
            word = words[i]
            if i + 2 < len(words) and words[i + 1] == "of":
                out.append(self.quantified(word, words[i + 2]))
                i += 2
            elif word.lower() in ("and", "or", "not") or word in "()":
                out.append(word.lower())
            else:
                assert word in names, word
                out.append(f"t[{word!r}]")
            i += 1
        self.code = compile(" ".join(out), text, "eval")

    def quantified(self, count, names):
        shape = re.compile(re.escape(names).replace(r"\*", ".*")).fullmatch
        chosen = [n for n in self.names if (not n.startswith("_") if names == "them" else shape(n))]
        need = {"all": len(chosen), "any": 1}.get(count) or int(count)
        return f"(sum(t[n] for n in {chosen!r}) >= {need})"

    def holds(self, truths):
        return eval(self.code, {"t": truths, "sum": sum})


class Rule:
    def __init__(self, rule):
        self.logsource, self.source, names = source_of(rule)
        self.names = names
        self.raw = rule
        detection = rule["detection"]
        self.selections = {n: selection(v, names) for n, v in detection.items() if n != "condition"}
        conditions = detection["condition"]
        self.conditions = [Condition(c, list(self.selections))
                           for c in (conditions if isinstance(conditions, list) else [conditions])]

    def holds(self, event):
        if event["source"] != self.source:
            return False
        truths = {n: bool(s(event["fields"])) for n, s in self.selections.items()}
        return any(c.holds(truths) for c in self.conditions)


def load(path):
    with open(path, encoding="utf-8") as f:
        return [d for d in yaml.safe_load_all(f) if d]
