/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the threads that read lists and the pipe on which they say that they are done. A thread
 * touches its own upload only, until it has told.
 */
#include "api/upload.h"

#include "api/answer.h"
#include "api/limits.h"
#include "api/peer.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "conf/conf.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#define UNPACKED_TIMES 16 /* a compressed list may be this much larger than it came */
#define UNPACKED_MAX   (2ull << 30)
#define CONFIRM_S_MAX  86400
#define TTL_S_MAX      (10ull * 366 * 86400)
#define AGAINST_S_MAX  (366ull * 86400)
#define SOURCE_MAX     255

struct pk_uploads {
	int pipe[2];
	struct event *ev;
	struct pk_upload *first;
	unsigned reading;
};

static void unlink_upload(struct pk_upload *u)
{
	struct pk_upload **p = &u->all->first;

	while (*p != u)
		p = &(*p)->next;
	*p = u->next;
}

void pk_upload_free(struct pk_upload *u)
{
	if (!u)
		return;
	if (u->all)
		unlink_upload(u);
	pk_api_later_free(u->later);
	pk_list_data_done(&u->data);
	if (u->body)
		evbuffer_free(u->body);
	free(u->column);
	free(u->list);
	free(u->source);
	free(u->who);
	free(u);
}

static void upload_freep(struct pk_upload **u)
{
	pk_upload_free(*u);
}

static int answer_too_large(struct pk_upload *u)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };

	pk_buf_fmt(&text,
		   "the list is too large: at most %llu bytes unpacked (api.upload_max), %llu "
		   "entries (block.entries_max)",
		   (unsigned long long)u->opts.max_bytes, (unsigned long long)u->opts.max_entries);
	return pk_api_problem(&u->later->q, 413, text.data ? text.data : "the list is too large");
}

bool pk_upload_was_read(struct pk_upload *u)
{
	struct pk_block_done d = { .result = u->result, .data = u->data };
	char text[128];

	if (u->result >= 0)
		return true;
	if (u->result == -EFBIG) {
		(void)answer_too_large(u); /* always 0 */
		return false;
	}
	snprintf(text, sizeof(text), "%llu bad %s: nothing was changed",
		 (unsigned long long)u->data.bad_total, u->data.bad_total == 1 ? "line" : "lines");
	if (u->result == -EBADMSG)
		d.detail = text;
	(void)pk_answer_failed(&u->later->q, &d); /* always 0; d is borrowed as a whole */
	return false;
}

static void *read_list(void *arg)
{
	struct pk_upload *u = arg;
	uint64_t began = pk_clock_boot_ns();
	size_t len = evbuffer_get_length(u->body);
	const void *bytes = len ? (const void *)evbuffer_pullup(u->body, -1) : "";

	u->result = bytes ? pk_list_read(bytes, len, &u->opts, &u->data) : -ENOMEM;
	evbuffer_free(PK_TAKE(u->body));
	u->read_ns = pk_clock_boot_ns() - began;
	/* less than PIPE_BUF: whole or not at all, and there is room for all there can be */
	while (write(u->all->pipe[1], &u, sizeof(u)) < 0)
		usleep(10000);
	return NULL;
}

static int start_thread(struct pk_upload *u)
{
	sigset_t all, before;
	pthread_t t;
	int r;

	sigfillset(&all);                                  /* signals are the loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* can't fail with these arguments */
	r = -pthread_create(&t, NULL, read_list, u);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		return r;
	u->thread = t;
	u->reading = true;
	u->all->reading++;
	return 0;
}

static void join(struct pk_upload *u)
{
	(void)pthread_join(u->thread, NULL); /* it ends right after it told */
	u->reading = false;
	u->all->reading--;
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct pk_upload *u;

	(void)what;
	(void)arg; /* u->all */
	while (read(fd, &u, sizeof(u)) == sizeof(u)) {
		join(u);
		u->done(u);
	}
}

