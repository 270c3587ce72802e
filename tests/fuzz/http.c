/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the start of an HTTP/1 message: slices stay in it, what was read of a part is read
 * of the whole, and no credential comes out. fuzz-links: user/decode/http.c
 */
#include "decode/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_slice(struct pk_slice s, const uint8_t *data, size_t size)
{
	const uint8_t *p = (const uint8_t *)s.s;

	require(!s.len || (p >= data && s.len <= size && p <= data + (size - s.len)));
}

static void check(const struct pk_http *h, const uint8_t *data, size_t size)
{
	const struct pk_slice all[] = { h->method,     h->target,   h->target_host,  h->host,
					h->user_agent, h->referer,  h->auth,         h->reason,
					h->server,     h->location, h->content_type, h->upgrade,
					h->connection };

	require(h->kind == PK_HTTP_REQUEST || h->kind == PK_HTTP_RESPONSE);
	require(pk_http_end_name(h->end) && h->head_len <= size && h->fields <= PK_HTTP_FIELDS_MAX);
	require(h->content_length >= -1);
	require(h->kind == PK_HTTP_RESPONSE ? h->status <= 999 : h->method.len > 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		check_slice(all[i], data, size);
	check_slice(pk_http_host_name(h->host), data, size);
	require(!memchr(h->auth.s ? h->auth.s : "", ' ', h->auth.len));
	if (h->target_host.len)
		require(!memchr(h->target_host.s, '@', h->target_host.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_http h, half;
	int r = pk_http_decode(&h, data, size);

	require(r == 0 || r == -EBADMSG || r == -ENODATA);
	require(pk_http_is(data, size) == (r == 0));
	if (r)
		return 0;
	check(&h, data, size);
	if (pk_http_decode(&half, data, size / 2) == 0) {
		check(&half, data, size / 2);
		/* What looked ended may go on, folded, in a line that does not end. */
		require(half.kind == h.kind && half.fields <= h.fields + 1);
	}
	return 0;
}
