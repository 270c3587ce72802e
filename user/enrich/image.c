/* SPDX-License-Identifier: Apache-2.0 */
/* Builds an image out of an exec record and frees it with its last reference. */
#include "enrich/image.h"

#include "decode/record.h"
#include "enrich/process.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (PK_PATH_LEN + PK_CWD_LEN + 2 * PK_NAME_LEN + PK_ARGV_LEN + PK_ARGV_TAIL_LEN + 64)

/* Appends a string with its NUL and returns where it starts. */
static uint32_t put(char *text, uint32_t *at, const char *s, size_t len)
{
	uint32_t start = *at;

	memcpy(text + start, s, len);
	text[start + len] = '\0';
	*at += len + 1;
	return start;
}

/*
 * The record says only that something was cut; a path is if it used the room up to where the
 * longest name would not have fitted any more.
 */
static bool is_cut(const struct pk_exec *e, uint32_t len, size_t size)
{
	return (e->hdr.flags & PK_EVF_TRUNCATED) && len + PK_NAME_LEN > size;
}

struct pk_image *pk_image_new(const struct pk_exec *e, bool args)
{
	char text[TEXT_MAX], part[PK_PATH_LEN + PK_ARGV_LEN + PK_ARGV_TAIL_LEN];
	uint32_t at = 0, path, cwd, filename, interp, cmd_line;
	struct pk_image *i;
	size_t n;

	n = e->path_len ? pk_path_join(e->path, e->path_len, is_cut(e, e->path_len, PK_PATH_LEN),
				       part, PK_PATH_LEN + 8)
			: 0;
	path = put(text, &at, part, n);
	n = e->cwd_len ? pk_path_join(e->cwd, e->cwd_len, is_cut(e, e->cwd_len, PK_CWD_LEN), part,
				      PK_CWD_LEN + 8)
		       : 0;
	cwd = put(text, &at, part, n);
	filename = put(text, &at, e->filename, strlen(e->filename));
	interp = put(text, &at, e->interp, strlen(e->interp));
	n = args ? pk_argv_join(e, part, sizeof(part)) : 0;
	cmd_line = put(text, &at, part, n);
	i = malloc(sizeof(*i) + at);
	if (!i)
		return NULL;
	*i = (struct pk_image){
		.refs = 1,
		.bytes = sizeof(*i) + at,
		.ts = e->hdr.ts,
		.exe_ino = e->exe_ino,
		.exe_dev = e->exe_dev,
		.exe_mode = e->exe_mode,
		.exe_uid = e->exe_uid,
		.exec_flags = e->exec_flags,
		.loginuid = e->loginuid,
		.sessionid = e->sessionid,
		.cap_effective = e->cap_effective,
		.cap_permitted = e->cap_permitted,
		.truncated = (e->hdr.flags & PK_EVF_TRUNCATED) || !args,
		.snapshot = e->hdr.flags & PK_EVF_SNAPSHOT,
		.path = i->text + path,
		.cwd = i->text + cwd,
		.filename = i->text + filename,
		.interp = i->text + interp,
		.cmd_line = i->text + cmd_line,
	};
	memcpy(i->text, text, at);
	return i;
}

struct pk_image *pk_image_ref(struct pk_image *i)
{
	i->refs++;
	return i;
}

uint32_t pk_image_unref(struct pk_image *i)
{
	uint32_t bytes = i && i->refs == 1 ? i->bytes : 0;

	if (i && --i->refs == 0)
		free(i);
	return bytes;
}
