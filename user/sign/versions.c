/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the directory: NAME.accepted is the envelope that was accepted last, NAME.content its list,
 * NAME.replaced says that something else is in force, NAME.dropped which mode it had. A file that
 * can't be read makes its list refuse everything, for what was accepted before is not known then.
 */
#include "sign/versions.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ACCEPTED ".accepted"
#define CONTENT  ".content"
#define REPLACED ".replaced"
#define DROPPED  ".dropped"
#define FILE_MAX 96

struct version {
	struct pk_accepted a;
	char *payload;
	size_t len;
};

struct pk_versions {
	pthread_mutex_t lock;
	int dir_fd;
	struct version *v;
	size_t n;
};

static void file_name(char out[FILE_MAX], const char *list, const char *end)
{
	snprintf(out, FILE_MAX, "%s%s", list, end);
}

static struct version *find(struct pk_versions *v, const char *list)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->v[i].a.statement.list, list) == 0)
			return &v->v[i];
	return NULL;
}

static struct version *make(struct pk_versions *v, const char *list)
{
	struct version *more =
		v->n < PK_VERSIONS_MAX ? reallocarray(v->v, v->n + 1, sizeof(*more)) : NULL;

	if (!more)
		return NULL;
	v->v = more;
	more += v->n++;
	*more = (struct version){ 0 };
	snprintf(more->a.statement.list, sizeof(more->a.statement.list), "%s", list);
	return more;
}

/* Takes the payload out of e. */
static void take(struct version *to, struct pk_envelope *e, const struct pk_statement *s)
{
	to->a.statement = *s;
	to->a.damaged = to->a.replaced = false;
	to->a.was = 0;
	to->a.keys = 0;
	for (size_t i = 0; i < e->sigs; i++)
		if (strlen(e->sig[i].key) == PK_KEY_ID - 1)
			memcpy(to->a.key[to->a.keys++], e->sig[i].key, PK_KEY_ID);
	free(to->payload);
	to->payload = PK_TAKE(e->payload);
	to->len = e->len;
}

static void load_one(struct pk_versions *v, const char *list, struct version *to)
{
	struct pk_envelope e = { 0 };
	struct pk_statement s;
	char file[FILE_MAX];
	void *text = NULL;
	size_t len;

	to->a.damaged = true;
	file_name(file, list, ACCEPTED);
	if (pk_file_read_at(v->dir_fd, file, PK_ENVELOPE_MAX, &text, &len) == 0 &&
	    pk_envelope_read(text, len, &e) == PK_SIGNED_OK &&
	    pk_statement_read(e.payload, e.len, &s) == PK_SIGNED_OK && strcmp(s.list, list) == 0)
		take(to, &e, &s);
	file_name(file, list, REPLACED);
	to->a.replaced = faccessat(v->dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	pk_envelope_done(&e);
	free(PK_TAKE(text));
	file_name(file, list, DROPPED);
	if (pk_file_read_at(v->dir_fd, file, 1, &text, &len) == 0 && len == 1 &&
	    *(char *)text >= '1' && *(char *)text <= '9')
		to->a.was = (unsigned)(*(char *)text - '0');
	free(text);
}

static int load(struct pk_versions *v)
{
	int fd = openat(v->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int r = 0;

	if (!d) {
		r = -errno;
		pk_closep(&fd);
		return r;
	}
	while (r == 0 && (e = readdir(d))) {
		size_t n = strlen(e->d_name), end = sizeof(ACCEPTED) - 1;
		char list[PK_SIGNED_NAME];
		struct version *to;

		if (n <= end || n - end >= sizeof(list) ||
		    strcmp(e->d_name + n - end, ACCEPTED) != 0)
			continue;
		snprintf(list, sizeof(list), "%.*s", (int)(n - end), e->d_name);
		to = make(v, list);
		if (to)
			load_one(v, list, to);
		else
			r = -ENOMEM;
	}
	(void)closedir(d); /* nothing was written */
	return r;
}

int pk_versions_new(int dir_fd, struct pk_versions **ret_versions)
{
	struct pk_versions *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return -ENOMEM;
	v->dir_fd = dir_fd;
	(void)pthread_mutex_init(&v->lock, NULL); /* can't fail with these arguments */
	r = dir_fd < 0 ? 0 : load(v);
	if (r < 0) {
		pk_versions_free(v);
		return r;
	}
	*ret_versions = v;
	return 0;
}

void pk_versions_free(struct pk_versions *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i].payload);
	free(v->v);
	(void)pthread_mutex_destroy(&v->lock); /* nobody holds it */
	free(v);
}

static enum pk_refusal check(struct pk_versions *v, const struct pk_envelope *e,
			     const struct pk_statement *s)
{
	const struct version *was = find(v, s->list);

	if (v->dir_fd < 0 || (was && was->a.damaged) || (!was && v->n == PK_VERSIONS_MAX))
		return PK_REFUSED_STATE;
	if (!was || s->version > was->a.statement.version)
		return PK_SIGNED_OK;
	if (s->version < was->a.statement.version)
		return PK_REFUSED_REPLAYED;
	return e->len == was->len && memcmp(e->payload, was->payload, e->len) == 0
		       ? PK_SIGNED_OK
		       : PK_REFUSED_FORKED;
}

