/* SPDX-License-Identifier: Apache-2.0 */
/* LIST.json and LIST.SHA256.base in one directory. Without it a push works, and is whole each time.
 */
#include "push_state.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/hex.h"
#include "hosts.h"
#include "state_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BASE      ".base"
#define BASES_MAX 4
#define FILE_MAX  192

int pk_push_state_open(struct pk_push_state *s, const struct pk_statement *of)
{
	char file[FILE_MAX], sha[65];
	const char *was;

	s->dir_fd = pk_state_dir("push");
	if (s->dir_fd < 0)
		return s->dir_fd;
	snprintf(s->list, sizeof(s->list), "%s", of->list);
	snprintf(file, sizeof(file), "%s.json", of->list);
	pk_hex(of->sha256, sizeof(of->sha256), sha);
	s->o = pk_state_read(s->dir_fd, file);
	was = json_string_value(json_object_get(s->o, "sha256"));
	s->is_of_now =
		was && !strcmp(was, sha) &&
		json_integer_value(json_object_get(s->o, "version")) == (json_int_t)of->version &&
		json_is_object(json_object_get(s->o, "hosts"));
	if (s->is_of_now)
		return 0;
	json_decref(s->o);
	s->o = json_pack("{s:I, s:s, s:{}}", "version", (json_int_t)of->version, "sha256", sha,
			 "hosts");
	return s->o ? 0 : -ENOMEM;
}

void pk_push_state_done(struct pk_push_state *s)
{
	json_decref(s->o);
	if (s->o)
		pk_closep(&s->dir_fd);
	*s = (struct pk_push_state){ .dir_fd = -1 };
}

void pk_push_state_set(struct pk_push_state *s, const char *host, const char *outcome)
{
	(void)json_object_set_new(json_object_get(s->o, "hosts"), host, json_string(outcome));
}

void pk_push_state_save(struct pk_push_state *s)
{
	char file[FILE_MAX];
	int r;

	snprintf(file, sizeof(file), "%s.json", s->list);
	r = pk_state_write_json(s->dir_fd, file, s->o);
	if (r < 0)
		fprintf(stderr, "picket: what became of each host can not be kept: %s\n",
			strerror(-r));
}

int pk_push_state_rest(struct pk_push_state *s, struct pk_hosts *h, struct pk_buf *error)
{
	const char *host;
	json_t *v;
	int r = 0;

	if (!s->is_of_now) {
		pk_buf_fmt(error, "nothing is remembered of a push of this version of %s", s->list);
		return -ENOENT;
	}
	json_object_foreach(json_object_get(s->o, "hosts"), host, v)
	{
		const char *outcome = json_string_value(v);

		if (r == 0 && outcome && strcmp(outcome, "ok") != 0 && strcmp(outcome, "same") != 0)
			r = pk_hosts_add(h, host, NULL, error);
	}
	return r;
}

bool pk_push_state_base(const struct pk_push_state *s, const char *sha256,
			struct pk_list_bytes *ret)
{
	uint8_t raw[32];
	char file[FILE_MAX];
	struct stat st;
	void *p;
	int fd;

	if (pk_hex_parse(sha256, raw, sizeof(raw)) < 0)
		return false;
	snprintf(file, sizeof(file), "%s.%s" BASE, s->list, sha256);
	fd = openat(s->dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	p = fd >= 0 && fstat(fd, &st) == 0 && st.st_size
		    ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
		    : MAP_FAILED;
	pk_closep(&fd);
	if (p == MAP_FAILED)
		return false;
	*ret = (struct pk_list_bytes){ p, (size_t)st.st_size };
	return true;
}

/* The oldest of the list goes while there are too many. */
static void prune(const struct pk_push_state *s)
{
	int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char oldest[FILE_MAX] = "";
	struct timespec at = { 0 };
	const struct dirent *e;
	size_t n = 0, len = strlen(s->list);

	while (d && (e = readdir(d))) {
		struct stat st;

		/* LIST. 64 digits .base */
		if (strlen(e->d_name) != len + 1 + 64 + sizeof(BASE) - 1 ||
		    strncmp(e->d_name, s->list, len) != 0 ||
		    strcmp(e->d_name + len + 1 + 64, BASE) != 0 ||
		    fstatat(s->dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!n++ || st.st_mtim.tv_sec < at.tv_sec ||
		    (st.st_mtim.tv_sec == at.tv_sec && st.st_mtim.tv_nsec < at.tv_nsec)) {
			at = st.st_mtim;
			snprintf(oldest, sizeof(oldest), "%s", e->d_name);
		}
	}
	if (d)
		(void)closedir(d); /* nothing was written */
	else
		pk_closep(&fd);
	if (n > BASES_MAX)
		(void)unlinkat(s->dir_fd, oldest, 0); /* the next push tries again */
}

void pk_push_state_keep(const struct pk_push_state *s, const struct pk_statement *of,
			const struct pk_list_bytes *b)
{
	char file[FILE_MAX], sha[65];

	pk_hex(of->sha256, sizeof(of->sha256), sha);
	snprintf(file, sizeof(file), "%s.%s" BASE, s->list, sha);
	if (pk_file_write_at(s->dir_fd, file, b->bytes, b->len, false) < 0)
		(void)unlinkat(s->dir_fd, file, 0); /* the next push is whole */
	prune(s);
}

void pk_push_state_each(void (*each)(void *arg, const char *list, json_t *state), void *arg)
{
	int dir = pk_state_dir("push"), fd = dir < 0 ? -1 : dup(dir);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name);
		char list[PK_SIGNED_NAME];
		json_t *o;

		if (n < 6 || n - 5 >= sizeof(list) || strcmp(e->d_name + n - 5, ".json") != 0)
			continue;
		o = pk_state_read(dir, e->d_name);
		snprintf(list, sizeof(list), "%.*s", (int)(n - 5), e->d_name);
		if (o)
			each(arg, list, o);
		json_decref(o);
	}
	if (d)
		(void)closedir(d); /* nothing was written */
	else
		pk_closep(&fd);
	pk_closep(&dir);
}
