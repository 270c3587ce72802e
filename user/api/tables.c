/* SPDX-License-Identifier: Apache-2.0 */
/* Asks each table for its counts. It keeps nothing. */
#include "api/tables.h"

#include "api/view.h"
#include "base/cleanup.h"
#include "enrich/enrich.h"
#include "flow/aggregate.h"
#include "flow/socket.h"
#include "flow/table.h"
#include "name/name.h"
#include "output/journal.h"

static struct pk_table of_count(const char *name, const struct pk_table_use_count *c)
{
	return (struct pk_table){ name, c->used, c->max, c->evicted, c->refused };
}

static struct pk_table of_journal(const char *name, const struct pk_journal *journal)
{
	struct pk_table t = { .name = name };

	pk_journal_counts(journal, &t.used, &t.max, &t.evicted);
	return t;
}

static void each_of_flows(const struct pk_view *v, void (*each)(void *, const struct pk_table *),
			  void *arg)
{
	const struct pk_processes *p = &v->ocsf.enrich->processes;
	const struct pk_containers *c = &v->ocsf.enrich->containers;
	struct pk_table_use_count live, ended, socks, aggs = { 0 };
	struct pk_table all[7];
	uint64_t listening;

	pk_flow_table_counts(v->ocsf.flows, &live, &ended);
	pk_sock_table_counts(v->ocsf.socks, &socks, &listening);
	pk_agg_table_counts(v->aggs, &aggs);
	all[0] = of_count("flows", &live);
	all[1] = of_count("ended_flows", &ended);
	all[2] = of_count("sockets", &socks);
	all[3] = (struct pk_table){ "processes", p->used, p->max, p->evicted, p->refused };
	all[4] = (struct pk_table){ "containers", c->used, c->max, c->evicted, 0 };
	all[5] = of_count("aggregates", &aggs);
	all[6] = of_journal("events", v->journal);
	for (size_t i = 0; i < PK_ARRAY_SIZE(all); i++)
		each(arg, &all[i]);
}

static void each_of_names(const struct pk_view *v, void (*each)(void *, const struct pk_table *),
			  void *arg)
{
	struct pk_names_count c;

	pk_names_counts(v->ocsf.names, &c);

	const struct pk_table all[] = {
		{ "facts", c.facts.used, c.facts.max, c.facts.evicted, 0 },
		{ "fact_text_bytes", c.texts.bytes, c.texts.max, 0, c.texts.refused },
		{ "addresses", c.addresses.used, c.addresses.max, c.addresses.evicted, 0 },
		{ "dns_questions", c.questions.used, c.questions.max, c.questions.evicted, 0 },
		{ "tcp_streams", c.streams.used, c.streams.max, c.streams.evicted, 0 },
		{ "quic_handshakes", c.handshakes.used, c.handshakes.max, c.handshakes.evicted, 0 },
		of_journal("dns", v->dns),
		of_journal("tls", v->tls),
	};

	for (size_t i = 0; i < PK_ARRAY_SIZE(all); i++)
		each(arg, &all[i]);
}

void pk_tables_each(const struct pk_view *v, void (*each)(void *arg, const struct pk_table *t),
		    void *arg)
{
	each_of_flows(v, each, arg);
	each_of_names(v, each, arg);
}
