/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From files to a compiled set. Nothing of a set that is in use is touched on the way: a new one is
 * whole before it takes the old one's place.
 */
#include "sigma/set.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "sigma/correlation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define ARENA_MAX      (512u << 20)
#define FILE_MAX_BYTES (1u << 20)
#define FILES_MAX      20000

void pk_sigma_set_free(struct pk_sigma_set *set)
{
	if (!set)
		return;
	for (unsigned i = 0; i < PK_SIGMA_SOURCES; i++)
		pk_sigma_scans_done(&set->scans[i]);
	free(set->posting);
	pk_sigma_program_done(&set->program);
	pk_sigma_tests_done(&set->tests);
	pk_sigma_rules_done(&set->rules);
	pk_arena_done(&set->arena);
	free(set);
}

void pk_sigma_set_freep(struct pk_sigma_set **set)
{
	pk_sigma_set_free(*set);
}

static struct pk_sigma_set *set_new(void)
{
	struct pk_sigma_set *set = calloc(1, sizeof(*set));

	if (set)
		set->arena.max = ARENA_MAX;
	return set;
}

static void count_rules(struct pk_sigma_set *set)
{
	for (size_t i = 0; i < set->rules.n; i++) {
		const struct pk_sigma_rule *rule = set->rules.v[i];

		if (!rule->problem)
			set->n_running++;
		else if (pk_sigma_rule_is_broken(rule))
			set->n_broken++;
		else
			set->n_unsupported++;
		if (!rule->problem && !rule->correlation)
			set->at_source |= 1ull << rule->source;
	}
}

/* Two rules with one id: which of them a correlation means, and an alert, is not said. */
static int refuse_doubles(struct pk_sigma_set *set)
{
	for (size_t i = 0; i < set->rules.n; i++) {
		struct pk_sigma_rule *rule = set->rules.v[i];
		const struct pk_sigma_rule *first = pk_sigma_rule_by_id(set, rule->id);
		int r;

		if (!first || first == rule)
			continue;
		r = pk_sigma_complain(&set->arena, rule, rule->at, false,
				      "id %s: a rule of %s has it already", rule->id, first->file);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

static int build(struct pk_sigma_set *set, struct pk_buf *errors)
{
	int r;

	for (size_t i = 0; i < set->rules.n; i++)
		set->rules.v[i]->index = i;
	r = refuse_doubles(set);
	for (size_t i = 0; i < set->rules.n && r == 0; i++) {
		struct pk_sigma_rule *rule = set->rules.v[i];

		if (!rule->problem && !rule->correlation)
			r = pk_sigma_compile(&set->arena, rule, &set->rules, &set->tests,
					     &set->program);
	}
	if (r == 0)
		r = pk_sigma_correlations_link(set);
	if (r == 0)
		r = pk_sigma_scans_build(set, errors);
	count_rules(set);
	return r;
}

int pk_sigma_set_text(const char *file, const char *text, size_t len, struct pk_sigma_set **ret)
{
	_cleanup_(pk_sigma_set_freep) struct pk_sigma_set *set = set_new();
	_cleanup_(pk_buf_done) struct pk_buf errors = { 0 };
	int r = set ? pk_sigma_load_text(&set->arena, file, text, len, &set->rules) : -ENOMEM;

	if (r == 0)
		r = build(set, &errors);
	if (r < 0)
		return r;
	*ret = PK_TAKE(set);
	return 0;
}

static int read_file(const char *file, struct pk_buf *out)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char part[16384];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTSUP;
	out->max = FILE_MAX_BYTES;
	while ((n = read(fd, part, sizeof(part))) > 0)
		pk_buf_add(out, part, n);
	return n < 0 ? -errno : out->error;
}

/* A file that can't be read is a broken rule: it is listed, and others run. */
static int unreadable(struct pk_sigma_set *set, const char *file, int error)
{
	struct pk_sigma_rule *rule =
		pk_sigma_rules_add(&set->arena, &set->rules, file, (struct pk_sigma_mark){ 0 });
	int r = rule ? pk_sigma_complain(&set->arena, rule, rule->at, false, "can not be read: %s",
					 error == -EFBIG ? "more than 1 MiB" : strerror(-error))
		     : -ENOMEM;

	return r == -ENOMEM ? r : 0;
}

static int load_file(struct pk_sigma_set *set, const char *path)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	const char *file = pk_arena_copy(&set->arena, path, strlen(path));
	int r = file ? read_file(path, &text) : -ENOMEM;

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return unreadable(set, file, r);
	return pk_sigma_load_text(&set->arena, file, text.data ? text.data : "", text.len,
				  &set->rules);
}

