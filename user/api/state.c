/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the programs and notices in struct pk_state, names counters, and knows their equations. */
#include "api/state.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	bool refuses;
} counts[PK_PKT_COUNT_MAX] = {
	[PK_PKT_SEEN] = { "seen", false },
	[PK_PKT_SEEN_BYTES] = { "seen_bytes", false },
	[PK_PKT_FLOW] = { "flow", false },
	[PK_PKT_AGGREGATE] = { "aggregate", false },
	[PK_PKT_UNSUPPORTED_L3] = { "unsupported_l3", true },
	[PK_PKT_TRUNCATED_L2] = { "truncated_l2", true },
	[PK_PKT_TRUNCATED_L3] = { "truncated_l3", true },
	[PK_PKT_TRUNCATED_L4] = { "truncated_l4", false },
	[PK_PKT_BAD_IP_VERSION] = { "bad_ip_version", true },
	[PK_PKT_BAD_IP_LENGTH] = { "bad_ip_length", true },
	[PK_PKT_VLAN_TOO_DEEP] = { "vlan_too_deep", true },
	[PK_PKT_EXT_TOO_DEEP] = { "ext_too_deep", false },
	[PK_PKT_TINY_FRAGMENT] = { "tiny_fragment", false },
	[PK_PKT_FRAGMENT] = { "fragment", false },
	[PK_PKT_FRAGMENT_ORPHAN] = { "fragment_orphan", false },
	[PK_PKT_TUNNEL_INNER] = { "tunnel_inner", false },
	[PK_PKT_TUNNEL_BAD] = { "tunnel_bad", false },
	[PK_PKT_TUNNEL_TOO_DEEP] = { "tunnel_too_deep", false },
	[PK_PKT_PULL_FAILED] = { "pull_failed", true },
	[PK_PKT_TUNNEL_REFUSED] = { "tunnel_refused", false },
	[PK_PKT_RACED] = { "raced", false },
	[PK_PKT_DROPPED] = { "dropped", true },
	[PK_PKT_TUNNEL_DROPPED] = { "tunnel_dropped", false },
	[PK_PKT_CUT] = { "cut", true },
};

int pk_state_init(struct pk_state *s)
{
	static const char *const refused[] = { "short", "size", "type", "alignment", "other" };
	static const char *const ring[] = { "proc", "sock", "sample", "flow", "record" };

	*s = (struct pk_state){ 0 };
	for (int i = 0; i < PK_STATE_RINGS; i++)
		s->ring[i].name = ring[i];
	for (int i = 0; i < PK_STATE_REFUSED; i++)
		s->refused[i].why = refused[i];
	s->prog = calloc(PK_STATE_PROGS, sizeof(*s->prog));
	s->addr = calloc(PK_STATE_ADDRS, sizeof(*s->addr));
	return s->prog && s->addr ? 0 : -ENOMEM;
}

void pk_state_done(struct pk_state *s)
{
	free(s->prog);
	free(s->addr);
	s->prog = NULL;
	s->addr = NULL;
}

void pk_state_prog(struct pk_state *s, const struct pk_state_prog *p)
{
	for (size_t i = 0; i < s->progs; i++)
		if (strcmp(s->prog[i].name, p->name) == 0 && s->prog[i].netns == p->netns) {
			s->prog[i] = *p;
			return;
		}
	if (s->progs < PK_STATE_PROGS)
		s->prog[s->progs++] = *p;
}

void pk_state_addr(struct pk_state *s, const struct pk_state_addr *a, bool gone)
{
	size_t i = 0;

	while (i < s->addrs && (s->addr[i].netns != a->netns || s->addr[i].kind != a->kind ||
				s->addr[i].ifindex != a->ifindex ||
				memcmp(s->addr[i].addr, a->addr, sizeof(a->addr)) != 0))
		i++;
	if (gone && i < s->addrs)
		s->addr[i] = s->addr[--s->addrs];
	else if (!gone && i < PK_STATE_ADDRS) {
		s->addr[i] = *a;
		s->addrs += i == s->addrs;
	} else if (!gone)
		s->addrs_refused++;
}

