/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the passwd file and answers from memory. */
#include "enrich/user.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define USERS_MAX 65536

int pk_users_init(struct pk_users *u, const char *file)
{
	*u = (struct pk_users){ .file = file };
	return pk_users_refresh(u);
}

void pk_users_done(struct pk_users *u)
{
	free(u->user);
	free(u->names);
	*u = (struct pk_users){ 0 };
}

/* Of two names for one uid the first in the file counts, as in getpwuid(3). */
static int by_uid(const void *a, const void *b)
{
	const struct pk_user *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static int add(struct pk_users *u, size_t *cap, struct pk_buf *names, const struct passwd *pw)
{
	struct pk_user *more;

	if (u->n == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		more = reallocarray(u->user, *cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		u->user = more;
	}
	u->user[u->n++] = (struct pk_user){ .uid = pw->pw_uid, .name = names->len };
	pk_buf_add(names, pw->pw_name, strlen(pw->pw_name) + 1);
	return names->error;
}

/* A line too long for any user; fgetpwent_r(3) stays before it. */
static bool skip_line(FILE *f)
{
	int c;

	while ((c = getc(f)) != EOF && c != '\n')
		;
	return c != EOF;
}

static int read_users(struct pk_users *u, FILE *f)
{
	struct pk_buf names = { 0 };
	struct passwd pw, *found;
	char line[4096];
	size_t cap = 0;
	int r = 0;

	while (r == 0 && u->n < USERS_MAX) {
		int e = fgetpwent_r(f, &pw, line, sizeof(line), &found);

		if (e == ERANGE && skip_line(f))
			continue;
		if (e)
			break;
		r = add(u, &cap, &names, &pw);
	}
	u->names = names.data;
	if (u->n)
		qsort(u->user, u->n, sizeof(*u->user), by_uid);
	return r;
}

int pk_users_refresh(struct pk_users *u)
{
	_cleanup_fclose_ FILE *f = fopen(u->file, "re");
	struct pk_users fresh = { .file = u->file };
	struct stat st;
	int r;

	if (!f || fstat(fileno(f), &st) < 0)
		return -errno;
	if (u->ino == st.st_ino && u->size == st.st_size && u->mtime.tv_sec == st.st_mtim.tv_sec &&
	    u->mtime.tv_nsec == st.st_mtim.tv_nsec)
		return 0;
	fresh.ino = st.st_ino;
	fresh.size = st.st_size;
	fresh.mtime = st.st_mtim;
	r = read_users(&fresh, f);
	if (r < 0) {
		pk_users_done(&fresh);
		return r;
	}
	pk_users_done(u);
	*u = fresh;
	return 0;
}

const char *pk_user_name(const struct pk_users *u, uint32_t uid)
{
	size_t lo = 0, hi = u->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (u->user[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < u->n && u->user[lo].uid == uid ? u->names + u->user[lo].name : NULL;
}
