/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Syslog (RFC 5424) with octet counting over TCP (RFC 6587) or TLS (RFC 5425). The message is the
 * record's JSON; its uid is in it. Facility 13, log audit.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"
#include "sink/kinds.h"
#include "sink/stream.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define FACILITY 13

struct syslog_sink {
	struct pk_sink_stream *stream;
	char hostname[256];
	struct pk_buf text, one;
};

static bool wanted(const struct pk_conf *c)
{
	return *c->sink_syslog;
}

static void close_syslog(void *state)
{
	struct syslog_sink *s = state;

	pk_sink_stream_free(s->stream);
	pk_buf_done(&s->text);
	pk_buf_done(&s->one);
	free(s);
}

/* PRINTUSASCII, at most 255 (RFC 5424, 6); else the nil value. */
static void take_hostname(struct syslog_sink *s, const char *name)
{
	snprintf(s->hostname, sizeof(s->hostname), "%s", name);
	for (const char *p = s->hostname; *p; p++)
		if (*p <= ' ' || *p > '~')
			s->hostname[0] = '\0';
	if (!s->hostname[0])
		strcpy(s->hostname, "-");
}

static int open_syslog(const struct pk_sink_env *env, void **ret_state)
{
	struct syslog_sink *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	take_hostname(s, env->hostname);
	r = pk_sink_stream_new(env->conf->sink_syslog, env->conf->sink_ca, env->stop, &s->stream);
	if (r < 0) {
		close_syslog(s);
		return r;
	}
	*ret_state = s;
	return 0;
}

/* Levels of syslog for severities of OCSF. */
static int level(uint8_t severity)
{
	static const int of[] = { 6, 6, 5, 4, 3, 2, 1 };

	return severity < PK_ARRAY_SIZE(of) ? of[severity] : 4;
}

static void write_message(struct syslog_sink *s, const struct pk_sink_record *r)
{
	time_t at = (time_t)(r->time_ns / 1000000000);
	char when[32] = "";
	struct tm tm;

	pk_buf_reset(&s->one);
	if (gmtime_r(&at, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm); /* it fits */
	pk_buf_fmt(&s->one, "<%d>1 %s.%03uZ %s picketd %d alert - ",
		   FACILITY * 8 + level(r->severity), when, (unsigned)(r->time_ns / 1000000 % 1000),
		   s->hostname, getpid());
	pk_buf_add(&s->one, r->json, r->len);
	pk_buf_fmt(&s->text, "%zu ", s->one.len);
	pk_buf_add(&s->text, s->one.data, s->one.len);
}

static int send_messages(void *state, const struct pk_sink_record *rec, size_t n, size_t *ret_done,
			 char *why)
{
	struct syslog_sink *s = state;
	int r;

	pk_buf_reset(&s->text);
	for (size_t i = 0; i < n; i++)
		write_message(s, &rec[i]);
	if (s->text.error || s->one.error)
		return s->text.error ? s->text.error : s->one.error;
	r = pk_sink_stream_send(s->stream, s->text.data, s->text.len, why);
	if (!r)
		*ret_done = n;
	return r;
}

const struct pk_sink_kind pk_sink_syslog = { .name = "syslog",
					     .wanted = wanted,
					     .open = open_syslog,
					     .send = send_messages,
					     .close = close_syslog };
