/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns which address is blocked because of which listed names, and until when. The addresses
 * themselves are entries of lists like any other, so that they are enforced without us, and come
 * back after a restart: their reasons say what they are, and are read again then.
 *
 * Who answers for a listed name may name any address, and large hosts serve many names by one. So
 * an address is left alone (and only hellos that carry the name are cut) when it must be reached,
 * when a name that is not listed was lately found at it, and when there are too many.
 */
#include "block/answers.h"

#include "block/lists.h"
#include "block/name_rules.h"

#include "base/clock.h"
#include "conf/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST       "answers"
#define LIST_SEEN  "answers-observed"
#define NAME_ADDRS 256u /* of one listed name */
#define SWEEP_NS   5000000000ull
#define OF_LIST    " of list "
#define ANSWERS    ": answer to a lookup of "

struct why {
	uint8_t addr[16];
	char *name;
	char list[PK_LIST_NAME];
	int64_t expires_ms;
	uint32_t next; /* of the same slot, + 1 */
	bool seen;     /* in the list of those that are only observed */
};

/* The last name that is not listed and led to an address. Direct: one that is overwritten is
 * forgotten. */
#define RECENT      16384u
#define RECENT_TEXT 64
#define RECENT_MS   900000 /* at least: connections are made long after the answer */
struct recent {
	uint8_t addr[16];
	int64_t until_ms;
	char name[RECENT_TEXT]; /* its end: names of one origin are alike there */
};

struct pk_answers {
	struct recent *recent;
	struct why *v; /* name NULL: free */
	size_t n, used, cap;
	uint32_t *slot; /* by address: place + 1 */
	size_t slots;
	uint64_t count[PK_ANSWER_FATES];
	bool changed, read;
	size_t at; /* of the sweep */
	uint64_t swept_ns;
};

static const char *const fates[PK_ANSWER_FATES] = {
	[PK_ANSWER_UNLISTED] = "unlisted", [PK_ANSWER_SNI_ONLY] = "sni-only",
	[PK_ANSWER_BLOCKED] = "blocked",   [PK_ANSWER_SAFE] = "safe",
	[PK_ANSWER_SHARED] = "shared",     [PK_ANSWER_FULL] = "full",
};

const char *pk_answer_fate_name(enum pk_answer_fate fate)
{
	return fate < PK_ANSWER_FATES ? fates[fate] : "unknown";
}

void pk_answers_free(struct pk_block *b)
{
	struct pk_answers *t = b->answers;

	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].name);
	free(t->v);
	free(t->slot);
	free(t->recent);
	free(t);
	b->answers = NULL;
}

static struct pk_answers *table_of(struct pk_block *b)
{
	struct pk_answers *t = b->answers;
	size_t slots = 1024;

	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	while (slots < b->conf->block_answers_max)
		slots *= 2;
	t->slot = calloc(slots, sizeof(*t->slot));
	t->recent = calloc(RECENT, sizeof(*t->recent));
	if (!t->slot || !t->recent) {
		free(t->slot);
		free(t->recent);
		free(t);
		return NULL;
	}
	t->slots = slots;
	b->answers = t;
	return t;
}

static uint64_t hash_of(const uint8_t addr[16])
{
	uint64_t w[2];

	memcpy(w, addr, 16);
	w[0] = (w[0] ^ w[1] ^ w[1] >> 32) *
	       0x9e3779b97f4a7c15ull; /* the last byte is the highest */
	return w[0] >> 32;
}

/* Addresses come from whoever answers; one chain that grows long is bounded by the table. */
static uint32_t *head_of(const struct pk_answers *t, const uint8_t addr[16])
{
	return &t->slot[hash_of(addr) & (t->slots - 1)];
}

/* The next about this address; NULL: no more. */
static struct why *about(const struct pk_answers *t, const uint8_t addr[16], const struct why *last)
{
	uint32_t i = last ? last->next : *head_of(t, addr);

	while (i && memcmp(t->v[i - 1].addr, addr, 16) != 0)
		i = t->v[i - 1].next;
	return i ? &t->v[i - 1] : NULL;
}

static void unlink_why(struct pk_answers *t, struct why *w)
{
	uint32_t *p = head_of(t, w->addr);

	while (*p != (uint32_t)(w - t->v) + 1)
		p = &t->v[*p - 1].next;
	*p = w->next;
	free(w->name);
	*w = (struct why){ 0 };
	t->used--;
}

