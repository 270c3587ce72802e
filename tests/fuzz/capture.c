/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a link header: what is skipped lies inside the packet. The first byte picks the link
 * type.
 * fuzz-links: tools/capture.c
 */
#include "../../tools/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int links[] = {
	DLT_EN10MB,     DLT_RAW, DLT_IPV4,       DLT_IPV6,   DLT_NULL,   DLT_LOOP, DLT_LINUX_SLL,
	DLT_LINUX_SLL2, DLT_PPP, DLT_PPP_SERIAL, DLT_C_HDLC, DLT_FRELAY, DLT_USB,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_link_head h = { 0 };
	uint8_t *copy;
	int dlt, r;

	if (size < 1)
		return 0;
	dlt = links[data[0] % (sizeof(links) / sizeof(links[0]))];
	copy = malloc(size); /* exactly as long: a byte too far is seen */
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	copy = realloc(copy, size > 1 ? size - 1 : 1);
	r = pk_link_parse(dlt, copy, size - 1, &h);
	if (r != 0 && r != -ENODATA && r != -ENOTSUP)
		abort();
	if (r == 0 && h.skip > size - 1)
		abort();
	if ((r == -ENOTSUP) != (dlt == DLT_USB))
		abort();
	free(copy);
	return 0;
}
