/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a frame: the parser of the kernel programs, compiled for user space, finds what the
 * plain reference parser finds, in both layers.
 * fuzz-links:
 */
#include "../bpf/compare.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_pkt p;
	struct ref r;
	const char *diff;

	if (size > 9216)
		return 0;
	diff = compare(data, (uint32_t)size, &p, &r);
	if (!diff)
		return 0;
	fprintf(stderr, "they differ in: %s\n", diff);
	abort();
}
