/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the store in the status, and whether it can write. */
#include "api/status_keep.h"

#include "api/view.h"
#include "base/json.h"
#include "conf/conf.h"
#include "mute/json.h"
#include "sink/sink.h"
#include "store/store.h"

#include <stdio.h>

void pk_status_keep(struct pk_json *j, const struct pk_view *v)
{
	if (v->store)
		(void)pk_store_status(v->store, j, "store"); /* degraded says whether it can */
	if (v->sinks)
		pk_sinks_status(v->sinks, j, "sinks");
	if (v->mutes)
		pk_mute_write_counts(j, "mutes", v->mutes);
}

static void sinks_degraded(struct pk_json *j, const struct pk_view *v)
{
	struct pk_sink_count c;
	char text[256];

	if (!v->sinks && pk_sinks_wanted(v->conf))
		pk_json_str(j, NULL, "alerts are not sent anywhere: the sinks could not begin");
	for (size_t i = 0; v->sinks && pk_sinks_count(v->sinks, i, &c); i++) {
		if (!c.trouble[0])
			continue;
		snprintf(text, sizeof(text), "sink %s: %s", c.name, c.trouble);
		pk_json_str(j, NULL, text);
	}
}

void pk_status_keep_degraded(struct pk_json *j, const struct pk_view *v)
{
	struct pk_store_counts c;
	char text[224];

	sinks_degraded(j, v);
	if (!v->store) {
		if (v->conf->store)
			pk_json_str(j, NULL, "alerts and acts are not kept: no place to write to");
		return;
	}
	pk_store_counts(v->store, &c);
	if (!c.trouble[0])
		return;
	snprintf(text, sizeof(text), "alerts and acts are not kept: %s", c.trouble);
	pk_json_str(j, NULL, text);
}
