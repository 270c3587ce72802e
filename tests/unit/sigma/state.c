/* SPDX-License-Identifier: Apache-2.0 */
/* Correlations over time: each type with what makes it true and what just does not; bounds. */
#include "rule_of.h"

#define S 1000000000ull
#define RULES                                                                                      \
	"title: One\nname: one\nlogsource:\n  category: process_creation\n  product: linux\n"      \
	"detection:\n  s:\n    Image: /one\n  condition: s\n---\n"                                 \
	"title: Two\nname: two\nlogsource:\n  category: process_creation\n  product: linux\n"      \
	"detection:\n  s:\n    Image: /two\n  condition: s\n---\n"

struct run {
	struct pk_sigma_set *set;
	struct pk_sigma_scratch *scratch;
	struct pk_sigma_state *state;
	unsigned hits;
	uint64_t count, first_ns;
	char title[32], group[64];
};

static void on_correlation(void *arg, const struct pk_sigma_hit *hit)
{
	struct run *run = arg;

	run->hits++;
	run->count = hit->count;
	run->first_ns = hit->first_ns;
	snprintf(run->title, sizeof(run->title), "%s", hit->rule->title);
	snprintf(run->group, sizeof(run->group), "%s", hit->group);
}

static void on_hit(void *arg, const struct pk_sigma_hit *hit)
{
	struct run *run = arg;

	pk_sigma_state_feed(run->state, run->set, hit, on_correlation, run);
}

static void begin(struct run *run, const char *correlation, uint32_t groups, uint32_t marks)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s%s", RULES, correlation);
	*run = (struct run){ .set = set_of(text) };
	for (size_t i = 0; i < run->set->rules.n; i++)
		if (run->set->rules.v[i]->problem)
			fail_msg("%s", run->set->rules.v[i]->problem->text);
	assert_int_equal(pk_sigma_scratch_new(run->set, &run->scratch), 0);
	run->state = pk_sigma_state_new(groups, marks);
	assert_non_null(run->state);
}

static void end(struct run *run)
{
	pk_sigma_state_free(run->state);
	pk_sigma_scratch_free(run->scratch);
	pk_sigma_set_free(run->set);
}

/* At second t user runs image with a command line; how many correlations became true. */
static unsigned at(struct run *run, uint64_t t, const char *image, const char *user,
		   const char *line)
{
	const struct fields f = { .image = image, .user = user, .command_line = line };
	struct pk_sigma_event ev = event_of(&f);

	ev.ts_ns = t * S;
	run->hits = 0;
	pk_sigma_match(run->set, run->scratch, &ev, on_hit, run);
	return run->hits;
}

static unsigned tick(struct run *run, uint64_t t)
{
	run->hits = 0;
	pk_sigma_state_tick(run->state, run->set, t * S, on_correlation, run);
	return run->hits;
}

#define CORRELATION(type, rules, condition)                                                        \
	"title: Many\ncorrelation:\n  type: " type "\n  rules: [" rules "]\n  group-by: [User]\n"  \
	"  timespan: 10s\n" condition

static void test_event_count(void **state)
{
	struct run run;

	(void)state;
	begin(&run, CORRELATION("event_count", "one", "  condition: {gte: 3}\n"), 16, 64);
	assert_int_equal(at(&run, 1, "/one", "a", ""), 0);
	assert_int_equal(at(&run, 5, "/one", "a", ""), 0);
	assert_int_equal(at(&run, 6, "/one", "b", ""), 0);  /* another group */
	assert_int_equal(at(&run, 7, "/two", "a", ""), 0);  /* another rule */
	assert_int_equal(at(&run, 12, "/one", "a", ""), 0); /* the first is too old */
	assert_int_equal(at(&run, 15, "/one", "a", ""), 1); /* 5, 12 and 15 */
	assert_string_equal(run.title, "Many");
	assert_string_equal(run.group, "User=a");
	assert_int_equal(run.count, 3);
	assert_int_equal(run.first_ns, 5 * S);
	assert_int_equal(at(&run, 15, "/one", "a", ""), 0); /* it began anew */
	assert_int_equal(at(&run, 15, "/one", "a", ""), 0);
	assert_int_equal(at(&run, 15, "/one", "a", ""), 1);
	assert_int_equal(at(&run, 15, "/one", NULL, ""), 0); /* nobody to group by */
	end(&run);
}

