/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What blocking the selected row would cut, and the command that does it. Words are those of
 * `picket block`, read by the same function, sent to the same endpoint.
 */
#include "base/cleanup.h"
#include "base/escape.h"
#include "block_args.h"
#include "client.h"
#include "table.h"
#include "top.h"

#include <errno.h>
#include <picket/api.h>
#include <string.h>

#define TTL       "1h"
#define REASON    "seen in picket top"
#define WORDS_MAX 48
#define SHOWN     8

/* The command as words; texts live in the rows, or in path. */
struct words {
	const char *v[WORDS_MAX];
	size_t n;
	size_t targets;                 /* addresses, or a name, from v[1] on */
	const char *address[WORDS_MAX]; /* that it is about as far as is known */
	size_t addresses;
	char path[4096];
};

static void word(struct words *w, const char *s)
{
	if (w->n < WORDS_MAX - 8)
		w->v[w->n++] = s;
}

static void about(struct words *w, const char *ip)
{
	for (size_t i = 0; i < w->addresses; i++)
		if (!strcmp(w->address[i], ip))
			return;
	if (w->addresses < WORDS_MAX)
		w->address[w->addresses++] = ip;
}

static void target(struct words *w, const char *what)
{
	word(w, what);
	w->targets = w->n - 1;
}

static json_t *fetch(struct pk_top *t, const char *path, const char *const query[])
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	struct pk_client c = { .socket = t->socket };
	json_t *body = NULL;

	(void)pk_client_fetch(&c, path, query, &body, &error);
	return body;
}

/* The name itself; what it cuts now is told by the addresses that it has in the flows shown. */
static void name_words(struct pk_top *t, json_t *row, struct words *w)
{
	const char *name = pk_json_text(row, "with"), *ip = pk_json_text(row, "remote");
	json_t *list = json_object_get(t->snap, "flows"), *f;
	size_t i;

	target(w, *name ? name : ip);
	about(w, ip);
	json_array_foreach(list, i, f) if (*name && !strcmp(pk_json_text(f, "with"), name))
		about(w, pk_json_text(f, "remote"));
}

static void address_words(struct words *w, const char *ip)
{
	target(w, ip);
	about(w, ip);
}

static int program_words(struct pk_top *t, json_t *row, struct words *w)
{
	_cleanup_(pk_buf_done) struct pk_buf path = {};
	json_t *process;

	pk_buf_fmt(&path, "%s/%s", PK_API_PROCESSES, pk_json_text(row, "process"));
	process = fetch(t, path.data ? path.data : PK_API_PROCESSES, NULL);
	snprintf(w->path, sizeof(w->path), "%s", pk_json_text(process, "process.file.path"));
	json_decref(process);
	if (!*w->path)
		return -ENOENT;
	word(w, "--exe");
	word(w, w->path);
	return 0;
}

/* 0, or -errno: the row is nothing that can be blocked. */
static int choose(struct pk_top *t, json_t *row, struct words *w)
{
	word(w, "block");
	switch (t->view) {
	case PK_VIEW_FLOWS:
		address_words(w, pk_json_text(row, "remote"));
		break;
	case PK_VIEW_REMOTES:
		address_words(w, pk_json_text(row, "ip"));
		break;
	case PK_VIEW_NAMES:
		name_words(t, row, w);
		break;
	case PK_VIEW_TREE:
	case PK_VIEW_PROCESSES:
		if (program_words(t, row, w) < 0)
			return -ENOENT;
		break;
	case PK_VIEW_CONTAINERS:
		if (!strcmp(pk_json_text(row, "kind"), "service"))
			return -EINVAL;
		word(w, "--container");
		word(w, pk_json_text(row, "name"));
		break;
	default:
		return -EINVAL;
	}
	w->v[w->n++] = "--ttl";
	w->v[w->n++] = TTL;
	w->v[w->n++] = "--reason";
	w->v[w->n++] = REASON;
	w->v[w->n] = NULL;
	return 0;
}

