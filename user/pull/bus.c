/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the thread that speaks NATS: the library waits in its calls, and the loop must not. It makes
 * no consumer, which a host may not have (one could send to any subject): it listens to the
 * subjects of the lists' keys, which tell that there is something new, and reads keys by request. A
 * connection that ends is made again, to any of the servers.
 */
#include "pull/bus.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "conf/pull.h"
#include "nats/connect.h"
#include "nats/lists.h"
#include "pull/schedule.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define SEC       1000000000ull
#define ANSWER_MS 5000
#define TURN_MS   300       /* a key that was told of may come to other servers a moment later */
#define LOOKS     4         /* that are taken then */
#define ALIVE_NS  (5 * SEC) /* the server is asked whether it is there this often */
#define ALIVE_MS  3000
#define AGAIN_NS  (30 * SEC) /* longest wait before it is connected anew, or a list asked for */

struct wanted {
	const char *list;
	struct pk_bus *bus;
	atomic_uint looks; /* still to be taken */
	bool due;          /* the last look is to be told, whatever it finds */
	uint8_t sha256[32];
	bool has;              /* sha256 is what was accepted */
	struct evbuffer *body; /* the first parts of one that is on its way, kept over a timeout */
	unsigned parts;
	uint8_t of[32];
	struct pk_schedule again;
	bool failed; /* again says when to look */
};

struct pk_bus {
	const struct pk_conf *conf;
	struct wanted list[PK_CONF_PULL_ITEMS];
	size_t n;
	void (*got)(void *arg, struct pk_bus_news *news);
	void *arg;
	int pipe[2];
	struct event *ev;
	sem_t wake, answered;
	bool taken;
	atomic_bool soon;
};

/* Of one connection. */
struct session {
	struct pk_bus *bus;
	natsConnection *conn;
	jsCtx *js;
	kvStore *kv;
	natsSubscription *sub[PK_CONF_PULL_ITEMS];
	uint64_t alive_ns, all_ns; /* when the next look at it, at all lists, is due */
};

static void on_news(evutil_socket_t fd, short what, void *arg)
{
	struct pk_bus *b = arg;
	struct pk_bus_news *n;

	(void)what;
	while (read(fd, &n, sizeof(n)) == sizeof(n)) {
		b->got(b->arg, n);
		if (n->body)
			evbuffer_free(n->body);
		free(n);
	}
}

