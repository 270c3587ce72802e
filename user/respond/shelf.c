/* SPDX-License-Identifier: Apache-2.0 */
/* Reads files; what is in them is playbook.c's. */
#include "respond/shelf.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (1u << 20)

static void name_it(const char *path, struct pk_playbook *p)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	(void)snprintf(p->word, sizeof(p->word), "%.*s", (int)strcspn(name, "."), name);
}

int pk_shelf_read_file(const char *path, struct pk_playbook *ret, struct pk_buf *errors)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX)
		return -EINVAL;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = read(fd, text, (size_t)st.st_size);
	if (n < 0)
		return -errno;
	r = pk_playbook_read(text, (size_t)n, ret, errors);
	if (r == 0)
		name_it(path, ret);
	return r;
}

/* Each line of what is wrong, behind the file it is in. */
static void add_errors(const char *path, int r, struct pk_buf *of, struct pk_buf *errors)
{
	char *at = of->data, *line;

	if (r != -EBADMSG)
		pk_buf_fmt(errors, "%s: %s\n", path, strerror(-r));
	while (at && (line = strsep(&at, "\n")))
		if (*line)
			pk_buf_fmt(errors, "%s: %s\n", path, line);
}

int pk_shelf_read(const char *dir, struct pk_playbook **ret, size_t *ret_n, struct pk_buf *errors)
{
	_cleanup_(globfree) glob_t g = { 0 };
	struct pk_playbook *p;
	char pattern[256];
	size_t n = 0;

	if (access(dir, R_OK | X_OK) < 0)
		return -errno;
	(void)snprintf(pattern, sizeof(pattern), "%s/*.json", dir);
	if (glob(pattern, 0, NULL, &g) == GLOB_NOSPACE)
		return -ENOMEM;
	p = calloc(PK_SHELF_MAX, sizeof(*p));
	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < g.gl_pathc && n < PK_SHELF_MAX; i++) {
		_cleanup_(pk_buf_done) struct pk_buf own = { 0 };
		int r = pk_shelf_read_file(g.gl_pathv[i], &p[n], &own);

		if (r < 0)
			add_errors(g.gl_pathv[i], r, &own, errors);
		else
			n++;
	}
	*ret = p;
	*ret_n = n;
	return 0;
}