/* As one would type it: what the shell would take apart is quoted. */
static void add_command(struct pk_buf *out, const struct words *w)
{
	pk_buf_str(out, "picket");
	for (size_t i = 0; i < w->n; i++) {
		const char *s = w->v[i];
		bool plain = *s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789_@%+=:,./-") == strlen(s);

		pk_buf_char(out, ' ');
		if (plain) {
			pk_buf_str(out, s);
			continue;
		}
		pk_buf_char(out, '\'');
		for (; *s; s++)
			if (*s == '\'')
				pk_buf_str(out, "'\\''");
			else
				pk_buf_char(out, *s);
		pk_buf_char(out, '\'');
	}
}

static void text(struct pk_buf *out, const char *s)
{
	pk_escape_text(out, s, strlen(s));
}

static void tell_examples(struct pk_buf *out, json_t *cut)
{
	json_t *e, *x;
	size_t i, k;
	int n = 0;

	json_array_foreach(cut, i, e) json_array_foreach(json_object_get(e, "examples"), k, x)
	{
		if (n++ == SHOWN)
			return;
		pk_buf_str(out, "    ");
		text(out, *pk_json_text(x, "process") ? pk_json_text(x, "process") : "-");
		pk_buf_str(out, "  ");
		text(out, pk_json_text(x, "protocol"));
		pk_buf_char(out, ' ');
		text(out, pk_json_text(x, "src"));
		pk_buf_str(out, " > ");
		text(out, pk_json_text(x, "dst"));
		pk_buf_fmt(out, " port %.0f  ", pk_json_num(x, "dst_port"));
		pk_human_bytes(out, pk_json_num(x, "bytes"));
		pk_buf_str(out, "B\n");
	}
}

/* The daemon's own answer to a list of these addresses, against the flows that it remembers. */
static void tell_addresses(struct pk_top *t, struct pk_buf *out, const struct words *w)
{
	_cleanup_(pk_buf_done) struct pk_buf body = {}, error = {};
	struct pk_client c = { .socket = t->socket };
	struct pk_client_ask ask = { .method = "POST", .path = PK_API_LISTS_TEST };
	json_t *a = NULL;

	for (size_t i = 0; i < w->addresses; i++)
		pk_buf_fmt(&body, "%s\n", w->address[i]);
	ask.body = body.data;
	ask.len = body.len;
	if (pk_client_send(&c, &ask, &a, NULL, &error)) {
		pk_buf_fmt(out, "  it could not be tried out: %s\n", error.data ? error.data : "");
		return;
	}
	pk_buf_fmt(out, "  %.0f of %.0f flows of the last day, ", pk_json_num(a, "flows_cut"),
		   pk_json_num(a, "span.flows"));
	pk_human_bytes(out, pk_json_num(a, "bytes_cut"));
	pk_buf_str(out, "B");
	if (!json_is_true(pk_json_at(a, "span.whole")))
		pk_buf_str(out, " (as far as the agent remembers)");
	pk_buf_char(out, '\n');
	tell_examples(out, json_object_get(a, "cut"));
	if (pk_json_num(a, "spared.safe") > 0)
		pk_buf_str(out, "  nothing would be cut of what is with a safe address: a gateway, "
				"a resolver,\n  this host itself, or where you sit\n");
	if (pk_json_num(a, "spared.allowed") > 0)
		pk_buf_str(out, "  an allow list spares some of it\n");
	json_decref(a);
}

/* What says something about the address already. */
static void tell_present(struct pk_top *t, struct pk_buf *out, const struct words *w)
{
	for (size_t i = 0; i < w->addresses && i < SHOWN; i++) {
		const char *const query[] = { "ip", w->address[i], NULL };
		json_t *a = fetch(t, PK_API_CHECK, query);
		const char *verdict = pk_json_text(a, "verdict");

		if (*verdict && strcmp(verdict, "pass") != 0) {
			pk_buf_fmt(out, "  %s now: %s", w->address[i], verdict);
			if (*pk_json_text(a, "entry.list")) {
				pk_buf_str(out, ", list ");
				text(out, pk_json_text(a, "entry.list"));
			}
			pk_buf_char(out, '\n');
		}
		json_decref(a);
	}
}

