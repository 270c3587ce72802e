/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks for the files of programs while threat intelligence has hashes of files, and shows the
 * detectors what they are. The first one begins the thread (enrich/digest.h).
 */
#include "pipeline_digests.h"

#include "api/view.h"
#include "base/log.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "enrich/digest.h"
#include "enrich/enrich.h"
#include "pipeline_alerts.h"

#include <string.h>

static int ask(void *arg, uint64_t serial, const struct pk_proc_id *id, uint64_t ino)
{
	struct pk_view *v = arg;

	return v->exe(v->arg, serial, id, ino);
}

/* By its name where its path is not known. */
static void want(struct pk_view *v, const struct pk_process *p, uint64_t ino, uint64_t ts_ns)
{
	const char *path = pk_process_path(p);

	pk_digests_want(v->digests, &p->id, ino, *path ? path : pk_process_name(p), ts_ns);
}

static bool begin(struct pk_view *v)
{
	int r;

	if (v->digests || v->digests_failed)
		return v->digests;
	r = pk_digests_new(v->conf->file_hash_max, ask, v, &v->digests);
	v->digests_failed = r < 0;
	if (r < 0)
		pk_error("files of programs are not hashed: %s, continuing without", strerror(-r));
	return r == 0;
}

void pk_pipeline_digests_exec(struct pk_view *v, const struct pk_pipeline_alerts *alerts,
			      const struct pk_event *ev, const struct pk_process *proc)
{
	if (!v->exe || !pk_pipeline_alerts_wants_digests(alerts) || !begin(v))
		return;
	want(v, proc, ev->exec->exe_ino, ev->hdr->ts);
}

/* A child that runs what its parent does is told by the parent. */
static bool is_same_as_parent(const struct pk_enrich *e, const struct pk_process *p)
{
	const struct pk_process *parent = pk_process_parent(&e->processes, p);

	return parent && !parent->end_ns && parent->image[0] == p->image[0];
}

void pk_pipeline_digests_all(struct pk_view *v, const struct pk_pipeline_alerts *alerts)
{
	const struct pk_enrich *e = v->ocsf.enrich;

	if (!v->exe || !pk_pipeline_alerts_wants_digests(alerts) || !begin(v))
		return;
	for (const struct pk_process *p = NULL; (p = pk_process_next(&e->processes, p));)
		if (!p->end_ns && p->image[0] && p->image[0]->exe_ino && !is_same_as_parent(e, p))
			want(v, p, p->image[0]->exe_ino, v->now_ns);
}

void pk_pipeline_digests_turn(struct pk_view *v, struct pk_pipeline_alerts *alerts)
{
	struct pk_digest digest;

	if (!v->digests)
		return;
	pk_digests_tick(v->digests, v->now_ns);
	while (pk_digests_next(v->digests, &digest))
		pk_pipeline_alerts_see(
			alerts,
			&(struct pk_see){ .kind = PK_SEE_DIGEST,
					  .now_ns = digest.ts_ns,
					  .proc = pk_enrich_owner(v->ocsf.enrich, &digest.id),
					  .digest = &digest });
}
