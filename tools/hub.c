/* SPDX-License-Identifier: Apache-2.0 */
/* `picket hub`: what is shown of what it found. Consuming is hub_run.c's. */
#include "hub.h"

#include "base/cleanup.h"
#include "column.h"
#include "conf/conf.h"
#include "hub/query.h"
#include "incident_show.h"
#include "outcome.h"
#include "show.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG = 256, DB, REPLICAS, DAYS };

#define CONFIG_OPTION                                                                              \
	{                                                                                          \
		"config", required_argument, NULL, CONFIG                                          \
	}
#define DB_OPTION                                                                                  \
	{                                                                                          \
		"db", required_argument, NULL, DB                                                  \
	}
#define OUTPUT_OPTION                                                                              \
	{                                                                                          \
		"output", required_argument, NULL, 'o'                                             \
	}
#define HELP_OPTION                                                                                \
	{                                                                                          \
		"help", no_argument, NULL, 'h'                                                     \
	}
#define CONFIG_HELP "      --config FILE      instead of " PK_HUB_CONF "\n"
#define DB_HELP                                                                                    \
	"      --db WHERE         instead of hub.db: a file, or postgresql://HOST/DATABASE\n"
#define HELP_HELP "  -h, --help             this text\n\n"

static bool knows(const struct pk_command *self, int c)
{
	for (const struct option *o = self->options; o->name; o++)
		if (o->val == c)
			return true;
	return false;
}

static bool read_count(const char *s, unsigned max, unsigned *ret)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end || !n || n > max)
		return false;
	*ret = (unsigned)n;
	return true;
}

static int read_one(int c, struct pk_hub_wish *w)
{
	switch (c) {
	case CONFIG:
		w->config = optarg;
		return 0;
	case DB:
		w->db = optarg;
		return 0;
	case REPLICAS:
		if (read_count(optarg, 5, &w->replicas))
			return 0;
		break;
	case DAYS:
		if (read_count(optarg, 3650, &w->days))
			return 0;
		break;
	case 'n':
		if (read_count(optarg, 1000000, &w->number))
			return 0;
		break;
	case 'o':
		if (pk_format_parse(optarg, &w->format) == 0)
			return 0;
		fprintf(stderr, "picket: -o takes table, json or csv, not %s\n", optarg);
		return 2;
	default:
		return 2;
	}
	fprintf(stderr, "picket: %s is no number that this takes\n", optarg);
	return 2;
}

int pk_hub_options(const struct pk_command *self, int argc, char **argv, struct pk_hub_wish *w)
{
	int c, r;

	optind = 1;
	while ((c = getopt_long(argc, argv, "o:n:h", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 1;
		}
		r = knows(self, c) ? read_one(c, w) : 2;
		if (r)
			return r;
	}
	return 0;
}

struct pk_conf *pk_hub_conf(const struct pk_hub_wish *w)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = { 0 };
	struct pk_conf *conf = NULL;

	if (pk_conf_load(w->config, &errors, &conf) == 0 &&
	    (!w->db || pk_conf_set(conf, "hub.db", w->db, &errors) == 0))
		return conf;
	pk_conf_free(conf);
	pk_buf_char(&errors, '\0');
	fprintf(stderr, "%s", errors.data ? errors.data : "picket: no memory\n");
	return NULL;
}

static void v_number(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(o, "unmapped.picket.number"));
}

static void v_severity(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(o, "severity"));
}

static void v_hosts(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(o, "unmapped.picket.hosts"));
}

static void v_rule(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(o, "finding_info.analytic.uid"));
}

static void v_message(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(o, "message"));
}

const struct pk_column pk_hub_columns[] = {
	{ "NUMBER", 6, true, false, v_number },      { "TIME", 12, false, false, pk_column_time },
	{ "SEVERITY", 8, false, false, v_severity }, { "WHAT", 15, false, false, v_rule },
	{ "HOSTS", 5, true, false, v_hosts },        { "MEANS", 24, false, true, v_message },
};
const size_t pk_hub_columns_n = PK_ARRAY_SIZE(pk_hub_columns);

static void v_host(struct pk_buf *out, json_t *o, bool human)
{
	const char *name = pk_json_text(o, "host");

	pk_buf_str(out, *name || !human ? name : "(no host)");
}

