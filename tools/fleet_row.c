/* SPDX-License-Identifier: Apache-2.0 */
/* Compares versions, adds up losses, writes columns. It asks nobody. */
#include "fleet_row.h"

#include "base/cleanup.h"

#include <string.h>
#include <time.h>

static json_t *list_named(json_t *lists, const char *name)
{
	json_t *l;
	size_t i;

	json_array_foreach(lists, i, l)
	{
		if (!strcmp(pk_json_text(l, "name"), name))
			return l;
	}
	return NULL;
}

/* What a list of a host is, against what is wanted of it (NULL: nothing). */
static const char *state_of(json_t *list, json_t *wanted)
{
	json_t *has = json_object_get(list, "signed");
	double version = pk_json_num(has, "version"), want = pk_json_num(wanted, "version");

	if (!has)
		return "missing";
	if (!json_is_true(json_object_get(has, "in_force")))
		return "not-in-force";
	if (!strcmp(pk_json_text(list, "mode"), "off"))
		return "off";
	if (!wanted || version == want)
		return wanted && strcmp(pk_json_text(has, "sha256"),
					pk_json_text(wanted, "sha256")) != 0
			       ? "other"
			       : "same";
	return version < want ? "behind" : "ahead";
}

/* Is this list wanted on this host? */
static bool is_for(json_t *wanted, const char *host)
{
	json_t *hosts = json_object_get(wanted, "hosts");

	return !hosts || json_object_get(hosts, host);
}

static json_t *find_wanted(const struct pk_fleet_host *h, const char *list)
{
	json_t *w;
	size_t i;

	json_array_foreach(h->wanted, i, w)
	{
		if (!strcmp(pk_json_text(w, "list"), list) && is_for(w, h->name))
			return w;
	}
	return NULL;
}

static void add_list(json_t *all, const char *name, json_t *list, json_t *wanted)
{
	json_t *version = pk_json_at(list, "signed.version");
	json_t *o = json_pack("{s:s, s:s}", "list", name, "state", state_of(list, wanted));

	if (version)
		(void)json_object_set(o, "version", version);
	if (wanted)
		(void)json_object_set(o, "wanted", json_object_get(wanted, "version"));
	(void)json_array_append_new(all, o);
}

/* Those that are wanted and those that are signed. *ret_drift: of what is wanted and not so. */
static json_t *write_lists(const struct pk_fleet_host *h, json_int_t *ret_drift)
{
	json_t *all = json_array(), *w, *l;
	size_t i;

	json_array_foreach(h->wanted, i, w)
	{
		const char *name = pk_json_text(w, "list");

		if (is_for(w, h->name))
			add_list(all, name, list_named(h->lists, name), w);
	}
	*ret_drift = 0;
	json_array_foreach(all, i, l) *ret_drift += strcmp(pk_json_text(l, "state"), "same") != 0;
	json_array_foreach(h->lists, i, l)
	{
		const char *name = pk_json_text(l, "name");

		if (json_object_get(l, "signed") && !find_wanted(h, name))
			add_list(all, name, l, NULL);
	}
	return all;
}

static json_t *write_coverage(json_t *status)
{
	json_t *all = json_object_get(status, "coverage"), *k;
	json_int_t covered = 0;
	size_t i;

	json_array_foreach(all, i, k) covered += strcmp(pk_json_text(k, "ingress"), "none") != 0 &&
						 strcmp(pk_json_text(k, "egress"), "none") != 0;
	return json_pack("{s:I, s:I}", "covered", covered, "interfaces",
			 (json_int_t)json_array_size(all));
}

static double sum(json_t *rows, const char *member)
{
	double n = 0;
	json_t *r;
	size_t i;

	json_array_foreach(rows, i, r) n += pk_json_num(r, member);
	return n;
}

/* By where: on the way from the kernel, samples that were not read, rows of the store, records of
 * readers that were too slow. */
static json_t *write_lost(json_t *status, double *ret_total)
{
	json_t *samples = pk_json_at(status, "samples.rows");
	double rings = sum(json_object_get(status, "rings"), "lost");
	double unread = sum(samples, "ring_full") + sum(samples, "unread");
	double store = pk_json_num(status, "store.lost.queue_full") +
		       pk_json_num(status, "store.lost.flow_queue_full") +
		       pk_json_num(status, "store.lost.refused");
	double readers = pk_json_num(status, "streams.lost");

	*ret_total = rings + unread + store + readers;
	return json_pack("{s:I, s:I, s:I, s:I}", "rings", (json_int_t)rings, "samples",
			 (json_int_t)unread, "store", (json_int_t)store, "streams",
			 (json_int_t)readers);
}

