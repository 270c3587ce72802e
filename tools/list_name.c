/* SPDX-License-Identifier: Apache-2.0 */
/* A file's name without what says how it is written. */
#include "list_name.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_right(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

bool pk_list_name_is_right(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!is_right(name[i]))
			return false;
	return n && n <= PK_LIST_NAME_MAX && name[0] != '.';
}

bool pk_list_tag_is_right(const char *tag)
{
	if (pk_list_name_is_right(tag)) /* the same letters */
		return true;
	fputs("picket: --if-match takes a tag, as list show, list diff and list load tell it\n",
	      stderr);
	return false;
}

static size_t without_ending(const char *s, size_t n)
{
	static const char *const endings[] = { ".gz",  ".zst",   ".txt",  ".list", ".netset",
					       ".csv", ".ipset", ".json", ".ipv4", ".ipv6",
					       ".ip",  ".jsonl", ".set",  ".save", ".hosts" };

	for (size_t i = 0; i < PK_ARRAY_SIZE(endings); i++) {
		size_t e = strlen(endings[i]);

		if (n > e && strncmp(s + n - e, endings[i], e) == 0)
			return n - e;
	}
	return n;
}

int pk_list_name_of_file(const char *path, char ret[PK_LIST_NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/'), *s = slash ? slash + 1 : path;
	size_t n = strlen(s), before, at = 0;

	do {
		before = n;
		n = without_ending(s, n);
	} while (n != before);
	while (n && *s == '.') {
		s++;
		n--;
	}
	for (size_t i = 0; i < n && at < PK_LIST_NAME_MAX; i++)
		ret[at++] = is_right(s[i]) ? s[i] : '-';
	ret[at] = '\0';
	return at ? 0 : -EINVAL;
}
