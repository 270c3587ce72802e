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
	pk_digests_want(v->digests, &proc->id, ev->exec->exe_ino, pk_process_path(proc),
			ev->hdr->ts);
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
