/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value at many hosts: an address that attacks them, however slowly, and what is in the alerts
 * of several of them and was never seen before. How many they are is asked only when one is new.
 */
#include "base/json.h"
#include "conf/conf.h"
#include "hub/own.h"

#include <inttypes.h>
#include <stdio.h>

#define MS 1000000

#define NEW_DOUBT                                                                                  \
	"Something that was installed or changed on all of them, such as an update or a new "      \
	"service"
#define NEW_NEXT                                                                                   \
	"Find out which program it is on the first of these hosts and who brought it there."

static const struct pk_hub_rule rules[PK_HUB_KINDS] = {
	[PK_HUB_SOURCE] = { "hub_source", "One address attacks several hosts", "T1595",
			    "A scanner of your own, or a monitoring system",
			    "Find out whose it is; block it on all hosts if it is nobody's.",
			    PK_MEDIUM, 70 },
	[PK_HUB_ADDRESS] = { "hub_new_address", "New address on several hosts", "T1071", NEW_DOUBT,
			     NEW_NEXT, PK_MEDIUM, 50 },
	[PK_HUB_NAME] = { "hub_new_name", "New name on several hosts", "T1071", NEW_DOUBT, NEW_NEXT,
			  PK_MEDIUM, 50 },
	[PK_HUB_SHA256] = { "hub_new_sha256", "New program on several hosts", "T1570",
			    "A tool that administrators or a package brought to all of them",
			    "Isolate the first of these hosts; find out how the file came from one "
			    "to "
			    "the next, and remove it.",
			    PK_HIGH, 75 },
	[PK_HUB_JA4] = { "hub_new_ja4", "New TLS client on several hosts", "T1071", NEW_DOUBT,
			 NEW_NEXT, PK_MEDIUM, 50 },
};

static int write_hosts(struct pk_hub *h, const struct pk_hub_finding *f, struct pk_json *j)
{
	int r = pk_hub_db_step(&h->db, PK_HUB_SEEN_HOSTS, (int64_t)f->kind, f->value, f->since_ms,
			       f->until_ms, (int64_t)PK_HUB_SHOWN);

	for (; r > 0; r = pk_hub_db_next(&h->db, PK_HUB_SEEN_HOSTS)) {
		pk_json_obj(j, NULL);
		pk_json_obj(j, "data");
		pk_json_str(j, "host", pk_hub_db_text(&h->db, PK_HUB_SEEN_HOSTS, 0));
		pk_json_str(j, pk_hub_kind_name(f->kind), f->value);
		pk_json_i64(j, "first_seen_time", pk_hub_db_int(&h->db, PK_HUB_SEEN_HOSTS, 1));
		pk_json_i64(j, "last_seen_time", pk_hub_db_int(&h->db, PK_HUB_SEEN_HOSTS, 2));
		pk_json_i64(j, "count", pk_hub_db_int(&h->db, PK_HUB_SEEN_HOSTS, 3));
		pk_json_str(j, "alert", pk_hub_db_text(&h->db, PK_HUB_SEEN_HOSTS, 4));
		pk_json_end(j);
		pk_json_end(j);
	}
	return r;
}

static int64_t window_of(const struct pk_conf *c, enum pk_hub_kind kind)
{
	return (int64_t)((kind == PK_HUB_SOURCE ? c->hub_source_ns : c->hub_new_ns) / MS);
}

static int judge(struct pk_hub *h, const struct pk_hub_alert *a, const struct pk_hub_value *v)
{
	const struct pk_conf *c = h->conf;
	bool source = v->kind == PK_HUB_SOURCE;
	struct pk_hub_finding f = { .rule = &rules[v->kind],
				    .value = v->text,
				    .kind = v->kind,
				    .since_ms = a->time_ms - window_of(c, v->kind),
				    .until_ms = a->time_ms + window_of(c, v->kind),
				    .last_ms = a->time_ms,
				    .evidence = write_hosts };
	int64_t firm, learnt = h->begun_ms + (int64_t)(c->hub_learning_ns / MS);
	int r = pk_hub_db_step(&h->db, PK_HUB_SEEN_SUM, (int64_t)v->kind, v->text, f.since_ms,
			       f.until_ms);

	if (r <= 0)
		return r;
	f.size = pk_hub_db_int(&h->db, PK_HUB_SEEN_SUM, 0);
	firm = pk_hub_db_int(&h->db, PK_HUB_SEEN_SUM, 1);
	f.first_ms = pk_hub_db_int(&h->db, PK_HUB_SEEN_SUM, 2);
	pk_hub_db_reset(&h->db, PK_HUB_SEEN_SUM);
	if (f.size < (int64_t)(source ? c->hub_source_hosts : c->hub_new_hosts))
		return 0;
	if (!source && (f.first_ms < f.since_ms || f.first_ms < learnt))
		return 0; /* it is not new */
	if (f.first_ms < f.since_ms)
		f.first_ms = f.since_ms;
	f.spoofable = !firm;
	snprintf(f.plain, sizeof(f.plain),
		 source ? "%" PRId64 " hosts were attacked from %s."
			: "%" PRId64 " hosts have %s in their alerts, which none had before.",
		 f.size, v->text);
	return pk_hub_tell(h, &f);
}

static int take(struct pk_hub *h, const struct pk_hub_alert *a, const struct pk_hub_value *v)
{
	int64_t since = a->time_ms - window_of(h->conf, v->kind);
	int r = pk_hub_db_step(&h->db, PK_HUB_SEEN_FIND, (int64_t)v->kind, v->text, a->host);
	bool known = r > 0 && pk_hub_db_int(&h->db, PK_HUB_SEEN_FIND, 0) >= since;

	pk_hub_db_reset(&h->db, PK_HUB_SEEN_FIND);
	if (r < 0)
		return r;
	r = pk_hub_db_step(&h->db, PK_HUB_SEEN_PUT, (int64_t)v->kind, v->text, a->host, a->time_ms,
			   (int64_t)!a->r->spoofable, a->r->uid);
	if (r < 0 || known)
		return r;
	r = pk_hub_db_cut(&h->db, PK_HUB_SEEN_CUT, a->host, h->conf->hub_values);
	return r < 0 ? r : judge(h, a, v);
}

int pk_hub_spread(struct pk_hub *h, const struct pk_hub_alert *a)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < a->r->values; i++)
		r = take(h, a, &a->r->value[i]);
	return r < 0 ? r : 0;
}
