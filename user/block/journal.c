/* SPDX-License-Identifier: Apache-2.0 */
/* Writes changes down as they are made, and empties what is written elsewhere by now. */
#include "block/journal.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "base/json.h"
#include "block/format.h"
#include "block/saved.h"
#include "block/who.h"

#include <inttypes.h>
#include <string.h>

/* Kind, mode and forced addresses are told with each change: they never come apart. */
static void begin(struct pk_buf *line, const struct pk_block_list *l, uint64_t serial, char what)
{
	static const char *const modes[] = { "off", "observe", "enforce" };
	char addr[PK_IP_TEXT];

	pk_buf_fmt(line, " %" PRIu64 " %s %s %s ", serial, l->name, l->allow ? "allow" : "block",
		   modes[l->mode]);
	for (size_t i = 0; i < l->n_force; i++)
		pk_buf_fmt(line, "%s%s", i ? "," : "", pk_ip_format(l->force[i], addr));
	pk_buf_fmt(line, "%s %c ", l->n_force ? "" : "-", what);
}

/* line ends with a newline. On failure what was changed is in force, and in the file soon. */
static void end(struct pk_block *b, struct pk_block_list *l, uint64_t serial,
		const struct pk_buf *line)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };
	unsigned now = b->journal_now;
	int r = line->error;

	if (!b->ops.journal)
		return;
	if (r == 0) {
		pk_buf_fmt(&out, "%08x", pk_journal_sum(line->data, line->len - 1));
		pk_buf_add(&out, line->data, line->len);
		r = out.error ? out.error : b->ops.journal(b->ops.arg, now, out.data, out.len);
	}
	if (r == 0)
		b->journal_last[now] = serial;
	else
		pk_list_fault(b, l,
			      "a change can not be noted: %s; it is in its file within a "
			      "second",
			      strerror(-r));
}

void pk_journal_entry(struct pk_block *b, struct pk_block_list *l, bool on,
		      const struct pk_block_entry *e, const char *reason)
{
	_cleanup_(pk_buf_done) struct pk_buf line = { 0 };

	begin(&line, l, l->serial, on ? '+' : '-');
	pk_list_write_line(&line, e, pk_iface_name(b, e), reason);
	end(b, l, l->serial, &line);
}

void pk_journal_name(struct pk_block *b, struct pk_block_list *l, bool on,
		     const struct pk_block_name *n)
{
	_cleanup_(pk_buf_done) struct pk_buf line = { 0 };

	begin(&line, l, l->serial, on ? '+' : '-');
	pk_list_write_name(&line, n, pk_block_text_at(&l->now.texts, n->text),
			   pk_block_text_at(&l->now.texts, n->reason));
	end(b, l, l->serial, &line);
}

void pk_journal_process(struct pk_block *b, struct pk_block_list *l, bool on,
			const struct pk_who_rule *w)
{
	_cleanup_(pk_buf_done) struct pk_buf line = { 0 };
	struct pk_json j;

	begin(&line, l, l->serial, on ? 'p' : 'q');
	pk_json_init(&j, &line);
	pk_saved_write_process(&j, w);
	pk_buf_char(&line, '\n');
	end(b, l, l->serial, &line);
}

void pk_journal_mode(struct pk_block *b, struct pk_block_list *l)
{
	_cleanup_(pk_buf_done) struct pk_buf line = { 0 };

	begin(&line, l, l->serial, 'm');
	pk_buf_char(&line, '\n');
	end(b, l, l->serial, &line);
}

void pk_journal_removed(struct pk_block *b, struct pk_block_list *l)
{
	_cleanup_(pk_buf_done) struct pk_buf line = { 0 };

	begin(&line, l, b->serial, 'x');
	pk_buf_char(&line, '\n');
	end(b, l, b->serial, &line);
}

uint32_t pk_journal_sum(const char *p, size_t n)
{
	uint32_t h = 0x811c9dc5; /* FNV-1a */

	while (n--)
		h = (h ^ (uint8_t)*p++) * 0x01000193;
	return h;
}

/* Is all that the journal tells up to this change in the files of the lists? */
static bool is_kept(const struct pk_block *b, uint64_t serial)
{
	for (size_t i = 0; i < b->n_lists; i++) {
		const struct pk_block_list *l = b->list[b->order[i]];

		if (l->kept < l->serial && l->kept < serial)
			return false;
	}
	return true;
}

void pk_journal_settle(struct pk_block *b)
{
	for (unsigned i = 0; i < 2; i++)
		if (b->journal_last[i] && is_kept(b, b->journal_last[i]) &&
		    b->ops.journal(b->ops.arg, i, NULL, 0) == 0)
			b->journal_last[i] = 0;
	if (b->journal_last[b->journal_now] && !b->journal_last[!b->journal_now])
		b->journal_now = !b->journal_now;
}