static void v_clock(struct pk_buf *out, double ms, bool human)
{
	if (!human)
		pk_buf_fmt(out, "%.0f", ms);
	else if (ms > 0)
		pk_show_clock(out, (json_int_t)ms);
	else
		pk_buf_char(out, '-');
}

static void v_last(struct pk_buf *out, json_t *o, bool human)
{
	v_clock(out, pk_json_num(o, "last_seen_time"), human);
}

static void v_alerts(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(o, "alerts"));
}

static void v_lost(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(o, "values_lost"));
}

static void v_evicted(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(o, "evicted"));
}

static void v_refused(struct pk_buf *out, json_t *o, bool human)
{
	const char *key, *sep = "";
	json_t *n;

	json_object_foreach(json_object_get(o, "refused"), key, n)
	{
		pk_buf_fmt(out, "%s%s %.0f", sep, key, json_number_value(n));
		sep = ", ";
	}
	if (!*sep && human)
		pk_buf_char(out, '-');
}

static const struct pk_column host_columns[] = {
	{ "HOST", 16, false, false, v_host },     { "LAST", 12, false, false, v_last },
	{ "ALERTS", 6, true, false, v_alerts },   { "LOST", 4, true, false, v_lost },
	{ "EVICTED", 7, true, false, v_evicted }, { "REFUSED", 16, false, true, v_refused },
};

struct printer {
	struct pk_table table;
	struct pk_buf out;
};

static void print_row(void *arg, const char *json)
{
	struct printer *p = arg;
	json_t *o = json_loads(json, 0, NULL);

	if (o)
		pk_table_row(&p->table, &p->out, o);
	json_decref(o);
}

static void print_page(void *arg, const char *json)
{
	struct printer *p = arg;
	json_t *o = json_loads(json, 0, NULL);

	if (o && p->table.format == PK_FORMAT_TABLE)
		pk_alert_show(&p->out, o);
	else if (o)
		pk_table_row(&p->table, &p->out, o);
	json_decref(o);
}

static int said(const struct pk_hub_view *v, int r)
{
	if (r < 0)
		pk_outcome_say(*v->why ? v->why : strerror(-r));
	return r < 0 ? 1 : 0;
}

static int run_ls(const struct pk_command *self, int argc, char **argv)
{
	struct pk_hub_wish w = { .config = PK_HUB_CONF, .number = 100 };
	_cleanup_(pk_conf_freep) struct pk_conf *conf = NULL;
	struct printer p = { .out = { 0 } };
	struct pk_hub_view v = { .row = print_row, .arg = &p };
	int r = pk_hub_options(self, argc, argv, &w);

	if (r || optind < argc)
		return r == 1 ? 0 : pk_command_misused(self);
	conf = pk_hub_conf(&w);
	if (!conf)
		return 1;
	pk_table_init(&p.table, pk_hub_columns, pk_hub_columns_n, w.format);
	v.where = conf->hub_db;
	r = pk_hub_findings(&v, w.number);
	pk_outcome_flush(&p.out);
	return said(&v, r);
}

static int run_show(const struct pk_command *self, int argc, char **argv)
{
	struct pk_hub_wish w = { .config = PK_HUB_CONF };
	_cleanup_(pk_conf_freep) struct pk_conf *conf = NULL;
	struct printer p = { .out = { 0 } };
	struct pk_hub_view v = { .row = print_page, .arg = &p };
	unsigned number;
	int r = pk_hub_options(self, argc, argv, &w);

	if (r || optind + 1 != argc || !read_count(argv[optind], 1u << 31, &number))
		return r == 1 ? 0 : pk_command_misused(self);
	conf = pk_hub_conf(&w);
	if (!conf)
		return 1;
	pk_table_init(&p.table, pk_hub_columns, pk_hub_columns_n, w.format);
	v.where = conf->hub_db;
	r = pk_hub_finding(&v, number);
	pk_outcome_flush(&p.out);
	return said(&v, r);
}

static int run_hosts(const struct pk_command *self, int argc, char **argv)
{
	struct pk_hub_wish w = { .config = PK_HUB_CONF };
	_cleanup_(pk_conf_freep) struct pk_conf *conf = NULL;
	struct printer p = { .out = { 0 } };
	struct pk_hub_view v = { .row = print_row, .arg = &p };
	int r = pk_hub_options(self, argc, argv, &w);

	if (r || optind < argc)
		return r == 1 ? 0 : pk_command_misused(self);
	conf = pk_hub_conf(&w);
	if (!conf)
		return 1;
	pk_table_init(&p.table, host_columns, PK_ARRAY_SIZE(host_columns), w.format);
	v.where = conf->hub_db;
	r = pk_hub_hosts(&v);
	pk_outcome_flush(&p.out);
	return said(&v, r);
}

