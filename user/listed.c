/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out which addresses an answer gives for which names, and which flows carry a listed name.
 * What lists say is theirs; who asked and how a record looks is others'.
 */
#include "listed.h"

#include "api/view.h"
#include "base/buf.h"
#include "base/json.h"
#include "block/answers.h"
#include "block/show.h"
#include "decode/dns.h"
#include "decode/record.h"
#include "flow/table.h"
#include "name/fact.h"
#include "name/news.h"
#include "output/journal.h"
#include "output/ocsf_domain.h"

#include <stdlib.h>
#include <string.h>

#define TTL_NONE UINT32_MAX

/* The names that the question leads to; an answer may hold others, which nobody asked for. */
struct chain {
	struct pk_answer a;
	uint32_t ttl_s; /* the shortest of its aliases */
};

static bool has(const struct chain *c, const char *name)
{
	for (size_t i = 0; i < c->a.n; i++)
		if (strcmp(c->a.name[i], name) == 0)
			return true;
	return false;
}

static bool add(struct chain *c, const char *name)
{
	if (!*name || !strcmp(name, ".") || has(c, name) || c->a.n == PK_ANSWER_NAMES)
		return false;
	c->a.name[c->a.n++] = name;
	return true;
}

static const char *target_of(const struct pk_dns_rr *rr)
{
	if (rr->type == PK_DNS_CNAME)
		return rr->target;
	return rr->type == PK_DNS_HTTPS || rr->type == PK_DNS_SVCB ? rr->svc.target : NULL;
}

/* Aliases may come in any order: until a round finds no more. */
static void follow(struct chain *c, const struct pk_dns *d)
{
	bool more = true;

	while (more) {
		more = false;
		for (unsigned i = 0; i < d->n_rrs; i++) {
			const struct pk_dns_rr *rr = &d->rrs[i];
			const char *to = rr->why == PK_DNS_OK ? target_of(rr) : NULL;

			if (!to || rr->section != PK_DNS_ANSWER || !has(c, rr->name) || !add(c, to))
				continue;
			if (rr->ttl < c->ttl_s)
				c->ttl_s = rr->ttl;
			more = true;
		}
	}
}

static void put(struct pk_block *b, struct chain *c, const uint8_t addr[16], uint32_t ttl_s)
{
	memcpy(c->a.addr, addr, 16);
	c->a.ttl_s = ttl_s < c->ttl_s ? ttl_s : c->ttl_s;
	(void)pk_block_answered(b, &c->a); /* counted by what became of it */
}

/* Additional records: only what belongs to the names of the answer. */
static void put_all(struct pk_block *b, struct chain *c, const struct pk_dns *d)
{
	for (unsigned i = 0; i < d->n_rrs; i++) {
		const struct pk_dns_rr *rr = &d->rrs[i];

		if (rr->why != PK_DNS_OK || rr->section == PK_DNS_AUTHORITY || !has(c, rr->name))
			continue;
		if (rr->type == PK_DNS_A || rr->type == PK_DNS_AAAA)
			put(b, c, rr->addr, rr->ttl);
		if (rr->type != PK_DNS_HTTPS && rr->type != PK_DNS_SVCB)
			continue;
		for (unsigned k = 0; k < rr->svc.n_v4; k++)
			put(b, c, rr->svc.v4[k], rr->ttl);
		for (unsigned k = 0; k < rr->svc.n_v6; k++)
			put(b, c, rr->svc.v6[k], rr->ttl);
	}
}

static void take_answer(struct pk_block *b, const struct pk_news_dns *dns)
{
	struct chain c = { .ttl_s = TTL_NONE };

	if (!dns->believed || !dns->answer || dns->answer->rcode || dns->kind != PK_DNS_UNICAST ||
	    !add(&c, dns->name))
		return;
	follow(&c, dns->answer);
	put_all(b, &c, dns->answer);
}

