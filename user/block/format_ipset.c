/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `ipset save` writes and `ipset restore` reads, FireHOL's as well: all sets of a file become
 * one list. Sets whose entries are no addresses with a port or interface are refused, and so is
 * `nomatch`: an exception belongs on an allow list.
 */
#include "base/cleanup.h"
#include "block/reader.h"

#include <string.h>

#define SETS_MAX 64

struct set {
	struct pk_piece name;
	struct pk_piece kind;
	uint64_t timeout; /* s, for entries that have none; 0 never */
	uint64_t netmask; /* prefix length of single addresses; 0 all bits */
	bool is_refused;  /* its entries were complained about once, with it */
	bool is_v6;
};

struct ipset {
	struct pk_reader *r;
	struct set sets[SETS_MAX];
	size_t n;
};

static const char *const kinds[] = { "hash:ip",       "hash:net",  "hash:ip,port",
				     "hash:net,port", "bitmap:ip", "hash:net,iface",
				     "iphash",        "nethash",   "ipporthash" };

static bool is_same(struct pk_piece a, struct pk_piece b)
{
	return pk_piece_len(a) == pk_piece_len(b) && memcmp(a.p, b.p, pk_piece_len(a)) == 0;
}

static struct set *find_set(struct ipset *s, struct pk_piece name)
{
	for (size_t i = 0; i < s->n; i++)
		if (is_same(s->sets[i].name, name))
			return &s->sets[i];
	return NULL;
}

static void create_options(struct ipset *s, struct set *set, struct pk_piece line,
			   struct pk_piece rest)
{
	for (;;) {
		struct pk_piece w = pk_piece_word(&rest), value;
		int r = 0;

		if (w.p == w.end)
			return;
		if (pk_piece_is(w, "timeout")) {
			r = pk_piece_number(pk_piece_word(&rest), UINT32_MAX, &set->timeout);
		} else if (pk_piece_is(w, "netmask")) {
			r = pk_piece_number(pk_piece_word(&rest), 128, &set->netmask);
		} else if (pk_piece_is(w, "family")) {
			value = pk_piece_word(&rest);
			set->is_v6 = pk_piece_is(value, "inet6");
		} else if (pk_piece_is(w, "bitmask")) {
			r = -1;
		}
		if (r < 0) {
			pk_reader_bad(s->r, line, "%.*s: not a value that is known",
				      (int)pk_piece_len(w), w.p);
			set->is_refused = true;
		}
	}
}

static void create(struct ipset *s, struct pk_piece line, struct pk_piece rest)
{
	struct pk_piece name = pk_piece_word(&rest), kind = pk_piece_word(&rest);
	struct set *set = find_set(s, name);
	bool is_known = false;

	if (!set && s->n == SETS_MAX) {
		pk_reader_refuse(s->r, line, "more than %d sets in one file", SETS_MAX);
		return;
	}
	if (!set)
		set = &s->sets[s->n++];
	*set = (struct set){ .name = name, .kind = kind };
	for (size_t i = 0; i < PK_ARRAY_SIZE(kinds); i++)
		is_known |= pk_piece_is(kind, kinds[i]);
	if (!is_known) {
		set->is_refused = true;
		pk_reader_bad(s->r, line,
			      "a kind of set that can't be a list: expected hash:ip, hash:net, "
			      "hash:ip,port, hash:net,port, hash:net,iface or bitmap:ip");
	}
	create_options(s, set, line, rest);
}

/* "tcp:80", "80" (tcp, as ipset has it), "udp:1000-2000". */
static bool take_port(struct pk_piece text, struct pk_block_entry *e)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} protos[] = { { "tcp:", 6 }, { "udp:", 17 }, { "sctp:", 132 }, { "udplite:", 136 } };
	struct pk_piece hi = text;
	const char *dash;
	uint64_t a, b;

	e->proto = 6;
	for (size_t i = 0; i < PK_ARRAY_SIZE(protos); i++) {
		if (!pk_piece_begins(text, protos[i].name))
			continue;
		e->proto = protos[i].proto;
		text.p += strlen(protos[i].name);
	}
	dash = memchr(text.p, '-', pk_piece_len(text));
	hi = (struct pk_piece){ dash ? dash + 1 : text.p, text.end };
	if (dash)
		text.end = dash;
	if (pk_piece_number(text, 65535, &a) < 0 || pk_piece_number(hi, 65535, &b) < 0 || b < a ||
	    !a)
		return false;
	e->port_lo = a;
	e->port_hi = b;
	return true;
}

/* What stands after the comma of an entry. */
static const char *take_part(struct ipset *s, const struct set *set, struct pk_piece part,
			     struct pk_block_entry *e)
{
	if (set && pk_piece_is(set->kind, "hash:net,iface")) {
		if (pk_piece_begins(part, "physdev:") || memchr(part.p, ',', pk_piece_len(part)))
			return "an interface expected after the comma, as in 10.0.0.0/8,eth0";
		e->iface = pk_reader_text(s->r, part);
		return NULL;
	}
	return take_port(part, e) ? NULL
				  : "a port expected after the comma, as in 192.0.2.1,tcp:80";
}

/* A quoted word may have blanks in it. */
static struct pk_piece quoted(struct pk_piece *rest)
{
	struct pk_piece all = pk_piece_trim(*rest), w;
	const char *end;

