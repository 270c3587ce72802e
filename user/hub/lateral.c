/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who goes from one host to the next. A host is known by the addresses that its own flows have; the
 * first who has one keeps it while he is heard of, so that none can take another's. When a host
 * says that it was attacked from the address of another one that had an alert of its own before,
 * that is a step; steps that follow each other in time are a path. Forged packets are no step.
 */
#include "base/ip.h"
#include "base/json.h"
#include "conf/conf.h"
#include "hub/own.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MS        1000000
#define PATH_MAX_ 16 /* hosts from the first one on */
#define OWN_MAX   64 /* addresses of one host */
#define DAY_MS    (86400ll * 1000)
#define FORGET_MS (7 * DAY_MS) /* somebody else may have it then */

static const struct pk_hub_rule rule = {
	"hub_lateral",
	"From one host to the next",
	"T1021",
	"An administrator or a scanner that works from a host which had an alert for another "
	"reason",
	"Isolate the first of these hosts; look for the account or key that was used on the "
	"others.",
	PK_HIGH,
	75,
};

struct walk {
	int64_t host[PK_HUB_SHOWN]; /* that were reached */
	int64_t at[PK_HUB_SHOWN];   /* since when each of them may have gone on */
	size_t n, steps;
	struct pk_json *j; /* NULL: only count */
	char end[2][256];  /* first and last host's names */
};

static bool is_of_one_host(const char *text)
{
	uint8_t a[16];
	const uint8_t *v4 = a + 12;

	if (pk_ip_parse(text, a) < 0)
		return false;
	if (pk_ip_is_v4(a))
		return v4[0] && v4[0] != 127 && v4[0] < 224 && !(v4[0] == 169 && v4[1] == 254);
	return a[0] != 0xff && !(a[0] == 0xfe && (a[1] & 0xc0) == 0x80) &&
	       strcmp(text, "::1") != 0 && strcmp(text, "::") != 0;
}

/* Its own address is his, if it is nobody's. */
static int learn_own(struct pk_hub *h, const struct pk_hub_alert *a)
{
	int r;

	if (!is_of_one_host(a->r->own))
		return 0;
	r = pk_hub_db_step(&h->db, PK_HUB_OWN_PUT, a->r->own, a->host, a->time_ms,
			   a->time_ms - FORGET_MS);
	pk_hub_db_reset(&h->db, PK_HUB_OWN_PUT);
	if (r < 0)
		return r;
	return pk_hub_db_cut(&h->db, PK_HUB_OWN_CUT, a->host, OWN_MAX);
}

/* 1: it is this host's; 0: nobody's. */
static int whose(struct pk_hub *h, const char *address, int64_t *ret_host)
{
	int r = pk_hub_db_step(&h->db, PK_HUB_OWN_FIND, address);

	if (r > 0)
		*ret_host = pk_hub_db_int(&h->db, PK_HUB_OWN_FIND, 0);
	pk_hub_db_reset(&h->db, PK_HUB_OWN_FIND);
	return r;
}

static bool was_reached(const struct walk *w, int64_t host)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->host[i] == host)
			return true;
	return false;
}

/* Back to the first one, who nobody of ours attacked before. */
static int first_of(struct pk_hub *h, int64_t host, int64_t since, int64_t time, int64_t *ret_root)
{
	struct walk w = { .host = { host }, .n = 1 };
	int r = 1;

	while (r > 0 && w.n < PATH_MAX_) {
		int64_t before = 0;

		r = pk_hub_db_step(&h->db, PK_HUB_STEP_BEFORE, host, since, time);
		if (r > 0)
			before = pk_hub_db_int(&h->db, PK_HUB_STEP_BEFORE, 0);
		pk_hub_db_reset(&h->db, PK_HUB_STEP_BEFORE);
		if (r <= 0 || was_reached(&w, before))
			break;
		w.host[w.n++] = host = before;
	}
	*ret_root = host;
	return r < 0 ? r : 0;
}

