/* SPDX-License-Identifier: Apache-2.0 */
/* Looks owners up, by id of the flow and else by its ends. It keeps nothing. */
#include "detect/owner.h"

#include "flow/local.h"
#include "flow/socket.h"
#include "flow/table.h"

static const struct pk_owner *owner_of(const struct pk_world *w, const struct pk_flow_key *key,
				       uint64_t flow, unsigned d)
{
	const struct pk_flow_entry *e =
		w->flows && flow ? pk_flow_table_find(w->flows, flow) : NULL;
	const struct pk_sock_entry *s;

	if (e && e->flow.own[d].user.tgid)
		return &e->flow.own[d];
	if (!w->socks || !w->local || !pk_local_has(w->local, key->netns, key->addr[d]))
		return NULL;
	s = pk_sock_table_owner(w->socks, key, d);
	return s ? &s->owner : NULL;
}

void pk_finding_owner(struct pk_finding *f, const struct pk_world *w, const struct pk_flow_key *key,
		      uint64_t flow, unsigned d)
{
	const struct pk_owner *o = owner_of(w, key, flow, d & 1);

	if (!o)
		return;
	pk_finding_proc(f, &o->user);
	pk_finding_proc(f, &o->creator);
}

void pk_finding_owners(struct pk_finding *f, const struct pk_world *w,
		       const struct pk_flow_key *key, uint64_t flow, unsigned d)
{
	pk_finding_owner(f, w, key, flow, d);
	pk_finding_owner(f, w, key, flow, !(d & 1));
}