static struct why *find(const struct pk_answers *t, const uint8_t addr[16], const char *list,
			const char *name)
{
	struct why *w = NULL;

	while ((w = about(t, addr, w)))
		if (strcmp(w->name, name) == 0 && strcmp(w->list, list) == 0)
			return w;
	return NULL;
}

static struct why *new_why(struct pk_answers *t, uint64_t max)
{
	size_t i = 0;

	if (t->used >= max)
		return NULL;
	if (t->used < t->n) {
		while (t->v[i].name)
			i++;
		return &t->v[i];
	}
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 256;
		struct why *v = reallocarray(t->v, cap, sizeof(*v));

		if (!v)
			return NULL;
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n] = (struct why){ 0 };
	return &t->v[t->n++];
}

static int add_why(struct pk_answers *t, uint64_t max, const struct why *from)
{
	struct why *w = find(t, from->addr, from->list, from->name);
	uint32_t *head = head_of(t, from->addr);

	if (w) {
		if (from->expires_ms > w->expires_ms)
			w->expires_ms = from->expires_ms;
		return 0;
	}
	w = new_why(t, max);
	if (!w)
		return -ENOSPC;
	*w = *from;
	w->name = strdup(from->name);
	if (!w->name) {
		*w = (struct why){ 0 };
		return -ENOMEM;
	}
	w->next = *head;
	*head = (uint32_t)(w - t->v) + 1;
	t->used++;
	return 0;
}

static struct pk_block_entry entry_of(const uint8_t addr[16], int64_t expires_ms)
{
	struct pk_block_entry e = { .bits = 128,
				    .v4 = pk_guard_is_v4(addr, 128),
				    .dir = PK_BLK_IN | PK_BLK_OUT,
				    .expires_ms = expires_ms };

	memcpy(e.prefix, addr, 16);
	return e;
}

static void open_addr(struct pk_block *b, const uint8_t addr[16], bool seen)
{
	struct pk_block_ask ask = { .list = seen ? LIST_SEEN : LIST, .mode = -1 };
	struct pk_block_entry e = entry_of(addr, 0);
	struct pk_block_done d = { 0 };

	(void)pk_block_remove(b, &ask, &e, NULL, &d); /* it may have ended */
	pk_block_done_done(&d);
}

/* Not blocked any more because of this name; perhaps because of another one. */
static void drop_why(struct pk_block *b, struct pk_answers *t, struct why *w)
{
	uint8_t addr[16];
	bool seen = w->seen, other = false;

	memcpy(addr, w->addr, 16);
	unlink_why(t, w);
	for (w = NULL; (w = about(t, addr, w));)
		other |= w->seen == seen;
	if (!other)
		open_addr(b, addr, seen);
}

static bool is_nowhere(const uint8_t addr[16])
{
	static const uint8_t zero[15];

	if (pk_guard_is_v4(addr, 128))
		return addr[12] == 0 || addr[12] == 127 || addr[12] >= 224;
	return addr[0] == 0xff || (memcmp(addr, zero, 15) == 0 && addr[15] <= 1);
}

static const char *tail_of(const char *name)
{
	size_t n = strlen(name);

	return n < RECENT_TEXT ? name : name + n - (RECENT_TEXT - 1);
}

/* The name that is not listed and lately led to the address; NULL: none. */
static const char *shared_with(struct pk_block *b, const struct pk_answer *a)
{
	const struct pk_answers *t = table_of(b);
	struct pk_name_match m;
	const struct recent *r;

	if (!t)
		return NULL;
	r = &t->recent[hash_of(a->addr) % RECENT];
	if (memcmp(r->addr, a->addr, 16) != 0 || r->until_ms <= b->now_ms)
		return NULL;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(tail_of(a->name[i]), r->name) == 0)
			return NULL;
	/* listed since then */
	return pk_name_match(b, r->name, &m) && !m.l->allow ? NULL : r->name;
}

static void remember(struct pk_block *b, const struct pk_answer *a)
{
	struct pk_answers *t = table_of(b);
	int64_t ms = (int64_t)a->ttl_s * 1000;
	struct recent *r;

	if (!t || !a->n)
		return;
	r = &t->recent[hash_of(a->addr) % RECENT];
	memcpy(r->addr, a->addr, 16);
	r->until_ms = b->now_ms + (ms < RECENT_MS ? RECENT_MS : ms);
	(void)snprintf(r->name, sizeof(r->name), "%s", tail_of(a->name[0]));
}

