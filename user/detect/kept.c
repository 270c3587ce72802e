/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the form of kept tables: a head with the digest of all, then each table with its rows, the
 * one touched longest ago first. It is read twice, so that nothing is taken of one that is wrong at
 * its end. Integers are the machine's: the file belongs to it.
 */
#include "detect/kept.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "detect/detect.h"
#include "detect/memo.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC     "PKLEARN"
#define FORM      1
#define VALUE_MAX 4096
#define PARTS_MAX 4
#define LONG_NS   (100 * 365 * 86400ll * 1000000000) /* nothing is older, no uptime longer */

struct head {
	char magic[8];
	uint32_t form, tables;
	uint64_t bytes; /* of all that follows */
	struct pk_kept_at at;
	uint8_t digest[32]; /* of head and rest, this being 0 */
};

struct table {
	char name[32]; /* of the detector */
	uint32_t version, part, value_bytes, rows;
	int64_t begin_ns;
	struct pk_hash_key secret;
};

struct row {
	struct pk_memo_key key;
	uint64_t often;
};
_Static_assert(sizeof(struct head) == 96 && sizeof(struct table) == 120 && sizeof(struct row) == 56,
	       "no padding: what is written is what is read");

/* Loading, one of its two rounds. */
struct load {
	struct pk_detect *d;
	const struct pk_kept_at *at;
	const struct head *head;
	bool same_boot, take;
	struct pk_kept_sum sum;
};

static bool digest_of(const struct head *h, const void *rest, size_t len, uint8_t out[32])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	struct head bare = *h;
	bool ok;

	memset(bare.digest, 0, sizeof(bare.digest));
	ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1 &&
	     EVP_DigestUpdate(c, &bare, sizeof(bare)) == 1 && EVP_DigestUpdate(c, rest, len) == 1 &&
	     EVP_DigestFinal_ex(c, out, NULL) == 1;
	EVP_MD_CTX_free(c);
	return ok;
}

static void save_table(const struct pk_detector *d, void *state, unsigned part, struct pk_buf *out,
		       struct pk_kept_sum *sum)
{
	const struct pk_kept *k = d->kept;
	const struct pk_memo *memo = k->memo(state, part);
	size_t used = pk_memo_used(memo), skip = used > PK_KEPT_ROWS ? used - PK_KEPT_ROWS : 0;
	struct table t = { .version = k->version,
			   .part = part,
			   .value_bytes = (uint32_t)k->value_bytes,
			   .rows = (uint32_t)(used - skip),
			   .begin_ns = k->begin ? *k->begin(state) : 0,
			   .secret = *pk_memo_secret(memo) };

	(void)snprintf(t.name, sizeof(t.name), "%s", d->name);
	pk_buf_add(out, &t, sizeof(t));
	sum->tables++;
	sum->rows += t.rows;
	sum->left_out += skip;
	for (const void *v = NULL; (v = pk_memo_next(memo, v));) {
		struct row r = { *pk_memo_key_of(v), pk_memo_often(memo, v) };

		if (skip) {
			skip--;
			continue;
		}
		pk_buf_add(out, &r, sizeof(r));
		pk_buf_add(out, v, k->value_bytes);
	}
}

int pk_kept_save(struct pk_detect *d, const struct pk_kept_at *at, struct pk_buf *out,
		 struct pk_kept_sum *ret_sum)
{
	struct head h = { .magic = MAGIC, .form = FORM, .at = *at };
	struct pk_kept_sum sum = { .wall_ms = at->wall_ms };
	size_t from = out->len;

	pk_buf_add(out, &h, sizeof(h));
	for (size_t i = 0; i < pk_detectors_n; i++) {
		void *state = pk_detectors[i]->kept ? pk_detect_state_at(d, i) : NULL;

		for (unsigned p = 0; state && pk_detectors[i]->kept->memo(state, p); p++)
			save_table(pk_detectors[i], state, p, out, &sum);
	}
	if (out->error)
		return out->error;
	h.tables = (uint32_t)sum.tables;
	h.bytes = out->len - from - sizeof(h);
	if (!digest_of(&h, out->data + from + sizeof(h), h.bytes, h.digest))
		return -ENOMEM;
	memcpy(out->data + from, &h, sizeof(h));
	*ret_sum = sum;
	return 0;
}

/* The detector of this name whose table this can be; NULL: it goes by. */
static const struct pk_kept *kept_of(struct pk_detect *d, const struct table *t, void **ret_state)
{
	for (size_t i = 0; i < pk_detectors_n; i++) {
		const struct pk_kept *k = pk_detectors[i]->kept;

		if (!k || strcmp(pk_detectors[i]->name, t->name) != 0)
			continue;
		*ret_state = pk_detect_state_at(d, i);
		return *ret_state && k->version == t->version && k->value_bytes == t->value_bytes &&
				       t->part < PARTS_MAX && k->memo(*ret_state, t->part)
			       ? k
			       : NULL;
	}
	return NULL;
}

