/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the threads: one that moves records from memory to the spool, and one for each sink that
 * reads there, sends, and waits ever longer while the receiver does not take it. A receiver that
 * refuses one record for good loses that one, which is counted.
 */
#include "sink/sink.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/queue.h"
#include "conf/conf.h"
#include "sink/spool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUEUE_BYTES (2u << 20)
#define BATCH       64
#define WAIT_MS     1000
#define BACKOFF_MS  500
#define BACKOFF_MAX 60000
#define END_S       2

struct sink {
	struct pk_sinks *all;
	const struct pk_sink_kind *kind;
	struct pk_spool_reader *reader;
	void *state;
	pthread_t thread;
	bool running;
	atomic_uint_fast64_t sent, failed, refused;
	char trouble[PK_SINK_WHY];
};

struct pk_sinks {
	struct pk_sinks_opts opts;
	struct pk_spool *spool;
	struct pk_queue *queue;
	pthread_t mover;
	bool moving;
	atomic_bool stop;
	pthread_mutex_t lock; /* of troubles and of rest */
	pthread_cond_t rest;
	struct sink sink[PK_SINK_KINDS_MAX];
	size_t sinks;
	uint64_t put;
	atomic_uint_fast64_t lost_full, lost_bad, failed;
	char trouble[PK_SINK_WHY]; /* of the spool */
};

/* A record in memory: this, then the uid and the text with their NULs. */
struct head {
	uint64_t time_ns;
	uint32_t uid_len, len, severity, pad;
};

bool pk_sinks_wanted(const struct pk_conf *conf)
{
	for (size_t i = 0; i < pk_sink_kinds_n; i++)
		if (pk_sink_kinds[i]->wanted(conf))
			return true;
	return false;
}

static void note(struct pk_sinks *s, char trouble[PK_SINK_WHY], const char *text)
{
	pthread_mutex_lock(&s->lock);
	snprintf(trouble, PK_SINK_WHY, "%s", text);
	pthread_mutex_unlock(&s->lock);
}

int pk_sinks_put(struct pk_sinks *s, const struct pk_sink_record *rec)
{
	struct head h = { .time_ns = rec->time_ns,
			  .uid_len = (uint32_t)strlen(rec->uid) + 1,
			  .len = (uint32_t)rec->len,
			  .severity = rec->severity };
	struct iovec part[] = { { &h, sizeof(h) },
				{ (void *)rec->uid, h.uid_len },
				{ (void *)rec->json, rec->len },
				{ "", 1 } };
	int r;

	if (rec->severity < s->opts.conf->sink_severity)
		return 0;
	if (rec->len + h.uid_len + 256 > PK_SPOOL_RECORD_MAX)
		r = -EMSGSIZE;
	else
		r = pk_queue_put(s->queue, part, PK_ARRAY_SIZE(part), 256);
	if (r == 0)
		s->put++;
	else
		atomic_fetch_add(r == -ENOBUFS ? &s->lost_full : &s->lost_bad, 1);
	return r;
}

/* Sleeps, unless it all ends. */
static void rest(struct pk_sinks *s, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&s->lock);
	while (!atomic_load(&s->stop))
		if (pthread_cond_timedwait(&s->rest, &s->lock, &until))
			break;
	pthread_mutex_unlock(&s->lock);
}

static int move_all(struct pk_sinks *s)
{
	uint64_t at = pk_queue_tail(s->queue), done = at;
	const struct head *h;
	int r = 0, sync;
	size_t len;

	while (!r && (h = pk_queue_next(s->queue, &at, &len))) {
		const char *uid = (const char *)(h + 1);
		struct pk_sink_record rec = { .time_ns = h->time_ns,
					      .severity = (uint8_t)h->severity,
					      .uid = uid,
					      .json = uid + h->uid_len,
					      .len = h->len };

		r = pk_spool_append(s->spool, &rec);
		if (!r)
			done = at;
	}
	pk_queue_drop(s->queue, done);
	sync = pk_spool_sync(s->spool);
	return r ? r : sync;
}

