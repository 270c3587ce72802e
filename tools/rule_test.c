/* SPDX-License-Identifier: Apache-2.0 */
/* `picket rule test`: what rules would have matched in a capture, or in what the store keeps. */
#include "block_args.h"
#include "replay.h"
#include "rule.h"
#include "rule_kept.h"

#include <getopt.h>
#include <string.h>

/* As `picket replay --rules RULES`. */
static int test_capture(char *rules, char *file, char *format)
{
	char *replay[] = { "replay", "--rules", rules, "-o", format, file, NULL };

	return pk_replay_main(6, replay);
}

static int test_kept(const char *rules, const char *since, const char *format)
{
	enum pk_format f;
	uint64_t s;

	if (pk_args_seconds(since, &s) < 0) {
		fprintf(stderr, "picket: --since takes a time as in 90s, 30m, 24h or 7d, not %s\n",
			since);
		return 2;
	}
	if (pk_format_parse(format, &f) < 0) {
		fprintf(stderr, "picket: -o takes table, json or csv, not %s\n", format);
		return 2;
	}
	return pk_rule_test_kept(rules, s, f);
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	char *file = NULL, *since = NULL, *format = "table";
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "r:s:o:h", self->options, NULL)) >= 0) {
		switch (c) {
		case 'r':
			file = optarg;
			break;
		case 's':
			since = optarg;
			break;
		case 'o':
			format = optarg;
			break;
		case 'h':
			pk_command_usage(self, stdout);
			return 0;
		default:
			return pk_command_misused(self);
		}
	}
	if (!file == !since || optind != argc - 1)
		return pk_command_misused(self);
	return file ? test_capture(argv[optind], file, format)
		    : test_kept(argv[optind], since, format);
}

static const struct option options[] = {
	{ "replay", required_argument, NULL, 'r' },
	{ "since", required_argument, NULL, 's' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_rule_test = {
	.name = "rule test",
	.what = "what Sigma rules would have matched in a capture, or in what is kept",
	.usage = "rule test --replay CAPTURE|--since TIME [OPTION]... FILE|DIRECTORY",
	.options = options,
	.run = run,
	.help = "A capture has connections, DNS and HTTP, but no processes, users or command "
		"lines, and\n"
		"no side that is this host's. The store keeps flows that ended, with\n"
		"ends, protocol, program, process, user, who began them and a name: rules of\n"
		"network_connection, firewall and Zeek's conn can be asked of it. One that needs "
		"more\n"
		"(starts of programs, DNS, HTTP, command lines) is named with what is not there, "
		"and not\n"
		"tested; so it is with a capture.\n\n"
		"  -r, --replay CAPTURE  the capture, as of `picket replay`; needs root\n"
		"  -s, --since TIME      flows that ended since then (30m, 24h, 7d), from the "
		"agent's\n"
		"                        store\n"
		"  -o, --output F        table, json or csv, as of `picket replay --alerts`\n"
		"  -h, --help            this text\n\n"
		"Exit status: 0 tested, 1 failed, or no rule could be tested, 2 wrong usage, 3 "
		"some rules\n"
		"ask for what is not kept, or not in a capture.\n\n"
		"Examples:\n"
		"  sudo picket rule test --replay capture.pcap rule.yml\n"
		"  picket rule test --since 24h rule.yml\n"
		"  picket rule test --since 7d -o json /etc/picket/rules.d | jq -c "
		".finding_info.title\n",
};
