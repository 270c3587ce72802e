/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the writer and the limits of one recording. It takes what it is given; whose packets those
 * are, and who reads what it wrote, is not its business.
 */
#include "capture/record.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

int pk_recording_init(struct pk_recording *r, const struct pk_recording_conf *conf,
		      const struct pk_writer *w, uint64_t now_ns)
{
	_cleanup_free_ char *text =
		conf->filter_text && *conf->filter_text ? strdup(conf->filter_text) : NULL;
	int e;

	if (conf->filter_text && *conf->filter_text && !text)
		return -ENOMEM;
	*r = (struct pk_recording){
		.conf = *conf, .w = *w, .begun_ns = now_ns, .room = PK_RECORDING_BACKLOG
	};
	r->w.snaplen = conf->snaplen;
	r->w.filter = text;
	r->w.start_ns = now_ns;
	e = pk_writer_init(&r->w);
	if (e < 0)
		return e;
	r->text = PK_TAKE(text);
	return 0;
}

void pk_recording_done(struct pk_recording *r)
{
	pk_writer_done(&r->w);
	free(PK_TAKE(r->text));
}

void pk_recording_packet(struct pk_recording *r, const struct pk_sample *s, const char *comment)
{
	if (r->ended || r->over)
		return;
	if (r->behind + r->w.out.len + s->data_len > r->room) {
		pk_writer_drop(&r->w, s);
		return;
	}
	(void)pk_writer_packet(&r->w, s, comment); /* it counts what it can't write */
	if (r->conf.packets && r->w.packets >= r->conf.packets)
		r->over = "packets";
	else if (r->conf.bytes && r->w.bytes >= r->conf.bytes)
		r->over = "bytes";
}

void pk_recording_tick(struct pk_recording *r, uint64_t now_ns)
{
	if (r->conf.duration_ns && now_ns >= r->begun_ns + r->conf.duration_ns && !r->over)
		r->over = "duration";
}

void pk_recording_end(struct pk_recording *r, uint64_t now_ns, const char *why)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	const struct pk_writer *w = &r->w;

	if (r->ended)
		return;
	r->ended = why;
	pk_buf_fmt(&text,
		   "ended=%s flows=%" PRIu64 " packets=%" PRIu64 " cut=%" PRIu64 " slow=%" PRIu64
		   " missed=%" PRIu64 " refused=%" PRIu64,
		   why, r->flows, w->packets, w->cut, w->dropped, w->missed, w->refused);
	pk_writer_end(&r->w, now_ns > r->begun_ns ? now_ns : r->begun_ns, text.data);
}
