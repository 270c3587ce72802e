/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `picket push`: a signed list to many hosts. Each host is asked what it has, gets a delta or the
 * whole, and is asked again over a new connection to keep it: a list that cuts the way to the host
 * goes back by itself. What became of each host is in a file, so that --resume goes on there.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "block_args.h"
#include "command.h"
#include "fleet_ask.h"
#include "hosts.h"
#include "list_sign.h"
#include "outcome.h"
#include "push_state.h"
#include "remote.h"
#include "sign/delta.h"
#include "table.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <picket/api.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#define CONFIRM_S    60
#define PLAN_AGAINST "3600"
#define PACK_FROM    4096 /* bytes; below it nothing is won */

enum { CANARY = PK_FA_END, WAIT, MAX_FAIL, DRY, RESUME, SIG };

struct wish {
	struct pk_fleet_ask fleet;
	const char *file, *signature;
	uint64_t canary, wait_s, max_fail;
	bool percent, dry, resume;
	enum pk_format format;
};

struct push;

struct target {
	struct push *p;
	const char *host;
	const char *outcome; /* NULL: not yet */
	char detail[256];
	uint64_t began_ns, ns, sent, added, removed, would_cut;
	bool whole; /* deltas do not do */
	bool plain; /* the host opens no zstd */
	struct pk_buf body;
};

struct push {
	struct wish w;
	struct pk_statement s;
	struct pk_list_bytes list;
	struct pk_buf envelope; /* with its line feed */
	struct pk_buf all;      /* and the list behind it */
	struct pk_buf packed;   /* the same as zstd; empty: it would not be smaller */
	struct target *v;
	size_t n, next, until, going, done, failed;
	struct pk_remote *remote;
	struct pk_push_state state;
};

/* "5" or "5%". */
static int take_canary(struct wish *w)
{
	size_t n = strlen(optarg);

	w->percent = n && optarg[n - 1] == '%';
	if (!w->percent)
		return pk_fleet_ask_number("canary", PK_HOSTS_MAX, &w->canary);
	optarg[n - 1] = '\0';
	return pk_fleet_ask_number("canary", 100, &w->canary);
}

static int take(struct wish *w, int c)
{
	switch (c) {
	case CANARY:
		return take_canary(w);
	case WAIT:
		return pk_args_seconds(optarg, &w->wait_s) < 0 ? 2 : 0;
	case MAX_FAIL:
		return pk_fleet_ask_number("max-fail", PK_HOSTS_MAX, &w->max_fail);
	case DRY:
		w->dry = true;
		return 0;
	case RESUME:
		w->resume = true;
		return 0;
	case SIG:
		w->signature = optarg;
		return 0;
	case 'o':
		return pk_format_parse(optarg, &w->format) < 0 ? 2 : 0;
	default:
		return pk_fleet_ask_take(&w->fleet, c);
	}
}

