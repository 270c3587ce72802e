/* SPDX-License-Identifier: Apache-2.0 */
/* The Sigma rules that are loaded: what runs, how often each matched, what is suppressed. */
#include "detect/rules.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "mute/mutes.h"
#include "sigma/rule.h"

#include <picket/api.h>

static void write_rule(struct pk_json *j, const struct pk_view *v, const struct pk_rules_row *row)
{
	const struct pk_sigma_rule *rule = row->rule;
	const char *name = pk_rules_name(rule);

	pk_json_obj(j, NULL);
	pk_json_str(j, "name", name);
	pk_json_str(j, "id", rule->id);
	pk_json_str(j, "title", rule->title);
	pk_json_str(j, "level", pk_sigma_level_name(rule->level));
	pk_json_str(j, "status", rule->status);
	pk_json_str(j, "author", rule->author);
	pk_json_arr(j, "techniques");
	for (size_t i = 0; i < rule->techniques.n; i++)
		pk_json_str(j, NULL, rule->techniques.v[i]);
	pk_json_end(j);
	pk_json_str(j, "file", rule->file);
	pk_json_bool(j, "runs", !rule->problem);
	if (rule->problem)
		pk_json_str(j, "problem", rule->problem->text);
	pk_json_u64(j, "hits", row->hits);
	if (row->last_ns)
		pk_json_i64(j, "last_hit", pk_clock_wall_ms(row->last_ns));
	pk_json_bool(j, "muted", name && pk_mutes_name(v->mutes, name));
	pk_json_end(j);
}

int pk_rules_get(struct pk_api_request *q)
{
	struct pk_buf body = { 0 };
	struct pk_rules_row row;
	struct pk_json j;

	if (!q->view->detect)
		return pk_api_problem(q, 503, "nothing is detected here");
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_arr(&j, "rules");
	for (size_t i = 0; pk_rules_at(q->view->detect, i, &row); i++)
		write_rule(&j, q->view, &row);
	pk_json_end(&j);
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
