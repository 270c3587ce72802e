/* SPDX-License-Identifier: Apache-2.0 */
/* One spelling: lower case, so that equal bytes are equal texts. */
#include "base/hex.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

void pk_hex(const void *bytes, size_t n, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = bytes;

	for (size_t i = 0; i < n; i++) {
		ret_hex[2 * i] = digits[b[i] >> 4];
		ret_hex[2 * i + 1] = digits[b[i] & 15];
	}
	ret_hex[2 * n] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int pk_hex_parse(const char *hex, void *ret_bytes, size_t n)
{
	uint8_t *to = ret_bytes;

	if (!hex || strlen(hex) != 2 * n)
		return -EINVAL;
	for (size_t i = 0; i < 2 * n; i++)
		if (nibble(hex[i]) < 0)
			return -EINVAL;
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	return 0;
}

bool pk_hex_is(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return true;
}
