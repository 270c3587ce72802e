/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS: questions are remembered, answers are matched with them and, if they are what was asked for,
 * teach the names of addresses. It keeps the name that was asked for, not the last one of a chain.
 */
#include "base/cleanup.h"
#include "decode/app.h"
#include "name/take.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define PORT_MDNS  5353
#define PORT_LLMNR 5355
#define CHAIN_MAX  16 /* names in a chain of CNAMEs */
#define ABOUT_MAX  16 /* questions of one message */

static enum pk_dns_kind kind_of(const struct pk_take *t)
{
	if (t->port[0] == PORT_MDNS || t->port[1] == PORT_MDNS)
		return PK_DNS_MULTICAST;
	if (t->port[0] == PORT_LLMNR || t->port[1] == PORT_LLMNR)
		return PK_DNS_LLMNR;
	return PK_DNS_UNICAST;
}

/* One question of a message, or what would be the question of an answer. */
struct about {
	const char *name; /* in the message */
	uint16_t name_len, qtype, qclass;
};

/* Answers of multicast DNS have no question (RFC 6762 6): they are about what they tell. */
static size_t answered(const struct pk_dns *m, struct about out[ABOUT_MAX])
{
	size_t n = 0;

	for (unsigned i = 0; i < m->n_rrs && n < ABOUT_MAX; i++) {
		const struct pk_dns_rr *r = &m->rrs[i];
		size_t k = 0;

		while (k < n && (out[k].qtype != r->type || strcmp(out[k].name, r->name) != 0))
			k++;
		if (r->section == PK_DNS_ANSWER && k == n)
			out[n++] = (struct about){ r->name, r->name_len, r->type, r->class };
	}
	return n;
}

/* The questions of a message: one, but for multicast DNS. */
static size_t about(const struct pk_dns *m, enum pk_dns_kind kind, struct about out[ABOUT_MAX])
{
	size_t n = kind == PK_DNS_MULTICAST ? ABOUT_MAX : 1;

	if (kind == PK_DNS_MULTICAST && m->response && !m->n_questions)
		return answered(m, out);
	if (n > m->n_questions)
		n = m->n_questions;
	for (size_t i = 0; i < n; i++) {
		const struct pk_dns_question *q = &m->questions[i];

		out[i] = (struct about){ q->name, q->name_len, q->type, q->class };
	}
	return n;
}

/* The end that asks: the sender of a question, the receiver of an answer. */
static unsigned asker(const struct pk_take *t, const struct pk_dns *m)
{
	return m->response ? !t->s->dir : t->s->dir;
}

static struct pk_question_key key_of(const struct pk_take *t, const struct pk_dns *m,
				     enum pk_dns_kind kind, const struct about *a, const char *name)
{
	const struct pk_flow_key *k = &t->s->key;
	unsigned client = asker(t, m), server = !client;
	struct pk_question_key q = { .netns = k->netns,
				     .qtype = a->qtype,
				     .kind = (uint8_t)kind,
				     .tcp = k->proto == IPPROTO_TCP,
				     .name = (uintptr_t)name };

	if (kind == PK_DNS_MULTICAST)
		return q;
	memcpy(q.client, k->addr[client], sizeof(q.client));
	q.client_port = k->port[client];
	q.id = m->id;
	if (kind == PK_DNS_LLMNR)
		return q;
	memcpy(q.server, k->addr[server], sizeof(q.server));
	q.server_port = k->port[server];
	return q;
}

static struct pk_news_dns news_of(const struct pk_question *q)
{
	return (struct pk_news_dns){ .name = q->name,
				     .qtype = q->key.qtype,
				     .qclass = q->qclass,
				     .id = q->key.id,
				     .kind = q->key.kind,
				     .tcp = q->key.tcp,
				     .asked = q->asked,
				     .asked_ns = q->asked_ns };
}

