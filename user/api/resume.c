/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns what a reader was told of the past so far. Tellings are numbered one by one, over restarts
 * too where the store has them; of an alert or incident the store keeps the last telling, so that a
 * reader who was away gets each that has changed once, as it is now. What retention took away is
 * not lost but removed.
 */
#include "api/resume.h"

#include "api/alert_json.h"
#include "api/exchange.h"
#include "api/said.h"
#include "api/server.h"
#include "api/view.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "flow/filter.h"
#include "output/journal.h"
#include "output/subject.h"
#include "store/query.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_NS   20000000ull /* of the loop at once */
#define STEP       500         /* rows or items between two looks at the clock */
#define HEAD_BYTES 1024        /* metadata is within them */

enum where {
	SEEK, /* in the store, backwards, for the first that was told after seq */
	READ, /* from there on */
	LOG,  /* in memory */
};

struct past {
	struct pk_stream_past base; /* first member */
	const struct pk_journal *journal;
	enum pk_stream_kind kind;
	enum pk_store_kind store;
	enum where where;
	uint64_t seq;    /* told up to here */
	uint64_t change; /* the same in the order of the store */
	bool filtered;
	bool kept; /* the store had what is before memory: there is no gap */
	/* of the step that is taken */
	struct pk_stream *r;
	uint64_t log_first; /* what memory has begins here */
	size_t n;
	bool end;
};

int pk_resume_read(struct pk_api_request *q, struct pk_resume *ret)
{
	const char *head = pk_exchange_said(q->x, "Last-Event-ID");
	const char *param = pk_api_param(q, "after"), *said = head && *head ? head : param;
	const struct pk_ocsf *o = &q->view->ocsf;
	struct pk_said_id id;
	char run[17];

	*ret = (struct pk_resume){ 0 };
	if (!said)
		return 0;
	if (pk_said_event_id(said, &id) < 0) {
		(void)pk_api_problem(q, 400, /* always 0 */
				     said == head
					     ? "Last-Event-ID is none that came from here"
					     : "after must be a number, or the id of an event");
		return -EINVAL;
	}
	snprintf(run, sizeof(run), "%.8s%.8s", o->run[0] ? o->boot : "", o->run);
	*ret = (struct pk_resume){ .asked = true,
				   .other_run = id.run[0] && strcmp(id.run, run) != 0,
				   .seq = id.seq,
				   .mark = id.mark };
	return 0;
}

uint64_t pk_resume_sequence(const char *json, size_t len)
{
	static const char key[] = ",\"sequence\":";
	size_t n = sizeof(key) - 1;
	const char *at = memmem(json, len < HEAD_BYTES ? len : HEAD_BYTES, key, n);
	uint64_t v = 0;

	for (at = at ? at + n : NULL; at && at < json + len && *at >= '0' && *at <= '9'; at++)
		v = v * 10 + (uint64_t)(*at - '0');
	return v;
}

static bool is_wanted(const struct past *p, const struct pk_store_item *item)
{
	const struct pk_filter *f = pk_stream_filter(p->r);
	struct pk_filter_subject s;
	struct pk_flow flow;
	bool ok;
	json_t *a;

	if (!p->filtered)
		return true;
	a = json_loadb(item->json, item->len, 0, NULL);
	if (!a)
		return false;
	pk_alert_json_subject(a, &flow, &s);
	ok = pk_filter_match(f, &s);
	json_decref(a);
	return ok;
}

static int seek(void *arg, const struct pk_store_item *item)
{
	struct past *p = arg;
	uint64_t seq = pk_resume_sequence(item->json, item->len);

	p->n++;
	p->end = seq && seq <= p->seq;
	if (!p->end)
		p->change = item->change;
	return p->end;
}

static int give_kept(void *arg, const struct pk_store_item *item)
{
	uint64_t seq = pk_resume_sequence(item->json, item->len);
	struct past *p = arg;

	p->n++;
	p->change = item->change;
	if (!seq || seq <= p->seq) /* suppressed, or told */
		return 0;
	p->end = seq >= p->log_first;
	if (p->end)
		return 1;
	p->seq = seq;
	if (is_wanted(p, item))
		pk_stream_add(p->r, (struct pk_stream_id){ .seq = seq }, item->json, item->len);
	return pk_stream_is_full(p->r);
}

