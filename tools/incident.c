/* SPDX-License-Identifier: Apache-2.0 */
/* `picket incident`: what alerts add up to, and what people do about it. */
#include "base/cleanup.h"
#include "client.h"
#include "command.h"
#include "incident_show.h"
#include "list.h"
#include "outcome.h"
#include "show.h"
#include "table.h"

#include <getopt.h>
#include <picket/api.h>
#include <string.h>

static void v_number(struct pk_buf *out, json_t *i, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(i, "unmapped.picket.number"));
}

static void v_since(struct pk_buf *out, json_t *i, bool human)
{
	json_int_t ms = json_integer_value(pk_json_at(i, "unmapped.picket.times.detected"));

	if (human)
		pk_show_clock(out, ms);
	else
		pk_buf_fmt(out, "%lld", (long long)ms);
}

static void v_severity(struct pk_buf *out, json_t *i, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(i, "severity"));
}

static void v_state(struct pk_buf *out, json_t *i, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(i, "unmapped.picket.state"));
}

static void v_alerts(struct pk_buf *out, json_t *i, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%zu", json_array_size(json_object_get(i, "finding_info_list")));
}

static void v_owner(struct pk_buf *out, json_t *i, bool human)
{
	const char *owner = pk_json_text(i, "assignee.name");

	pk_buf_str(out, *owner || !human ? owner : "-");
}

static void v_what(struct pk_buf *out, json_t *i, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(i, "desc"));
}

static const struct pk_column columns[] = {
	{ "ID", 4, true, false, v_number },          { "SINCE", 8, false, false, v_since },
	{ "SEVERITY", 8, false, false, v_severity }, { "STATE", 10, false, false, v_state },
	{ "ALERTS", 6, true, false, v_alerts },      { "OWNER", 10, false, false, v_owner },
	{ "WHAT", 30, false, true, v_what },
};

enum { STATE = 256, TEAM, VERDICT, REASON, AWARE, DRY, PLAYBOOK, STEP };

struct wish {
	enum pk_format format;
	bool all, follow, aware, dry;
	const char *state, *team, *verdict, *reason, *playbook, *limit, *step;
};

static int read_one(int c, struct wish *w)
{
	const char **text = c == STATE      ? &w->state
			    : c == TEAM     ? &w->team
			    : c == VERDICT  ? &w->verdict
			    : c == REASON   ? &w->reason
			    : c == PLAYBOOK ? &w->playbook
			    : c == 'n'      ? &w->limit
			    : c == STEP     ? &w->step
					    : NULL;

	if (text)
		*text = optarg;
	w->all |= c == 'a';
	w->follow |= c == 'f';
	w->aware |= c == AWARE;
	w->dry |= c == DRY;
	if (c == 'o' && pk_format_parse(optarg, &w->format) < 0) {
		fprintf(stderr, "picket: -o takes table, json or csv, not %s\n", optarg);
		return 2;
	}
	return c == '?' ? 2 : 0;
}

/* 0; 1: help was printed; 2: misused. */
static int read_options(const struct pk_command *self, int argc, char **argv, struct wish *w)
{
	int c, r;

	optind = 1;
	while ((c = getopt_long(argc, argv, "o:n:afh", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 1;
		}
		r = read_one(c, w);
		if (r)
			return r;
	}
	return 0;
}

static int misused(const struct pk_command *self, int r)
{
	return r == 1 ? 0 : pk_command_misused(self);
}

/* "/v1/incidents/ID/what"; NULL: no such id can be. */
static char *path_of(const char *id, const char *what)
{
	char *path = NULL;

	if (!*id || strlen(id) > 63 ||
	    strspn(id, "abcdefghijklmnopqrstuvwxyzT0123456789-") != strlen(id)) {
		pk_outcome_say("an incident is named by its number, as in: picket incident show 3");
		return NULL;
	}
	return asprintf(&path, "%s/%s%s", PK_API_INCIDENTS, id, what) < 0 ? NULL : path;
}

struct rows {
	struct pk_table table;
	struct pk_buf out;
};

static bool on_row(void *arg, json_t *i)
{
	struct rows *r = arg;

	pk_table_row(&r->table, &r->out, i);
	pk_outcome_flush(&r->out);
	return true;
}

static int run_ls(const struct pk_command *self, int argc, char **argv)
{
	struct wish w = {};
	struct rows rows = {};
	struct pk_client client;
	json_t *body = NULL, *i;
	int r = read_options(self, argc, argv, &w);
	size_t k;

	if (r || optind < argc)
		return misused(self, r);
	const char *const query[] = { "state", w.all ? "all" : w.state, "limit", w.limit, NULL };

	pk_client_init(&client, NULL);
	pk_table_init(&rows.table, columns, PK_ARRAY_SIZE(columns), w.format);
	if (w.follow) {
		r = pk_client_stream(&client, PK_API_INCIDENTS_STREAM, NULL, on_row, &rows);
		pk_buf_done(&rows.out);
		return r;
	}
	r = pk_client_get(&client, PK_API_INCIDENTS, query, &body);
	if (r)
		return r;
	json_array_foreach(json_object_get(body, "incidents"), k, i)(void) on_row(&rows, i);
	if (!k && w.format == PK_FORMAT_TABLE)
		fprintf(stderr, "picket: no incident%s\n",
			w.all || w.state ? "" : " is open; -a shows those that were closed, too");
	pk_buf_done(&rows.out);
	json_decref(body);
	return 0;
}

static int run_show(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	_cleanup_free_ char *path = NULL, *text = NULL;
	struct pk_client client;
	struct wish w = {};
	json_t *i = NULL;
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 1 != argc)
		return misused(self, r);
	path = path_of(argv[optind], "");
	if (!path)
		return 2;
	pk_client_init(&client, NULL);
	r = pk_client_get(&client, path, NULL, &i);
	if (r)
		return r;
	if (w.format == PK_FORMAT_JSON) {
		text = json_dumps(i, JSON_COMPACT | JSON_ENSURE_ASCII);
		printf("%s\n", text ? text : "{}");
	} else {
		pk_incident_show(&out, i);
		pk_outcome_flush(&out);
	}
	json_decref(i);
	return 0;
}

