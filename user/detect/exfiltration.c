/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Much more is sent to the outside than usual: by a program, or by a host as a whole. Usual is the
 * most that was sent in any window before, fading by half in 5 days or so. Until
 * detect.learning_time is over it only learns; a program that is new after that is measured by what
 * the whole host sends. What it learned is kept (kept.h).
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "detect/detect.h"
#include "detect/kept.h"
#include "detect/memo.h"
#include "detect/registry.h"
#include "detect/talk.h"
#include "flow/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FADE 0.999 /* a window: 10 minutes by default */

/* pk_memo_key.what */
enum { PROGRAM, HOST };

struct row {
	int64_t first_ns, begin_ns;
	uint64_t bytes; /* in this window */
	double usual;   /* bytes: the most of a window, fading */
	uint8_t told;   /* in this window: 1 */
};

struct state {
	struct pk_memo *keep;
	int64_t begin_ns; /* of learning */
};

static size_t bytes_max(const struct pk_conf *c)
{
	return sizeof(struct state) +
	       pk_memo_bytes_max(c->detect_remember, sizeof(struct row), true);
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *s = state;

	sum->bytes += sizeof(*s);
	pk_memo_memory(s->keep, sum);
}

static void done(void *state)
{
	struct state *s = state;

	pk_memo_free(s->keep);
	free(s);
}

static int init(const struct pk_world *w, void **ret_state)
{
	_cleanup_free_ struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->keep = pk_memo_new(w->conf->detect_remember, sizeof(struct row), true);
	if (!s->keep)
		return -ENOMEM;
	*ret_state = PK_TAKE(s);
	return 0;
}

/* A window that was told teaches no more than twice what was usual: an attacker is not learned. */
static void turn(struct row *r, int64_t window_ns, int64_t now_ns)
{
	int64_t past = now_ns > r->begin_ns ? (now_ns - r->begin_ns) / window_ns : 0;
	double most = (double)r->bytes;

	if (!past)
		return;
	if (r->told)
		most = fmin(most, 2 * r->usual);
	r->usual = fmax(most, r->usual) * pow(FADE, (double)past);
	r->begin_ns += past * window_ns;
	r->bytes = 0;
	r->told = 0;
}

static struct row *add(struct state *s, const struct pk_conf *c, const struct pk_memo_key *who,
		       uint64_t n, uint64_t now_ns)
{
	struct row *r;
	bool is_new;

	r = pk_memo_take(s->keep, who, &is_new);
	if (!r)
		return NULL;
	if (is_new)
		r->first_ns = r->begin_ns = (int64_t)now_ns;
	turn(r, (int64_t)c->exfiltration_window_ns, (int64_t)now_ns);
	r->bytes += n;
	return r;
}

static void tell(struct pk_detect *d, const struct pk_talk *t, unsigned from, struct row *r,
		 const char *who, double limit, const struct pk_memo_key *key, uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	const uint8_t *far = t->e->flow.key.addr[!from];
	struct pk_finding f = { .ts_ns = now_ns,
				.first_ns = r->begin_ns > 0 ? (uint64_t)r->begin_ns : 0 };
	char to[PK_IP_TEXT];

	r->told = 1;
	pk_ip_format(far, to);
	pk_talk_finding(t, &f);
	pk_finding_remote(&f, far);
	f.spoofable = !t->answered;
	pk_finding_plain(&f,
			 "%s sends far more out of the house than ever before, lately to %s: "
			 "somebody may be taking data away.",
			 who, to);
	pk_finding_detail(
		&f,
		"%s sent %ju bytes to the outside within %ju s; the most that was usual is "
		"%.0f. The flow that went beyond goes to %s.",
		who, (uintmax_t)r->bytes, (uintmax_t)(c->exfiltration_window_ns / 1000000000),
		r->usual, to);
	pk_finding_field(&f, "bytes", "%ju", (uintmax_t)r->bytes);
	pk_finding_field(&f, "usual_bytes", "%.0f", r->usual);
	pk_finding_field(&f, "limit_bytes", "%.0f", limit);
	pk_finding_field(&f, "factor_threshold", "%ju", (uintmax_t)c->exfiltration_factor);
	pk_finding_field(&f, "window_s", "%ju",
			 (uintmax_t)(c->exfiltration_window_ns / 1000000000));
	pk_finding_fold(&f, key, sizeof(*key));
	pk_detect_found(d, &pk_detect_exfiltration, &f);
}

