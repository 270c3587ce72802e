/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of rules: a rule around a detection, and whether an event fits it. */
#pragma once

#include "sigma/correlation.h"
#include "sigma/match.h"
#include "sigma/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RULE_HEAD                                                                                  \
	"title: t\nlogsource:\n  category: process_creation\n  product: linux\ndetection:\n"

/* Fields in the order of the array's indices; NULL: absent. */
struct fields {
	const char *image, *command_line, *user, *pid, *parent;
};

static inline struct pk_sigma_text text_of(const char *s)
{
	return (struct pk_sigma_text){ s, s ? strlen(s) : 0 };
}

static inline struct pk_sigma_event event_of(const struct fields *f)
{
	struct pk_sigma_event ev = { .source = PK_SIGMA_PROCESS };

	ev.field[PK_SIGMA_F_IMAGE] = text_of(f->image);
	ev.field[PK_SIGMA_F_COMMAND_LINE] = text_of(f->command_line);
	ev.field[PK_SIGMA_F_USER] = text_of(f->user);
	ev.field[PK_SIGMA_F_PROCESS_ID] = text_of(f->pid);
	ev.field[PK_SIGMA_F_PARENT_IMAGE] = text_of(f->parent);
	return ev;
}

static inline struct pk_sigma_set *set_of(const char *text)
{
	struct pk_sigma_set *set = NULL;

	assert_int_equal(pk_sigma_set_text("r.yml", text, strlen(text), &set), 0);
	return set;
}

/* A rule of one detection ("  s:\n    Image: x\n") and a condition. */
static inline struct pk_sigma_set *rule_of(const char *detection, const char *condition)
{
	char text[8192];

	snprintf(text, sizeof(text), "%s%s  condition: %s\n", RULE_HEAD, detection, condition);
	return set_of(text);
}

/* What keeps the first rule from running; "": nothing. */
static inline const char *problem_of(const struct pk_sigma_set *set)
{
	assert_true(set->rules.n >= 1);
	return set->rules.v[0]->problem ? set->rules.v[0]->problem->text : "";
}

static inline void on_hit_count(void *arg, const struct pk_sigma_hit *hit)
{
	(void)hit;
	++*(unsigned *)arg;
}

static inline bool fits_event(const struct pk_sigma_set *set, const struct pk_sigma_event *ev)
{
	struct pk_sigma_scratch *s;
	unsigned n = 0;
	int r;

	assert_string_equal(problem_of(set), "");
	assert_int_equal(pk_sigma_scratch_new(set, &s), 0);
	r = pk_sigma_match(set, s, ev, on_hit_count, &n);
	assert_int_equal(r, n);
	pk_sigma_scratch_free(s);
	return n;
}

static inline bool fits(const struct pk_sigma_set *set, const struct fields *f)
{
	struct pk_sigma_event ev = event_of(f);

	return fits_event(set, &ev);
}