static void *move(void *arg)
{
	struct pk_sinks *s = arg;
	char text[PK_SINK_WHY];
	int r;

	pthread_setname_np(pthread_self(), "picket-spool");
	while (!atomic_load(&s->stop) || pk_queue_used(s->queue)) {
		pk_queue_wait(s->queue, true, WAIT_MS);
		if (!pk_queue_used(s->queue))
			continue;
		r = move_all(s);
		if (r == 0) {
			if (s->trouble[0])
				note(s, s->trouble, "");
			continue;
		}
		atomic_fetch_add(&s->failed, 1);
		snprintf(text, sizeof(text), "the queue on disk: %s", strerror(-r));
		note(s, s->trouble, text);
		if (atomic_load(&s->stop))
			break;
		rest(s, WAIT_MS);
	}
	return NULL;
}

/* Half to one and a half of it, so that many hosts do not come at once. */
static unsigned jitter(unsigned ms, unsigned *seed)
{
	return ms / 2 + (unsigned)rand_r(seed) % (ms + 1);
}

/* Sends what was read. How long to rest then; 0: not at all. */
static unsigned deliver(struct sink *k, const struct pk_sink_record *rec, size_t n,
			unsigned *backoff, bool *alone)
{
	char why[PK_SINK_WHY] = "";
	size_t done = 0;
	int r = k->kind->send(k->state, rec, n, &done, why);

	pk_spool_done(k->reader, done);
	atomic_fetch_add(&k->sent, done);
	if (r == 0) {
		*backoff = BACKOFF_MS;
		*alone = false;
		if (k->trouble[0])
			note(k->all, k->trouble, "");
		return 0;
	}
	atomic_fetch_add(&k->failed, 1);
	note(k->all, k->trouble, why[0] ? why : strerror(-r));
	if (r == -EBADMSG && n > 1) {
		*alone = true; /* which of them is it? */
		return 0;
	}
	if (r == -EBADMSG) {
		pk_spool_done(k->reader, 1);
		atomic_fetch_add(&k->refused, 1);
		return 0;
	}
	*backoff = *backoff * 2 > BACKOFF_MAX ? BACKOFF_MAX : *backoff * 2;
	return *backoff;
}

static void *run_sink(void *arg)
{
	struct sink *k = arg;
	struct pk_sinks *s = k->all;
	struct pk_sink_record rec[BATCH];
	unsigned backoff = BACKOFF_MS, wait, seed = (unsigned)(uintptr_t)k ^ (unsigned)time(NULL);
	bool alone = false;
	int n;

	pthread_setname_np(pthread_self(), "picket-sink");
	while (!atomic_load(&s->stop)) {
		n = pk_spool_read(k->reader, rec, alone ? 1 : BATCH, WAIT_MS);
		wait = n > 0 ? deliver(k, rec, (size_t)n, &backoff, &alone) : n < 0 ? WAIT_MS : 0;
		if (wait)
			rest(s, jitter(wait, &seed));
	}
	return NULL;
}

static int add_sink(struct pk_sinks *s, const struct pk_sink_kind *kind)
{
	const struct pk_sink_env env = { .conf = s->opts.conf,
					 .hostname = s->opts.hostname,
					 .file_fd = s->opts.file_fd,
					 .stop = &s->stop };
	struct sink *k = &s->sink[s->sinks];
	int r;

	*k = (struct sink){ .all = s, .kind = kind };
	r = pk_spool_reader_open(s->spool, kind->name, &k->reader);
	if (r < 0)
		return r;
	s->sinks++;
	r = kind->open(&env, &k->state);
	if (r < 0) { /* its records wait until the configuration is right */
		snprintf(k->trouble, sizeof(k->trouble), "can not begin: %s", strerror(-r));
		return 0;
	}
	r = -pthread_create(&k->thread, NULL, run_sink, k);
	k->running = r == 0;
	return r;
}