struct pk_uploads *pk_uploads_new(struct event_base *base)
{
	struct pk_uploads *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (pipe2(s->pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(s);
		return NULL;
	}
	s->ev = event_new(base, s->pipe[0], EV_READ | EV_PERSIST, on_done, s);
	if (s->ev && event_add(s->ev, NULL) == 0)
		return s;
	pk_uploads_free(s);
	return NULL;
}

void pk_uploads_free(struct pk_uploads *s)
{
	if (!s)
		return;
	while (s->first) {
		if (s->first->reading)
			join(s->first);
		pk_upload_free(s->first);
	}
	if (s->ev)
		event_free(s->ev);
	close(s->pipe[0]);
	close(s->pipe[1]);
	free(s);
}

/* -EINVAL: answered. */
static int bad_param(struct pk_api_request *q, const char *detail)
{
	(void)pk_api_problem(q, 400, detail); /* always 0 */
	return -EINVAL;
}

static int read_force(struct pk_api_request *q, struct pk_block_ask *ask)
{
	const char *s = pk_api_param(q, "force_cover");
	char text[PK_IP_TEXT];

	while (s && *s) {
		size_t n = strcspn(s, ",");

		if (ask->n_force >= PK_ARRAY_SIZE(ask->force))
			return bad_param(q, "force_cover takes 16 addresses at most");
		if (n < sizeof(text)) {
			memcpy(text, s, n);
			text[n] = '\0';
		}
		if (n >= sizeof(text) || pk_ip_parse(text, ask->force[ask->n_force]) < 0)
			return bad_param(q, "force_cover takes addresses, with commas between");
		ask->n_force++;
		s += n + (s[n] == ',');
	}
	return 0;
}

/* How the entries are limited that say nothing about it. */
static int read_defaults(struct pk_api_request *q, struct pk_upload *u)
{
	const char *dir = pk_api_param(q, "dir"), *proto = pk_api_param(q, "proto");
	const char *port = pk_api_param(q, "port");
	struct pk_block_entry *e = &u->opts.defaults;
	uint64_t ttl_s = 0;

	e->dir = PK_BLK_IN | PK_BLK_OUT;
	if (dir && pk_limits_dir(dir, &e->dir) < 0)
		return bad_param(q, "dir must be in, out or both");
	if (proto && pk_limits_proto(proto, &e->proto) < 0)
		return bad_param(q, "proto must be a protocol's name or its number, 1 to 255");
	if (port && pk_limits_ports(port, &e->port_lo, &e->port_hi) < 0)
		return bad_param(q, "port must be a port or two with - between, 1 to 65535");
	if (pk_api_param_u64(q, "ttl", TTL_S_MAX, &ttl_s) < 0)
		return -EINVAL;
	if (pk_api_param(q, "ttl") && !ttl_s)
		return bad_param(q, "ttl must be one second or more");
	if (ttl_s)
		e->expires_ms = u->opts.now_ms + (int64_t)ttl_s * 1000;
	return 0;
}

static int read_ask(struct pk_api_request *q, struct pk_upload *u)
{
	const char *kind = pk_api_param(q, "kind"), *mode = pk_api_param(q, "mode");
	struct pk_block_ask *ask = &u->ask;
	bool sni_only = false, refuse = false;
	uint64_t confirm_s = 0;

	ask->mode = -1;
	if (kind && strcmp(kind, "block") != 0 && strcmp(kind, "allow") != 0)
		return bad_param(q, "kind must be block or allow");
	ask->allow = kind && strcmp(kind, "allow") == 0;
	if (mode && pk_answer_mode_parse(mode, &ask->mode) < 0)
		return bad_param(q, "mode must be enforce, observe or off");
	if (pk_api_param_bool(q, "skip_bad", &ask->skip_bad) < 0 ||
	    pk_api_param_bool(q, "wide", &ask->wide) < 0 ||
	    pk_api_param_bool(q, "sni_only", &sni_only) < 0 ||
	    pk_api_param_bool(q, "refuse_query", &refuse) < 0 ||
	    pk_api_param_u64(q, "confirm", CONFIRM_S_MAX, &confirm_s) < 0)
		return -EINVAL;
	if ((sni_only || refuse) && ask->allow)
		return bad_param(q, "sni_only and refuse_query mean nothing for what is allowed");
	u->opts.name_how = (sni_only ? PK_BLOCK_SNI_ONLY : 0) | (refuse ? PK_BLOCK_REFUSE : 0);
	ask->confirm_ms = confirm_s * 1000;
	u->opts.skip_bad = ask->skip_bad;
	return read_force(q, ask);
}

static int read_format(struct pk_api_request *q, struct pk_upload *u)
{
	const char *format = pk_api_param(q, "format"), *source = pk_api_param(q, "source");
	const struct pk_conf *conf = q->view->conf;

	if (format && strcmp(format, "auto") != 0 &&
	    pk_list_format_parse(format, &u->opts.format) < 0)
		return bad_param(q, "format must be plain, ipset, spamhaus, csv, hosts, stix, "
				    "misp, zeek or picket");
	if (source && strlen(source) > SOURCE_MAX)
		return bad_param(q, "source is too long: 255 bytes at most");
	u->opts.max_bytes = conf->upload_max * UNPACKED_TIMES;
	if (u->opts.max_bytes > UNPACKED_MAX)
		u->opts.max_bytes = UNPACKED_MAX;
	u->opts.max_entries = conf->block_entries_max;
	return 0;
}

static int copy(const char *s, char **ret)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

/* What lives as long as the upload does. */
static int read_texts(struct pk_api_request *q, struct pk_upload *u)
{
	struct pk_buf who = { 0 };

	pk_api_peer_name(q, &who);
	u->who = who.data;
	if (copy(pk_api_param(q, "column"), &u->column) < 0 ||
	    copy(pk_api_param(q, "source"), &u->source) < 0 || copy(q->rest, &u->list) < 0)
		return -ENOMEM;
	u->opts.column = u->column;
	u->ask.list = u->list;
	u->ask.source = u->source;
	u->ask.who = u->who;
	return 0;
}

int pk_upload_start(struct pk_api_request *q, void (*done)(struct pk_upload *u))
{
	_cleanup_(upload_freep) struct pk_upload *u = NULL;
	struct pk_uploads *s = pk_api_uploads(q->api);

	if (s->reading >= PK_UPLOADS_MAX)
		return pk_api_problem(q, 503, "other lists are being read: try again");
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->opts.now_ms = pk_clock_wall_ms(pk_clock_boot_ns());
	if (read_format(q, u) < 0 || read_ask(q, u) < 0 || read_defaults(q, u) < 0 ||
	    pk_api_param_u64(q, "against", AGAINST_S_MAX, &u->against_s) < 0)
		return 0;
	u->body = evbuffer_new();
	if (!u->body || read_texts(q, u) < 0 || evbuffer_add_buffer(u->body, pk_api_body(q)) < 0)
		return -ENOMEM;
	u->later = pk_api_later_new(q);
	if (!u->later)
		return -ENOMEM;
	u->done = done;
	u->all = s;
	u->next = s->first;
	s->first = u;
	if (start_thread(u) < 0)
		return pk_api_problem(&u->later->q, 503, "no thread to read the list: try again");
	u = NULL; /* done() has it now */
	return 0;
}