static void judge(struct pk_detect *d, const struct state *s, const struct pk_talk *t,
		  unsigned from, struct row *r, const struct row *host, const char *who,
		  const struct pk_memo_key *key, uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	int64_t before_ns = (int64_t)now_ns - (int64_t)c->detect_learning_ns;
	bool is_young = r->first_ns > before_ns;
	double limit = is_young ? host->usual : r->usual * (double)c->exfiltration_factor;

	limit = fmax(limit, (double)c->exfiltration_bytes);
	if (s->begin_ns > before_ns || r->told || (double)r->bytes <= limit)
		return;
	tell(d, t, from, r, who, limit, key, now_ns);
}

/* An end sends to the outside if the other is a single host that is not of the own network. */
static void see_end(struct pk_detect *d, struct state *s, const struct pk_talk *t, unsigned from,
		    uint64_t now_ns)
{
	const struct pk_flow *flow = &t->e->flow;
	const struct pk_world *w = pk_detect_world(d);
	struct pk_memo_key host_key = { .what = HOST, .scope = flow->key.netns };
	struct pk_memo_key key = { .what = PROGRAM, .scope = flow->key.netns };
	bool own = from == t->from ? t->src_own : t->dst_own;
	const uint8_t *near = flow->key.addr[from], *far = flow->key.addr[!from];
	struct pk_caller g;
	struct row *host, *program;
	char addr[PK_IP_TEXT];

	if (!t->e->new_bytes[from] || (!own && !pk_addr_is_inside(near)) ||
	    pk_addr_is_inside(far) || pk_addr_is_group(far))
		return;
	pk_talk_caller(w, t, from, &g);
	memcpy(host_key.a, near, 16);
	memcpy(key.a, &g.hash, sizeof(g.hash));
	host = add(s, w->conf, &host_key, t->e->new_bytes[from], now_ns);
	if (!host)
		return;
	program = g.hash ? add(s, w->conf, &key, t->e->new_bytes[from], now_ns) : NULL;
	if (program)
		judge(d, s, t, from, program, host, g.name, &key, now_ns);
	judge(d, s, t, from, host, host, pk_ip_format(near, addr), &host_key, now_ns);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	struct state *s = state;
	struct pk_talk t;

	if (!s->begin_ns)
		s->begin_ns = (int64_t)see->now_ns;
	pk_talk_of(pk_detect_world(d), see->flow, &t);
	for (unsigned end = 0; end < 2; end++)
		see_end(d, s, &t, end, see->now_ns);
}

/* Who sent often in a flood of before does not keep others out for good. */
static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	struct state *s = state;

	pk_memo_age(s->keep, now_ns, pk_detect_world(d)->conf->detect_learning_ns);
}

static struct pk_memo *kept_memo(void *state, unsigned part)
{
	return part == 0 ? ((struct state *)state)->keep : NULL;
}

static int64_t *kept_begin(void *state)
{
	return &((struct state *)state)->begin_ns;
}

static bool is_sane(const void *value, int64_t now_ns)
{
	const struct row *r = value;

	(void)now_ns;
	return isfinite(r->usual) && r->usual >= 0 && r->told <= 1;
}

static const struct pk_kept kept = {
	.version = 1,
	.lasts = PK_KEPT_NETNS,
	.value_bytes = sizeof(struct row),
	.stamp = { offsetof(struct row, first_ns), offsetof(struct row, begin_ns) },
	.stamps = 2,
	.memo = kept_memo,
	.begin = kept_begin,
	.is_sane = is_sane,
};

const struct pk_detector pk_detect_exfiltration = {
	.name = "exfiltration",
	.title = "Unusual amount sent out",
	.technique = { "T1041", "T1048.003", "T1567" },
	.severity = PK_MEDIUM,
	.confidence = 50,
	.doubt = "A first backup to the outside, a large upload or a release do the same.",
	.next = "Find out what was sent and whether the other side is one that should get it.",
	.wants = 1u << PK_SEE_FLOW,
	.bytes_max = bytes_max,
	.init = init,
	.done = done,
	.see = see,
	.tick = tick,
	.memory = memory,
	.kept = &kept,
};
