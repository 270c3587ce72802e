/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bit for each byte, not a list of intervals: a sender may cut its hello into pieces of one byte
 * and send every second one first, and no list would be long enough.
 */
#include "decode/quic_stream.h"

#include <string.h>

/* The bits of word w that belong to offsets from (included) to end (excluded). */
static uint64_t bits_between(uint32_t w, uint32_t from, uint32_t end)
{
	uint64_t bits = ~0ull;

	if (from > w * 64)
		bits &= ~0ull << (from - w * 64);
	if (end < w * 64 + 64)
		bits &= ~0ull >> (w * 64 + 64 - end);
	return bits;
}

bool pk_quic_stream_put(const struct pk_quic_stream *s, uint32_t at, const uint8_t *bytes,
			uint32_t n)
{
	uint32_t end = at + n;
	bool new = true, same = true;

	for (uint32_t w = at / 64; w * 64 < end; w++)
		new = new && !(s->have[w] & bits_between(w, at, end));
	if (new) {
		memcpy(s->data + at, bytes, n);
	} else {
		for (uint32_t i = at; i < end; i++)
			if (s->have[i / 64] >> i % 64 & 1)
				same = same && s->data[i] == bytes[i - at];
			else
				s->data[i] = bytes[i - at];
	}
	for (uint32_t w = at / 64; w * 64 < end; w++)
		s->have[w] |= bits_between(w, at, end);
	return same;
}

uint32_t pk_quic_stream_prefix(const struct pk_quic_stream *s, uint32_t from)
{
	uint64_t holes;

	for (uint32_t w = from / 64; w * 64 < s->cap; w++) {
		holes = ~s->have[w];
		if (holes)
			return w * 64 + (uint32_t)__builtin_ctzll(holes);
	}
	return s->cap;
}
