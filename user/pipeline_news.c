/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the news that wait, oldest first, each in one piece of memory with the message it is about.
 * A record that can be written at once is: its client is not of this host, or its owner is known.
 */
#include "pipeline_news.h"

#include "api/stream.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "decode/dns.h"
#include "flow/filter.h"
#include "flow/local.h"
#include "flow/table.h"
#include "name/name.h"
#include "output/journal.h"
#include "output/ocsf.h"
#include "output/ocsf_dns.h"
#include "output/subject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 16384
#define WAIT_NS     1500000000ull /* the kernel reports a new flow within a second */

struct waiting {
	uint64_t due_ns, flow;
	bool hello;
	uint8_t client;
	struct pk_flow_key key;
	struct pk_news_dns dns; /* name, bytes: below */
	size_t name_len;
	char data[]; /* name with its NUL, bytes */
};

struct pk_pipeline_news {
	struct pk_view *view;
	struct waiting *queue[WAITING_MAX];
	size_t first, n;
	struct pk_dns dns; /* the answer being written */
	struct pk_buf text;
};

int pk_pipeline_news_new(struct pk_view *view, struct pk_pipeline_news **ret_news)
{
	struct pk_pipeline_news *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->view = view;
	*ret_news = n;
	return 0;
}

void pk_pipeline_news_free(struct pk_pipeline_news *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		free(n->queue[(n->first + i) % WAITING_MAX]);
	pk_buf_done(&n->text);
	free(n);
}

/* text holds the record; readers get it without its subject, the journal with. */
static void tell(struct pk_pipeline_news *n, enum pk_stream_kind kind, struct pk_journal *journal,
		 const struct pk_filter_subject *s)
{
	struct pk_stream_id id = { .seq = pk_journal_next(journal) };
	struct pk_streams *all = n->view->streams;
	size_t len = n->text.len;

	if (n->text.error)
		return;
	pk_subject_pack(&n->text, s);
	if (n->text.error)
		return;
	pk_journal_add(journal, n->text.data, n->text.len);
	for (struct pk_stream *r = NULL; (r = pk_stream_next(all, kind, r));)
		if (pk_filter_match(pk_stream_filter(r), s) && pk_stream_has_room(r))
			pk_stream_add(r, id, n->text.data, len);
}

static struct pk_json *begin(struct pk_pipeline_news *n, struct pk_json *j)
{
	pk_buf_reset(&n->text);
	pk_json_init(j, &n->text);
	return j;
}

static void write_dns(struct pk_pipeline_news *n, const struct pk_ocsf_dns *d)
{
	struct pk_view *v = n->view;
	struct pk_filter_subject s;
	struct pk_flow flow;
	struct pk_json j;

	pk_ocsf_dns(begin(n, &j), &v->ocsf, d, pk_journal_next(v->dns));
	pk_ocsf_dns_subject(&v->ocsf, d, &flow, &s);
	tell(n, PK_STREAM_DNS, v->dns, &s);
}

static void write_hello(struct pk_pipeline_news *n, uint64_t flow)
{
	struct pk_view *v = n->view;
	struct pk_flow_entry *e = pk_flow_table_find(v->ocsf.flows, flow);
	struct pk_filter_subject s;
	struct pk_json j;

	if (!e) {
		n->view->news_lost++;
		return;
	}
	pk_ocsf_flow(begin(n, &j), &v->ocsf, e, e->updated_ns, pk_journal_next(v->tls));
	pk_ocsf_subject(&v->ocsf, e, ~0u, e->updated_ns, &s);
	tell(n, PK_STREAM_TLS, v->tls, &s);
}

static void write_waiting(struct pk_pipeline_news *n, struct waiting *w)
{
	struct pk_ocsf_dns d = {
		.dns = &w->dns, .key = &w->key, .flow = w->flow, .client = w->client
	};

	if (w->hello) {
		write_hello(n, w->flow);
		return;
	}
	w->dns.answer = NULL;
	/* it was decoded once already: the same comes out */
	if (w->dns.answered_ns &&
	    pk_dns_decode(&n->dns, w->dns.kind, w->dns.bytes, w->dns.len) != -ENODATA)
		w->dns.answer = &n->dns;
	write_dns(n, &d);
}

static void write_first(struct pk_pipeline_news *n)
{
	struct waiting *w = n->queue[n->first];

	n->first = (n->first + 1) % WAITING_MAX;
	n->n--;
	write_waiting(n, w);
	free(w);
}

static void wait_for_owner(struct pk_pipeline_news *n, const struct pk_news *news)
{
	const struct pk_news_dns *d = news->dns;
	size_t name_len = d ? strlen(d->name) + 1 : 0, len = d && d->bytes ? d->len : 0;
	struct waiting *w = calloc(1, sizeof(*w) + name_len + len);

	if (!w) {
		n->view->news_lost++;
		return;
	}
	if (n->n == WAITING_MAX) {
		n->view->news_hurried++;
		write_first(n);
	}
	*w = (struct waiting){ .due_ns = n->view->now_ns + WAIT_NS,
			       .flow = news->flow,
			       .hello = !d,
			       .client = news->client,
			       .key = *news->key };
	if (d) {
		w->dns = *d;
		memcpy(w->data, d->name, name_len);
		if (len)
			memcpy(w->data + name_len, d->bytes, len);
		w->dns.name = w->data;
		w->dns.bytes = (const uint8_t *)w->data + name_len;
		w->dns.len = len;
	}
	n->queue[(n->first + n->n++) % WAITING_MAX] = w;
}

/* Is there anything that waiting could bring? */
static bool may_be_owned(const struct pk_view *v, const struct pk_ocsf_dns *d)
{
	struct pk_side side;

	return d->flow && pk_local_has(v->ocsf.local, d->key->netns, d->key->addr[d->client]) &&
	       !pk_ocsf_dns_side(&v->ocsf, d, &side);
}

void pk_pipeline_news_take(struct pk_pipeline_news *n, const struct pk_news *news)
{
	struct pk_ocsf_dns d = {
		.dns = news->dns, .key = news->key, .flow = news->flow, .client = news->client
	};

	if (news->kind == PK_NEWS_HELLO) {
		wait_for_owner(n, news); /* also for what the server says */
	} else if (news->kind == PK_NEWS_DNS) {
		if (may_be_owned(n->view, &d))
			wait_for_owner(n, news);
		else
			write_dns(n, &d);
	}
}

void pk_pipeline_news_tick(struct pk_pipeline_news *n, uint64_t now_ns)
{
	while (n->n && n->queue[n->first]->due_ns <= now_ns)
		write_first(n);
}
