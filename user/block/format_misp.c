/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MISP: attributes of events and of their objects, and warning lists. What is not for detection
 * (to_ids false) or deleted is not enforced, and counted.
 */
#include "block/document.h"

#include <string.h>

bool pk_misp_is(const json_t *root)
{
	static const char *const keys[] = { "Event", "response", "Attribute", "Object",
					    "threat_level_id" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_get(root, keys[i]))
			return true;
	return pk_member_text(root, "category") && pk_member_text(root, "value");
}

bool pk_warnings_is(const json_t *root)
{
	return json_is_array(json_object_get(root, "list")) &&
	       (pk_member_text(root, "type") || json_object_get(root, "matching_attributes"));
}

/* MISP writes booleans as such, as 0 and 1, and as "0" and "1". */
static bool is_no(const json_t *v)
{
	const char *s = json_string_value(v);

	if (s)
		return strcmp(s, "0") == 0 || strcmp(s, "false") == 0;
	return json_is_false(v) || (json_is_integer(v) && !json_integer_value(v));
}

static bool is_yes(const json_t *v)
{
	return v && !json_is_null(v) && !is_no(v);
}

static void take_addr_port(struct pk_document *d, struct pk_piece value, struct pk_block_entry *e)
{
	const char *bar = memchr(value.p, '|', pk_piece_len(value));
	struct pk_piece port = { bar ? bar + 1 : value.end, value.end };
	uint64_t n;

	if (!bar || pk_piece_number(pk_piece_trim(port), 65535, &n) < 0 || !n) {
		pk_reader_bad(d->r, value, "expected an address and a port, as in 192.0.2.1|443");
		return;
	}
	value.end = bar;
	/* The port is the remote end's: packets that leave have it as their destination. */
	e->dir = PK_BLK_OUT;
	e->port_lo = e->port_hi = n;
	pk_reader_take(d->r, value, PK_WANT_ADDR, e);
}

static void take_name_addr(struct pk_document *d, struct pk_piece value, struct pk_block_entry *e)
{
	const char *bar = memchr(value.p, '|', pk_piece_len(value));

	if (!bar) {
		pk_reader_bad(d->r, value,
			      "expected a name and an address, as in name.example|192.0.2.1");
		return;
	}
	/* The record must tell because of which name the address is blocked. */
	e->reason = pk_reader_text(d->r, value);
	pk_reader_take(d->r, (struct pk_piece){ value.p, bar }, PK_WANT_NAME, e);
	pk_reader_take(d->r, (struct pk_piece){ bar + 1, value.end }, PK_WANT_ADDR, e);
}

static void take_hash(struct pk_document *d, struct pk_piece value, const struct pk_block_entry *e)
{
	const char *bar = memrchr(value.p, '|', pk_piece_len(value));

	if (bar) /* of filename|sha256 */
		value.p = bar + 1;
	pk_reader_hash(d->r, value, e);
}

static void take_value(struct pk_document *d, const char *type, const char *text, const char *why)
{
	struct pk_block_entry e = d->r->opts->defaults;
	struct pk_piece value = pk_piece_of(text);

	if (why && *why)
		e.reason = pk_reader_text(d->r, pk_piece_of(why));
	if (strcmp(type, "ip-src") == 0 || strcmp(type, "ip-dst") == 0)
		pk_reader_take(d->r, value, PK_WANT_ADDR, &e);
	else if (strcmp(type, "ip-src|port") == 0 || strcmp(type, "ip-dst|port") == 0)
		take_addr_port(d, value, &e);
	else if (strcmp(type, "domain") == 0 || strcmp(type, "hostname") == 0)
		pk_reader_take(d->r, value, PK_WANT_NAME, &e);
	else if (strcmp(type, "domain|ip") == 0)
		take_name_addr(d, value, &e);
	else if (strcmp(type, "sha256") == 0 || strcmp(type, "filename|sha256") == 0)
		take_hash(d, value, &e);
	else if (strcmp(type, "hostname|port") == 0)
		pk_reader_bad(d->r, value, "a name together with a port: use type hostname");
	else
		d->r->d->ignored++;
}

static void take_attribute(struct pk_document *d, const json_t *a, const char *info)
{
	const char *type = pk_member_text(a, "type"), *value = pk_member_text(a, "value");
	const char *uuid = pk_member_text(a, "uuid"), *comment = pk_member_text(a, "comment");
	size_t complaints = d->r->d->n_bad;

	if (is_no(json_object_get(a, "to_ids")) || is_yes(json_object_get(a, "deleted"))) {
		d->r->d->ignored++;
		return;
	}
	if (!type || !value) {
		pk_reader_bad(d->r, pk_piece_of(uuid ? uuid : ""),
			      "an attribute without type and value");
	} else {
		take_value(d, type, value, comment && *comment ? comment : info);
	}
	pk_document_place(d, complaints, uuid ? uuid : value);
}

static void walk(struct pk_document *d, const json_t *v, const char *info)
{
	static const char *const below[] = { "response", "Event", "Object" };
	const json_t *attributes = json_object_get(v, "Attribute"), *a;
	size_t i;

	if (json_is_array(v)) {
		json_array_foreach(v, i, a) walk(d, a, info);
		return;
	}
	if (!json_is_object(v))
		return;
	if (pk_member_text(v, "info"))
		info = pk_member_text(v, "info");
	if (json_is_array(attributes)) {
		json_array_foreach(attributes, i, a) take_attribute(d, a, info);
	} else if (attributes) {
		take_attribute(d, attributes, info);
	} else if (pk_member_text(v, "category") && pk_member_text(v, "value")) {
		take_attribute(d, v, info);
	}
	if (is_yes(json_object_get(v, "deleted"))) /* an object that is no more */
		return;
	for (i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		walk(d, json_object_get(v, below[i]), info);
}

void pk_list_read_misp(struct pk_document *d)
{
	walk(d, d->root, NULL);
}

/* Lists of CIDR and host names must hold nothing else; strings may be anything. */
static unsigned wanted(const char *type)
{
	if (type && strcmp(type, "cidr") == 0)
		return PK_WANT_ADDR;
	if (type && strcmp(type, "hostname") == 0)
		return PK_WANT_NAME;
	if (!type || strcmp(type, "string") == 0)
		return PK_WANT_ADDR | PK_WANT_NAME | PK_OR_IGNORE;
	return 0; /* substring, regex: no address says the same */
}

void pk_list_read_warnings(struct pk_document *d)
{
	const json_t *list = json_object_get(d->root, "list"), *v;
	unsigned want = wanted(pk_member_text(d->root, "type"));
	struct pk_block_entry e = d->r->opts->defaults;
	const char *name = pk_member_text(d->root, "name");
	size_t i;

	if (name)
		e.reason = pk_reader_text(d->r, pk_piece_of(name));
	json_array_foreach(list, i, v)
	{
		const char *s = json_string_value(v);
		size_t complaints = d->r->d->n_bad;

		if (!want) {
			d->r->d->ignored++;
			continue;
		}
		if (s)
			pk_reader_take(d->r, pk_piece_of(s), want, &e);
		else
			pk_reader_bad(d->r, pk_piece_of(""), "member %zu of list is no text",
				      i + 1);
		pk_document_place(d, complaints, s);
		if (d->r->error)
			return;
	}
}
