/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all records share: head, device, process objects, and the join of a flow with its owners.
 * It writes JSON and keeps nothing.
 */
#include "output/ocsf.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "enrich/enrich.h"
#include "flow/filter.h"
#include "flow/link.h"
#include "flow/socket.h"
#include "name/name.h"
#include "output/ocsf_name.h"
#include "output/who.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define VIEWS_MAX 16 /* other views of a conversation that are looked at for its owner */

static size_t read_line(const char *path, char *out, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");

	if (!f || !fgets(out, (int)size, f))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return strlen(out);
}

void pk_ocsf_init_host(struct pk_ocsf *o)
{
	unsigned char hash[EVP_MAX_MD_SIZE] = { 0 };
	char line[128] = "";
	struct utsname u;
	unsigned n = 0;

	if (uname(&u) == 0) {
		snprintf(o->hostname, sizeof(o->hostname), "%.64s", u.nodename);
		snprintf(o->kernel, sizeof(o->kernel), "%.64s", u.release);
	}
	/* The machine id itself is a secret by its man page: only a hash leaves the host. */
	n = snprintf(line, sizeof(line), "picket:");
	if (read_line("/etc/machine-id", line + n, sizeof(line) - n) == 0)
		snprintf(line + n, sizeof(line) - n, "%s", o->hostname);
	(void)EVP_Digest(line, strlen(line), hash, NULL, EVP_sha256(), NULL);
	for (int i = 0; i < 16; i++)
		snprintf(o->device + 2 * i, 3, "%02x", hash[i]);
	if (read_line("/proc/sys/kernel/random/boot_id", line, sizeof(line)) < 8)
		snprintf(line, sizeof(line), "00000000");
	snprintf(o->boot, sizeof(o->boot), "%.8s", line);
}

static bool has_owner(const struct pk_owner *own)
{
	return own->cookie || own->user.tgid || own->creator.tgid || own->flags;
}

static bool join_view(const struct pk_ocsf *o, struct pk_flow_entry *e, unsigned d)
{
	struct pk_flow_entry *v = NULL;

	for (int i = 0; i < VIEWS_MAX; i++) {
		v = pk_flow_table_same(o->flows, &e->flow.key, v);
		if (!v)
			return false;
		/* another conversation may have had the same ends before: they must overlap */
		if (v == e || !has_owner(&v->flow.own[d]) || (v->joined & PK_FLOW_VIEWED(d)) ||
		    v->updated_ns + o->stale_ns < e->flow.meta.start_ns ||
		    e->updated_ns + o->stale_ns < v->flow.meta.start_ns)
			continue;
		e->flow.own[d] = v->flow.own[d];
		return true;
	}
	return false;
}

void pk_ocsf_join(const struct pk_ocsf *o, struct pk_flow_entry *e)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct pk_sock_entry *s;

		if (has_owner(&e->flow.own[d]))
			continue;
		if (o->flows && join_view(o, e, d)) {
			e->joined |= PK_FLOW_JOINED(d) | PK_FLOW_VIEWED(d);
			continue;
		}
		if (!o->socks || !o->local || !pk_local_is_end(o->local, &e->flow, e->joined, d))
			continue;
		s = pk_sock_table_owner(o->socks, &e->flow.key, d);
		if (!s)
			continue;
		e->flow.own[d] = s->owner;
		e->joined |= PK_FLOW_JOINED(d);
	}
}

static const struct pk_process *process_of(const struct pk_ocsf *o, const struct pk_proc_id *id)
{
	return o->enrich && id->tgid ? pk_process_get(&o->enrich->processes, id->tgid, id->start_ns)
				     : NULL;
}

void pk_ocsf_side(const struct pk_ocsf *o, const struct pk_flow_entry *e, unsigned d,
		  struct pk_side *ret_side)
{
	const struct pk_owner *own = &e->flow.own[d];

