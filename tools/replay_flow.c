/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kept flow becomes the records that the kernel would have sent of it: its process as one that
 * was found running, then the first report of the flow, which has ended.
 */
#include "replay_flow.h"

#include "base/clock.h"
#include "base/ip.h"
#include "decode/record.h"
#include "enrich/enrich.h"
#include "flow/table.h"
#include "table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000u
#define OFFSET_NS 1 /* between the clocks; 0 would mean the real clock */

static bool read_end(json_t *record, const char *key, struct pk_store_flow *f, int d)
{
	json_t *e = json_object_get(record, key);

	f->port[d] = (uint16_t)json_integer_value(json_object_get(e, "port"));
	return pk_ip_parse(pk_json_text(e, "ip"), f->addr[d]) == 0;
}

/* Empty texts are as good as none. */
static const char *text(json_t *record, const char *path)
{
	const char *s = pk_json_text(record, path);

	return *s ? s : NULL;
}

static uint64_t whole(json_t *record, const char *path)
{
	json_int_t n = json_integer_value(pk_json_at(record, path));

	return n > 0 ? (uint64_t)n : 0;
}

bool pk_replay_flow_read(json_t *record, struct pk_store_flow *ret_flow)
{
	const char *at = pk_json_text(record, "unmapped.picket.process_at");
	struct pk_store_flow f = {
		.start_ns = whole(record, "start_time") * NS_PER_MS,
		.end_ns = whole(record, "end_time") * NS_PER_MS,
		.bytes = { whole(record, "traffic.bytes_out"), whole(record, "traffic.bytes_in") },
		.packets = { whole(record, "traffic.packets_out"),
			     whole(record, "traffic.packets_in") },
		.proto = (uint8_t)whole(record, "connection_info.protocol_num"),
		.pid = (uint32_t)whole(record, "actor.process.pid"),
		.uid = (uint32_t)strtoul(pk_json_text(record, "actor.process.user.uid"), NULL, 10),
		.own = !strcmp(at, "src")   ? 0
		       : !strcmp(at, "dst") ? 1
					    : PK_STORE_NO_END,
		.exe = text(record, "actor.process.file.path"),
		.name = text(record, "unmapped.picket.name"),
	};

	if (!f.start_ns || !read_end(record, "src_endpoint", &f, 0) ||
	    !read_end(record, "dst_endpoint", &f, 1))
		return false;
	*ret_flow = f;
	return true;
}

uint64_t pk_replay_flow_time(uint64_t epoch_ns)
{
	pk_clock_fix_offset(OFFSET_NS);
	return epoch_ns > OFFSET_NS ? epoch_ns - OFFSET_NS : 0;
}

/* As the kernel writes paths: the last part first. What finds no room is left out, and said. */
static void put_path(struct pk_exec *e, const char *path)
{
	const char *end = path + strlen(path);

	while (end > path) {
		const char *slash = memrchr(path, '/', (size_t)(end - path));
		const char *part = slash ? slash + 1 : path;
		size_t len = (size_t)(end - part);

		if (e->path_len + len + 1 > sizeof(e->path)) {
			e->hdr.flags |= PK_EVF_TRUNCATED;
			return;
		}
		memcpy(e->path + e->path_len, part, len);
		e->path_len += (uint32_t)len + 1; /* the NUL is there */
		end = slash ? slash : path;
	}
}

static struct pk_hdr head(enum pk_event_type type, size_t size, uint64_t ts_ns)
{
	return (struct pk_hdr){ .ts = ts_ns, .size = (uint32_t)size, .type = type };
}

/* The table forgets it, with its image, when its place is needed. */
static void end_process(struct pk_enrich *e, const struct pk_task *task, uint64_t ts_ns)
{
	struct pk_exit x = { .hdr = head(PK_EV_EXIT, sizeof(x), ts_ns), .task = *task };
	struct pk_event ev = { .type = PK_EV_EXIT, .exit = &x, .task = &x.task };

	(void)pk_enrich_event(e, &ev);
}

static void learn_process(struct pk_enrich *e, const struct pk_store_flow *f,
			  const struct pk_proc_id *id, uint64_t ts_ns)
{
	static struct pk_exec x; /* large */
	struct pk_event ev = { .type = PK_EV_EXEC, .exec = &x, .task = &x.task };
	const char *slash = f->exe ? strrchr(f->exe, '/') : NULL;

	x = (struct pk_exec){ .hdr = head(PK_EV_EXEC, sizeof(x), ts_ns),
			      .task.id = *id,
			      .uid = f->uid,
			      .euid = f->uid,
			      .loginuid = UINT_MAX,
			      .sessionid = UINT_MAX };
	x.hdr.flags = PK_EVF_SNAPSHOT;
	if (f->exe) {
		put_path(&x, f->exe);
		strncpy(x.task.comm, slash ? slash + 1 : f->exe, sizeof(x.task.comm) - 1);
	}
	(void)pk_enrich_event(e, &ev); /* no room: the flow is seen without it */
	end_process(e, &x.task, ts_ns);
}

static const struct pk_flow_entry *learn_flow(struct pk_replay_flow *r,
					      const struct pk_store_flow *f,
					      const struct pk_proc_id *id, uint64_t start_ns)
{
	struct pk_flow_report report = {
		.hdr = head(PK_EV_FLOW, sizeof(report), pk_replay_flow_time(f->end_ns)),
		.why = PK_REPORT_START,
		.final = 1,
		.flow.key.proto = f->proto,
		.flow.meta = { .id = r->n, .start_ns = start_ns, .reports = 1 }
	};
	struct pk_flow *flow = &report.flow;

	for (int d = 0; d < 2; d++) {
		memcpy(flow->key.addr[d], f->addr[d], sizeof(flow->key.addr[d]));
		flow->key.port[d] = htons(f->port[d]);
		flow->dir[d].bytes = f->bytes[d];
		flow->dir[d].packets = f->packets[d];
	}
	if (f->own < PK_STORE_NO_END)
		flow->own[f->own].user = *id;
	return pk_flow_table_update(r->flows, &report);
}

int pk_replay_flow_see(struct pk_replay_flow *r, const struct pk_store_flow *f,
		       struct pk_see *ret_see)
{
	uint64_t start_ns = pk_replay_flow_time(f->start_ns);
	/* A process for each flow, as when it began is not kept: nothing can be mixed up. */
	struct pk_proc_id id = { .start_ns = ++r->n % NS_PER_MS, .tgid = f->pid, .uid = f->uid };
	const struct pk_flow_entry *e;

	if (f->pid)
		learn_process(r->enrich, f, &id, start_ns);
	e = learn_flow(r, f, &id, start_ns);
	if (!e)
		return -ENOMEM;
	r->fact = (struct pk_fact){ .flow = e->flow.meta.id, .dns[1] = f->name };
	*ret_see = (struct pk_see){
		.kind = PK_SEE_FLOW, .now_ns = start_ns, .flow = e, .fact = &r->fact
	};
	return 0;
}
