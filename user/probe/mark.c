/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at the flow before it is cut; the marking itself is the kernel's program. */
#include "probe/mark.h"

#include "base/cleanup.h"
#include "probe/object.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#define MARKS ((uint32_t)(PK_DIR_RECORD | PK_DIR_CUT))

/* Gateways and resolvers are safe from lists, not from what is said of one flow. */
#define NEVER_CUT ((uint32_t)(PK_BLK_SAFE_ADMIN | PK_BLK_SAFE_MANAGEMENT | PK_BLK_SAFE_PROTOCOL))

static bool is_safe(const struct pk_object *o, const uint8_t addr[16])
{
	struct pk_blk_safe_key key = { .bits = 128 };
	struct pk_blk_safe safe = { 0 };

	memcpy(key.addr, addr, sizeof(key.addr));
	return bpf_map_lookup_elem(pk_object_map_fd(o, "pk_blk_safe"), &key, &safe) == 0 &&
	       (safe.kinds & NEVER_CUT);
}

/* The end that is not here: what it sends is seen where packets come in. */
static unsigned remote_end(const struct pk_flow *f)
{
	if (f->dir[0].where == PK_AT_INGRESS || f->dir[1].where == PK_AT_EGRESS)
		return 0;
	return 1;
}

static int check_cut(const struct pk_object *o, const struct pk_msg_mark *msg)
{
	_cleanup_free_ struct pk_flow *way = calloc(PK_WAYS, sizeof(*way));
	uint32_t bucket = msg->slot / PK_WAYS;
	const struct pk_flow *f;

	if (!way)
		return -ENOMEM;
	if (msg->slot >= pk_object_slots(o))
		return -EINVAL;
	if (bpf_map_lookup_elem(pk_object_map_fd(o, "pk_flows"), &bucket, way) < 0)
		return -errno;
	f = &way[msg->slot % PK_WAYS];
	if (f->meta.id != msg->flow)
		return 0; /* over: the program won't find it either */
	return is_safe(o, f->key.addr[remote_end(f)]) ? -EPERM : 0;
}

/* New flows first, so that none is made between the two steps and missed. */
static int mark_new_flows(struct pk_marks *m, const struct pk_msg_mark *msg)
{
	struct pk_knobs k = *m->knobs;
	int r;

	k.mark = (k.mark | msg->set) & ~msg->clear;
	r = pk_object_set_knobs(m->obj, &k);
	if (r == 0)
		*m->knobs = k;
	return r;
}

static int apply(struct pk_marks *m, const struct pk_msg_mark *msg)
{
	struct pk_mark_ctx ctx = {
		.flow = msg->flow, .slot = msg->slot, .set = msg->set, .clear = msg->clear
	};
	int r = msg->flow ? 0 : mark_new_flows(m, msg);

	return r < 0 ? r : pk_object_mark(m->obj, &ctx);
}

int pk_marks_apply(struct pk_marks *m, const struct pk_msg_mark *msg, uint64_t now_ns)
{
	int r;

	if ((msg->set | msg->clear) & ~MARKS || !(msg->set | msg->clear) ||
	    (!msg->flow && ((msg->set | msg->clear) & PK_DIR_CUT)))
		return -EINVAL;
	if (m->second != now_ns / 1000000000) {
		m->second = now_ns / 1000000000;
		m->done = 0;
	}
	if (m->done >= PK_MARKS_A_SECOND) {
		m->refused++;
		return -EAGAIN;
	}
	m->done++;
	r = msg->set & PK_DIR_CUT ? check_cut(m->obj, msg) : 0;
	return r < 0 ? r : apply(m, msg);
}

int pk_marks_reset(struct pk_marks *m)
{
	const struct pk_msg_mark none = { .clear = PK_DIR_RECORD };

	return apply(m, &none);
}