/* 0; 1: help was printed; 2: misused. */
static int read_wish(const struct pk_command *self, struct wish *w, int argc, char **argv)
{
	int c, r = 0;

	*w = (struct wish){ .max_fail = PK_HOSTS_MAX };
	pk_fleet_ask_init(&w->fleet, "operator");
	optind = 1;
	while (!r && (c = getopt_long(argc, argv, "o:h", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 1;
		}
		r = take(w, c);
	}
	if (r || optind + 1 != argc || !w->fleet.n_to == !w->resume)
		return 2;
	w->file = argv[optind];
	return 0;
}

static void finish(struct target *t, const char *outcome, const char *detail);
static void start_next(struct push *p);

static bool is_good(const char *outcome)
{
	return !strcmp(outcome, "ok") || !strcmp(outcome, "same") || !strcmp(outcome, "plan");
}

static int ask(struct target *t, const char *method, const char *path, const struct pk_buf *body,
	       void (*done)(void *, long, const char *, size_t, const char *))
{
	bool packed = body && body == &t->p->packed;
	const struct pk_remote_ask a = { .host = t->host,
					 .method = method,
					 .path = path,
					 .body = body ? body->data : NULL,
					 .len = body ? body->len : 0,
					 .coding = packed ? "zstd" : NULL,
					 .done = done,
					 .arg = t };

	t->sent += a.len;
	return pk_remote_ask(t->p->remote, &a);
}

/* Envelope and list, as small as the host takes them. */
static const struct pk_buf *whole(const struct target *t)
{
	return t->p->packed.len && !t->plain ? &t->p->packed : &t->p->all;
}

/* A host that opens no zstd gets it as it is. */
static bool comes_plain(struct target *t, long status)
{
	if (status != 415 || t->plain)
		return false;
	t->plain = true;
	return true;
}

/* What a problem says, as the outcome. */
static void fail_by(struct target *t, long status, const char *body, size_t len, const char *error)
{
	json_t *j = status ? json_loadb(body, len, 0, NULL) : NULL;
	const char *code = pk_json_text(j, "code"), *detail = pk_json_text(j, "detail");
	static const char *const known[] = {
		"signature-required", "bad-signature",  "unknown-key",    "retired-key",
		"threshold-not-met",  "replayed",       "version-reused", "expired",
		"from-the-future",    "wrong-count",    "wrong-digest",   "wrong-name",
		"too-large",          "unknown-option", "state-unknown",  "malformed-envelope"
	};
	const char *outcome = status == 403 ? "forbidden" : "failed";

	for (size_t i = 0; i < PK_ARRAY_SIZE(known); i++)
		if (!strcmp(known[i], code))
			outcome = known[i]; /* which outlives the answer */
	if (!status)
		finish(t, "unreachable", error);
	else
		finish(t, outcome, *detail ? detail : "it answered with an error");
	json_decref(j);
}

static void on_confirmed(void *arg, long status, const char *body, size_t len, const char *error)
{
	struct target *t = arg;

	(void)body, (void)len;
	if (status == 200)
		finish(t, "ok", "");
	else
		finish(t, "unconfirmed",
		       status ? "it would not keep the list, and goes back" : error);
}

static void send_list(struct target *t);

static void on_put(void *arg, long status, const char *body, size_t len, const char *error)
{
	struct target *t = arg;
	_cleanup_(pk_buf_done) struct pk_buf path = {};
	json_t *j = status ? json_loadb(body, len, 0, NULL) : NULL;
	bool again = status == 409 && !strcmp(pk_json_text(j, "code"), "no-base") && !t->whole;
	bool plain = comes_plain(t, status);

	t->added = (uint64_t)pk_json_num(j, "added");
	t->removed = (uint64_t)pk_json_num(j, "removed");
	json_decref(j);
	if (again || plain) {
		t->whole = true;
		send_list(t);
		return;
	}
	if (status != 200) {
		fail_by(t, status, body, len, error);
		return;
	}
	pk_buf_fmt(&path, PK_API_LISTS "/%s/confirm", t->p->s.list);
	if (path.error || ask(t, "POST", path.data, NULL, on_confirmed) < 0)
		finish(t, "failed", "out of memory");
}

static void send_list(struct target *t)
{
	_cleanup_(pk_buf_done) struct pk_buf path = {};
	const struct push *p = t->p;
	bool delta = !t->whole && t->body.len;

	pk_buf_fmt(&path, PK_API_LISTS "/%s?signed=1&confirm=%d", p->s.list, CONFIRM_S);
	if (delta)
		pk_buf_fmt(&path, "&base=%s", t->detail);
	if (path.error || ask(t, "PUT", path.data, delta ? &t->body : whole(t), on_put) < 0)
		finish(t, "failed", "out of memory");
}

/* From what the host has, if it was pushed from here; the digest waits in detail. */
static void make_delta(struct target *t, const char *sha256)
{
	_cleanup_(pk_list_unmap) struct pk_list_bytes base = {};
	struct push *p = t->p;
	void *delta = NULL;
	size_t len;

	if (!pk_push_state_base(&p->state, sha256, &base) ||
	    pk_delta_make(base.bytes, base.len, p->list.bytes, p->list.len, &delta, &len) < 0)
		return;
	if (len < p->list.len) {
		pk_buf_add(&t->body, p->envelope.data, p->envelope.len);
		pk_buf_add(&t->body, delta, len);
		snprintf(t->detail, sizeof(t->detail), "%s", sha256);
	}
	if (t->body.error)
		pk_buf_done(&t->body);
	free(delta);
}

static void on_looked(void *arg, long status, const char *body, size_t len, const char *error)
{
	struct target *t = arg;
	char ours[65];
	json_t *j, *has;

	if (status != 200 && status != 404) {
		fail_by(t, status, body, len, error);
		return;
	}
	j = status == 200 ? json_loadb(body, len, 0, NULL) : NULL;
	has = pk_json_at(j, "list.signed");
	pk_hex(t->p->s.sha256, sizeof(t->p->s.sha256), ours);
	if (json_is_true(pk_json_at(has, "in_force")) &&
	    pk_json_num(has, "version") == (double)t->p->s.version &&
	    !strcmp(pk_json_text(has, "sha256"), ours) && !pk_json_at(j, "list.confirm_by")) {
		finish(t, "same", "");
	} else {
		if (*pk_json_text(has, "sha256"))
			make_delta(t, pk_json_text(has, "sha256"));
		send_list(t);
	}
	json_decref(j);
}

static void look_at_plan(struct target *t);

static void on_planned(void *arg, long status, const char *body, size_t len, const char *error)
{
	struct target *t = arg;
	char text[sizeof(t->detail)];
	json_t *j;

	if (comes_plain(t, status)) {
		look_at_plan(t);
		return;
	}
	if (status != 200) {
		fail_by(t, status, body, len, error);
		return;
	}
	j = json_loadb(body, len, 0, NULL);
	t->added = (uint64_t)pk_json_num(j, "added");
	t->removed = (uint64_t)pk_json_num(j, "removed");
	t->would_cut = (uint64_t)pk_json_num(j, "would_cut.flows_cut");
	snprintf(text, sizeof(text),
		 "%.0f refused, would have cut %" PRIu64 " flows of the last hour",
		 pk_json_num(j, "refused_total"), t->would_cut);
	finish(t, "plan", text);
	json_decref(j);
}

static void look_at_plan(struct target *t)
{
	_cleanup_(pk_buf_done) struct pk_buf path = {};

	pk_buf_fmt(&path, PK_API_LISTS "/%s/plan?signed=1&against=" PLAN_AGAINST, t->p->s.list);
	if (path.error || ask(t, "POST", path.data, whole(t), on_planned) < 0)
		finish(t, "failed", "out of memory");
}

static void look(struct target *t)
{
	_cleanup_(pk_buf_done) struct pk_buf path = {};

	pk_buf_fmt(&path, PK_API_LISTS "/%s?limit=1", t->p->s.list);
	if (path.error || ask(t, "GET", path.data, NULL, on_looked) < 0)
		finish(t, "failed", "out of memory");
}

static void start(struct target *t)
{
	t->p->going++;
	t->began_ns = pk_clock_boot_ns();
	if (t->p->w.dry)
		look_at_plan(t);
	else
		look(t);
}

static void finish(struct target *t, const char *outcome, const char *detail)
{
	struct push *p = t->p;
	char copy[sizeof(t->detail)];

	snprintf(copy, sizeof(copy), "%s", detail); /* it may be t's own */
	memcpy(t->detail, copy, sizeof(copy));
	t->outcome = outcome;
	t->ns = pk_clock_boot_ns() - t->began_ns;
	pk_buf_done(&t->body);
	p->going--;
	p->done++;
	p->failed += !is_good(outcome);
	if (!p->w.dry)
		pk_push_state_set(&p->state, t->host, outcome);
	start_next(p);
}

/* As many at once as may be; none more once too many have failed. */
static void start_next(struct push *p)
{
	while (p->next < p->until && p->going < p->w.fleet.parallel && p->failed <= p->w.max_fail)
		start(&p->v[p->next++]);
}

static void show_progress(void *arg)
{
	const struct push *p = arg;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%zu of %zu hosts, %zu failed\x1b[K", p->done, p->n, p->failed);
}

static void run_wave(struct push *p, size_t until)
{
	p->until = until;
	start_next(p);
	pk_remote_run(p->remote, show_progress, p);
	if (isatty(STDERR_FILENO))
		fputs("\r\x1b[K", stderr);
	if (!p->w.dry)
		pk_push_state_save(&p->state);
}

static void run_waves(struct push *p)
{
	size_t first = p->w.percent ? (p->n * p->w.canary + 99) / 100 : p->w.canary;

	if (first && first < p->n && !p->w.dry) {
		run_wave(p, first);
		if (p->failed <= p->w.max_fail && p->w.wait_s)
			nanosleep(&(struct timespec){ .tv_sec = (time_t)p->w.wait_s }, NULL);
	}
	if (p->failed <= p->w.max_fail)
		run_wave(p, p->n);
}

static void v_text(struct pk_buf *out, json_t *o, const char *key)
{
	pk_buf_str(out, pk_json_text(o, key));
}

static void v_host(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	v_text(out, o, "host");
}

static void v_outcome(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	v_text(out, o, "outcome");
}

static void v_added(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(o, "added"));
}

static void v_removed(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(o, "removed"));
}

