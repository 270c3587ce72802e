/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings and the packets in memory as pcapng. Owns who reads which recording and its filter;
 * what is in it, and when it ends, is capture's. That packets were taken is always logged, with who
 * took them: they are what others said to each other.
 */
#include "api/record.h"

#include "api/exchange.h"
#include "api/peer.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "capture/capture.h"
#include "conf/schema.h"
#include "flow/filter.h"

#include <picket/api.h>

#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COPY_BELOW 4096 /* bytes; above it the memory itself is handed on */
#define SECOND     1000000000ull

struct reader {
	struct pk_records *all;
	struct reader *next;
	struct pk_exchange *x;
	struct evbuffer *pending;
	struct pk_recording *recording;
	struct pk_filter *filter;
	struct pk_buf who;
};

struct pk_records {
	struct pk_view *view;
	struct reader *first;
};

struct pk_records *pk_records_new(struct pk_view *view)
{
	struct pk_records *s = calloc(1, sizeof(*s));

	if (s)
		s->view = view;
	return s;
}

static const char *text_or(const char *text, const char *other)
{
	return text && *text ? text : other;
}

static void reader_free(struct reader *r)
{
	struct reader **p = &r->all->first;
	const struct pk_writer *w = r->recording ? &r->recording->w : NULL;

	while (*p && *p != r)
		p = &(*p)->next;
	if (*p)
		*p = r->next;
	if (w)
		pk_notice("recording %" PRIu64 " of %s ended (%s): %" PRIu64 " packets, %" PRIu64
			  " bytes",
			  r->recording->id, text_or(r->who.data, "unknown"),
			  text_or(r->recording->ended, "its reader has gone"), w->packets,
			  w->bytes);
	if (w)
		pk_capture_record_free(r->all->view->capture, r->recording);
	if (r->pending)
		evbuffer_free(r->pending);
	pk_filter_free(r->filter);
	pk_buf_done(&r->who);
	free(r);
}

static void on_gone(void *arg)
{
	reader_free(arg);
}

static void free_data(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	free(arg);
}

/* Moves what the recording wrote to where the socket takes it from. */
static void take_out(struct reader *r)
{
	struct pk_buf *out = &r->recording->w.out;

	if (out->len < COPY_BELOW) {
		evbuffer_add(r->pending, out->data, out->len);
		pk_buf_reset(out);
	} else if (evbuffer_add_reference(r->pending, out->data, out->len, free_data, out->data) ==
		   0) {
		*out = (struct pk_buf){ .max = out->max };
	}
}

static size_t behind(const struct reader *r)
{
	return evbuffer_get_length(r->pending) + pk_exchange_behind(r->x);
}

static void end_reply(struct reader *r)
{
	pk_exchange_end(r->x);
	reader_free(r);
}

static void flush(struct reader *r)
{
	if (r->recording->w.out.len)
		take_out(r);
	if (evbuffer_get_length(r->pending))
		pk_exchange_send(r->x, r->pending);
	r->recording->behind = behind(r);
	if (r->recording->ended)
		end_reply(r);
}

void pk_records_flush(struct pk_records *s)
{
	struct reader *next;

	for (struct reader *r = s->first; r; r = next) {
		next = r->next;
		flush(r);
	}
}

void pk_records_free(struct pk_records *s)
{
	if (!s)
		return;
	while (s->first) {
		struct reader *r = s->first;

		pk_capture_record_end(s->view->capture, r->recording, s->view->now_ns, "agent");
		flush(r);
	}
	free(s);
}

/* "30s", "5m", as in the configuration. */
static int param_duration(struct pk_api_request *q, const char *name, uint64_t *ret_ns)
{
	const struct pk_conf_row row = { .name = name,
					 .type = PK_CONF_DURATION,
					 .min = SECOND / 1000,
					 .max = 365 * 86400 * SECOND };
	const char *s = pk_api_param(q, name);
	char detail[96];

	if (!s || pk_conf_parse(&row, s, ret_ns) == 0)
		return 0;
	snprintf(detail, sizeof(detail), "%s must be a duration as in 500ms, 30s, 5m, 1h", name);
	(void)pk_api_problem(q, 400, detail); /* always 0 */
	return -EINVAL;
}

static int read_params(struct pk_api_request *q, struct pk_recording_conf *conf)
{
	uint64_t snaplen = 0;

	if (pk_api_param_u64(q, "snaplen", PK_SAMPLE_DATA_MAX, &snaplen) < 0 ||
	    pk_api_param_u64(q, "packets", UINT64_MAX >> 4, &conf->packets) < 0 ||
	    pk_api_param_u64(q, "bytes", UINT64_MAX >> 4, &conf->bytes) < 0 ||
	    param_duration(q, "duration", &conf->duration_ns) < 0 ||
	    param_duration(q, "before", &conf->before_ns) < 0)
		return -EINVAL;
	conf->snaplen = (uint32_t)snaplen;
	conf->filter_text = pk_api_param(q, "filter");
	return 0;
}

static int reader_new(struct pk_api_request *q, struct reader **ret_reader)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->all = pk_api_records(q->api);
	r->x = q->x;
	r->pending = evbuffer_new();
	if (!r->pending) {
		free(r);
		return -ENOMEM;
	}
	pk_api_peer_name(q, &r->who);
	*ret_reader = r;
	return 0;
}

