/* SPDX-License-Identifier: Apache-2.0 */
/* By the grammars of RFC 9110 (8.4, 12.5.1, 13.1), and that of our own ids of events. */
#include "api/said.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

#define BLANK " \t"

/* Past blanks and empty elements, which the grammar of lists allows. */
static const char *skip(const char *s)
{
	return s + strspn(s, BLANK ",");
}

int pk_said_tag(const char *value, const char *tag, bool weak)
{
	const char *s = skip(value);
	bool found = false;

	if (*s == '*')
		return *skip(s + 1) ? -EINVAL : tag != NULL;
	if (!*s)
		return -EINVAL;
	while (*s) {
		bool is_weak = strncmp(s, "W/", 2) == 0;
		size_t n;

		s += is_weak ? 2 : 0;
		n = *s == '"' ? strcspn(s + 1, "\"" BLANK) + 2 : 0;
		if (!n || s[n - 1] != '"')
			return -EINVAL;
		found = found ||
			(tag && (weak || !is_weak) && strlen(tag) == n && memcmp(s, tag, n) == 0);
		s += n;
		n = strspn(s, BLANK);
		if (s[n] && s[n] != ',')
			return -EINVAL;
		s = skip(s);
	}
	return found;
}

int pk_said_coding(const char *value, enum pk_packed *ret_how)
{
	static const struct {
		const char *name;
		enum pk_packed how;
	} known[] = { { "gzip", PK_PACKED_GZIP },
		      { "x-gzip", PK_PACKED_GZIP }, /* RFC 9110, 8.4.1.3: the same */
		      { "zstd", PK_PACKED_ZSTD },
		      { "identity", PK_PACKED_NOT },
		      { "", PK_PACKED_NOT } };
	const char *s = value ? value + strspn(value, BLANK) : "";
	size_t n = strcspn(s, BLANK);

	if (s[n + strspn(s + n, BLANK)])
		return -EINVAL;
	for (size_t i = 0; i < PK_ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == n && strncasecmp(s, known[i].name, n) == 0) {
			*ret_how = known[i].how;
			return 0;
		}
	return -EINVAL;
}

/* Is a weight among the parameters, and is it zero ("q=0", "q=0.000")? */
static bool is_unwanted(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i += strcspn(s + i, ";") + 1) {
		i += strspn(s + i, BLANK);
		if (i + 3 <= n && (s[i] == 'q' || s[i] == 'Q') && s[i + 1] == '=' &&
		    s[i + 2] == '0')
			return strcspn(s + i + 2, "123456789") >= strcspn(s + i + 2, ";," BLANK);
	}
	return false;
}

bool pk_said_accepts(const char *value, const char *type)
{
	size_t len = strlen(type);

	for (const char *s = value ? value : ""; *s;) {
		size_t n = strcspn(s, ","), name;

		while (n && strchr(BLANK, *s)) {
			s++;
			n--;
		}
		name = strcspn(s, ";," BLANK);
		if (name == len && strncasecmp(s, type, len) == 0)
			return !is_unwanted(s + name, n - name);
		s += n + (s[n] == ',');
	}
	return false;
}

/* At most eighteen digits; NULL: there are none, or more. */
static const char *number(const char *s, uint64_t *ret)
{
	size_t n = strspn(s, "0123456789");

	*ret = 0;
	for (size_t i = 0; i < n && n <= 18; i++)
		*ret = *ret * 10 + (uint64_t)(s[i] - '0');
	return n && n <= 18 ? s + n : NULL;
}

int pk_said_event_id(const char *value, struct pk_said_id *ret_id)
{
	const char *dash = strchr(value, '-'), *s = dash ? dash + 1 : value;
	size_t run = dash ? (size_t)(dash - value) : 0;
	struct pk_said_id id = { 0 };

	if ((dash && !run) || run >= sizeof(id.run) || strspn(value, "0123456789abcdef") < run)
		return -EINVAL;
	memcpy(id.run, value, run);
	s = number(s, &id.seq);
	if (s && *s == '.' && run)
		s = number(s + 1, &id.mark);
	if (!s || *s)
		return -EINVAL;
	*ret_id = id;
	return 0;
}