static void set(json_t *body, const char *key, const char *value)
{
	if (value)
		(void)json_object_set_new(body, key, json_string(value)); /* checked when dumped */
}

static void say_unkept(json_t *incident)
{
	if (json_is_false(pk_json_at(incident, "unmapped.picket.kept")))
		pk_outcome_say("it is done, but not on the disk yet: picket status tells why");
}

/* Asks for a change of one incident, body is taken; prints what became of it. */
static int act(const char *id, const char *what, json_t *body, const struct wish *w)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {}, out = {};
	_cleanup_free_ char *path = path_of(id, what), *text = NULL;
	struct pk_client_ask ask = { .method = "POST", .path = path };
	json_t *answer = NULL, *problem = NULL;
	struct pk_client client;
	int r = 2;

	set(body, "reason", w->reason);
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (!path || !text)
		return r;
	ask.body = text;
	ask.len = strlen(text);
	pk_client_init(&client, NULL);
	r = pk_client_send(&client, &ask, &answer, &problem, &error);
	if (r)
		pk_outcome_problem(error.data, NULL, problem);
	else
		pk_incident_line(&out, answer);
	pk_outcome_flush(&out);
	if (!r)
		say_unkept(answer);
	json_decref(answer);
	json_decref(problem);
	return r;
}

static int run_ack(const struct pk_command *self, int argc, char **argv)
{
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 1 != argc)
		return misused(self, r);
	return act(argv[optind], "/ack", json_object(), &w);
}

static int run_assign(const struct pk_command *self, int argc, char **argv)
{
	json_t *body = json_object();
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 1 > argc || optind + 2 < argc || (optind + 1 == argc && !w.team)) {
		json_decref(body);
		return misused(self, r);
	}
	set(body, "owner", argv[optind + 1]);
	set(body, "team", w.team);
	return act(argv[optind], "/assign", body, &w);
}

/* An act with one word behind the incident: this member of its body. */
static int act_with(const struct pk_command *self, int argc, char **argv, const char *what,
		    const char *member)
{
	json_t *body = json_object();
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 2 != argc) {
		json_decref(body);
		return misused(self, r);
	}
	set(body, member, argv[optind + 1]);
	return act(argv[optind], what, body, &w);
}

static int run_note(const struct pk_command *self, int argc, char **argv)
{
	return act_with(self, argc, argv, "/note", "text");
}

static int run_reported(const struct pk_command *self, int argc, char **argv)
{
	return act_with(self, argc, argv, "/reported", "to");
}

/* One "name=value" for the body; which names there are the agent knows. */
static int add_assessed(json_t *body, const char *word)
{
	const char *value = strchr(word, '=');
	_cleanup_free_ char *name = value ? strndup(word, (size_t)(value - word)) : NULL;

	if (!name || !*name) {
		fprintf(stderr, "picket: not NAME=VALUE: %s\n", word);
		return 2;
	}
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : *at;
	set(body, name, value + 1);
	return 0;
}

