/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data carried in ICMP echo. A reply repeats its request: one that says something else is a
 * channel. Without replies to compare it takes payloads that no ping makes: dense, or of many
 * sizes. What ping, fping, Windows and routers fill echoes with is never counted. It remembers
 * pairs of hosts.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/icmp.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/memo.h"
#include "detect/owner.h"
#include "detect/registry.h"
#include "flow/table.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ICMP_HEAD     8
#define ASKED_MAX     8
#define SIZES_MAX     8
#define SIZE_MIN      24 /* bytes: below it nothing can be told */
#define AGE_NS        300000000000ull
#define DENSE_PERCENT 85 /* of the entropy that so many bytes can have at most */

struct asked {
	uint64_t hash;
	uint32_t size;
	uint16_t id, seq;
};

struct pair {
	struct asked asked[ASKED_MAX];
	uint16_t size[SIZES_MAX]; /* different ones of odd echoes */
	uint8_t next, sizes;
	uint32_t echoes, odd, dense, differ, size_max;
	uint64_t first_ns;
};

struct state {
	struct pk_memo *pairs; /* holds on: echoes of made-up hosts do not wash a channel out */
	uint64_t differ, odd;
};

static bool is_dense(const struct pk_icmp *m)
{
	double most = 100 * log2(m->looked < 256 ? m->looked : 256);

	return m->entropy * 100.0 >= DENSE_PERCENT * most;
}

/* A reply to a request that was seen, of at least its size, with other bytes. Some hosts answer
 * large requests with less: that is no sign. */
static bool is_other(const struct pair *p, const struct pk_icmp *m, uint64_t hash)
{
	for (unsigned i = 0; i < ASKED_MAX; i++) {
		const struct asked *a = &p->asked[i];

		if (a->hash && a->id == m->id && a->seq == m->seq)
			return m->size >= a->size && a->hash != hash;
	}
	return false;
}

static void note_request(struct pair *p, const struct pk_icmp *m, uint64_t hash)
{
	p->asked[p->next++ % ASKED_MAX] =
		(struct asked){ .hash = hash, .size = m->size, .id = m->id, .seq = m->seq };
}

static void note_odd(struct pair *p, const struct pk_icmp *m)
{
	unsigned i = 0;

	p->odd++;
	p->dense += is_dense(m);
	while (i < p->sizes && p->size[i] != (uint16_t)m->size)
		i++;
	if (i == p->sizes && i < SIZES_MAX)
		p->size[p->sizes++] = (uint16_t)m->size;
}

static void tell(struct pk_detect *d, const struct pk_see *s, const struct pair *p, bool differ)
{
	const struct pk_sample *m = s->sample;
	const struct pk_world *w = pk_detect_world(d);
	unsigned far = !(m->initiator & 1);
	struct pk_finding f = { .ts_ns = s->now_ns,
				.first_ns = p->first_ns,
				.severity = differ ? PK_HIGH : PK_MEDIUM,
				.confidence = differ ? 85 : 60,
				.spoofable = !differ };
	char a[PK_IP_TEXT], b[PK_IP_TEXT];

	pk_finding_flow(&f, &m->key, m->flow, m->initiator, far);
	pk_finding_owners(&f, w, &m->key, m->flow, !far);
	pk_finding_plain(&f,
			 "Data is hidden in messages that only check whether a computer is there.");
	pk_finding_detail(&f,
			  "ICMP echo between %s and %s carries data: of %u echoes looked at %u "
			  "are no program's pattern, %u dense, %u replies differ from requests.",
			  pk_ip_format(m->key.addr[!far], a), pk_ip_format(m->key.addr[far], b),
			  p->echoes, p->odd, p->dense, p->differ);
	pk_finding_field(&f, "echoes", "%u", p->echoes);
	pk_finding_field(&f, "odd", "%u", p->odd);
	pk_finding_field(&f, "dense", "%u", p->dense);
	pk_finding_field(&f, "replies_differ", "%u", p->differ);
	pk_finding_field(&f, "largest_bytes", "%u", p->size_max);
	pk_finding_field(&f, "sizes", "%u%s", p->sizes, p->sizes == SIZES_MAX ? " or more" : "");
	pk_finding_fold(&f, m->key.addr, sizeof(m->key.addr));
	pk_detect_found(d, &pk_detect_icmp_tunnel, &f);
}

