/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the status that is about names: what was read, what could not be, and the tables. */
#include "api/status_names.h"

#include "api/view.h"
#include "base/json.h"
#include "conf/conf.h"
#include "name/name.h"
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
