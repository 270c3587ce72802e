/* SPDX-License-Identifier: Apache-2.0 */
/* Steps through a YAML document, counted, with the place of each node for complaints. */
#include "sigma/yaml_doc.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct pk_sigma_mark pk_sigma_doc_mark(const yaml_node_t *n)
{
	return (struct pk_sigma_mark){ .line = n->start_mark.line + 1,
				       .column = n->start_mark.column + 1 };
}

int pk_sigma_doc_complain(struct pk_sigma_doc *d, const yaml_node_t *n, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r = pk_sigma_complain(d->arena, d->rule, pk_sigma_doc_mark(n), false, "%s", text);
	d->no_memory |= r == -ENOMEM;
	return r;
}

bool pk_sigma_is_map(const yaml_node_t *n)
{
	return n->type == YAML_MAPPING_NODE;
}

bool pk_sigma_is_list(const yaml_node_t *n)
{
	return n->type == YAML_SEQUENCE_NODE;
}

bool pk_sigma_is_scalar(const yaml_node_t *n)
{
	return n->type == YAML_SCALAR_NODE;
}

size_t pk_sigma_doc_count(const yaml_node_t *n)
{
	if (pk_sigma_is_map(n))
		return n->data.mapping.pairs.top - n->data.mapping.pairs.start;
	if (pk_sigma_is_list(n))
		return n->data.sequence.items.top - n->data.sequence.items.start;
	return 0;
}

/* False the first time complained: what is left is not read. */
static bool step(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	if (!d->steps)
		return false;
	if (--d->steps)
		return true;
	pk_sigma_doc_complain(d, n, "the document is too large");
	return false;
}

static const char *key_of(struct pk_sigma_doc *d, const yaml_node_t *map, size_t i)
{
	const yaml_node_t *k =
		yaml_document_get_node(d->yaml, map->data.mapping.pairs.start[i].key);

	if (!pk_sigma_is_scalar(k) ||
	    strlen((const char *)k->data.scalar.value) != k->data.scalar.length)
		return NULL;
	return (const char *)k->data.scalar.value;
}

bool pk_sigma_doc_pair(struct pk_sigma_doc *d, const yaml_node_t *map, size_t i,
		       struct pk_sigma_pair *ret)
{
	const yaml_node_pair_t *p = &map->data.mapping.pairs.start[i];
	const yaml_node_t *key = yaml_document_get_node(d->yaml, p->key);

	if (!step(d, key))
		return false;
	*ret = (struct pk_sigma_pair){ .key = key_of(d, map, i),
				       .value = yaml_document_get_node(d->yaml, p->value),
				       .at = pk_sigma_doc_mark(key) };
	if (!ret->key) {
		pk_sigma_doc_complain(d, key, "a key must be plain text");
		return false;
	}
	for (size_t j = 0; j < i; j++) {
		const char *other = key_of(d, map, j);

		if (!step(d, key))
			return false;
		if (other && strcmp(other, ret->key) == 0) {
			pk_sigma_doc_complain(d, key, "%s: given twice", ret->key);
			return false;
		}
	}
	return true;
}

const yaml_node_t *pk_sigma_doc_member(struct pk_sigma_doc *d, const yaml_node_t *list, size_t i)
{
	const yaml_node_t *n = yaml_document_get_node(d->yaml, list->data.sequence.items.start[i]);

	return step(d, n) ? n : NULL;
}

static bool is_one_of(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (strcasecmp(s, *words) == 0)
			return true;
	return false;
}

/* What a plain scalar is in YAML 1.1; NULL: itself. */
static const char *plain(const char *s, char number[24])
{
	static const char *const yes[] = { "yes", "on", "true", NULL };
	static const char *const no[] = { "no", "off", "false", NULL };
	unsigned long long v;
	char end;

	if (is_one_of(s, yes))
		return "true";
	if (is_one_of(s, no))
		return "false";
	if (strlen(s) > 18 || strncmp(s, "0x", 2) != 0 || sscanf(s + 2, "%llx%c", &v, &end) != 1)
		return NULL;
	snprintf(number, 24, "%llu", v);
	return number;
}

int pk_sigma_doc_text(struct pk_sigma_doc *d, const yaml_node_t *n, const char **ret,
		      size_t *ret_len)
{
	static const char *const nulls[] = { "", "~", "null", NULL };
	const char *s = (const char *)n->data.scalar.value, *as;
	bool is_plain = n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	char number[24];

	if (strlen(s) != n->data.scalar.length)
		return pk_sigma_doc_complain(d, n, "a NUL byte in a text");
	if (is_plain && is_one_of(s, nulls)) {
		*ret = NULL;
		*ret_len = 0;
		return 0;
	}
	as = is_plain ? plain(s, number) : NULL;
	s = as ? as : s;
	*ret_len = strlen(s);
	*ret = pk_arena_copy(d->arena, s, *ret_len);
	d->no_memory |= !*ret;
	return *ret ? 0 : -ENOMEM;
}

int pk_sigma_doc_string(struct pk_sigma_doc *d, const yaml_node_t *n, const char *what,
			const char **ret)
{
	const char *s;
	size_t len;
	int r;

	if (!pk_sigma_is_scalar(n))
		return pk_sigma_doc_complain(d, n, "%s: expected a text", what);
	r = pk_sigma_doc_text(d, n, &s, &len);
	if (r < 0)
		return r;
	if (!s)
		return pk_sigma_doc_complain(d, n, "%s: expected a text, not null", what);
	*ret = s;
	return 0;
}

int pk_sigma_doc_list(struct pk_sigma_doc *d, const yaml_node_t *n, const char *what,
		      struct pk_sigma_list *ret)
{
	size_t count = pk_sigma_is_list(n) ? pk_sigma_doc_count(n) : 1;
	struct pk_sigma_list l = { .v = pk_arena_alloc(d->arena, count * sizeof(*l.v)) };

	if (!l.v) {
		d->no_memory = true;
		return -ENOMEM;
	}
	for (; l.n < count; l.n++) {
		const yaml_node_t *m = pk_sigma_is_list(n) ? pk_sigma_doc_member(d, n, l.n) : n;
		int r = m ? pk_sigma_doc_string(d, m, what, &l.v[l.n]) : -EINVAL;

		if (r < 0)
			return r;
	}
	*ret = l;
	return 0;
}
