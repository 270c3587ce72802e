/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML files to a struct pk_conf. libyaml parses; this file walks the document by the schema, since
 * only the document's marks give the line of the very key that is wrong. It prints nothing.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "conf/conf.h"
#include "conf/schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <yaml.h>

#define FILE_MAX_BYTES (1u << 20)
#define DROPINS_MAX    256

struct load {
	struct pk_conf *conf;
	const char *file;
	yaml_document_t *doc;
	struct pk_buf *errors;
	int bad; /* complaints so far */
};

static void at(struct load *l, const yaml_mark_t *mark)
{
	pk_escape_text(l->errors, l->file, strlen(l->file));
	pk_buf_fmt(l->errors, ":%zu: ", mark->line + 1);
	l->bad++;
}

static void complain(struct load *l, const yaml_mark_t *mark, const char *key, const char *what)
{
	at(l, mark);
	if (key) {
		pk_escape_text(l->errors, key, strlen(key));
		pk_buf_str(l->errors, ": ");
	}
	pk_buf_fmt(l->errors, "%s\n", what);
}

/* The text of a scalar, NULL for another node or one with a NUL inside. */
static const char *scalar(const yaml_node_t *n)
{
	const char *s = n && n->type == YAML_SCALAR_NODE ? (char *)n->data.scalar.value : NULL;

	return s && strlen(s) == n->data.scalar.length ? s : NULL;
}

static void load_list(struct load *l, const struct pk_conf_row *row, const yaml_node_t *value)
{
	struct pk_conf_list *dest = (void *)((char *)l->conf + row->offset);
	struct pk_conf_list list = { 0 };

	for (yaml_node_item_t *i = value->data.sequence.items.start;
	     i < value->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(l->doc, *i);
		const char *s = scalar(item);
		int r = s ? pk_conf_list_add(row, &list, s) : -EINVAL;

		if (r < 0) {
			at(l, &item->start_mark);
			pk_conf_complain(row, s ? s : "", r, l->errors);
			pk_conf_list_done(&list);
			return;
		}
	}
	pk_conf_list_done(dest);
	*dest = list;
}

static void load_value(struct load *l, const struct pk_conf_row *row, const yaml_node_t *value)
{
	yaml_node_type_t want = row->type == PK_CONF_LIST ? YAML_SEQUENCE_NODE : YAML_SCALAR_NODE;
	const char *s = scalar(value);
	int r;

	if (value->type != want || (want == YAML_SCALAR_NODE && !s)) {
		at(l, &value->start_mark);
		pk_buf_fmt(l->errors, "%s: wrong kind of value, expected ", row->name);
		pk_conf_expected(row, l->errors);
		pk_buf_char(l->errors, '\n');
		return;
	}
	if (want == YAML_SEQUENCE_NODE)
		return load_list(l, row, value);
	r = pk_conf_parse(row, s, (char *)l->conf + row->offset);
	if (r < 0) {
		at(l, &value->start_mark);
		pk_conf_complain(row, s, r, l->errors);
	}
}

/* Was the same key already in this mapping? */
static bool is_repeated(struct load *l, const yaml_node_t *map, const yaml_node_pair_t *pair)
{
	const char *name = scalar(yaml_document_get_node(l->doc, pair->key));

	for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair; p++) {
		const char *other = scalar(yaml_document_get_node(l->doc, p->key));

		if (other && strcmp(other, name) == 0)
			return true;
	}
	return false;
}

static bool is_section(const char *name)
{
	const struct pk_conf_row *row;
	size_t len = strlen(name);

	for (size_t i = 0; (row = pk_conf_row(i)); i++)
		if (strncmp(row->name, name, len) == 0 && row->name[len] == '.')
			return true;
	return false;
}

static void load_mapping(struct load *l, const yaml_node_t *map, const char *section);

static void load_pair(struct load *l, const yaml_node_t *map, const yaml_node_pair_t *pair,
		      const char *section)
{
	const yaml_node_t *key = yaml_document_get_node(l->doc, pair->key);
	const yaml_node_t *value = yaml_document_get_node(l->doc, pair->value);
	const char *name = scalar(key);
	const struct pk_conf_row *row;
	char full[128];

	if (!name)
		return complain(l, &key->start_mark, section, "a key must be plain text");
	snprintf(full, sizeof(full), "%s%s%s", section ? section : "", section ? "." : "", name);
	if (is_repeated(l, map, pair))
		return complain(l, &key->start_mark, full, "given twice, expected once");
	if (section) {
		row = pk_conf_find(full);
		if (!row)
			return complain(l, &key->start_mark, full, "unknown key");
		return load_value(l, row, value);
	}
	if (!is_section(name))
		return complain(l, &key->start_mark, full, "unknown section");
	if (scalar(value) && !*scalar(value))
		return; /* every key of it is commented out */
	if (value->type != YAML_MAPPING_NODE)
		return complain(l, &value->start_mark, full, "wrong kind of value, expected keys");
	load_mapping(l, value, name);
}

