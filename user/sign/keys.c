/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the directory. What others could have written is not believed. */
#include "sign/keys.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void pk_keys_done(struct pk_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		pk_key_done(&k->v[i].key);
	free(k->v);
	*k = (struct pk_keys){ 0 };
}

static void keys_donep(struct pk_keys *k)
{
	pk_keys_done(k);
}

static void dir_closep(DIR **d)
{
	if (*d)
		(void)closedir(*d); /* nothing was written */
}

static void complain(struct pk_buf *errors, const char *dir, const char *file, const char *what)
{
	pk_escape_text(errors, dir, strlen(dir));
	if (file) {
		pk_buf_char(errors, '/');
		pk_escape_text(errors, file, strlen(file));
	}
	pk_buf_fmt(errors, ": %s\n", what);
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), m = strlen(with);

	return n > m && strcmp(s + n - m, with) == 0;
}

/* NULL: nobody but root and this user could have written it. */
static const char *open_to_others(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return "can not be looked at";
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return "belongs to another user than root: left out";
	return st.st_mode & 022 ? "others may write it: left out" : NULL;
}

/* What is wrong with the file; NULL: it is in *ret. */
static const char *read_one(int dir_fd, const char *name, struct pk_key *ret)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_fclose_ FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	const char *wrong;

	if (!f) {
		pk_closep(&fd);
		return "can not be read: left out";
	}
	wrong = open_to_others(fd);
	if (wrong)
		return wrong;
	if (pk_key_read(f, ret) < 0)
		return "is no Ed25519 public key in PEM: left out";
	if (!ret->is_private)
		return NULL;
	pk_key_done(ret);
	return "is a private key, which has no place here: left out";
}

static int add(struct pk_keys *k, struct pk_key *key, bool retired)
{
	struct pk_trusted *v;
	size_t at = 0;

	while (at < k->n && strcmp(k->v[at].key.id, key->id) < 0)
		at++;
	if (at < k->n && strcmp(k->v[at].key.id, key->id) == 0) {
		k->v[at].retired |= retired;
		pk_key_done(key);
		return 0;
	}
	v = k->n < PK_KEYS_MAX ? reallocarray(k->v, k->n + 1, sizeof(*v)) : NULL;
	if (!v) {
		pk_key_done(key);
		return k->n < PK_KEYS_MAX ? -ENOMEM : -E2BIG;
	}
	k->v = v;
	memmove(&v[at + 1], &v[at], (k->n - at) * sizeof(*v));
	v[at] = (struct pk_trusted){ *key, retired };
	k->n++;
	return 0;
}

int pk_keys_load(const char *dir, struct pk_buf *errors, struct pk_keys *ret_keys)
{
	_cleanup_(dir_closep) DIR *d = opendir(dir);
	_cleanup_(keys_donep) struct pk_keys k = { 0 };
	const struct dirent *e;
	const char *wrong;
	int r = 0;

	if (!d && errno != ENOENT) {
		r = -errno;
		complain(errors, dir, NULL, strerror(-r));
		return r;
	}
	wrong = d ? open_to_others(dirfd(d)) : NULL;
	if (wrong) {
		complain(errors, dir, NULL, wrong);
		return -EPERM;
	}
	while (d && (e = readdir(d))) {
		bool retired = ends(e->d_name, PK_KEYS_RETIRED);
		struct pk_key key;

		if (*e->d_name == '.' || (!retired && !ends(e->d_name, PK_KEYS_PUB)))
			continue;
		wrong = read_one(dirfd(d), e->d_name, &key);
		r = wrong ? 0 : add(&k, &key, retired);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			wrong = "is one too many: left out";
		if (wrong)
			complain(errors, dir, e->d_name, wrong);
	}
	*ret_keys = k;
	k = (struct pk_keys){ 0 };
	return 0;
}

const struct pk_trusted *pk_keys_find(const struct pk_keys *k, const char *id)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->v[i].key.id, id) == 0)
			return &k->v[i];
	return NULL;
}