static void v_sent(struct pk_buf *out, json_t *o, bool human)
{
	if (human)
		pk_human_bytes(out, pk_json_num(o, "sent"));
	else
		pk_buf_fmt(out, "%.0f", pk_json_num(o, "sent"));
}

static void v_ms(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(o, "ms"));
}

static void v_detail(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	v_text(out, o, "detail");
}

static const struct pk_column columns[] = {
	{ "HOST", 20, false, false, v_host },    { "OUTCOME", 12, false, false, v_outcome },
	{ "CAME", 8, true, false, v_added },     { "WENT", 8, true, false, v_removed },
	{ "SENT", 6, true, false, v_sent },      { "MS", 6, true, false, v_ms },
	{ "DETAIL", 12, false, true, v_detail },
};

static void print(const struct push *p)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	struct pk_table t;

	pk_table_init(&t, columns, PK_ARRAY_SIZE(columns), p->w.format);
	for (size_t i = 0; i < p->n; i++) {
		const struct target *h = &p->v[i];
		json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "host", h->host,
				      "outcome", h->outcome ? h->outcome : "not-tried", "added",
				      (json_int_t)h->added, "removed", (json_int_t)h->removed,
				      "sent", (json_int_t)h->sent, "ms",
				      (json_int_t)(h->ns / 1000000), "detail", h->detail);

		pk_table_row(&t, &out, o);
		json_decref(o);
	}
	pk_outcome_flush(&out);
}

