/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each list of the configuration, and no more, whatever is told. */
#include "pull/told.h"

#include "conf/conf.h"
#include "conf/pull.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pk_pulls {
	uint64_t began_ns, stale_ns;
	size_t n;
	struct pk_conf_pulled conf[PK_CONF_PULL_ITEMS];
	struct pk_pulled row[PK_CONF_PULL_ITEMS];
};

struct pk_pulls *pk_pulls_new(const struct pk_conf *conf, uint64_t now_ns)
{
	struct pk_pulls *p = conf->pull_lists.n ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	p->began_ns = now_ns;
	p->stale_ns = conf->pull_stale_ns;
	p->n = pk_conf_pulled(conf, p->conf);
	for (size_t i = 0; i < p->n; i++)
		p->row[i].list = p->conf[i].list;
	return p;
}

void pk_pulls_free(struct pk_pulls *p)
{
	free(p);
}

static struct pk_pulled *find(struct pk_pulls *p, const char *list)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->row[i].list, list))
			return &p->row[i];
	return NULL;
}

int pk_pulls_take(struct pk_pulls *p, const struct pk_pull_news *n, uint64_t now_ns)
{
	struct pk_pulled *row = find(p, n->list);
	uint64_t next_ns;

	if (!row)
		return -ENOENT;
	if (__builtin_mul_overflow(n->next_ms, 1000000, &next_ns) ||
	    __builtin_add_overflow(next_ns, now_ns, &next_ns))
		next_ns = UINT64_MAX;
	row->last = *n;
	row->tried_ns = now_ns;
	row->next_ns = next_ns;
	row->count[n->outcome]++;
	if (pk_pull_is_good(n->outcome)) {
		row->good_ns = now_ns;
		row->stale = false;
	}
	return 0;
}

const struct pk_pulled *pk_pulls_at(const struct pk_pulls *p, size_t i)
{
	return p && i < p->n ? &p->row[i] : NULL;
}

const struct pk_pulled *pk_pulls_find(const struct pk_pulls *p, const char *list)
{
	return p ? find((struct pk_pulls *)p, list) : NULL; /* for reading */
}

uint64_t pk_pulls_since(const struct pk_pulls *p, const struct pk_pulled *of)
{
	return of->good_ns ? of->good_ns : p->began_ns;
}

const struct pk_pulled *pk_pulls_stale(struct pk_pulls *p, uint64_t now_ns)
{
	for (size_t i = 0; p && i < p->n; i++) {
		struct pk_pulled *row = &p->row[i];

		if (row->stale || now_ns < pk_pulls_since(p, row) + p->stale_ns)
			continue;
		row->stale = true;
		return row;
	}
	return NULL;
}
