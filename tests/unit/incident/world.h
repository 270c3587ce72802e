/* SPDX-License-Identifier: Apache-2.0 */
/* A host with processes, and alerts about them. One a program. */
#pragma once

#include "incident/incidents.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/alert.h"
#include "enrich/enrich.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEC 1000000000ull

static struct {
	struct pk_conf *conf;
	struct pk_enrich *enrich;
	struct pk_alerts *alerts;
	struct pk_incidents *incidents;
	uint64_t now_ns, fold;
} w;

static inline void world_begin(size_t max)
{
	struct pk_incidents_conf c = {
		.max = max, .window_ns = 3600 * SEC, .begin = PK_MEDIUM, .team = "on-call"
	};

	memset(&w, 0, sizeof(w));
	w.conf = pk_conf_new();
	w.now_ns = 100 * SEC;
	pk_clock_fix_offset(1700000000ll * 1000000000);
	assert_int_equal(pk_enrich_new(w.conf, false, &w.enrich), 0);
	c.world.enrich = w.enrich;
	w.alerts = pk_alerts_new(4096, 60 * SEC);
	w.incidents = pk_incidents_new(&c);
	assert_non_null(w.incidents);
}

static inline void world_end(void)
{
	pk_incidents_free(w.incidents);
	pk_alerts_free(w.alerts);
	pk_enrich_free(w.enrich);
	pk_conf_free(w.conf);
	pk_clock_fix_offset(0);
}

/* A process, started by another; "sh/bin/" is /bin/sh. It began at its pid's second. */
static inline void process(uint32_t pid, uint32_t parent, const char *parts, uint32_t session)
{
	static struct pk_exec e;
	struct pk_event ev;

	e = (struct pk_exec){ .hdr = { .ts = w.now_ns, .size = sizeof(e), .type = PK_EV_EXEC } };
	e.task.id = (struct pk_proc_id){ .tgid = pid, .start_ns = pid * SEC, .uid = 33 };
	e.task.tid = pid;
	e.parent = (struct pk_proc_id){ .tgid = parent, .start_ns = parent * SEC };
	e.loginuid = session ? 1000 : UINT32_MAX;
	e.sessionid = session ? session : UINT32_MAX;
	e.exe_ino = strlen(parts) * 1000 + (unsigned char)parts[0];
	strcpy(e.path, parts);
	e.path_len = strlen(parts);
	for (uint32_t i = 0; i < e.path_len; i++)
		if (e.path[i] == '/')
			e.path[i] = '\0';
	strcpy(e.argv, parts);
	e.argv_len = e.argv_total = strlen(parts) + 1;
	assert_int_equal(pk_record_decode(&ev, &e, sizeof(e)), 0);
	assert_non_null(pk_enrich_event(w.enrich, &ev));
}

static inline struct pk_finding finding(const char *rule, const char *technique,
					enum pk_severity severity)
{
	struct pk_finding f = { .rule = rule,
				.title = rule,
				.technique = { technique },
				.severity = severity,
				.next = "look",
				.ts_ns = w.now_ns,
				.fold = ++w.fold };

	pk_finding_plain(&f, "It was %s.", rule);
	return f;
}

static inline void about(struct pk_finding *f, uint32_t pid)
{
	struct pk_proc_id id = { .tgid = pid, .start_ns = pid * SEC, .uid = 33 };

	pk_finding_proc(f, &id);
}

static inline void with(struct pk_finding *f, const char *ip)
{
	uint8_t addr[16];

	assert_int_equal(pk_ip_parse(ip, addr), 0);
	pk_finding_remote(f, addr);
}

/* What becomes of a finding; a second later. */
static inline struct pk_incident *say(const struct pk_finding *f)
{
	struct pk_alert *a;
	char uid[64];
	bool is_new;

	a = pk_alerts_take(w.alerts, f, &is_new);
	assert_non_null(a);
	snprintf(uid, sizeof(uid), "boot-a-%llu", (unsigned long long)a->number);
	w.now_ns += SEC;
	return pk_incidents_take(w.incidents, a, uid);
}
