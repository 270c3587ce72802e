/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the places of those that wait, one thread that reads files, and what it knows by (device,
 * inode, size, mtime, ctime). A place goes from wanted (not asked yet) to asked, given (a file
 * waits for the thread) and done; a lock guards what both threads touch. What a digest means is not
 * known here.
 */
#include "enrich/digest.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/hex.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FLYING_MAX 64 /* asked or given: each may hold a descriptor */
#define ANSWER_NS  30000000000ull
#define BLOCK      65536
#define SETS       1024 /* of known files */
#define WAYS       4
#define SETTLED_S  2 /* a file changed so lately may change again without its times telling it */

_Static_assert((PK_DIGESTS_MAX & (PK_DIGESTS_MAX - 1)) == 0, "a mask finds the place");

enum stage { FREE, WANTED, ASKED, GIVEN, DONE };

struct place {
	struct pk_digest digest;
	enum stage stage;
	uint64_t serial, ino, asked_ns;
	int fd;
};

struct file_key {
	uint64_t dev, ino, size, mtime_ns, ctime_ns;
};

struct known {
	struct file_key key; /* ino 0: none */
	char sha256[PK_DIGEST_TEXT];
};

/* Numbers of places, first in first out. */
struct line {
	uint64_t serial[PK_DIGESTS_MAX];
	uint64_t head, tail;
};

struct pk_digests {
	int (*ask)(void *arg, uint64_t serial, const struct pk_proc_id *id, uint64_t ino);
	void *arg;
	uint64_t size_max;
	uint64_t serial, next_wanted; /* numbers given so far, and the first that may be wanted */
	uint64_t now_ns;
	struct place place[PK_DIGESTS_MAX];
	pthread_t thread;
	bool has_thread;
	/* the thread's */
	struct known known[SETS][WAYS];
	unsigned turn;
	struct pk_hash_key hash;
	unsigned char block[BLOCK];
	/* under lock, with stages of places */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct line given, done;
	unsigned flying;
	bool stop;
	struct pk_digest_counts counts;
};

static struct place *place_of(struct pk_digests *d, uint64_t serial)
{
	return &d->place[serial & (PK_DIGESTS_MAX - 1)];
}

static void put(struct line *l, uint64_t serial)
{
	l->serial[l->head++ & (PK_DIGESTS_MAX - 1)] = serial;
}

static uint64_t get(struct line *l) /* 0: empty */
{
	return l->tail == l->head ? 0 : l->serial[l->tail++ & (PK_DIGESTS_MAX - 1)];
}

static struct file_key key_of(const struct stat *st)
{
	return (struct file_key){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
		.ctime_ns = (uint64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
	};
}

static struct known *set_of(struct pk_digests *d, const struct file_key *key)
{
	return d->known[pk_hash_bytes(&d->hash, key, sizeof(*key)) & (SETS - 1)];
}

static const struct known *find(struct pk_digests *d, const struct file_key *key)
{
	struct known *set = set_of(d, key);

	for (unsigned i = 0; i < WAYS; i++)
		if (memcmp(&set[i].key, key, sizeof(*key)) == 0)
			return &set[i];
	return NULL;
}

static void learn(struct pk_digests *d, const struct file_key *key, const char *sha256)
{
	struct known *k = &set_of(d, key)[d->turn++ % WAYS];
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if ((uint64_t)now.tv_sec < key->ctime_ns / 1000000000 + SETTLED_S)
		return;
	k->key = *key;
	memcpy(k->sha256, sha256, sizeof(k->sha256));
}

static bool is_stopped(struct pk_digests *d)
{
	bool stop;

	(void)pthread_mutex_lock(&d->lock);
	stop = d->stop;
	(void)pthread_mutex_unlock(&d->lock);
	return stop;
}

static int read_all(struct pk_digests *d, int fd, uint64_t size, EVP_MD_CTX *ctx)
{
	uint64_t at = 0;

	while (at < size) {
		ssize_t n = pread(fd, d->block, sizeof(d->block), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || is_stopped(d))
			return n < 0 ? -errno : -ESTALE; /* cut short meanwhile */
		if (!EVP_DigestUpdate(ctx, d->block, (size_t)n))
			return -EIO;
		at += (uint64_t)n;
	}
	return 0;
}

static int hash_file(struct pk_digests *d, int fd, uint64_t size, char ret_sha256[PK_DIGEST_TEXT])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) ? 0 : -ENOMEM;

	if (!r)
		r = read_all(d, fd, size, ctx);
	if (!r && !EVP_DigestFinal_ex(ctx, sum, NULL))
		r = -EIO;
	EVP_MD_CTX_free(ctx);
	if (!r)
		pk_hex(sum, 32, ret_sha256);
	return r;
}

