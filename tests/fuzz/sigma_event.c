/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event of any bytes against rules that say the same in two ways, as values and as regular
 * expressions: both fit, or neither.
 * fuzz-links: user/sigma/arena.c user/sigma/compile.c user/sigma/condition.c
 * fuzz-links: user/sigma/correlation.c user/sigma/encode.c user/sigma/exact.c user/sigma/field.c
 * fuzz-links: user/sigma/load.c user/sigma/load_correlation.c user/sigma/load_detection.c
 * fuzz-links: user/sigma/match.c user/sigma/modifier.c user/sigma/regex.c user/sigma/rule.c
 * fuzz-links: user/sigma/scan.c user/sigma/set.c user/sigma/state.c user/sigma/test.c
 * fuzz-links: user/sigma/value.c user/sigma/yaml_doc.c
 * fuzz-links: user/base/buf.c user/base/escape.c user/base/ip.c user/base/often.c
 */
#include "base/buf.h"
#include "sigma/match.h"
#include "sigma/set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The two ways; of one field, which may have several values. */
static const char *const pairs[][2] = {
	{ "Image: ab", "Image|re|i|s: '^ab\\z'" },
	{ "Image|cased: aB", "Image|re|s: '^aB\\z'" },
	{ "Image|contains: ab", "Image|re|i|s: 'ab'" },
	{ "Image|contains|cased: aB", "Image|re|s: 'aB'" },
	{ "Image|startswith: ab", "Image|re|i|s: '^ab'" },
	{ "Image|endswith: ab", "Image|re|i|s: 'ab\\z'" },
	{ "Image: 'a*b'", "Image|re|i|s: '^a.*b\\z'" },
	{ "Image: '*a*b*c*'", "Image|re|i|s: 'a.*b.*c'" },
	{ "Image: ''", "Image|re|s: '^\\z'" },
	{ "Image|contains: [xa, ya, zab]", "Image|re|i|s: '(x|y)a|zab'" },
	{ "Image|contains: [xa, ya]", "Image|re|i|s: '(x|y)a'" },
	{ "Image|neq: ab", "Image|neq|re|i|s: '^ab\\z'" },
	{ "Image: '*'", "Image|exists: true" },
};

#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static struct pk_sigma_set *set;
static struct pk_sigma_scratch *scratch;

static void make(void)
{
	struct pk_buf text = { 0 };

	for (size_t i = 0; i < 2 * PAIRS; i++)
		pk_buf_fmt(&text,
			   "title: t\nlogsource: {category: process_creation}\ndetection:\n"
			   "  s:\n    %s\n  condition: s\n---\n",
			   pairs[i / 2][i % 2]);
	if (pk_sigma_set_text("f", text.data, text.len, &set) < 0 || set->n_running != 2 * PAIRS ||
	    pk_sigma_scratch_new(set, &scratch) < 0)
		abort();
	pk_buf_done(&text);
}

static void on_hit(void *arg, const struct pk_sigma_hit *hit)
{
	((bool *)arg)[hit->rule->index] = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_sigma_event ev = { .source = PK_SIGMA_PROCESS };
	bool hit[2 * PAIRS] = { 0 };

	if (!set)
		make();
	ev.field[PK_SIGMA_F_IMAGE] = (struct pk_sigma_text){ size ? (const char *)data : "", size };
	pk_sigma_match(set, scratch, &ev, on_hit, hit);
	if (pk_sigma_scratch_counts(scratch)->re_gave_up)
		return 0; /* what was given up is no match, and may differ */
	for (size_t i = 0; i < PAIRS; i++)
		if (hit[2 * i] != hit[2 * i + 1]) {
			fprintf(stderr, "%s: %d, %s: %d\n", pairs[i][0], hit[2 * i], pairs[i][1],
				hit[2 * i + 1]);
			abort();
		}
	return 0;
}
