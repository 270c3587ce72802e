#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
All Sigma rules of the corpora: each runs, or is refused with a reason; and what the engine finds is
what an evaluator written from the specification finds, all rules by all events. PICKET_CORPORA names
the corpora.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

ROOT = os.environ.get("PICKET_ROOT", os.getcwd())
BUILD = os.environ.get("PICKET_BUILD", os.path.join(ROOT, "build"))
CORPORA = os.path.realpath(os.environ.get("PICKET_CORPORA", os.path.join(ROOT, "../shared/corpora")))
RULES = os.path.join(CORPORA, "sigma")
EXECS = os.path.join(CORPORA, "atomic-red-team", "observed-debian12.derived.jsonl")

# Log sources of which every rule must run.
WHOLE = {("process_creation", "linux", None), ("network_connection", "linux", None), ("dns", None, None),
         ("firewall", None, None), (None, "zeek", "dns")}
# What refusals may say.
REASONS = ("Picket records no file events", "Picket reads no log files of programs", "Picket has no such events",
           "Picket has none for this log source", "Picket does not read the content of this protocol")
EACH = int(os.environ.get("SIGMA_EACH", "12"))


class Tap:
    def __init__(self):
        self.n = 0

    def say(self, ok, what, *notes):
        self.n += 1
        print(f"{'ok' if ok else 'not ok'} {self.n} - {what}", flush=True)
        for note in notes:
            print(f"# {note}")


def check():
    out = subprocess.run([f"{BUILD}/picket", "rule", "check", "-o", "json", RULES], capture_output=True, text=True,
                         check=False).stdout
    return [json.loads(line) for line in out.splitlines()]


def listed(tap, states, files):
    tap.say({s["file"] for s in states} == set(files), f"each of {len(files)} files is answered for")
    silent = [s["file"] for s in states if s["state"] != "ok" and not s["problems"]]
    tap.say(not silent, "what does not run has a reason", *silent)
    strange = [f"{s['file']}:{p['line']}: {p['text']}" for s in states for p in s["problems"]
               if not p["line"] or p["kind"] != "unsupported" or not any(r in p["text"] for r in REASONS)]
    tap.say(not strange, "the reasons are those that are known, with their places", *strange)
    bad = [s["file"] for s in states
           if s["state"] != "ok" and (s.get("category"), s.get("product"), s.get("service")) in WHOLE]
    tap.say(not bad, "all rules of supported log sources run", *bad)
    running = sum(s["state"] == "ok" for s in states)
    tap.say(running >= 97 * len(files) // 142, f"{running} of {len(states)} run")


def engine(events):
    """Sets of (file, line) that hit, by event."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        for e in events:
            f.write(json.dumps({k: v for k, v in e.items() if k != "canonical"}) + "\n")
        f.flush()
        out = subprocess.run([f"{BUILD}/tests/e2e/sigma", f.name, RULES], capture_output=True, text=True, check=True)
    hits = [set() for _ in events]
    for line in out.stdout.splitlines():
        number, file, at = line.split()
        hits[int(number) - 1].add((file, int(at)))
    return hits


def compare(tap, states, sigma_events, reference):
    rules = {}
    for s in states:
        docs = reference.load(s["file"])
        if s["state"] == "ok" and len(docs) == 1:
            rules[(s["file"], s["line"])] = reference.Rule(docs[0])
    with open(EXECS, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    process = next(r for r in rules.values() if r.source == "process")
    events = list(sigma_events.make(list(rules.values()), EACH, 5)) + list(sigma_events.executions(process, lines))
    found, differ, met, total = engine(events), [], {}, 0
    for e, hits in zip(events, found):
        seen = {"source": e["source"], "fields": e["canonical"]}
        for key, rule in rules.items():
            want = rule.holds(seen)
            total += want
            if want != (key in hits):
                differ.append(f"{'missed' if want else 'invented'}: {os.path.basename(key[0])}: {e['fields']}")
            if want:
                met[key] = True
    tap.say(not differ, f"{len(rules)} rules by {len(events)} events: {total} hits, the same as the reference",
            *differ[:20])
    unmet = [os.path.basename(k[0]) for k in rules if k not in met]
    tap.say(len(unmet) <= len(rules) // 20, f"{len(met)} of {len(rules)} rules were met by an event", *unmet)


def main():
    if not os.path.isdir(RULES):
        print(f"1..0 # SKIP no Sigma rules at {RULES}")
        return
    try:
        import sigma_events
        import sigma_reference
    except ImportError as e:
        print(f"1..0 # SKIP {e}")
        return
    tap = Tap()
    states = check()
    listed(tap, states, glob.glob(f"{RULES}/**/*.yml", recursive=True))
    compare(tap, states, sigma_events, sigma_reference)
    print(f"1..{tap.n}")


main()
