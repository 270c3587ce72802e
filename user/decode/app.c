/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells protocols by what they begin with, asking the decoders themselves where they know best; and
 * what ports are for, by IANA's registry of service names, as far as hosts usually meet them.
 */
#include "decode/app.h"

#include "base/cleanup.h"
#include "base/cursor.h"
#include "decode/dhcp.h"
#include "decode/dns.h"
#include "decode/http.h"
#include "decode/icmp.h"
#include "decode/ssh.h"
#include "decode/text.h"

#include <netinet/in.h>
#include <strings.h>

#define PORT_DNS        53
#define PORT_MDNS       5353
#define PORT_LLMNR      5355
#define PORT_NETBIOS_NS 137
#define PORT_DHCP6_C    546
#define PORT_DHCP6_S    547

#define TLS_ALERT     21
#define TLS_HANDSHAKE 22
#define QUIC_LONG     0xc0
#define QUIC_CID_MAX  20

#define TCP 1
#define UDP 2

#define BIT(p) (1U << PK_PROTO_##p)

/* Sorted by port. First protocol: what the port is for, if it is one of ours; also: what is usual
 * there beside it. Names are IANA's. */
static const struct port {
	uint16_t port;
	uint8_t l4; /* TCP, UDP */
	uint8_t main;
	uint32_t also;
	const char *name;
} ports[] = {
	{ 20, TCP, 0, 0, "ftp-data" },
	{ 21, TCP, PK_PROTO_FTP, 0, "ftp" },
	{ 22, TCP, PK_PROTO_SSH, 0, "ssh" },
	{ 23, TCP, 0, 0, "telnet" },
	{ 25, TCP, PK_PROTO_SMTP, 0, "smtp" },
	{ 43, TCP, 0, 0, "nicname" },
	{ 49, TCP, 0, 0, "tacacs" },
	{ 53, TCP | UDP, PK_PROTO_DNS, 0, "domain" },
	{ 67, UDP, PK_PROTO_DHCP, 0, "bootps" },
	{ 68, UDP, PK_PROTO_DHCP, 0, "bootpc" },
	{ 69, UDP, 0, 0, "tftp" },
	{ 70, TCP, 0, 0, "gopher" },
	{ 79, TCP, 0, 0, "finger" },
	{ 80, TCP, PK_PROTO_HTTP, 0, "http" },
	{ 80, UDP, PK_PROTO_QUIC, 0, "http" },
	{ 88, TCP | UDP, 0, 0, "kerberos" },
	{ 110, TCP, PK_PROTO_POP3, 0, "pop3" },
	{ 111, TCP | UDP, 0, 0, "sunrpc" },
	{ 113, TCP, 0, 0, "ident" },
	{ 119, TCP, 0, 0, "nntp" },
	{ 123, UDP, 0, 0, "ntp" },
	{ 135, TCP, 0, 0, "epmap" },
	{ 137, UDP, 0, 0, "netbios-ns" },
	{ 138, UDP, 0, 0, "netbios-dgm" },
	{ 139, TCP, 0, 0, "netbios-ssn" },
	{ 143, TCP, PK_PROTO_IMAP, 0, "imap" },
	{ 161, UDP, 0, 0, "snmp" },
	{ 162, UDP, 0, 0, "snmptrap" },
	{ 179, TCP, 0, 0, "bgp" },
	{ 194, TCP, PK_PROTO_IRC, 0, "irc" },
	{ 389, TCP | UDP, 0, BIT(TLS), "ldap" },
	{ 427, TCP | UDP, 0, 0, "svrloc" },
	{ 443, TCP, PK_PROTO_TLS, 0, "https" },
	{ 443, UDP, PK_PROTO_QUIC, 0, "https" },
	{ 445, TCP, 0, 0, "microsoft-ds" },
	{ 464, TCP | UDP, 0, 0, "kpasswd" },
	{ 465, TCP, PK_PROTO_TLS, 0, "submissions" },
	{ 500, UDP, 0, 0, "isakmp" },
	{ 514, TCP, 0, 0, "shell" },
	{ 514, UDP, 0, 0, "syslog" },
	{ 515, TCP, 0, 0, "printer" },
	{ 520, UDP, 0, 0, "router" },
	{ 546, UDP, PK_PROTO_DHCP, 0, "dhcpv6-client" },
	{ 547, UDP, PK_PROTO_DHCP, 0, "dhcpv6-server" },
	{ 548, TCP, 0, 0, "afpovertcp" },
	{ 554, TCP, 0, 0, "rtsp" },
	{ 563, TCP, PK_PROTO_TLS, 0, "nntps" },
	{ 587, TCP, PK_PROTO_SMTP, BIT(TLS), "submission" },
	{ 631, TCP, PK_PROTO_HTTP, BIT(TLS), "ipp" },
	{ 636, TCP, PK_PROTO_TLS, 0, "ldaps" },
	{ 853, TCP, PK_PROTO_TLS, 0, "domain-s" },
	{ 853, UDP, PK_PROTO_QUIC, 0, "domain-s" },
	{ 873, TCP, 0, 0, "rsync" },
	{ 989, TCP, PK_PROTO_TLS, 0, "ftps-data" },
	{ 990, TCP, PK_PROTO_TLS, 0, "ftps" },
	{ 992, TCP, PK_PROTO_TLS, 0, "telnets" },
	{ 993, TCP, PK_PROTO_TLS, 0, "imaps" },
	{ 995, TCP, PK_PROTO_TLS, 0, "pop3s" },
	{ 1080, TCP, 0, BIT(TLS) | BIT(HTTP) | BIT(SSH), "socks" },
	{ 1194, TCP | UDP, 0, 0, "openvpn" },
	{ 1433, TCP, 0, BIT(TLS), "ms-sql-s" },
	{ 1434, UDP, 0, 0, "ms-sql-m" },
	{ 1701, UDP, 0, 0, "l2tp" },
	{ 1723, TCP, 0, 0, "pptp" },
	{ 1812, UDP, 0, 0, "radius" },
	{ 1813, UDP, 0, 0, "radius-acct" },
	{ 1883, TCP, 0, 0, "mqtt" },
	{ 1900, UDP, 0, 0, "ssdp" },
	{ 2049, TCP | UDP, 0, BIT(TLS), "nfs" },
	{ 2375, TCP, PK_PROTO_HTTP, BIT(TLS), "docker" },
	{ 2376, TCP, PK_PROTO_TLS, 0, "docker-s" },
	{ 2379, TCP, PK_PROTO_HTTP, BIT(TLS), "etcd-client" },
	{ 2380, TCP, PK_PROTO_HTTP, BIT(TLS), "etcd-server" },
	{ 3306, TCP, 0, 0, "mysql" },
	{ 3389, TCP, 0, BIT(TLS), "ms-wbt-server" },
	{ 3478, TCP | UDP, 0, 0, "stun" },
	{ 4500, UDP, 0, 0, "ipsec-nat-t" },
	{ 5060, TCP | UDP, 0, 0, "sip" },
	{ 5061, TCP, PK_PROTO_TLS, 0, "sips" },
	{ 5222, TCP, 0, BIT(TLS), "xmpp-client" },
	{ 5269, TCP, 0, BIT(TLS), "xmpp-server" },
	{ 5353, UDP, PK_PROTO_MDNS, BIT(DNS), "mdns" },
	{ 5355, TCP | UDP, PK_PROTO_LLMNR, BIT(DNS), "llmnr" },
	{ 5432, TCP, 0, BIT(TLS), "postgresql" },
	{ 5671, TCP, PK_PROTO_TLS, 0, "amqps" },
	{ 5672, TCP, 0, BIT(TLS), "amqp" },
	{ 5900, TCP, 0, BIT(TLS), "rfb" },
	{ 5985, TCP, PK_PROTO_HTTP, 0, "wsman" },
	{ 5986, TCP, PK_PROTO_TLS, 0, "wsmans" },
	{ 6379, TCP, 0, BIT(TLS), "redis" },
	{ 6443, TCP, PK_PROTO_TLS, BIT(HTTP), "sun-sr-https" },
	{ 6514, TCP, PK_PROTO_TLS, 0, "syslog-tls" },
	{ 6665, TCP, PK_PROTO_IRC, BIT(TLS), "ircu" },
	{ 6666, TCP, PK_PROTO_IRC, BIT(TLS), "ircu" },
	{ 6667, TCP, PK_PROTO_IRC, BIT(TLS), "ircu" },
	{ 6668, TCP, PK_PROTO_IRC, BIT(TLS), "ircu" },
	{ 6669, TCP, PK_PROTO_IRC, BIT(TLS), "ircu" },
	{ 6697, TCP, PK_PROTO_TLS, BIT(IRC), "ircs-u" },
	{ 8008, TCP, PK_PROTO_HTTP, BIT(TLS), "http-alt" },
	{ 8080, TCP, PK_PROTO_HTTP, BIT(TLS), "http-alt" },
	{ 8443, TCP, PK_PROTO_TLS, BIT(HTTP), "pcsync-https" },
	{ 8443, UDP, PK_PROTO_QUIC, 0, "pcsync-https" },
	{ 8883, TCP, PK_PROTO_TLS, 0, "secure-mqtt" },
	{ 9100, TCP, 0, BIT(HTTP) | BIT(TLS), "pdl-datastream" },
	{ 9418, TCP, 0, 0, "git" },
	{ 11211, TCP | UDP, 0, BIT(TLS), "memcache" },
	{ 27017, TCP, 0, BIT(TLS), "mongodb" },
};