/* Calls of a program or container: flows that it has, and has had. */
static void tell_calls(struct pk_top *t, struct pk_buf *out, const struct words *w)
{
	_cleanup_(pk_buf_done) struct pk_buf filter = {};
	const char *const query[] = { "filter", NULL, "state", "all", "limit", "10000", NULL };
	const char *q[PK_ARRAY_SIZE(query)];
	double bytes = 0;
	json_t *a, *f;
	size_t i;

	pk_buf_fmt(&filter, "%s \"%s\"", w->v[1] + 2, w->v[2]);
	memcpy(q, query, sizeof(query));
	q[1] = filter.data;
	a = fetch(t, PK_API_FLOWS, q);
	json_array_foreach(json_object_get(a, "flows"), i, f)
	{
		bytes += pk_json_num(f, "traffic.bytes");
	}
	pk_buf_fmt(out,
		   "  all that it sends: connect() and sendmsg() would fail with EPERM\n"
		   "  %.0f flows that are remembered, ",
		   pk_json_num(a, "matched"));
	pk_human_bytes(out, bytes);
	pk_buf_str(out, "B\n");
	json_decref(a);
}

void pk_top_block_ask(struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {}, command = {}, error = {};
	struct pk_block_args args = {};
	struct words w = {};
	int r = t->at < t->rows ? choose(t, t->row[t->at], &w) : -ENOENT;

	if (r == -ENOENT)
		pk_top_say(t, "nothing is known of it that could be blocked");
	else if (r < 0)
		pk_top_say(t,
			   "addresses, names, programs and containers can be blocked: choose one");
	if (r < 0)
		return;
	if (pk_block_args((int)w.n, (char **)w.v, false, &args, &error) < 0) {
		json_decref(args.body);
		pk_top_say(t, "%s", error.data ? error.data : "it can not be blocked");
		return;
	}
	add_command(&command, &w);
	pk_buf_str(&out, "What blocking it would cut\n");
	if (w.targets) {
		if (w.addresses && strcmp(w.v[1], w.address[0]) != 0)
			pk_buf_str(&out,
				   "  whatever asks for the name, by DNS, TLS or QUIC; of what "
				   "is with its addresses:\n");
		tell_addresses(t, &out, &w);
		tell_present(t, &out, &w);
	} else {
		tell_calls(t, &out, &w);
	}
	pk_buf_str(&out, "\nCommand\n  ");
	text(&out, command.data ? command.data : "");
	pk_buf_str(&out, "\n\nNothing has changed yet.\n");
	json_decref(t->block);
	t->block = json_pack("{s:o, s:s}", "body", args.body, "text", out.data ? out.data : "");
	t->detail_top = 0;
	if (t->block)
		t->mode = PK_TOP_BLOCK;
}

void pk_top_block_do(struct pk_top *t)
{
	_cleanup_free_ char *body = json_dumps(json_object_get(t->block, "body"), JSON_COMPACT);
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	struct pk_client c = { .socket = t->socket };
	struct pk_client_ask ask = { .method = "POST", .path = PK_API_BLOCKS, .body = body };
	json_t *answer = NULL, *problem = NULL, *e;

	ask.len = body ? strlen(body) : 0;
	if (pk_client_send(&c, &ask, &answer, &problem, &error)) {
		const char *why =
			pk_json_text(json_array_get(json_object_get(problem, "refused"), 0), "why");

		pk_top_say(t, "not blocked: %s%s%s", error.data ? error.data : "", *why ? ": " : "",
			   why);
	} else {
		e = json_array_get(json_object_get(answer, "added"), 0);
		pk_top_say(t, "blocked for " TTL ", list %s; picket unblock takes it back",
			   pk_json_text(e, "list"));
	}
	json_decref(answer);
	json_decref(problem);
}
