/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what detectors learned, with a head whose length and digest are right: read into two
 * tables, of which one is not of every boot. What is refused leaves them empty; what is taken can
 * be written and read again.
 *
 * fuzz-links: user/detect/kept.c user/detect/memo.c user/base/often.c user/base/buf.c
 */
#include "detect/kept.h"

#include "base/buf.h"
#include "detect/detect.h"
#include "detect/memo.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define HEAD      96
#define AT_BYTES  16
#define AT_DIGEST 64

struct value {
	int64_t stamp;
	uint32_t n;
};

static struct pk_memo *table[2];
static int64_t begin_ns;

static struct pk_memo *memo_of(void *state, unsigned part)
{
	(void)state;
	return part < 2 ? table[part] : NULL;
}

static int64_t *begin_of(void *state)
{
	(void)state;
	return &begin_ns;
}

static bool is_sane(const void *value, int64_t now_ns)
{
	(void)now_ns;
	return ((const struct value *)value)->n <= 64;
}

static const struct pk_kept kept = {
	.version = 1,
	.lasts = PK_KEPT_NETNS,
	.value_bytes = sizeof(struct value),
	.stamp = { offsetof(struct value, stamp) },
	.stamps = 1,
	.memo = memo_of,
	.begin = begin_of,
	.is_sane = is_sane,
};
static const struct pk_detector detector = { .name = "made_up", .kept = &kept };
const struct pk_detector *const pk_detectors[] = { &detector };
const size_t pk_detectors_n = 1;

void *pk_detect_state_at(struct pk_detect *d, size_t i)
{
	(void)d;
	(void)i;
	return &begin_ns;
}

static void renew(void)
{
	begin_ns = 0;
	for (int i = 0; i < 2; i++) {
		pk_memo_free(table[i]);
		table[i] = pk_memo_new(64, sizeof(struct value), false);
		if (!table[i])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_kept_at at = { .now_ns = 5000000000, .host_netns = 3, .boot = "aaaaaaaa" };
	uint64_t bytes = size - HEAD;
	struct pk_buf again = { 0 };
	struct pk_kept_sum sum;
	uint8_t *b;

	if (size < HEAD)
		return 0;
	b = malloc(size);
	if (!b)
		return 0;
	memcpy(b, data, size);
	memcpy(b + AT_BYTES, &bytes, sizeof(bytes));
	memset(b + AT_DIGEST, 0, 32);
	(void)EVP_Digest(b, size, b + AT_DIGEST, NULL, EVP_sha256(), NULL);
	renew();
	if (pk_kept_load(NULL, &at, b, size, &sum) == 0) {
		if (pk_kept_save(NULL, &at, &again, &sum) < 0)
			abort();
		renew();
		if (pk_kept_load(NULL, &at, again.data, again.len, &sum) < 0)
			abort(); /* what is written can be read */
	} else if (pk_memo_used(table[0]) || pk_memo_used(table[1])) {
		abort();
	}
	pk_buf_done(&again);
	free(b);
	return 0;
}
