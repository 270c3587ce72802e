/* SPDX-License-Identifier: Apache-2.0 */
/* Builds an image out of an exec record and frees it with its last reference. */
#include "enrich/image.h"

#include "decode/record.h"
#include "enrich/process.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (PK_PATH_LEN + PK_CWD_LEN + 2 * PK_NAME_LEN + PK_ARGV_LEN + PK_ARGV_TAIL_LEN + 64)

#define DEPTH_LIMIT 40

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
 * The record says only that something was cut. A path was if it used the room up to where the
 * longest name would not have fitted any more, or is about as deep as the kernel side follows.
 */
static bool is_cut(const struct pk_exec *e, const char *parts, uint32_t len, size_t size)
{
	uint32_t depth = 0;

	for (uint32_t i = 0; i < len; i++)
		depth += parts[i] == '\0';
	return (e->hdr.flags & PK_EVF_TRUNCATED) &&
	       (len + PK_NAME_LEN > size || depth >= DEPTH_LIMIT);
}

/* In an array that is full, the outermost name may have lost its end: rather none than half. */
static uint32_t whole_parts(const char *parts, uint32_t len, size_t size)
{
	if (len < size)
		return len;
	len--;
	while (len && parts[len - 1] != '\0')
		len--;
	return len;
}

static size_t join(const struct pk_exec *e, const char *parts, uint32_t len, size_t size, char *out)
{
	if (!len)
		return 0;
	return pk_path_join(parts, whole_parts(parts, len, size), is_cut(e, parts, len, size), out,
			    size + 8);
}

struct pk_image *pk_image_new(const struct pk_exec *e, bool args)
{
	char text[TEXT_MAX], part[PK_PATH_LEN + PK_ARGV_LEN + PK_ARGV_TAIL_LEN];
	uint32_t at = 0, path, cwd, filename, interp, cmd_line;
	struct pk_image *i;
	size_t n;

	n = join(e, e->path, e->path_len, sizeof(e->path), part);
	path = put(text, &at, part, n);
	n = join(e, e->cwd, e->cwd_len, sizeof(e->cwd), part);
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
		.exe_ctime_s = e->exe_ctime_s,
		.stdio_cookie = e->stdio_cookie,
		.stdio = { e->stdio[0], e->stdio[1], e->stdio[2] },
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
