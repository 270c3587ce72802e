/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Literals at the end of a text are found, whichever search vectorscan takes for so many, and what
 * stands in memory behind the text is none of it. Evidence and fields: set.c; all else:
 * tests/replay/sigma.t.
 */
#include "sigma/match.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "rule_of.h"

/* Words share no beginnings and have 2 to 16 letters, as those of rules. */
static size_t word(unsigned i, char out[32])
{
	unsigned seed = i * 2654435761u + 12345;
	size_t len = 2 + i % 15, n = 0;

	out[n++] = (char)('a' + i % 26);
	out[n++] = (char)('a' + i / 26 % 26);
	for (; n < len; n++) {
		seed = seed * 1664525u + 1013904223u;
		out[n] = (char)('a' + (seed >> 24) % 26);
	}
	out[n] = '\0';
	return n;
}

static struct pk_sigma_set *set_of_words(unsigned n)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	char w[32];

	for (unsigned i = 0; i < n; i++) {
		(void)word(i, w);
		pk_buf_fmt(&text,
			   "---\n" RULE_HEAD "  s:\n    CommandLine|contains: '%s'\n"
			   "  condition: s\n",
			   w);
	}
	assert_int_equal(text.error, 0);
	return set_of(text.data);
}

struct found {
	const struct pk_sigma_rule *wanted;
	bool is_there;
};

static void on_hit(void *arg, const struct pk_sigma_hit *hit)
{
	struct found *f = arg;

	f->is_there |= hit->rule == f->wanted;
}

static uint32_t random_byte(void)
{
	static uint32_t seed = 1;

	seed = seed * 1664525u + 1013904223u;
	return seed >> 24;
}

/* Without letters, so that there is no word in it; any byte may stand behind it. */
static void fill(char text[256], size_t len)
{
	static const char other[] = "0123456789/-._ :";

	for (size_t i = 0; i < 256; i++)
		text[i] = i < len ? other[random_byte() % 16] : (char)random_byte();
}

static bool finds(const struct pk_sigma_set *set, struct pk_sigma_scratch *s, unsigned i,
		  const char *text, size_t len)
{
	struct pk_sigma_event ev = { .source = PK_SIGMA_PROCESS };
	struct found f = { .wanted = set->rules.v[i] };

	ev.field[PK_SIGMA_F_COMMAND_LINE] = (struct pk_sigma_text){ text, len };
	(void)pk_sigma_match(set, s, &ev, on_hit, &f);
	return f.is_there;
}

/* A word in the last 64 bytes is found, in any case; one whose last letter is missing is not. */
static void check(const struct pk_sigma_set *set, struct pk_sigma_scratch *s, unsigned i)
{
	size_t before = random_byte() % 128, behind = random_byte() % 48, len;
	char text[256], w[32];

	len = word(i, w);
	fill(text, before + len + behind);
	for (size_t c = 0; c < len; c++)
		text[before + c] = random_byte() & 1 ? w[c] : (char)(w[c] - 'a' + 'A');
	assert_true(finds(set, s, i, text, before + len + behind));
	assert_true(finds(set, s, i, text, before + len));
	assert_false(finds(set, s, i, text, before + len - 1));
	assert_int_equal(pk_sigma_scratch_counts(s)->scan_failed, 0);
}

static void at_the_end(unsigned words, unsigned times)
{
	struct pk_sigma_set *set = set_of_words(words);
	struct pk_sigma_scratch *s;

	assert_int_equal(set->n_running, words);
	assert_int_equal(pk_sigma_scratch_new(set, &s), 0);
	for (unsigned i = 0; i < words * times; i++)
		check(set, s, i % words);
	pk_sigma_scratch_free(s);
	pk_sigma_set_free(set);
}

static void test_few(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 9; n++)
		at_the_end(n, 4000);
	at_the_end(60, 400);
}

/* Both sides of the number from which on nothing is put behind the text. */
static void test_many(void **state)
{
	(void)state;
	at_the_end(127, 200);
	at_the_end(128, 200);
	at_the_end(600, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_few),
					    cmocka_unit_test(test_many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
