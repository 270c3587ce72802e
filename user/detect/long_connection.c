/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation with the outside that goes on for very long. Each is told once; which were told is
 * kept by the id of the flow.
 */
#include "base/ip.h"
#include "conf/conf.h"
#include "detect/detect.h"
#include "detect/memo.h"
#include "detect/registry.h"
#include "detect/talk.h"
#include "flow/table.h"

#include <errno.h>
#include <netinet/in.h>

#define SEC 1000000000ull

static size_t bytes_max(const struct pk_conf *c)
{
	return pk_memo_bytes_max(c->detect_remember, 0, false);
}

static void memory(const void *state, struct pk_memory *sum)
{
	pk_memo_memory(state, sum);
}

static int init(const struct pk_world *w, void **ret_state)
{
	struct pk_memo *k = pk_memo_new(w->conf->detect_remember, 0, false);

	if (!k)
		return -ENOMEM;
	*ret_state = k;
	return 0;
}

static void done(void *state)
{
	pk_memo_free(state);
}

static void tell(struct pk_detect *d, const struct pk_talk *t, uint64_t age_ns, uint64_t now_ns)
{
	const struct pk_flow *flow = &t->e->flow;
	struct pk_finding f = { .ts_ns = now_ns, .first_ns = flow->meta.start_ns };
	char src[PK_IP_TEXT], dst[PK_IP_TEXT];
	struct pk_caller g;

	pk_talk_caller(pk_detect_world(d), t, t->from, &g);
	pk_ip_format(t->src, src);
	pk_ip_format(t->dst, dst);
	pk_talk_finding(t, &f);
	pk_finding_plain(&f, "%s at %s has talked with %s for %.1f hours without a break.",
			 g.hash ? g.name : "A program", src, dst, (double)age_ns / (3600.0 * SEC));
	pk_finding_detail(&f,
			  "%s at %s: one flow to %s port %u is open for %ju s, %ju bytes sent, "
			  "%ju received.",
			  g.hash ? g.name : "A program", src, dst, t->dport,
			  (uintmax_t)(age_ns / SEC), (uintmax_t)flow->dir[t->from].bytes,
			  (uintmax_t)flow->dir[t->to].bytes);
	pk_finding_field(&f, "age_s", "%ju", (uintmax_t)(age_ns / SEC));
	pk_finding_field(&f, "age_threshold_s", "%ju",
			 (uintmax_t)(pk_detect_world(d)->conf->long_connection_ns / SEC));
	pk_finding_field(&f, "bytes_sent", "%ju", (uintmax_t)flow->dir[t->from].bytes);
	pk_finding_field(&f, "bytes_received", "%ju", (uintmax_t)flow->dir[t->to].bytes);
	pk_finding_fold(&f, t->src, 16);
	pk_finding_fold(&f, t->dst, 16);
	pk_finding_fold(&f, &t->dport, sizeof(t->dport));
	pk_detect_found(d, &pk_detect_long_connection, &f);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_flow *flow = &see->flow->flow;
	uint64_t last = flow->dir[0].last_ns > flow->dir[1].last_ns ? flow->dir[0].last_ns
								    : flow->dir[1].last_ns;
	struct pk_memo_key key = { .scope = flow->meta.id };
	struct pk_talk t;
	bool is_new;

	if (last < flow->meta.start_ns + w->conf->long_connection_ns)
		return;
	pk_talk_of(w, see->flow, &t);
	if ((flow->key.proto != IPPROTO_TCP && flow->key.proto != IPPROTO_UDP) || !t.answered ||
	    pk_addr_is_group(t.dst) || (pk_addr_is_inside(t.src) && pk_addr_is_inside(t.dst)))
		return;
	if (pk_memo_take(state, &key, &is_new) && is_new)
		tell(d, &t, last - flow->meta.start_ns, see->now_ns);
}

const struct pk_detector pk_detect_long_connection = {
	.name = "long_connection",
	.title = "Long connection",
	.technique = { "T1572" },
	.severity = PK_LOW,
	.confidence = 40,
	.doubt = "VPNs, chat, push services, remote shells and database links stay open for days.",
	.next = "Ask whether the program needs it; a shell or an unknown program should not.",
	.wants = 1u << PK_SEE_FLOW,
	.bytes_max = bytes_max,
	.init = init,
	.done = done,
	.see = see,
	.memory = memory,
};
