/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of flows in a JSON object by process and remote side. It asks nobody and prints nothing.
 */
#include "who_rows.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "table.h"

#include <arpa/inet.h>
#include <string.h>

void pk_who_filter(struct pk_buf *out, const char *word)
{
	unsigned char addr[16];

	if (*word && strspn(word, "0123456789") == strlen(word))
		pk_buf_fmt(out, "port %s", word);
	else if (inet_pton(AF_INET, word, addr) == 1 || inet_pton(AF_INET6, word, addr) == 1)
		pk_buf_fmt(out, "host %s", word);
	else if (strchr(word, '/'))
		pk_buf_fmt(out, "net %s", word);
	else if (strchr(word, '*'))
		pk_buf_fmt(out, "name \"%s\"", word);
	else
		pk_buf_fmt(out, "name \"%s\" or name \"*.%s\"", word, word);
}

/* The side that the process is not on: by name where it has one. */
static const char *with_of(json_t *flow, bool in)
{
	const char *name = in ? "" : pk_json_text(flow, "unmapped.picket.name");

	return *name ? name : pk_json_text(flow, in ? "src_endpoint.ip" : "dst_endpoint.ip");
}

/* Programs, not processes: a script starts a new curl for each question. */
static void key_of(struct pk_buf *out, json_t *flow, bool in)
{
	json_t *p = pk_json_at(flow, "actor.process");
	const char *path = pk_json_text(p, "file.path");
	bool kernel = json_is_true(pk_json_at(flow, "unmapped.picket.src.owner.kernel")) ||
		      json_is_true(pk_json_at(flow, "unmapped.picket.dst.owner.kernel"));

	pk_buf_fmt(out, "%s\n%s\n%s\n%s\n%d",
		   *path    ? path
		   : p      ? pk_json_text(p, "name")
		   : kernel ? "[kernel]"
			    : "-",
		   pk_json_text(p, "user.uid"), pk_json_text(p, "container.uid"), with_of(flow, in),
		   in);
}

static void plus(json_t *row, const char *key, double n)
{
	json_object_set_new(row, key, json_integer((json_int_t)(pk_json_num(row, key) + n)));
}

static json_t *new_row(json_t *flow, bool in)
{
	json_t *row = json_object(), *p = pk_json_at(flow, "actor.process");

	if (p)
		json_object_set(row, "process", p); /* the latest: flows come newest first */
	json_object_set_new(row, "pids", json_object());
	json_object_set_new(row, "with", json_string(with_of(flow, in)));
	json_object_set(row, "since", json_object_get(flow, "start_time"));
	return row;
}

static void add_flow(json_t *row, json_t *flow, bool in)
{
	double start = pk_json_num(flow, "start_time"), end = pk_json_num(flow, "end_time");

	if (*pk_json_text(flow, "actor.process.uid"))
		json_object_set_new(json_object_get(row, "pids"),
				    pk_json_text(flow, "actor.process.uid"), json_true());
	plus(row, "flows", 1);
	plus(row, "live", strcmp(pk_json_text(flow, "unmapped.picket.status"), "live") == 0);
	plus(row, "sent", pk_json_num(flow, in ? "traffic.bytes_in" : "traffic.bytes_out"));
	plus(row, "received", pk_json_num(flow, in ? "traffic.bytes_out" : "traffic.bytes_in"));
	if (start < pk_json_num(row, "since"))
		json_object_set(row, "since", json_object_get(flow, "start_time"));
	if (end > pk_json_num(row, "last"))
		json_object_set(row, "last", json_object_get(flow, "end_time"));
}

static int by_bytes(const void *a, const void *b)
{
	json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	double n = pk_json_num(x, "sent") + pk_json_num(x, "received");
	double m = pk_json_num(y, "sent") + pk_json_num(y, "received");

	return n < m ? 1 : n > m ? -1 : 0;
}

static json_t *sorted(json_t *groups)
{
	size_t n = json_object_size(groups), i = 0;
	_cleanup_free_ json_t **row = calloc(n ? n : 1, sizeof(json_t *));
	json_t *out = json_array(), *v;
	const char *key;

	if (!row)
		return out;
	json_object_foreach(groups, key, v) row[i++] = v;
	qsort(row, n, sizeof(*row), by_bytes);
	for (i = 0; i < n; i++) {
		size_t pids = json_object_size(json_object_get(row[i], "pids"));

		json_object_set_new(row[i], "processes", json_integer((json_int_t)pids));
		json_object_del(row[i], "pids");
		json_array_append(out, row[i]);
	}
	return out;
}

json_t *pk_who_rows(json_t *flows)
{
	json_t *groups = json_object(), *f, *out;
	size_t i;

	json_array_foreach(flows, i, f)
	{
		bool in = !strcmp(pk_json_text(f, "unmapped.picket.direction"), "in");
		_cleanup_(pk_buf_done) struct pk_buf key = {};
		json_t *row;

		key_of(&key, f, in);
		if (!key.data)
			continue;
		row = json_object_get(groups, key.data);
		if (!row) {
			row = new_row(f, in);
			json_object_set_new(groups, key.data, row);
		}
		add_flow(row, f, in);
	}
	out = sorted(groups);
	json_decref(groups);
	return out;
}
