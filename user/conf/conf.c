/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns a struct pk_conf from its defaults to its end: making, setting, printing, comparing. Reading
 * YAML is load.c's.
 */
#include "conf/conf.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "conf/schema.h"

#include <picket/event.h>

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#define COMMENT_WIDTH 96

static void *slot(const struct pk_conf *c, const struct pk_conf_row *row)
{
	return (char *)c + row->offset;
}

void pk_conf_free(struct pk_conf *c)
{
	const struct pk_conf_row *row;

	for (size_t i = 0; c && (row = pk_conf_row(i)); i++) {
		if (row->type == PK_CONF_NAME || row->type == PK_CONF_PATH)
			free(*(char **)slot(c, row));
		else if (row->type == PK_CONF_LIST)
			pk_conf_list_done(slot(c, row));
	}
	free(c);
}

void pk_conf_freep(struct pk_conf **c)
{
	pk_conf_free(*c);
}

static int set_default(struct pk_conf *c, const struct pk_conf_row *row)
{
	if (row->type != PK_CONF_LIST)
		return pk_conf_parse(row, row->def, slot(c, row));
	return *row->def ? pk_conf_list_add(row, slot(c, row), row->def) : 0;
}

struct pk_conf *pk_conf_new(void)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = calloc(1, sizeof(*c));
	const struct pk_conf_row *row;

	if (!c)
		return NULL;
	for (size_t i = 0; (row = pk_conf_row(i)); i++)
		if (set_default(c, row) < 0)
			return NULL;
	return PK_TAKE(c);
}

const struct pk_conf_row *pk_conf_row(size_t i)
{
	const struct {
		const struct pk_conf_row *rows;
		size_t n;
	} tables[] = {
		{ pk_conf_schema, pk_conf_schema_len },     { pk_conf_detect, pk_conf_detect_len },
		{ pk_conf_incident, pk_conf_incident_len }, { pk_conf_gate, pk_conf_gate_len },
		{ pk_conf_sign, pk_conf_sign_len },         { pk_conf_nats, pk_conf_nats_len },
		{ pk_conf_pull, pk_conf_pull_len },         { pk_conf_hub, pk_conf_hub_len },
	};

	for (size_t t = 0; t < PK_ARRAY_SIZE(tables); t++) {
		if (i < tables[t].n)
			return &tables[t].rows[i];
		i -= tables[t].n;
	}
	return NULL;
}

const struct pk_conf_row *pk_conf_find(const char *name)
{
	const struct pk_conf_row *row;

	for (size_t i = 0; (row = pk_conf_row(i)); i++)
		if (strcmp(row->name, name) == 0)
			break;
	return row;
}

/* Items separated by commas; "" is the empty list. */
static int set_list(const struct pk_conf_row *row, const char *value, struct pk_conf_list *dest)
{
	struct pk_conf_list list = { 0 };
	_cleanup_free_ char *copy = strdup(value);
	char *rest = copy, *item;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && *value && (item = strsep(&rest, ",")))
		r = pk_conf_list_add(row, &list, item);
	if (r < 0) {
		pk_conf_list_done(&list);
		return r;
	}
	pk_conf_list_done(dest);
	*dest = list;
	return 0;
}

int pk_conf_set(struct pk_conf *c, const char *name, const char *value, struct pk_buf *errors)
{
	const struct pk_conf_row *row = pk_conf_find(name);
	int r;

	if (!row) {
		pk_escape_text(errors, name, strlen(name));
		pk_buf_str(errors, ": unknown key\n");
		return -EINVAL;
	}
	if (row->type == PK_CONF_LIST)
		r = set_list(row, value, slot(c, row));
	else
		r = pk_conf_parse(row, value, slot(c, row));
	if (r < 0)
		pk_conf_complain(row, value, r, errors);
	return r;
}