static void begin_reply(struct reader *r)
{
	char id[24];

	snprintf(id, sizeof(id), "%" PRIu64, r->recording->id);
	pk_exchange_head(r->x, "Content-Type", PK_API_TYPE_PCAPNG);
	pk_exchange_head(r->x, "Cache-Control", "no-store");
	pk_exchange_head(r->x, PK_API_RECORDING, id);
	pk_exchange_begin(r->x, on_gone, r);
}

int pk_record_get(struct pk_api_request *q)
{
	struct pk_recording_conf conf = { 0 };
	struct reader *r;
	int e;

	if (!q->view->capture)
		return pk_api_problem(q, 503, "packets are not kept here");
	if (read_params(q, &conf) < 0)
		return 0;
	e = reader_new(q, &r);
	if (e < 0)
		return e;
	if (pk_api_param_filter(q, &r->filter) < 0) {
		reader_free(r);
		return 0;
	}
	conf.filter = r->filter;
	e = pk_capture_record(q->view->capture, &conf, pk_clock_boot_ns(), &r->recording);
	if (e < 0) {
		reader_free(r);
		return e == -EBUSY ? pk_api_busy(q, "too many recordings go on already") : e;
	}
	r->next = r->all->first;
	r->all->first = r;
	pk_notice("recording %" PRIu64 " by %s began: %s", r->recording->id,
		  text_or(r->who.data, "unknown"), text_or(conf.filter_text, "all flows"));
	begin_reply(r);
	flush(r);
	return 0;
}

int pk_record_delete(struct pk_api_request *q)
{
	char *end = NULL;
	uint64_t id = strtoull(q->rest, &end, 10);
	struct pk_buf body = { 0 };

	for (struct reader *r = pk_api_records(q->api)->first; r && !*end; r = r->next) {
		if (r->recording->id != id)
			continue;
		pk_capture_record_end(q->view->capture, r->recording, pk_clock_boot_ns(), "user");
		pk_buf_fmt(&body, "{\"id\":%" PRIu64 ",\"packets\":%" PRIu64 "}\n", id,
			   r->recording->w.packets);
		pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
		flush(r);
		return 0;
	}
	return pk_api_problem(q, 404, "there is no recording of this number");
}

int pk_capture_get(struct pk_api_request *q)
{
	_cleanup_(pk_filter_freep) struct pk_filter *filter = NULL;
	_cleanup_(pk_buf_done) struct pk_buf who = { 0 };
	const char *text = pk_api_param(q, "filter");
	struct pk_buf out = { 0 };
	uint64_t before = 0, now = pk_clock_boot_ns(), packets;
	int r;

	if (!q->view->capture)
		return pk_api_problem(q, 503, "packets are not kept here");
	if (param_duration(q, "before", &before) < 0 || pk_api_param_filter(q, &filter) < 0)
		return 0;
	r = pk_capture_freeze(q->view->capture, filter, text,
			      before && before < now ? now - before : 0, now, &out, &packets);
	if (r < 0) {
		pk_buf_done(&out);
		return r;
	}
	pk_api_peer_name(q, &who);
	pk_notice("%" PRIu64 " packets in memory were taken by %s: %s", packets,
		  text_or(who.data, "unknown"), text_or(text, "all flows"));
	pk_api_reply(q, 200, PK_API_TYPE_PCAPNG, &out);
	return 0;
}

static void write_recording(struct pk_json *j, const struct reader *r)
{
	const struct pk_recording *k = r->recording;

	pk_json_obj(j, NULL);
	pk_json_u64(j, "id", k->id);
	pk_json_str(j, "by", r->who.data);
	pk_json_str(j, "filter", k->text);
	pk_json_i64(j, "began", pk_clock_wall_ms(k->begun_ns));
	pk_json_u64(j, "flows", k->flows);
	pk_json_u64(j, "packets", k->w.packets);
	pk_json_u64(j, "bytes", k->w.bytes);
	pk_json_u64(j, "cut", k->w.cut);
	pk_json_u64(j, "slow", k->w.dropped);
	pk_json_u64(j, "missed", k->w.missed);
	pk_json_end(j);
}

void pk_records_status(const struct pk_records *s, struct pk_json *j)
{
	struct pk_capture_counts n;

	if (!s || !s->view->capture)
		return;
	pk_capture_counts(s->view->capture, &n);
	pk_json_obj(j, "capture");
	pk_json_obj(j, "memory");
	pk_json_u64(j, "bytes", n.memory.bytes);
	pk_json_u64(j, "max", n.memory.max);
	pk_json_u64(j, "packets", n.memory.packets);
	pk_json_u64(j, "taken", n.memory.taken);
	pk_json_u64(j, "gone", n.memory.gone);
	pk_json_u64(j, "refused", n.memory.refused);
	if (n.memory.oldest_ns)
		pk_json_i64(j, "oldest", pk_clock_wall_ms(n.memory.oldest_ns));
	pk_json_end(j);
	pk_json_obj(j, "flows");
	pk_json_u64(j, "used", n.flows);
	pk_json_u64(j, "max", n.flows_max);
	pk_json_u64(j, "evicted", n.flows_evicted);
	pk_json_u64(j, "recorded", n.recorded);
	pk_json_end(j);
	pk_json_arr(j, "recordings");
	for (const struct reader *r = s->first; r; r = r->next)
		write_recording(j, r);
	pk_json_end(j);
	pk_json_end(j);
}