	if (!pk_piece_begins(all, "\""))
		return pk_piece_word(rest);
	end = memchr(all.p + 1, '"', pk_piece_len(all) - 1);
	w = (struct pk_piece){ all.p + 1, end ? end : all.end };
	rest->p = end ? end + 1 : all.end;
	return w;
}

static const char *entry_options(struct ipset *s, struct pk_piece rest, struct pk_block_entry *e)
{
	static const char *const skipped[] = { "packets", "bytes", "skbmark", "skbprio",
					       "skbqueue" };

	for (;;) {
		struct pk_piece w = pk_piece_word(&rest);
		bool is_known = false;
		uint64_t v;

		if (w.p == w.end)
			return NULL;
		if (pk_piece_is(w, "nomatch"))
			return "nomatch is an exception: put the address on an allow list";
		if (pk_piece_is(w, "comment")) {
			e->reason = pk_reader_text(s->r, quoted(&rest));
			continue;
		}
		if (pk_piece_is(w, "timeout")) {
			if (pk_piece_number(pk_piece_word(&rest), UINT32_MAX, &v) < 0)
				return "timeout: expected seconds";
			e->expires_ms = v ? s->r->opts->now_ms + (int64_t)v * 1000 : 0;
			continue;
		}
		for (size_t i = 0; i < PK_ARRAY_SIZE(skipped); i++)
			is_known |= pk_piece_is(w, skipped[i]);
		if (!is_known && !pk_piece_is(w, "-exist") && !pk_piece_is(w, "-!"))
			return "an option that is not known: timeout, comment, packets, bytes are";
		if (is_known)
			(void)pk_piece_word(&rest); /* its value */
	}
}

static const char *apply_netmask(const struct set *set, struct pk_piece text, struct pk_span *span)
{
	unsigned bits = (unsigned)set->netmask + (set->is_v6 ? 0 : 96);
	pk_addr_t mask;

	if (memchr(text.p, '/', pk_piece_len(text)))
		return NULL;
	if (bits > 128 || set->is_v6 == pk_addr_is_v4(span->lo))
		return "an address of another family than the set has";
	if (span->is_range)
		return "a range in a set with netmask: expected single addresses";
	mask = ~(pk_addr_t)0 << (128 - bits); /* the option is above 0 */
	span->lo &= mask;
	span->hi |= ~mask;
	span->bits = bits;
	return NULL;
}

static const char *take_addr(struct pk_piece text, struct pk_span *span)
{
	const char *why, *end = pk_span_scan(text.p, text.end, span, &why);

	if (end == text.end)
		return NULL;
	return end ? "not an address: other characters follow it" : why;
}

static void add(struct ipset *s, struct pk_piece line, struct pk_piece rest)
{
	struct pk_block_entry e = s->r->opts->defaults;
	struct pk_piece name = pk_piece_word(&rest), text = pk_piece_word(&rest), addr = text;
	const struct set *set = find_set(s, name);
	const char *comma = memchr(text.p, ',', pk_piece_len(text)), *why = NULL;
	struct pk_span span;

	if (set && set->is_refused) {
		s->r->d->bad_total++; /* complained about with its set */
		return;
	}
	if (comma) {
		addr.end = comma;
		why = take_part(s, set, (struct pk_piece){ comma + 1, text.end }, &e);
	}
	if (!why)
		why = take_addr(addr, &span);
	if (!why && span.port)
		why = "a port after a colon: ipset writes 192.0.2.1,tcp:80";
	if (set && set->timeout)
		e.expires_ms = s->r->opts->now_ms + (int64_t)set->timeout * 1000;
	if (!why)
		why = entry_options(s, rest, &e);
	if (!why && set && set->netmask)
		why = apply_netmask(set, addr, &span);
	if (why)
		pk_reader_bad(s->r, line, "%s", why);
	else
		pk_reader_span(s->r, &span, &e);
}

static void command(struct ipset *s, struct pk_piece line)
{
	static const char *const harmless[] = { "flush", "destroy", "swap", "rename", "COMMIT",
						"-F",    "-X",      "-W",   "-E" };
	struct pk_piece rest = line, w = pk_piece_word(&rest);

	while (pk_piece_is(w, "-exist") || pk_piece_is(w, "-!") || pk_piece_is(w, "ipset"))
		w = pk_piece_word(&rest);
	if (pk_piece_is(w, "add") || pk_piece_is(w, "-A")) {
		add(s, line, rest);
		return;
	}
	if (pk_piece_is(w, "create") || pk_piece_is(w, "-N")) {
		create(s, line, rest);
		return;
	}
	for (size_t i = 0; i < PK_ARRAY_SIZE(harmless); i++)
		if (pk_piece_is(w, harmless[i]))
			return;
	pk_reader_bad(s->r, line,
		      "not a line of ipset: expected create NAME hash:net, or add NAME "
		      "192.0.2.0/24");
}

void pk_list_read_ipset(struct pk_reader *r, struct pk_piece bytes)
{
	struct ipset s = { .r = r };
	struct pk_piece line;

	while (!r->fatal && pk_reader_line(r, &bytes, &line)) {
		line = pk_piece_trim(line);
		if (line.p < line.end && *line.p != '#')
			command(&s, line);
	}
}
