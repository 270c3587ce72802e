/* SPDX-License-Identifier: Apache-2.0 */
/* Directories, reloads that are refused, counters of what state survives. */
#include "rule_of.h"

#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOOD RULE_HEAD "  s:\n    Image: /a\n  condition: s\n"
#define UNSUPPORTED                                                                                \
	"title: u\nlogsource:\n  product: windows\ndetection:\n  s:\n    a: b\n  condition: s\n"

struct place {
	char dir[64];
};

static void put(const struct place *p, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void begin(struct place *p)
{
	char path[256];

	strcpy(p->dir, "/tmp/pk-sigma-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(path, sizeof(path), "%s/sub", p->dir);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void end(const struct place *p)
{
	static const char *const names[] = { "a.yml",  "b.yaml", "sub/c.yml", "no.txt",
					     ".d.yml", "sub",    "" };
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->dir, names[i]);
		(void)remove(path); /* not all are there in each test */
	}
}

static void test_directory(void **state)
{
	struct pk_sigma_set *set = NULL;
	struct pk_buf errors = { 0 };
	struct place p;
	const char *paths[] = { p.dir, "/nonexistent/rules.d" };

	(void)state;
	begin(&p);
	put(&p, "a.yml", GOOD);
	put(&p, "b.yaml", UNSUPPORTED);
	put(&p, "sub/c.yml", GOOD "---\n" GOOD);
	put(&p, "no.txt", "not read");
	put(&p, ".d.yml", "not read");
	assert_int_equal(pk_sigma_set_load(paths, 2, &errors, &set), 0);
	assert_int_equal(set->rules.n, 4);
	assert_int_equal(set->n_running, 3);
	assert_int_equal(set->n_unsupported, 1);
	assert_int_equal(set->n_broken, 0);
	assert_int_equal(set->at_source, 1 << PK_SIGMA_PROCESS);
	pk_sigma_set_free(set);
	pk_buf_done(&errors);
	end(&p);
}

static void test_reload(void **state)
{
	struct pk_sigma_set *set = NULL, *first;
	struct pk_buf errors = { 0 };
	struct place p;
	const char *path = p.dir;

	(void)state;
	begin(&p);
	put(&p, "a.yml", GOOD);
	assert_int_equal(pk_sigma_set_reload(&set, &path, 1, &errors), 0);
	first = set;
	/* broken: the old set stays, and the place is named */
	put(&p, "b.yaml", "title: [\n");
	assert_int_equal(pk_sigma_set_reload(&set, &path, 1, &errors), -EBADMSG);
	assert_ptr_equal(set, first);
	assert_non_null(strstr(errors.data, "b.yaml:2:1: not YAML"));
	/* unsupported: no reason to refuse the others */
	put(&p, "b.yaml", UNSUPPORTED);
	assert_int_equal(pk_sigma_set_reload(&set, &path, 1, &errors), 0);
	assert_int_equal(set->n_running, 1);
	assert_int_equal(set->n_unsupported, 1);
	pk_sigma_set_free(set);
	pk_buf_done(&errors);
	end(&p);
}

static void test_double_id(void **state)
{
	struct pk_sigma_set *set = set_of("id: A-1\n" GOOD "---\nid: a-1\n" GOOD);

	(void)state;
	assert_null(set->rules.v[0]->problem);
	assert_non_null(strstr(set->rules.v[1]->problem->text, "has it already"));
	pk_sigma_set_free(set);
}

static void on_hit(void *arg, const struct pk_sigma_hit *hit)
{
	*(struct pk_sigma_hit *)arg = *hit;
	assert_int_equal(hit->n_found, 2);
	assert_string_equal(hit->found[0].name, "Image");
	assert_string_equal(hit->found[0].pattern, "*/sh");
	assert_string_equal(hit->found[1].name, "CommandLine");
	assert_string_equal(hit->found[1].pattern, "*evil*");
}

/* What a hit says of itself: the questions that were answered yes, not those before a "not". */
static void test_evidence(void **state)
{
	struct pk_sigma_set *set = rule_of("  s:\n    Image|endswith: [/sh, /dash]\n"
					   "    CommandLine|contains: evil\n"
					   "  f:\n    User: good\n",
					   "s and not f");
	const struct fields f = { .image = "/bin/sh", .command_line = "an EVIL one", .user = "x" };
	struct pk_sigma_event ev = event_of(&f);
	struct pk_sigma_hit hit = { 0 };
	struct pk_sigma_scratch *s;

	(void)state;
	assert_int_equal(pk_sigma_scratch_new(set, &s), 0);
	assert_int_equal(pk_sigma_match(set, s, &ev, on_hit, &hit), 1);
	assert_ptr_equal(hit.rule, set->rules.v[0]);
	assert_int_equal(pk_sigma_scratch_counts(s)->hits, 1);
	pk_sigma_scratch_free(s);
	pk_sigma_set_free(set);
}

/* A field of several values: each is one for itself. */
static void test_several_values(void **state)
{
	static const struct {
		const char *item;
		bool fits;
	} rows[] = {
		{ "Image: two", true },
		{ "Image: tw", false },
		{ "Image|startswith: thr", true },
		{ "Image|endswith: wo", true },
		{ "Image|contains: 'o*t'", false },
		{ "Image|contains: et", false },
		{ "Image|re: '^t.o$'", true },
		{ "Image|re: 'one.two'", false },
		{ "Image|cased: TWO", false },
		{ "Image: '*e'", true },
	};
	struct pk_sigma_event ev = { .source = PK_SIGMA_PROCESS };

	(void)state;
	ev.field[PK_SIGMA_F_IMAGE] = (struct pk_sigma_text){ "one\0two\0three", 13 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pk_sigma_set *set;
		char text[128];

		snprintf(text, sizeof(text), "  s:\n    %s\n", rows[i].item);
		set = rule_of(text, "s");
		if (fits_event(set, &ev) != rows[i].fits)
			fail_msg("%s", rows[i].item);
		pk_sigma_set_free(set);
	}
}

/* Counters and rules that nothing leads to: negations are tried on every event. */
static void test_always(void **state)
{
	struct pk_sigma_set *set = rule_of("  s:\n    Image: /a\n", "not s");

	(void)state;
	assert_int_equal(set->n_always, 1);
	assert_true(fits(set, &(struct fields){ .image = "/b" }));
	assert_true(fits(set, &(struct fields){ .user = "x" }));
	assert_false(fits(set, &(struct fields){ .image = "/a" }));
	pk_sigma_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directory),      cmocka_unit_test(test_reload),
		cmocka_unit_test(test_double_id),      cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_several_values), cmocka_unit_test(test_always),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
