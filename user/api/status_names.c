/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the status that is about names: what was read, what could not be, and the tables. */
#include "api/status_names.h"

#include "api/view.h"
#include "base/json.h"
#include "conf/conf.h"
#include "name/name.h"
#include "output/journal.h"
#include "output/ocsf_name.h"

#include <stdio.h>

void pk_status_names(struct pk_json *j, const struct pk_view *v)
{
	struct pk_names_count c;

	pk_names_counts(v->ocsf.names, &c);
	pk_json_obj(j, "names");
	pk_ocsf_name_counts(j, &c);
	pk_json_obj(j, "records");
	pk_json_u64(j, "hurried", v->news_hurried);
	pk_json_u64(j, "lost", v->news_lost);
	pk_json_end(j);
	pk_json_obj(j, "geo");
	if (c.geo_error) {
		pk_json_str(j, "error", c.geo_error);
	} else {
		pk_json_str(j, "vendor", c.geo_vendor);
		pk_json_u64(j, "created", c.geo_created * 1000);
	}
	pk_json_end(j);
	pk_json_end(j);
}

static void write_table(struct pk_json *j, const char *name, uint64_t used, uint64_t max,
			uint64_t evicted, uint64_t refused)
{
	pk_json_obj(j, NULL);
	pk_json_str(j, "name", name);
	pk_json_u64(j, "used", used);
	pk_json_u64(j, "max", max);
	pk_json_u64(j, "evicted", evicted);
	pk_json_u64(j, "refused", refused);
	pk_json_end(j);
}

void pk_status_names_tables(struct pk_json *j, const struct pk_view *v)
{
	struct pk_names_count c;
	uint64_t used, max, evicted;

	pk_names_counts(v->ocsf.names, &c);
	write_table(j, "facts", c.facts.used, c.facts.max, c.facts.evicted, 0);
	write_table(j, "fact_text_bytes", c.texts.bytes, c.texts.max, 0, c.texts.refused);
	write_table(j, "addresses", c.addresses.used, c.addresses.max, c.addresses.evicted, 0);
	write_table(j, "dns_questions", c.questions.used, c.questions.max, c.questions.evicted, 0);
	write_table(j, "tcp_streams", c.streams.used, c.streams.max, c.streams.evicted, 0);
	write_table(j, "quic_handshakes", c.handshakes.used, c.handshakes.max, c.handshakes.evicted,
		    0);
	pk_journal_counts(v->dns, &used, &max, &evicted);
	write_table(j, "dns", used, max, evicted, 0);
	pk_journal_counts(v->tls, &used, &max, &evicted);
	write_table(j, "tls", used, max, evicted, 0);
}

void pk_status_names_degraded(struct pk_json *j, const struct pk_view *v)
{
	struct pk_names_count c;
	char text[320];

	pk_names_counts(v->ocsf.names, &c);
	if (!c.geo_error || !v->conf->geo_database[0]) /* none wanted */
		return;
	snprintf(text, sizeof(text), "no countries and networks of addresses: %s: %s",
		 v->conf->geo_database, c.geo_error);
	pk_json_str(j, NULL, text);
}
