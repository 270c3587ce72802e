/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a stream that come in any order, more than once, in pieces of any size. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_quic_stream {
	uint8_t *data;
	uint64_t *have; /* a bit for each byte of data */
	uint32_t cap;   /* bytes of data, a multiple of 64 */
};

/*
 * Puts n bytes at an offset; what is there already stays. True when none of it contradicts what is
 * there. They must fit: at + n <= cap.
 */
bool pk_quic_stream_put(const struct pk_quic_stream *s, uint32_t at, const uint8_t *bytes,
			uint32_t n);

/* Bytes without a hole from the start on, of which from are known to be there. */
uint32_t pk_quic_stream_prefix(const struct pk_quic_stream *s, uint32_t from);
