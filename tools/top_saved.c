/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One list "views" of maps of scalars, read and written by libyaml. Keys that are not ours are left
 * out; a file that is not of this form is never written over.
 */
#include "top_saved.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#define FILE_MAX (1 << 20)

char *pk_top_saved_path(void)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;

	if (base && *base == '/')
		return asprintf(&path, "%s/picket/top.yaml", base) < 0 ? NULL : path;
	if (home && *home == '/')
		return asprintf(&path, "%s/.config/picket/top.yaml", home) < 0 ? NULL : path;
	return NULL;
}

const struct pk_top_saved_view *pk_top_saved_find(const struct pk_top_saved *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].name, name))
			return &s->v[i];
	return NULL;
}

int pk_top_saved_put(struct pk_top_saved *s, const struct pk_top_saved_view *v)
{
	size_t i = 0;

	while (i < s->n && strcmp(s->v[i].name, v->name) != 0)
		i++;
	if (i == PK_TOP_SAVED_MAX)
		return -ENOSPC;
	s->v[i] = *v;
	s->n += i == s->n;
	return 0;
}

void pk_top_saved_remove(struct pk_top_saved *s, size_t at)
{
	if (at >= s->n)
		return;
	memmove(&s->v[at], &s->v[at + 1], (s->n - at - 1) * sizeof(s->v[0]));
	s->n--;
}

static const char *scalar(yaml_document_t *d, int index)
{
	yaml_node_t *n = yaml_document_get_node(d, index);

	return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

static int set(struct pk_top_saved_view *v, const char *key, const char *value)
{
	const struct {
		const char *key;
		char *to;
		size_t size;
	} text[] = { { "name", v->name, sizeof(v->name) },
		     { "view", v->view, sizeof(v->view) },
		     { "filter", v->filter, sizeof(v->filter) },
		     { "sort", v->sort, sizeof(v->sort) } };

	for (size_t i = 0; i < PK_ARRAY_SIZE(text); i++)
		if (!strcmp(key, text[i].key)) {
			if (strlen(value) >= text[i].size)
				return -EINVAL;
			strcpy(text[i].to, value);
			return 0;
		}
	if (!strcmp(key, "reverse"))
		v->reverse = !strcmp(value, "true");
	return 0;
}

static int read_view(yaml_document_t *d, yaml_node_t *n, struct pk_top_saved_view *v)
{
	if (!n || n->type != YAML_MAPPING_NODE)
		return -EINVAL;
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top;
	     p++) {
		const char *key = scalar(d, p->key), *value = scalar(d, p->value);

		if (!key || !value || set(v, key, value) < 0)
			return -EINVAL;
	}
	return *v->name && *v->view ? 0 : -EINVAL;
}

static yaml_node_t *list_of(yaml_document_t *d)
{
	yaml_node_t *root = yaml_document_get_root_node(d);

	if (!root || root->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
	     p++) {
		const char *key = scalar(d, p->key);
		yaml_node_t *list = yaml_document_get_node(d, p->value);

		if (key && !strcmp(key, "views"))
			return list && list->type == YAML_SEQUENCE_NODE ? list : NULL;
	}
	return NULL;
}

static int read_views(yaml_document_t *d, struct pk_top_saved *ret, struct pk_buf *error)
{
	yaml_node_t *list = list_of(d);
	struct pk_top_saved s = {};

	if (!list) {
		pk_buf_str(error, "there is no list \"views\" in it");
		return -EINVAL;
	}
	for (yaml_node_item_t *i = list->data.sequence.items.start;
	     i < list->data.sequence.items.top; i++) {
		yaml_node_t *n = yaml_document_get_node(d, *i);
		struct pk_top_saved_view v = {};

		if (read_view(d, n, &v) < 0 || pk_top_saved_put(&s, &v) < 0) {
			pk_buf_fmt(error,
				   "line %zu: a view has a name, a view, and texts that are "
				   "not too long; at most %d of them",
				   n ? n->start_mark.line + 1 : 0, PK_TOP_SAVED_MAX);
			return -EINVAL;
		}
	}
	*ret = s;
	return 0;
}