/* A few rows of the store. */
static void step_store(struct past *p)
{
	bool seeks = p->where == SEEK;
	struct pk_store_query query = { .kind = p->store,
					.by_change = true,
					.after = p->change,
					.oldest_first = !seeks,
					.limit = STEP };
	int r;

	p->n = 0;
	p->end = false;
	r = pk_store_list(p->base.view->store, &query, seeks ? seek : give_kept, p);
	if (r < 0 && (r != -ETIME || !p->n)) {
		p->where = LOG; /* and what is missing there is told as lost */
		p->kept = false;
	} else if (p->end || (r == 0 && p->n < STEP && !pk_stream_is_full(p->r))) {
		p->where = seeks && p->change ? READ : LOG;
		p->change -= seeks && p->change; /* behind the row before the first wanted one */
	}
}

/* A few items of the journal; false: there are no more. */
static bool step_log(struct past *p)
{
	struct pk_journal_item item;
	struct pk_filter_subject s;
	struct pk_flow flow;

	for (int i = 0; i < STEP; i++) {
		size_t len;

		if (pk_journal_after(p->journal, p->seq, &item) < 0)
			return false;
		if (item.sequence > p->seq + 1 && p->seq && !p->kept)
			pk_stream_lose(p->r, item.sequence - p->seq - 1);
		p->seq = item.sequence;
		p->kept = false;
		len = item.len;
		if (p->kind != PK_STREAM_EVENTS && p->kind != PK_STREAM_INCIDENTS) {
			len = pk_subject_unpack(item.json, item.len, &flow, &s);
			if (!pk_filter_match(pk_stream_filter(p->r), &s))
				continue;
		}
		pk_stream_add(p->r, (struct pk_stream_id){ .seq = p->seq }, item.json, len);
		if (pk_stream_is_full(p->r))
			break;
	}
	return true;
}

static uint64_t first_of(const struct pk_journal *j)
{
	struct pk_journal_item item;

	return pk_journal_after(j, 0, &item) == 0 ? item.sequence : pk_journal_next(j);
}

static bool more(struct pk_stream_past *base, struct pk_stream *r)
{
	struct past *p = (struct past *)base;
	uint64_t until = pk_clock_boot_ns() + SLICE_NS;

	p->r = r;
	do {
		p->log_first = first_of(p->journal);
		if (p->where != LOG)
			step_store(p);
		else if (!step_log(p))
			return false;
	} while (!pk_stream_is_full(r) && pk_clock_boot_ns() < until);
	return true;
}

/* Where it goes on; restarted: the numbers are those of another agent. */
static void place(struct past *p, const struct pk_resume *from, bool *ret_restarted)
{
	const struct pk_view *v = p->base.view;
	uint64_t first = first_of(p->journal);
	bool goes_on = p->store && v->store && v->logs_go_on;

	p->seq = from->seq;
	*ret_restarted = from->other_run && !(goes_on && from->seq < pk_journal_next(p->journal));
	if (*ret_restarted)
		p->seq = 0;
	p->where = LOG;
	if (p->store && v->store && p->seq + 1 < first) {
		p->where = SEEK;
		p->kept = true;
	}
}

static int opened(struct pk_api_request *q, const struct pk_journal *journal, int r, bool restarted)
{
	struct pk_streams *all = q->view->streams;

	if (r == -EBUSY)
		return pk_api_busy(q, "too many readers");
	if (r < 0)
		return r;
	if (restarted)
		pk_stream_restarted(pk_stream_latest(all), first_of(journal) - 1);
	pk_streams_flush(all);
	return 0;
}

int pk_resume_open(struct pk_api_request *q, const struct pk_journal *journal,
		   enum pk_stream_kind kind, enum pk_store_kind store, struct pk_filter **filter)
{
	struct pk_resume from;
	struct past *p = NULL;
	bool restarted = false;

	if (pk_resume_read(q, &from) < 0)
		return 0;
	if (from.asked) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		*p = (struct past){ .base = { more, q->view },
				    .journal = journal,
				    .kind = kind,
				    .store = store,
				    .filtered = pk_api_param(q, "filter") };
		place(p, &from, &restarted);
	}
	return opened(q, journal,
		      pk_stream_open(q->view->streams, q, kind, filter, 0, p ? &p->base : NULL),
		      restarted);
}
