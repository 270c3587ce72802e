/* SPDX-License-Identifier: Apache-2.0 */
/* `picket rule check`: compiles rules as the agent would, and says what came of each. */
#include "rule.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/json.h"
#include "outcome.h"
#include "sigma/field.h"
#include "sigma/set.h"
#include "table.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_OK, EXIT_BROKEN = 1, EXIT_USAGE = 2, EXIT_UNSUPPORTED = 3 };

struct check {
	enum pk_format format;
	bool quiet; /* problems only */
};

static void text(struct pk_buf *out, const char *s)
{
	pk_escape_text(out, s, strlen(s));
}

static void print_words(struct pk_buf *out, const char *what, const struct pk_sigma_list *l)
{
	if (!l->n)
		return;
	pk_buf_fmt(out, "    %-12s", what);
	for (size_t i = 0; i < l->n; i++) {
		pk_buf_str(out, i ? ", " : "");
		text(out, l->v[i]);
	}
	pk_buf_char(out, '\n');
}

static void print_word(struct pk_buf *out, const char *what, const char *s)
{
	const struct pk_sigma_list l = { &s, s ? 1 : 0 };

	print_words(out, what, &l);
}

static void print_logsource(struct pk_buf *out, const struct pk_sigma_rule *rule)
{
	const char *part[] = { rule->product, rule->category, rule->service };
	bool first = true;

	pk_buf_fmt(out, "    %-12s", "logsource");
	for (size_t i = 0; i < PK_ARRAY_SIZE(part); i++) {
		if (!part[i])
			continue;
		pk_buf_str(out, first ? "" : " ");
		text(out, part[i]);
		first = false;
	}
	pk_buf_fmt(out, ", events of kind %s\n", pk_sigma_source_name(rule->source));
}

static void print_fields(struct pk_buf *out, const struct pk_sigma_rule *rule)
{
	bool first = true;

	pk_buf_fmt(out, "    %-12s", "needs");
	for (unsigned f = 0; f < PK_SIGMA_FIELDS; f++) {
		const char *name = pk_sigma_field_name(rule->row, f);

		if (!(rule->fields_used >> f & 1) || !name)
			continue;
		pk_buf_fmt(out, "%s%s", first ? "" : ", ", name);
		first = false;
	}
	pk_buf_char(out, '\n');
}

static void print_correlation(struct pk_buf *out, const struct pk_sigma_rule *rule)
{
	const struct pk_sigma_correlation *c = rule->correlation;

	print_words(out, "correlates", &c->rules);
	print_words(out, "group by", &c->group_by);
	pk_buf_fmt(out, "    %-12s%llu s\n", "within",
		   (unsigned long long)(c->timespan_ns / 1000000000u));
}

/* A rule that runs, in some lines. */
static void explain(struct pk_buf *out, const struct pk_sigma_rule *rule)
{
	const char *level = pk_sigma_level_name(rule->level);

	pk_buf_str(out, "ok  ");
	text(out, rule->title);
	pk_buf_char(out, '\n');
	print_word(out, "file", rule->file);
	print_word(out, "id", rule->id);
	print_word(out, "author", rule->author);
	print_word(out, "level", level);
	print_words(out, "techniques", &rule->techniques);
	if (rule->correlation) {
		print_correlation(out, rule);
	} else {
		print_logsource(out, rule);
		print_fields(out, rule);
	}
	if (rule->silent)
		pk_buf_str(out, "    only told of by correlations\n");
}

static void json_list(struct pk_json *j, const char *key, const struct pk_sigma_list *l)
{
	pk_json_arr(j, key);
	for (size_t i = 0; i < l->n; i++)
		pk_json_str(j, NULL, l->v[i]);
	pk_json_end(j);
}

