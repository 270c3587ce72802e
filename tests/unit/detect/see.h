/* SPDX-License-Identifier: Apache-2.0 */
/* A detector on its own: what it is shown, and what it said. One a program. */
#pragma once

#include "base/cleanup.h"
#include "conf/conf.h"
#include "detect/detect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOUND_MAX 256

static struct {
	struct pk_conf *conf;
	struct pk_world world;
	struct pk_detect *detect;
	struct pk_finding finding[FOUND_MAX];
	size_t n;                                  /* all of them, also those beyond FOUND_MAX */
	void (*watch)(const struct pk_finding *f); /* is shown each; NULL */
} seen;

static void seen_found(void *arg, struct pk_finding *f)
{
	(void)arg;
	if (seen.n < FOUND_MAX)
		seen.finding[seen.n] = *f;
	seen.n++;
	if (seen.watch)
		seen.watch(f);
}

/* All detectors but one are off. Set members of seen.world before. */
static inline void see_begin(const char *only)
{
	char off[4096] = "";

	seen.conf = pk_conf_new();
	for (size_t i = 0; i < pk_detectors_n; i++)
		if (strcmp(pk_detectors[i]->name, only) != 0) {
			strcat(off, *off ? "," : "");
			strcat(off, pk_detectors[i]->name);
		}
	assert_int_equal(pk_conf_set(seen.conf, "detect.off", off, NULL), 0);
	seen.world.conf = seen.conf;
	seen.n = 0;
	assert_int_equal(pk_detect_new(&seen.world, seen_found, NULL, &seen.detect), 0);
}

static inline void see_end(void)
{
	pk_detect_free(seen.detect);
	pk_conf_free(seen.conf);
	memset(&seen, 0, sizeof(seen));
}
