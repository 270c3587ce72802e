#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
`picket replay` on captures of our own: each NAME.pcap of a story has its flows in NAME.csv and what
is said on standard error in NAME.txt. stories.t update writes them anew: read the difference.
"""
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import make  # noqa: E402

ROOT = os.environ.get("PICKET_ROOT", os.path.dirname(os.path.dirname(HERE)))
PICKET = os.path.join(os.environ.get("PICKET_BUILD", os.path.join(ROOT, "build")), "picket")
tests = []


def run(*arguments, **options):
    done = subprocess.run([PICKET, "replay", *arguments], cwd=HERE, capture_output=True, timeout=120,
                          check=False, **options)
    return done.stdout.decode(), done.stderr.decode(), done.returncode


def ok(name, good, *details):
    tests.append(good)
    print("%sok %d - %s" % ("" if good else "not ", len(tests), name))
    if not good:
        for detail in details:
            for line in str(detail).splitlines()[:20]:
                print("# " + line)


def read(path):
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return file.read()


def captures():
    return sorted(os.path.join(story, name) for story in os.listdir(HERE)
                  if os.path.isdir(os.path.join(HERE, story))
                  for name in os.listdir(os.path.join(HERE, story))
                  if name.endswith((".pcap", ".pcapng")))


def expected(capture, kind):
    return os.path.join(HERE, capture) + kind


def update():
    make.make(HERE)
    with tempfile.TemporaryDirectory() as folder:
        found = answers(folder)
    for capture, (out, err) in found.items():
        for text, kind in ((out, ".csv"), (err, ".txt")):
            with open(expected(capture, kind), "w", encoding="utf-8") as file:
                file.write(text)


def check_made(folder):
    make.make(folder)
    for capture in captures():
        with open(os.path.join(HERE, capture), "rb") as mine, \
                open(os.path.join(folder, capture), "rb") as made:
            if mine.read() != made.read():
                return capture
    return None


def list_all(folder):
    path = os.path.join(folder, "list")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(captures()) + "\n")
    return path


def answers(folder):
    """(flows, what is said) by capture, of one run over all."""
    out, err, _ = run("-q", "-o", "csv", "--files-from", list_all(folder))
    head, *rows = out.splitlines(True)
    found = {c: ["", ""] for c in captures()}
    for row in rows:
        found[row.split(",")[0]][0] += row
    for line in err.splitlines(True):
        name = line.removeprefix("picket replay: ").split(":")[0]
        found[name][1] += line
        if line.startswith(name):  # it could be opened
            found[name][0] = head + found[name][0]
    return found


def check_stories(folder):
    for capture, (out, err) in answers(folder).items():
        want = read(expected(capture, ".csv")), read(expected(capture, ".txt"))
        ok(capture, (out, err) == want, out, err)
    good, bad = run("-q", "tcp/others.pcap"), run("-q", "damaged/cut-data.pcap")
    ok("exit status", good[2] == 0 and bad[2] == 1, good, bad)


def check_json(folder):
    """All in one run as JSON: the same flows as one by one, every packet accounted for."""
    out, _, status = run("-q", "-o", "json", "--files-from", list_all(folder))
    flows, uneven, rows = [], [], {}
    for record in map(json.loads, out.splitlines()):
        if "replay" in record:
            account, rows[record["replay"]["file"]] = record["replay"], flows
            flows = []
            if not account["balanced"]:
                uneven.append(account)
        else:
            traffic = record["traffic"]
            flows.append([str(traffic[n]) for n in ("packets_out", "bytes_out", "packets_in", "bytes_in")])
    other = [c for c in captures() if c in rows and
             rows[c] != [r.split(",")[8:12] for r in read(expected(c, ".csv")).splitlines()[1:]]]
    ok("all at once, as JSON: the same flows", status == 1 and not other and len(rows) >= 20, other)
    ok("each packet is accounted for", not uneven, uneven)


def check_table():
    out, _, _ = run("-q", "tcp/conversation.pcap")
    lines = out.splitlines()
    ok("table", len(lines) == 2 and lines[1].split() == [
        "2023-11-14", "22:13:20.000", "tcp", "192.0.2.1:40000", "198.51.100.2:80", "6", "424", "7",
        "3878", "10.000", "1", "fin"], out)


def check_gzip(folder):
    path = os.path.join(folder, "conversation.pcap.gz")
    with open(os.path.join(HERE, "tcp/conversation.pcap"), "rb") as file, gzip.open(path, "wb") as out:
        out.write(file.read())
    plain, packed = run("-q", "tcp/conversation.pcap"), run("-q", path)
    ok("gzip", plain[0] == packed[0] and packed[2] == 0, packed)
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)
    _, err, status = run("-q", path)
    ok("damaged gzip", status == 1 and "picket replay: " in err, err)


def check_filter():
    out, _, status = run("-q", "-o", "csv", "tcp/others.pcap", "tcp", "and", "port", "81")
    ok("filter", status == 0 and len(out.splitlines()) == 2 and ",81," in out, out)
    out, err, status = run("-q", "tcp/others.pcap", "port", "and")
    ok("a wrong filter shows where", status == 2 and "\n" in err and "^" in err and not out, err)


def check_usage():
    ok("no file", run()[2] == 2)
    ok("no such format", run("-o", "xml", "tcp/others.pcap")[2] == 2)
    ok("help", run("--help")[2] == 0 and "Usage" in run("--help")[0])
    out, err, status = run("none.pcap")
    ok("no such file", status == 1 and "none.pcap: No such file" in err and not out, err)
    _, err, status = run("bad\x1b[31m\u202e.pcap")
    ok("a name can't write to the terminal", status == 1 and "\x1b" not in err and "\u202e" not in err, err)


def check_unprivileged():
    """The program is copied where nobody may run it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = shutil.copy(PICKET, os.path.join(folder, "picket"))
        capture = shutil.copy(os.path.join(HERE, "tcp/others.pcap"), folder)
        done = subprocess.run([copy, "replay", capture], capture_output=True, check=False, timeout=60,
                              user=65534, group=65534, extra_groups=[])
        err = done.stderr.decode()
        ok("without privileges it says so", done.returncode == 1 and "root" in err and
           "libbpf" not in err, err)


