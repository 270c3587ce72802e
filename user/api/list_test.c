/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a list would have cut: the flows that the agent remembers, live and ended, against a list
 * that is not in force. A flow counts when packets of one of its directions would have been
 * dropped; by a name, when it says it (TLS, QUIC, HTTP) or its far end's address was resolved from
 * it: so much at the most, for addresses that other names share stay open.
 */
#include "api/against.h"
#include "api/answer.h"
#include "api/routes.h"
#include "api/state.h"
#include "api/upload.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/json.h"
#include "block/limits.h"
#include "enrich/enrich.h"
#include "flow/link.h"
#include "flow/table.h"
#include "name/name.h"

#include <picket/api.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define SHOWN     100
#define EXAMPLES  3
#define S_NS      1000000000ull
#define DEFAULT_S 86400ull

struct sum {
	uint64_t bytes;
	uint32_t flows;
};

struct test {
	struct pk_upload *u;
	const struct pk_view *v;
	struct pk_against *against;
	struct sum *sum; /* one an entry, then one a name */
	uint64_t from_ns, flows, cut, bytes, safe, allowed;
	int64_t *top; /* of sum: those that cut most, most first */
	size_t n_top;
	struct pk_block_answer *answer;
};

/* What the list says to packets of direction d, as they were counted. */
static int64_t decides(const struct test *t, const struct pk_flow *f, unsigned d)
{
	const struct pk_link *link = pk_links_find(t->v->ocsf.links, f->key.netns, f->key.ifindex);
	struct pk_against_query q = {
		.dir = f->dir[d].where == PK_AT_EGRESS ? PK_BLK_OUT : PK_BLK_IN,
		.proto = (uint8_t)f->key.proto,
		.port = ntohs(f->key.port[!d]),
		.iface = link ? link->name : NULL,
	};

	if (!f->dir[d].packets || f->key.proto > 255)
		return -1;
	memcpy(q.addr, f->key.addr[q.dir == PK_BLK_OUT ? !d : d], sizeof(q.addr));
	return pk_against_find(t->against, &q);
}

/* Would something that is in force already have kept it from being dropped? */
static bool is_spared(struct test *t, const struct pk_flow *f, unsigned d)
{
	bool out = f->dir[d].where == PK_AT_EGRESS;
	struct pk_block_query q = { .dir = out ? PK_BLK_OUT : PK_BLK_IN,
				    .proto = (uint8_t)f->key.proto,
				    .port = ntohs(f->key.port[!d]),
				    .ifindex = f->key.ifindex };

	memcpy(q.addr, f->key.addr[out ? !d : d], sizeof(q.addr));
	pk_block_check(t->v->block, &q, t->answer);
	t->safe += t->answer->safe != 0;
	t->allowed += !t->answer->safe && t->answer->verdict == PK_BLOCK_ALLOWED;
	return t->answer->safe || t->answer->verdict == PK_BLOCK_ALLOWED;
}

/* The name that cuts the flow, -1: none. */
static int64_t named(const struct test *t, const struct pk_flow *f)
{
	const struct pk_list_data *d = &t->u->data;
	const struct pk_names *names = t->v->ocsf.names;
	const struct pk_fact *fact = d->n_names && names ? pk_names_fact(names, f->meta.id) : NULL;
	const char *said[] = { fact ? fact->sni : NULL, fact ? fact->http_host : NULL };
	int64_t at = -1;

	if (!fact)
		return -1;
	for (unsigned i = 0; i < 2 && at < 0; i++)
		if (said[i])
			at = pk_against_name(d, said[i]);
	for (unsigned i = 0; i < 2 && at < 0; i++) {
		if (fact->dns[i])
			at = pk_against_name(d, fact->dns[i]);
		if (at >= 0 && d->names[at].how & PK_BLOCK_SNI_ONLY)
			at = -1;
	}
	return at;
}