static int run_assess(const struct pk_command *self, int argc, char **argv)
{
	json_t *body = json_object();
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 2 > argc) {
		json_decref(body);
		return misused(self, r);
	}
	for (int k = optind + 1; k < argc && !r; k++)
		r = add_assessed(body, argv[k]);
	if (r) {
		json_decref(body);
		return r;
	}
	return act(argv[optind], "/assess", body, &w);
}

static int run_close(const struct pk_command *self, int argc, char **argv)
{
	json_t *body = json_object();
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 1 != argc) {
		json_decref(body);
		return misused(self, r);
	}
	set(body, "verdict", w.verdict);
	return act(argv[optind], "/close", body, &w);
}

static int run_state(const struct pk_command *self, int argc, char **argv)
{
	json_t *body = json_object();
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 1 > argc || optind + 2 < argc) {
		json_decref(body);
		return misused(self, r);
	}
	set(body, "state", argv[optind + 1]);
	if (w.aware)
		(void)json_object_set_new(body, "aware", json_true());
	return act(argv[optind], "/state", body, &w);
}

static void print_plan(struct pk_buf *out, json_t *plan)
{
	static const char *const lists[] = { "remotes", "maybe_forged" };
	json_t *v;
	size_t k;

	pk_buf_fmt(out, "playbook %s, %s:\n", pk_json_text(plan, "playbook"),
		   pk_json_text(plan, "name"));
	pk_buf_str(out, pk_json_text(plan, "plan"));
	for (size_t n = 0; n < PK_ARRAY_SIZE(lists); n++) {
		json_t *list = json_object_get(plan, lists[n]);

		if (json_array_size(list))
			pk_buf_str(out,
				   n ? "never blocked, for all that points to it may be forged:"
				     : "other side:");
		json_array_foreach(list, k, v)
		{
			pk_buf_char(out, ' ');
			pk_show_text(out, json_string_value(v) ? json_string_value(v) : "");
		}
		pk_buf_str(out, json_array_size(list) ? "\n" : "");
	}
	if (json_object_get(plan, "pid"))
		pk_buf_fmt(out, "process: %.0f\n", pk_json_num(plan, "pid"));
}

/* The playbook's steps, only told (dry) or taken. */
int pk_incident_contain(const char *id, const char *playbook, const char *reason, bool dry)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {}, out = {};
	_cleanup_free_ char *path = path_of(id, "/contain"), *text = NULL;
	struct pk_client_ask ask = { .method = "POST", .path = path };
	json_t *body = json_object(), *answer = NULL, *problem = NULL;
	struct pk_client client;
	int r = 2;

	set(body, "playbook", playbook);
	set(body, "reason", reason);
	if (dry)
		(void)json_object_set_new(body, "dry_run", json_true());
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (!path || !text)
		return r;
	ask.body = text;
	ask.len = strlen(text);
	pk_client_init(&client, NULL);
	r = pk_client_send(&client, &ask, &answer, &problem, &error);
	if (r)
		pk_outcome_problem(error.data, NULL, problem);
	else if (dry)
		print_plan(&out, answer);
	else
		pk_incident_line(&out, answer);
	pk_outcome_flush(&out);
	if (!r && !dry)
		say_unkept(answer);
	if (!r && !dry)
		printf("steps are being taken; what became of them: picket incident show %s\n", id);
	json_decref(answer);
	json_decref(problem);
	return r;
}

static int run_contain(const struct pk_command *self, int argc, char **argv)
{
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 1 != argc)
		return misused(self, r);
	return pk_incident_contain(argv[optind], w.playbook, w.reason, w.dry);
}

/* What a playbook waits for: this is what became of it. */
static int answer_step(const struct pk_command *self, int argc, char **argv, const char *result)
{
	json_t *body = json_object();
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (!r && w.step && (!*w.step || strspn(w.step, "0123456789") != strlen(w.step))) {
		fprintf(stderr,
			"picket: --step takes the number that incident show tells, not %s\n",
			w.step);
		r = 2;
	}
	if (r || optind + 1 != argc) {
		json_decref(body);
		return misused(self, r);
	}
	set(body, "result", result);
	set(body, "step", w.step);
	return act(argv[optind], "/step", body, &w);
}

static int run_done(const struct pk_command *self, int argc, char **argv)
{
	return answer_step(self, argc, argv, "done");
}

static int run_skip(const struct pk_command *self, int argc, char **argv)
{
	return answer_step(self, argc, argv, "skipped");
}

static int run_revert(const struct pk_command *self, int argc, char **argv)
{
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 1 != argc)
		return misused(self, r);
	return act(argv[optind], "/revert", json_object(), &w);
}

