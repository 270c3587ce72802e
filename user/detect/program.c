/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table of program names, and questions about command lines and ancestors. It knows nothing of
 * attacks and keeps no state.
 */
#include "detect/program.h"

#include "base/cleanup.h"
#include "conf/conf.h"
#include "enrich/enrich.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_LEN 32

static const struct {
	unsigned kinds;
	const char *names; /* between blanks, with one at both ends */
} table[] = {
	{ PK_PROG_SHELL, " sh bash dash zsh ksh mksh ash fish csh tcsh rbash busybox " },
	{ PK_PROG_SCRIPT,
	  " python perl ruby php lua luajit awk gawk mawk tclsh expect node nodejs deno " },
	{ PK_PROG_RELAY, " nc ncat netcat nc.traditional nc.openbsd socat telnet openssl cryptcat "
			 "rlwrap stunnel chisel websocat " },
	{ PK_PROG_FETCH,
	  " curl wget wget2 aria2c axel lwp-download GET ftp lftp tftp scp sftp rsync "
	  "fetch http https xh whois " },
	{ PK_PROG_LOGIN,
	  " sshd sshd-session sshd-auth dropbear telnetd in.telnetd login inetd xinetd "
	  "systemd rlogind in.rlogind rshd in.rshd mosh-server cockpit-bridge "
	  "gettyd tmux screen containerd-shim containerd-shim-runc-v2 dockerd conmon " },
	{ PK_PROG_SERVER,
	  " nginx apache2 httpd php-fpm php-cgi lighttpd caddy java tomcat jsvc gunicorn uwsgi "
	  "uvicorn unicorn puma passenger dotnet w3wp mysqld mariadbd postgres redis-server mongod "
	  "memcached named exim4 exim postfix smbd vsftpd proftpd haproxy traefik envoy " },
	{ PK_PROG_PACKAGE,
	  " apt apt-get aptitude dpkg dpkg-deb dpkg-preconfigure apt-extracttemplates "
	  "unattended-upgrade "
	  "unattended-upgrades dnf yum rpm zypper pacman apk snap snapd flatpak pip npm yarn "
	  "pnpm npx cargo rustup rustc gem bundle go make gmake cmake ninja meson ctest mvn gradle "
	  "configure debconf frontend " },
	{ PK_PROG_DEBUG, " gdb gdbserver strace ltrace lldb lldb-server rr dlv gcore perf valgrind "
			 "criu py-spy rbspy reptyr " },
	{ PK_PROG_BPF, " systemd systemd-udevd systemd-networkd systemd-nspawn bpftool tc ip "
		       "cilium-agent tetragon falco bpftrace runc crun youki containerd dockerd "
		       "tracee system-probe perf snap-confine init lxc-start pwru inspektor-gadget "
		       "xdp-loader xdp-filter NetworkManager " },
	{ PK_PROG_SNIFF,
	  " dhclient dhcpcd udhcpc systemd-networkd systemd-resolved NetworkManager wpa_supplicant "
	  "hostapd "
	  "lldpd lldpad keepalived bird zebra ospfd frr avahi-daemon arpwatch suricata zeek snort "
	  "dnsmasq dhcpd kea-dhcp4 radvd odhcp6c connmand iptables iptables-nft iptables-legacy "
	  "xtables-nft-multi xtables-legacy-multi ip6tables ping ping6 fping mtr mtr-packet "
	  "traceroute tracepath conntrackd vrrpd chronyd ptp4l " },
	{ PK_PROG_PROBE,
	  " tcpdump tshark wireshark dumpcap ngrep nmap arping arp-scan hping3 iftop nethogs "
	  "iptraf "
	  "iptraf-ng netsniff-ng termshark ettercap masscan zmap scapy dsniff tcpreplay " },
	{ PK_PROG_CLOUD,
	  " cloud-init cloud-id amazon-ssm-agent ssm-agent-worker amazon-cloudwatch-agent "
	  "google_guest_agent google_metadata_script_runner google_osconfig_agent "
	  "google_oslogin_nss_cache "
	  "gce_workload_cert_refresh waagent walinuxagent hv_kvp_daemon kubelet aws-node "
	  "ecs-agent agent coreos-metadata afterburn ignition fluent-bit ds-identify "
	  "oracle-cloud-agent " },
	{ PK_PROG_MODULE, " modprobe insmod kmod systemd-modules-load systemd-udevd udevadm dkms "
			  "update-initramfs " },
	{ PK_PROG_SETID,
	  " sudo su passwd mount umount newgrp chsh chfn gpasswd pkexec fusermount fusermount3 "
	  "crontab ssh-agent ping ping6 at unix_chkpwd dbus-daemon-launch-helper "
	  "polkit-agent-helper-1 "
	  "snap-confine ssh-keysign mount.nfs mount.nfs4 mount.cifs umount.nfs umount.nfs4 doas sg "
	  "expiry chage wall write bsd-write exim4 screen locate plocate mlocate traceroute "
	  "traceroute6.iputils Xorg Xorg.wrap newuidmap newgidmap bwrap pppd sendmail postdrop "
	  "postqueue "
	  "utempter procmail dotlockfile mail-lock mail-unlock mail-touchlock sudoedit ntfs-3g "
	  "vmware-user-suid-wrapper chrome-sandbox lxc-user-nic suexec grub2-set-bootflag staprun "
	  "userhelper pam_timestamp_check lockfile mutt_dotlock sudo-rs su-rs " },
};

