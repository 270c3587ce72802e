/* SPDX-License-Identifier: Apache-2.0 */
/* `picket verify`: reads the agent's store and its checkpoints, without the agent. */
#include "store/verify.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/json.h"
#include "command.h"
#include "conf/conf.h"
#include "store/store.h"
#include "table.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { DB = 256, CHECKPOINTS, KEY };

/* What to read: as told, else beside the database, that else where the configuration has it. */
struct files {
	char db[512], checkpoints[512], key[512];
};

static void beside(const char *db, const char *name, char out[512])
{
	const char *slash = strrchr(db, '/');

	snprintf(out, 512, "%.*s%s", slash ? (int)(slash - db + 1) : 0, db, name);
}

/* The agent's own, unless that can not be read. */
static void find_files(const char *db, const char *checkpoints, const char *key, struct files *f)
{
	_cleanup_(pk_conf_freep) struct pk_conf *conf = NULL;
	_cleanup_(pk_buf_done) struct pk_buf errors = { 0 };

	if (!db && pk_conf_load(NULL, &errors, &conf) < 0)
		conf = pk_conf_new();
	if (db)
		snprintf(f->db, sizeof(f->db), "%s", db);
	else
		snprintf(f->db, sizeof(f->db), "%s/store/" PK_STORE_FILE,
			 conf ? conf->state_dir : "/var/lib/picket");
	if (key)
		snprintf(f->key, sizeof(f->key), "%s", key);
	else
		beside(f->db, PK_STORE_PUB, f->key);
	if (!checkpoints && conf && *conf->store_checkpoints)
		checkpoints = conf->store_checkpoints;
	if (checkpoints)
		snprintf(f->checkpoints, sizeof(f->checkpoints), "%s", checkpoints);
	else
		beside(f->db, PK_STORE_CHECKPOINTS, f->checkpoints);
}

static void print_json(const struct pk_verify *v)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };
	struct pk_json j;

	pk_json_init(&j, &out);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "result", pk_verify_code_name(v->code));
	pk_json_u64(&j, "code", v->code);
	pk_json_str(&j, "chain_uid", v->chain_uid);
	pk_json_u64(&j, "first", v->first);
	pk_json_u64(&j, "last", v->last);
	pk_json_u64(&j, "records", v->records);
	pk_json_u64(&j, "objects", v->objects);
	pk_json_u64(&j, "pruned_through", v->base);
	pk_json_obj(&j, "checkpoints");
	pk_json_u64(&j, "of_this_chain", v->checkpoints);
	pk_json_u64(&j, "of_others", v->checkpoints_other);
	pk_json_u64(&j, "unreadable", v->checkpoints_unreadable);
	pk_json_u64(&j, "anchored", v->anchored_n);
	pk_json_u64(&j, "anchored_time", v->anchored_ms);
	pk_json_end(&j);
	pk_json_u64(&j, "faults", v->faults_n);
	pk_json_arr(&j, "fault");
	for (uint64_t i = 0; i < v->faults_n && i < PK_VERIFY_FAULTS; i++) {
		pk_json_obj(&j, NULL);
		pk_json_str(&j, "kind", pk_verify_code_name(v->fault[i].code));
		pk_json_u64(&j, "sequence", v->fault[i].sequence);
		pk_json_str(&j, "text", v->fault[i].text);
		pk_json_end(&j);
	}
	pk_json_end(&j);
	pk_json_end(&j);
	printf("%s\n", out.data ? out.data : "{}");
}

static const char *when(uint64_t ms, char out[32])
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	if (!localtime_r(&s, &tm) || !strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm))
		strcpy(out, "?");
	return out;
}