static const char *const names[PK_PROTO_MAX] = {
	[PK_PROTO_DNS] = "dns",         [PK_PROTO_MDNS] = "mdns", [PK_PROTO_LLMNR] = "llmnr",
	[PK_PROTO_TLS] = "tls",         [PK_PROTO_QUIC] = "quic", [PK_PROTO_HTTP] = "http",
	[PK_PROTO_SSH] = "ssh",         [PK_PROTO_SMTP] = "smtp", [PK_PROTO_FTP] = "ftp",
	[PK_PROTO_POP3] = "pop3",       [PK_PROTO_IMAP] = "imap", [PK_PROTO_IRC] = "irc",
	[PK_PROTO_STRATUM] = "stratum", [PK_PROTO_DHCP] = "dhcp", [PK_PROTO_ARP] = "arp",
	[PK_PROTO_ICMP] = "icmp",
};

/* The text protocols, in the decoder's numbers and in ours. */
static const enum pk_proto of_text[PK_TEXT_PROTOS] = {
	[PK_TEXT_SMTP] = PK_PROTO_SMTP, [PK_TEXT_FTP] = PK_PROTO_FTP,
	[PK_TEXT_POP3] = PK_PROTO_POP3, [PK_TEXT_IMAP] = PK_PROTO_IMAP,
	[PK_TEXT_IRC] = PK_PROTO_IRC,   [PK_TEXT_STRATUM] = PK_PROTO_STRATUM,
};