	*ret_side = (struct pk_side){ 0 };
	if (!has_owner(own))
		return;
	ret_side->owner = own;
	ret_side->user = process_of(o, &own->user);
	ret_side->creator = process_of(o, &own->creator);
}

int pk_ocsf_actor(const struct pk_flow_entry *e)
{
	unsigned from = e->flow.meta.initiator & 1;

	for (unsigned i = 0; i < 2; i++) {
		unsigned d = i ? !from : from;

		if (has_owner(&e->flow.own[d]) && !(e->joined & PK_FLOW_VIEWED(d)))
			return d;
	}
	if (has_owner(&e->flow.own[from]))
		return from;
	return has_owner(&e->flow.own[!from]) ? !from : -1;
}

const char *pk_process_uid(const struct pk_ocsf *o, const struct pk_proc_id *id,
			   char out[PK_PROCESS_UID])
{
	snprintf(out, PK_PROCESS_UID, "%s-%u-%" PRIu64, o->boot, id->tgid, (uint64_t)id->start_ns);
	return out;
}

static void write_user(struct pk_json *j, const char *key, const struct pk_ocsf *o, uint32_t uid)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", uid);
	pk_json_obj(j, key);
	if (o->enrich)
		pk_json_str(j, "name", pk_user_name(&o->enrich->users, uid));
	pk_json_str(j, "uid", text);
	pk_json_end(j);
}

void pk_ocsf_identity(struct pk_json *j, const char *key, const struct pk_ocsf *o,
		      const struct pk_proc_id *id, const char *name, size_t name_len)
{
	char uid[PK_PROCESS_UID];

	pk_json_obj(j, key);
	pk_json_u64(j, "pid", id->tgid);
	pk_json_str(j, "uid", pk_process_uid(o, id, uid));
	if (name && name_len)
		pk_json_strn(j, "name", name, strnlen(name, name_len));
	write_user(j, "user", o, id->uid);
	pk_json_end(j);
}

void pk_ocsf_process_brief(struct pk_json *j, const char *key, const struct pk_ocsf *o,
			   const struct pk_process *p)
{
	const char *name = pk_process_name(p);

	pk_ocsf_identity(j, key, o, &p->id, name, strlen(name));
}

static void write_file(struct pk_json *j, const struct pk_process *p)
{
	const char *path = pk_process_path(p);
	const char *slash = strrchr(path, '/');

	if (!path[0])
		return;
	pk_json_obj(j, "file");
	pk_json_str(j, "name", slash && slash[1] ? slash + 1 : path);
	pk_json_i64(j, "type_id", 1);
	pk_json_str(j, "path", path);
	pk_json_end(j);
}

/* Without what stands above it; the object stays open. */
static void open_process(struct pk_json *j, const char *key, const struct pk_ocsf *o,
			 const struct pk_process *p)
{
	char uid[PK_PROCESS_UID];

	pk_json_obj(j, key);
	pk_json_u64(j, "pid", p->id.tgid);
	pk_json_str(j, "uid", pk_process_uid(o, &p->id, uid));
	pk_json_str(j, "name", pk_process_name(p));
	if (pk_process_cmd_line(p)[0])
		pk_json_str(j, "cmd_line", pk_process_cmd_line(p));
	if (pk_clock_wall_ms(p->id.start_ns) > 0) /* else it is not known: of the store */
		pk_json_i64(j, "created_time", pk_clock_wall_ms(p->id.start_ns));
	write_file(j, p);
	if (p->image[0] && p->image[0]->cwd[0])
		pk_json_str(j, "working_directory", p->image[0]->cwd);
	write_user(j, "user", o, p->id.uid);
	if (o->enrich)
		pk_who_container_json(j, o->enrich, p);
}

