/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins captures to flows, processes and interfaces. A flow that was not reported yet is put
 * together from its packet and the sockets that are known.
 */
#include "pipeline_capture.h"

#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"
#include "enrich/enrich.h"
#include "flow/filter.h"
#include "flow/link.h"
#include "flow/table.h"
#include "output/ocsf.h"
#include "output/who.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define FLOWS_MAX 65536 /* of which packets in memory and recordings know */

/* As the first report will have it; the packet is all there is of it. */
static struct pk_flow_entry flow_of(const struct pk_sample *s)
{
	struct pk_flow_entry e = { .updated_ns = s->hdr.ts, .is_new = true };
	struct pk_flow_dir *d = &e.flow.dir[s->dir & 1];

	e.flow.key = s->key;
	e.flow.meta.id = s->flow;
	e.flow.meta.start_ns = s->hdr.ts;
	e.flow.meta.initiator = s->initiator & 1;
	e.flow.meta.state = PK_FLOW_HALF_OPEN;
	d->packets = 1;
	d->bytes = s->frame_len;
	d->first_ns = d->last_ns = s->hdr.ts;
	d->tcp_flags = s->tcp_flags;
	d->where = s->where;
	return e;
}

/* The flow as it was reported, or as its packet tells, then put into *own. NULL: neither. */
static struct pk_flow_entry *find(const struct pk_view *v, uint64_t flow, const struct pk_sample *s,
				  struct pk_flow_entry *own)
{
	struct pk_flow_entry *e = pk_flow_table_find(v->ocsf.flows, flow);

	if (e || !s)
		return e;
	*own = flow_of(s);
	return own;
}

static int match(void *arg, const struct pk_filter *filter, uint64_t flow,
		 const struct pk_sample *s)
{
	const struct pk_view *v = arg;
	unsigned needs = pk_filter_needs(filter);
	struct pk_filter_subject subject;
	struct pk_flow_entry own, *e = find(v, flow, s, &own);

	if (!e)
		return 0;
	pk_ocsf_subject(&v->ocsf, e, needs, s ? s->hdr.ts : e->updated_ns, &subject);
	if (pk_filter_match(filter, &subject))
		return 1;
	/* The first report knows its owner, other views of it know theirs, and names come with what
	 * follows. */
	return (needs & (PK_FILTER_NEEDS_PROC | PK_FILTER_NEEDS_NAME)) && e == &own ? -EAGAIN : 0;
}

static void put_process(const struct pk_view *v, const struct pk_side *side, struct pk_buf *out)
{
	const struct pk_proc_id *id = &side->owner->user;
	const char *user, *container = NULL, *container_id = NULL;

	if (out->len)
		pk_buf_str(out, " > ");
	if (!id->tgid) {
		pk_buf_str(out, side->owner->flags & PK_OWNER_KERNEL ? "kernel" : "pid unknown");
		return;
	}
	pk_buf_fmt(out, "pid %u", id->tgid);
	if (side->user)
		pk_buf_fmt(out, " %s", pk_process_name(side->user));
	else if (side->owner->comm_len)
		pk_buf_fmt(out, " %.*s", (int)strnlen(side->owner->comm, sizeof(side->owner->comm)),
			   side->owner->comm);
	user = pk_user_name(&v->ocsf.enrich->users, id->uid);
	if (user)
		pk_buf_fmt(out, " (%s)", user);
	else
		pk_buf_fmt(out, " (uid %u)", id->uid);
	if (side->user)
		pk_who_container(v->ocsf.enrich, side->user, &container, &container_id);
	if (container)
		pk_buf_fmt(out, " container %s", container);
}

/* "pid 4242 curl (alice) container web > pid 99 nginx (www-data) flow 00000000000004d2", who opened
 * the flow first. */
static bool comment(void *arg, uint64_t flow, const struct pk_sample *s, struct pk_buf *out)
{
	const struct pk_view *v = arg;
	struct pk_flow_entry own, *e = find(v, flow, s, &own);
	bool known;

	if (e)
		pk_ocsf_join(&v->ocsf, e);
	for (unsigned i = 0; i < 2 && e; i++) {
		struct pk_side side;

		pk_ocsf_side(&v->ocsf, e, (e->flow.meta.initiator ^ i) & 1, &side);
		if (side.owner)
			put_process(v, &side, out);
	}
	known = out->len;
	pk_buf_fmt(out, "%sflow %016" PRIx64, known ? " " : "", flow);
	return known;
}

static void iface(void *arg, uint64_t netns, uint32_t ifindex, struct pk_capture_iface *ret)
{
	const struct pk_view *v = arg;
	const struct pk_link *link = pk_links_find(v->ocsf.links, netns, ifindex);

	if (!link) {
		snprintf(ret->name, sizeof(ret->name), "if%u", ifindex);
		snprintf(ret->description, sizeof(ret->description),
			 "net namespace cookie %" PRIu64, netns);
		return;
	}
	snprintf(ret->name, sizeof(ret->name), "%s", link->name);
	snprintf(ret->description, sizeof(ret->description), "net namespace %s%s%u%s",
		 link->netns_name, link->netns_name[0] ? " (" : "", link->netns_inum,
		 link->netns_name[0] ? ")" : "");
}

static bool ask_mark(const struct pk_view *v, uint64_t flow, uint32_t slot, bool on)
{
	return v->mark &&
	       v->mark(v->arg, flow, slot, on ? PK_DIR_RECORD : 0, on ? 0 : PK_DIR_RECORD) == 0;
}

static bool mark(void *arg, uint64_t flow, uint32_t slot, bool on)
{
	return ask_mark(arg, flow, slot, on);
}

static bool mark_all(void *arg, bool on)
{
	return ask_mark(arg, 0, 0, on);
}

const struct pk_capture_ops pk_pipeline_capture_ops = {
	.match = match, .comment = comment, .iface = iface, .mark = mark, .mark_all = mark_all
};

int pk_pipeline_capture_new(const struct pk_conf *conf, struct pk_view *view,
			    struct pk_capture **ret_capture)
{
	size_t flows = conf->flow_slots < FLOWS_MAX ? conf->flow_slots : FLOWS_MAX;
	struct pk_pcapng_section section = { .application = "Picket " PK_VERSION };
	struct utsname u = { 0 };
	char os[160];

	(void)uname(&u); /* else the texts are empty */
	snprintf(os, sizeof(os), "%s %s", u.sysname, u.release);
	section.hardware = u.machine;
	section.os = os;
	return pk_capture_new(conf->capture_memory, flows, &section, &pk_pipeline_capture_ops, view,
			      ret_capture);
}
