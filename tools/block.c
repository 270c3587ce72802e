/* SPDX-License-Identifier: Apache-2.0 */
/* `picket block`, `picket unblock`: single addresses and prefixes, and what processes may do. */
#include "base/cleanup.h"
#include "block_args.h"
#include "client.h"
#include "command.h"
#include "entry.h"
#include "outcome.h"
#include "table.h"

#include <picket/api.h>
#include <string.h>

static const struct pk_column columns[] = {
	{ "PREFIX", 28, false, false, pk_v_prefix },
	{ "LIMITS", 24, false, false, pk_v_limits },
	{ "ENDS", 19, false, false, pk_v_expires },
	{ "LIST", 12, false, true, pk_v_list },
};

static void print(json_t *answer, bool unblock, const struct pk_block_args *a)
{
	json_t *rows = json_object_get(answer, unblock ? "removed" : "added"), *row;
	json_t *missing = json_object_get(answer, "missing");
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	struct pk_table t;
	size_t i;

	if (a->json || a->csv) {
		pk_table_init(&t, columns, PK_ARRAY_SIZE(columns),
			      a->json ? PK_FORMAT_JSON : PK_FORMAT_CSV);
		json_array_foreach(rows, i, row) pk_table_row(&t, &out, row);
		fwrite(out.data ? out.data : "", 1, out.len, stdout);
	} else {
		json_array_foreach(rows, i, row) pk_outcome_entry(&out, row, unblock);
		fwrite(out.data ? out.data : "", 1, out.len, stdout);
	}
	pk_buf_reset(&out);
	json_array_foreach(missing, i, row)
	{
		pk_buf_str(&out, "picket: not there: ");
		pk_entry_text(&out, row);
		pk_buf_char(&out, '\n');
	}
	fwrite(out.data ? out.data : "", 1, out.len, stderr);
}

static int change(const struct pk_command *self, bool unblock, int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	struct pk_block_args a = {};
	struct pk_client client;
	struct pk_client_ask ask = { .method = unblock ? "DELETE" : "POST", .path = PK_API_BLOCKS };
	json_t *answer = NULL, *problem = NULL;
	char *body;
	int r;

	if (pk_block_args(argc, argv, unblock, &a, &error) < 0) {
		json_decref(a.body);
		if (error.len)
			pk_outcome_say(error.data);
		return pk_command_misused(self);
	}
	if (a.help) {
		json_decref(a.body);
		pk_command_usage(self, stdout);
		return 0;
	}
	body = json_dumps(a.body, JSON_COMPACT);
	json_decref(a.body);
	ask.body = body;
	ask.len = body ? strlen(body) : 0;
	pk_client_init(&client, NULL);
	r = pk_client_send(&client, &ask, &answer, &problem, &error);
	if (r)
		pk_outcome_problem(error.data, NULL, problem);
	else
		print(answer, unblock, &a);
	if (!r && json_is_false(json_object_get(answer, "kept")))
		pk_outcome_say("it is done, but who did it is not on the disk: picket status tells "
			       "why");
	if (!r && json_array_size(json_object_get(answer, "missing")))
		r = 1;
	json_decref(answer);
	json_decref(problem);
	free(body);
	return r;
}

static int run_block(const struct pk_command *self, int argc, char **argv)
{
	return change(self, false, argc, argv);
}

static int run_unblock(const struct pk_command *self, int argc, char **argv)
{
	return change(self, true, argc, argv);
}

const struct pk_command pk_cmd_block = {
	.name = "block",
	.what = "drop what comes from and goes to addresses or names, or what a process sends",
	.usage = "block [OPTION]... ADDRESS|PREFIX|RANGE|NAME...\n"
		 "       picket block [OPTION]... --exe PATH|--container NAME|--user NAME|--cgroup "
		 "PATH [--to PREFIX]",
	.options = pk_block_options,
	.run = run_block,
	.help = "      --ttl TIME       until then: 90s, 30m, 1h, 7d; without it for good\n"
		"      --dir WAY        in (from there), out (to there), both (the default)\n"
		"      --proto P        only tcp, udp, icmp, ... or a protocol's number\n"
		"      --port N[-N]     only to this destination port\n"
		"      --iface IF       only on this interface\n"
		"      --reason TEXT    why; shown wherever the entry is\n"
		"      --list NAME      the list it goes to (manual)\n"
		"      --allow          never drop it: goes to a list that allows (allowed)\n"
		"      --sni-only       of a name: only connections that name it (TLS, QUIC, "
		"HTTP);\n"
		"                       its addresses stay open for other names\n"
		"      --refuse-query   of a name: DNS queries for it fail at once, besides\n"
		"      --exe PATH, --container NAME, --user NAME, --cgroup PATH\n"
		"                       what processes of it send, to anywhere or --to PREFIX:\n"
		"                       connect() and sendmsg() fail with EPERM\n"
		"      --wide           prefixes shorter than /8 (IPv4) or /19 (IPv6), and names "
		"that\n"
		"                       many share (com, co.uk), too\n"
		"      --force-cover A  although it covers A, an address that must be reached\n"
		"  -o, --output F       table, json or csv\n"
		"  -h, --help           this text\n\n"
		"A name covers what is below it. The addresses that DNS answers give for it are\n"
		"blocked as long as the answers count, unless other names were lately found at\n"
		"them, too; connections that carry the name are cut.\n\n"
		"It counts at once and is saved. Refused, with the reason: what covers this\n"
		"host's own addresses, its gateways, its resolvers, the address you sit at.\n\n"
		"Examples:\n"
		"  picket block 192.0.2.7\n"
		"  picket block 198.51.100.0/24 2001:db8::/32 --ttl 1h --reason 'port scan'\n"
		"  picket block 203.0.113.9 --dir in --proto tcp --port 22\n"
		"  picket block evil.example --refuse-query\n"
		"  picket block --exe /usr/bin/curl --to 0.0.0.0/0 --wide\n",
};

const struct pk_command pk_cmd_unblock = {
	.name = "unblock",
	.what = "take back what block did",
	.usage = "unblock [OPTION]... ADDRESS|PREFIX|RANGE|NAME...\n"
		 "       picket unblock [OPTION]... --exe PATH|--container NAME|--user "
		 "NAME|--cgroup "
		 "PATH [--to PREFIX]",
	.options = pk_unblock_options,
	.run = run_unblock,
	.help = "      --dir, --proto, --port, --iface, --exe, --container, --user, --cgroup, "
		"--to\n"
		"                       as they were given to block: they tell entries apart\n"
		"      --reason TEXT    why; kept with who did it, and when\n"
		"      --list NAME      the list it is in (manual)\n"
		"      --allow          it was given with --allow (list allowed)\n"
		"  -o, --output F       table, json or csv\n"
		"  -h, --help           this text\n\n"
		"`picket check ADDRESS|NAME` says by which list and entry it is blocked.\n\n"
		"Examples:\n"
		"  picket unblock 192.0.2.7 --reason 'it was a partner'\n"
		"  picket unblock 203.0.113.9 --dir in --proto tcp --port 22\n",
};
