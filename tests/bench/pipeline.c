/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pipeline takes a second on one core: flow reports of a full table, short flows that come
 * and go, and process events (fork, exec, exit) with their journal; and what a flow costs to write
 * and to filter. Prints "name value unit" lines; exits 1 below the project's floor.
 */
#include "pipeline.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "base/json.h"
#include "conf/conf.h"
#include "flow/filter.h"
#include "flow/table.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define FLOWS        60000
#define REPORTS      2000000
#define EVENTS       600000
#define FLOOR_FLOWS  200000.0
#define FLOOR_EVENTS 100000.0

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static long rss_kib(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	long size, rss;

	return f && fscanf(f, "%ld %ld", &size, &rss) == 2 ? rss * 4 : -1;
}

static void flow_report(struct pk_flow_report *r, uint64_t id, uint64_t ts, uint64_t packets)
{
	*r = (struct pk_flow_report){ .hdr = { .ts = ts, .size = sizeof(*r), .type = PK_EV_FLOW } };
	r->why = packets == 1 ? PK_REPORT_START : PK_REPORT_ACTIVE;
	memset(r->flow.key.addr[0] + 10, 0xff, 2);
	memset(r->flow.key.addr[1] + 10, 0xff, 2);
	memcpy(r->flow.key.addr[0] + 12, &id, 4);
	memset(r->flow.key.addr[1] + 12, 0xfe, 4);
	r->flow.key.port[0] = id;
	r->flow.key.port[1] = 443;
	r->flow.key.proto = 6;
	r->flow.key.netns = 1;
	r->flow.key.ifindex = 2;
	r->flow.meta.id = id;
	r->flow.meta.start_ns = 1;
	r->flow.dir[0] = (struct pk_flow_dir){
		.packets = packets, .bytes = packets * 1000, .where = PK_AT_EGRESS, .started = 1
	};
	r->flow.own[0] = (struct pk_owner){ .user = { 5, 100 + id % 1000, 0 }, .cookie = id };
}

static double bench_reports(struct pk_pipeline *p)
{
	struct pk_flow_report r;
	double t = now_s();

	for (uint64_t i = 0; i < REPORTS; i++) {
		flow_report(&r, 1 + i % FLOWS, 1000 + i, 1 + i / FLOWS);
		if (pk_pipeline_feed(p, &r, sizeof(r)) < 0)
			return 0;
	}
	return REPORTS / (now_s() - t);
}

static double bench_short_flows(struct pk_pipeline *p)
{
	struct pk_flow_report r;
	double t = now_s();

	for (uint64_t i = 0; i < REPORTS; i++) {
		flow_report(&r, 1000000 + i, 1000 + REPORTS + i, 1);
		r.final = 1;
		if (pk_pipeline_feed(p, &r, sizeof(r)) < 0)
			return 0;
	}
	return REPORTS / (now_s() - t);
}

/* A shell that forks, execs and ends children: three events each. */
static double bench_processes(struct pk_pipeline *p)
{
	static struct pk_exec e;
	struct pk_fork f = { .hdr = { .size = sizeof(f), .type = PK_EV_FORK } };
	struct pk_exit x = { .hdr = { .size = sizeof(x), .type = PK_EV_EXIT } };
	double t = now_s();

	e.hdr = (struct pk_hdr){ .size = sizeof(e), .type = PK_EV_EXEC };
	e.path_len = 13;
	memcpy(e.path, "curl\0bin\0usr", 13);
	e.argv_len = e.argv_total = 40;
	memcpy(e.argv, "curl\0-s\0-o\0/dev/null\0https://example.org", 40);
	e.loginuid = e.sessionid = UINT32_MAX;
	f.task.id = (struct pk_proc_id){ .tgid = 10, .start_ns = 10 };
	e.task.cgroup = f.task.cgroup = x.task.cgroup = 1; /* the root: known at once */
	for (uint64_t i = 0; i < EVENTS / 3; i++) {
		struct pk_proc_id id = { .start_ns = 1000 + i, .tgid = 1000 + i % 30000 };

		f.child = e.task.id = x.task.id = id;
		e.parent = f.task.id;
		f.hdr.ts = e.hdr.ts = x.hdr.ts = 1000 + i;
		if (pk_pipeline_feed(p, &f, sizeof(f)) < 0 ||
		    pk_pipeline_feed(p, &e, sizeof(e)) < 0 ||
		    pk_pipeline_feed(p, &x, sizeof(x)) < 0)
			return 0;
	}
	return EVENTS / (now_s() - t);
}

static double bench_write(struct pk_view *v)
{
	struct pk_buf b = { 0 };
	struct pk_json j;
	double t = now_s();
	uint64_t n = 0;

	for (struct pk_flow_entry *e = NULL; (e = pk_flow_table_live(v->ocsf.flows, e)); n++) {
		pk_buf_reset(&b);
		pk_json_init(&j, &b);
		pk_ocsf_flow(&j, &v->ocsf, e, v->now_ns, 0);
	}
	pk_buf_done(&b);
	return n ? (now_s() - t) / n * 1e9 : 0;
}

static double bench_filter(struct pk_view *v)
{
	struct pk_filter_subject s;
	struct pk_filter_error err;
	struct pk_filter *f = NULL;
	double t;
	uint64_t n = 0;

	if (pk_filter_new("proc curl or (dst port 80 and net 10.0.0.0/8)", &f, &err) < 0)
		return 0;
	t = now_s();
	for (struct pk_flow_entry *e = NULL; (e = pk_flow_table_live(v->ocsf.flows, e)); n++) {
		pk_ocsf_subject(&v->ocsf, e, pk_filter_needs(f), v->now_ns, &s);
		(void)pk_filter_match(f, &s); /* only its time matters */
	}
	pk_filter_free(f);
	return n ? (now_s() - t) / n * 1e9 : 0;
}

int main(void)
{
	struct pk_conf *conf = pk_conf_new();
	struct pk_pipeline *p;
	double reports, flows, events;

	if (!conf || pk_pipeline_new(conf, true, &p) < 0)
		return 1;
	printf("pipeline_rss_idle %ld KiB\n", rss_kib());
	events = bench_processes(p);
	printf("pipeline_process_events %.0f 1/s\n", events);
	reports = bench_reports(p);
	printf("pipeline_flow_reports %.0f 1/s\n", reports);
	flows = bench_short_flows(p);
	printf("pipeline_short_flows %.0f 1/s\n", flows);
	printf("pipeline_rss_full %ld KiB\n", rss_kib());
	printf("pipeline_flow_write %.0f ns\n", bench_write(pk_pipeline_view(p)));
	printf("pipeline_flow_filter %.0f ns\n", bench_filter(pk_pipeline_view(p)));
	pk_pipeline_free(p);
	pk_conf_free(conf);
	return reports < FLOOR_FLOWS || flows < FLOOR_FLOWS || events < FLOOR_EVENTS;
}