static void print_text(const struct pk_verify *v, const struct files *f)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };
	char at[32];

	if (v->code == PK_VERIFY_OK)
		pk_buf_fmt(&out, "ok: %" PRIu64 " records are whole and as they were written\n",
			   v->records);
	else
		pk_buf_fmt(&out, "%s: %" PRIu64 " %s in %" PRIu64 " records\n",
			   pk_verify_code_name(v->code), v->faults_n,
			   v->faults_n == 1 ? "fault" : "faults", v->records);
	for (uint64_t i = 0; i < v->faults_n && i < PK_VERIFY_FAULTS; i++) {
		pk_buf_str(&out, "  ");
		pk_escape_text(&out, v->fault[i].text, strlen(v->fault[i].text));
		pk_buf_char(&out, '\n');
	}
	if (v->faults_n > PK_VERIFY_FAULTS)
		pk_buf_fmt(&out, "  and %" PRIu64 " more\n", v->faults_n - PK_VERIFY_FAULTS);
	if (v->base)
		pk_buf_fmt(&out, "  pruned through record %" PRIu64 ", signed\n", v->base);
	if (v->anchored_n) {
		pk_buf_fmt(&out, "  the last checkpoint that holds: record %" PRIu64 ", %s, in ",
			   v->anchored_n, when(v->anchored_ms, at));
		pk_escape_text(&out, f->checkpoints, strlen(f->checkpoints));
		pk_buf_char(&out, '\n');
	}
	if (v->checkpoints_unreadable)
		pk_buf_fmt(&out, "  %" PRIu64 " lines of the checkpoints can not be read\n",
			   v->checkpoints_unreadable);
	fwrite(out.data ? out.data : "", 1, out.len, stdout);
}

static int verify(const struct files *f, enum pk_format format)
{
	static struct pk_verify v;
	_cleanup_(pk_buf_done) struct pk_buf error = { 0 };

	if (pk_verify_run(f->db, f->checkpoints, f->key, &v) < 0) {
		pk_escape_text(&error, v.error, strlen(v.error));
		fprintf(stderr, "picket: %s\n", error.data ? error.data : "out of memory");
		return 1;
	}
	if (format == PK_FORMAT_JSON)
		print_json(&v);
	else
		print_text(&v, f);
	return v.code;
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	const char *given[3] = { NULL };
	enum pk_format format = PK_FORMAT_TABLE;
	struct files f;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "o:h", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 0;
		}
		if (c == '?')
			return 1; /* 2 is a verdict here */
		if (c == 'o' && (pk_format_parse(optarg, &format) < 0 || format == PK_FORMAT_CSV)) {
			fprintf(stderr, "picket: -o takes table or json, not %s\n", optarg);
			return 1;
		}
		if (c >= DB)
			given[c - DB] = optarg;
	}
	if (optind < argc) {
		(void)pk_command_misused(self);
		return 1;
	}
	find_files(given[0], given[1], given[2], &f);
	return verify(&f, format);
}

static const struct option options[] = {
	{ "db", required_argument, NULL, DB },
	{ "checkpoints", required_argument, NULL, CHECKPOINTS },
	{ "key", required_argument, NULL, KEY },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_verify = {
	.name = "verify",
	.what = "are alerts, incidents and acts as they were recorded",
	.usage = "verify [OPTION]...",
	.options = options,
	.run = run,
	.help = "      --db FILE           the database; without it that of the configuration\n"
		"      --checkpoints FILE  signed checkpoints, best a copy from another host;\n"
		"                          without it those of the configuration or beside FILE\n"
		"      --key FILE          public key; without it store.pub beside FILE\n"
		"  -o, --output F          table or json\n"
		"  -h, --help              this text\n\n"
		"Exit status: 0 all is well; 2 a record or what it is about was altered, 3 some "
		"are\n"
		"missing, 4 the end was cut off, 5 the chain was written anew or replaced, 6 no\n"
		"signed checkpoint to hold it against; 1 it could not be checked.\n\n"
		"Examples:\n"
		"  picket verify\n"
		"  picket verify --db store.db --checkpoints /mnt/far/web1.jsonl --key web1.pub\n",
};
