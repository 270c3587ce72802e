/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a record: what is accepted can be read to its last field.
 * fuzz-links: user/decode/record.c user/decode/gap.c
 */
#include "decode/record.h"

#include "decode/gap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_exec(const struct pk_exec *e)
{
	char out[300];

	if (strlen(e->filename) >= sizeof(e->filename) || strlen(e->interp) >= sizeof(e->interp))
		abort();
	if (pk_path_join(e->path, e->path_len, e->hdr.flags & 1, out, 8 + e->hdr.seq % 200) >= 300)
		abort();
	if (pk_path_join(e->cwd, e->cwd_len, false, out, sizeof(out)) != strlen(out) && !e->cwd_len)
		abort();
	if (pk_argv_join(e, out, 1 + e->hdr.seq % 299) >= sizeof(out))
		abort();
}

/* Every byte of the slice is there. */
static void read_sample(const struct pk_sample *s, const uint8_t *end)
{
	size_t len;
	const uint8_t *p = pk_sample_payload(s, &len);
	volatile uint8_t sum = 0;

	if (p + len > end || pk_sample_data(s) + s->data_len > end || len > s->payload_len)
		abort();
	while (len--)
		sum ^= *p++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_gap g;
	struct pk_event ev;
	uint8_t *copy;

	/* An exec record is long: let the fuzzer write only its start, and repeat that. */
	if (size < sizeof(struct pk_hdr))
		return 0;
	if (data[0] & 1 && size < sizeof(struct pk_exec)) {
		copy = malloc(sizeof(struct pk_exec));
		for (size_t i = 0; i < sizeof(struct pk_exec); i++)
			copy[i] = data[i % size];
		size = sizeof(struct pk_exec);
		((struct pk_hdr *)copy)->size = size;
	} else {
		copy = malloc(size);
		memcpy(copy, data, size);
	}
	if (pk_record_decode(&ev, copy, size) == 0) {
		if (ev.type == PK_EV_EXEC)
			read_exec(ev.exec);
		if (ev.type == PK_EV_SAMPLE)
			read_sample(ev.sample, copy + size);
		if (ev.task && strlen(ev.task->comm) >= sizeof(ev.task->comm))
			abort();
		if (pk_gap_init(&g, 4) == 0)
			pk_gap_see(&g, ev.hdr);
		pk_gap_done(&g);
	}
	free(copy);
	return 0;
}
