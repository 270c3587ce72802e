/* SPDX-License-Identifier: Apache-2.0 */
/* The items of sign.lists, apart and looked up. */
#include "conf/threshold.h"

#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int parse_keys(const char *s, struct pk_conf_threshold *t)
{
	for (size_t n; *s; s += n + (s[n] == '+')) {
		n = strcspn(s, "+");
		if (n != PK_CONF_KEY_ID - 1 || strspn(s, "0123456789abcdef") != n ||
		    t->keys == PK_CONF_KEYS_MAX || (s[n] == '+' && !s[n + 1]))
			return -EINVAL;
		memcpy(t->key[t->keys], s, n);
		for (size_t i = 0; i < t->keys; i++)
			if (strcmp(t->key[i], t->key[t->keys]) == 0)
				return -EINVAL;
		t->keys++;
	}
	return t->keys >= t->need ? 0 : -EINVAL;
}

int pk_conf_threshold_parse(const char *s, struct pk_conf_threshold *ret)
{
	struct pk_conf_threshold t = { 0 };
	size_t n = strcspn(s, "=");
	char *end;

	if (!n || n >= sizeof(t.list) || s[n] != '=' || s[n + 1] < '1' || s[n + 1] > '9')
		return -EINVAL;
	memcpy(t.list, s, n);
	t.need = (unsigned)strtoul(s + n + 1, &end, 10);
	if (t.need > PK_CONF_KEYS_MAX || (*end && *end != ':') || (*end && !end[1]) ||
	    (*end && parse_keys(end + 1, &t) < 0))
		return -EINVAL;
	*ret = t;
	return 0;
}

void pk_conf_threshold(const struct pk_conf *c, const char *list, struct pk_conf_threshold *ret)
{
	struct pk_conf_threshold t;

	*ret = (struct pk_conf_threshold){ .need = 1 };
	for (size_t i = 0; i < c->sign_lists.n; i++) {
		if (pk_conf_threshold_parse(c->sign_lists.v[i], &t) < 0)
			continue; /* refused when it was read */
		if (strcmp(t.list, list) == 0) {
			*ret = t;
			return;
		}
		if (strcmp(t.list, "*") == 0)
			*ret = t;
	}
}
