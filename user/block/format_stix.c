/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STIX 2.1 (and 2.0): indicators are what is blocked; observed addresses are only what was seen.
 * An indicator is loaded whole or complained about.
 */
#include "block/document.h"
#include "block/pattern.h"

#include <errno.h>
#include <string.h>
#include <time.h>

bool pk_stix_is(const json_t *root)
{
	const char *id = pk_member_text(root, "id"), *type = pk_member_text(root, "type");

	if (!type)
		return false;
	return strcmp(type, "bundle") == 0 || (id && strstr(id, "--"));
}

/* "2024-01-31T10:20:30.5Z"; -EINVAL. */
static int parse_time(const char *s, int64_t *ret_ms)
{
	struct tm tm = { 0 };
	int64_t ms = 0;
	const char *p = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!p)
		return -EINVAL;
	if (*p == '.') {
		for (int unit = 100; *++p >= '0' && *p <= '9'; unit /= 10)
			ms += unit * (*p - '0');
	}
	if (strcmp(p, "Z") != 0)
		return -EINVAL;
	*ret_ms = (int64_t)timegm(&tm) * 1000 + ms;
	return 0;
}

static void complain(struct pk_document *d, const json_t *v, const char *text, const char *why,
		     size_t column)
{
	size_t complaints = d->r->d->n_bad;

	if (column)
		pk_reader_bad(d->r, pk_piece_of(text), "pattern, column %zu: %s", column, why);
	else
		pk_reader_bad(d->r, pk_piece_of(text), "%s", why);
	pk_document_place(d, complaints, pk_member_text(v, "id"));
}

/* Is it in force? Sets the expiry. Complaints are made here. */
static bool is_valid(struct pk_document *d, const json_t *v, struct pk_block_entry *e)
{
	const char *until = pk_member_text(v, "valid_until"),
		   *from = pk_member_text(v, "valid_from");
	const char *wrong = NULL;
	int64_t ms, now = d->r->opts->now_ms;

	if (until && parse_time(until, &e->expires_ms) < 0)
		wrong = until;
	if (from && parse_time(from, &ms) < 0)
		wrong = from;
	if (wrong) {
		complain(d, v, wrong, "not a time: expected 2024-01-31T10:20:30Z", 0);
		return false;
	}
	if (json_is_true(json_object_get(v, "revoked")) || (until && now && e->expires_ms <= now) ||
	    (from && now && ms > now)) {
		d->r->d->ignored++;
		return false;
	}
	return true;
}

static void take_term(struct pk_document *d, const struct pk_pattern *p,
		      const struct pk_pattern_term *t, const struct pk_block_entry *like)
{
	struct pk_block_entry e = *like;

	if (t->has_hash) {
		const char *hash = p->texts.data + t->hash;

		pk_reader_hash(d->r, (struct pk_piece){ hash, hash + 64 }, like);
		return;
	}
	if (t->name_len) {
		const char *name = p->texts.data + t->name;

		pk_reader_name(d->r, (struct pk_piece){ name, name + t->name_len }, like);
		/* The record must tell because of which name an address is blocked. */
		e.reason = pk_reader_text(d->r, (struct pk_piece){ name, name + t->name_len });
	}
	if (!t->has_addr)
		return;
	if (t->port)
		e.port_lo = e.port_hi = t->port;
	if (t->proto)
		e.proto = t->proto;
	if (t->dir)
		e.dir = t->dir;
	pk_reader_span(d->r, &t->span, &e);
}

static void take_pattern(struct pk_document *d, const json_t *v, const char *text,
			 const struct pk_block_entry *like)
{
	__attribute__((cleanup(pk_pattern_done))) struct pk_pattern p = { 0 };
	const char *why;
	size_t column;
	int r = pk_pattern_parse(text, strlen(text), &p, &why, &column);

	if (r == -EINVAL)
		complain(d, v, text, why, column);
	else if (r < 0)
		d->r->error = r;
	for (size_t i = 0; i < p.n; i++)
		take_term(d, &p, &p.v[i], like);
	if (r == 0)
		d->r->d->ignored += p.ignored;
}

static void take_indicator(struct pk_document *d, const json_t *v)
{
	const char *kind = pk_member_text(v, "pattern_type"),
		   *pattern = pk_member_text(v, "pattern");
	const char *name = pk_member_text(v, "name"), *id = pk_member_text(v, "id");
	struct pk_block_entry e = d->r->opts->defaults;

	if (!is_valid(d, v, &e))
		return;
	if (kind && strcmp(kind, "stix") != 0) { /* rules of other tools: no address to block */
		d->r->d->ignored++;
		return;
	}
	if (!pattern) {
		complain(d, v, id ? id : "", "an indicator without a pattern", 0);
		return;
	}
	if (!name || !*name)
		name = id ? id : "";
	e.reason = pk_reader_text(d->r, pk_piece_of(name));
	take_pattern(d, v, pattern, &e);
}

static void take_object(struct pk_document *d, const json_t *v)
{
	const char *type = pk_member_text(v, "type");

	if (type && strcmp(type, "indicator") == 0)
		take_indicator(d, v);
	else
		d->r->d->ignored++;
}

void pk_list_read_stix(struct pk_document *d)
{
	const json_t *objects = json_object_get(d->root, "objects"), *v;
	const char *type = pk_member_text(d->root, "type");
	size_t i;

	if (json_is_array(d->root))
		objects = d->root;
	if (type && strcmp(type, "bundle") != 0) {
		take_object(d, d->root);
		return;
	}
	if (objects && !json_is_array(objects)) {
		pk_reader_refuse(d->r, pk_piece_of(""), "objects of the bundle is no array");
		return;
	}
	json_array_foreach(objects, i, v)
	{
		take_object(d, v);
		if (d->r->error)
			return;
	}
}