static void test_value_count(void **state)
{
	struct run run;

	(void)state;
	begin(&run, CORRELATION("value_count", "one", "  condition: {field: CommandLine, gt: 2}\n"),
	      16, 64);
	assert_int_equal(at(&run, 1, "/one", "a", "x"), 0);
	assert_int_equal(at(&run, 2, "/one", "a", "x"), 0);
	assert_int_equal(at(&run, 3, "/one", "a", "y"), 0);
	assert_int_equal(at(&run, 4, "/one", "a", "x"), 0);
	assert_int_equal(at(&run, 13, "/one", "a", "z"), 1); /* x is of second 4 by now */
	assert_int_equal(run.count, 3);
	assert_int_equal(at(&run, 20, "/one", "b", "x"), 0);
	assert_int_equal(at(&run, 21, "/one", "b", "y"), 0);
	assert_int_equal(at(&run, 31, "/one", "b", "z"), 0); /* x is too old */
	end(&run);
}

static void test_temporal(void **state)
{
	struct run run;

	(void)state;
	begin(&run, CORRELATION("temporal", "one, two", ""), 16, 64);
	assert_int_equal(at(&run, 1, "/two", "a", ""), 0);
	assert_int_equal(at(&run, 12, "/one", "a", ""), 0); /* too late */
	assert_int_equal(at(&run, 13, "/two", "b", ""), 0);
	assert_int_equal(at(&run, 14, "/two", "a", ""), 1); /* any order */
	end(&run);
	begin(&run, CORRELATION("temporal_ordered", "one, two", ""), 16, 64);
	assert_int_equal(at(&run, 1, "/two", "a", ""), 0);
	assert_int_equal(at(&run, 2, "/one", "a", ""), 0);
	assert_int_equal(at(&run, 13, "/two", "a", ""), 0);
	assert_int_equal(at(&run, 14, "/one", "a", ""), 0);
	assert_int_equal(at(&run, 16, "/one", "a", ""), 0);
	assert_int_equal(at(&run, 26, "/two", "a", ""), 1);
	assert_int_equal(run.first_ns, 16 * S); /* the newest sequence */
	end(&run);
}

