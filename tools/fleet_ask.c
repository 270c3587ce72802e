/* SPDX-License-Identifier: Apache-2.0 */
/* Reads options, finds the files of a certificate. What is asked is the commands' own. */
#include "fleet_ask.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "hosts.h"
#include "outcome.h"
#include "remote.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARALLEL     16
#define PARALLEL_MAX 256

void pk_fleet_ask_init(struct pk_fleet_ask *a, const char *as)
{
	*a = (struct pk_fleet_ask){ .as = as, .parallel = PARALLEL };
}

int pk_fleet_ask_number(const char *option, uint64_t max, uint64_t *ret)
{
	char *end;

	*ret = strtoull(optarg, &end, 10);
	if (*optarg >= '0' && *optarg <= '9' && !*end && *ret <= max)
		return 0;
	fprintf(stderr, "picket: --%s takes a number from 0 to %" PRIu64 ", not %s\n", option, max,
		optarg);
	return 2;
}

int pk_fleet_ask_take(struct pk_fleet_ask *a, int option)
{
	const char **const text[] = {
		[PK_FA_GROUP - PK_FA_TO] = &a->group, [PK_FA_CERT - PK_FA_TO] = &a->cert,
		[PK_FA_KEY - PK_FA_TO] = &a->key,     [PK_FA_CA - PK_FA_TO] = &a->ca,
		[PK_FA_PKI - PK_FA_TO] = &a->pki,     [PK_FA_AS - PK_FA_TO] = &a->as
	};

	if (option == PK_FA_TO) {
		if (a->n_to == PK_FLEET_TO_MAX)
			return 2;
		a->to[a->n_to++] = optarg;
		return 0;
	}
	if (option == PK_FA_PARALLEL) {
		if (pk_fleet_ask_number("parallel", PARALLEL_MAX, &a->parallel))
			return 2;
		return a->parallel ? 0 : 2;
	}
	if (option < PK_FA_TO || option > PK_FA_AS)
		return 2;
	*text[option - PK_FA_TO] = optarg;
	return 0;
}

static void say(const char *what, const char *why)
{
	_cleanup_(pk_buf_done) struct pk_buf text = {};

	pk_buf_fmt(&text, "%s: %s", what, why);
	pk_outcome_say(text.data ? text.data : why);
}

int pk_fleet_ask_hosts(const struct pk_fleet_ask *a, struct pk_hosts *h)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	int r = 0;

	for (unsigned i = 0; i < a->n_to && r == 0; i++)
		r = pk_hosts_add(h, a->to[i], a->group, &error);
	if (r < 0)
		say("--to", error.data ? error.data : strerror(-r));
	return r < 0;
}

static char *pki_file(const char *dir, const char *name, const char *end)
{
	char *path;

	return asprintf(&path, "%s/%s%s", dir, name, end) < 0 ? NULL : path;
}

struct pk_remote *pk_fleet_ask_remote(const struct pk_fleet_ask *a)
{
	const char *dir = a->pki ? a->pki : "/etc/picket/pki";
	_cleanup_free_ char *cert = pki_file(dir, a->as, ".crt");
	_cleanup_free_ char *key = pki_file(dir, a->as, ".key");
	_cleanup_free_ char *ca = pki_file(dir, "ca", ".crt");
	const struct pk_remote_as as = { .cert = a->cert ? a->cert : cert,
					 .key = a->key ? a->key : key,
					 .ca = a->ca ? a->ca : ca };
	struct pk_remote *r = NULL;

	if (!as.cert || !as.key || !as.ca) {
		say("certificate", "out of memory");
		return NULL;
	}
	if (access(as.cert, R_OK) < 0 || access(as.key, R_OK) < 0 || access(as.ca, R_OK) < 0) {
		say(as.cert, "certificate, key and authority must be there and readable: --pki DIR "
			     "and --as NAME, or --cert, --key and --ca");
		return NULL;
	}
	r = pk_remote_new(&as, (unsigned)a->parallel);
	if (!r)
		say("certificate", "out of memory");
	return r;
}