static int64_t end_of(const struct pk_block *b, uint32_t ttl_s)
{
	int64_t ms = (int64_t)ttl_s * 1000,
		least = (int64_t)(b->conf->block_answer_min_ns / 1000000),
		most = (int64_t)(b->conf->block_answer_max_ns / 1000000);

	return b->now_ms + (ms < least ? least : ms > most ? most : ms);
}

static size_t addrs_of(const struct pk_answers *t, const char *list, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->v[i].name && strcmp(t->v[i].name, name) == 0 &&
		     strcmp(t->v[i].list, list) == 0;
	return n;
}

static enum pk_answer_fate put(struct pk_block *b, const struct pk_answer *a,
			       const struct pk_name_match *m, const char *shared)
{
	struct pk_answers *t = table_of(b);
	bool seen = m->l->mode == PK_BLK_OBSERVE;
	struct pk_block_ask ask = { .list = seen ? LIST_SEEN : LIST,
				    .mode = pk_list_find(b, seen ? LIST_SEEN : LIST) ? -1
					    : seen ? PK_BLK_OBSERVE
						   : PK_BLK_ENFORCE,
				    .who = "names" };
	struct why w = { .name = (char *)pk_name_text(m), .seen = seen };
	struct pk_block_done d = { 0 };
	struct pk_block_entry e;
	char reason[256];
	int r;

	if (!t || (!find(t, a->addr, m->l->name, w.name) &&
		   (t->used >= b->conf->block_answers_max ||
		    addrs_of(t, m->l->name, w.name) >= NAME_ADDRS)))
		return PK_ANSWER_FULL;
	memcpy(w.addr, a->addr, 16);
	memcpy(w.list, m->l->name, sizeof(w.list));
	w.expires_ms = end_of(b, a->ttl_s);
	(void)snprintf(reason, sizeof(reason), "%.100s" OF_LIST "%s" ANSWERS "%.60s, ttl %u%s%.20s",
		       w.name, w.list, a->name[0], a->ttl_s, *shared ? ", shared with " : "",
		       shared);
	e = entry_of(a->addr, w.expires_ms);
	for (struct why *o = NULL; (o = about(t, a->addr, o));)
		if (o->seen == seen && o->expires_ms > e.expires_ms)
			e.expires_ms = o->expires_ms;
	r = pk_block_add(b, &ask, &e, NULL, reason, &d);
	pk_block_done_done(&d);
	if (r == 0)
		r = add_why(t, b->conf->block_answers_max, &w);
	return r < 0 ? PK_ANSWER_FULL : PK_ANSWER_BLOCKED;
}

/* The entry that decides about any name of the answer: an allowed one keeps all of it open. */
static bool match(struct pk_block *b, const struct pk_answer *a, struct pk_name_match *ret)
{
	bool any = false;

	for (size_t i = 0; i < a->n; i++) {
		struct pk_name_match m;

		if (!pk_name_match(b, a->name[i], &m))
			continue;
		if (m.l->allow)
			return false;
		if (!any || (m.l->mode > ret->l->mode))
			*ret = m;
		any = true;
	}
	return any;
}

/* A name that is not listed leads to the address: what listed ones put on it is taken off. */
static void unlisted(struct pk_block *b, const struct pk_answer *a)
{
	struct pk_answers *t = b->answers;
	struct why *w;

	if (!t || !t->used || !b->conf->block_shared_open)
		return; /* told by the reason */
	while ((w = about(t, a->addr, NULL))) {
		t->count[PK_ANSWER_SHARED]++;
		drop_why(b, t, w);
	}
}

static enum pk_answer_fate judge(struct pk_block *b, const struct pk_answer *a,
				 const struct pk_name_match *m, struct pk_name_hits *h)
{
	const char *shared = shared_with(b, a);

	if (m->n->how & PK_BLOCK_SNI_ONLY)
		return PK_ANSWER_SNI_ONLY;
	if (is_nowhere(a->addr) || pk_guard_kinds(&b->guard, a->addr)) {
		if (h)
			h->safe++;
		return PK_ANSWER_SAFE;
	}
	if (shared && b->conf->block_shared_open) {
		if (h)
			h->shared++;
		unlisted(b, a);
		return PK_ANSWER_SHARED;
	}
	return put(b, a, m, shared ? shared : "");
}

enum pk_answer_fate pk_block_answered(struct pk_block *b, const struct pk_answer *a)
{
	enum pk_answer_fate fate;
	struct pk_name_hits *h;
	struct pk_name_match m;