struct pk_program_key pk_program_key(const struct pk_process *p)
{
	return (struct pk_program_key){ .start_ns = p->id.start_ns, .tgid = p->id.tgid };
}

static unsigned lookup(const char *name, size_t len)
{
	char word[NAME_MAX_LEN + 3];
	unsigned kinds = 0;

	if (len == 0 || len > NAME_MAX_LEN || memchr(name, ' ', len))
		return 0;
	word[0] = ' ';
	memcpy(word + 1, name, len);
	memcpy(word + 1 + len, " ", 2);
	for (size_t i = 0; i < PK_ARRAY_SIZE(table); i++)
		if (strstr(table[i].names, word))
			kinds |= table[i].kinds;
	return kinds;
}

/* "python3.11" is python, "php-fpm8.2" php-fpm; but "apache2" is what it says. */
unsigned pk_program_of(const char *name)
{
	size_t len = strlen(name), short_len = len;
	unsigned kinds = lookup(name, len);

	while (short_len && (isdigit((unsigned char)name[short_len - 1]) ||
			     name[short_len - 1] == '.' || name[short_len - 1] == '-'))
		short_len--;
	return kinds || short_len == len ? kinds : lookup(name, short_len);
}

bool pk_program_is(const struct pk_process *p, unsigned kinds)
{
	return pk_program_of(pk_process_name(p)) & kinds;
}

bool pk_image_is(const struct pk_image *i, unsigned kinds)
{
	const char *slash = i ? strrchr(i->path, '/') : NULL;

	return slash && (pk_program_of(slash + 1) & kinds);
}

bool pk_program_path_is_system(const char *path)
{
	static const char *const places[] = { "/usr/",
					      "/bin/",
					      "/sbin/",
					      "/lib/",
					      "/lib32/",
					      "/lib64/",
					      "/libx32/",
					      "/opt/",
					      "/snap/",
					      "/nix/store/",
					      "/var/lib/dpkg/info/" };

	for (size_t i = 0; i < PK_ARRAY_SIZE(places); i++)
		if (strncmp(path, places[i], strlen(places[i])) == 0)
			return true;
	return false;
}

bool pk_program_is_known(const struct pk_process *p, unsigned kinds)
{
	return pk_program_is(p, kinds) && pk_program_path_is_system(pk_process_path(p)) &&
	       !(p->image[0]->exe_mode & 0002);
}

