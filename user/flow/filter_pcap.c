/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hands runs of tcpdump's words to libpcap, after checking each: only words that a flow can answer
 * and only numbers and addresses, because libpcap would otherwise ask DNS and block the agent.
 */
#include "flow/filter_pcap.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "flow/filter_word.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <pcap/pcap.h>
#include <string.h>

struct pk_pcap {
	struct bpf_program prog;
};

static const char *const keywords[] = {
	"src",   "dst",  "host", "net", "port", "portrange", "mask",
	"proto", "ip",   "ip6",  "tcp", "udp",  "icmp",      "icmp6",
	"sctp",  "igmp", "ah",   "esp", "pim",  "vrrp",      "multicast",
};

static const char *const flag_words[] = { "tcp-fin", "tcp-syn", "tcp-rst", "tcp-push",
					  "tcp-ack", "tcp-urg", "tcp-ece", "tcp-cwr" };

/* Words of tcpdump that no flow can answer, and what to write instead. */
static const struct {
	const char *word, *hint;
} refused[] = {
	{ "len", "write bytes > N" },
	{ "less", "write bytes <= N" },
	{ "greater", "write bytes >= N" },
	{ "inbound", "write dir in" },
	{ "outbound", "write dir out" },
	{ "ether", "flows have no link addresses" },
	{ "gateway", "flows have no link addresses" },
	{ "broadcast", "write dst host with the address" },
	{ "ifname", "write iface NAME" },
};

static const struct {
	const char *name, *number;
} services[] = {
	{ "ftp", "21" },     { "ssh", "22" },    { "telnet", "23" },       { "smtp", "25" },
	{ "domain", "53" },  { "dns", "53" },    { "bootps", "67" },       { "bootpc", "68" },
	{ "tftp", "69" },    { "http", "80" },   { "kerberos", "88" },     { "pop3", "110" },
	{ "sunrpc", "111" }, { "ntp", "123" },   { "imap", "143" },        { "snmp", "161" },
	{ "bgp", "179" },    { "ldap", "389" },  { "https", "443" },       { "submission", "587" },
	{ "ldaps", "636" },  { "imaps", "993" }, { "pop3s", "995" },       { "mysql", "3306" },
	{ "rdp", "3389" },   { "mdns", "5353" }, { "postgresql", "5432" }, { "syslog", "514" },
};

static const struct {
	const char *name, *number;
} protocols[] = {
	{ "icmp", "1" },   { "igmp", "2" },      { "tcp", "6" }, { "udp", "17" },
	{ "gre", "47" },   { "esp", "50" },      { "ah", "51" }, { "icmp6", "58" },
	{ "sctp", "132" }, { "udplite", "136" },
};

static bool in_list(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return true;
	return false;
}

static bool is_keyword(const struct pk_token *t)
{
	return t->type == PK_TOK_WORD && in_list(keywords, PK_ARRAY_SIZE(keywords), t->text);
}

static bool is_joint(const struct pk_token *t)
{
	return pk_token_is(t, "and") || pk_token_is(t, "or") || pk_token_is(t, "&&") ||
	       pk_token_is(t, "||");
}

/* A number, a range of numbers, a (partial) IPv4 or a whole IPv6 address, with or without /bits. */
static bool is_value(const char *s)
{
	uint8_t addr[16];
	unsigned bits;

	if (strchr(s, ':'))
		return pk_ip_parse_cidr(s, addr, &bits) == 0;
	return *s >= '0' && *s <= '9' && strspn(s, "0123456789./-") == strlen(s) && strlen(s) <= 24;
}

/* tcp[13] or tcp[tcpflags] begins at t[i]: the one thing in a packet that a flow remembers. */
static bool is_tcpflags(const struct pk_token *t, size_t i)
{
	return pk_token_is(&t[i], "tcp") && pk_token_is(&t[i + 1], "[") &&
	       (pk_token_is(&t[i + 2], "13") || pk_token_is(&t[i + 2], "tcpflags")) &&
	       pk_token_is(&t[i + 3], "]");
}

static bool is_hex(const char *s)
{
	return strncmp(s, "0x", 2) == 0 && s[2] && strlen(s) <= 10 &&
	       strspn(s + 2, "0123456789abcdefABCDEF") == strlen(s + 2);
}

