/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules can be answered by what the store keeps, and what they would have matched there.
 * First all flows are read as they come, in the order of their ends; those that fit a rule are
 * held, and shown to the detector of rules in the order in which they began, as it would have seen
 * them.
 */
#include "rule_kept.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/json.h"
#include "client.h"
#include "conf/conf.h"
#include "detect/rules.h"
#include "detect/rules_event.h"
#include "enrich/enrich.h"
#include "flow/table.h"
#include "name/intern.h"
#include "outcome.h"
#include "replay_alerts.h"
#include "replay_flow.h"
#include "sigma/correlation.h"
#include "sigma/field.h"
#include "sigma/set.h"

#include <picket/api.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE       "10000"
#define HELD_MAX   500000 /* flows that fit a rule, about 60 MB */
#define TEXT_BYTES (64u << 20)
#define FLOWS_MAX  64 /* in the table: only the one looked at is asked for */
#define NS_PER_S   1000000000ull

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_NOT_ALL };

/* What of a connection, and of a flow, is kept. */
#define BIT(f) (1ull << (f))
#define ENDS                                                                                       \
	(BIT(PK_SIGMA_F_SOURCE_IP) | BIT(PK_SIGMA_F_SOURCE_PORT) |                                 \
	 BIT(PK_SIGMA_F_DESTINATION_IP) | BIT(PK_SIGMA_F_DESTINATION_PORT) |                       \
	 BIT(PK_SIGMA_F_PROTOCOL))
static const uint64_t kept_fields[PK_SIGMA_SOURCES] = {
	[PK_SIGMA_NETWORK] = ENDS | BIT(PK_SIGMA_F_IMAGE) | BIT(PK_SIGMA_F_USER) |
			     BIT(PK_SIGMA_F_PROCESS_ID) | BIT(PK_SIGMA_F_INITIATED) |
			     BIT(PK_SIGMA_F_DESTINATION_HOSTNAME),
	[PK_SIGMA_FLOW] = ENDS | BIT(PK_SIGMA_F_ACTION) | BIT(PK_SIGMA_F_BLOCKED),
};

struct test {
	struct pk_sigma_set *set;
	struct pk_sigma_scratch *scratch;
	char (*reason)[160]; /* by rule: why it can't be answered; "": it can, or does not run */
	size_t asked, not_asked;
	bool wants_initiated;
	struct pk_conf *conf;
	struct pk_enrich *enrich;
	struct pk_flow_table *flows;
	struct pk_rules_texts texts;
	struct pk_replay_flow seen;
	struct pk_intern *held_texts;
	struct pk_store_flow *held; /* flows that fit a rule */
	size_t n_held, cap;
	uint64_t n, first_ns, last_ns; /* flows read; ends of the first and of the last */
	uint64_t no_side;              /* of which nobody knows who began them */
	uint64_t over;                 /* that fit, beyond HELD_MAX */
	bool progress;
};

static void done(struct test *t)
{
	pk_sigma_scratch_free(t->scratch);
	pk_sigma_set_free(t->set);
	free(t->reason);
	pk_conf_free(t->conf);
	pk_enrich_free(t->enrich);
	pk_flow_table_free(t->flows);
	pk_buf_done(&t->texts.answers);
	pk_intern_free(t->held_texts);
	free(t->held);
}

/* In three pieces. The first reason counts. */
static void give_reason(struct test *t, const struct pk_sigma_rule *rule, const char *before,
			const char *what, const char *behind)
{
	char *reason = t->reason[rule->index];

	if (!*reason)
		snprintf(reason, sizeof(t->reason[0]), "%s%s%s", before, what, behind);
}

/* Of an ordinary rule: is all that it looks at kept? */
static void judge_rule(struct test *t, const struct pk_sigma_rule *rule)
{
	uint64_t kept = kept_fields[rule->source], lacks = rule->fields_used & ~kept;

	if (!kept)
		give_reason(t, rule, "events of kind ", pk_sigma_source_name(rule->source),
			    " are not kept: the store has ended flows (network_connection, "
			    "firewall, Zeek's conn)");
	else if (lacks)
		give_reason(t, rule, "", pk_sigma_field_name(rule->row, __builtin_ctzll(lacks)),
			    " is not kept of flows");
}