static const struct option show_options[] = {
	OUTPUT_OPTION, DB_OPTION, CONFIG_OPTION, HELP_OPTION, { NULL, 0, NULL, 0 },
};

static const struct option ls_options[] = {
	{ "number", required_argument, NULL, 'n' },
	OUTPUT_OPTION,
	DB_OPTION,
	CONFIG_OPTION,
	HELP_OPTION,
	{ NULL, 0, NULL, 0 },
};

static const struct option init_options[] = {
	{ "replicas", required_argument, NULL, REPLICAS },
	{ "days", required_argument, NULL, DAYS },
	CONFIG_OPTION,
	HELP_OPTION,
	{ NULL, 0, NULL, 0 },
};

static const struct pk_command cmd_init = {
	.name = "hub init",
	.what = "make the stream, with a certificate that may",
	.usage = "hub init [OPTION]...",
	.options = init_options,
	.run = pk_hub_init,
	.help = "      --replicas N       servers that keep it (3)\n"
		"      --days N           how long it keeps alerts (30)\n" CONFIG_HELP HELP_HELP
		"Examples:\n"
		"  picket hub init --config admin.yaml\n",
};

static const struct pk_command cmd_run = {
	.name = "hub run",
	.what = "take alerts from the stream and print what is found, until it is ended",
	.usage = "hub run [OPTION]...",
	.options = show_options,
	.run = pk_hub_run,
	.help = "  -o, --output FORMAT    json (lines of OCSF, as it is) or table\n" DB_HELP
		CONFIG_HELP HELP_HELP "Examples:\n"
		"  picket hub run -o table\n"
		"  systemctl start picket-hub\n",
};

static const struct pk_command cmd_ls = {
	.name = "hub ls",
	.what = "list what was found",
	.usage = "hub ls [OPTION]...",
	.options = ls_options,
	.run = run_ls,
	.help = "  -n, --number N         only the newest N (100)\n"
		"  -o, --output FORMAT    table, json or csv\n" DB_HELP CONFIG_HELP HELP_HELP
		"Examples:\n"
		"  picket hub ls -n 10\n",
};

static const struct pk_command cmd_show = {
	.name = "hub show",
	.what = "tell all of one finding",
	.usage = "hub show [OPTION]... NUMBER",
	.options = show_options,
	.run = run_show,
	.help = "  -o, --output FORMAT    table (a page), json or csv\n" DB_HELP CONFIG_HELP
		HELP_HELP "Examples:\n"
		"  picket hub show 3\n",
};

static const struct pk_command cmd_hosts = {
	.name = "hub hosts",
	.what = "list the hosts that are heard of, and what was refused of them",
	.usage = "hub hosts [OPTION]...",
	.options = show_options,
	.run = run_hosts,
	.help = "LOST are addresses and names that a record had too many of, or of no valid "
		"form.\n\n"
		"  -o, --output FORMAT    table, json or csv\n" DB_HELP CONFIG_HELP HELP_HELP
		"Examples:\n"
		"  picket hub hosts\n",
};

static const struct pk_command *const subs[] = { &cmd_init, &cmd_run,   &cmd_ls,
						 &cmd_show, &cmd_hosts, NULL };

const struct pk_command pk_cmd_hub = {
	.name = "hub",
	.what = "find in the alerts of all hosts what no single one sees",
	.usage = "hub init|run|ls|show|hosts [ARGUMENT]...",
	.run = pk_command_sub,
	.sub = subs,
	.help = "Reads sections nats and hub of " PK_HUB_CONF ". The database is a file of SQLite "
		"or,\nby hub.db or --db, one of PostgreSQL; a password for it is never "
		"an argument:\nname a file with passfile=, use ~/.pgpass or PGPASSWORD.\n\n"
		"Examples:\n"
		"  picket hub run -o table\n"
		"  picket hub ls --db "
		"'postgresql://reader@db.example/picket?sslmode=verify-full'\n",
};
