/* SPDX-License-Identifier: Apache-2.0 */
/* Flows as the kernel reports them, made up; include after see.h. */
#pragma once

#include "detect/registry.h"
#include "flow/table.h"
#include "see.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define SEC            1000000000ull
#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

enum how {
	HALF,    /* SYN, no answer */
	REFUSED, /* SYN, RST */
	SESSION, /* TCP, both sides spoke */
	FLAGS,   /* one segment with these flags */
	ONE_WAY, /* UDP */
	BOTH_WAYS,
	PING,
	ARP,
};

struct talk {
	enum how how;
	uint32_t src, dst; /* host order */
	uint16_t sport, dport;
	uint8_t flags;
	uint64_t at_ns, for_ns;
	uint64_t sent, received; /* bytes; 0: few */
	uint32_t pid;            /* that opened it; 0: unknown */
	const char *program;
	bool goes_on; /* not the end of it */
	bool accepted;
};

static const uint16_t protos[] = {
	[HALF] = IPPROTO_TCP,  [REFUSED] = IPPROTO_TCP, [SESSION] = IPPROTO_TCP,
	[FLAGS] = IPPROTO_TCP, [ONE_WAY] = IPPROTO_UDP, [BOTH_WAYS] = IPPROTO_UDP,
	[PING] = IPPROTO_ICMP, [ARP] = 0x0806
};

static inline void put_addr(uint8_t out[16], uint32_t addr)
{
	uint32_t net = htonl(addr);

	memset(out, 0, 10);
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, &net, sizeof(net));
}

static inline void put_flags(struct pk_flow *f, const struct talk *t, unsigned from)
{
	struct pk_flow_dir *out = &f->dir[from], *in = &f->dir[!from];

	if (t->how == PING)
		out->tcp_next = PK_ICMP_KNOWN | 8 << 8;
	if (t->how == FLAGS)
		out->tcp_flags = t->flags;
	if (t->how == HALF || t->how == REFUSED || t->how == SESSION) {
		f->meta.syn_ns = t->at_ns;
		out->tcp_flags = 0x02;
	}
	in->tcp_flags = t->how == REFUSED ? 0x14 : 0;
	if (t->how != SESSION)
		return;
	f->meta.synack_ns = t->at_ns + 1000;
	f->meta.rtt_us = 100;
	out->tcp_flags = 0x1b;
	in->tcp_flags = 0x1b;
}

/* The flow of t. Every other one has its source at end 1. */
static inline struct pk_flow_entry entry_of(const struct talk *t)
{
	static uint64_t id;
	unsigned from = (unsigned)(++id & 1);
	struct pk_flow_entry e = { .is_new = true, .ended = !t->goes_on };
	struct pk_flow *f = &e.flow;
	bool both = t->how == REFUSED || t->how == SESSION || t->how == BOTH_WAYS;

	f->key.proto = protos[t->how];
	put_addr(f->key.addr[from], t->src);
	put_addr(f->key.addr[!from], t->dst);
	f->key.port[from] = htons(t->sport);
	f->key.port[!from] = htons(t->dport);
	f->key.netns = 1;
	f->meta.id = id;
	f->meta.initiator = (uint8_t)from;
	f->meta.start_ns = t->at_ns;
	f->meta.state = t->how == SESSION || t->how == BOTH_WAYS ? 0 : PK_FLOW_HALF_OPEN;
	f->dir[from].bytes = t->sent ? t->sent : 60;
	f->dir[from].packets = 1 + f->dir[from].bytes / 1500;
	f->dir[!from].bytes = both ? (t->received ? t->received : 60) : 0;
	f->dir[!from].packets = both ? 1 + f->dir[!from].bytes / 1500 : 0;
	f->dir[from].last_ns = f->dir[!from].last_ns = t->at_ns + t->for_ns;
	e.new_bytes[0] = f->dir[0].bytes;
	e.new_bytes[1] = f->dir[1].bytes;
	put_flags(f, t, from);
	if (t->pid) {
		struct pk_owner *own = &f->own[t->accepted ? !from : from];

		own->user = (struct pk_proc_id){ .tgid = t->pid, .start_ns = 1 };
		own->flags = t->accepted ? PK_OWNER_ACCEPTED : 0;
		own->comm_len = (uint8_t)strlen(t->program);
		memcpy(own->comm, t->program, own->comm_len);
	}
	return e;
}

static inline void see_flow(struct talk t)
{
	struct pk_flow_entry e = entry_of(&t);

	pk_detect_see(
		seen.detect,
		&(struct pk_see){ .kind = PK_SEE_FLOW, .now_ns = t.at_ns + t.for_ns, .flow = &e });
}

static inline void set(const char *key, const char *value)
{
	assert_int_equal(pk_conf_set(seen.conf, key, value, NULL), 0);
}

static inline bool is_remote(const struct pk_finding *f, uint32_t addr)
{
	uint8_t a[16];

	put_addr(a, addr);
	return f->has_remote && memcmp(f->remote, a, sizeof(a)) == 0;
}

/* Is the conversation with it? */
static inline bool has_end(const struct pk_finding *f, uint32_t addr)
{
	uint8_t a[16];

	put_addr(a, addr);
	return f->has_key && (memcmp(f->key.addr[0], a, sizeof(a)) == 0 ||
			      memcmp(f->key.addr[1], a, sizeof(a)) == 0);
}

/* What every finding must say. */
static inline void check_words(const struct pk_finding *f)
{
	size_t words = 1;

	for (const char *s = f->plain; *s; s++)
		words += *s == ' ';
	assert_in_range(words, 4, 25);
	assert_true(strlen(f->detail) > 20);
	assert_true(f->fields >= 3);
	assert_non_null(f->technique[0]);
	assert_true(f->fold != 0);
}

/* Memory of the only detector that is on. */
static inline void check_bytes(const char *name)
{
	struct pk_detector_use u;

	for (size_t i = 0; i < pk_detectors_n; i++) {
		pk_detect_use(seen.detect, i, &u);
		if (strcmp(u.detector->name, name) != 0)
			continue;
		assert_true(u.on && u.bytes > 0);
		assert_in_range(u.bytes, 1, u.bytes_max);
		return;
	}
	fail_msg("no detector %s", name);
}

#define RUN(...)                                                                                   \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests[] = { __VA_ARGS__ };                                 \
                                                                                                   \
		return cmocka_run_group_tests(tests, NULL, NULL);                                  \
	}
