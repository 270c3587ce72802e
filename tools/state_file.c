/* SPDX-License-Identifier: Apache-2.0 */
/* Files of JSON and of bytes, each written beside itself and moved there. */
#include "state_file.h"

#include "base/cleanup.h"
#include "key_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 192

static char *path_of(const char *room)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	if (state && *state == '/')
		n = asprintf(&path, "%s/picket/%s", state, room);
	else if (geteuid() == 0)
		n = asprintf(&path, "/var/lib/picket/%s", room);
	else if (home)
		n = asprintf(&path, "%s/.local/state/picket/%s", home, room);
	return n < 0 ? NULL : path;
}

int pk_state_dir(const char *room)
{
	_cleanup_free_ char *path = path_of(room);

	return path ? pk_key_open_dir(path, 0700) : -ENOENT;
}

json_t *pk_state_read(int dir_fd, const char *file)
{
	int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	json_t *o = fd < 0 ? NULL : json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);

	pk_closep(&fd);
	return o;
}

int pk_state_write(int dir_fd, const char *file, const char *data, size_t len)
{
	_cleanup_close_ int fd = -1;
	char temp[FILE_MAX + 8];

	snprintf(temp, sizeof(temp), "%s.new", file);
	fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return renameat(dir_fd, temp, dir_fd, file) < 0 ? -errno : 0;
}

int pk_state_write_json(int dir_fd, const char *file, json_t *o)
{
	_cleanup_free_ char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);

	return text ? pk_state_write(dir_fd, file, text, strlen(text)) : -ENOMEM;
}
