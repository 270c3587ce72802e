/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed hash for tables whose keys an attacker picks: NH products with random keys, then a mix. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#define PK_HASH_WORDS 8

struct pk_hash_key {
	uint64_t k[PK_HASH_WORDS];
};

/* Without entropy the key is 0: the table works, only its order can be guessed. */
static inline void pk_hash_key_init(struct pk_hash_key *key)
{
	*key = (struct pk_hash_key){ 0 };
	if (getrandom(key->k, sizeof(key->k), GRND_NONBLOCK) != sizeof(key->k))
		*key = (struct pk_hash_key){ 0 };
}

static inline uint64_t pk_hash_mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	return h ^ h >> 32;
}

static inline uint64_t pk_hash_words(const struct pk_hash_key *key, const uint64_t *w, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n && i < PK_HASH_WORDS; i++)
		sum += (uint64_t)((uint32_t)w[i] + (uint32_t)key->k[i]) *
		       ((uint32_t)(w[i] >> 32) + (uint32_t)(key->k[i] >> 32));
	return pk_hash_mix(sum ^ key->k[0]);
}

/* Of any number of bytes, in steps of seven words and what came before. */
static inline uint64_t pk_hash_bytes(const struct pk_hash_key *key, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = len;

	do {
		uint64_t w[PK_HASH_WORDS] = { h };
		size_t n = len < sizeof(w) - sizeof(w[0]) ? len : sizeof(w) - sizeof(w[0]);

		if (n)
			memcpy(w + 1, p, n);
		h = pk_hash_words(key, w, PK_HASH_WORDS);
		p += n;
		len -= n;
	} while (len);
	return h;
}