static void take(struct pk_detect *d, struct state *st, const struct pk_see *s, struct pair *p,
		 const struct pk_icmp *m, uint64_t hash)
{
	bool differ = !m->request && is_other(p, m, hash);

	p->first_ns = p->first_ns ? p->first_ns : s->now_ns;
	p->echoes++;
	p->size_max = m->size > p->size_max ? m->size : p->size_max;
	if (m->request)
		note_request(p, m, hash);
	p->differ += differ;
	if (m->fill == PK_ICMP_OTHER && m->size >= SIZE_MIN)
		note_odd(p, m);
	else if (!differ)
		return;
	if (differ ? p->differ >= st->differ
		   : p->odd >= st->odd && (p->dense * 2 >= p->odd || p->sizes >= SIZES_MAX / 2))
		tell(d, s, p, p->differ >= st->differ);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_sample *m = s->sample;
	struct pk_memo_key key = { .scope = m->key.netns };
	const struct state *st = state;
	struct pk_finding h = { 0 };
	struct pair *p;
	const uint8_t *data;
	struct pk_icmp icmp;
	bool is_new;
	size_t len;

	if (m->app != PK_APP_ICMP || m->payload_off < ICMP_HEAD || m->data_len <= m->payload_off)
		return;
	data = pk_sample_data(m) + m->payload_off - ICMP_HEAD;
	len = m->data_len - m->payload_off + ICMP_HEAD;
	if (len > m->payload_len + ICMP_HEAD)
		len = m->payload_len + ICMP_HEAD;
	if (pk_icmp_decode(&icmp, m->key.proto == IPPROTO_ICMPV6 ? 6 : 4, data, len,
			   m->payload_len + ICMP_HEAD) < 0 ||
	    !icmp.echo || !icmp.looked)
		return;
	memcpy(key.a, m->key.addr[0], sizeof(key.a));
	memcpy(key.b, m->key.addr[1], sizeof(key.b));
	pk_finding_fold(&h, data + ICMP_HEAD, icmp.looked);
	p = pk_memo_take(st->pairs, &key, &is_new);
	if (p) /* else no room: counted */
		take(d, state, s, p, &icmp, h.fold);
}

static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	const struct state *st = state;

	(void)d;
	pk_memo_age(st->pairs, now_ns, AGE_NS);
}

static int init(const struct pk_world *w, void **ret_state)
{
	struct state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->differ = w->conf->icmp_tunnel_differ;
	st->odd = w->conf->icmp_tunnel_odd;
	st->pairs = pk_memo_new(w->conf->icmp_tunnel_pairs, sizeof(struct pair), true);
	*ret_state = st;
	if (st->pairs)
		return 0;
	free(st);
	return -ENOMEM;
}

static void done(void *state)
{
	struct state *st = state;

	pk_memo_free(st->pairs);
	free(st);
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *st = state;

	pk_memo_memory(st->pairs, sum);
	sum->bytes += sizeof(*st);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	return pk_memo_bytes_max(conf->icmp_tunnel_pairs, sizeof(struct pair), true) +
	       sizeof(struct state);
}

const struct pk_detector pk_detect_icmp_tunnel = {
	.name = "icmp_tunnel",
	.title = "Data in ICMP echo",
	.technique = { "T1095", "T1572" },
	.severity = PK_HIGH,
	.confidence = 75,
	.doubt = "Tools that measure a network may fill their echoes with random bytes.",
	.next = "Look at the program that sends them, and let echoes pass only where they are "
		"needed.",
	.wants = 1u << PK_SEE_SAMPLE,
	.init = init,
	.done = done,
	.see = see,
	.tick = tick,
	.memory = memory,
	.bytes_max = bytes_max,
};
