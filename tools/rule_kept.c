/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules would have matched in what the store keeps.
 * First all flows are read as they come, in the order of their ends; those that fit a rule are
 * held, and shown to the detector of rules in the order in which they began, as it would have seen
 * them.
 */
#include "rule_kept.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "client.h"
#include "conf/conf.h"
#include "detect/rules_event.h"
#include "enrich/enrich.h"
#include "flow/table.h"
#include "name/intern.h"
#include "outcome.h"
#include "replay_alerts.h"
#include "replay_flow.h"
#include "rule_judge.h"
#include "sigma/match.h"
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

static const struct pk_rule_place kept = {
	.fields = kept_fields,
	.no_events = "are not kept: the store has ended flows (network_connection, firewall, "
		     "Zeek's conn)",
	.no_field = "is not kept of flows",
};

struct test {
	struct pk_rule_judged judge;
	struct pk_sigma_scratch *scratch;
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
	pk_rule_judge_done(&t->judge);
	pk_conf_free(t->conf);
	pk_enrich_free(t->enrich);
	pk_flow_table_free(t->flows);
	pk_buf_done(&t->texts.answers);
	pk_intern_free(t->held_texts);
	free(t->held);
}

static void judge(struct test *t)
{
	const struct pk_sigma_rules *all = &t->judge.set->rules;

	pk_rule_judge(&t->judge, &kept);
	for (size_t i = 0; i < all->n; i++)
		t->wants_initiated |= pk_rule_judge_can(&t->judge, all->v[i]) &&
				      all->v[i]->source == PK_SIGMA_NETWORK &&
				      all->v[i]->fields_used & BIT(PK_SIGMA_F_INITIATED);
}

static int set_up(struct test *t, const char *path, struct pk_buf *errors)
{
	int r = pk_rule_judge_load(&t->judge, path, errors);

	if (r < 0)
		return r;
	t->conf = pk_conf_new();
	t->held_texts = pk_intern_new(TEXT_BYTES);
	t->flows = pk_flow_table_new(FLOWS_MAX, FLOWS_MAX);
	if (!t->conf || !t->held_texts || !t->flows)
		return -ENOMEM;
	r = pk_sigma_scratch_new(t->judge.set, &t->scratch);
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

	*fits |= pk_rule_judge_can(&t->judge, hit->rule);
}

static bool fits_a_rule(struct test *t, const struct pk_see *see)
{
	const struct pk_world w = { .conf = t->conf, .enrich = t->enrich, .flows = t->flows };
	struct pk_rules_event e[PK_RULES_EVENTS_MAX];
	bool fits = false;
	void *arg[] = { t, &fits };
	size_t n = pk_rules_events(&w, see, t->judge.set->at_source, &t->texts, e);

	for (size_t i = 0; i < n; i++)
		(void)pk_sigma_match(t->judge.set, t->scratch, &e[i].event, on_hit, arg);
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

	pk_buf_fmt(&b, "picket: %zu rules, %" PRIu64 " flows", t->judge.asked, t->n);
	if (t->n) {
		pk_buf_str(&b, " that ended from ");
		put_time(&b, t->first_ns);
		pk_buf_str(&b, " to ");
		put_time(&b, t->last_ns);
	}
	pk_buf_fmt(&b, ", %" PRIu64 " alerts\n", alerts);
	if (t->judge.not_asked)
		pk_buf_fmt(&b, "picket: %zu rules were not tested, see above\n",
			   t->judge.not_asked);
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
	pk_json_u64(&j, "rules", t->judge.asked);
	pk_json_u64(&j, "flows", t->n);
	pk_json_u64(&j, "flows_not_tested", t->no_side + t->over);
	pk_json_u64(&j, "alerts", alerts);
	pk_json_u64(&j, "alerts_lost", lost);
	pk_json_arr(&j, "not_tested");
	for (size_t i = 0; i < t->judge.set->rules.n; i++) {
		const struct pk_sigma_rule *rule = t->judge.set->rules.v[i];

		if (pk_rule_judge_can(&t->judge, rule))
			continue;
		pk_json_obj(&j, NULL);
		pk_json_str(&j, "file", rule->file);
		pk_json_u64(&j, "line", rule->at.line);
		pk_json_str(&j, "title", rule->title);
		pk_json_str(&j, "reason", rule->problem ? rule->problem->text : t->judge.reason[i]);
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
					   .wanted = pk_rule_judge_wanted,
					   .arg = &t->judge };
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
	pk_rule_judge_tell(&t->judge);
	if (!t->judge.asked)
		return pk_outcome_complain(path, "none of its rules can be tested on what is kept");
	status = read_kept(t, since > 0 ? since : 1);
	if (status)
		return status;
	r = show(t, since_s, format);
	if (r < 0)
		return pk_outcome_complain("the alerts", strerror(-r));
	return t->judge.not_asked ? EXIT_NOT_ALL : EXIT_OK;
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