static const char *named(const struct pk_token *before, const char *word)
{
	if (pk_token_is(before, "port"))
		for (size_t i = 0; i < PK_ARRAY_SIZE(services); i++)
			if (strcmp(services[i].name, word) == 0)
				return services[i].number;
	if (pk_token_is(before, "proto"))
		for (size_t i = 0; i < PK_ARRAY_SIZE(protocols); i++)
			if (strcmp(protocols[i].name, word) == 0)
				return protocols[i].number;
	return NULL;
}

static int refuse(const struct pk_token *t, const struct pk_token *before,
		  struct pk_filter_error *e)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(refused); i++)
		if (pk_token_is(t, refused[i].word))
			return pk_filter_fail(e, t->at, "%s: %s", t->text, refused[i].hint);
	if (t->type == PK_TOK_END)
		return pk_filter_fail(e, t->at, "the filter ends too early");
	if (t->type == PK_TOK_QUOTED)
		return pk_filter_fail(e, t->at,
				      "quoted text belongs behind words like proc or user");
	if (pk_token_is(before, "port") || pk_token_is(before, "portrange"))
		return pk_filter_fail(e, t->at, "unknown port \"%.40s\": write its number",
				      t->text);
	if (pk_token_is(before, "host") || pk_token_is(before, "net") ||
	    pk_token_is(before, "src") || pk_token_is(before, "dst"))
		return pk_filter_fail(e, t->at, "\"%.40s\" is no address (names are not looked up)",
				      t->text);
	if (pk_token_is(t, "["))
		return pk_filter_fail(e, t->at, "a flow keeps no packet bytes but tcp[tcpflags]");
	return pk_filter_fail(e, t->at, "unknown word \"%.40s\"", t->text);
}

/* One token of the run, as libpcap shall see it; *flags: we are in arithmetic on tcp[tcpflags]. */
static int take_token(const struct pk_token *t, size_t i, size_t first, bool flags,
		      struct pk_buf *out, struct pk_filter_error *e)
{
	const struct pk_token none = { .type = PK_TOK_END },
			      *before = i > first ? &t[i - 1] : &none;
	const char *number = t[i].type == PK_TOK_WORD ? named(before, t[i].text) : NULL;
	bool ok = is_keyword(&t[i]) || (t[i].type == PK_TOK_WORD && is_value(t[i].text));

	if (number)
		ok = true;
	if (flags && !ok)
		ok = t[i].type == PK_TOK_OP || pk_token_is(&t[i], "tcpflags") ||
		     is_hex(t[i].text) || in_list(flag_words, PK_ARRAY_SIZE(flag_words), t[i].text);
	if (!ok && t[i].type != PK_TOK_OPEN && t[i].type != PK_TOK_CLOSE && !is_joint(&t[i]) &&
	    !pk_token_is(&t[i], "not") && !pk_token_is(&t[i], "!"))
		return refuse(&t[i], before, e);
	if (out->len)
		pk_buf_char(out, ' ');
	pk_buf_str(out, number ? number : t[i].text);
	return 0;
}

/* Joins the run's tokens; the words before its first value become the context of the next run. */
static int gather(const struct pk_token *t, size_t *at, struct pk_pcap_context *c,
		  struct pk_buf *out, struct pk_filter_error *e)
{
	size_t first = *at, i = first, depth = 0;
	bool flags = false, words_only = true;
	int r;

	if (!is_keyword(&t[i]) && t[i].type == PK_TOK_WORD && is_value(t[i].text)) {
		pk_buf_str(out, c->before[0] ? c->before : "host");
		words_only = false;
	} else if (is_keyword(&t[i])) {
		c->before[0] = '\0';
	}
	for (; t[i].type != PK_TOK_END; i++) {
		if (depth == 0 && i > first &&
		    (t[i].type == PK_TOK_CLOSE || is_joint(&t[i]) || pk_word_find(&t[i])))
			break;
		depth += t[i].type == PK_TOK_OPEN;
		depth -= t[i].type == PK_TOK_CLOSE;
		flags = flags || is_tcpflags(t, i);
		if (words_only && !is_keyword(&t[i])) {
			words_only = false;
			if (out->data && out->len < sizeof(c->before))
				memcpy(c->before, out->data, out->len + 1);
		}
		r = take_token(t, i, first, flags, out, e);
		if (r < 0)
			return r;
	}
	if (i == first || depth)
		return refuse(&t[i], &t[i], e);
	*at = i;
	return out->error;
}