static void write_told(json_t *row, const struct pk_fleet_host *h)
{
	json_t *to = pk_json_at(h->status, "gate.certificate.to");
	json_t *degraded = json_object_get(h->status, "degraded");
	json_int_t drift;
	double lost;

	(void)json_object_set_new(row, "lists", write_lists(h, &drift));
	(void)json_object_set_new(row, "drift", json_integer(drift));
	(void)json_object_set_new(row, "state", json_string(drift ? "drift" : "ok"));
	(void)json_object_set_new(row, "coverage", write_coverage(h->status));
	(void)json_object_set_new(row, "lost", write_lost(h->status, &lost));
	(void)json_object_set_new(row, "lost_total", json_integer((json_int_t)lost));
	if (degraded)
		(void)json_object_set(row, "degraded", degraded);
	if (to)
		(void)json_object_set(row, "certificate_to", to);
}

json_t *pk_fleet_row(const struct pk_fleet_host *h)
{
	json_t *row = json_pack("{s:s, s:s, s:s}", "host", h->name, "state",
				h->state ? h->state : "ok", "detail", h->detail);

	if (json_object_get(h->was, "seen"))
		(void)json_object_set(row, "seen", json_object_get(h->was, "seen"));
	if (json_object_get(h->was, "version"))
		(void)json_object_set(row, "version", json_object_get(h->was, "version"));
	if (!h->state)
		write_told(row, h);
	return row;
}

static void v_host(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(o, "host"));
}

static void v_state(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(o, "state"));
}

static void v_seen(struct pk_buf *out, json_t *o, bool human)
{
	double seen = pk_json_num(o, "seen"), ago = (double)time(NULL) * 1000 - seen;

	if (!human)
		pk_buf_fmt(out, "%.0f", seen);
	else if (seen <= 0)
		pk_buf_str(out, "never");
	else if (json_object_get(o, "lists"))
		pk_buf_str(out, "now");
	else
		pk_human_ms(out, ago > 0 ? ago : 0);
}

static void v_lists(struct pk_buf *out, json_t *o, bool human)
{
	static const struct {
		const char *state, *mark;
		bool tells_wanted;
	} marks[] = {
		{ "behind", "<", true },          { "ahead", ">", true },
		{ "other", "!", false },          { "off", " off", false },
		{ "missing", " missing", false }, { "not-in-force", " not in force", false }
	};
	json_t *l;
	size_t i;

	(void)human;
	json_array_foreach(json_object_get(o, "lists"), i, l)
	{
		const char *state = pk_json_text(l, "state");

		pk_buf_fmt(out, "%s%s", i ? ", " : "", pk_json_text(l, "list"));
		if (json_object_get(l, "version"))
			pk_buf_fmt(out, " %.0f", pk_json_num(l, "version"));
		for (size_t k = 0; k < PK_ARRAY_SIZE(marks); k++) {
			if (strcmp(state, marks[k].state) != 0)
				continue;
			pk_buf_str(out, marks[k].mark);
			if (marks[k].tells_wanted)
				pk_buf_fmt(out, "%.0f", pk_json_num(l, "wanted"));
		}
	}
}

static void v_covered(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	if (json_object_get(o, "coverage"))
		pk_buf_fmt(out, "%.0f/%.0f", pk_json_num(o, "coverage.covered"),
			   pk_json_num(o, "coverage.interfaces"));
}

static void v_lost(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	if (json_object_get(o, "lost_total"))
		pk_buf_fmt(out, "%.0f", pk_json_num(o, "lost_total"));
}

static void v_cert(struct pk_buf *out, json_t *o, bool human)
{
	double to = pk_json_num(o, "certificate_to"), left = to - (double)time(NULL) * 1000;

	if (to <= 0)
		return;
	if (human)
		pk_buf_fmt(out, "%.0fd", left / 86400000);
	else
		pk_buf_fmt(out, "%.0f", to);
}

static void v_version(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(o, "version"));
}

/* Why it did not answer, else what it says of itself. */
static void v_detail(struct pk_buf *out, json_t *o, bool human)
{
	const char *detail = pk_json_text(o, "detail");
	json_t *first = json_array_get(json_object_get(o, "degraded"), 0);

	(void)human;
	if (*detail)
		pk_buf_str(out, detail);
	else if (json_string_length(first))
		pk_buf_str(out, json_string_value(first));
}

static const struct pk_column columns[] = {
	{ "HOST", 20, false, false, v_host },     { "STATE", 11, false, false, v_state },
	{ "SEEN", 6, false, false, v_seen },      { "LISTS", 20, false, false, v_lists },
	{ "COVERED", 7, true, false, v_covered }, { "LOST", 6, true, false, v_lost },
	{ "CERT", 5, true, false, v_cert },       { "VERSION", 7, false, false, v_version },
	{ "DETAIL", 12, false, true, v_detail },
};

void pk_fleet_table(struct pk_table *t, enum pk_format format)
{
	pk_table_init(t, columns, PK_ARRAY_SIZE(columns), format);
}