/* Upper bounds are judged when the window has ended. */
static void test_windows(void **state)
{
	static const struct {
		const char *condition;
		unsigned events;
		bool met;
	} rows[] = {
		{ "  condition: {lt: 3}\n", 2, true },
		{ "  condition: {lt: 3}\n", 3, false },
		{ "  condition: {lte: 3}\n", 3, true },
		{ "  condition: {lte: 3}\n", 4, false },
		{ "  condition: {eq: 2}\n", 2, true },
		{ "  condition: {eq: 2}\n", 3, false },
		{ "  condition: {neq: 2}\n", 3, true },
		{ "  condition: {neq: 2}\n", 2, false },
		{ "  condition: {gt: 1, lte: 3}\n", 2, true },
		{ "  condition: {gt: 1, lte: 3}\n", 1, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run run;
		char text[512];

		snprintf(text, sizeof(text), "%s%s", CORRELATION("event_count", "one", ""),
			 rows[i].condition);
		begin(&run, text, 16, 64);
		for (unsigned e = 0; e < rows[i].events; e++)
			assert_int_equal(at(&run, 1 + e, "/one", "a", ""), 0);
		assert_int_equal(tick(&run, 11), 0);
		if (tick(&run, 12) != rows[i].met)
			fail_msg("%s with %u", rows[i].condition, rows[i].events);
		assert_int_equal(tick(&run, 30), 0);
		end(&run);
	}
}

static void test_chain_and_alias(void **state)
{
	struct run run;

	(void)state;
	begin(&run,
	      "title: Some\nname: some\ncorrelation:\n  type: event_count\n  rules: [one]\n"
	      "  group-by: [User]\n  timespan: 10s\n  condition: {gte: 2}\n---\n"
	      "title: Then\ncorrelation:\n  type: temporal_ordered\n  rules: [some, two]\n"
	      "  group-by: [who]\n  aliases:\n    who: {one: User, two: CommandLine}\n"
	      "  timespan: 10s\n",
	      16, 64);
	assert_int_equal(at(&run, 1, "/one", "a", ""), 0);
	assert_int_equal(at(&run, 2, "/two", "x", "a"), 0);
	assert_int_equal(at(&run, 3, "/one", "a", ""), 1); /* Some, which feeds Then */
	assert_int_equal(at(&run, 4, "/two", "a", "b"), 0);
	assert_int_equal(at(&run, 5, "/two", "x", "a"), 1);
	assert_string_equal(run.title, "Then");
	assert_true(run.set->rules.v[0]->silent);
	assert_true(run.set->rules.v[2]->silent);
	assert_false(run.set->rules.v[3]->silent);
	end(&run);
}

static void test_refused(void **state)
{
	static const struct {
		const char *correlation, *says;
	} rows[] = {
		{ CORRELATION("event_count", "three", "  condition: {gte: 3}\n"),
		  "there is no rule three" },
		{ CORRELATION("event_count", "Many", "  condition: {gte: 3}\n") "name: Many\n",
		  "refers to itself" },
		{ CORRELATION("event_count", "one", "  condition: {gte: 20000}\n"), "10000" },
		{ CORRELATION("value_count", "one", "  condition: {field: X, gte: 2}\n"),
		  "no field X" },
		{ CORRELATION("temporal_ordered", "one, two", "  condition: {lt: 2}\n"),
		  "has to see all" },
		{ CORRELATION("event_count", "one", "  condition: {gt: 5, lt: 3}\n"),
		  "no count can meet it" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pk_sigma_set *set;
		char text[4096];

		snprintf(text, sizeof(text), "%s%s", RULES, rows[i].correlation);
		set = set_of(text);
		if (!set->rules.v[2]->problem ||
		    !strstr(set->rules.v[2]->problem->text, rows[i].says))
			fail_msg("%s: %s", rows[i].correlation,
				 set->rules.v[2]->problem ? set->rules.v[2]->problem->text : "");
		/* what it refers to goes on, and speaks for itself */
		assert_null(set->rules.v[0]->problem);
		assert_false(set->rules.v[0]->silent);
		assert_int_equal(set->rules.v[0]->n_refs, 0);
		pk_sigma_set_free(set);
	}
}

/* Ten thousand users in sixteen groups: memory stays, the busy one is still found. */
static void test_bounded(void **state)
{
	struct pk_sigma_state_counts c;
	struct run run;
	unsigned found = 0;

	(void)state;
	begin(&run, CORRELATION("event_count", "one", "  condition: {gte: 3}\n"), 16, 32);
	for (unsigned i = 0; i < 10000; i++) {
		char user[16];

		snprintf(user, sizeof(user), "u%u", i);
		found += at(&run, 1, "/one", i % 10 ? user : "busy", "");
	}
	pk_sigma_state_counts(run.state, &c);
	assert_int_equal(found, 1000 / 3);
	assert_int_equal(c.groups, 16);
	assert_true(c.marks <= 32);
	assert_true(c.evicted > 8000);
	assert_int_equal(tick(&run, 1000), 0);
	pk_sigma_state_counts(run.state, &c);
	assert_int_equal(c.groups, 0);
	assert_int_equal(c.marks, 0);
	end(&run);
}

/* One group that wants more marks than there are keeps the newest. */
static void test_full_pool(void **state)
{
	struct run run;

	(void)state;
	begin(&run, CORRELATION("event_count", "one", "  condition: {gte: 30}\n"), 16, 8);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(at(&run, 1, "/one", "a", ""), 0);
	end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_count),     cmocka_unit_test(test_value_count),
		cmocka_unit_test(test_temporal),        cmocka_unit_test(test_windows),
		cmocka_unit_test(test_chain_and_alias), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounded),         cmocka_unit_test(test_full_pool),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