void pk_pcap_free(struct pk_pcap *p)
{
	if (!p)
		return;
	pcap_freecode(&p->prog);
	free(p);
}

static void buf_donep(struct pk_buf *b)
{
	pk_buf_done(b);
}

int pk_pcap_parse(const struct pk_token *t, size_t *at, struct pk_pcap_context *c,
		  struct pk_pcap **ret_pcap, struct pk_filter_error *e)
{
	_cleanup_(buf_donep) struct pk_buf text = { .max = 2 * PK_FILTER_MAX };
	size_t first = *at;
	struct pk_pcap *p;
	pcap_t *dead;
	int r;

	r = gather(t, at, c, &text, e);
	if (r < 0)
		return r == -EINVAL ? r : pk_filter_fail(e, t[first].at, "out of memory");
	p = calloc(1, sizeof(*p));
	dead = pcap_open_dead(DLT_RAW, 65535);
	if (!p || !dead) {
		free(p);
		if (dead)
			pcap_close(dead);
		return pk_filter_fail(e, t[first].at, "out of memory");
	}
	r = pcap_compile(dead, &p->prog, text.data, 1, PCAP_NETMASK_UNKNOWN);
	if (r < 0) {
		pk_filter_fail(e, t[first].at, "%.120s", pcap_geterr(dead));
		free(p);
		pcap_close(dead);
		return -EINVAL;
	}
	pcap_close(dead);
	*ret_pcap = p;
	return 0;
}

bool pk_pcap_match(const struct pk_pcap *p, const uint8_t *packet, size_t len)
{
	return len && bpf_filter(p->prog.bf_insns, packet, len, len) != 0;
}

static size_t packet_v4(const struct pk_flow_key *k, unsigned from, uint8_t *packet, size_t l4)
{
	struct iphdr *ip = (struct iphdr *)packet;

	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = htons(sizeof(*ip) + l4);
	ip->ttl = 64;
	ip->protocol = k->proto;
	memcpy(&ip->saddr, k->addr[from] + 12, 4);
	memcpy(&ip->daddr, k->addr[!from] + 12, 4);
	return sizeof(*ip);
}

static size_t packet_v6(const struct pk_flow_key *k, unsigned from, uint8_t *packet, size_t l4)
{
	struct ip6_hdr *ip = (struct ip6_hdr *)packet;

	ip->ip6_vfc = 6 << 4;
	ip->ip6_plen = htons(l4);
	ip->ip6_nxt = k->proto;
	ip->ip6_hlim = 64;
	memcpy(&ip->ip6_src, k->addr[from], 16);
	memcpy(&ip->ip6_dst, k->addr[!from], 16);
	return sizeof(*ip);
}

size_t pk_pcap_packet(const struct pk_flow *f, uint8_t packet[PK_PACKET_MAX])
{
	const struct pk_flow_key *k = &f->key;
	unsigned from = f->meta.initiator & 1;
	bool v4 = pk_ip_is_v4(k->addr[0]) && pk_ip_is_v4(k->addr[1]);
	struct tcphdr *tcp;
	size_t n;

	if (k->proto > 255)
		return 0;
	memset(packet, 0, PK_PACKET_MAX);
	n = v4 ? packet_v4(k, from, packet, sizeof(*tcp))
	       : packet_v6(k, from, packet, sizeof(*tcp));
	tcp = (struct tcphdr *)(packet + n);
	if (k->proto == IPPROTO_ICMP || k->proto == IPPROTO_ICMPV6)
		return n + sizeof(*tcp);
	tcp->source = k->port[from];
	tcp->dest = k->port[!from];
	if (k->proto == IPPROTO_TCP) {
		tcp->doff = 5;
		((uint8_t *)tcp)[13] = f->dir[0].tcp_flags | f->dir[1].tcp_flags;
	}
	return n + sizeof(*tcp);
}