int pk_bus_new(struct event_base *base, const struct pk_conf *conf, const char *const *lists,
	       size_t n, void (*got)(void *arg, struct pk_bus_news *news), void *arg,
	       struct pk_bus **ret_bus)
{
	struct pk_bus *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM; /* the process ends now, and all that is its with it */
	b->conf = conf;
	b->got = got;
	b->arg = arg;
	for (; b->n < n; b->n++) {
		b->list[b->n] = (struct wanted){ .list = lists[b->n], .bus = b };
		pk_schedule_begin(&b->list[b->n].again, AGAIN_NS, 1, 0, 0);
	}
	if (sem_init(&b->wake, 0, 0) < 0 || sem_init(&b->answered, 0, 0) < 0 ||
	    pipe2(b->pipe, O_CLOEXEC) < 0 || fcntl(b->pipe[0], F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	b->ev = event_new(base, b->pipe[0], EV_READ | EV_PERSIST, on_news, b);
	*ret_bus = b;
	return b->ev && event_add(b->ev, NULL) == 0 ? 0 : -ENOMEM;
}

void pk_bus_answer(struct pk_bus *b, bool taken)
{
	b->taken = taken;
	(void)sem_post(&b->answered); /* it is a semaphore, and not at its end */
}

void pk_bus_soon(struct pk_bus *b)
{
	atomic_store(&b->soon, true);
	(void)sem_post(&b->wake); /* as above */
}

/* To the loop. Without memory it is as if nothing had been seen: it is looked at again. */
static bool tell(struct pk_bus *b, const char *list, enum pk_pull_outcome o, const char *why,
		 uint64_t next_ns, struct evbuffer *body, const uint8_t sha256[32])
{
	struct pk_bus_news *n = calloc(1, sizeof(*n));

	if (!n) {
		if (body)
			evbuffer_free(body);
		return false;
	}
	n->list = list;
	n->outcome = o;
	n->next_ms = next_ns / 1000000;
	n->body = body;
	if (sha256)
		memcpy(n->sha256, sha256, sizeof(n->sha256));
	pk_pull_text(n->why, sizeof(n->why), why);
	/* less than PIPE_BUF: whole; the loop reads, or the process has ended */
	while (write(b->pipe[1], &n, sizeof(n)) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

/* Something about this key was said: whatever it was, the key is looked at. */
static void on_change(natsConnection *conn, natsSubscription *sub, natsMsg *msg, void *arg)
{
	struct wanted *l = arg;

	(void)conn, (void)sub;
	natsMsg_Destroy(msg);
	atomic_store(&l->looks, LOOKS);
	(void)sem_post(&l->bus->wake); /* it is a semaphore, and not at its end */
}

static natsStatus get(const struct session *s, const char *key, kvEntry **ret)
{
	natsStatus r = kvStore_Get(ret, s->kv, key);

	return r == NATS_OK && kvEntry_ValueLen(*ret) < 0 ? NATS_ERR : r;
}

static natsStatus get_head(const struct session *s, const char *list, struct pk_nats_head *h)
{
	kvEntry *e = NULL;
	natsStatus r = get(s, list, &e);

	if (r == NATS_OK && pk_nats_head_read(kvEntry_Value(e), (size_t)kvEntry_ValueLen(e), h) < 0)
		r = NATS_PROTOCOL_ERROR;
	kvEntry_Destroy(e);
	return r;
}

static void drop_body(struct wanted *l)
{
	if (l->body)
		evbuffer_free(PK_TAKE(l->body));
	l->parts = 0;
}

/* Those that are still missing. */
static natsStatus get_parts(const struct session *s, struct wanted *l, const struct pk_nats_head *h)
{
	natsStatus r = NATS_OK;

	if (memcmp(l->of, h->sha256, sizeof(l->of)) != 0)
		drop_body(l);
	memcpy(l->of, h->sha256, sizeof(l->of));
	if (!l->body)
		l->body = evbuffer_new();
	if (!l->body)
		return NATS_NO_MEMORY;
	for (; r == NATS_OK && l->parts < pk_nats_parts(h); l->parts += r == NATS_OK) {
		char key[PK_NATS_KEY];
		kvEntry *e = NULL;

		pk_nats_part_key(l->list, h, l->parts, key);
		r = get(s, key, &e);
		if (r == NATS_OK && kvEntry_ValueLen(e) > (int)PK_NATS_PART)
			r = NATS_PROTOCOL_ERROR;
		if (r == NATS_OK &&
		    evbuffer_add(l->body, kvEntry_Value(e), (size_t)kvEntry_ValueLen(e)) < 0)
			r = NATS_NO_MEMORY;
		kvEntry_Destroy(e);
	}
	return r == NATS_OK && evbuffer_get_length(l->body) != h->size ? NATS_PROTOCOL_ERROR : r;
}

/* Is it of these bytes? Then what was accepted is known by them. */
static bool fits(struct evbuffer *body, const struct pk_nats_head *h)
{
	uint8_t sha[32];
	size_t len = evbuffer_get_length(body);
	const void *bytes = evbuffer_pullup(body, -1);

	return bytes && EVP_Digest(bytes, len, sha, NULL, EVP_sha256(), NULL) == 1 &&
	       !memcmp(sha, h->sha256, sizeof(sha));
}

/* The loop offers it; this waits for what became of it. */
static void offer(struct session *s, struct wanted *l, const struct pk_nats_head *h,
		  struct evbuffer *body)
{
	struct pk_bus *b = s->bus;

	if (!tell(b, l->list, PK_PULL_ACCEPTED, "", b->conf->pull_interval_ns, body, h->sha256))
		return;
	while (sem_wait(&b->answered) < 0)
		; /* a signal came between */
	if (!b->taken)
		return;
	memcpy(l->sha256, h->sha256, sizeof(l->sha256));
	l->has = true;
}

static uint32_t chance(void)
{
	uint32_t c = 0;

	if (getrandom(&c, sizeof(c), GRND_NONBLOCK) != sizeof(c))
		c = (uint32_t)pk_clock_boot_ns(); /* it only spreads */
	return c;
}

/* What does not answer is asked again soon, each host at another moment; what answers wrongly, when
 * it changes or its time has come. */
static void tell_failed(struct session *s, struct wanted *l, natsStatus r)
{
	bool bad = r == NATS_NOT_FOUND || r == NATS_PROTOCOL_ERROR;
	const char *why = r == NATS_NOT_FOUND        ? "it, or a part of it, is not in the bucket"
			  : r == NATS_PROTOCOL_ERROR ? "what is in the bucket is no list"
						     : natsStatus_GetText(r);
	uint64_t now_ns = pk_clock_boot_ns(), next_ns = s->bus->conf->pull_interval_ns;

	l->failed = !bad;
	if (!bad) {
		pk_schedule_bad(&l->again, now_ns, 0, chance());
		next_ns = l->again.due_ns - now_ns;
	}
	(void)tell(s->bus, l->list, bad ? PK_PULL_BAD_ANSWER : PK_PULL_UNREACHABLE, why, next_ns,
		   NULL, NULL);
}

/* One look at a list. last: there is no other one soon. */
static void look(struct session *s, struct wanted *l, bool last)
{
	const struct pk_conf *c = s->bus->conf;
	struct pk_nats_head h;
	natsStatus r = get_head(s, l->list, &h);

	if (r == NATS_OK && l->has && !memcmp(l->sha256, h.sha256, sizeof(h.sha256))) {
		if (last && l->due)
			(void)tell(s->bus, l->list, PK_PULL_UNCHANGED, "", c->pull_interval_ns,
				   NULL, NULL);
		l->due = l->due && !last;
		return;
	}
	if (r == NATS_OK && h.size > c->pull_bytes_max) {
		(void)tell(s->bus, l->list, PK_PULL_TOO_LARGE, "it is larger than pull.size_max",
			   c->pull_interval_ns, NULL, NULL);
		atomic_store(&l->looks, 0);
		return;
	}
	if (r == NATS_OK)
		r = get_parts(s, l, &h);
	if (r == NATS_OK && !fits(l->body, &h))
		r = NATS_PROTOCOL_ERROR;
	if (r == NATS_PROTOCOL_ERROR || r == NATS_NO_MEMORY)
		drop_body(l);
	if (r == NATS_OK) {
		atomic_store(&l->looks, 0);
		l->due = l->failed = false;
		pk_schedule_begin(&l->again, AGAIN_NS, 1, 0, 0);
		offer(s, l, &h, PK_TAKE(l->body));
		l->parts = 0;
		return;
	}
	if (last)
		tell_failed(s, l, r);
}

static void look_at_all(struct pk_bus *b, bool anew)
{
	for (size_t i = 0; i < b->n; i++) {
		b->list[i].has = b->list[i].has && !anew;
		b->list[i].due = true;
		if (!atomic_load(&b->list[i].looks))
			atomic_store(&b->list[i].looks, 1);
	}
}

static void wait_a_turn(struct pk_bus *b, uint64_t ns)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t); /* can't fail with these arguments */
	ns += (uint64_t)t.tv_nsec;
	t.tv_sec += (time_t)(ns / SEC);
	t.tv_nsec = (long)(ns % SEC);
	while (sem_timedwait(&b->wake, &t) < 0 && errno == EINTR)
		;
}

static natsStatus begin(struct session *s)
{
	const struct pk_conf *c = s->bus->conf;
	jsOptions o;
	natsStatus r = jsOptions_Init(&o);

	o.Wait = ANSWER_MS;
	if (r == NATS_OK)
		r = natsConnection_JetStream(&s->js, s->conn, &o);
	if (r == NATS_OK)
		r = js_KeyValue(&s->kv, s->js, c->nats_bucket);
	for (size_t i = 0; r == NATS_OK && i < s->bus->n; i++) {
		char subject[PK_NATS_KEY];

		snprintf(subject, sizeof(subject), "$KV.%s.%s", c->nats_bucket,
			 s->bus->list[i].list);
		r = natsConnection_Subscribe(&s->sub[i], s->conn, subject, on_change,
					     &s->bus->list[i]);
	}
	/* from here on nothing is missed: then look at what is there */
	return r == NATS_OK ? natsConnection_FlushTimeout(s->conn, ANSWER_MS) : r;
}

static natsStatus turn(struct session *s)
{
	struct pk_bus *b = s->bus;
	uint64_t now_ns = pk_clock_boot_ns();
	bool anew = atomic_exchange(&b->soon, false);

	if (natsConnection_Status(s->conn) != NATS_CONN_STATUS_CONNECTED)
		return NATS_CONNECTION_CLOSED;
	if (now_ns >= s->alive_ns) {
		natsStatus r = natsConnection_FlushTimeout(s->conn, ALIVE_MS);

		if (r != NATS_OK)
			return r;
		s->alive_ns = now_ns + ALIVE_NS;
	}
	if (anew || now_ns >= s->all_ns) {
		look_at_all(b, anew);
		s->all_ns = now_ns + b->conf->pull_interval_ns;
	}
	for (size_t i = 0; i < b->n; i++) {
		struct wanted *l = &b->list[i];
		unsigned left = atomic_load(&l->looks);

		if (!left && l->failed && now_ns >= l->again.due_ns) {
			l->failed = false;
			l->due = true;
			atomic_fetch_add(&l->looks, 1);
			left = 1;
		}
		if (left && atomic_compare_exchange_strong(&l->looks, &left, left - 1))
			look(s, l, left == 1);
	}
	return NATS_OK;
}

static void end(struct session *s)
{
	for (size_t i = 0; i < s->bus->n; i++)
		natsSubscription_Destroy(s->sub[i]);
	kvStore_Destroy(s->kv);
	jsCtx_Destroy(s->js);
	natsConnection_Destroy(s->conn);
}

/* As long as one connection lasts; why it ended, if it ever began to work. */
static bool talk(struct pk_bus *b, char *why, size_t size)
{
	char host[256] = "";
	const struct pk_nats_opts o = { .conf = b->conf, .host = host, .name = "picketd-pull" };
	struct session s = { .bus = b };
	bool worked = false;
	natsStatus r;

	(void)gethostname(host, sizeof(host) - 1); /* "" is refused, with words */
	if (pk_nats_connect(&o, &s.conn, why, size) < 0)
		return false;
	r = begin(&s);
	worked = r == NATS_OK;
	while (r == NATS_OK) {
		r = turn(&s);
		if (r == NATS_OK)
			wait_a_turn(b, TURN_MS * 1000000ull);
	}
	pk_nats_why(r, worked ? "the connection ended" : "the bucket can not be read", why, size);
	end(&s);
	return worked;
}

static void *run(void *arg)
{
	struct pk_bus *b = arg;
	struct pk_schedule plan;
	char why[256];

	pk_schedule_begin(&plan, AGAIN_NS, 1, pk_clock_boot_ns(), 0);
	for (;;) {
		bool worked = talk(b, why, sizeof(why));
		uint64_t now_ns = pk_clock_boot_ns();

		if (worked) /* another server may be there at once */
			pk_schedule_soon(&plan, now_ns, 0);
		pk_schedule_bad(&plan, now_ns, 0, chance());
		for (size_t i = 0; i < b->n; i++)
			(void)tell(b, b->list[i].list, PK_PULL_UNREACHABLE, why,
				   plan.due_ns - now_ns, NULL, NULL);
		while ((now_ns = pk_clock_boot_ns()) < plan.due_ns && !atomic_load(&b->soon))
			wait_a_turn(b, plan.due_ns - now_ns);
	}
	return NULL;
}

int pk_bus_start(struct pk_bus *b)
{
	sigset_t all, before;
	pthread_t t;
	int r;

	sigfillset(&all);                                  /* signals are the loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* can't fail with these arguments */
	r = -pthread_create(&t, NULL, run, b);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!r)
		(void)pthread_detach(t); /* it ends with the process */
	return r;
}
