/* SPDX-License-Identifier: Apache-2.0 */
/* Files of JSON in a directory of the user's. */
#include "state_file.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "key_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int pk_state_write_json(int dir_fd, const char *file, json_t *o)
{
	_cleanup_free_ char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);

	return text ? pk_file_write_at(dir_fd, file, text, strlen(text), false) : -ENOMEM;
}
