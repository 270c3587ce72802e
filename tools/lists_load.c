/* SPDX-License-Identifier: Apache-2.0 */
/* `picket list load` and `picket list diff`. */
#include "base/cleanup.h"
#include "base/escape.h"
#include "client.h"
#include "command.h"
#include "entry.h"
#include "list_file.h"
#include "lists_show.h"
#include "outcome.h"
#include "table.h"

#include <picket/api.h>
#include <string.h>

static void count(struct pk_buf *out, json_t *answer, const char *path, const char *what)
{
	if (pk_json_num(answer, path) > 0)
		pk_buf_fmt(out, ", %.0f %s", pk_json_num(answer, path), what);
}

/* What the file was made of. */
static void about_file(struct pk_buf *out, json_t *a)
{
	pk_buf_fmt(out, "  read as %s: %.0f lines, %.0f entries", pk_json_text(a, "read.format"),
		   pk_json_num(a, "read.lines"), pk_json_num(a, "read.entries"));
	count(out, a, "read.names", "names");
	count(out, a, "read.doubles", "said twice");
	count(out, a, "read.covered", "within others");
	count(out, a, "read.host_bits", "with bits behind the prefix");
	count(out, a, "read.ignored", "of no use (revoked, ended, other kinds)");
	pk_buf_char(out, '\n');
}

static void print_load(struct pk_list_file *l, json_t *a)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	const char *mode = pk_json_text(a, "mode");
	json_t *by = json_object_get(a, "confirm_by");

	pk_buf_fmt(&out, "%s: %.0f entries %s: %.0f came, %.0f went, %.0f stayed\n", l->name,
		   pk_json_num(a, "entries"),
		   !strcmp(mode, "observe") ? "observed"
		   : !strcmp(mode, "off")   ? "loaded, but the list is off"
					    : "in force",
		   pk_json_num(a, "added"), pk_json_num(a, "removed"), pk_json_num(a, "kept"));
	about_file(&out, a);
	pk_buf_fmt(&out, "  took %.0f ms to read, %.0f ms to put in force",
		   pk_json_num(a, "took.read_ms"), pk_json_num(a, "took.enforce_ms"));
	if (json_is_true(json_object_get(a, "saved")))
		pk_buf_fmt(&out, ", %.0f ms to save", pk_json_num(a, "took.save_ms"));
	pk_buf_char(&out, '\n');
	if (*pk_json_text(a, "note")) {
		pk_buf_str(&out, "  ");
		pk_escape_text(&out, pk_json_text(a, "note"), strlen(pk_json_text(a, "note")));
		pk_buf_char(&out, '\n');
	}
	if (by) {
		pk_buf_str(&out, "  NOT KEPT YET: what was before comes back ");
		pk_entry_ago(&out, json_integer_value(by));
		pk_buf_fmt(&out, ", unless you say: picket list confirm %s\n", l->name);
	}
	pk_buf_str(&out, "  tag ");
	pk_list_tag(&out, a);
	pk_buf_char(&out, '\n');
	pk_outcome_flush(&out);
	pk_outcome_skipped(pk_list_file_shown(l), a);
}

static int run_load(const struct pk_command *self, int argc, char **argv)
{
	char name[PK_LIST_NAME_MAX + 1];
	_cleanup_free_ char *path = NULL;
	_cleanup_(pk_list_file_done) struct pk_list_file l = {};
	json_t *answer = NULL;
	int r = pk_list_file_args(self, &l, argc, argv);

	if (r)
		return pk_command_misused(self);
	if (l.help) {
		pk_command_usage(self, stdout);
		return 0;
	}
	path = pk_list_file_path(&l, name, "");
	if (!path)
		return 2;
	pk_list_file_set_source(&l);
	r = pk_list_file_send(&l, "PUT", path, &answer);
	if (!r && l.format == PK_FORMAT_JSON)
		pk_list_file_print_json(answer);
	else if (!r)
		print_load(&l, answer);
	json_decref(answer);
	return r;
}

static void print_diff(struct pk_list_file *l, json_t *a)
{
	static const struct {
		const char *member, *sign, *total;
	} part[] = { { "remove", "-", "removed" }, { "add", "+", "added" } };
	_cleanup_(pk_buf_done) struct pk_buf out = {}, tag = {};
	size_t shown = 0, i;
	json_t *v;

	for (size_t k = 0; k < PK_ARRAY_SIZE(part); k++) {
		json_array_foreach(json_object_get(a, part[k].member), i, v)
		{
			pk_buf_str(&out, part[k].sign);
			if (json_is_string(v))
				pk_escape_text(&out, json_string_value(v), json_string_length(v));
			else
				pk_entry_text(&out, v);
			pk_buf_char(&out, '\n');
		}
		if (pk_json_num(a, part[k].total) > (double)i)
			pk_buf_fmt(&out, "%s and %.0f more\n", part[k].sign,
				   pk_json_num(a, part[k].total) - (double)i);
		shown += i;
	}
	pk_outcome_flush(&out);
	fprintf(stderr, "picket: %s: %.0f entries would come, %.0f would go, %.0f stay\n", l->name,
		pk_json_num(a, "added"), pk_json_num(a, "removed"), pk_json_num(a, "kept"));
	pk_list_tag(&tag, a);
	if (tag.len)
		fprintf(stderr,
			"picket: %s: list load --if-match %s loads it only if nobody changes the "
			"list until then\n",
			l->name, tag.data);
	pk_outcome_skipped(pk_list_file_shown(l), a);
}

