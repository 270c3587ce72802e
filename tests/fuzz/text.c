/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the first lines of a stream: slices stay in it, and what was sent behind PASS does
 * not come out. The first byte is the hint. fuzz-links: user/decode/text.c user/decode/text_json.c
 */
#include "decode/text.h"

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
	require(!s.len || !memchr(s.s, '\n', s.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_text t;
	int r;

	if (!size)
		return 0;
	r = pk_text_decode(&t, data[0], data + 1, size - 1);
	require(r == 0 || r == -EBADMSG || r == -ENODATA);
	if (r)
		return 0;
	require(pk_text_name(t.proto) && t.lines && t.lines <= PK_TEXT_LINES_MAX);
	check_slice(t.banner, data, size);
	check_slice(t.command, data, size);
	check_slice(t.helo, data, size);
	check_slice(t.user, data, size);
	check_slice(t.nick, data, size);
	require(strlen(t.agent) < sizeof(t.agent) && strlen(t.login) < sizeof(t.login));
	require(t.server ? !t.user.len && !t.helo.len && !t.nick.len : !t.banner.len && !t.code);
	return 0;
}
