/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health as a load balancer or supervisor asks it: does the loop turn, and is it known what is
 * covered and enforced? Not whether all is covered, and not whether anything was lost: that is the
 * status' and the metrics'.
 */
#include "api/health.h"

#include "api/routes.h"
#include "api/server.h"
#include "api/state.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "block/show.h"
#include "flow/link.h"

#include <picket/api.h>

#define TURN_MAX_NS 5000000000ull /* it turns every second */

size_t pk_health_reasons(const struct pk_view *v, const char *ret_reasons[PK_HEALTH_REASONS])
{
	const struct pk_state *s = v->state;
	uint64_t now_ns = pk_clock_boot_ns();
	const struct {
		bool bad;
		const char *why;
	} all[] = {
		{ !s->turned_ns || now_ns > s->turned_ns + TURN_MAX_NS,
		  "the loop has not turned for five seconds" },
		{ s->broker_gone, "the privileged process is gone" },
		{ !s->have_maps, "the kernel's counters can not be read" },
		{ !pk_links_at(v->ocsf.links, 0), "it is not known which interfaces there are" },
		{ !v->block, "it is not known what is enforced" },
		{ v->block && !pk_block_is_ready(v->block),
		  "the lists of before are still being put in force" },
	};
	size_t n = 0;

	_Static_assert(sizeof(all) / sizeof(*all) <= PK_HEALTH_REASONS, "no room for all");
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].bad)
			ret_reasons[n++] = all[i].why;
	return n;
}

static int answer_ok(struct pk_api_request *q)
{
	struct pk_buf body = { 0 };

	pk_buf_str(&body, "{\"status\":\"ok\"}\n");
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

int pk_health_get(struct pk_api_request *q)
{
	return answer_ok(q);
}

int pk_ready_get(struct pk_api_request *q)
{
	const char *reasons[PK_HEALTH_REASONS];
	size_t n = pk_health_reasons(q->view, reasons);
	struct pk_buf body = { 0 };
	struct pk_json j;

	if (!n)
		return answer_ok(q);
	pk_api_problem_begin(&j, &body, 503, reasons[0]);
	pk_json_arr(&j, "reasons");
	for (size_t i = 0; i < n; i++)
		pk_json_str(&j, NULL, reasons[i]);
	pk_json_end(&j);
	return pk_api_problem_end(q, &j, 503);
}