static const struct port *find_port(uint8_t l4, uint16_t port)
{
	uint8_t bit = l4 == IPPROTO_TCP ? TCP : l4 == IPPROTO_UDP ? UDP : 0;
	size_t lo = 0, hi = PK_ARRAY_SIZE(ports);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (ports[mid].port < port)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < PK_ARRAY_SIZE(ports) && ports[lo].port == port; lo++)
		if (ports[lo].l4 & bit)
			return &ports[lo];
	return NULL;
}

const char *pk_app_port_name(uint8_t l4, uint16_t port)
{
	const struct port *p = find_port(l4, port);

	return p ? p->name : NULL;
}

enum pk_proto pk_app_port(uint8_t l4, uint16_t port)
{
	const struct port *p = find_port(l4, port);

	return p ? p->main : PK_PROTO_UNKNOWN;
}

bool pk_app_is_odd(enum pk_proto p, uint8_t l4, uint16_t port)
{
	const struct port *row = find_port(l4, port);

	return row && p != PK_PROTO_UNKNOWN && p != row->main && !(row->also >> p & 1);
}

const char *pk_app_name(enum pk_proto p)
{
	return p < PK_PROTO_MAX ? names[p] : NULL;
}

enum pk_proto pk_app_parse(const char *s)
{
	for (unsigned i = 0; i < PK_PROTO_MAX; i++)
		if (names[i] && !strcasecmp(names[i], s))
			return i;
	return PK_PROTO_UNKNOWN;
}

/* A hello, or the alert that answers one: record of a version that exists, with a length that is.
 */
static bool is_tls(const uint8_t *p, size_t len)
{
	size_t record;

	if (len < 6 || p[1] != 3 || p[2] > 4)
		return false;
	record = (size_t)p[3] << 8 | p[4];
	if (p[0] == TLS_ALERT)
		return record == 2 && (p[5] == 1 || p[5] == 2);
	/* One byte of a message in a record is lawful: the type must be that of a hello. */
	return p[0] == TLS_HANDSHAKE && record && record <= 16384 && (p[5] == 1 || p[5] == 2);
}