static const struct option ls_options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "follow", no_argument, NULL, 'f' },
	{ "state", required_argument, NULL, STATE },
	{ "number", required_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option show_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option act_options[] = {
	{ "reason", required_argument, NULL, REASON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option step_options[] = {
	{ "step", required_argument, NULL, STEP },
	{ "reason", required_argument, NULL, REASON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option assign_options[] = {
	{ "team", required_argument, NULL, TEAM },
	{ "reason", required_argument, NULL, REASON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option close_options[] = {
	{ "verdict", required_argument, NULL, VERDICT },
	{ "reason", required_argument, NULL, REASON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option state_options[] = {
	{ "aware", no_argument, NULL, AWARE },
	{ "reason", required_argument, NULL, REASON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const struct option contain_options[] = {
	{ "dry-run", no_argument, NULL, DRY },
	{ "playbook", required_argument, NULL, PLAYBOOK },
	{ "reason", required_argument, NULL, REASON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const struct pk_command cmd_ls = {
	.name = "incident ls",
	.what = "incidents that are open",
	.usage = "incident ls [OPTION]...",
	.options = ls_options,
	.run = run_ls,
	.help = "  -a, --all        those that were closed, too\n"
		"  -f, --follow     print each as it begins, and again as it changes, until "
		"Ctrl-C\n"
		"      --state S    only new, triage, declared, contained, eradicated, recovered,\n"
		"                   closed, dismissed, duplicate or drill\n"
		"  -n, --number N   at most N (100), the latest\n"
		"  -o, --output F   table, json (one OCSF Incident Finding a line) or csv\n"
		"  -h, --help       this text\n\n"
		"Examples:\n"
		"  picket incident ls\n"
		"  picket incident ls -a -o json | jq .unmapped.picket.times\n",
};
static const struct pk_command cmd_show = {
	.name = "incident show",
	.what = "one incident: what happened, with whom, who did what, what to do",
	.usage = "incident show [-o table|json] ID",
	.options = show_options,
	.run = run_show,
	.help = "ID is its number or its whole id.\n\n"
		"Examples:\n"
		"  picket incident show 3\n"
		"  picket incident show 3 -o json | jq .unmapped.picket.graph\n",
};
static const struct pk_command cmd_ack = {
	.name = "incident ack",
	.what = "say that you have seen it and look at it",
	.usage = "incident ack [--reason TEXT] ID",
	.options = act_options,
	.run = run_ack,
	.help = "Examples:\n"
		"  picket incident ack 3\n",
};
static const struct pk_command cmd_assign = {
	.name = "incident assign",
	.what = "give it to somebody",
	.usage = "incident assign [--team TEAM] [--reason TEXT] ID [NAME]",
	.options = assign_options,
	.run = run_assign,
	.help = "Examples:\n"
		"  picket incident assign 3 alice\n",
};
static const struct pk_command cmd_note = {
	.name = "incident note",
	.what = "write something down with it",
	.usage = "incident note ID TEXT",
	.options = show_options + 1,
	.run = run_note,
	.help = "Examples:\n"
		"  picket incident note 3 'called the owner of the host, no answer'\n",
};
static const struct pk_command cmd_assess = {
	.name = "incident assess",
	.what = "say how bad it is, for what and whom, why it happened, what was learnt",
	.usage = "incident assess --reason TEXT ID NAME=VALUE...",
	.options = act_options,
	.run = run_assess,
	.help = "  confidentiality=, integrity=, availability=   none, low, medium or high\n"
		"  services=, assets=   what of the business, and which machines and data\n"
		"  personal-data=       yes or no\n"
		"  root-cause=          an id of your own; the same one within half a year is "
		"told\n"
		"  cause=, worked=, improvements=   the review, when it is over\n\n"
		"Texts of 255 bytes at most; an empty one takes it back. Closed ones, too.\n\n"
		"Examples:\n"
		"  picket incident assess 3 confidentiality=high services='web shop' --reason "
		"'first look'\n"
		"  picket incident assess 3 root-cause=shared-key improvements='keys per person' "
		"\\\n"
		"      --reason 'review of 12 May'\n"
		"  picket incident ls -a -o json | jq "
		"'select(.unmapped.picket.assessment.personal_data == \"yes\")'\n",
};
static const struct pk_command cmd_reported = {
	.name = "incident reported",
	.what = "say that somebody who must be told of it was",
	.usage = "incident reported --reason TEXT ID NAME",
	.options = act_options,
	.run = run_reported,
	.help = "NAME is one of incident.deadlines in the configuration; incident show tells which "
		"and\n"
		"until when. Write into the reason what proves it.\n\n"
		"Examples:\n"
		"  picket incident reported 3 'NIS2 early warning' --reason 'case CERT-4711'\n",
};
static const struct pk_command cmd_close = {
	.name = "incident close",
	.what = "close it, with a verdict",
	.usage = "incident close [--verdict V] --reason TEXT ID",
	.options = close_options,
	.run = run_close,
	.help = "      --verdict V      true-positive, false-positive, benign, test or duplicate;\n"
		"                       false-positive, benign and duplicate dismiss it\n"
		"      --reason TEXT    why; it stays with the incident\n"
		"  -h, --help           this text\n\n"
		"Examples:\n"
		"  picket incident close 3 --verdict benign --reason 'our own scanner'\n",
};
static const struct pk_command cmd_state = {
	.name = "incident state",
	.what = "move it to another state",
	.usage = "incident state [--aware] --reason TEXT ID [STATE]",
	.options = state_options,
	.run = run_state,
	.help = "      --aware          it is known to be significant: legal clocks begin now\n"
		"      --reason TEXT    why; it stays with the incident\n"
		"  -h, --help           this text\n\n"
		"States: triage, declared, contained, eradicated, recovered, closed, dismissed,\n"
		"duplicate, drill. triage opens a closed one again.\n\n"
		"Examples:\n"
		"  picket incident state 3 declared --reason 'the key was used'\n"
		"  picket incident state 3 --aware --reason 'personal data left'\n",
};

static const struct pk_command cmd_contain = {
	.name = "incident contain",
	.what = "have its playbook's steps taken: block, stop, keep evidence, prove it",
	.usage = "incident contain [--playbook P] --dry-run|--reason TEXT ID",
	.options = contain_options,
	.run = run_contain,
	.help = "      --dry-run        only say what would be done, to whom\n"
		"      --playbook P     this one (picket playbook ls), not the one for it\n"
		"      --reason TEXT    why; it stays with the incident\n"
		"  -h, --help           this text\n\n"
		"All steps are taken, also those that are not enabled to be taken without a\n"
		"person. An address that was never seen to complete a handshake is not blocked.\n\n"
		"Examples:\n"
		"  picket incident contain 3 --dry-run\n"
		"  picket incident contain 3 --reason 'it is real'\n",
};
static const struct pk_command cmd_done = {
	.name = "incident done",
	.what = "say that what its playbook waits for was done: it goes on",
	.usage = "incident done [--step N] --reason TEXT ID",
	.options = step_options,
	.run = run_done,
	.help = "      --step N         which, where several wait (picket incident show)\n"
		"      --reason TEXT    what was done; it stays with the incident\n"
		"  -h, --help           this text\n\n"
		"A playbook stops where a person is to do something. It goes on as its way leads\n"
		"after success; with what nobody did in the time that the playbook gives, as\n"
		"after failure.\n\n"
		"Examples:\n"
		"  picket incident done 3 --reason 'reimaged from the image of May'\n",
};
static const struct pk_command cmd_skip = {
	.name = "incident skip",
	.what = "go on without what its playbook waits for",
	.usage = "incident skip [--step N] --reason TEXT ID",
	.options = step_options,
	.run = run_skip,
	.help = "      --step N         which, where several wait (picket incident show)\n"
		"      --reason TEXT    why not; it stays with the incident\n"
		"  -h, --help           this text\n\n"
		"The playbook goes on as its way leads when this step fails.\n\n"
		"Examples:\n"
		"  picket incident skip 3 --reason 'the host is gone anyway'\n",
};
static const struct pk_command cmd_revert = {
	.name = "incident revert",
	.what = "take back what is in force: unblock, let go on",
	.usage = "incident revert --reason TEXT ID",
	.options = act_options,
	.run = run_revert,
	.help = "Examples:\n"
		"  picket incident revert 3 --reason 'it was our own backup'\n",
};

static const struct pk_command *const subs[] = {
	&cmd_ls,      &cmd_show, &cmd_ack,  &cmd_assign, &cmd_note,  &cmd_assess, &cmd_reported,
	&cmd_contain, &cmd_done, &cmd_skip, &cmd_revert, &cmd_close, &cmd_state,  NULL,
};

const struct pk_command pk_cmd_incident = {
	.name = "incident",
	.what = "what alerts add up to: list, show, acknowledge, contain, close",
	.usage = "incident "
		 "ls|show|ack|assign|note|assess|reported|contain|done|skip|revert|close|state "
		 "[ARGUMENT]...",
	.options = show_options + 1,
	.run = pk_command_sub,
	.sub = subs,
	.help = "Examples:\n"
		"  picket incident ls\n"
		"  picket incident show 3\n"
		"  picket incident ack 3\n",
};
