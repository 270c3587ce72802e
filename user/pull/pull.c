/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the lists to fetch: each waits until it is due, is fetched, offered, and told about. None
 * waits for another's mirror.
 */
#include "pull/pull.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "conf/pull.h"
#include "probe/channel.h"
#include "pull/bus.h"
#include "pull/fetch.h"
#include "pull/offer.h"
#include "pull/sandbox.h"
#include "pull/schedule.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#define FILE_MAX (4u << 20) /* of certificates */
#define DIGEST   32

enum { CA, CERT, KEY, FILES }; /* as the broker hands them over */

struct list {
	struct pull *pull;
	struct pk_conf_pulled conf;
	struct pk_fetch_tags tags[PK_CONF_PULL_ITEMS]; /* of each mirror's, what is in force */
	struct pk_fetch_tags fresh;                    /* of what is being offered */
	uint8_t digest[DIGEST], fresh_digest[DIGEST];  /* of the bytes in force; offered */
	uint8_t bus_digest[DIGEST];                    /* the same, from the bus */
	bool has_digest;
	unsigned mirror; /* that was asked last */
	bool busy;       /* on its way, or with the core */
	size_t bytes;    /* that the core has */
	struct pk_schedule plan;
	struct event *timer;
	int status; /* of HTTP, the mirror's */
	uint64_t wait_ns;
};

struct pull {
	const struct pk_conf *conf;
	struct event_base *base;
	struct event *files;
	struct pk_fetcher *fetcher;
	struct pk_offers *offers;
	struct pk_bus *bus; /* NULL: no list comes that way */
	struct list *list;
	size_t lists;
	bool begun;
};

static uint32_t chance(void)
{
	uint32_t c = 0;

	if (getrandom(&c, sizeof(c), GRND_NONBLOCK) != sizeof(c))
		c = (uint32_t)pk_clock_boot_ns(); /* it only spreads */
	return c;
}

static void leave(void *arg)
{
	struct pull *p = arg;

	event_base_loopbreak(p->base); /* another one begins with another core */
}

/* Waits for its turn. */
static void arm(struct list *l)
{
	uint64_t now_ns = pk_clock_boot_ns();
	uint64_t ns = l->plan.due_ns > now_ns ? l->plan.due_ns - now_ns : 0;
	struct timeval tv = { .tv_sec = (time_t)(ns / 1000000000),
			      .tv_usec = (suseconds_t)(ns / 1000 % 1000000) };

	if (evtimer_add(l->timer, &tv) < 0)
		leave(l->pull); /* no memory: else it would never be asked for again */
}

static void tell(struct pull *p, const char *list, const char *source, enum pk_pull_outcome outcome,
		 int status, uint64_t next_ms, const char *why)
{
	struct pk_pull_news n = { .outcome = outcome,
				  .status = (uint32_t)status,
				  .next_ms = next_ms };

	snprintf(n.list, sizeof(n.list), "%s", list);
	pk_pull_text(n.source, sizeof(n.source), source);
	pk_pull_text(n.why, sizeof(n.why), why);
	pk_offers_tell(p->offers, &n);
	if (outcome == PK_PULL_UNREACHABLE && pk_pull_is_blind()) {
		pk_notice("pull: a file that says where servers are has changed: beginning anew");
		leave(p);
	}
}

/* A try is over: the next one is planned, and the core told. */
static void end(struct list *l, enum pk_pull_outcome outcome, const char *why)
{
	uint64_t now_ns = pk_clock_boot_ns();

	if (pk_pull_is_good(outcome))
		pk_schedule_good(&l->plan, now_ns, chance());
	else
		pk_schedule_bad(&l->plan, now_ns, l->wait_ns, chance());
	tell(l->pull, l->conf.list, l->conf.url[l->mirror], outcome, l->status,
	     (l->plan.due_ns - now_ns) / 1000000, why);
	l->busy = false;
	arm(l);
}

