/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows that the store keeps, written as records of Network Activity with what is kept of them:
 * ends, ports, totals, the program's file, its process and user as numbers, at which end it is, a
 * name of the far end.
 */
#include "api/flows_kept.h"

#include "api/kept_page.h"
#include "api/server.h"
#include "api/view.h"
#include "base/clock.h"
#include "base/ip.h"
#include "flow/filter.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000

struct listing {
	struct pk_kept_page page;
	const struct pk_view *v;
	const struct pk_filter *filter;
};

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

/* flow is filled and borrowed by the subject. */
static void subject_of(const struct pk_store_flow *f, struct pk_flow *flow,
		       struct pk_filter_subject *s)
{
	*flow = (struct pk_flow){ 0 };
	flow->key.proto = f->proto;
	for (int d = 0; d < 2; d++) {
		memcpy(flow->key.addr[d], f->addr[d], 16);
		flow->key.port[d] = htons(f->port[d]);
		flow->dir[d].bytes = f->bytes[d];
		flow->dir[d].packets = f->packets[d];
	}
	*s = (struct pk_filter_subject){ .flow = flow, .ended = true };
	s->name[0] = f->name;
	if (!f->pid)
		return;
	s->procs = 1;
	s->proc[0] = (struct pk_filter_proc){
		.pid = f->pid, .uid = f->uid, .name = base_name(f->exe), .exe = f->exe
	};
}

static void write_end(struct pk_json *j, const char *key, const struct pk_store_flow *f, int d,
		      const char *name)
{
	char ip[PK_IP_TEXT];

	pk_json_obj(j, key);
	pk_json_str(j, "ip", pk_ip_format(f->addr[d], ip));
	if (f->port[d])
		pk_json_i64(j, "port", f->port[d]);
	if (name)
		pk_json_str(j, "hostname", name);
	pk_json_end(j);
}

static void write_process(struct pk_json *j, const struct pk_store_flow *f)
{
	char uid[16];

	snprintf(uid, sizeof(uid), "%u", f->uid);
	pk_json_obj(j, "actor");
	pk_json_obj(j, "process");
	pk_json_i64(j, "pid", f->pid);
	if (f->exe) {
		pk_json_str(j, "name", base_name(f->exe));
		pk_json_obj(j, "file");
		pk_json_str(j, "name", base_name(f->exe));
		pk_json_i64(j, "type_id", 1);
		pk_json_str(j, "path", f->exe);
		pk_json_end(j);
	}
	pk_json_obj(j, "user");
	pk_json_str(j, "uid", uid);
	pk_json_end(j);
	pk_json_end(j);
	pk_json_end(j);
}

static void write_totals(struct pk_json *j, const struct pk_store_flow *f)
{
	pk_json_obj(j, "traffic");
	pk_json_u64(j, "bytes", f->bytes[0] + f->bytes[1]);
	pk_json_u64(j, "packets", f->packets[0] + f->packets[1]);
	pk_json_u64(j, "bytes_out", f->bytes[0]);
	pk_json_u64(j, "packets_out", f->packets[0]);
	pk_json_u64(j, "bytes_in", f->bytes[1]);
	pk_json_u64(j, "packets_in", f->packets[1]);
	pk_json_end(j);
}

static void write_flow(struct pk_json *j, const struct pk_view *v, const struct pk_store_flow *f)
{
	const char *proto = pk_ip_proto_name(f->proto);
	char uid[64];

	snprintf(uid, sizeof(uid), "%.8s-f-%" PRIu64, v->ocsf.device, f->id);
	pk_json_obj(j, NULL);
	pk_ocsf_head(j, 4001, 2, "Close", uid, 0, f->end_ns - (uint64_t)pk_clock_offset_ns());
	pk_json_u64(j, "start_time", f->start_ns / NS_PER_MS);
	pk_json_u64(j, "end_time", f->end_ns / NS_PER_MS);
	pk_json_u64(j, "duration",
		    f->end_ns > f->start_ns ? (f->end_ns - f->start_ns) / NS_PER_MS : 0);
	pk_ocsf_device(j, &v->ocsf);
	pk_json_obj(j, "connection_info");
	pk_json_i64(j, "direction_id", 0);
	pk_json_i64(j, "protocol_num", f->proto);
	if (proto)
		pk_json_str(j, "protocol_name", proto);
	pk_json_i64(j, "protocol_ver_id", pk_ip_is_v4(f->addr[0]) ? 4 : 6);
	pk_json_end(j);
	write_end(j, "src_endpoint", f, 0, NULL);
	write_end(j, "dst_endpoint", f, 1, f->name);
	write_totals(j, f);
	if (f->pid)
		write_process(j, f);
	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_u64(j, "row", f->id);
	pk_json_str(j, "status", "ended");
	pk_json_bool(j, "kept", true);
	if (f->own < PK_STORE_NO_END)
		pk_json_str(j, "process_at", f->own ? "dst" : "src");
	if (f->name)
		pk_json_str(j, "name", f->name);
	pk_json_end(j);
	pk_json_end(j);
	pk_json_end(j);
}

static int add(void *arg, const struct pk_store_flow *f)
{
	struct listing *l = arg;
	struct pk_filter_subject s;
	struct pk_flow flow;
	bool ok;

	subject_of(f, &flow, &s);
	ok = pk_filter_match(l->filter, &s);
	if (ok)
		write_flow(&l->page.j, l->v, f);
	return pk_kept_page_took(&l->page, f->id, ok);
}

int pk_flows_kept_get(struct pk_api_request *q, const struct pk_filter *filter)
{
	struct listing l = { .v = q->view, .filter = filter };
	int r = 0;

	if (pk_filter_needs(filter) & (PK_FILTER_NEEDS_DIR | PK_FILTER_NEEDS_IFACE))
		return pk_api_problem(q, 400,
				      "direction, interface and namespace of a flow are not kept: "
				      "no filter with since can ask for them");
	if (pk_kept_page_begin(q, "flows", &l.page) < 0)
		return 0;
	if (l.page.limit)
		r = pk_store_flows(q->view->store, &l.page.query, add, &l);
	pk_kept_page_end(q, &l.page, r);
	return 0;
}