enum pk_refusal pk_versions_check(struct pk_versions *v, const struct pk_envelope *e,
				  const struct pk_statement *s)
{
	enum pk_refusal r;

	(void)pthread_mutex_lock(&v->lock); /* only fails for owners of other kinds of mutexes */
	r = check(v, e, s);
	(void)pthread_mutex_unlock(&v->lock);
	return r;
}

static enum pk_refusal accept_locked(struct pk_versions *v, const struct pk_envelope *e,
				     const struct pk_statement *s)
{
	_cleanup_(pk_buf_done) struct pk_buf line = { 0 };
	struct pk_envelope copy = *e;
	struct version *to;
	char file[FILE_MAX];
	enum pk_refusal r = check(v, e, s);

	if (r != PK_SIGNED_OK)
		return r;
	copy.payload = malloc(e->len);
	if (!copy.payload)
		return PK_REFUSED_STATE;
	memcpy(copy.payload, e->payload, e->len);
	to = find(v, s->list);
	if (!to)
		to = make(v, s->list);
	file_name(file, s->list, ACCEPTED);
	if (!to || pk_envelope_write(e, &line) < 0 ||
	    pk_file_write_at(v->dir_fd, file, line.data, line.len, true) < 0) {
		free(copy.payload);
		if (to && !to->payload)
			v->n--; /* it was made for nothing */
		return PK_REFUSED_STATE;
	}
	take(to, &copy, s);
	file_name(file, s->list, REPLACED);
	(void)unlinkat(v->dir_fd, file, 0); /* mostly not there */
	file_name(file, s->list, DROPPED);
	(void)unlinkat(v->dir_fd, file, 0); /* the same */
	return PK_SIGNED_OK;
}

enum pk_refusal pk_versions_accept(struct pk_versions *v, const struct pk_envelope *e,
				   const struct pk_statement *s, const void *content, size_t len)
{
	enum pk_refusal r;
	char file[FILE_MAX];

	(void)pthread_mutex_lock(&v->lock); /* as above */
	r = accept_locked(v, e, s);
	file_name(file, s->list, CONTENT);
	if (r == PK_SIGNED_OK && pk_file_write_at(v->dir_fd, file, content, len, false) < 0)
		(void)unlinkat(v->dir_fd, file, 0); /* the next one comes whole */
	(void)pthread_mutex_unlock(&v->lock);
	return r;
}

bool pk_versions_is_last(struct pk_versions *v, const struct pk_statement *s)
{
	struct pk_accepted a;

	return pk_versions_get(v, s->list, &a) && a.statement.version == s->version;
}

void pk_versions_replaced(struct pk_versions *v, const char *list)
{
	struct version *was;
	char file[FILE_MAX];

	(void)pthread_mutex_lock(&v->lock); /* as above */
	was = find(v, list);
	if (was && !was->a.replaced) {
		was->a.replaced = true;
		file_name(file, list, REPLACED);
		(void)pk_file_write_at(v->dir_fd, file, "", 0, false); /* it is only shown */
		file_name(file, list, CONTENT);
		(void)unlinkat(v->dir_fd, file, 0); /* maybe not there */
	}
	(void)pthread_mutex_unlock(&v->lock);
}

void pk_versions_dropped(struct pk_versions *v, const char *list, unsigned mode)
{
	struct version *was;
	char file[FILE_MAX], text = (char)('0' + mode % 10);

	(void)pthread_mutex_lock(&v->lock); /* as above */
	was = find(v, list);
	if (was) {
		was->a.was = mode;
		file_name(file, list, DROPPED);
		(void)pk_file_write_at(v->dir_fd, file, &text, 1, false); /* then it stays off */
	}
	(void)pthread_mutex_unlock(&v->lock);
}

bool pk_versions_at(struct pk_versions *v, size_t n, struct pk_accepted *ret)
{
	bool is;

	(void)pthread_mutex_lock(&v->lock); /* as above */
	is = n < v->n;
	if (is)
		*ret = v->v[n].a;
	(void)pthread_mutex_unlock(&v->lock);
	return is;
}

bool pk_versions_get(struct pk_versions *v, const char *list, struct pk_accepted *ret)
{
	const struct version *was;

	(void)pthread_mutex_lock(&v->lock); /* as above */
	was = find(v, list);
	if (was)
		*ret = was->a;
	(void)pthread_mutex_unlock(&v->lock);
	return was;
}

int pk_versions_content(struct pk_versions *v, const char *list, const uint8_t sha256[32],
			void **ret, size_t *ret_len)
{
	struct pk_accepted a;
	char file[FILE_MAX];
	void *data = NULL;
	int r;

	if (!pk_versions_get(v, list, &a) || a.damaged ||
	    memcmp(a.statement.sha256, sha256, sizeof(a.statement.sha256)) != 0)
		return -ENOENT;
	file_name(file, list, CONTENT);
	r = pk_file_read_at(v->dir_fd, file, a.statement.size, &data, ret_len);
	if (r == 0 && pk_statement_fits(&a.statement, data, *ret_len) != PK_SIGNED_OK)
		r = -ENOENT; /* a write that was cut short */
	if (r < 0) {
		free(data);
		return r == -ENOMEM ? r : -ENOENT;
	}
	*ret = data;
	return 0;
}