static void take_question(struct pk_names *n, const struct pk_take *t,
			  const struct pk_question_key *key, const struct about *a,
			  const char *name)
{
	struct pk_question *q = pk_questions_find(n->questions, key);
	struct pk_fact *f = t->fact;
	struct pk_news_dns d;

	if (f && t->s->dir == t->s->initiator) {
		f->dns_questions++;
		f->dns_qtype = key->qtype;
		pk_fact_set(n->facts, &f->dns_question, pk_intern_again(name));
	}
	if (q && !q->answered_ns) { /* again, or as seen on another interface */
		q->asked += q->flow == t->s->flow;
		return;
	}
	if (q)
		pk_questions_drop(n->questions, q);
	q = pk_questions_add(n->questions, key, name, t->s->hdr.ts);
	q->flow_key = t->s->key;
	q->flow = t->s->flow;
	q->slot = t->s->slot;
	q->client = t->s->dir;
	q->qclass = a->qclass;
	q->asked = 1;
	d = news_of(q);
	d.bytes = t->data;
	d.len = t->len;
	pk_names_tell(n, t, PK_NEWS_QUESTION, &d);
}

/* Names that the question leads to, by the CNAMEs of this answer. */
struct chain {
	const char *name[CHAIN_MAX];
	size_t n;
};

static bool in_chain(const struct chain *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->name[i], name))
			return true;
	return false;
}

/* In whatever order the records are: again until nothing is added. */
static void follow(struct chain *c, const struct pk_dns *m)
{
	size_t before;

	do {
		before = c->n;
		for (unsigned i = 0; i < m->n_rrs && c->n < CHAIN_MAX; i++) {
			const struct pk_dns_rr *r = &m->rrs[i];

			if (r->section == PK_DNS_ANSWER && r->type == PK_DNS_CNAME && !r->why &&
			    in_chain(c, r->name) && !in_chain(c, r->target))
				c->name[c->n++] = r->target;
		}
	} while (c->n > before && c->n < CHAIN_MAX);
}

static void learn(struct pk_names *n, const struct pk_question *q, const uint8_t addr[16],
		  uint32_t ttl)
{
	const struct pk_flow_key *k = &q->flow_key;
	struct pk_client c = pk_names_client(n, k->netns, k->addr[q->client]);

	pk_addresses_learn(n->addresses, &c, addr, q->name, ttl, n->now_ns);
}

static void learn_all(struct pk_names *n, const struct pk_question *q, const struct pk_dns *m)
{
	struct chain c = { .name = { q->name }, .n = 1 };

	if (m->rcode)
		return;
	follow(&c, m);
	for (unsigned i = 0; i < m->n_rrs; i++) {
		const struct pk_dns_rr *r = &m->rrs[i];

		if (r->section != PK_DNS_ANSWER || r->why || !in_chain(&c, r->name))
			continue;
		if (r->type == PK_DNS_A || r->type == PK_DNS_AAAA)
			learn(n, q, r->addr, r->ttl);
		if (r->type != PK_DNS_HTTPS)
			continue;
		for (unsigned h = 0; h < r->svc.n_v4; h++)
			learn(n, q, r->svc.v4[h], r->ttl);
		for (unsigned h = 0; h < r->svc.n_v6; h++)
			learn(n, q, r->svc.v6[h], r->ttl);
	}
}

/* What an answer says, but for what a cache counts down: the order and number of its records, their
 * names and data. */
static uint64_t digest(const struct pk_dns *m)
{
	uint64_t h = m->rcode + 1;

	for (unsigned i = 0; i < m->n_rrs; i++) {
		const struct pk_dns_rr *r = &m->rrs[i];
		uint64_t one = r->type; /* FNV-1a; only ever compared with an answer to the same */

		if (r->section != PK_DNS_ANSWER)
			continue;
		for (uint32_t b = 0; b < r->rdata.len; b++)
			one = (one ^ (uint8_t)r->rdata.s[b]) * 0x100000001b3ull;
		h += one; /* servers rotate the order */
	}
	return h ? h : 1;
}

static void count_answer(struct pk_fact *f, uint16_t rcode)
{
	f->dns_answers++;
	f->dns_rcode[rcode < 5 ? rcode : 5]++;
}

/* Who asks for anything of a name (multicast DNS browsers do) has its addresses answered as well.
 */
static struct pk_question *asked_for(struct pk_names *n, const struct pk_question_key *key)
{
	struct pk_question *q = pk_questions_find(n->questions, key);
	struct pk_question_key any = *key;