static int run_diff(const struct pk_command *self, int argc, char **argv)
{
	char name[PK_LIST_NAME_MAX + 1];
	_cleanup_free_ char *path = NULL;
	_cleanup_(pk_list_file_done) struct pk_list_file l = {};
	json_t *answer = NULL;
	int r = pk_list_file_args(self, &l, argc, argv);

	if (r)
		return pk_command_misused(self);
	if (l.help) {
		pk_command_usage(self, stdout);
		return 0;
	}
	path = pk_list_file_path(&l, name, "/diff");
	if (!path)
		return 2;
	r = pk_list_file_send(&l, "POST", path, &answer);
	if (!r && l.format == PK_FORMAT_JSON)
		pk_list_file_print_json(answer);
	else if (!r)
		print_diff(&l, answer);
	json_decref(answer);
	return r;
}

static const struct option load_options[] = {
	PK_LF_READING,
	{ "name", required_argument, NULL, PK_LF_NAME },
	{ "allow", no_argument, NULL, PK_LF_ALLOW },
	{ "mode", required_argument, NULL, PK_LF_MODE },
	{ "wide", no_argument, NULL, PK_LF_WIDE },
	{ "force-cover", required_argument, NULL, PK_LF_FORCE },
	{ "sni-only", no_argument, NULL, PK_LF_SNI_ONLY },
	{ "refuse-query", no_argument, NULL, PK_LF_REFUSE_QUERY },
	{ "confirm", required_argument, NULL, PK_LF_CONFIRM },
	{ "ttl", required_argument, NULL, PK_LF_TTL },
	{ "if-match", required_argument, NULL, PK_LF_IF_MATCH },
	PK_LF_ENDING,
};
static const struct option diff_options[] = {
	PK_LF_READING,
	{ "name", required_argument, NULL, PK_LF_NAME },
	{ "allow", no_argument, NULL, PK_LF_ALLOW },
	{ "wide", no_argument, NULL, PK_LF_WIDE },
	{ "force-cover", required_argument, NULL, PK_LF_FORCE },
	{ "ttl", required_argument, NULL, PK_LF_TTL },
	PK_LF_ENDING,
};
const struct pk_command pk_cmd_list_load = {
	.name = "list load",
	.what = "replace a list by a file, in one step",
	.usage = "list load [OPTION]... FILE|-",
	.options = load_options,
	.run = run_load,
	.help = "      --name NAME      of the list; without it that of the file\n"
		"      --mode MODE      enforce, observe (count only), off; without it as it is,\n"
		"                       or enforce when it is new\n"
		"      --allow          a list of what is never to be dropped\n"
		"      --confirm TIME   back to what was unless you say `picket list confirm`\n"
		"      --if-match TAG   only if the list is the one of this tag still\n"
		"      --ttl TIME       its entries end then\n" PK_LF_HELP
		"      --sni-only       of names only what carries them is cut, addresses stay "
		"open\n"
		"      --refuse-query   DNS queries for its names fail at once, besides\n"
		"      --wide           prefixes shorter than /8 (IPv4) or /19 (IPv6), and names "
		"that\n"
		"                       many share (com, co.uk), too\n"
		"      --force-cover A  although it covers A, an address that must be reached\n"
		"  -o, --output F       table or json\n"
		"  -h, --help           this text\n\n"
		"A bad line is told with its number and changes nothing, unless --skip-bad is "
		"given.\n\n"
		"Examples:\n"
		"  picket list load drop.txt\n"
		"  picket list load --refuse-query malware-domains.hosts\n"
		"  picket list load --confirm 60s --name feeds feeds.csv.gz --column ip\n"
		"  curl -s https://feeds.example/list | picket list load --name feed -\n",
};

const struct pk_command pk_cmd_list_diff = {
	.name = "list diff",
	.what = "what loading a file would change",
	.usage = "list diff [OPTION]... FILE|-",
	.options = diff_options,
	.run = run_diff,
	.help = "      --name NAME      of the list; without it that of the file\n" PK_LF_HELP
		"      --allow, --wide, --force-cover A, --ttl TIME\n"
		"                       as for load\n"
		"  -o, --output F       table or json\n"
		"  -h, --help           this text\n\n"
		"Examples:\n"
		"  picket list diff drop.txt\n"
		"  picket list diff --name drop new.netset | grep -c '^+'\n",
};
