/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule file of any bytes: each rule runs or has a problem with a text, and those that run take an
 * event made of the same bytes.
 * fuzz-links: user/sigma/arena.c user/sigma/compile.c user/sigma/condition.c
 * fuzz-links: user/sigma/correlation.c user/sigma/encode.c user/sigma/exact.c user/sigma/field.c
 * fuzz-links: user/sigma/load.c user/sigma/load_correlation.c user/sigma/load_detection.c
 * fuzz-links: user/sigma/match.c user/sigma/modifier.c user/sigma/regex.c user/sigma/rule.c
 * fuzz-links: user/sigma/scan.c user/sigma/set.c user/sigma/state.c user/sigma/test.c
 * fuzz-links: user/sigma/value.c user/sigma/yaml_doc.c
 * fuzz-links: user/base/buf.c user/base/escape.c user/base/ip.c user/base/often.c
 */
#include "base/buf.h"
#include "sigma/correlation.h"
#include "sigma/field.h"
#include "sigma/set.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct pk_sigma_set *set;
	struct pk_sigma_state *state;
};

static void require(int ok)
{
	if (!ok)
		abort();
}

static void on_correlation(void *arg, const struct pk_sigma_hit *hit)
{
	(void)arg;
	require(hit->rule->correlation && !hit->rule->problem && hit->group);
}

static void on_hit(void *arg, const struct pk_sigma_hit *hit)
{
	const struct run *run = arg;

	require(!hit->rule->problem && hit->n_found <= PK_SIGMA_FOUND_MAX);
	for (size_t i = 0; i < hit->n_found; i++)
		require(hit->found[i].pattern != NULL && hit->found[i].name != NULL);
	pk_sigma_state_feed(run->state, run->set, hit, on_correlation, arg);
}

/* The fields of an event of each kind are parts of the input. */
static void match_all(struct run *run, struct pk_sigma_scratch *s, const uint8_t *data, size_t size)
{
	struct pk_sigma_event ev = { 0 };

	for (unsigned f = 0; f < PK_SIGMA_FIELDS; f++)
		if (size >= 16 * f + 8)
			ev.field[f] = (struct pk_sigma_text){ (const char *)data + 16 * f,
							      f % 3 ? 8 : (size - 16 * f) % 512 };
	for (unsigned source = 1; source < PK_SIGMA_SOURCES; source++) {
		ev.source = source;
		ev.ts_ns += 1000000000;
		require(pk_sigma_match(run->set, s, &ev, on_hit, run) >= 0);
	}
	pk_sigma_state_tick(run->state, run->set, 1ull << 62, on_correlation, run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = { .state = pk_sigma_state_new(8, 16) };
	struct pk_sigma_scratch *s = NULL;
	struct pk_buf text = { 0 };

	require(run.state != NULL);
	if (pk_sigma_set_text("f", (const char *)data, size, &run.set) == 0) {
		for (size_t i = 0; i < run.set->rules.n; i++) {
			const struct pk_sigma_rule *rule = run.set->rules.v[i];

			text.len = 0;
			pk_sigma_rule_problems(rule, &text);
			require(!rule->problem == !text.len);
		}
		require(pk_sigma_scratch_new(run.set, &s) == 0);
		match_all(&run, s, data, size);
	}
	pk_buf_done(&text);
	pk_sigma_scratch_free(s);
	pk_sigma_set_free(run.set);
	pk_sigma_state_free(run.state);
	return 0;
}
