/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub and hosts that send it alerts. Times are hours; one an alert. All tests run twice: in
 * memory, and on a server of PostgreSQL if there is one here.
 */
#pragma once

#include "base/buf.h"
#include "conf/conf.h"
#include "hub/backend.h"
#include "hub/hub.h"
#include "hub/own.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS 3600000ll
#define T0      1700000000000ll /* when the hub began */

struct fleet {
	struct pk_conf *conf;
	struct pk_hub *hub;
	char *told; /* all lines */
	unsigned lines, number;
};

static const char *fleet_where = ":memory:"; /* of this round of tests */

/* An alert; NULL and 0: without. */
struct sent {
	const char *host;
	double hour;
	const char *src, *dst, *remote; /* addresses */
	const char *ja4, *name, *sha256;
	bool spoofable;
	const char *uid; /* NULL: another one each time */
	unsigned sequence;
};

static inline void on_found(void *arg, const char *lines, size_t len)
{
	struct fleet *f = arg;
	size_t had = f->told ? strlen(f->told) : 0;

	f->told = realloc(f->told, had + len + 1);
	assert_non_null(f->told);
	memcpy(f->told + had, lines, len);
	f->told[had + len] = '\0';
	for (size_t i = 0; i < len; i++)
		f->lines += lines[i] == '\n';
}

/* Keys and values, NULL ended. */
static inline void fleet_make_at(struct fleet *f, const char *where, const char *const *keys)
{
	struct pk_hub_opts o = { .where = where, .now_ms = T0, .found = on_found, .arg = f };

	*f = (struct fleet){ .conf = pk_conf_new() };
	assert_int_equal(pk_conf_set(f->conf, "hub.learning", "0s", NULL), 0);
	for (; keys && *keys; keys += 2)
		assert_int_equal(pk_conf_set(f->conf, keys[0], keys[1], NULL), 0);
	o.conf = f->conf;
	assert_int_equal(pk_hub_open(&o, &f->hub), 0);
	if (pk_hub_ready(f->hub) < 0)
		fail_msg("%s", pk_hub_why(f->hub));
}

static inline void fleet_exec(struct fleet *f, const char *sql)
{
	if (f->hub->db.backend->exec(&f->hub->db, sql) < 0)
		fail_msg("%s: %s", sql, pk_hub_why(f->hub));
}

static inline void fleet_make(struct fleet *f, const char *const *keys)
{
	fleet_make_at(f, fleet_where, keys);
}

static inline void fleet_done(struct fleet *f)
{
	if (f->hub && fleet_where[0] != ':' && f->hub->db.backend)
		fleet_exec(f, "DROP SCHEMA picket_hub CASCADE");
	pk_hub_close(f->hub);
	pk_conf_free(f->conf);
	free(f->told);
}

static inline enum pk_hub_refusal fleet_raw(struct fleet *f, const char *subject, const char *json,
					    int64_t now_ms)
{
	enum pk_hub_refusal why = PK_HUB_REFUSALS;

	assert_int_equal(pk_hub_begin(f->hub), 0);
	assert_int_equal(pk_hub_take(f->hub, subject, json, strlen(json), now_ms, &why), 0);
	assert_int_equal(pk_hub_commit(f->hub), 0);
	return why;
}

static inline void write_flow(char *out, size_t size, const struct sent *s)
{
	char ja4[128] = "", name[128] = "";

	if (s->ja4)
		snprintf(ja4, sizeof(ja4), ",\"ja4_fingerprint_list\":[{\"value\":\"%s\"}]",
			 s->ja4);
	if (s->name)
		snprintf(name, sizeof(name), ",\"tls\":{\"sni\":\"%s\"}", s->name);
	snprintf(out, size,
		 "{\"src_endpoint\":{\"ip\":\"%s\"},\"dst_endpoint\":{\"ip\":\"%s\"}%s%s}", s->src,
		 s->dst, ja4, name);
}

static inline enum pk_hub_refusal fleet_send(struct fleet *f, struct sent s)
{
	char json[2048], flow[512] = "", remote[128] = "", subject[128], uid[32], file[128] = "";
	int64_t at = T0 + (int64_t)(s.hour * HOUR_MS);

	snprintf(uid, sizeof(uid), "a-%u", ++f->number);
	if (s.src)
		write_flow(flow, sizeof(flow), &s);
	if (s.sha256)
		snprintf(file, sizeof(file), "%s{\"data\":{\"sha256\":\"%s\"}}", s.src ? "," : "",
			 s.sha256);
	if (s.remote)
		snprintf(remote, sizeof(remote), ",\"remote\":\"%s\"", s.remote);
	snprintf(json, sizeof(json),
		 "{\"metadata\":{\"uid\":\"%s\",\"sequence\":%u},\"class_uid\":2004,"
		 "\"severity_id\":3,\"time\":%lld,\"message\":\"m\",\"status_id\":1,"
		 "\"finding_info\":{\"analytic\":{\"uid\":\"rule\"}},\"evidences\":[%s%s],"
		 "\"unmapped\":{\"picket\":{\"spoofable\":%s%s}}}",
		 s.uid ? s.uid : uid, s.sequence, (long long)at, flow, file,
		 s.spoofable ? "true" : "false", remote);
	snprintf(subject, sizeof(subject), "picket.default.%s.alerts", s.host);
	return fleet_raw(f, subject, json, at);
}

/* Somebody at src attacked the host, which has the address dst. */
static inline void attacked(struct fleet *f, const char *host, double hour, const char *src,
			    const char *dst)
{
	assert_int_equal(fleet_send(f, (struct sent){ .host = host,
						      .hour = hour,
						      .src = src,
						      .dst = dst,
						      .remote = src }),
			 PK_HUB_TAKEN);
}

static inline int64_t fleet_count(struct fleet *f, const char *query)
{
	int64_t n = -1;

	if (f->hub->db.backend->number(&f->hub->db, query, &n) < 0)
		fail_msg("%s: %s", query, pk_hub_why(f->hub));
	return n;
}

static inline bool was_told(const struct fleet *f, const char *text)
{
	return f->told && strstr(f->told, text);
}

/* The group on a server of its own. */
static inline int fleet_on_postgres(const struct CMUnitTest *tests, size_t n)
{
	struct server s;
	int failed = 1;

	if (!server_bin()) {
		printf("1..0 # SKIP no PostgreSQL server is installed\n");
		return 0;
	}
	if (server_start(&s)) {
		fleet_where = s.where;
		failed = _cmocka_run_group_tests("postgresql", tests, n, NULL, NULL);
	} else {
		printf("1..1\nnot ok 1 - PostgreSQL starts\n");
	}
	server_stop(&s);
	return failed;
}

#define fleet_main(tests)                                                                          \
	(cmocka_run_group_tests_name("sqlite", tests, NULL, NULL) +                                \
	 fleet_on_postgres(tests, sizeof(tests) / sizeof((tests)[0])))