/* Not strcoll(): the order must not depend on the locale. */
static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_rule_file(const FTSENT *e)
{
	const char *dot = strrchr(e->fts_name, '.');

	return e->fts_name[0] != '.' && dot && (!strcmp(dot, ".yml") || !strcmp(dot, ".yaml"));
}

static int load_entry(struct pk_sigma_set *set, FTS *fts, FTSENT *e)
{
	if (e->fts_info == FTS_D && e->fts_level > 0 && e->fts_name[0] == '.')
		fts_set(fts, e, FTS_SKIP);
	if (e->fts_info == FTS_NS && e->fts_level == 0)
		return e->fts_errno == ENOENT ? 0 : unreadable(set, "rules", -e->fts_errno);
	if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS) {
		const char *path = pk_arena_copy(&set->arena, e->fts_path, strlen(e->fts_path));

		return path ? unreadable(set, path, -e->fts_errno) : -ENOMEM;
	}
	/* what was named itself is read whatever its name */
	if ((e->fts_info == FTS_F || e->fts_info == FTS_DEFAULT) &&
	    (e->fts_level == 0 || is_rule_file(e)))
		return load_file(set, e->fts_accpath);
	return 0;
}

static int load_path(struct pk_sigma_set *set, const char *path, size_t *files)
{
	char *const argv[] = { (char *)path, NULL };
	FTS *fts = fts_open(argv, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	FTSENT *e;
	int r = 0;

	if (!fts)
		return -errno;
	while (r == 0 && (e = fts_read(fts))) {
		*files += e->fts_info == FTS_F;
		r = *files > FILES_MAX ? -E2BIG : load_entry(set, fts, e);
	}
	fts_close(fts);
	return r;
}

int pk_sigma_set_load(const char *const *path, size_t n, struct pk_buf *errors,
		      struct pk_sigma_set **ret)
{
	_cleanup_(pk_sigma_set_freep) struct pk_sigma_set *set = set_new();
	size_t files = 0;
	int r = set ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++) {
		r = load_path(set, path[i], &files);
		if (r < 0) {
			pk_escape_text(errors, path[i], strlen(path[i]));
			pk_buf_fmt(errors, ": %s\n", strerror(-r));
		}
	}
	if (r == 0)
		r = build(set, errors);
	if (r < 0)
		return r;
	*ret = PK_TAKE(set);
	return 0;
}

int pk_sigma_set_reload(struct pk_sigma_set **set, const char *const *path, size_t n,
			struct pk_buf *errors)
{
	struct pk_sigma_set *fresh = NULL;
	int r = pk_sigma_set_load(path, n, errors, &fresh);

	if (r < 0)
		return r;
	if (*set && fresh->n_broken > (*set)->n_broken) {
		for (size_t i = 0; i < fresh->rules.n; i++)
			if (pk_sigma_rule_is_broken(fresh->rules.v[i]))
				pk_sigma_rule_problems(fresh->rules.v[i], errors);
		pk_sigma_set_free(fresh);
		return -EBADMSG;
	}
	pk_sigma_set_free(*set);
	*set = fresh;
	return 0;
}

void pk_sigma_rule_problems(const struct pk_sigma_rule *rule, struct pk_buf *out)
{
	for (const struct pk_sigma_problem *p = rule->problem; p; p = p->next) {
		pk_escape_text(out, rule->file, strlen(rule->file));
		if (p->at.line)
			pk_buf_fmt(out, ":%u:%u", p->at.line, p->at.column);
		pk_buf_str(out, ": ");
		if (rule->title) {
			pk_escape_text(out, rule->title, strlen(rule->title));
			pk_buf_str(out, ": ");
		}
		pk_escape_text(out, p->text, strlen(p->text));
		pk_buf_char(out, '\n');
	}
}