static void on_answer(void *arg, int status, const char *code)
{
	struct list *l = arg;

	pk_fetcher_release(l->pull->fetcher, l->bytes);
	if (status >= 300) {
		end(l, PK_PULL_REFUSED, code);
		return;
	}
	/* what other mirrors had is not what is in force any more */
	memset(l->tags, 0, sizeof(l->tags));
	l->tags[l->mirror] = l->fresh;
	memcpy(l->digest, l->fresh_digest, DIGEST);
	l->has_digest = true;
	end(l, PK_PULL_ACCEPTED, "");
}

static int digest_of(struct evbuffer *body, uint8_t ret[DIGEST])
{
	size_t len = evbuffer_get_length(body);
	const void *bytes = len ? (const void *)evbuffer_pullup(body, -1) : "";

	return bytes && EVP_Digest(bytes, len, ret, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

/* It came: is it what is in force already? */
static void take_body(struct list *l, struct pk_fetched *f)
{
	if (digest_of(f->body, l->fresh_digest) < 0) {
		end(l, PK_PULL_REFUSED, "no memory");
	} else if (l->has_digest && !memcmp(l->digest, l->fresh_digest, DIGEST)) {
		l->tags[l->mirror] = f->tags;
		end(l, PK_PULL_UNCHANGED, "");
	} else {
		l->fresh = f->tags;
		l->bytes = evbuffer_get_length(f->body);
		if (pk_offer(l->pull->offers, l->conf.list, l->conf.url[l->mirror],
			     PK_TAKE(f->body), on_answer, l) < 0) {
			pk_fetcher_release(l->pull->fetcher, l->bytes);
			end(l, PK_PULL_REFUSED, "no memory");
		}
	}
}

static void on_fetched(void *arg, struct pk_fetched *f)
{
	struct list *l = arg;

	l->status = f->status;
	l->wait_ns = f->wait_ns;
	if (f->outcome == PK_PULL_ACCEPTED)
		take_body(l, f);
	else
		end(l, f->outcome, f->why);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	struct list *l = arg;
	struct pull *p = l->pull;

	(void)fd, (void)what;
	l->busy = true;
	l->mirror = l->plan.mirror;
	l->status = 0;
	l->wait_ns = 0;
	if (pk_fetch(p->fetcher, l->conf.url[l->mirror], &l->tags[l->mirror], on_fetched, l) < 0)
		end(l, PK_PULL_UNREACHABLE, "no memory");
}

static struct list *find(struct pull *p, const char *name)
{
	for (size_t i = 0; i < p->lists; i++)
		if (!strcmp(p->list[i].conf.list, name))
			return &p->list[i];
	return NULL; /* it is one of them */
}

/* What the core said of a list from the bus: mirrors are asked for it by what is in force now. */
static void on_bus_answer(void *arg, int status, const char *code)
{
	struct list *l = arg;
	struct pull *p = l->pull;

	pk_bus_answer(p->bus, status < 300);
	if (status < 300) {
		memset(l->tags, 0, sizeof(l->tags));
		memcpy(l->digest, l->bus_digest, DIGEST);
		l->has_digest = true;
	}
	tell(p, l->conf.list, PK_CONF_PULL_NATS, status < 300 ? PK_PULL_ACCEPTED : PK_PULL_REFUSED,
	     0, p->conf->pull_interval_ns / 1000000, code);
}

static void on_bus(void *arg, struct pk_bus_news *n)
{
	struct pull *p = arg;
	struct list *l = find(p, n->list);

	if (!n->body) {
		tell(p, n->list, PK_CONF_PULL_NATS, n->outcome, 0, n->next_ms, n->why);
		return;
	}
	memcpy(l->bus_digest, n->sha256, DIGEST);
	if (pk_offer(p->offers, n->list, PK_CONF_PULL_NATS, PK_TAKE(n->body), on_bus_answer, l) < 0)
		on_bus_answer(l, 503, "no memory");
}

static int read_file(int fd, struct pk_buf *out)
{
	char part[4096];
	ssize_t n;

	out->max = FILE_MAX;
	while ((n = read(fd, part, sizeof(part))) > 0)
		pk_buf_add(out, part, (size_t)n);
	return n < 0 ? -errno : out->error;
}

/* After these, each list is asked for anew, as if nothing were known of it: who has changed the
 * configuration, or thrown a list away, sees what comes of it. */
static void begin(struct pull *p)
{
	uint64_t now_ns = pk_clock_boot_ns();

	for (size_t i = 0; i < p->lists; i++) {
		struct list *l = &p->list[i];

		memset(l->tags, 0, sizeof(l->tags));
		l->has_digest = false;
		if (!p->begun)
			pk_schedule_begin(&l->plan, p->conf->pull_interval_ns,
					  (unsigned)l->conf.urls, now_ns, chance());
		else
			pk_schedule_soon(&l->plan, now_ns, chance());
		if (!l->busy && l->conf.urls)
			arm(l);
	}
	if (p->bus)
		pk_bus_soon(p->bus);
	p->begun = true;
}

static void take_files(struct pull *p, const int fds[PK_FD_MAX])
{
	struct pk_buf file[FILES] = { 0 };
	int r = 0;

	for (int i = 0; !r && i < FILES && fds[i] >= 0; i++)
		r = read_file(fds[i], &file[i]);
	if (!r && file[CERT].len && !file[KEY].len)
		r = -EINVAL;
	if (r < 0) {
		pk_error("pull: pull.ca, pull.cert or pull.key can not be read: %s; %s",
			 strerror(-r),
			 p->begun ? "going on with what was before"
				  : "nothing is fetched until a reload");
	} else {
		pk_fetcher_use(p->fetcher, &file[CA], &file[CERT], &file[KEY]);
		begin(p);
	}
	for (int i = 0; i < FILES; i++)
		pk_buf_done(&file[i]);
}

static void on_files(evutil_socket_t fd, short what, void *arg)
{
	struct pull *p = arg;
	union pk_msg msg;
	int fds[PK_FD_MAX];
	int r = pk_chan_recv((int)fd, &msg, fds);

	(void)what;
	if (r > 0 && msg.head.type == PK_MSG_WARD_FILES)
		take_files(p, fds);
	for (int i = 0; r > 0 && i < PK_FD_MAX; i++)
		pk_closep(&fds[i]);
	if (r == 0 || (r < 0 && r != -EAGAIN && r != -EBADMSG))
		leave(p); /* the broker has gone */
}

static int make_lists(struct pull *p)
{
	static struct pk_conf_pulled of[PK_CONF_PULL_ITEMS];

	p->lists = pk_conf_pulled(p->conf, of);
	p->list = calloc(p->lists + 1, sizeof(*p->list));
	if (!p->list)
		return -ENOMEM;
	for (size_t i = 0; i < p->lists; i++) {
		p->list[i].pull = p;
		p->list[i].conf = of[i];
		p->list[i].timer = evtimer_new(p->base, on_due, &p->list[i]);
		if (!p->list[i].timer)
			return -ENOMEM;
	}
	return 0;
}

static int make_bus(struct pull *p)
{
	const char *names[PK_CONF_PULL_ITEMS];
	size_t n = 0;

	for (size_t i = 0; i < p->lists; i++)
		if (p->list[i].conf.nats)
			names[n++] = p->list[i].conf.list;
	return n ? pk_bus_new(p->base, p->conf, names, n, on_bus, p, &p->bus) : 0;
}

static int set_up(struct pull *p, const struct pk_pull_opts *o)
{
	int r;

	p->conf = o->conf;
	p->base = event_base_new();
	if (!p->base)
		return -ENOMEM;
	r = pk_fetcher_new(p->base, p->conf, &p->fetcher);
	if (!r)
		r = pk_offers_new(p->base, o->core_fd, leave, p, &p->offers);
	if (!r)
		r = make_lists(p);
	if (!r)
		r = make_bus(p);
	if (r < 0)
		return r;
	p->files = event_new(p->base, o->files_fd, EV_READ | EV_PERSIST, on_files, p);
	return p->files && event_add(p->files, NULL) == 0 ? 0 : -ENOMEM;
}

int pk_pull_run(const struct pk_pull_opts *o)
{
	struct pull p = { 0 };
	int r = set_up(&p, o);

	if (!r)
		r = pk_pull_sandbox(p.conf);
	if (!r && p.bus)
		r = pk_bus_start(p.bus);
	if (!r && event_base_dispatch(p.base) < 0)
		r = -EIO;
	return r; /* the process ends now, and all that is its with it */
}