/* Index in sum of what cuts the flow, -1: nothing does. */
static int64_t cuts(struct test *t, const struct pk_flow_entry *e, bool count)
{
	const struct pk_flow *f = &e->flow;
	int64_t name = named(t, f);

	for (unsigned d = 0; d < 2; d++) {
		int64_t at = decides(t, f, d);

		if (at < 0 && name >= 0 && f->dir[d].packets)
			at = (int64_t)t->u->data.n + name;
		if (at < 0)
			continue;
		if (!count)
			return at;
		return is_spared(t, f, d) ? -1 : at;
	}
	return -1;
}

static void count(struct test *t, struct pk_flow_entry *e)
{
	uint64_t bytes = e->flow.dir[0].bytes + e->flow.dir[1].bytes;
	int64_t at;

	if (e->updated_ns < t->from_ns)
		return;
	t->flows++;
	at = cuts(t, e, true);
	if (at < 0)
		return;
	t->cut++;
	t->bytes += bytes;
	t->sum[at].flows++;
	t->sum[at].bytes += bytes;
}

static bool is_more(const struct sum *a, const struct sum *b)
{
	return a->flows != b->flows ? a->flows > b->flows : a->bytes > b->bytes;
}

/* The entries that cut most, most first. */
static void pick(struct test *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = t->n_top;

		if (!t->sum[i].flows)
			continue;
		while (at && is_more(&t->sum[i], &t->sum[t->top[at - 1]]))
			at--;
		if (at >= SHOWN)
			continue;
		t->n_top += t->n_top < SHOWN;
		memmove(&t->top[at + 1], &t->top[at], (t->n_top - 1 - at) * sizeof(*t->top));
		t->top[at] = (int64_t)i;
	}
}

static void write_example(struct pk_json *j, const struct test *t, struct pk_flow_entry *e)
{
	const struct pk_flow *f = &e->flow;
	unsigned from = f->meta.initiator & 1;
	const char *proto = pk_ip_proto_name(f->key.proto);
	const struct pk_process *p = NULL;
	char ip[PK_IP_TEXT];

	for (unsigned d = 0; d < 2 && !p; d++)
		p = f->own[d].user.tgid ? pk_enrich_owner(t->v->ocsf.enrich, &f->own[d].user)
					: NULL;
	pk_json_obj(j, NULL);
	pk_json_i64(j, "time", pk_clock_wall_ms(e->updated_ns));
	pk_json_str(j, "protocol", proto);
	pk_json_str(j, "src", pk_ip_format(f->key.addr[from], ip));
	pk_json_u64(j, "src_port", ntohs(f->key.port[from]));
	pk_json_str(j, "dst", pk_ip_format(f->key.addr[!from], ip));
	pk_json_u64(j, "dst_port", ntohs(f->key.port[!from]));
	pk_json_u64(j, "bytes", f->dir[0].bytes + f->dir[1].bytes);
	if (p)
		pk_json_str(j, "process", pk_process_name(p));
	pk_json_end(j);
}

static struct pk_flow_entry *next_flow(struct test *t, bool *live, struct pk_flow_entry *e)
{
	struct pk_flow_table *table = t->v->ocsf.flows;

	if (*live) {
		e = pk_flow_table_live(table, e);
		if (e)
			return e;
		*live = false;
	}
	return pk_flow_table_ended(table, e);
}

static void write_entry(struct pk_json *j, const struct pk_list_data *d, size_t at)
{
	const struct pk_block_entry *e = at < d->n ? &d->v[at] : NULL;
	const struct pk_block_name *n = e ? NULL : &d->names[at - d->n];
	const char *reason = pk_block_text_at(&d->texts, e ? e->reason : n->reason);
	char text[PK_PREFIX_TEXT];

	if (e) {
		pk_json_str(j, "prefix", pk_limits_prefix(e, text));
		pk_limits_write(j, e, pk_block_text_at(&d->texts, e->iface));
	} else {
		pk_json_str(j, "name", pk_block_text_at(&d->texts, n->text));
		pk_answer_how(j, n->how);
	}
	if (*reason)
		pk_json_str(j, "reason", reason);
}

