/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between gate and core, from either side. */
/* fuzz-links: user/gate/msg.c user/pull/news.c */
#include "gate/msg.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_gate_msg m;
	unsigned sum = 0;
	int n;

	if (!size)
		return 0;
	for (size_t at = 1; at < size; at += (size_t)n) {
		n = pk_gate_msg_read(data + at, size - at, data[0] & 1, &m);
		if (n <= 0)
			break;
		assert((size_t)n <= size - at && n <= PK_GATE_FRAME_MAX);
		for (size_t i = 0; i < m.len; i++)
			sum += ((const uint8_t *)m.data)[i];
		for (size_t i = 0; m.path && i < m.ask.path_len; i++)
			assert(m.path[i] >= 0x20);
		for (size_t i = 0; m.name && i < m.ask.name_len; i++)
			assert(m.name[i] >= 0x20);
		for (int k = 0; m.path && k < PK_GATE_SAIDS; k++)
			for (size_t i = 0; i < m.ask.said_len[k]; i++)
				assert(m.said[k][i] >= 0x20);
		for (int k = 0; m.type == PK_GATE_ANSWER && k < PK_GATE_TOLDS; k++)
			sum += (unsigned)strlen(m.answer.told[k]);
	}
	__asm__ volatile("" : : "r"(sum)); /* so that it is computed */
	return 0;
}
