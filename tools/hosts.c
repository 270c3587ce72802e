/* SPDX-License-Identifier: Apache-2.0 */
/* Reads hosts; libyaml parses the file. */
#include "hosts.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

void pk_hosts_done(struct pk_hosts *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->v[i]);
	free(h->v);
	*h = (struct pk_hosts){ 0 };
}

/* What may stand between "https://" and a path, and nothing that could end it. */
static bool is_host(const char *s)
{
	size_t n = strlen(s);

	return n && n < 256 &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]") ==
		       n;
}

static int add_host(struct pk_hosts *h, const char *s, struct pk_buf *error)
{
	const char *behind = strrchr(s, ']');
	bool bare6 = *s != '[' && strchr(s, ':') != strrchr(s, ':');
	char *full, **v;

	if (!is_host(s)) {
		pk_buf_fmt(error, "%s is no host", s);
		return -EINVAL;
	}
	if (asprintf(&full, "%s%s%s%s", bare6 ? "[" : "", s, bare6 ? "]" : "",
		     bare6 || !strchr(behind ? behind : s, ':') ? ":" PK_HOSTS_PORT : "") < 0)
		return -ENOMEM;
	for (size_t i = 0; i < h->n; i++)
		if (strcmp(h->v[i], full) == 0) {
			free(full);
			return 0;
		}
	v = h->n < PK_HOSTS_MAX ? reallocarray(h->v, h->n + 1, sizeof(*v)) : NULL;
	if (!v) {
		free(full);
		pk_buf_fmt(error, "more than %d hosts", PK_HOSTS_MAX);
		return -E2BIG;
	}
	h->v = v;
	v[h->n++] = full;
	return 0;
}

static const char *scalar(const yaml_node_t *n)
{
	return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

static int add_list(struct pk_hosts *h, yaml_document_t *doc, const yaml_node_t *list,
		    const char *file, struct pk_buf *error)
{
	int r = 0;

	if (!list || list->type != YAML_SEQUENCE_NODE) {
		pk_buf_fmt(error, "%s:%zu: a group is a list of hosts", file,
			   list ? list->start_mark.line + 1 : 0);
		return -EINVAL;
	}
	for (yaml_node_item_t *i = list->data.sequence.items.start;
	     r == 0 && i < list->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(doc, *i);
		const char *s = scalar(item);

		if (s)
			r = add_host(h, s, error);
		if (!s || r == -EINVAL) {
			pk_buf_reset(error);
			pk_buf_fmt(error, "%s:%zu: expected HOST or HOST:PORT", file,
				   item ? item->start_mark.line + 1 : 0);
			r = -EINVAL;
		}
	}
	return r;
}

/* The value of a key; NULL: none. */
static yaml_node_t *member(yaml_document_t *doc, const yaml_node_t *map, const char *key)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++) {
		const char *name = scalar(yaml_document_get_node(doc, p->key));

		if (name && strcmp(name, key) == 0)
			return yaml_document_get_node(doc, p->value);
	}
	return NULL;
}

static int add_groups(struct pk_hosts *h, yaml_document_t *doc, const char *file, const char *group,
		      struct pk_buf *error)
{
	yaml_node_t *groups = member(doc, yaml_document_get_root_node(doc), "groups"), *one;
	int r = 0;

	if (!groups || groups->type != YAML_MAPPING_NODE) {
		pk_buf_fmt(error, "%s: expected \"groups:\" with lists of hosts below", file);
		return -EINVAL;
	}
	if (group) {
		one = member(doc, groups, group);
		if (one)
			return add_list(h, doc, one, file, error);
		pk_buf_fmt(error, "%s: there is no group %s", file, group);
		return -ENOENT;
	}
	for (yaml_node_pair_t *p = groups->data.mapping.pairs.start;
	     r == 0 && p < groups->data.mapping.pairs.top; p++)
		r = add_list(h, doc, yaml_document_get_node(doc, p->value), file, error);
	return r;
}

static int add_file(struct pk_hosts *h, const char *file, const char *group, struct pk_buf *error)
{
	_cleanup_fclose_ FILE *f = fopen(file, "re");
	yaml_document_t doc;
	yaml_parser_t p;
	int r;

	if (!f) {
		r = -errno;
		pk_buf_fmt(error, "%s: %s", file, strerror(-r));
		return r;
	}
	if (!yaml_parser_initialize(&p))
		return -ENOMEM;
	yaml_parser_set_input_file(&p, f);
	if (!yaml_parser_load(&p, &doc)) {
		pk_buf_fmt(error, "%s:%zu: %s", file, p.problem_mark.line + 1, p.problem);
		yaml_parser_delete(&p);
		return -EINVAL;
	}
	r = add_groups(h, &doc, file, group, error);
	yaml_document_delete(&doc);
	yaml_parser_delete(&p);
	return r;
}

int pk_hosts_add(struct pk_hosts *h, const char *word, const char *group, struct pk_buf *error)
{
	const char *dot = strrchr(word, '.');

	if (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml")))
		return add_file(h, word, group, error);
	if (!group)
		return add_host(h, word, error);
	pk_buf_str(error, "--group takes hosts from a file: --to hosts.yaml");
	return -EINVAL;
}