/* A time that was when it was saved, as one of now. False: it can not have been. */
static bool move(const struct load *l, int64_t *stamp)
{
	int64_t then = l->head->at.now_ns;

	if (*stamp > then || *stamp < -LONG_NS)
		return false;
	*stamp += l->at->now_ns - then;
	if (*stamp < -LONG_NS)
		*stamp = -LONG_NS;
	*stamp -= *stamp == 0; /* 0 is none */
	return true;
}

/* False: that key names nothing any more, or another thing. */
static bool is_known(const struct load *l, const struct pk_kept *k, struct pk_memo_key *key)
{
	if (l->same_boot || k->lasts == PK_KEPT_ALWAYS)
		return true;
	if (k->lasts == PK_KEPT_BOOT || key->scope != l->head->at.host_netns)
		return false;
	key->scope = l->at->host_netns;
	return true;
}

/* False: it can not be. */
static bool load_row(struct load *l, const struct pk_kept *k, struct pk_memo *memo,
		     const struct row *from, const uint8_t *bytes)
{
	_Alignas(max_align_t) uint8_t value[VALUE_MAX];
	struct row r = *from;
	void *to;

	memcpy(value, bytes, k->value_bytes);
	if (k->is_sane && !k->is_sane(value, l->head->at.now_ns))
		return false;
	for (unsigned i = 0; i < k->stamps; i++) {
		int64_t stamp;

		memcpy(&stamp, value + k->stamp[i], sizeof(stamp));
		if (!move(l, &stamp))
			return false;
		memcpy(value + k->stamp[i], &stamp, sizeof(stamp));
	}
	if (!is_known(l, k, &r.key)) {
		l->sum.left_out++;
		return true;
	}
	l->sum.rows++;
	if (!l->take)
		return true;
	to = pk_memo_restore(memo, &r.key, r.often < 255 ? (unsigned)r.often : 255);
	if (to) /* else the table is smaller now, which counts it */
		memcpy(to, value, k->value_bytes);
	return true;
}

static bool load_table(struct load *l, struct pk_cursor *c)
{
	const uint8_t *p = pk_cursor_take(c, sizeof(struct table));
	const struct pk_kept *k;
	struct pk_memo *memo = NULL;
	struct table t;
	void *state;

	if (!p)
		return false;
	memcpy(&t, p, sizeof(t));
	if (t.name[sizeof(t.name) - 1] || t.value_bytes > VALUE_MAX || t.rows > PK_KEPT_ROWS)
		return false;
	k = kept_of(l->d, &t, &state);
	if (!k)
		l->sum.unread++;
	else if (k->begin && t.begin_ns && !move(l, &t.begin_ns))
		return false;
	l->sum.tables += k != NULL;
	if (k && l->take) {
		memo = k->memo(state, t.part);
		pk_memo_begin_as(memo, &t.secret);
		if (k->begin)
			*k->begin(state) = t.begin_ns;
	}
	for (uint32_t i = 0; i < t.rows; i++) {
		struct row r;

		p = pk_cursor_take(c, sizeof(r) + t.value_bytes);
		if (!p)
			return false;
		memcpy(&r, p, sizeof(r));
		if (k && !load_row(l, k, memo, &r, p + sizeof(r)))
			return false;
	}
	return true;
}

static bool load_all(struct load *l, const uint8_t *rest, size_t len)
{
	struct pk_cursor c = pk_cursor_of(rest, len);

	l->sum = (struct pk_kept_sum){ .wall_ms = l->head->at.wall_ms };
	for (uint32_t i = 0; i < l->head->tables; i++)
		if (!load_table(l, &c))
			return false;
	return pk_cursor_left(&c) == 0;
}

static bool read_head(const void *data, size_t len, struct head *h)
{
	uint8_t digest[32];

	if (len < sizeof(*h))
		return false;
	memcpy(h, data, sizeof(*h));
	return memcmp(h->magic, MAGIC, sizeof(h->magic)) == 0 && h->form == FORM &&
	       h->bytes == len - sizeof(*h) && h->at.now_ns >= 0 && h->at.now_ns < LONG_NS &&
	       !h->at.boot[sizeof(h->at.boot) - 1] &&
	       digest_of(h, (const uint8_t *)data + sizeof(*h), h->bytes, digest) &&
	       memcmp(digest, h->digest, sizeof(digest)) == 0;
}

int pk_kept_load(struct pk_detect *d, const struct pk_kept_at *at, const void *data, size_t len,
		 struct pk_kept_sum *ret_sum)
{
	struct load l = { .d = d, .at = at };
	struct head h;

	if (!read_head(data, len, &h))
		return -EBADMSG;
	l.head = &h;
	l.same_boot = strcmp(h.at.boot, at->boot) == 0 && h.at.now_ns <= at->now_ns;
	for (int round = 0; round < 2; round++) {
		l.take = round == 1;
		if (!load_all(&l, (const uint8_t *)data + sizeof(h), h.bytes))
			return -EBADMSG;
	}
	*ret_sum = l.sum;
	return 0;
}