def check_dropped(folder):
    """While it reads, it has CAP_BPF and CAP_DAC_READ_SEARCH and can gain nothing."""
    fifo = os.path.join(folder, "fifo")
    os.mkfifo(fifo)
    child = subprocess.Popen([PICKET, "replay", "-q", fifo], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
    with open(fifo, "wb") as out:  # returns once the other side has opened it to read
        state = dict(line.split(":", 1) for line in read("/proc/%d/status" % child.pid).splitlines())
        with open(os.path.join(HERE, "tcp/conversation.pcap"), "rb") as file:
            out.write(file.read())
    shown = child.communicate(timeout=60)[0]
    ok("privileges are dropped before a capture is read",
       int(state["CapPrm"], 16) == 1 << 39 | 1 << 2 and state["NoNewPrivs"].strip() == "1" and
       b"3878" in shown, state["CapPrm"], state["NoNewPrivs"], shown)


def check_many(folder):
    """More flows than the kernel's smallest table holds; the largest frames."""
    path = os.path.join(folder, "many.pcap")
    flows = [(n / 100000, make.eth(make.ip4(make.udp(b"x", n % 60000 + 1, n // 60000 + 1), make.UDP)))
             for n in range(100000)]
    with open(path, "wb") as file:
        file.write(make.pcap(flows))
    first = run("-q", "-o", "json", path)
    account = json.loads(first[0].splitlines()[-1])["replay"]
    ok("100,000 flows at once, none in aggregates", account["flows"] == 100000 and account["balanced"] and
       account["aggregate"] == 0 and account["flows_lost"] == 0, account)
    ok("hash keys do not matter", run("-q", "-o", "json", path) == first)
    big = make.eth(make.ip4(make.tcp(1, 2, make.ACK, 1, 1, b"g" * 100000), make.TCP, length=0))
    path = os.path.join(folder, "big.pcap")
    with open(path, "wb") as file:
        file.write(make.pcap([(0, big)]))
    out, err, _ = run("-q", "-o", "csv", path)
    ok("a frame larger than the kernel takes", out.splitlines()[-1].split(",")[8:10] == ["1", str(len(big))],
       out, err)


def main():
    if sys.argv[1:] == ["update"]:
        update()
        return 0
    with tempfile.TemporaryDirectory() as folder:
        odd = check_made(folder)
        ok("make.py makes the captures here", odd is None, odd)
        check_stories(folder)
        check_json(folder)
        check_table()
        check_gzip(folder)
        check_filter()
        check_usage()
        check_unprivileged()
        check_dropped(folder)
        check_many(folder)
    print("1..%d" % len(tests))
    return 0 if all(tests) else 1


if __name__ == "__main__":
    sys.exit(main())