int pk_top_saved_load(const char *path, struct pk_top_saved *ret, struct pk_buf *error)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	yaml_document_t d;
	yaml_parser_t parser;
	struct stat st;
	int r;

	*ret = (struct pk_top_saved){};
	if (!f && errno == ENOENT)
		return 0;
	if (!f || fstat(fileno(f), &st) < 0) {
		pk_buf_fmt(error, "%s", strerror(errno));
		return -EINVAL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		pk_buf_str(error, "it is no file, or too large");
		return -EINVAL;
	}
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_file(&parser, f);
	if (yaml_parser_load(&parser, &d)) {
		r = read_views(&d, ret, error);
		yaml_document_delete(&d);
	} else {
		pk_buf_fmt(error, "line %zu: %s", parser.problem_mark.line + 1,
			   parser.problem ? parser.problem : "no memory");
		r = -EINVAL;
	}
	yaml_parser_delete(&parser);
	return r;
}

static int pair(yaml_document_t *d, int map, const char *key, const char *value, bool quoted)
{
	int k = yaml_document_add_scalar(d, NULL, (const yaml_char_t *)key, -1,
					 YAML_PLAIN_SCALAR_STYLE);
	int v = yaml_document_add_scalar(d, NULL, (const yaml_char_t *)value, -1,
					 quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
						: YAML_PLAIN_SCALAR_STYLE);

	return k && v && yaml_document_append_mapping_pair(d, map, k, v) ? 0 : -ENOMEM;
}

static int add_view(yaml_document_t *d, int list, const struct pk_top_saved_view *v)
{
	int map = yaml_document_add_mapping(d, NULL, YAML_BLOCK_MAPPING_STYLE);

	if (!map || !yaml_document_append_sequence_item(d, list, map))
		return -ENOMEM;
	return pair(d, map, "name", v->name, true) || pair(d, map, "view", v->view, false) ||
			       pair(d, map, "filter", v->filter, true) ||
			       pair(d, map, "sort", v->sort, true) ||
			       pair(d, map, "reverse", v->reverse ? "true" : "false", false)
		       ? -ENOMEM
		       : 0;
}

static int build(yaml_document_t *d, const struct pk_top_saved *s)
{
	int root = yaml_document_add_mapping(d, NULL, YAML_BLOCK_MAPPING_STYLE);
	int key = yaml_document_add_scalar(d, NULL, (const yaml_char_t *)"views", -1,
					   YAML_PLAIN_SCALAR_STYLE);
	int list = yaml_document_add_sequence(d, NULL, YAML_BLOCK_SEQUENCE_STYLE);

	if (!root || !key || !list || !yaml_document_append_mapping_pair(d, root, key, list))
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		if (add_view(d, list, &s->v[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int write_yaml(FILE *f, const struct pk_top_saved *s)
{
	yaml_emitter_t e;
	yaml_document_t d;
	int r = -ENOMEM;

	if (!yaml_document_initialize(&d, NULL, NULL, NULL, 1, 1))
		return -ENOMEM;
	if (build(&d, s) < 0 || !yaml_emitter_initialize(&e)) {
		yaml_document_delete(&d);
		return -ENOMEM;
	}
	yaml_emitter_set_output_file(&e, f);
	yaml_emitter_set_unicode(&e, 1);
	yaml_emitter_set_width(&e, -1);
	/* dump takes the document, also when it fails */
	if (yaml_emitter_open(&e) && yaml_emitter_dump(&e, &d) && yaml_emitter_close(&e))
		r = 0;
	else if (e.error == YAML_WRITER_ERROR)
		r = -EIO;
	yaml_emitter_delete(&e);
	return r;
}

/* The directories above the file: private, as what people look at is. */
static int make_parents(const char *path)
{
	_cleanup_free_ char *dir = strdup(path);

	if (!dir)
		return -ENOMEM;
	for (char *p = dir + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = 0;
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

int pk_top_saved_store(const char *path, const struct pk_top_saved *s)
{
	_cleanup_free_ char *tmp = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	int r = make_parents(path), fd;

	if (r < 0)
		return r;
	if (asprintf(&tmp, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	r = f ? write_yaml(f, s) : -errno;
	if (!r && (fflush(f) || fsync(fileno(f)) < 0 || rename(tmp, path) < 0))
		r = -errno;
	if (r < 0)
		(void)unlink(tmp); /* what failed is told */
	if (!f)
		close(fd);
	return r;
}