void pk_ocsf_process(struct pk_json *j, const char *key, const struct pk_ocsf *o,
		     const struct pk_process *p)
{
	const struct pk_process *up[PK_ANCESTORS_MAX];
	size_t n = o->enrich ? pk_process_ancestors(&o->enrich->processes, p, up) : 0;

	open_process(j, key, o, p);
	if (n) {
		open_process(j, "parent_process", o, up[0]);
		pk_json_end(j);
	} else if (p->parent.tgid) {
		pk_ocsf_identity(j, "parent_process", o, &p->parent, NULL, 0);
	}
	if (n > 1) {
		pk_json_arr(j, "ancestry");
		for (size_t i = 1; i < n; i++)
			pk_ocsf_process_brief(j, NULL, o, up[i]);
		pk_json_end(j);
	}
	pk_json_end(j);
}

void pk_ocsf_device(struct pk_json *j, const struct pk_ocsf *o)
{
	pk_json_obj(j, "device");
	pk_json_str(j, "hostname", o->hostname);
	pk_json_i64(j, "type_id", 1);
	pk_json_str(j, "type", "Server");
	pk_json_str(j, "uid", o->device);
	pk_json_obj(j, "os");
	pk_json_str(j, "name", "Linux");
	pk_json_i64(j, "type_id", 200);
	pk_json_str(j, "type", "Linux");
	pk_json_str(j, "kernel_release", o->kernel);
	pk_json_end(j);
	pk_json_end(j);
}

struct ocsf_class {
	int uid;
	const char *name, *category, *log;
};

static const struct ocsf_class *class_of(int uid)
{
	static const struct ocsf_class all[] = {
		{ 1007, "Process Activity", "System Activity", "process" },
		{ 2004, "Detection Finding", "Findings", "alert" },
		{ 2005, "Incident Finding", "Findings", "incident" },
		{ 4001, "Network Activity", "Network Activity", "flow" },
		{ 4003, "DNS Activity", "Network Activity", "dns" },
		{ 6003, "API Activity", "Application Activity", "act" },
		{ 7003, "Process Remediation Activity", "Remediation", "act" },
		{ 7004, "Network Remediation Activity", "Remediation", "act" },
	};
	size_t i = 0;

	while (i < PK_ARRAY_SIZE(all) - 1 && all[i].uid != uid)
		i++;
	return &all[i];
}

static void write_metadata(struct pk_json *j, const char *log, const char *uid, uint64_t sequence)
{
	pk_json_obj(j, "metadata");
	pk_json_str(j, "version", "1.8.0");
	pk_json_obj(j, "product");
	pk_json_str(j, "name", "Picket");
	pk_json_str(j, "vendor_name", "Picket");
	pk_json_str(j, "version", PK_VERSION);
	pk_json_end(j);
	pk_json_arr(j, "profiles");
	pk_json_str(j, NULL, "host");
	pk_json_str(j, NULL, "container");
	pk_json_end(j);
	pk_json_str(j, "uid", uid);
	pk_json_str(j, "log_name", log);
	if (sequence)
		pk_json_u64(j, "sequence", sequence);
	pk_json_end(j);
}

void pk_ocsf_head_rated(struct pk_json *j, int class_uid, int activity, const char *activity_name,
			const char *uid, uint64_t sequence, uint64_t ts_ns,
			enum pk_severity severity)
{
	const struct ocsf_class *c = class_of(class_uid);
	char type[64];

	snprintf(type, sizeof(type), "%s: %s", c->name, activity_name);
	write_metadata(j, c->log, uid, sequence);
	pk_json_i64(j, "category_uid", c->uid / 1000);
	pk_json_str(j, "category_name", c->category);
	pk_json_i64(j, "class_uid", c->uid);
	pk_json_str(j, "class_name", c->name);
	pk_json_i64(j, "activity_id", activity);
	pk_json_str(j, "activity_name", activity_name);
	pk_json_i64(j, "type_uid", c->uid * 100 + activity);
	pk_json_str(j, "type_name", type);
	pk_json_i64(j, "severity_id", severity);
	pk_json_str(j, "severity", pk_severity_name(severity));
	pk_json_i64(j, "time", pk_clock_wall_ms(ts_ns));
}