static void write_cut(struct pk_json *j, struct test *t, int64_t entry)
{
	unsigned examples = 0;
	bool live = true;

	pk_json_obj(j, NULL);
	write_entry(j, &t->u->data, (size_t)entry);
	pk_json_u64(j, "flows", t->sum[entry].flows);
	pk_json_u64(j, "bytes", t->sum[entry].bytes);
	pk_json_arr(j, "examples");
	for (struct pk_flow_entry *f = NULL; examples < EXAMPLES && (f = next_flow(t, &live, f));) {
		if (f->updated_ns < t->from_ns || cuts(t, f, false) != entry)
			continue;
		write_example(j, t, f);
		examples++;
	}
	pk_json_end(j);
	pk_json_end(j);
}

/* How far back the agent remembers: to its start, or to the oldest ended flow it still has. */
static uint64_t remembered_ns(const struct test *t)
{
	struct pk_table_use_count live, ended;
	struct pk_flow_entry *oldest = NULL;

	pk_flow_table_counts(t->v->ocsf.flows, &live, &ended);
	for (struct pk_flow_entry *e = NULL; (e = pk_flow_table_ended(t->v->ocsf.flows, e));)
		oldest = e;
	if (!ended.max)
		return t->v->now_ns; /* nothing but what is live */
	return ended.evicted && oldest ? oldest->updated_ns : t->v->state->started_ns;
}

static void write_test(struct pk_json *j, struct test *t)
{
	uint64_t back = remembered_ns(t);

	pk_json_obj(j, "span");
	pk_json_i64(j, "from", pk_clock_wall_ms(back > t->from_ns ? back : t->from_ns));
	pk_json_i64(j, "to", pk_clock_wall_ms(t->v->now_ns));
	pk_json_bool(j, "whole", back <= t->from_ns);
	pk_json_u64(j, "flows", t->flows);
	pk_json_end(j);
	pk_answer_read(j, &t->u->data);
	pk_json_u64(j, "entries", t->u->data.n + t->u->data.n_names);
	pk_json_u64(j, "flows_cut", t->cut);
	pk_json_u64(j, "bytes_cut", t->bytes);
	pk_json_obj(j, "spared");
	pk_json_u64(j, "safe", t->safe);
	pk_json_u64(j, "allowed", t->allowed);
	pk_json_end(j);
	pk_json_arr(j, "cut");
	for (size_t i = 0; i < t->n_top; i++)
		write_cut(j, t, t->top[i]);
	pk_json_end(j);
}

int pk_list_test_write(struct pk_json *j, struct pk_upload *u)
{
	const struct pk_view *v = u->later->q.view;
	size_t n = u->data.n + u->data.n_names;
	_cleanup_free_ struct sum *sum = calloc(n ? n : 1, sizeof(*sum));
	_cleanup_free_ int64_t *top = calloc(SHOWN + 1, sizeof(*top));
	_cleanup_free_ struct pk_block_answer *answer = calloc(1, sizeof(*answer));
	uint64_t back_ns = (u->against_s ? u->against_s : DEFAULT_S) * S_NS;
	struct test t = { .u = u, .v = v, .sum = sum, .top = top, .answer = answer };
	bool live = true;

	t.against = pk_against_new(u->data.v, u->data.n, &u->data.texts);
	if (!sum || !top || !answer || !t.against) {
		pk_against_free(t.against);
		return -ENOMEM;
	}
	t.from_ns = v->now_ns > back_ns ? v->now_ns - back_ns : 0;
	for (struct pk_flow_entry *e = NULL; (e = next_flow(&t, &live, e));)
		count(&t, e);
	pick(&t, n);
	write_test(j, &t);
	pk_against_free(t.against);
	return 0;
}

static int run(struct pk_upload *u)
{
	struct pk_buf body = { 0 };
	struct pk_json j;
	int r;

	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	r = pk_list_test_write(&j, u);
	pk_json_end(&j);
	if (r < 0) {
		pk_buf_done(&body);
		return r;
	}
	pk_api_reply(&u->later->q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

static void on_read(struct pk_upload *u)
{
	if (pk_answer_block(&u->later->q) && pk_upload_was_read(u) && run(u) < 0)
		(void)pk_api_problem(&u->later->q, 507, "no memory"); /* always 0 */
	pk_upload_free(u);
}

int pk_list_test(struct pk_api_request *q)
{
	return pk_answer_block(q) ? pk_upload_start(q, false, on_read) : 0;
}