static void write_step(struct pk_hub_db *db, struct pk_json *j)
{
	pk_json_obj(j, NULL);
	pk_json_obj(j, "data");
	pk_json_str(j, "from", pk_hub_db_text(db, PK_HUB_STEP_AFTER, 1));
	pk_json_str(j, "to", pk_hub_db_text(db, PK_HUB_STEP_AFTER, 2));
	pk_json_i64(j, "time", pk_hub_db_int(db, PK_HUB_STEP_AFTER, 3));
	pk_json_str(j, "alert", pk_hub_db_text(db, PK_HUB_STEP_AFTER, 4));
	pk_json_end(j);
	pk_json_end(j);
}

/* All that was reached from one host, the nearest first. */
static int walk_from(struct pk_hub *h, int64_t root, int64_t since, struct walk *w)
{
	w->at[0] = since;
	w->host[w->n++] = root;
	for (size_t i = 0; i < w->n; i++) {
		int r = pk_hub_db_step(&h->db, PK_HUB_STEP_AFTER, w->host[i], w->at[i],
				       (int64_t)PK_HUB_SHOWN);

		for (; r > 0; r = pk_hub_db_next(&h->db, PK_HUB_STEP_AFTER)) {
			int64_t to = pk_hub_db_int(&h->db, PK_HUB_STEP_AFTER, 0);

			if (was_reached(w, to) || w->n >= PK_HUB_SHOWN)
				continue;
			if (w->j)
				write_step(&h->db, w->j);
			if (!w->steps++)
				snprintf(w->end[0], sizeof(w->end[0]), "%s",
					 pk_hub_db_text(&h->db, PK_HUB_STEP_AFTER, 1));
			snprintf(w->end[1], sizeof(w->end[1]), "%s",
				 pk_hub_db_text(&h->db, PK_HUB_STEP_AFTER, 2));
			w->at[w->n] = pk_hub_db_int(&h->db, PK_HUB_STEP_AFTER, 3);
			w->host[w->n++] = to;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_steps(struct pk_hub *h, const struct pk_hub_finding *f, struct pk_json *j)
{
	struct walk w = { .j = j };

	return walk_from(h, f->root, f->since_ms, &w);
}

static int tell(struct pk_hub *h, const struct pk_hub_alert *a, int64_t from, int64_t since)
{
	struct pk_hub_finding f = { .rule = &rule,
				    .since_ms = since,
				    .last_ms = a->time_ms,
				    .first_ms = a->time_ms,
				    .evidence = write_steps };
	struct walk w = { .n = 0 };
	int r = first_of(h, from, since, a->time_ms, &f.root);

	if (!r)
		r = walk_from(h, f.root, since, &w);
	if (r < 0)
		return r;
	f.size = (int64_t)w.steps;
	f.value = w.end[0];
	snprintf(f.plain, sizeof(f.plain),
		 "%zu hosts were attacked, one from the other, beginning with %.200s; the last is "
		 "%.200s.",
		 w.steps, w.end[0], w.end[1]);
	return pk_hub_tell(h, &f);
}

int pk_hub_lateral(struct pk_hub *h, const struct pk_hub_alert *a)
{
	int64_t from = 0, since = a->time_ms - (int64_t)(h->conf->hub_lateral_ns / MS);
	int r = learn_own(h, a);

	if (r < 0 || !a->r->inbound || a->r->spoofable)
		return r < 0 ? r : 0;
	r = whose(h, a->r->remote, &from);
	if (r <= 0 || from == a->host)
		return r;
	r = pk_hub_db_step(&h->db, PK_HUB_EARLIER, from, since, a->time_ms);
	pk_hub_db_reset(&h->db, PK_HUB_EARLIER);
	if (r <= 0)
		return r;
	r = pk_hub_db_step(&h->db, PK_HUB_STEP_PUT, from, a->host, a->time_ms, a->r->uid);
	return r < 0 ? r : tell(h, a, from, since);
}
