/* SPDX-License-Identifier: Apache-2.0 */
/* The items of pull.lists, apart and by list. */
#include "conf/pull.h"

#include "conf/conf.h"

#include <errno.h>
#include <string.h>

#define SCHEME "https://"
#define LETTERS                                                                                    \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-" /* of a list's name */

static bool is_url(const char *s)
{
	const char *host = s + sizeof(SCHEME) - 1;
	size_t n;

	if (strncmp(s, SCHEME, sizeof(SCHEME) - 1) != 0 || strlen(s) > PK_CONF_PULL_URL)
		return false;
	n = strcspn(host, "/?#");
	if (!n || memchr(host, '@', n))
		return false;
	for (; *s; s++)
		if (*s <= 0x20 || *s > 0x7e)
			return false;
	return true;
}

static bool is_place(const char *s)
{
	return strcmp(s, PK_CONF_PULL_NATS) == 0 || is_url(s);
}

int pk_conf_pull_parse(const char *s, struct pk_conf_pull *ret)
{
	struct pk_conf_pull p = { 0 };
	size_t n = strspn(s, LETTERS);

	if (!n || n >= sizeof(p.list) || *s == '.' || s[n] != '=' || !is_place(s + n + 1))
		return -EINVAL;
	memcpy(p.list, s, n);
	strcpy(p.url, s + n + 1); /* is_url() looked at its length */
	*ret = p;
	return 0;
}

size_t pk_conf_pulled(const struct pk_conf *c, struct pk_conf_pulled ret[PK_CONF_PULL_ITEMS])
{
	size_t n = 0;

	for (size_t i = 0; i < c->pull_lists.n; i++) {
		const char *item = c->pull_lists.v[i];
		struct pk_conf_pull p;
		size_t k = 0;

		if (pk_conf_pull_parse(item, &p) < 0)
			continue;
		while (k < n && strcmp(ret[k].list, p.list) != 0)
			k++;
		if (k == n) {
			ret[n] = (struct pk_conf_pulled){ 0 };
			strcpy(ret[n++].list, p.list);
		}
		if (strcmp(p.url, PK_CONF_PULL_NATS) == 0)
			ret[k].nats = true;
		else
			ret[k].url[ret[k].urls++] = strchr(item, '=') + 1;
	}
	return n;
}
