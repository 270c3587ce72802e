/* SPDX-License-Identifier: Apache-2.0 */
/* What commands that ask many hosts are told alike: which hosts, by whose certificate. */
#pragma once

#include <stdint.h>

struct pk_hosts;
struct pk_remote;

#define PK_FLEET_TO_MAX 64

enum {
	PK_FA_TO = 256,
	PK_FA_GROUP,
	PK_FA_CERT,
	PK_FA_KEY,
	PK_FA_CA,
	PK_FA_PKI,
	PK_FA_AS,
	PK_FA_PARALLEL,
	PK_FA_END
};

#define PK_FA_OPTIONS                                                                              \
	{ "to", required_argument, NULL, PK_FA_TO },                                               \
		{ "group", required_argument, NULL, PK_FA_GROUP },                                 \
		{ "pki", required_argument, NULL, PK_FA_PKI },                                     \
		{ "as", required_argument, NULL, PK_FA_AS },                                       \
		{ "cert", required_argument, NULL, PK_FA_CERT },                                   \
		{ "key", required_argument, NULL, PK_FA_KEY },                                     \
		{ "ca", required_argument, NULL, PK_FA_CA },                                       \
	{                                                                                          \
		"parallel", required_argument, NULL, PK_FA_PARALLEL                                \
	}

#define PK_FA_HELP(as)                                                                             \
	"      --to HOST[:PORT] (7443) or a file of groups of them; may be repeated\n"             \
	"      --group NAME     of the file, instead of all in it\n"                               \
	"      --pki DIR        of certificates, as `picket pki` makes them\n"                     \
	"                       (/etc/picket/pki)\n"                                               \
	"      --as NAME        whose certificate of these (" as ")\n"                             \
	"      --cert FILE, --key FILE, --ca FILE\n"                                               \
	"                       instead of those two\n"                                            \
	"      --parallel N     hosts at once (16)\n"

struct pk_fleet_ask {
	const char *group, *cert, *key, *ca, *pki, *as;
	const char *to[PK_FLEET_TO_MAX];
	unsigned n_to;
	uint64_t parallel;
};

void pk_fleet_ask_init(struct pk_fleet_ask *a, const char *as);
/* An option that getopt_long() found. 0; 2 after a complaint, or as it is none of these. */
int pk_fleet_ask_take(struct pk_fleet_ask *a, int option);
/* The hosts of --to. 0; 1 after a complaint. */
int pk_fleet_ask_hosts(const struct pk_fleet_ask *a, struct pk_hosts *h);
/* NULL after a complaint. */
struct pk_remote *pk_fleet_ask_remote(const struct pk_fleet_ask *a);
/* "N" for --option, at most max. 0; 2 after a complaint. */
int pk_fleet_ask_number(const char *option, uint64_t max, uint64_t *ret);