int pk_sinks_new(const struct pk_sinks_opts *opts, struct pk_sinks **ret_sinks)
{
	struct pk_sinks *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int r;

	if (!s)
		return -ENOMEM;
	s->opts = *opts;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->rest, &attr);
	pthread_condattr_destroy(&attr);
	r = pk_queue_new(QUEUE_BYTES, &s->queue);
	if (!r)
		r = pk_spool_open(opts->spool_fd, opts->conf->sink_spool_bytes, &s->spool);
	for (size_t i = 0; !r && i < pk_sink_kinds_n; i++)
		if (pk_sink_kinds[i]->wanted(opts->conf))
			r = add_sink(s, pk_sink_kinds[i]);
	if (!r)
		r = -pthread_create(&s->mover, NULL, move, s);
	s->moving = r == 0;
	if (r < 0) {
		pk_sinks_free(s);
		return r;
	}
	*ret_sinks = s;
	return 0;
}

/* False: it is in the middle of something, and goes on until the process ends. */
static bool end_thread(pthread_t thread, const struct timespec *until)
{
	return pthread_timedjoin_np(thread, NULL, until) == 0;
}

void pk_sinks_free(struct pk_sinks *s)
{
	struct timespec until;
	bool ended = true;

	if (!s)
		return;
	atomic_store(&s->stop, true);
	pthread_mutex_lock(&s->lock);
	pthread_cond_broadcast(&s->rest);
	pthread_mutex_unlock(&s->lock);
	if (s->queue)
		pk_queue_wake(s->queue);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_S;
	if (s->moving)
		ended = end_thread(s->mover, &until);
	if (s->spool)
		pk_spool_wake(s->spool);
	for (size_t i = 0; i < s->sinks; i++)
		if (s->sink[i].running)
			ended = end_thread(s->sink[i].thread, &until) && ended;
	if (!ended)
		return; /* what they use must stay: looking up a name can take long */
	for (size_t i = 0; i < s->sinks; i++) {
		if (s->sink[i].state)
			s->sink[i].kind->close(s->sink[i].state);
		pk_spool_reader_close(s->sink[i].reader);
	}
	pk_spool_close(s->spool);
	pk_queue_free(s->queue);
	pthread_cond_destroy(&s->rest);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

bool pk_sinks_count(struct pk_sinks *s, size_t i, struct pk_sink_count *ret_count)
{
	struct sink *k = &s->sink[i];

	if (i >= s->sinks)
		return false;
	*ret_count = (struct pk_sink_count){ .name = k->kind->name,
					     .sent = atomic_load(&k->sent),
					     .failed = atomic_load(&k->failed),
					     .refused = atomic_load(&k->refused),
					     .dropped = pk_spool_dropped(k->reader),
					     .waiting = pk_spool_waiting(k->reader) };
	pthread_mutex_lock(&s->lock);
	memcpy(ret_count->trouble, k->trouble[0] ? k->trouble : s->trouble, PK_SINK_WHY);
	pthread_mutex_unlock(&s->lock);
	return true;
}

void pk_sinks_status(struct pk_sinks *s, struct pk_json *j, const char *key)
{
	struct pk_sink_count c;

	pk_json_obj(j, key);
	pk_json_u64(j, "put", s->put);
	pk_json_u64(j, "queued_bytes", pk_queue_used(s->queue));
	pk_json_u64(j, "spool_bytes", pk_spool_bytes(s->spool));
	pk_json_obj(j, "lost");
	pk_json_u64(j, "queue_full", atomic_load(&s->lost_full));
	pk_json_u64(j, "too_large", atomic_load(&s->lost_bad));
	pk_json_end(j);
	pk_json_u64(j, "tried_again", atomic_load(&s->failed));
	pk_json_arr(j, "sinks");
	for (size_t i = 0; pk_sinks_count(s, i, &c); i++) {
		pk_json_obj(j, NULL);
		pk_json_str(j, "name", c.name);
		pk_json_u64(j, "sent", c.sent);
		pk_json_u64(j, "waiting", c.waiting);
		pk_json_u64(j, "failed", c.failed);
		pk_json_u64(j, "dropped", c.dropped);
		pk_json_u64(j, "refused", c.refused);
		pk_json_str(j, "trouble", c.trouble[0] ? c.trouble : NULL);
		pk_json_end(j);
	}
	pk_json_end(j);
	pk_json_end(j);
}