/* Once for all hosts. What gains nothing (a list that is packed already) is sent as it is. */
static void pack(struct push *p)
{
	size_t room = ZSTD_compressBound(p->all.len), n;
	char *out = p->all.len >= PACK_FROM ? malloc(room) : NULL;

	if (!out)
		return;
	n = ZSTD_compress(out, room, p->all.data, p->all.len, ZSTD_CLEVEL_DEFAULT);
	if (!ZSTD_isError(n) && n < p->all.len - p->all.len / 8)
		pk_buf_add(&p->packed, out, n);
	if (p->packed.error)
		pk_buf_done(&p->packed);
	free(out);
}

/* List and envelope, which must be of each other. */
static int load(struct push *p)
{
	_cleanup_free_ char *beside = pk_list_signature_path(p->w.file);
	const char *from = p->w.signature ? p->w.signature : beside;
	struct pk_envelope e;
	enum pk_refusal r;
	int w;

	if (!from || pk_list_map(p->w.file, &p->list) || pk_list_read_envelope(from, &e))
		return 1;
	r = pk_statement_read(e.payload, e.len, &p->s);
	w = pk_envelope_write(&e, &p->envelope);
	pk_envelope_done(&e);
	if (r == PK_SIGNED_OK)
		r = pk_statement_fits(&p->s, p->list.bytes, p->list.len);
	if (r != PK_SIGNED_OK)
		return pk_outcome_complain(p->w.file, pk_refusal_text(r));
	pk_buf_char(&p->envelope, '\n');
	pk_buf_add(&p->all, p->envelope.data, p->envelope.len);
	pk_buf_add(&p->all, p->list.bytes, p->list.len);
	if (w < 0 || p->all.error)
		return pk_outcome_complain(p->w.file, "out of memory");
	pack(p);
	return 0;
}