/* A long header of version 1 or 2. */
static bool is_quic(const uint8_t *p, size_t len)
{
	struct pk_cursor c = pk_cursor_of(p, len);
	uint8_t first = pk_cursor_u8(&c);
	uint32_t version = pk_cursor_u32(&c);

	return (first & QUIC_LONG) == QUIC_LONG && (version == 1 || version == 0x6b3343cf) &&
	       pk_cursor_u8(&c) <= QUIC_CID_MAX && !c.short_;
}

static bool either(uint16_t sport, uint16_t dport, uint16_t port)
{
	return sport == port || dport == port;
}

static enum pk_proto detect_udp(uint16_t sport, uint16_t dport, const uint8_t *p, size_t len)
{
	if (either(sport, dport, PORT_NETBIOS_NS))
		return PK_PROTO_UNKNOWN; /* looks as DNS does (RFC 1002 4.2), and is not */
	if (pk_dns_is(p, len)) {
		if (either(sport, dport, PORT_MDNS))
			return PK_PROTO_MDNS;
		return either(sport, dport, PORT_LLMNR) ? PK_PROTO_LLMNR : PK_PROTO_DNS;
	}
	if (is_quic(p, len))
		return PK_PROTO_QUIC;
	if (pk_dhcp_is(p, len))
		return PK_PROTO_DHCP;
	if (len >= 4 &&
	    (either(sport, dport, PORT_DHCP6_C) || either(sport, dport, PORT_DHCP6_S)) &&
	    pk_dhcp_type_name(6, p[0]))
		return PK_PROTO_DHCP;
	return PK_PROTO_UNKNOWN;
}

static enum pk_text_proto text_hint(enum pk_proto p)
{
	for (unsigned i = 1; i < PK_TEXT_PROTOS; i++)
		if (of_text[i] == p)
			return i;
	return PK_TEXT_NONE;
}

/* Behind its length; on ports that are not its own only with a question and a length that fits. */
static bool is_dns_stream(uint16_t sport, uint16_t dport, const uint8_t *p, size_t len)
{
	size_t want = len >= 2 ? (size_t)p[0] << 8 | p[1] : 0;

	if (want < 12 || !pk_dns_is(p + 2, len - 2))
		return false;
	if (either(sport, dport, PORT_DNS) || either(sport, dport, PORT_LLMNR))
		return true;
	return want >= 17 && p[6] == 0 && p[7] == 1 && len >= 2 + 17;
}

static enum pk_proto detect_tcp(uint16_t sport, uint16_t dport, const uint8_t *p, size_t len)
{
	enum pk_text_proto hint = text_hint(pk_app_port(IPPROTO_TCP, dport));
	struct pk_text text;

	if (is_tls(p, len))
		return PK_PROTO_TLS;
	if (pk_ssh_is(p, len))
		return PK_PROTO_SSH;
	if (pk_http_is(p, len))
		return PK_PROTO_HTTP;
	if (is_dns_stream(sport, dport, p, len))
		return either(sport, dport, PORT_LLMNR) ? PK_PROTO_LLMNR : PK_PROTO_DNS;
	if (!hint)
		hint = text_hint(pk_app_port(IPPROTO_TCP, sport));
	return pk_text_decode(&text, hint, p, len) ? PK_PROTO_UNKNOWN : of_text[text.proto];
}

static enum pk_proto detect_icmp(uint8_t version, const uint8_t *p, size_t len)
{
	struct pk_icmp m;

	return pk_icmp_decode(&m, version, p, len, len) == 0 && m.echo ? PK_PROTO_ICMP
								       : PK_PROTO_UNKNOWN;
}

enum pk_proto pk_app_detect(uint8_t l4, uint16_t sport, uint16_t dport, const void *data,
			    size_t len)
{
	if (!len)
		return PK_PROTO_UNKNOWN;
	switch (l4) {
	case IPPROTO_TCP:
		return detect_tcp(sport, dport, data, len);
	case IPPROTO_UDP:
		return detect_udp(sport, dport, data, len);
	case IPPROTO_ICMP:
		return detect_icmp(4, data, len);
	case IPPROTO_ICMPV6:
		return detect_icmp(6, data, len);
	default:
		return PK_PROTO_UNKNOWN;
	}
}
