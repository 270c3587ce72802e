/* SPDX-License-Identifier: Apache-2.0 */
/* Looks owners up, by id of the flow and else by its ends. It keeps nothing. */
#include "detect/owner.h"

#include "flow/local.h"
#include "flow/socket.h"
#include "flow/table.h"

#include <string.h>

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

static void add_procs(struct pk_finding *f, const struct pk_finding *of)
{
	for (size_t i = 0; i < of->procs; i++)
		pk_finding_proc(f, &of->proc[i]);
}

static bool has_all(const struct pk_finding *f, const struct pk_finding *of)
{
	struct pk_finding both = { .procs = f->procs };

	memcpy(both.proc, f->proc, sizeof(both.proc));
	add_procs(&both, of);
	return both.procs == f->procs;
}

bool pk_finding_other_view(struct pk_finding *f, const struct pk_world *w,
			   const struct pk_finding *from)
{
	struct pk_flow_key key = from->key;
	struct pk_finding both = { 0 };
	bool began;

	key.netns = f->key.netns;
	if (!f->has_key || !from->has_key || from->key.netns == f->key.netns ||
	    memcmp(&key, &f->key, sizeof(key)) != 0 || has_all(f, from))
		return false;
	began = w->local &&
		pk_local_has(w->local, from->key.netns, from->key.addr[from->initiator & 1]);
	add_procs(&both, began ? from : f);
	add_procs(&both, began ? f : from);
	memcpy(f->proc, both.proc, sizeof(f->proc));
	f->procs = both.procs;
	return true;
}

/* The key as flows have it, end 0 the lower one. Returns the end that is here. */
static unsigned key_of(const struct pk_sock_entry *s, struct pk_flow_key *ret_key)
{
	int order = memcmp(s->laddr, s->raddr, sizeof(s->laddr));
	unsigned here;

	if (order == 0)
		order = memcmp(&s->lport, &s->rport, sizeof(s->lport));
	here = order > 0;
	*ret_key = (struct pk_flow_key){ .netns = s->netns, .proto = s->l4 };
	memcpy(ret_key->addr[here], s->laddr, sizeof(s->laddr));
	memcpy(ret_key->addr[!here], s->raddr, sizeof(s->raddr));
	ret_key->port[here] = s->lport;
	ret_key->port[!here] = s->rport;
	return here;
}

bool pk_finding_socket(struct pk_finding *f, const struct pk_world *w, uint64_t cookie)
{
	const struct pk_sock_entry *s =
		w->socks && cookie ? pk_sock_table_find(w->socks, cookie) : NULL;
	const struct pk_flow_entry *e;
	struct pk_flow_key key;
	unsigned here;

	if (!s || !s->rport)
		return false;
	here = key_of(s, &key);
	e = w->flows ? pk_flow_table_same(w->flows, &key, NULL) : NULL;
	if (e)
		pk_finding_flow(f, &e->flow.key, e->flow.meta.id, e->flow.meta.initiator, !here);
	else
		pk_finding_flow(f, &key, 0, s->owner.flags & PK_OWNER_ACCEPTED ? !here : here,
				!here);
	return true;
}