/* Of the correlations that a rule feeds: can they group by and count what is kept of it? */
static bool judge_fed(struct test *t, const struct pk_sigma_rule *rule)
{
	bool news = false;

	for (uint32_t i = 0; i < rule->n_refs; i++) {
		const struct pk_sigma_ref *ref = rule->ref[i];
		const struct pk_sigma_correlation *c = ref->correlation->correlation;
		uint64_t uses = c->type == PK_SIGMA_VALUE_COUNT ? BIT(ref->field) : 0, lacks;

		for (size_t g = 0; g < c->group_by.n; g++)
			uses |= BIT(ref->group[g]);
		lacks = uses & ~kept_fields[ref->leaf->source];
		if (*t->reason[ref->correlation->index])
			continue;
		if (*t->reason[rule->index])
			give_reason(t, ref->correlation,
				    "it counts a rule that can't be tested: ", rule->title, "");
		else if (lacks)
			give_reason(t, ref->correlation, "",
				    pk_sigma_field_name(ref->leaf->row, __builtin_ctzll(lacks)),
				    " is not kept of flows");
		news |= *t->reason[ref->correlation->index] != '\0';
	}
	return news;
}

/* Correlations may feed others: until nothing more is found. */
static void judge(struct test *t)
{
	const struct pk_sigma_rules *all = &t->set->rules;
	bool more = true;

	for (size_t i = 0; i < all->n; i++)
		if (!all->v[i]->problem && !all->v[i]->correlation)
			judge_rule(t, all->v[i]);
	while (more) {
		more = false;
		for (size_t i = 0; i < all->n; i++)
			if (!all->v[i]->problem)
				more |= judge_fed(t, all->v[i]);
	}
	for (size_t i = 0; i < all->n; i++) {
		const struct pk_sigma_rule *rule = all->v[i];
		bool can = !rule->problem && !*t->reason[i];

		t->asked += can;
		t->not_asked += !can;
		t->wants_initiated |= can && rule->source == PK_SIGMA_NETWORK &&
				      rule->fields_used & BIT(PK_SIGMA_F_INITIATED);
	}
}

/* What is not tested is said with its place. */
static void tell_untested(const struct test *t)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };

	for (size_t i = 0; i < t->set->rules.n; i++) {
		const struct pk_sigma_rule *rule = t->set->rules.v[i];

		if (rule->problem)
			pk_sigma_rule_problems(rule, &out);
		if (rule->problem || !*t->reason[i])
			continue;
		pk_escape_text(&out, rule->file, strlen(rule->file));
		pk_buf_fmt(&out, ":%u:%u: ", rule->at.line, rule->at.column);
		pk_escape_text(&out, rule->title, strlen(rule->title));
		pk_buf_str(&out, ": ");
		pk_escape_text(&out, t->reason[i], strlen(t->reason[i]));
		pk_buf_char(&out, '\n');
	}
	fputs(out.len && !out.error ? out.data : "", stderr);
}

static int set_up(struct test *t, const char *path, struct pk_buf *errors)
{
	int r = pk_sigma_set_load(&path, 1, errors, &t->set);

	if (r < 0)
		return r;
	t->reason = calloc(t->set->rules.n + 1, sizeof(*t->reason));
	t->conf = pk_conf_new();
	t->held_texts = pk_intern_new(TEXT_BYTES);
	t->flows = pk_flow_table_new(FLOWS_MAX, FLOWS_MAX);
	if (!t->reason || !t->conf || !t->held_texts || !t->flows)
		return -ENOMEM;
	r = pk_sigma_scratch_new(t->set, &t->scratch);
	if (r == 0)
		r = pk_replay_only_rules(t->conf, path);
	if (r == 0)
		r = pk_enrich_new(t->conf, false, &t->enrich);
	if (r == 0) /* the agent's names of users are this host's; without them uids stay numbers */
		(void)pk_users_init(&t->enrich->users, "/etc/passwd");
	t->seen = (struct pk_replay_flow){ .enrich = t->enrich, .flows = t->flows };
	return r;
}