void pk_ocsf_head(struct pk_json *j, int class_uid, int activity, const char *activity_name,
		  const char *uid, uint64_t sequence, uint64_t ts_ns)
{
	pk_ocsf_head_rated(j, class_uid, activity, activity_name, uid, sequence, ts_ns,
			   PK_INFORMATIONAL);
}

static void add_subject(const struct pk_ocsf *o, const struct pk_process *p,
			struct pk_filter_subject *s)
{
	struct pk_filter_proc *to = &s->proc[s->procs];

	if (s->procs >= PK_ARRAY_SIZE(s->proc))
		return;
	s->procs++;
	*to = (struct pk_filter_proc){ .pid = p->id.tgid,
				       .uid = p->id.uid,
				       .name = pk_process_name(p),
				       .exe = pk_process_path(p),
				       .cmd = pk_process_cmd_line(p) };
	if (o->enrich) {
		to->user = pk_user_name(&o->enrich->users, p->id.uid);
		pk_who_container(o->enrich, p, &to->container, &to->container_id);
	}
}

static void add_identity(const struct pk_ocsf *o, const struct pk_proc_id *id,
			 struct pk_filter_subject *s)
{
	if (!id->tgid || s->procs >= PK_ARRAY_SIZE(s->proc))
		return;
	s->proc[s->procs++] = (struct pk_filter_proc){
		.pid = id->tgid,
		.uid = id->uid,
		.user = o->enrich ? pk_user_name(&o->enrich->users, id->uid) : NULL
	};
}

void pk_ocsf_subject_process(const struct pk_ocsf *o, const struct pk_process *p,
			     struct pk_filter_subject *ret_subject)
{
	*ret_subject = (struct pk_filter_subject){ 0 };
	add_subject(o, p, ret_subject);
}

void pk_ocsf_subject_side(const struct pk_ocsf *o, const struct pk_side *side,
			  struct pk_filter_subject *s)
{
	if (!side->owner)
		return;
	if (side->user)
		add_subject(o, side->user, s);
	else
		add_identity(o, &side->owner->user, s);
	if (side->creator && side->creator != side->user)
		add_subject(o, side->creator, s);
}

void pk_ocsf_subject(const struct pk_ocsf *o, struct pk_flow_entry *e, unsigned needs,
		     uint64_t now_ns, struct pk_filter_subject *s)
{
	const struct pk_flow_key *k = &e->flow.key;
	const struct pk_link *link;

	*s = (struct pk_filter_subject){ .flow = &e->flow, .now_ns = now_ns, .ended = e->ended };
	s->rate = pk_flow_rate_bytes(e, 0, now_ns, o->stale_ns) +
		  pk_flow_rate_bytes(e, 1, now_ns, o->stale_ns);
	if (needs & (PK_FILTER_NEEDS_PROC | PK_FILTER_NEEDS_DIR))
		pk_ocsf_join(o, e);
	if ((needs & PK_FILTER_NEEDS_DIR) && o->local)
		s->direction = pk_local_direction(o->local, &e->flow, e->joined);
	if ((needs & PK_FILTER_NEEDS_IFACE) && o->links) {
		link = pk_links_find(o->links, k->netns, k->ifindex);
		link = link ? link : pk_links_of(o->links, k->netns);
		s->netns = link ? link->netns_name : NULL;
		s->iface = link && link->ifindex == k->ifindex ? link->name : NULL;
	}
	if ((needs & PK_FILTER_NEEDS_NAME) && o->names)
		pk_ocsf_fact_subject(pk_names_fact(o->names, e->flow.meta.id), s);
	for (unsigned d = 0; d < 2 && (needs & PK_FILTER_NEEDS_PROC); d++) {
		struct pk_side side;

		pk_ocsf_side(o, e, d, &side);
		pk_ocsf_subject_side(o, &side, s);
	}
}