	if (q || key->kind != PK_DNS_MULTICAST)
		return q;
	any.qtype = PK_DNS_ANY;
	return pk_questions_find(n->questions, &any);
}

/* first: of what the message answers; an announcement is told once, by that. */
static void take_answer(struct pk_names *n, const struct pk_take *t,
			const struct pk_question_key *key, const struct about *a, const char *name,
			bool first)
{
	struct pk_question *q = asked_for(n, key);
	uint64_t h = digest(&n->dns);
	struct pk_news_dns d = { .name = name,
				 .qtype = key->qtype,
				 .qclass = a->qclass,
				 .id = key->id,
				 .kind = key->kind,
				 .tcp = key->tcp,
				 .answered_ns = t->s->hdr.ts,
				 .answer = &n->dns,
				 .bytes = t->data,
				 .len = t->len };

	if (t->fact && first)
		count_answer(t->fact, n->dns.rcode);
	if (q && q->answered_ns && q->answer == h)
		return; /* the same once more: another interface, or several that know */
	if (q) {
		d.asked = q->asked;
		d.asked_ns = q->asked_ns;
	}
	if (q && q->answered_ns) {
		/* whoever knows may answer where all were asked */
		n->count.contradicted += key->kind == PK_DNS_UNICAST;
	} else if (q) {
		d.believed = true;
		q->answered_ns = t->s->hdr.ts;
		q->answer = h;
		learn_all(n, q, &n->dns);
	} else if (key->kind == PK_DNS_MULTICAST) {
		if (!first)
			return;
		/* an announcement: nobody has to ask for it, and it teaches nothing */
	} else {
		n->count.unsolicited++;
	}
	pk_names_tell(n, t, PK_NEWS_DNS, &d);
}

static int take_about(struct pk_names *n, const struct pk_take *t, enum pk_dns_kind kind,
		      const struct about *a, bool first)
{
	const char *name = pk_intern_text(n->texts, a->name, a->name_len);
	struct pk_question_key key;

	if (!name)
		return -ENOMEM;
	key = key_of(t, &n->dns, kind, a, name);
	if (n->dns.response)
		take_answer(n, t, &key, a, name, first);
	else
		take_question(n, t, &key, a, name);
	pk_intern_put(n->texts, &name);
	return 0;
}

static int take_message(struct pk_names *n, const struct pk_take *t)
{
	enum pk_dns_kind kind = kind_of(t);
	struct about all[ABOUT_MAX];
	struct pk_dns *m = &n->dns;
	int r, e = 0;
	size_t count;

	r = pk_dns_decode(m, kind, t->data, t->len);
	if (r == -ENODATA)
		return r;
	count = about(m, kind, all);
	if (!count)
		return r ? r : kind == PK_DNS_MULTICAST ? 0 : -ENOMSG;
	if (t->fact)
		t->fact->app = kind == PK_DNS_MULTICAST ? PK_PROTO_MDNS
			       : kind == PK_DNS_LLMNR   ? PK_PROTO_LLMNR
							: PK_PROTO_DNS;
	for (size_t i = 0; i < count && !e; i++)
		e = take_about(n, t, kind, &all[i], i == 0);
	if (e < 0)
		return e;
	/* the answer itself counts as far as it could be read; cut by the sample is no fault */
	return r == -EBADMSG && t->cut && m->why == PK_DNS_SHORT ? 0 : r;
}

int pk_take_dns(struct pk_names *n, const struct pk_take *t)
{
	return take_message(n, t);
}

int pk_take_dns_stream(struct pk_names *n, const struct pk_take *t, size_t *ret_used)
{
	struct pk_cursor c = pk_cursor_of(t->data, t->len);
	struct pk_take one = *t;
	struct pk_slice msg;
	size_t missing;
	int r;

	*ret_used = 0;
	while (pk_dns_tcp_next(&c, &msg, &missing)) {
		one.data = (const uint8_t *)msg.s;
		one.len = msg.len;
		one.cut = false;
		r = take_message(n, &one);
		if (r < 0)
			return r;
		*ret_used = c.at;
	}
	return -EAGAIN; /* there may always be another one */
}
