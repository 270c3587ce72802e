/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens gzip and zstd, one layer, in memory. The bound is on what comes out: it is looked at before
 * (where the header tells) and with every piece.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "block/reader.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#define PIECE (256u << 10)

static bool is_gzip(struct pk_piece b)
{
	return pk_piece_begins(b, "\x1f\x8b");
}

static bool is_zstd(struct pk_piece b)
{
	return pk_piece_begins(b, "\x28\xb5\x2f\xfd");
}

bool pk_list_is_packed(struct pk_piece bytes)
{
	return is_gzip(bytes) || is_zstd(bytes);
}

static void gzip_done(z_stream *z)
{
	(void)inflateEnd(z); /* frees; nothing was to be kept */
}

static const char *gzip_step(z_stream *z, struct pk_piece *in, struct pk_buf *out, char *piece,
			     int *ret_state)
{
	size_t len = pk_piece_len(*in);

	z->next_in = (const Bytef *)in->p;
	z->avail_in = len > INT_MAX ? INT_MAX : (uInt)len;
	z->next_out = (Bytef *)piece;
	z->avail_out = PIECE;
	*ret_state = inflate(z, Z_NO_FLUSH);
	in->p = (const char *)z->next_in;
	pk_buf_add(out, piece, PIECE - z->avail_out);
	if (*ret_state == Z_OK || *ret_state == Z_STREAM_END)
		return NULL;
	if (*ret_state == Z_BUF_ERROR && !len)
		return "gzip data ends too soon: the file is not whole";
	return *ret_state == Z_MEM_ERROR ? "" : "gzip data is damaged: fetch the file again";
}

/* A file may have several members; zeros after the last one are padding. */
static const char *open_gzip(struct pk_piece in, struct pk_buf *out, char *piece)
{
	_cleanup_(gzip_done) z_stream z = { 0 };
	const char *why;
	int state;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return "";
	for (;;) {
		why = gzip_step(&z, &in, out, piece, &state);
		if (why || out->error)
			return why;
		if (state != Z_STREAM_END)
			continue;
		while (in.p < in.end && !*in.p)
			in.p++;
		if (in.p == in.end)
			return NULL;
		if (!is_gzip(in))
			return "something follows the gzip data";
		(void)inflateReset(&z); /* can't fail: it was initialised */
	}
}

static void zstd_done(ZSTD_DCtx **z)
{
	ZSTD_freeDCtx(*z);
}

static const char *open_zstd(struct pk_piece bytes, struct pk_buf *out, char *piece)
{
	_cleanup_(zstd_done) ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer in = { bytes.p, pk_piece_len(bytes), 0 };
	unsigned long long told = ZSTD_getFrameContentSize(in.src, in.size);
	size_t left;

	if (!z)
		return "";
	if (told != ZSTD_CONTENTSIZE_UNKNOWN && told != ZSTD_CONTENTSIZE_ERROR && out->max &&
	    told > out->max) {
		out->error = -EFBIG;
		return NULL;
	}
	for (;;) {
		ZSTD_outBuffer to = { piece, PIECE, 0 };

		left = ZSTD_decompressStream(z, &to, &in);
		if (ZSTD_isError(left))
			return "zstd data is damaged: fetch the file again";
		pk_buf_add(out, piece, to.pos);
		if (out->error)
			return NULL;
		if (in.pos == in.size && !left)
			return NULL;
		if (in.pos == in.size && to.pos < PIECE)
			return "zstd data ends too soon: the file is not whole";
	}
}

void pk_list_open(struct pk_reader *r, struct pk_piece *bytes, char **ret_mem)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { .max = r->opts->max_bytes };
	_cleanup_free_ char *piece = malloc(PIECE);
	const char *why;

	if (!piece) {
		r->error = -ENOMEM;
		return;
	}
	pk_buf_str(&out, "");
	why = is_gzip(*bytes) ? open_gzip(*bytes, &out, piece) : open_zstd(*bytes, &out, piece);
	if (out.error || (why && !*why)) {
		r->error = out.error ? out.error : -ENOMEM;
		return;
	}
	if (why) {
		pk_reader_refuse(r, pk_piece_of(""), "%s", why);
		return;
	}
	*bytes = (struct pk_piece){ out.data, out.data + out.len };
	*ret_mem = PK_TAKE(out.data);
	if (pk_list_is_packed(*bytes))
		pk_reader_refuse(r, pk_piece_of(""), "compressed twice: unpack it once");
}
