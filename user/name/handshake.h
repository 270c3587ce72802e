/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QUIC connections whose hellos are being read, by flow: a fixed number of them, for each takes 19
 * KiB. The one not touched longest makes room and is counted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pk_handshakes;
struct pk_quic_conn;

struct pk_handshakes_count {
	uint64_t used, max, evicted;
};

struct pk_handshakes *pk_handshakes_new(size_t max); /* NULL: out of memory */
void pk_handshakes_free(struct pk_handshakes *h);

struct pk_quic_conn *pk_handshakes_find(struct pk_handshakes *h, uint64_t flow); /* NULL: none */
/* As find, or a new one, zeroed; NULL: out of memory. */
struct pk_quic_conn *pk_handshakes_make(struct pk_handshakes *h, uint64_t flow);
void pk_handshakes_drop(struct pk_handshakes *h, uint64_t flow);
void pk_handshakes_counts(const struct pk_handshakes *h, struct pk_handshakes_count *ret_counts);