static void load_mapping(struct load *l, const yaml_node_t *map, const char *section)
{
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++)
		load_pair(l, map, p, section);
}

static void load_document(struct load *l)
{
	const yaml_node_t *root = yaml_document_get_root_node(l->doc);

	if (!root || (scalar(root) && !*scalar(root)))
		return; /* empty, or comments only */
	if (root->type != YAML_MAPPING_NODE)
		return complain(l, &root->start_mark, NULL,
				"wrong kind of file, expected sections");
	load_mapping(l, root, NULL);
}

/* True if there was a document (perhaps an empty one) and no error of syntax. */
static bool next_document(struct load *l, yaml_parser_t *parser)
{
	if (yaml_parser_load(parser, l->doc))
		return true;
	complain(l, &parser->problem_mark, NULL, parser->problem ? parser->problem : "not YAML");
	return false;
}

int pk_conf_load_text(struct pk_conf *c, const char *file, const char *text, size_t len,
		      struct pk_buf *errors)
{
	yaml_document_t doc, second;
	struct load l = { .conf = c, .file = file, .doc = &doc, .errors = errors };
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (next_document(&l, &parser)) {
		load_document(&l);
		yaml_document_delete(&doc);
		l.doc = &second;
		if (next_document(&l, &parser)) {
			const yaml_node_t *root = yaml_document_get_root_node(&second);

			if (root)
				complain(&l, &root->start_mark, NULL,
					 "a second document, expected one");
			yaml_document_delete(&second);
		}
	}
	yaml_parser_delete(&parser);
	return l.bad ? -EINVAL : 0;
}

static int read_file(const char *file, struct pk_buf *out)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char part[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	out->max = FILE_MAX_BYTES;
	while ((n = read(fd, part, sizeof(part))) > 0)
		pk_buf_add(out, part, n);
	return n < 0 ? -errno : out->error;
}

static int load_file(struct pk_conf *c, const char *file, bool may_miss, struct pk_buf *errors)
{
	struct pk_buf text = { 0 };
	int r = read_file(file, &text);

	if (r == -ENOENT && may_miss) {
		pk_buf_done(&text);
		return 0;
	}
	if (r < 0) {
		pk_escape_text(errors, file, strlen(file));
		pk_buf_fmt(errors, ": %s\n", strerror(-r));
	} else {
		r = pk_conf_load_text(c, file, text.data ? text.data : "", text.len, errors);
	}
	pk_buf_done(&text);
	return r;
}

static int is_dropin(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".yaml") == 0;
}

/* Not alphasort(): the order must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_dropins(struct pk_conf *c, const char *file, struct pk_buf *errors)
{
	const char *slash = strrchr(file, '/');
	char dir[PATH_MAX - 256], path[PATH_MAX];
	struct dirent **names = NULL;
	int n, r = 0;

	if (snprintf(dir, sizeof(dir), "%.*sconf.d", slash ? (int)(slash - file) + 1 : 0, file) >=
	    (int)sizeof(dir))
		return -ENAMETOOLONG;
	n = scandir(dir, &names, is_dropin, by_name);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	if (n > DROPINS_MAX) {
		pk_buf_fmt(errors, "%s: %d files, expected at most %d\n", dir, n, DROPINS_MAX);
		r = -E2BIG;
	}
	for (int i = 0; i < n; i++) {
		int r2 = 0;

		if (r != -E2BIG && snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name) > 0)
			r2 = load_file(c, path, false, errors);
		r = r < 0 ? r : r2;
		free(names[i]);
	}
	free(names);
	return r;
}

int pk_conf_load(const char *file, struct pk_buf *errors, struct pk_conf **ret_conf)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
	int r, r2;

	if (!c)
		return -ENOMEM;
	r = load_file(c, file ? file : PK_CONF_FILE, !file, errors);
	r2 = load_dropins(c, file ? file : PK_CONF_FILE, errors);
	if (r < 0 || r2 < 0)
		return r < 0 ? r : r2;
	if (errors->error)
		return errors->error;
	*ret_conf = PK_TAKE(c);
	return 0;
}