/* Texts are copied: the page that they are of goes. */
static int hold(struct test *t, const struct pk_store_flow *f)
{
	struct pk_store_flow *more, *to;

	if (t->n_held == HELD_MAX) {
		t->over++;
		return 0;
	}
	if (t->n_held == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 1024;
		more = reallocarray(t->held, t->cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->held = more;
	}
	to = &t->held[t->n_held++];
	*to = *f;
	to->exe = f->exe ? pk_intern_text(t->held_texts, f->exe, strlen(f->exe)) : NULL;
	to->name = f->name ? pk_intern_text(t->held_texts, f->name, strlen(f->name)) : NULL;
	return (f->exe && !to->exe) || (f->name && !to->name) ? -ENOMEM : 0;
}

static void on_hit(void *arg, const struct pk_sigma_hit *hit)
{
	struct test *t = ((void **)arg)[0];
	bool *fits = ((void **)arg)[1];

	*fits |= !*t->reason[hit->rule->index];
}

static bool fits_a_rule(struct test *t, const struct pk_see *see)
{
	const struct pk_world w = { .conf = t->conf, .enrich = t->enrich, .flows = t->flows };
	struct pk_rules_event e[PK_RULES_EVENTS_MAX];
	bool fits = false;
	void *arg[] = { t, &fits };
	size_t n = pk_rules_events(&w, see, t->set->at_source, &t->texts, e);

	for (size_t i = 0; i < n; i++)
		(void)pk_sigma_match(t->set, t->scratch, &e[i].event, on_hit, arg);
	return fits;
}

static int take_flow(struct test *t, json_t *record)
{
	struct pk_store_flow f;
	struct pk_see see;
	int r;

	if (!pk_replay_flow_read(record, &f))
		return -EBADMSG;
	t->first_ns = t->n ? t->first_ns : f.end_ns;
	t->last_ns = f.end_ns;
	t->n++;
	if (t->wants_initiated && f.pid && f.own == PK_STORE_NO_END) {
		t->no_side++;
		return 0;
	}
	r = pk_replay_flow_see(&t->seen, &f, &see);
	if (r == 0 && fits_a_rule(t, &see))
		r = hold(t, &f);
	return r;
}

/* Page by page, oldest first. Returns the exit status. */
static int read_kept(struct test *t, time_t since)
{
	struct pk_client client;
	char from[32], after[32] = "";
	bool more = true;
	int r = 0;

	pk_client_init(&client, NULL);
	snprintf(from, sizeof(from), "%lld", (long long)since * 1000);
	while (more) {
		const char *const query[] = { "since", from, "order", "oldest",
					      "limit", PAGE, "after", *after ? after : NULL,
					      NULL };
		json_t *body = NULL, *record;
		size_t i;
		int status = pk_client_get(&client, PK_API_FLOWS, query, &body);

		if (status)
			return status;
		json_array_foreach(json_object_get(body, "flows"), i, record)
		{
			r = r < 0 ? r : take_flow(t, record);
		}
		snprintf(after, sizeof(after), "%.0f", pk_json_num(body, "last"));
		more = json_is_true(json_object_get(body, "more")) && strcmp(after, "0") != 0;
		json_decref(body);
		if (r < 0)
			return pk_outcome_complain("the flows that are kept", strerror(-r));
		if (t->progress)
			fprintf(stderr, "\r%" PRIu64 " flows ", t->n);
	}
	fputs(t->progress ? "\r\033[K" : "", stderr);
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct pk_store_flow *x = a, *y = b;

	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* Rules that can't be answered are run by the detector, too, and not believed. */
static bool is_wanted(void *arg, const struct pk_finding *f)
{
	const struct test *t = arg;
	const struct pk_sigma_rules *all = &t->set->rules;

	for (size_t i = 0; f->is_rule && i < all->n; i++)
		if (!all->v[i]->problem && strcmp(pk_rules_name(all->v[i]), f->rule) == 0)
			return !*t->reason[i];
	return false;
}

static int show_held(struct test *t, struct pk_replay_alerts *a)
{
	struct pk_see see;
	int r = 0;

	qsort(t->held, t->n_held, sizeof(*t->held), by_start);
	for (size_t i = 0; i < t->n_held && r == 0; i++) {
		r = pk_replay_flow_see(&t->seen, &t->held[i], &see);
		if (r < 0)
			break;
		pk_replay_alerts_tick(a, see.now_ns);
		pk_replay_alerts_see(a, &see);
	}
	pk_replay_alerts_tick(a, pk_replay_flow_time((uint64_t)time(NULL) * NS_PER_S));
	return r;
}

static void put_time(struct pk_buf *b, uint64_t ns)
{
	time_t s = (time_t)(ns / NS_PER_S);
	char text[32];
	struct tm tm;

	if (localtime_r(&s, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		pk_buf_str(b, text);
}

static void tell_sum(const struct test *t, uint64_t alerts, uint64_t lost)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };

	pk_buf_fmt(&b, "picket: %zu rules, %" PRIu64 " flows", t->asked, t->n);
	if (t->n) {
		pk_buf_str(&b, " that ended from ");
		put_time(&b, t->first_ns);
		pk_buf_str(&b, " to ");
		put_time(&b, t->last_ns);
	}
	pk_buf_fmt(&b, ", %" PRIu64 " alerts\n", alerts);
	if (t->not_asked)
		pk_buf_fmt(&b, "picket: %zu rules were not tested, see above\n", t->not_asked);
	if (t->no_side)
		pk_buf_fmt(&b,
			   "picket: %" PRIu64 " flows were not tested: who began them was not kept "
			   "yet by the Picket that saw them, and a rule asks for Initiated\n",
			   t->no_side);
	if (t->over)
		pk_buf_fmt(&b,
			   "picket: %" PRIu64
			   " more flows fit, the latest ones, and were left out: "
			   "more than %u are too many; a shorter --since shows them\n",
			   t->over, HELD_MAX);
	if (lost)
		pk_buf_fmt(&b, "picket: %" PRIu64 " alerts had no room and are not shown\n", lost);
	fputs(b.error ? "" : b.data, stderr);
}

/* The last line of JSON output. */
static int print_sum(const struct test *t, uint64_t since_s, uint64_t alerts, uint64_t lost)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	struct pk_json j;

	pk_json_init(&j, &b);
	pk_json_obj(&j, NULL);
	pk_json_obj(&j, "test");
	pk_json_u64(&j, "since_s", since_s);
	pk_json_u64(&j, "rules", t->asked);
	pk_json_u64(&j, "flows", t->n);
	pk_json_u64(&j, "flows_not_tested", t->no_side + t->over);
	pk_json_u64(&j, "alerts", alerts);
	pk_json_u64(&j, "alerts_lost", lost);
	pk_json_arr(&j, "not_tested");
	for (size_t i = 0; i < t->set->rules.n; i++) {
		const struct pk_sigma_rule *rule = t->set->rules.v[i];

		if (!rule->problem && !*t->reason[i])
			continue;
		pk_json_obj(&j, NULL);
		pk_json_str(&j, "file", rule->file);
		pk_json_u64(&j, "line", rule->at.line);
		pk_json_str(&j, "title", rule->title);
		pk_json_str(&j, "reason", rule->problem ? rule->problem->text : t->reason[i]);
		pk_json_end(&j);
	}
	pk_json_end(&j);
	pk_json_end(&j);
	pk_json_end(&j);
	pk_buf_char(&b, '\n');
	return b.error ? b.error : fwrite(b.data, 1, b.len, stdout) == b.len ? 0 : -EIO;
}

static int show(struct test *t, uint64_t since_s, enum pk_format format)
{
	_cleanup_(pk_replay_alerts_freep) struct pk_replay_alerts *a = NULL;
	char host[256] = "localhost";
	const struct pk_replay_world w = { .hostname = host,
					   .conf = t->conf,
					   .enrich = t->enrich,
					   .flows = t->flows,
					   .wanted = is_wanted,
					   .arg = t };
	uint64_t alerts = 0, lost;
	int r;

	(void)gethostname(host, sizeof(host) - 1); /* else it keeps the name above */
	r = pk_replay_alerts_new(&w, &a);
	if (r == 0)
		r = show_held(t, a);
	if (r == 0)
		r = pk_replay_alerts_print(a, stdout, format, NULL, NULL, &alerts);
	if (r < 0)
		return r;
	lost = pk_replay_alerts_lost(a);
	if (format == PK_FORMAT_JSON)
		r = print_sum(t, since_s, alerts, lost);
	if (fflush(stdout) != 0 && r == 0)
		r = -errno;
	tell_sum(t, alerts, lost);
	return r;
}

static int run(struct test *t, const char *path, uint64_t since_s, enum pk_format format)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = { 0 };
	time_t since = time(NULL) - (time_t)since_s;
	int r = set_up(t, path, &errors), status;

	if (r < 0) {
		fputs(errors.len ? errors.data : "", stderr);
		return pk_outcome_complain(path, errors.len ? "no rules" : strerror(-r));
	}
	judge(t);
	tell_untested(t);
	if (!t->asked)
		return pk_outcome_complain(path, "none of its rules can be tested on what is kept");
	status = read_kept(t, since > 0 ? since : 1);
	if (status)
		return status;
	r = show(t, since_s, format);
	if (r < 0)
		return pk_outcome_complain("the alerts", strerror(-r));
	return t->not_asked ? EXIT_NOT_ALL : EXIT_OK;
}

int pk_rule_test_kept(const char *path, uint64_t since_s, enum pk_format format)
{
	struct test t = { .progress = isatty(STDERR_FILENO) };
	int r;

	(void)pk_replay_flow_time(0);
	r = run(&t, path, since_s, format);
	done(&t);
	return r;
}
