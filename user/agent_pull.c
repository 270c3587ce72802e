/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list that no mirror had for long is told once, as a notice that detect/stale_list.c makes an
 * alert of: somebody may be keeping this host from its lists.
 */
#include "agent_pull.h"

#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "pipeline.h"
#include "pull/told.h"

#include <errno.h>
#include <inttypes.h>

struct pk_agent_pull {
	struct pk_pipeline *pipeline;
	struct pk_pulls *pulls; /* NULL: no list is fetched */
};

int pk_agent_pull_new(const struct pk_conf *conf, struct pk_pipeline *pipeline,
		      struct pk_agent_pull **ret)
{
	struct pk_agent_pull *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->pipeline = pipeline;
	a->pulls = pk_pulls_new(conf, pk_clock_boot_ns());
	if (!a->pulls && conf->pull_lists.n) {
		free(a);
		return -ENOMEM;
	}
	pk_pipeline_view(pipeline)->pulls = a->pulls;
	*ret = a;
	return 0;
}

void pk_agent_pull_free(struct pk_agent_pull *a)
{
	if (!a)
		return;
	pk_pipeline_view(a->pipeline)->pulls = NULL;
	pk_pulls_free(a->pulls);
	free(a);
}

static void tell(struct pk_agent_pull *a, const struct pk_pulled *p, uint64_t now_ns)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };

	pk_buf_fmt(&text,
		   "signed list %s: no mirror had it for %" PRIu64 " s, the last answered: %s%s%s",
		   p->list, (now_ns - pk_pulls_since(a->pulls, p)) / 1000000000,
		   pk_pull_outcome_name(p->last.outcome), *p->last.why ? ", " : "", p->last.why);
	if (text.error)
		return;
	pk_warn("%s", text.data);
	pk_pipeline_notice(a->pipeline, now_ns, PK_LOG_WARN, text.data);
}

void pk_agent_pull_tick(struct pk_agent_pull *a)
{
	uint64_t now_ns = pk_clock_boot_ns();
	const struct pk_pulled *p;

	while ((p = pk_pulls_stale(a->pulls, now_ns)))
		tell(a, p, now_ns);
}
