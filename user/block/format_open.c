/* SPDX-License-Identifier: Apache-2.0 */
/* A list that is packed, opened: one layer, in memory, within the bound on what comes out. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/unpack.h"
#include "block/reader.h"

#include <errno.h>

bool pk_list_is_packed(struct pk_piece bytes)
{
	return pk_packed_of(bytes.p, pk_piece_len(bytes)) != PK_PACKED_NOT;
}

void pk_list_open(struct pk_reader *r, struct pk_piece *bytes, char **ret_mem)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { .max = r->opts->max_bytes };
	size_t len = pk_piece_len(*bytes);
	const char *why;
	int e = pk_unpack(pk_packed_of(bytes->p, len), bytes->p, len, PK_UNPACK_WINDOW, &out, &why);

	if (e == -EBADMSG) {
		pk_reader_refuse(r, pk_piece_of(""), "%s: fetch the file again", why);
		return;
	}
	if (e < 0) {
		r->error = e;
		return;
	}
	*bytes = (struct pk_piece){ out.data, out.data + out.len };
	*ret_mem = PK_TAKE(out.data);
	if (pk_list_is_packed(*bytes))
		pk_reader_refuse(r, pk_piece_of(""), "compressed twice: unpack it once");
}