void pk_conf_complain(const struct pk_conf_row *row, const char *value, int r,
		      struct pk_buf *errors)
{
	pk_buf_fmt(errors, "%s: \"", row->name);
	pk_escape_text(errors, value, strlen(value));
	pk_buf_str(errors, r == -ERANGE   ? "\" is out of range, expected "
			   : r == -ENOMEM ? "\": out of memory, expected "
			   : r == -E2BIG  ? "\" is one too many, expected "
					  : "\" is not understood, expected ");
	pk_conf_expected(row, errors);
	pk_buf_char(errors, '\n');
}

/* Text as comment lines, broken between words. */
static void print_comment(const char *indent, const char *text, struct pk_buf *out)
{
	size_t room = COMMENT_WIDTH - strlen(indent) - 2;

	while (*text) {
		size_t n = strlen(text);

		if (n > room)
			for (n = room; n > 1 && text[n] != ' '; n--)
				;
		pk_buf_fmt(out, "%s# %.*s\n", indent, (int)n, text);
		text += n;
		while (*text == ' ')
			text++;
	}
}

static void print_row(const struct pk_conf *c, const struct pk_conf_row *row, struct pk_buf *out)
{
	struct pk_buf text = { 0 };

	pk_buf_fmt(&text, "%s Takes ", row->doc);
	pk_conf_expected(row, &text);
	pk_buf_fmt(&text, "; default %s%s%s.%s", row->type == PK_CONF_LIST ? "[" : "",
		   *row->def                   ? row->def
		   : row->type == PK_CONF_LIST ? ""
					       : "\"\"",
		   row->type == PK_CONF_LIST ? "]" : "",
		   row->restart ? " Counts at the next start." : "");
	if (text.data)
		print_comment("  ", text.data, out);
	pk_buf_fmt(out, "  %s: ", strchr(row->name, '.') + 1);
	pk_conf_format(row, slot(c, row), out);
	pk_buf_char(out, '\n');
	pk_buf_done(&text);
}

static const char heading[] =
	"# SPDX-License-Identifier: Apache-2.0\n"
	"# Configuration of picketd. Files in conf.d/*.yaml beside this one are read after it, "
	"sorted\n"
	"# by name; a later file wins key by key. What is left out has its default.\n"
	"# Check a change with `picketd --check-config`; apply it with `systemctl reload "
	"picketd`.\n";

void pk_conf_print(const struct pk_conf *c, struct pk_buf *out)
{
	const struct pk_conf_row *row;
	const char *section = "";

	pk_buf_str(out, heading);
	for (size_t i = 0; (row = pk_conf_row(i)); i++) {
		size_t len = strcspn(row->name, ".");

		if (strncmp(section, row->name, len + 1) != 0)
			pk_buf_fmt(out, "\n%.*s:\n", (int)len, row->name);
		section = row->name;
		print_row(c, row, out);
	}
}

void pk_conf_restart_keys(const struct pk_conf *a, const struct pk_conf *b, struct pk_buf *out)
{
	const struct pk_conf_row *row;

	for (size_t i = 0; (row = pk_conf_row(i)); i++) {
		struct pk_buf va = { 0 }, vb = { 0 };

		if (row->restart) {
			pk_conf_format(row, slot(a, row), &va);
			pk_conf_format(row, slot(b, row), &vb);
			if (va.data && vb.data && strcmp(va.data, vb.data) != 0)
				pk_buf_fmt(out, "%s%s", out->len ? " " : "", row->name);
		}
		pk_buf_done(&va);
		pk_buf_done(&vb);
	}
}

static bool list_matches(const struct pk_conf_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (fnmatch(list->v[i], name, 0) == 0)
			return true;
	return false;
}

bool pk_conf_covers(const struct pk_conf *c, const char *ifname)
{
	return list_matches(&c->if_include, ifname) && !list_matches(&c->if_exclude, ifname);
}

uint32_t pk_conf_sample_off(const struct pk_conf *c)
{
	uint32_t off = 0;

	for (size_t i = 0; i < c->sample_off.n; i++)
		for (unsigned k = 0; pk_conf_apps[k]; k++)
			if (strcmp(c->sample_off.v[i], pk_conf_apps[k]) == 0)
				off |= strcmp(pk_conf_apps[k], "all") == 0
					       ? ~0u
					       : 1u << (PK_APP_SHORT + k);
	return off;
}