static int add_targets(struct push *p, const struct pk_hosts *h)
{
	p->v = calloc(h->n ? h->n : 1, sizeof(*p->v));
	if (!p->v)
		return pk_outcome_complain("push", "out of memory");
	for (size_t i = 0; i < h->n; i++)
		p->v[p->n++] = (struct target){ .p = p, .host = h->v[i] };
	return 0;
}

static int find_targets(struct push *p, struct pk_hosts *h)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	int r;

	if (pk_fleet_ask_hosts(&p->w.fleet, h))
		return 1;
	r = p->w.resume ? pk_push_state_rest(&p->state, h, &error) : 0;
	if (r < 0)
		return pk_outcome_complain("push", error.data ? error.data : strerror(-r));
	return add_targets(p, h);
}

static int push(struct push *p)
{
	p->remote = pk_fleet_ask_remote(&p->w.fleet);
	if (!p->remote)
		return 1;
	run_waves(p);
	if (!p->w.dry && p->failed < p->done)
		pk_push_state_keep(&p->state, &p->s, &p->list);
	print(p);
	if (p->done < p->n)
		fprintf(stderr, "picket: stopped after %zu failed; --resume goes on\n", p->failed);
	return p->failed || p->done < p->n;
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_hosts_done) struct pk_hosts hosts = {};
	struct push p = {};
	int r = read_wish(self, &p.w, argc, argv);

	if (r)
		return r == 1 ? 0 : pk_command_misused(self);
	r = load(&p);
	if (!r && pk_push_state_open(&p.state, &p.s) < 0)
		r = pk_outcome_complain("push",
					"no place to remember what became of each host: $HOME");
	if (!r)
		r = find_targets(&p, &hosts);
	if (!r)
		r = push(&p);
	pk_remote_free(p.remote);
	pk_push_state_done(&p.state);
	pk_list_unmap(&p.list);
	pk_buf_done(&p.envelope);
	pk_buf_done(&p.all);
	pk_buf_done(&p.packed);
	free(p.v);
	return r;
}

static const struct option options[] = {
	PK_FA_OPTIONS,
	{ "signature", required_argument, NULL, SIG },
	{ "canary", required_argument, NULL, CANARY },
	{ "wait", required_argument, NULL, WAIT },
	{ "max-fail", required_argument, NULL, MAX_FAIL },
	{ "dry-run", no_argument, NULL, DRY },
	{ "resume", no_argument, NULL, RESUME },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_push = {
	.name = "push",
	.what = "bring a signed list to other hosts",
	.usage = "push [OPTION]... --to HOST[:PORT]|FILE.yaml LIST",
	.options = options,
	.run = run,
	.help = PK_FA_HELP(
		"operator") "      --signature FILE the envelope (LIST" PK_LIST_SIGNATURE ")\n"
			    "      --canary N|N%    first so many hosts, the others when these are "
			    "done\n"
			    "      --wait TIME      and so much later\n"
			    "      --max-fail N     no further hosts once more than N have failed\n"
			    "      --dry-run        only what would change, and which flows it "
			    "would cut\n"
			    "      --resume         those hosts of the last push of this list that "
			    "have not "
			    "got\n"
			    "                       it yet\n"
			    "  -o, --output F       table, json or csv\n"
			    "  -h, --help           this text\n\n"
			    "A host goes back to what it had unless it can be reached anew within "
			    "a minute.\n\n"
			    "Examples:\n"
			    "  picket list sign drop.txt && picket push drop.txt --to "
			    "web1.example.org\n"
			    "  picket push drop.txt --to hosts.yaml --group web --canary 5% --wait "
			    "1m "
			    "--max-fail "
			    "2\n"
			    "  picket push drop.txt --resume\n",
};
