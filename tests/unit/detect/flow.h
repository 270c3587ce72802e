/* SPDX-License-Identifier: Apache-2.0 */
/* Flows and facts for detectors that look at reports of flows. */
#pragma once

#include "see.h"

#include "decode/app.h"
#include "flow/table.h"
#include "name/fact.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* End 0 (10.0.0.1) opened it, end 1 (192.0.2.n) answered on port; both spoke. */
static inline struct pk_flow_entry flow_to(uint64_t id, uint8_t proto, uint8_t n, uint16_t port)
{
	struct pk_flow_entry e = { .flow.meta.id = id, .is_new = true, .ended = true };

	e.flow.key.proto = proto;
	e.flow.key.netns = 1;
	for (int d = 0; d < 2; d++) {
		memcpy(e.flow.key.addr[d], "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
		e.flow.dir[d].packets = 9;
		e.flow.dir[d].bytes = 900;
		e.flow.dir[d].looked_at = 5;
	}
	memcpy(e.flow.key.addr[0] + 12, "\x0a\0\0\1", 4);
	memcpy(e.flow.key.addr[1] + 12, "\xc0\0\2", 3);
	e.flow.key.addr[1][15] = n;
	e.flow.key.port[0] = htons((uint16_t)(40000 + id));
	e.flow.key.port[1] = htons(port);
	return e;
}

static inline void see_flow(const struct pk_flow_entry *e, const struct pk_fact *fact)
{
	struct pk_see s = { .kind = PK_SEE_FLOW, .now_ns = 5, .flow = e, .fact = fact };

	pk_detect_see(seen.detect, &s);
}

/* Many flows of strangers: memory stays in its bound. */
static inline void see_flood(const char *name, uint8_t app, uint32_t flags)
{
	struct pk_detector_use u;

	for (uint64_t id = 1; id <= 100000; id++) {
		struct pk_flow_entry e = flow_to(id, IPPROTO_TCP, (uint8_t)id, (uint16_t)id);
		struct pk_fact fact = { .flow = id, .app = app, .flags = flags };

		see_flow(&e, &fact);
	}
	for (size_t i = 0; i < pk_detectors_n; i++)
		if (!strcmp(pk_detectors[i]->name, name)) {
			pk_detect_use(seen.detect, i, &u);
			assert_true(u.bytes > 0 && u.bytes <= u.bytes_max);
			assert_int_equal(u.found, 100000);
		}
}