/* The flow as far as it is known: it may not have been reported yet. */
static void flow_of(struct pk_view *v, const struct pk_news *n, struct pk_flow_entry *ret)
{
	const struct pk_flow_entry *e =
		v->ocsf.flows ? pk_flow_table_find(v->ocsf.flows, n->flow) : NULL;

	*ret = (struct pk_flow_entry){ 0 };
	if (e) {
		*ret = *e;
	} else {
		ret->flow.key = *n->key;
		ret->flow.meta.id = n->flow;
		ret->flow.meta.initiator = n->client;
	}
	pk_ocsf_join(&v->ocsf, ret);
}

static bool is_same_name(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Of a Host field, what is before the port; a dot at the end of either. */
static bool name_of(const char *carried, bool http, char ret[PK_DOMAIN_MAX])
{
	size_t n = http ? strcspn(carried, ":") : strlen(carried);
	const char *why;

	return pk_domain_normalise(carried, n, ret, &why) >= 0;
}

static bool judge(struct pk_view *v, const struct pk_news *n, const char *carried, bool http,
		  struct pk_buf *text)
{
	struct pk_block_ruling rule;
	struct pk_ocsf_listed l;
	enum pk_block_verdict verdict;
	struct pk_flow_entry *e;
	char name[PK_DOMAIN_MAX];
	struct pk_json j;

	if (!n->flow || !carried || !name_of(carried, http, name))
		return false;
	verdict = pk_block_name(v->block, name, &rule);
	if (verdict != PK_BLOCK_DROP && verdict != PK_BLOCK_OBSERVE)
		return false;
	l = (struct pk_ocsf_listed){ .list = rule.list,
				     .name = rule.name,
				     .reason = rule.reason,
				     .entry = rule.id,
				     .drop = verdict == PK_BLOCK_DROP };
	if (l.drop && (!v->mark || v->mark(v->arg, n->flow, n->slot, PK_DIR_CUT, 0) < 0))
		l.drop = false; /* it can't be: the record says that it was only seen */
	pk_block_name_cut(v->block, &rule);
	e = malloc(sizeof(*e));
	if (!e)
		return false;
	flow_of(v, n, e);
	pk_buf_reset(text);
	pk_json_init(&j, text);
	pk_ocsf_cut(&j, &v->ocsf, e, n->ts_ns, http ? "http" : "sni", name, &l,
		    pk_journal_next(v->journal));
	free(e);
	return !text->error;
}

bool pk_listed_news(struct pk_view *v, const struct pk_news *news, struct pk_buf *text)
{
	if (!v->block)
		return false;
	if (news->kind == PK_NEWS_DNS)
		take_answer(v->block, news->dns);
	if (!pk_block_has_names(v->block))
		return false;
	if (news->kind == PK_NEWS_HELLO)
		return judge(v, news, news->sni, false, text);
	if (news->kind == PK_NEWS_HTTP && news->fact)
		return judge(v, news, news->fact->http_host, true, text);
	return false;
}

void pk_listed_query(struct pk_view *v, const struct pk_event *ev, struct pk_buf *text)
{
	const struct pk_query *q = ev->query;
	struct pk_ocsf_listed l = { .drop = q->act == PK_VERDICT_DROP };
	struct pk_block_ruling rule = { 0 };
	struct pk_json j;

	if (v->block && q->list < PK_BLK_LISTS) {
		l.list = pk_block_list_name(v->block, q->list);
		l.name = pk_block_refused_name(v->block, &q->name);
		if (l.name)
			(void)pk_block_name(v->block, l.name, &rule);
		if (is_same_name(rule.list, l.list)) {
			l.entry = rule.id;
			l.reason = rule.reason;
		}
	} else if (q->list >= PK_BLK_LISTS) {
		l.reason = "the question can not be read: a compressed name, or one without end";
	}
	pk_json_init(&j, text);
	pk_ocsf_query(&j, &v->ocsf, ev, &l, pk_journal_next(v->journal));
}
