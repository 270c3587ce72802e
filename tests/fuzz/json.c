/* SPDX-License-Identifier: Apache-2.0 */
/* Any sequence of writer calls that opens and closes evenly gives a document that loads.
 * fuzz-links: user/base/buf.c user/base/escape.c user/base/json.c */
#include "base/json.h"

#include "base/buf.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_one(struct pk_json *j, uint8_t op, const char *key, const char *text, size_t len)
{
	double d = 0;

	switch (op % 7) {
	case 0:
		return pk_json_strn(j, key, text, len);
	case 1:
		return pk_json_u64(j, key, (uint64_t)op << 50);
	case 2:
		return pk_json_i64(j, key, -(int64_t)op);
	case 3:
		memcpy(&d, text, len < sizeof(d) ? len : sizeof(d));
		return pk_json_dbl(j, key, d);
	case 4:
		return pk_json_bool(j, key, op & 8);
	case 5:
		return pk_json_null(j, key);
	default:
		return op & 8 ? pk_json_obj(j, key) : pk_json_arr(j, key);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_buf b = { 0 };
	struct pk_json j;
	json_t *v;

	pk_json_init(&j, &b);
	pk_json_obj(&j, NULL);
	while (size >= 2) {
		size_t len = data[1] % 16;
		char key[8];

		if (len > size - 2)
			len = size - 2;
		snprintf(key, sizeof(key), "%.*s", (int)len, (const char *)data + 2);
		if (data[0] >= 200 && j.depth > 1)
			pk_json_end(&j);
		else if (j.depth < PK_JSON_DEPTH - 2)
			write_one(&j, data[0], j.arr[j.depth] ? NULL : key, (const char *)data + 2,
				  len);
		data += 2 + len;
		size -= 2 + len;
	}
	while (j.depth)
		pk_json_end(&j);
	v = json_loadb(b.data, b.len, 0, NULL);
	if (!v || b.error)
		abort();
	json_decref(v);
	pk_buf_done(&b);
	return 0;
}
