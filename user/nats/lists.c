/* SPDX-License-Identifier: Apache-2.0 */
/* The text that says where a list's parts are, and the names of their keys. */
#include "nats/lists.h"

#include "base/hex.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEAD "picket-list 1 "

unsigned pk_nats_parts(const struct pk_nats_head *h)
{
	return (unsigned)((h->size + PK_NATS_PART - 1) / PK_NATS_PART);
}

void pk_nats_head_write(const struct pk_nats_head *h, char ret[PK_NATS_HEAD])
{
	char hex[65];

	pk_hex(h->sha256, sizeof(h->sha256), hex);
	snprintf(ret, PK_NATS_HEAD, HEAD "%s %" PRIu64, hex, h->size);
}

static int read_size(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	if (*s < '1' || *s > '9')
		return -EBADMSG;
	for (; *s >= '0' && *s <= '9' && v <= PK_NATS_LIST_MAX; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	if (*s || v > PK_NATS_LIST_MAX)
		return -EBADMSG;
	*ret = v;
	return 0;
}

int pk_nats_head_read(const void *bytes, size_t len, struct pk_nats_head *ret)
{
	const size_t hex = sizeof(HEAD) - 1, space = hex + 64;
	char text[PK_NATS_HEAD] = { 0 };
	struct pk_nats_head h;

	if (len <= space || len >= sizeof(text))
		return -EBADMSG;
	memcpy(text, bytes, len);
	if (strlen(text) != len || memcmp(text, HEAD, hex) != 0 || text[space] != ' ')
		return -EBADMSG;
	text[space] = '\0';
	if (pk_hex_parse(text + hex, h.sha256, sizeof(h.sha256)) < 0 ||
	    read_size(text + space + 1, &h.size) < 0)
		return -EBADMSG;
	*ret = h;
	return 0;
}

void pk_nats_part_key(const char *list, const struct pk_nats_head *h, unsigned part,
		      char ret[PK_NATS_KEY])
{
	char hex[65];

	pk_hex(h->sha256, sizeof(h->sha256), hex);
	snprintf(ret, PK_NATS_KEY, "%.63s=%s=%u", list, hex, part);
}