/* 1: read; 0: known. -ESTALE: it changed while it was read. */
static int digest(struct pk_digests *d, int fd, struct pk_digest *out)
{
	const struct known *k;
	struct file_key key, after;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	key = key_of(&st);
	out->size = key.size;
	k = find(d, &key);
	if (k) {
		memcpy(out->sha256, k->sha256, sizeof(out->sha256));
		return 0;
	}
	if (key.size > d->size_max)
		return -EFBIG;
	r = hash_file(d, fd, key.size, out->sha256);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	after = key_of(&st);
	if (memcmp(&key, &after, sizeof(key)) != 0)
		return -ESTALE;
	learn(d, &key, out->sha256);
	return 1;
}

static enum pk_digest_why why_of(int error)
{
	switch (error) {
	case -ESRCH:
		return PK_DIGEST_OVER;
	case -ESTALE:
		return PK_DIGEST_RACED;
	case -EFBIG:
		return PK_DIGEST_LARGE;
	case -EREMOTE:
		return PK_DIGEST_REMOTE;
	case -EAGAIN:
		return PK_DIGEST_BUSY;
	default:
		return PK_DIGEST_FAILED;
	}
}

/* Locked: the place is free again. */
static void skip(struct pk_digests *d, struct place *p, int error)
{
	d->counts.skipped[why_of(error)]++;
	d->counts.waiting--;
	p->stage = FREE;
}

/* Locked before and after. */
static void work(struct pk_digests *d, uint64_t serial)
{
	struct place *p = place_of(d, serial);
	int r;

	(void)pthread_mutex_unlock(&d->lock);
	r = digest(d, p->fd, &p->digest);
	pk_closep(&p->fd);
	(void)pthread_mutex_lock(&d->lock);
	d->flying--;
	if (r < 0) {
		skip(d, p, r);
		return;
	}
	d->counts.hashed += r == 1;
	d->counts.known += r == 0;
	p->stage = DONE;
	put(&d->done, serial);
}

static void *run(void *arg)
{
	struct pk_digests *d = arg;
	uint64_t serial;

	(void)pthread_mutex_lock(&d->lock);
	while (!d->stop) {
		serial = get(&d->given);
		if (serial)
			work(d, serial);
		else
			(void)pthread_cond_wait(&d->more, &d->lock);
	}
	(void)pthread_mutex_unlock(&d->lock);
	return NULL;
}

int pk_digests_new(uint64_t size_max,
		   int (*ask)(void *arg, uint64_t serial, const struct pk_proc_id *id,
			      uint64_t ino),
		   void *arg, struct pk_digests **ret_digests)
{
	struct pk_digests *d = calloc(1, sizeof(*d));
	sigset_t all, was;
	int r;

	if (!d)
		return -ENOMEM;
	d->ask = ask;
	d->arg = arg;
	d->size_max = size_max;
	d->next_wanted = 1;
	pk_hash_key_init(&d->hash);
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->more, NULL);
	(void)sigfillset(&all); /* signals are the first thread's */
	(void)pthread_sigmask(SIG_BLOCK, &all, &was);
	r = -pthread_create(&d->thread, NULL, run, d);
	(void)pthread_sigmask(SIG_SETMASK, &was, NULL);
	d->has_thread = r == 0;
	if (r < 0)
		pk_digests_free(PK_TAKE(d));
	else
		*ret_digests = d;
	return r;
}

