/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a list with hashes: what is not taken stays as it was, what is has become blanks.
 *
 * fuzz-links: user/intel/prints.c user/detect/indicators.c user/block/address.c
 * fuzz-links: user/block/domain.c user/base/ip.c user/base/buf.c user/base/hex.c
 */
#include "intel/prints.h"

#include "detect/indicators.h"
#include "intel/intel.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_indicators *t = pk_indicators_new(1000);
	struct pk_intel_sum sum = { 0 };
	char *bytes = malloc(size + 1);

	if (!t || !bytes)
		abort();
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	if (pk_intel_prints(t, "feed", bytes, size, &sum) < 0 || bytes[size])
		abort();
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != (char)data[i] && (bytes[i] != ' ' || data[i] == '\n'))
			abort();
	free(bytes);
	if (pk_indicators_seal(t) < 0)
		abort();
	pk_indicators_free(t);
	return 0;
}
