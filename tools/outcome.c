/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for people on standard error. Text that others wrote is escaped here. */
#include "outcome.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "entry.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 20

static void add(struct pk_buf *out, const char *s)
{
	pk_escape_text(out, s, strlen(s));
}

static void flush(struct pk_buf *out)
{
	fwrite(out->data ? out->data : "", 1, out->len, stderr);
	pk_buf_reset(out);
}

void pk_outcome_say(const char *text)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};

	pk_buf_str(&out, "picket: ");
	add(&out, text);
	pk_buf_char(&out, '\n');
	flush(&out);
}

int pk_outcome_complain(const char *what, const char *why)
{
	_cleanup_(pk_buf_done) struct pk_buf text = {};

	pk_buf_fmt(&text, "%s: %s", what, why);
	pk_outcome_say(text.data ? text.data : why);
	return 1;
}

static void rest(struct pk_buf *out, size_t shown, double total)
{
	if (total > (double)shown)
		pk_buf_fmt(out, "  and %.0f more\n", total - (double)shown);
}

static void bad_lines(struct pk_buf *out, const char *file, json_t *o)
{
	json_t *list = json_object_get(o, "bad"), *bad;
	size_t i;

	json_array_foreach(list, i, bad)
	{
		if (i == SHOWN)
			break;
		pk_buf_str(out, "  ");
		add(out, file ? file : "-");
		if (pk_json_num(bad, "line") > 0)
			pk_buf_fmt(out, ":%.0f", pk_json_num(bad, "line"));
		pk_buf_str(out, ": ");
		add(out, pk_json_text(bad, "reason"));
		if (*pk_json_text(bad, "text")) {
			pk_buf_str(out, ": ");
			add(out, pk_json_text(bad, "text"));
		}
		pk_buf_char(out, '\n');
	}
	if (i)
		rest(out, i, pk_json_num(o, "read.bad"));
}

static void refused(struct pk_buf *out, json_t *o)
{
	json_t *list = json_object_get(o, "refused"), *r;
	size_t i;

	json_array_foreach(list, i, r)
	{
		if (i == SHOWN)
			break;
		pk_buf_str(out, "  ");
		add(out, pk_json_text(r, "prefix"));
		if (*pk_json_text(r, "covers")) {
			pk_buf_str(out, " covers ");
			add(out, pk_json_text(r, "covers"));
		}
		pk_buf_str(out, ": ");
		add(out, pk_json_text(r, "why"));
		pk_buf_char(out, '\n');
	}
	if (i)
		rest(out, i, pk_json_num(o, "refused_total"));
}

void pk_outcome_problem(const char *complaint, const char *file, json_t *problem)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};

	/* it was escaped when it was written, and may have lines */
	pk_buf_fmt(&out, "picket: %s\n", complaint ? complaint : "out of memory");
	bad_lines(&out, file, problem);
	refused(&out, problem);
	flush(&out);
}

void pk_outcome_skipped(const char *file, json_t *answer)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};

	if (pk_json_num(answer, "read.bad") > 0) {
		pk_buf_fmt(&out, "picket: %.0f bad lines were skipped\n",
			   pk_json_num(answer, "read.bad"));
		bad_lines(&out, file, answer);
	}
	if (pk_json_num(answer, "refused_total") > 0) {
		pk_buf_fmt(&out, "picket: %.0f entries were refused\n",
			   pk_json_num(answer, "refused_total"));
		refused(&out, answer);
	}
	flush(&out);
}

void pk_outcome_entry(struct pk_buf *out, json_t *entry, bool removed)
{
	bool is_new = json_is_true(json_object_get(entry, "new"));

	pk_buf_str(out, removed ? "removed " : is_new ? "added " : "was there: ");
	pk_entry_text(out, entry);
	pk_buf_str(out, removed ? " from list " : is_new ? " to list " : " in list ");
	add(out, pk_json_text(entry, "list"));
	if (json_object_get(entry, "expires") && !removed) {
		pk_buf_str(out, ", ends ");
		pk_entry_ago(out, json_integer_value(json_object_get(entry, "expires")));
	}
	pk_buf_char(out, '\n');
}

void pk_outcome_flush(struct pk_buf *out)
{
	fwrite(out->data ? out->data : "", 1, out->len, stdout);
	pk_buf_reset(out);
}
