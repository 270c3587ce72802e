/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the order of the steps: who is killed between any two leaves the old file or the new one. */
#include "base/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int pk_file_read_at(int dir_fd, const char *name, size_t max, void **ret_data, size_t *ret_len)
{
	_cleanup_close_ int fd =
		openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t at = 0;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max)
		return -EFBIG;
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return -ENOMEM;
	while (at < (size_t)st.st_size && (n = read(fd, data + at, (size_t)st.st_size - at)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	*ret_len = at;
	*ret_data = PK_TAKE(data);
	return 0;
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int pk_file_write_at(int dir_fd, const char *name, const void *data, size_t len, bool sync)
{
	_cleanup_close_ int fd = -1;
	char fresh[PK_FILE_NAME + 4];
	int r;

	if (snprintf(fresh, sizeof(fresh), "%s.new", name) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	(void)unlinkat(dir_fd, fresh, 0); /* of a write that was cut short */
	fd = openat(dir_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, data, len);
	if (r == 0 && ((sync && fsync(fd) < 0) || renameat(dir_fd, fresh, dir_fd, name) < 0))
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir_fd, fresh, 0); /* a full disk needs its place */
		return r;
	}
	return sync && fsync(dir_fd) < 0 ? -errno : 0;
}