bool pk_program_is_listed(const struct pk_process *p, const struct pk_conf_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], pk_process_path(p)) == 0 ||
		    strcmp(list->v[i], pk_process_name(p)) == 0)
			return true;
	return false;
}

const char *pk_program_word(const char **at, unsigned *ret_len)
{
	const char *s = *at;
	size_t n;

	while (*s == ' ')
		s++;
	n = strcspn(s, " ");
	*at = s + n;
	*ret_len = (unsigned)n;
	return n ? s : NULL;
}

/* Is there a command behind this option, as in -c, -lc, -e or -m? */
static bool is_command_option(unsigned kinds, const char *w, unsigned len)
{
	const char *letters = kinds & PK_PROG_SHELL ? "c" : "ceErmf";

	if (len < 2 || w[0] != '-' || w[1] == '-')
		return false;
	for (unsigned i = 1; i < len; i++)
		if (strchr(letters, w[i]))
			return true;
	return false;
}

bool pk_program_reads_stdin(const struct pk_process *p)
{
	unsigned kinds = pk_program_of(pk_process_name(p)) & (PK_PROG_SHELL | PK_PROG_SCRIPT), len;
	const char *at = pk_process_cmd_line(p), *w = pk_program_word(&at, &len);

	if (!kinds || !w)
		return false;
	while ((w = pk_program_word(&at, &len))) {
		if (is_command_option(kinds, w, len))
			return false;
		if ((kinds & PK_PROG_SHELL) && len == 2 && memcmp(w, "-s", 2) == 0)
			return true;
		if ((len == 2 && (memcmp(w, "-o", 2) == 0 || memcmp(w, "+o", 2) == 0)) ||
		    (len == 8 && memcmp(w, "--rcfile", 8) == 0)) {
			(void)pk_program_word(&at, &len); /* its argument */
			continue;
		}
		if (len == 1 && *w == '-')
			return true;
		if (len == 2 && memcmp(w, "sh", 2) == 0) /* busybox sh */
			continue;
		if (*w != '-' && *w != '+')
			return false;
	}
	return true;
}

bool pk_program_line_has(const char *line, const char *const *words)
{
	static const char between[] = " '\"()[]{};|&`$<>=,\n\t";

	while (*line) {
		size_t n = strcspn(line, between);

		for (size_t i = 0; n && words[i]; i++)
			if (strlen(words[i]) == n && memcmp(words[i], line, n) == 0)
				return true;
		line += n;
		line += *line != '\0';
	}
	return false;
}

const struct pk_process *pk_program_root(const struct pk_enrich *e, const struct pk_process *p)
{
	const struct pk_process *up;

	for (unsigned i = 0; i < PK_ANCESTORS_MAX; i++) {
		up = pk_process_parent(&e->processes, p);
		if (!up || !p->image[0] || up->image[0] != p->image[0])
			break;
		p = up;
	}
	return p;
}

/* In a pid namespace of its own the agent is known by its name only. */
bool pk_program_is_own(const struct pk_enrich *e, const struct pk_process *p)
{
	const struct pk_process *own =
		e ? pk_process_by_pid(&e->processes, (uint32_t)getpid()) : NULL;
	const struct pk_image *a = own ? own->image[0] : NULL, *b = p->image[0];

	if (a && b && a->exe_ino == b->exe_ino && a->exe_dev == b->exe_dev)
		return true;
	return (strcmp(pk_process_name(p), "picketd") == 0 ||
		strcmp(pk_process_name(p), "picket") == 0) &&
	       pk_program_path_is_system(pk_process_path(p));
}

bool pk_program_is_below(const struct pk_enrich *e, const struct pk_process *p, unsigned levels,
			 unsigned kinds)
{
	for (unsigned i = 0; p && i <= levels; i++, p = pk_process_parent(&e->processes, p))
		if (pk_program_is_known(p, kinds))
			return true;
	return false;
}
