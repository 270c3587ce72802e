/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the store in the status, and whether it can write. */
#include "api/status_keep.h"

#include "api/state.h"
#include "api/view.h"
#include "base/json.h"
#include "conf/conf.h"
#include "mute/json.h"
#include "sink/sink.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

static void write_learned(struct pk_json *j, const struct pk_state_learned *s)
{
	pk_json_obj(j, "learned");
	pk_json_u64(j, "tables", s->tables);
	pk_json_u64(j, "rows", s->rows);
	pk_json_u64(j, "bytes", s->bytes);
	if (s->saved_ms)
		pk_json_i64(j, "saved", s->saved_ms);
	pk_json_u64(j, "saves", s->saves);
	pk_json_u64(j, "saves_failed", s->failed);
	pk_json_u64(j, "left_out", s->left_out);
	pk_json_u64(j, "loaded", s->loaded);
	pk_json_u64(j, "not_loaded", s->not_loaded);
	pk_json_u64(j, "unread", s->unread);
	if (s->loaded_ms)
		pk_json_i64(j, "loaded_saved", s->loaded_ms);
	pk_json_u64(j, "damaged", s->damaged);
	pk_json_end(j);
}

void pk_status_keep(struct pk_json *j, const struct pk_view *v)
{
	if (v->store)
		(void)pk_store_status(v->store, j, "store"); /* degraded says whether it can */
	if (v->sinks)
		pk_sinks_status(v->sinks, j, "sinks");
	if (v->mutes)
		pk_mute_write_counts(j, "mutes", v->mutes);
	if (v->state->learned.on)
		write_learned(j, &v->state->learned);
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

static void learned_degraded(struct pk_json *j, const struct pk_view *v)
{
	const struct pk_state_learned *s = &v->state->learned;
	char text[160];

	if (!s->trouble)
		return;
	snprintf(text, sizeof(text), "what detectors learn is not kept: %s", strerror(-s->trouble));
	pk_json_str(j, NULL, text);
}

void pk_status_keep_degraded(struct pk_json *j, const struct pk_view *v)
{
	struct pk_store_counts c;
	char text[224];

	sinks_degraded(j, v);
	learned_degraded(j, v);
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
