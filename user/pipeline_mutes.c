/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the suppressions. They are read from the store as soon as it is open; until then none is in
 * force and none can be made, for a number must not come twice. Their end is told.
 */
#include "pipeline_mutes.h"

#include "api/state.h"
#include "api/view.h"
#include "base/clock.h"
#include "base/log.h"
#include "detect/finding.h"
#include "flow/filter.h"
#include "mute/keep.h"
#include "mute/mutes.h"
#include "output/ocsf_finding.h"
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int pk_pipeline_mutes_new(struct pk_view *view)
{
	view->mutes = pk_mutes_new();
	return view->mutes ? 0 : -ENOMEM;
}

void pk_pipeline_mutes_free(struct pk_view *view)
{
	pk_mutes_free(view->mutes);
	view->mutes = NULL;
}

void pk_pipeline_mutes_ask(struct pk_view *view, struct pk_finding *f)
{
	struct pk_filter_subject s;
	struct pk_flow flow;
	struct pk_mute *m;

	if (!pk_mutes_name(view->mutes, f->rule))
		return;
	pk_ocsf_finding_subject(&view->ocsf, f, &flow, &s);
	m = pk_mutes_take(view->mutes, f, &s, pk_clock_wall_ms(pk_clock_boot_ns()));
	if (!m)
		return;
	f->mute = m->number;
	pk_finding_fold(f, &m->number, sizeof(m->number));
}

static void read_back(struct pk_view *view)
{
	unsigned bad = 0;
	int r;

	if (view->mutes_ready)
		return;
	r = view->store ? pk_mutes_read(view->store, view->mutes, &bad) : 0;
	if (r == -ENODATA)
		return; /* it is not open yet: the next time */
	view->mutes_ready = true;
	if (r < 0)
		pk_warn("suppressions of before can not be read: %s, continuing without them, so "
			"that their alerts are told",
			strerror(-r));
	if (bad)
		pk_warn("%u suppressions of before can not be read, so that their alerts are told",
			bad);
}

static void tell_end(struct pk_view *view, const struct pk_mute *m)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "suppression %" PRIu64
		 " of %.64s%s (owner %.64s) has expired: its alerts are told "
		 "again",
		 m->number, m->rule[0], m->rules > 1 ? " and others" : "", m->owner);
	pk_notice("%s", text);
	pk_state_notice(view->state, view->now_ns, PK_LOG_NOTICE, text);
}

void pk_pipeline_mutes_tick(struct pk_view *view)
{
	int64_t now_ms = pk_clock_wall_ms(pk_clock_boot_ns());
	struct pk_store_counts c;
	struct pk_mute *m;

	read_back(view);
	while ((m = pk_mutes_expire(view->mutes, now_ms)))
		tell_end(view, m);
	if (!view->store || !view->mutes_ready)
		return;
	pk_store_counts(view->store, &c); /* another database knows none of them */
	pk_mutes_keep(view->store, view->mutes,
		      c.broken > view->store_told.broken ? PK_MUTES_ALL : PK_MUTES_DUE, now_ms);
}

void pk_pipeline_mutes_end(struct pk_view *view)
{
	if (view->store && view->mutes_ready)
		pk_mutes_keep(view->store, view->mutes, PK_MUTES_CHANGED,
			      pk_clock_wall_ms(pk_clock_boot_ns()));
}
