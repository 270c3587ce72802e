/* SPDX-License-Identifier: Apache-2.0 */
/* zlib and libzstd do it; here are the bounds, and what is told when they stop. */
#include "base/unpack.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#define PIECE (256u << 10)

struct unpacking {
	const char *p, *end; /* what is left */
	struct pk_buf *out;
	char *piece;
	const char *why;
};

enum pk_packed pk_packed_of(const void *bytes, size_t len)
{
	if (len >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0)
		return PK_PACKED_GZIP;
	if (len >= 4 && memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0)
		return PK_PACKED_ZSTD;
	return PK_PACKED_NOT;
}

static int bad(struct unpacking *u, const char *why)
{
	u->why = why;
	return -EBADMSG;
}

static void gzip_done(z_stream *z)
{
	(void)inflateEnd(z); /* frees; nothing was to be kept */
}

static int gzip_step(z_stream *z, struct unpacking *u, int *ret_state)
{
	size_t len = (size_t)(u->end - u->p);

	z->next_in = (const Bytef *)u->p;
	z->avail_in = len > INT_MAX ? INT_MAX : (uInt)len;
	z->next_out = (Bytef *)u->piece;
	z->avail_out = PIECE;
	*ret_state = inflate(z, Z_NO_FLUSH);
	u->p = (const char *)z->next_in;
	pk_buf_add(u->out, u->piece, PIECE - z->avail_out);
	if (*ret_state == Z_OK || *ret_state == Z_STREAM_END)
		return u->out->error;
	if (*ret_state == Z_BUF_ERROR && !len)
		return bad(u, "gzip data ends too soon: it is not whole");
	return *ret_state == Z_MEM_ERROR ? -ENOMEM : bad(u, "gzip data is damaged");
}

/* There may be several members; zeros after the last one are padding. */
static int open_gzip(struct unpacking *u)
{
	_cleanup_(gzip_done) z_stream z = { 0 };
	int state, r;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -ENOMEM;
	for (;;) {
		r = gzip_step(&z, u, &state);
		if (r < 0)
			return r;
		if (state != Z_STREAM_END)
			continue;
		while (u->p < u->end && !*u->p)
			u->p++;
		if (u->p == u->end)
			return 0;
		if (pk_packed_of(u->p, (size_t)(u->end - u->p)) != PK_PACKED_GZIP)
			return bad(u, "something follows the gzip data");
		(void)inflateReset(&z); /* can't fail: it was initialised */
	}
}

static void zstd_done(ZSTD_DCtx **z)
{
	ZSTD_freeDCtx(*z);
}

static int open_zstd(struct unpacking *u, int window)
{
	_cleanup_(zstd_done) ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer in = { u->p, (size_t)(u->end - u->p), 0 };
	unsigned long long told = ZSTD_getFrameContentSize(in.src, in.size);
	size_t left;

	if (!z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, window)))
		return -ENOMEM;
	if (told != ZSTD_CONTENTSIZE_UNKNOWN && told != ZSTD_CONTENTSIZE_ERROR && u->out->max &&
	    told > u->out->max)
		return -EFBIG;
	for (;;) {
		ZSTD_outBuffer to = { u->piece, PIECE, 0 };

		left = ZSTD_decompressStream(z, &to, &in);
		if (ZSTD_isError(left))
			return bad(u, "zstd data is damaged");
		pk_buf_add(u->out, u->piece, to.pos);
		if (u->out->error)
			return u->out->error;
		if (in.pos == in.size && !left)
			return 0;
		if (in.pos == in.size && to.pos < PIECE)
			return bad(u, "zstd data ends too soon: it is not whole");
	}
}

int pk_unpack(enum pk_packed how, const void *bytes, size_t len, int window, struct pk_buf *out,
	      const char **ret_why)
{
	_cleanup_free_ char *piece = malloc(PIECE);
	struct unpacking u = { bytes, (const char *)bytes + len, out, piece, NULL };
	int r;

	if (!piece)
		return -ENOMEM;
	pk_buf_str(out, ""); /* data is there, also for nothing */
	r = how == PK_PACKED_GZIP ? open_gzip(&u) : open_zstd(&u, window);
	if (r == 0)
		r = out->error;
	if (r == -EBADMSG)
		*ret_why = u.why;
	return r;
}
