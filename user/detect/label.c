/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts pairs. The table holds the 288 pairs of letters that make up 90 % of those in the labels
 * of popular registered names (Tranco, Majestic, Cloudflare, universities). Names made of
 * dictionary words look right by this.
 */
#include "detect/label.h"

#include <stdbool.h>
#include <stdint.h>

/* Bit n of row m: letter m is often followed by letter n. */
static const uint32_t common[26] = {
	0x37ebdef, 0x0164911, 0x01e4d9d, 0x0167155, 0x1fefd7f, 0x01a49b1, 0x0164991,
	0x01c4111, 0x2befc7f, 0x0104001, 0x0144111, 0x11c591d, 0x114d117, 0x11c7dff,
	0x0fefd6f, 0x01ec991, 0x0100000, 0x13efd5f, 0x15cfd9f, 0x17ed997, 0x00eb91f,
	0x0004111, 0x0044111, 0x0000000, 0x00c6015, 0x0000011,
};

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_gap(char c)
{
	return c == '.' || c == '-' || c == '_';
}

unsigned pk_label_rare_percent(const char *s, size_t len)
{
	size_t pairs = 0, rare = 0;

	if (len < PK_LABEL_MIN)
		return 0;
	for (size_t i = 0; i + 1 < len; i++) {
		if (is_gap(s[i]) || is_gap(s[i + 1]))
			continue;
		pairs++;
		if (!is_letter(s[i]) || !is_letter(s[i + 1]))
			rare++;
		else if (!(common[s[i] - 'a'] >> (s[i + 1] - 'a') & 1))
			rare++;
	}
	return pairs ? (unsigned)(100 * rare / pairs) : 0;
}
