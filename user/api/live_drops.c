/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of lists between two looks. Looks are a second apart while somebody watches; the first
 * one after a pause has no rate. When a list was hit last is told by its entries, of which the
 * first ones are looked at once, and afterwards by its counters.
 */
#include "api/live_drops.h"

#include "api/answer.h"
#include "base/clock.h"
#include "base/json.h"
#include "block/treat.h"

#include <picket/block.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define S_NS      1000000000ull
#define PAUSE_NS  (3 * S_NS) /* a rate over more than that says nothing about now */
#define LOOKED_AT 1024       /* entries of a list, once */

struct list {
	char name[64]; /* a place may have gone to another list */
	struct pk_blk_count count;
	double packets, bytes; /* a second */
	int64_t last_hit_ms;   /* 0: unknown */
	bool known;            /* it was looked at */
};

struct pk_live_drops {
	struct list list[PK_BLK_LISTS];
	uint64_t last_ns;
};

struct pk_live_drops *pk_live_drops_new(void)
{
	return calloc(1, sizeof(struct pk_live_drops));
}

void pk_live_drops_free(struct pk_live_drops *d)
{
	free(d);
}

/* What a list did in its mode: dropped, or would have. */
static uint64_t packets_of(const struct pk_blk_count *c)
{
	return c->in_packets + c->out_packets + c->seen_packets + c->allowed_packets + c->calls;
}

static uint64_t bytes_of(const struct pk_blk_count *c)
{
	return c->in_bytes + c->out_bytes + c->seen_bytes;
}

static bool latest(void *arg, const struct pk_block_row *row)
{
	int64_t *ms = arg;

	if (row->last_hit_ms > *ms)
		*ms = row->last_hit_ms;
	return true;
}

static double rate(uint64_t now, uint64_t before, double s)
{
	return s > 0 && now > before ? (double)(now - before) / s : 0;
}

static void look(struct list *l, struct pk_block *b, const struct pk_block_info *info,
		 uint64_t now_ns, double s)
{
	if (!l->known || strncmp(l->name, info->name, sizeof(l->name) - 1) != 0) {
		*l = (struct list){ .known = true, .count = info->count };
		strncpy(l->name, info->name, sizeof(l->name) - 1);
		(void)pk_block_rows(b, info->name, 0, LOOKED_AT, latest, &l->last_hit_ms);
		return;
	}
	l->packets = rate(packets_of(&info->count), packets_of(&l->count), s);
	l->bytes = rate(bytes_of(&info->count), bytes_of(&l->count), s);
	if (packets_of(&info->count) > packets_of(&l->count) && s > 0)
		l->last_hit_ms = pk_clock_wall_ms(now_ns);
	l->count = info->count;
}

void pk_live_drops_tick(struct pk_live_drops *d, struct pk_block *b, uint64_t now_ns)
{
	uint64_t since = now_ns > d->last_ns ? now_ns - d->last_ns : 0;
	double s = since && since <= PAUSE_NS ? (double)since / (double)S_NS : 0;
	struct pk_block_info info;

	if (d->last_ns && since < S_NS / 2)
		return; /* a second reader has just come */
	for (size_t i = 0; pk_block_list_at(b, i, &info); i++)
		if (info.index < PK_BLK_LISTS)
			look(&d->list[info.index], b, &info, now_ns, s);
	d->last_ns = now_ns;
}

static void write_list(struct pk_json *j, const struct pk_block_info *info, const struct list *l)
{
	pk_json_obj(j, NULL);
	pk_json_str(j, "list", info->name);
	pk_json_str(j, "kind", info->allow ? "allow" : "block");
	pk_json_str(j, "mode", pk_list_mode_name(info->mode));
	pk_json_u64(j, "entries", info->entries + info->processes);
	pk_json_i64(j, "changed", info->changed_ms);
	pk_json_u64(j, "packets", packets_of(&info->count) - info->count.calls);
	pk_json_u64(j, "bytes", bytes_of(&info->count));
	pk_json_u64(j, "calls", info->count.calls);
	pk_json_dbl(j, "packets_rate", l->packets);
	pk_json_dbl(j, "bytes_rate", l->bytes);
	if (l->last_hit_ms)
		pk_json_i64(j, "last_hit", l->last_hit_ms);
	pk_json_str(j, "fault", info->fault);
	pk_json_end(j);
}

void pk_live_drops_write(const struct pk_live_drops *d, struct pk_json *j, struct pk_block *b)
{
	uint64_t packets = 0, bytes = 0, calls = 0;
	double packets_rate = 0, bytes_rate = 0;
	struct pk_block_info info;

	pk_json_arr(j, "lists");
	for (size_t i = 0; b && pk_block_list_at(b, i, &info); i++) {
		const struct list *l;

		if (info.index >= PK_BLK_LISTS)
			continue;
		l = &d->list[info.index];
		write_list(j, &info, l);
		if (info.allow || info.mode != PK_BLK_ENFORCE)
			continue;
		packets += info.count.in_packets + info.count.out_packets;
		bytes += info.count.in_bytes + info.count.out_bytes;
		calls += info.count.calls;
		packets_rate += l->packets;
		bytes_rate += l->bytes;
	}
	pk_json_end(j);
	pk_json_obj(j, "drops");
	pk_json_u64(j, "packets", packets);
	pk_json_u64(j, "bytes", bytes);
	pk_json_u64(j, "calls", calls);
	pk_json_dbl(j, "packets_rate", packets_rate);
	pk_json_dbl(j, "bytes_rate", bytes_rate);
	pk_json_end(j);
}
