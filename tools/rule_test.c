/* SPDX-License-Identifier: Apache-2.0 */
/* `picket rule test`: what rules would have matched in a capture, by `picket replay`. */
#include "replay.h"
#include "rule.h"

#include <getopt.h>
#include <string.h>

static int run(const struct pk_command *self, int argc, char **argv)
{
	char *replay[] = { "replay", "--rules", NULL, "-o", "table", NULL, NULL };
	char *file = NULL;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "r:o:h", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 0;
		}
		if (c != 'r' && c != 'o')
			return pk_command_misused(self);
		*(c == 'r' ? &file : &replay[4]) = optarg;
	}
	if (!file || optind != argc - 1)
		return pk_command_misused(self);
	replay[2] = argv[optind];
	replay[5] = file;
	return pk_replay_main(6, replay);
}

static const struct option options[] = {
	{ "replay", required_argument, NULL, 'r' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_rule_test = {
	.name = "rule test",
	.what = "what Sigma rules would have matched in a capture",
	.usage = "rule test --replay CAPTURE [OPTION]... FILE|DIRECTORY",
	.options = options,
	.run = run,
	.help = "A capture has connections, DNS and HTTP, but no processes: rules of\n"
		"process_creation and auditd find nothing in it.\n\n"
		"  -r, --replay CAPTURE  the capture, as of `picket replay`\n"
		"  -o, --output F        as of `picket replay --alerts`\n"
		"  -h, --help            this text\n\n"
		"Examples:\n"
		"  sudo picket rule test rule.yml --replay capture.pcap\n",
};