void pk_digests_free(struct pk_digests *d)
{
	if (!d)
		return;
	(void)pthread_mutex_lock(&d->lock);
	d->stop = true;
	(void)pthread_cond_signal(&d->more);
	(void)pthread_mutex_unlock(&d->lock);
	if (d->has_thread)
		(void)pthread_join(d->thread, NULL);
	for (size_t i = 0; i < PK_DIGESTS_MAX; i++)
		if (d->place[i].stage == GIVEN)
			pk_closep(&d->place[i].fd);
	(void)pthread_cond_destroy(&d->more);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

/* Locked. In the order of wanting, as far as may be under way at once. */
static void ask_more(struct pk_digests *d)
{
	for (; d->next_wanted <= d->serial && d->flying < FLYING_MAX; d->next_wanted++) {
		struct place *p = place_of(d, d->next_wanted);

		if (p->serial != d->next_wanted || p->stage != WANTED)
			continue;
		if (d->ask(d->arg, p->serial, &p->digest.id, p->ino) < 0)
			return; /* it has no room now */
		p->stage = ASKED;
		p->asked_ns = d->now_ns;
		d->flying++;
	}
}

void pk_digests_want(struct pk_digests *d, const struct pk_proc_id *id, uint64_t ino,
		     const char *path, uint64_t ts_ns)
{
	struct place *p;

	(void)pthread_mutex_lock(&d->lock);
	if (ts_ns > d->now_ns)
		d->now_ns = ts_ns;
	p = place_of(d, d->serial + 1);
	if (p->stage != FREE) {
		d->counts.skipped[PK_DIGEST_BUSY]++;
	} else {
		*p = (struct place){ .digest = { .id = *id, .ts_ns = ts_ns },
				     .stage = WANTED,
				     .serial = ++d->serial,
				     .ino = ino,
				     .fd = -1 };
		(void)snprintf(p->digest.path, sizeof(p->digest.path), "%s", path);
		d->counts.waiting++;
	}
	ask_more(d);
	(void)pthread_mutex_unlock(&d->lock);
}

void pk_digests_take(struct pk_digests *d, uint64_t serial, int result, int *fd)
{
	struct place *p = place_of(d, serial);

	(void)pthread_mutex_lock(&d->lock);
	if (p->serial == serial && p->stage == ASKED) {
		if (result < 0 || *fd < 0) {
			d->flying--;
			skip(d, p, result < 0 ? result : -EBADF);
		} else {
			p->fd = PK_TAKE_FD(*fd);
			p->stage = GIVEN;
			put(&d->given, serial);
			(void)pthread_cond_signal(&d->more);
		}
	}
	ask_more(d);
	(void)pthread_mutex_unlock(&d->lock);
}

bool pk_digests_next(struct pk_digests *d, struct pk_digest *ret_digest)
{
	struct place *p;
	uint64_t serial;

	(void)pthread_mutex_lock(&d->lock);
	serial = get(&d->done);
	if (serial) {
		p = place_of(d, serial);
		*ret_digest = p->digest;
		p->stage = FREE;
		d->counts.waiting--;
	}
	(void)pthread_mutex_unlock(&d->lock);
	return serial != 0;
}

void pk_digests_tick(struct pk_digests *d, uint64_t now_ns)
{
	(void)pthread_mutex_lock(&d->lock);
	d->now_ns = now_ns;
	for (size_t i = 0; d->flying && i < PK_DIGESTS_MAX; i++) {
		struct place *p = &d->place[i];

		if (p->stage != ASKED || now_ns < p->asked_ns + ANSWER_NS)
			continue;
		d->flying--;
		skip(d, p, -EAGAIN);
	}
	ask_more(d);
	(void)pthread_mutex_unlock(&d->lock);
}

void pk_digests_counts(struct pk_digests *d, struct pk_digest_counts *ret_counts)
{
	(void)pthread_mutex_lock(&d->lock);
	*ret_counts = d->counts;
	(void)pthread_mutex_unlock(&d->lock);
}

const char *pk_digest_why_name(enum pk_digest_why why)
{
	static const char *const names[PK_DIGEST_WHYS] = { "over",   "raced", "too_large",
							   "remote", "busy",  "failed" };

	return names[why];
}