	if (!b->ready || !match(b, a, &m)) {
		remember(b, a);
		unlisted(b, a);
		return PK_ANSWER_UNLISTED;
	}
	h = pk_name_hits_of(&m.l->hits, m.n->id, true);
	if (h) {
		h->answers++;
		h->last_ms = b->now_ms;
	}
	fate = judge(b, a, &m, h);
	if (table_of(b))
		b->answers->count[fate]++;
	return fate;
}

const uint64_t *pk_block_answer_counts(const struct pk_block *b)
{
	static const uint64_t none[PK_ANSWER_FATES];

	return b->answers ? b->answers->count : none;
}

size_t pk_block_answer_addrs(const struct pk_block *b)
{
	return b->answers ? b->answers->used : 0;
}

const uint8_t *pk_block_answer_next(struct pk_block *b, const char *list, const char *name,
				    size_t *at, int64_t *ret_expires_ms)
{
	const struct pk_answers *t = b->answers;

	while (t && *at < t->n) {
		const struct why *w = &t->v[(*at)++];

		if (!w->name || strcmp(w->name, name) != 0 || strcmp(w->list, list) != 0 ||
		    w->expires_ms <= b->now_ms)
			continue;
		*ret_expires_ms = w->expires_ms;
		return w->addr;
	}
	return NULL;
}

/* What an entry of an agent before us is there for. */
static void read_one(struct pk_block *b, struct pk_answers *t, const struct pk_block_entry *e,
		     const char *reason, bool seen)
{
	const char *list = strstr(reason, OF_LIST), *end = list ? strstr(list, ANSWERS) : NULL;
	struct why w = { .expires_ms = e->expires_ms, .seen = seen };
	char name[PK_DOMAIN_MAX];
	size_t n = list ? (size_t)(list - reason) : 0, m;

	if (!end || !n || n >= sizeof(name) || !e->expires_ms)
		return;
	list += strlen(OF_LIST);
	m = (size_t)(end - list);
	if (m >= sizeof(w.list))
		return;
	memcpy(name, reason, n);
	name[n] = '\0';
	memcpy(w.list, list, m);
	memcpy(w.addr, e->prefix, 16);
	w.name = name;
	(void)add_why(t, b->conf->block_answers_max, &w); /* it ends by itself */
}

static void read_back(struct pk_block *b, struct pk_answers *t)
{
	for (int seen = 0; seen < 2; seen++) {
		const struct pk_block_list *l = pk_list_find(b, seen ? LIST_SEEN : LIST);
		struct pk_entries_at at = { 0 };
		const struct pk_block_entry *e;

		if (!l)
			continue;
		for (; (e = pk_entries_get(&l->now.entries, at));
		     pk_entries_next(&l->now.entries, &at))
			read_one(b, t, e, pk_block_text_at(&l->now.texts, e->reason), seen);
	}
	t->read = true;
	t->changed = true;
}

void pk_answers_changed(struct pk_block *b)
{
	if (!b->answers)
		return;
	b->answers->changed = true;
	b->answers->at = 0;
	b->ops.work(b->ops.arg);
}

/* Is it still what its list says? */
static bool holds(struct pk_block *b, const struct why *w)
{
	struct pk_name_match m;

	return w->expires_ms > b->now_ms && pk_name_match(b, w->name, &m) && !m.l->allow &&
	       !(m.n->how & PK_BLOCK_SNI_ONLY) && w->seen == (m.l->mode == PK_BLK_OBSERVE);
}

bool pk_answers_step(struct pk_block *b, uint64_t until_ns)
{
	struct pk_answers *t = b->answers;
	uint32_t slice = 0;

	if (!b->ready)
		return false;
	if (!t && (pk_list_find(b, LIST) || pk_list_find(b, LIST_SEEN)))
		t = table_of(b);
	if (!t)
		return false;
	if (!t->read)
		read_back(b, t);
	if (!t->changed && b->boot_ns - t->swept_ns < SWEEP_NS)
		return false;
	for (; t->at < t->n; t->at++) {
		if (t->v[t->at].name && !holds(b, &t->v[t->at]))
			drop_why(b, t, &t->v[t->at]);
		if (pk_slice_over(&slice, until_ns, pk_clock_boot_ns))
			return true;
	}
	t->at = 0;
	t->changed = false;
	t->swept_ns = b->boot_ns;
	return false;
}
