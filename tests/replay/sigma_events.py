# SPDX-License-Identifier: Apache-2.0
"""Events for Sigma rules, made of the rules' own values: matching ones, near misses, mixtures."""
import random
import re

# What regular expressions of rules match, for want of a way to make it of them.
REGEX = ["openssl s_client -quiet -connect 10.1.2.3:443", "ls -lid /", "ls -i -d /", "hexdump -R '41 42 43 44 '",
         "-W '41424344' ", "ssh -D 1080 host", "/tmp/.hidden", ".x", "vim -c '!sh'", "x" * 120,
         "\\x41\\x42", "%2e%2e/", "a=b;c", "sh -c id", " 0x41 ", "AAAA====", "-e /bin/sh", "/dev/tcp/1.2.3.4/5"]


def leaves(value):
    """(field, modifiers, values) of a detection's parts."""
    if isinstance(value, dict):
        for key, v in value.items():
            field, *mods = key.split("|")
            yield field, mods, v if isinstance(v, list) else [v]
    elif isinstance(value, list):
        for v in value:
            yield from leaves(v) if isinstance(v, dict) else [("", [], [v])]
    else:
        yield "", [], [value]


def text_of(value, mods, rng):
    """A text that the value matches, without contains and its like."""
    if value is None:
        return None
    if "re" in mods:
        fits = [t for t in REGEX if re.search(str(value), t)]
        return rng.choice(fits or [re.sub(r"[\\^$()?*+|\[\]{}]", "", str(value))])
    if "cidr" in mods:
        return str(value).split("/")[0]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = re.sub(r"(?<!\\)\*", lambda _: rng.choice(["", "x", "some thing"]), text)
    text = re.sub(r"(?<!\\)\?", "q", text)
    return re.sub(r"\\([\\*?])", r"\1", text)


def put(fields, name, mods, values, rng):
    old = fields.get(name) or ""
    texts = [t for t in (text_of(v, mods, rng) for v in (values if "all" in mods else [rng.choice(values)]))
             if t is not None]
    if not texts:
        fields.pop(name, None)
        return
    if "contains" in mods or "re" in mods:
        fields[name] = old + rng.choice(["", " ", "ab"]) + rng.choice([" ", "", "Q"]).join(texts)
    elif "startswith" in mods:
        fields[name] = texts[0] + rng.choice(["", "zz"]) + old
    elif "endswith" in mods:
        fields[name] = old + rng.choice(["", "/usr/bin"]) + texts[0]
    else:
        fields[name] = texts[0]


def matching(rule, rng):
    """Some of the rule's selections, one value each."""
    fields = {}
    for name, value in rule.raw["detection"].items():
        if name == "condition" or (name.startswith("filter") and rng.random() < 0.8) or rng.random() < 0.1:
            continue
        parts = value if isinstance(value, list) and all(isinstance(v, dict) for v in value) else [value]
        found = list(leaves(rng.choice(parts) if isinstance(value, list) else value))
        if all(f == "" for f, _, _ in found):
            for _, _, values in found if rng.random() < 0.7 else [rng.choice(found)]:
                target = rng.choice(sorted(rule.names))
                put(fields, target, ["contains", "all"], values, rng)
            continue
        for field, mods, values in found:
            if field:
                put(fields, field, mods, values, rng)
    return fields


def miss(fields, rng):
    """One small change: mostly a near miss, sometimes none (case)."""
    if not fields:
        return fields
    fields = dict(fields)
    name = rng.choice(sorted(fields))
    text, how = fields[name], rng.randrange(7)
    at = rng.randrange(len(text)) if text else 0
    if how == 0:
        fields[name] = text[:at] + text[at + 1:]
    elif how == 1:
        fields[name] = text + "x"
    elif how == 2:
        fields[name] = "x" + text
    elif how == 3:
        fields[name] = text.swapcase()
    elif how == 4:
        del fields[name]
    elif how == 5:
        fields[name] = [text[:at], text[at:]]
    else:
        fields[name] = text[:at] + "_" + text[at:]
    return fields


def canonical(rule, fields):
    return {rule.names[n]: v for n, v in fields.items()}


def event(rule, fields):
    """For both: as the rule's log source names it, and canonical."""
    category, product, service = rule.logsource
    return {"category": category, "product": product, "service": service, "fields": fields, "source": rule.source,
            "canonical": canonical(rule, fields)}


def make(rules, each, seed):
    rng = random.Random(seed)
    for rule in rules:
        fields = []
        for _ in range(each):
            fields.append(matching(rule, rng))
            yield event(rule, fields[-1])
            yield event(rule, miss(fields[-1], rng))
        other = rng.choice([r for r in rules if r.logsource == rule.logsource])
        mixed = {**matching(other, rng), **dict(rng.sample(sorted(fields[0].items()), len(fields[0]) // 2))}
        yield event(rule, mixed)


def executions(rule, lines):
    """Programs that ran, as a rule of process creation sees them."""
    for line in lines:
        for e in line["exec"]:
            yield event(rule, {"Image": e["path"], "CommandLine": " ".join(e["argv"]), "User": "root"})
