/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block list of any bytes in any format: bounded, in order, without doubles; what was read is
 * written and read again the same. The first byte chooses format and column, the rest is the list.
 * fuzz-links: user/block/address.c user/block/domain.c user/block/entry.c user/block/format.c
 * fuzz-links: user/block/format_csv.c user/block/format_ipset.c user/block/format_json.c
 * fuzz-links: user/block/format_merge.c user/block/format_misp.c user/block/format_open.c
 * fuzz-links: user/base/unpack.c
 * fuzz-links: user/block/format_picket.c user/block/format_stix.c user/block/format_text.c
 * fuzz-links: user/block/pattern.c user/block/pattern_lex.c user/block/reader.c
 * fuzz-links: user/base/hex.c user/base/buf.c user/base/escape.c user/base/ip.c
 */
#include "base/buf.h"
#include "block/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int ok)
{
	if (!ok)
		abort();
}

static void check_entries(const struct pk_list_data *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct pk_block_entry *e = &d->v[i];

		require(e->dir && e->bits <= 128 && (!e->v4 || e->bits >= 96));
		require(e->port_lo <= e->port_hi);
		require(!i || pk_block_entry_compare(&d->v[i - 1], e) < 0);
		for (unsigned b = e->bits; b < 128; b++)
			require(!(e->prefix[b / 8] & 0x80 >> b % 8));
	}
	for (size_t i = 1; i < d->n_names; i++)
		require(strcmp(pk_block_text_at(&d->texts, d->names[i - 1].text),
			       pk_block_text_at(&d->texts, d->names[i].text)) < 0);
	for (size_t i = 0; i < d->n_hashes; i++) {
		const char *hash = pk_block_text_at(&d->texts, d->hashes[i].text);

		require(strlen(hash) == 64 && strspn(hash, "0123456789abcdefABCDEF") == 64);
	}
}

static void check_again(const struct pk_list_data *d)
{
	struct pk_list_opts o = { .format = PK_LIST_PICKET };
	struct pk_buf out = { 0 };
	struct pk_list_data again;

	pk_buf_str(&out, "");
	for (size_t i = 0; i < d->n; i++)
		pk_list_write_entry(&out, &d->v[i], &d->texts);
	require(!out.error && pk_list_read(out.data, out.len, &o, &again) == 0);
	require(again.n == d->n && !again.doubles);
	for (size_t i = 0; i < d->n; i++) {
		const struct pk_block_entry *a = &d->v[i], *b = &again.v[i];

		require(!memcmp(a->prefix, b->prefix, 16) && a->bits == b->bits && a->v4 == b->v4);
		require(a->proto == b->proto && a->dir == b->dir && a->port_lo == b->port_lo);
		require(a->port_hi == b->port_hi && a->expires_ms == b->expires_ms);
		require(!strcmp(pk_block_text_at(&d->texts, a->iface),
				pk_block_text_at(&again.texts, b->iface)));
		require(!strcmp(pk_block_text_at(&d->texts, a->reason),
				pk_block_text_at(&again.texts, b->reason)));
	}
	pk_list_data_done(&again);
	pk_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const columns[] = { NULL, "ip", "2", NULL };
	struct pk_list_opts o = { .now_ms = 1700000000000,
				  .max_bytes = 1 << 20,
				  .max_entries = ENTRIES_MAX };
	struct pk_list_data d;
	int r;

	if (!size)
		return 0;
	o.format = data[0] % PK_LIST_FORMATS;
	o.skip_bad = data[0] >> 4 & 1;
	o.column = columns[data[0] >> 5 & 3];
	o.hashes = (data[0] >> 5 & 3) == 3;
	r = pk_list_read(data + 1, size - 1, &o, &d);
	require(r == 0 || r == -EBADMSG || r == -EFBIG);
	require(d.n <= ENTRIES_MAX && d.n_names <= ENTRIES_MAX && d.n_bad <= 100);
	require(d.n_hashes <= (o.hashes ? ENTRIES_MAX : 0));
	require(r == 0 || (!d.n && !d.n_names && !d.n_hashes));
	require(r != -EBADMSG || d.n_bad);
	require(r != 0 || o.skip_bad || !d.bad_total);
	check_entries(&d);
	if (r == 0)
		check_again(&d);
	pk_list_data_done(&d);
	return 0;
}