static void json_problems(struct pk_json *j, const struct pk_sigma_rule *rule)
{
	pk_json_arr(j, "problems");
	for (const struct pk_sigma_problem *p = rule->problem; p; p = p->next) {
		pk_json_obj(j, NULL);
		pk_json_u64(j, "line", p->at.line);
		pk_json_u64(j, "column", p->at.column);
		pk_json_str(j, "kind", p->unsupported ? "unsupported" : "broken");
		pk_json_str(j, "text", p->text);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void json_fields(struct pk_json *j, const struct pk_sigma_rule *rule)
{
	pk_json_arr(j, "needs");
	for (unsigned f = 0; !rule->problem && !rule->correlation && f < PK_SIGMA_FIELDS; f++)
		if (rule->fields_used >> f & 1)
			pk_json_str(j, NULL, pk_sigma_field_name(rule->row, f));
	pk_json_end(j);
}

static void print_json(struct pk_buf *out, const struct pk_sigma_rule *rule)
{
	const char *state = !rule->problem                  ? "ok"
			    : pk_sigma_rule_is_broken(rule) ? "broken"
							    : "unsupported";
	struct pk_json j;

	pk_json_init(&j, out);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "state", state);
	pk_json_str(&j, "file", rule->file);
	pk_json_u64(&j, "line", rule->at.line);
	pk_json_str(&j, "title", rule->title);
	pk_json_str(&j, "id", rule->id);
	pk_json_str(&j, "author", rule->author);
	pk_json_str(&j, "status", rule->status);
	pk_json_str(&j, "level", pk_sigma_level_name(rule->level));
	json_list(&j, "techniques", &rule->techniques);
	pk_json_str(&j, "product", rule->product);
	pk_json_str(&j, "category", rule->category);
	pk_json_str(&j, "service", rule->service);
	pk_json_str(&j, "source", rule->source ? pk_sigma_source_name(rule->source) : NULL);
	json_fields(&j, rule);
	json_problems(&j, rule);
	pk_json_end(&j);
	pk_buf_char(out, '\n');
}

static void print_rule(const struct check *c, struct pk_buf *out, const struct pk_sigma_rule *rule)
{
	if (c->format == PK_FORMAT_JSON)
		print_json(out, rule);
	else if (rule->problem)
		pk_sigma_rule_problems(rule, out);
	else if (!c->quiet)
		explain(out, rule);
}

/* The agent can do without its directory; what somebody names is to be there. */
static int look_for(const char *const *path, size_t n)
{
	int r = EXIT_OK;

	for (size_t i = 0; i < n; i++)
		if (access(path[i], F_OK) < 0)
			r = pk_outcome_complain(path[i], strerror(errno));
	return r;
}

static int check(const struct check *c, const char *const *path, size_t n)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 }, errors = { 0 };
	_cleanup_(pk_sigma_set_freep) struct pk_sigma_set *set = NULL;
	int r = look_for(path, n);

	if (r)
		return r;
	r = pk_sigma_set_load(path, n, &errors, &set);
	if (r < 0) {
		fprintf(stderr, "picket: %s", errors.len ? errors.data : strerror(-r));
		fputs(errors.len ? "" : "\n", stderr);
		return EXIT_BROKEN;
	}
	for (size_t i = 0; i < set->rules.n; i++) {
		print_rule(c, &out, set->rules.v[i]);
		pk_outcome_flush(&out);
	}
	if (!set->rules.n)
		return pk_outcome_complain(n == 1 ? path[0] : "those files",
					   "there is no rule in it");
	fprintf(stderr, "picket: %u rules run, %u need what Picket has not, %u are broken\n",
		set->n_running, set->n_unsupported, set->n_broken);
	if (set->n_broken)
		return EXIT_BROKEN;
	return set->n_unsupported ? EXIT_UNSUPPORTED : EXIT_OK;
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	struct check c = { 0 };
	int opt;

	optind = 1;
	while ((opt = getopt_long(argc, argv, "qo:h", self->options, NULL)) >= 0) {
		switch (opt) {
		case 'q':
			c.quiet = true;
			break;
		case 'o':
			if (pk_format_parse(optarg, &c.format) < 0 || c.format == PK_FORMAT_CSV) {
				fprintf(stderr, "picket: -o takes table or json, not %s\n", optarg);
				return EXIT_USAGE;
			}
			break;
		case 'h':
			pk_command_usage(self, stdout);
			return EXIT_OK;
		default:
			return pk_command_misused(self);
		}
	}
	if (optind == argc)
		return pk_command_misused(self);
	return check(&c, (const char *const *)argv + optind, argc - optind);
}

static const struct option options[] = {
	{ "quiet", no_argument, NULL, 'q' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_rule_check = {
	.name = "rule check",
	.what = "compile Sigma rules, and explain them or what keeps them from running",
	.usage = "rule check [OPTION]... FILE|DIRECTORY...",
	.options = options,
	.run = run,
	.help = "Of directories all *.yml and *.yaml below them. A rule that needs a field, "
		"modifier\n"
		"or log source that Picket has not does not run, and the place is named.\n\n"
		"  -q, --quiet          only what does not run\n"
		"  -o, --output F       table or json\n"
		"  -h, --help           this text\n\n"
		"Exit status: 0 all run, 1 some are broken or nothing is there, 2 wrong usage, 3 "
		"some\n"
		"need what Picket has not.\n\n"
		"Examples:\n"
		"  picket rule check /etc/picket/rules.d\n"
		"  picket rule check -o json rule.yml\n",
};
