/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed list that is in force has expired, or no server had one that is to be fetched: nothing
 * newer came in time. Who signs lists may have forgotten, or somebody keeps newer ones away so that
 * what they would block goes on.
 */
#include "detect/detect.h"
#include "detect/registry.h"

#include <stdio.h>
#include <string.h>

#define HEAD "signed list "

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	struct pk_finding f = { .ts_ns = s->now_ns };
	const char *name, *end;
	bool fetched; /* or was to be */
	int n;

	(void)state; /* none */
	/* agent_sign.c: "signed list NAME: the signature of version N has expired, ...";
	 * agent_pull.c: "signed list NAME: no mirror had it for ..." */
	fetched = strstr(s->notice, ": no mirror had it");
	if (strncmp(s->notice, HEAD, sizeof(HEAD) - 1) != 0 ||
	    (!fetched && !strstr(s->notice, " has expired")))
		return;
	name = s->notice + sizeof(HEAD) - 1;
	end = strchr(name, ':');
	n = (int)(end ? end - name : 0);
	pk_finding_plain(&f, "The block list %.*s is out of date: no newer one came in time.", n,
			 name);
	pk_finding_detail(&f, "%s. %s", s->notice,
			  fetched ? "Its servers may be away, or somebody keeps this host from "
				    "them; what came before stays in force."
				  : "A list carries the time until which who signed it vouches for "
				    "it; after that only a newer version will do.");
	pk_finding_field(&f, "list", "%.*s", n, name);
	pk_finding_fold(&f, name, (size_t)n);
	pk_detect_found(d, &pk_detect_stale_list, &f);
}

const struct pk_detector pk_detect_stale_list = {
	.name = "stale_list",
	.title = "A signed block list is out of date",
	.technique = { "T1685" },
	.severity = PK_MEDIUM,
	.confidence = 90,
	.doubt = "Nobody signed a new version in time, or the servers that have it are away.",
	.next = "Sign and push a new version; if one was pushed, find out who keeps it from "
		"coming.",
	.wants = 1u << PK_SEE_NOTICE,
	.see = see,
};
