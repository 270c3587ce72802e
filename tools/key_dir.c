/* SPDX-License-Identifier: Apache-2.0 */
/* Finds directories and keys. A private key that others may read is not used. */
#include "key_dir.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

bool pk_key_name_is_right(const char *name)
{
	size_t n = strlen(name);

	return n && n <= PK_KEY_NAME_MAX && *name != '.' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-") ==
		       n;
}

char *pk_key_own_dir(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n;

	if (geteuid() == 0)
		return strdup("/etc/picket/keys");
	if (config && *config == '/')
		n = asprintf(&path, "%s/picket/keys", config);
	else
		n = home ? asprintf(&path, "%s/.config/picket/keys", home) : -1;
	return n < 0 ? NULL : path;
}

int pk_key_open_dir(const char *path, mode_t mode)
{
	_cleanup_free_ char *up = strdup(path);
	int fd;

	for (char *p = up ? strchr(up + 1, '/') : NULL; p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(up, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	if (!up || (mkdir(path, mode) < 0 && errno != EEXIST))
		return up ? -errno : -ENOMEM;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int load_private(int dir_fd, const char *file, struct pk_key *ret_key)
{
	int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC), r;
	_cleanup_fclose_ FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	struct stat st;

	if (!f) {
		r = -errno;
		pk_closep(&fd);
		return r;
	}
	if (fstat(fd, &st) < 0 || (st.st_mode & 077))
		return -EPERM;
	r = pk_key_read(f, ret_key);
	if (r == 0 && !ret_key->is_private) {
		pk_key_done(ret_key);
		return -EINVAL;
	}
	return r;
}

static int by_id(int dir_fd, const char *id, struct pk_key *ret_key)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = -ENOENT;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	while (r == -ENOENT && d && (e = readdir(d))) {
		size_t n = strlen(e->d_name);
		struct pk_key k;

		if (n < 5 || strcmp(e->d_name + n - 4, ".key") != 0 ||
		    load_private(dir_fd, e->d_name, &k) < 0)
			continue;
		if (strcmp(k.id, id) == 0) {
			*ret_key = k;
			r = 0;
		} else {
			pk_key_done(&k);
		}
	}
	if (d)
		(void)closedir(d); /* nothing was written */
	else
		pk_closep(&fd);
	return r;
}

int pk_key_of(const char *dir, const char *word, struct pk_key *ret_key)
{
	_cleanup_close_ int fd = -1;
	char file[PK_KEY_NAME_MAX + 8];
	int r;

	if (strchr(word, '/'))
		return load_private(AT_FDCWD, word, ret_key);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !pk_key_name_is_right(word))
		return fd < 0 ? -errno : -ENOENT;
	snprintf(file, sizeof(file), "%s.key", word);
	r = load_private(fd, file, ret_key);
	return r == -ENOENT ? by_id(fd, word, ret_key) : r;
}
