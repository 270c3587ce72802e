/* SPDX-License-Identifier: Apache-2.0 */
/* zstd does it all; here are its window, which must span both contents, and the bounds. */
#include "sign/delta.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#define LEVEL      3
#define WINDOW_MIN 20
#define WINDOW_MAX 30 /* of 2^n bytes */

static int window_of(size_t a, size_t b)
{
	int log = WINDOW_MIN;

	while (log <= WINDOW_MAX && (1ull << log) < (unsigned long long)a + b)
		log++;
	return log;
}

static int compress(ZSTD_CCtx *c, int window, const void *base, size_t base_len,
		    const void *content, size_t len, void **ret, size_t *ret_len)
{
	size_t room = ZSTD_compressBound(len), n;
	void *out = malloc(room);

	if (!out)
		return -ENOMEM;
	if (ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_enableLongDistanceMatching, 1)) ||
	    ZSTD_isError(ZSTD_CCtx_refPrefix(c, base, base_len))) {
		free(out);
		return -ENOMEM;
	}
	n = ZSTD_compress2(c, out, room, content, len);
	if (ZSTD_isError(n)) {
		free(out);
		return -ENOMEM;
	}
	*ret = out;
	*ret_len = n;
	return 0;
}

int pk_delta_make(const void *base, size_t base_len, const void *content, size_t len, void **ret,
		  size_t *ret_len)
{
	int window = window_of(base_len, len), r;
	ZSTD_CCtx *c;

	if (window > WINDOW_MAX)
		return -EFBIG;
	c = ZSTD_createCCtx();
	if (!c)
		return -ENOMEM;
	r = compress(c, window, base, base_len, content, len, ret, ret_len);
	ZSTD_freeCCtx(c);
	return r;
}

int pk_delta_apply(const void *base, size_t base_len, const void *delta, size_t delta_len,
		   size_t size, void **ret)
{
	_cleanup_free_ void *out = NULL;
	ZSTD_DCtx *c;
	size_t n;

	if (window_of(base_len, size) > WINDOW_MAX)
		return -EFBIG;
	out = malloc(size ? size : 1);
	c = ZSTD_createDCtx();
	if (!out || !c) {
		ZSTD_freeDCtx(c);
		return -ENOMEM;
	}
	n = ZSTD_DCtx_setParameter(c, ZSTD_d_windowLogMax, WINDOW_MAX);
	if (!ZSTD_isError(n))
		n = ZSTD_DCtx_refPrefix(c, base, base_len);
	if (!ZSTD_isError(n))
		n = ZSTD_decompressDCtx(c, out, size, delta, delta_len);
	ZSTD_freeDCtx(c);
	if (ZSTD_isError(n) || n != size)
		return -EBADMSG;
	*ret = PK_TAKE(out);
	return 0;
}
