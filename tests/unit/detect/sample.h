/* SPDX-License-Identifier: Apache-2.0 */
/* Frames for detectors that look at samples. */
#pragma once

#include "see.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define FRAME_MAX 2048

static struct {
	struct pk_sample s;
	uint8_t data[FRAME_MAX];
} frame_record;

/* An Ethernet frame from a machine, head bytes of IP and above it zero, then payload; of ICMP with
 * its head, which the kernel does not count as payload. */
static inline void see_frame(uint64_t now_ns, const uint8_t mac[6], uint8_t app, uint16_t proto,
			     uint32_t head, const void *payload, uint32_t len)
{
	struct pk_sample *s = &frame_record.s;
	struct pk_see see = { .kind = PK_SEE_SAMPLE, .now_ns = now_ns, .sample = s };
	uint32_t icmp = app == PK_APP_ICMP ? 8 : 0;

	assert_true(14 + head + len <= FRAME_MAX);
	memset(frame_record.data, 0, sizeof(frame_record.data));
	memset(frame_record.data, 0xff, 6);
	memcpy(frame_record.data + 6, mac, 6);
	memcpy(frame_record.data + 14 + head, payload, len);
	s->key.proto = proto;
	s->app = app;
	s->why = PK_SAMPLE_PAYLOAD;
	s->l3_off = 14;
	s->payload_off = 14 + head + icmp;
	s->payload_len = len - icmp;
	s->data_len = s->frame_len = 14 + head + len;
	if (icmp && s->payload_len > 256)
		s->data_len = s->payload_off + 256; /* as the kernel takes it */
	s->hdr.ts = now_ns;
	s->hdr.size = (uint32_t)(sizeof(*s) + s->data_len + 7) & ~7u;
	pk_detect_see(seen.detect, &see);
}

/* Memory of the one detector that is on. */
static inline void assert_bounded(const char *name)
{
	struct pk_detector_use u;

	for (size_t i = 0; i < pk_detectors_n; i++)
		if (!strcmp(pk_detectors[i]->name, name)) {
			pk_detect_use(seen.detect, i, &u);
			assert_true(u.on);
			assert_true(u.bytes > 0 && u.bytes <= u.bytes_max);
		}
}