void pk_state_notice(struct pk_state *s, uint64_t ts, unsigned level, const char *text)
{
	struct pk_state_notice *n = &s->notice[s->notices++ % PK_STATE_NOTICES];

	*n = (struct pk_state_notice){ .ts = ts, .level = level };
	snprintf(n->text, sizeof(n->text), "%s", text);
}

int64_t pk_state_pkt_balance(const struct pk_state *s, enum pk_hook hook)
{
	const uint64_t *n = s->pkt[hook];
	uint64_t sum = n[PK_PKT_FLOW] + n[PK_PKT_AGGREGATE];

	for (int c = 0; c < PK_PKT_COUNT_MAX; c++)
		sum += counts[c].refuses ? n[c] : 0;
	return (int64_t)(n[PK_PKT_SEEN] - sum);
}

int64_t pk_state_ev_balance(const struct pk_state *s, enum pk_event_hook hook)
{
	const struct pk_event_count *c = &s->ev[hook];

	return (int64_t)(c->seen - c->submitted - c->ring_full - c->map_full - c->oversized -
			 c->filtered);
}

/* What is of no known application is seen and nothing else. */
int64_t pk_state_sample_balance(const struct pk_state *s, unsigned row)
{
	const struct pk_sample_count *c = &s->sample[row];
	uint64_t sum = c->sampled + c->off + c->limited + c->ring_full + c->unread;

	return row == PK_APP_NONE ? 0 : (int64_t)(c->seen - sum);
}

void pk_state_note_even(struct pk_state *s)
{
	for (int h = 0; h < PK_HOOK_PKT_MAX; h++)
		if (pk_state_pkt_balance(s, h) == 0)
			s->pkt_was_even[h] = true;
	for (int h = 0; h < PK_EH_MAX; h++)
		if (pk_state_ev_balance(s, h) == 0)
			s->ev_was_even[h] = true;
	for (unsigned i = 0; i < PK_ROW_MAX; i++)
		if (pk_state_sample_balance(s, i) == 0)
			s->sample_was_even[i] = true;
}

const char *pk_state_pkt_name(enum pk_pkt_count c)
{
	return (unsigned)c < PK_PKT_COUNT_MAX ? counts[c].name : "unknown";
}

bool pk_state_pkt_refuses(enum pk_pkt_count c)
{
	return (unsigned)c < PK_PKT_COUNT_MAX && counts[c].refuses;
}

const char *pk_state_row_name(unsigned row)
{
	static const char *const name[PK_ROW_MAX] = {
		[PK_APP_NONE] = "unknown",    [PK_APP_SHORT] = "short", [PK_APP_DNS] = "dns",
		[PK_APP_TLS] = "tls",         [PK_APP_QUIC] = "quic",   [PK_APP_HTTP] = "http",
		[PK_APP_SSH] = "ssh",         [PK_APP_TEXT] = "text",   [PK_APP_DHCP] = "dhcp",
		[PK_APP_ARP] = "arp",         [PK_APP_ICMP] = "icmp",   [PK_ROW_KEEP] = "kept",
		[PK_ROW_RECORD] = "recorded",
	};

	return row < PK_ROW_MAX ? name[row] : "unknown";
}

const char *pk_state_hook_name(enum pk_hook hook)
{
	static const char *const name[] = { "xdp", "tc_egress", "tc_ingress" };

	return (size_t)hook < PK_ARRAY_SIZE(name) ? name[hook] : "unknown";
}

const char *pk_state_event_name(enum pk_event_hook hook)
{
	static const char *const name[] = {
		"exec",        "fork",        "exit",         "syscall",   "io_uring",
		"sock_create", "sock_bind",   "sock_connect", "sock_send", "sock_state",
		"sock_opt",    "flow_report", "verdict",
	};

	return (size_t)hook < PK_ARRAY_SIZE(name) ? name[hook] : "unknown";
}
