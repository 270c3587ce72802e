/* SPDX-License-Identifier: Apache-2.0 */
/* Any text through each escaper: printable UTF-8 comes out, and a JSON document stays one.
 * fuzz-links: user/base/buf.c user/base/escape.c */
#include "base/escape.h"

#include "base/buf.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(const struct pk_buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		uint8_t c = b->data[i];

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && (uint8_t)b->data[i + 1] < 0xa0))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	struct pk_buf b = { 0 };
	json_t *v;

	pk_escape_text(&b, s, size);
	check_printable(&b);
	pk_buf_reset(&b);
	pk_escape_csv(&b, s, size);
	check_printable(&b);
	pk_buf_reset(&b);
	pk_buf_char(&b, '"');
	pk_escape_json(&b, s, size);
	pk_buf_char(&b, '"');
	check_printable(&b);
	v = json_loadb(b.data, b.len, JSON_DECODE_ANY, NULL);
	if (!json_is_string(v))
		abort();
	json_decref(v);
	pk_buf_done(&b);
	return 0;
}
