/* SPDX-License-Identifier: Apache-2.0 */
/* Owns nothing: the graph is a member of its incident. */
#include "incident/graph.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "detect/finding.h"
#include "enrich/enrich.h"
#include "incident/lineage.h"
#include "incident/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEVELS 8 /* of ancestors that are drawn */

const char *pk_node_kind_name(enum pk_node_kind k)
{
	static const char *const names[] = { "", "process", "remote", "name", "file" };

	return (size_t)k < PK_ARRAY_SIZE(names) ? names[k] : "";
}

const char *pk_edge_kind_name(enum pk_edge_kind k)
{
	static const char *const names[] = { "", "started", "connected", "named", "ran" };

	return (size_t)k < PK_ARRAY_SIZE(names) ? names[k] : "";
}

static bool is_same(const struct pk_graph_node *a, const struct pk_graph_node *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == PK_NODE_PROCESS)
		return a->tgid == b->tgid && a->start_ns == b->start_ns;
	return strcmp(a->label, b->label) == 0;
}

int pk_graph_add_node(struct pk_graph *g, const struct pk_graph_node *n)
{
	for (size_t i = 0; i < g->nodes; i++)
		if (is_same(&g->node[i], n)) {
			g->node[i].alerts += n->alerts;
			return (int)i;
		}
	if (g->nodes == PK_GRAPH_NODES) {
		g->lost++;
		return -ENOSPC;
	}
	g->node[g->nodes] = *n;
	return (int)g->nodes++;
}

int pk_graph_add_edge(struct pk_graph *g, enum pk_edge_kind kind, size_t from, size_t to)
{
	if (from >= g->nodes || to >= g->nodes || from == to)
		return -EINVAL;
	for (size_t i = 0; i < g->edges; i++)
		if (g->edge[i].kind == kind && g->edge[i].from == from && g->edge[i].to == to)
			return 0;
	if (g->edges == PK_GRAPH_EDGES) {
		g->lost++;
		return -ENOSPC;
	}
	g->edge[g->edges++] = (struct pk_graph_edge){ kind, (uint16_t)from, (uint16_t)to };
	return 0;
}

static void join(struct pk_graph *g, enum pk_edge_kind kind, int from, int to)
{
	if (from >= 0 && to >= 0)
		(void)pk_graph_add_edge(g, kind, (size_t)from, (size_t)to); /* counted when full */
}

static int add_text(struct pk_graph *g, enum pk_node_kind kind, const char *text)
{
	struct pk_graph_node n = { .kind = kind };

	(void)snprintf(n.label, sizeof(n.label), "%.*s", (int)sizeof(n.label) - 1, text);
	return pk_graph_add_node(g, &n);
}

static int add_process(struct pk_graph *g, const struct pk_process *p, bool is_about)
{
	struct pk_graph_node n = { .kind = PK_NODE_PROCESS,
				   .tgid = p->id.tgid,
				   .start_ns = p->id.start_ns,
				   .uid = p->id.uid,
				   .alerts = is_about };
	const char *path = pk_process_path(p);
	int at;

	(void)snprintf(n.label, sizeof(n.label), "%s", pk_process_name(p));
	(void)snprintf(n.detail, sizeof(n.detail), "%s", pk_process_cmd_line(p));
	at = pk_graph_add_node(g, &n);
	if (is_about && pk_link_is_foreign_file(path))
		join(g, PK_EDGE_RAN, at, add_text(g, PK_NODE_FILE, path));
	return at;
}

/* With what started it. Returns the node of the process itself, or -1. */
static int add_line(struct pk_graph *g, const struct pk_enrich *e, const struct pk_proc_id *id,
		    bool is_about)
{
	const struct pk_process *line[LEVELS], *p;
	struct pk_graph_node bare = { .kind = PK_NODE_PROCESS,
				      .tgid = id->tgid,
				      .start_ns = id->start_ns,
				      .uid = id->uid,
				      .alerts = is_about };
	int first, below;
	size_t n;

	p = e ? pk_process_get(&e->processes, id->tgid, id->start_ns) : NULL;
	if (!p) {
		(void)snprintf(bare.label, sizeof(bare.label), "pid %u", id->tgid);
		return pk_graph_add_node(g, &bare);
	}
	n = pk_lineage(&e->processes, p, line, LEVELS);
	first = below = add_process(g, p, is_about);
	for (size_t i = 1; i < n; i++) {
		int above = add_process(g, line[i], false);

		join(g, PK_EDGE_STARTED, above, below);
		below = above;
	}
	return first;
}

static void add_remote(struct pk_graph *g, const struct pk_finding *f, int process)
{
	struct pk_graph_node n = { .kind = PK_NODE_REMOTE, .alerts = 1 };
	bool came = f->has_key && memcmp(f->key.addr[f->initiator], f->remote, 16) == 0;
	int at;

	memcpy(n.addr, f->remote, sizeof(n.addr));
	(void)pk_ip_format(f->remote, n.label);
	at = pk_graph_add_node(g, &n);
	join(g, PK_EDGE_CONNECTED, came ? at : process, came ? process : at);
	if (f->name[0])
		join(g, PK_EDGE_NAMED, process >= 0 ? process : at,
		     add_text(g, PK_NODE_NAME, f->name));
}

void pk_graph_finding(struct pk_graph *g, struct pk_enrich *enrich, const struct pk_finding *f)
{
	int about = -1;

	for (size_t i = 0; i < f->procs; i++) {
		int at = add_line(g, enrich, &f->proc[i], i == 0);

		if (i == 0)
			about = at;
	}
	if (f->has_remote)
		add_remote(g, f, about);
	else if (f->name[0])
		join(g, PK_EDGE_NAMED, about, add_text(g, PK_NODE_NAME, f->name));
}

void pk_graph_merge(struct pk_graph *g, const struct pk_graph *other)
{
	int at[PK_GRAPH_NODES];

	for (size_t i = 0; i < other->nodes; i++)
		at[i] = pk_graph_add_node(g, &other->node[i]);
	for (size_t i = 0; i < other->edges; i++)
		join(g, other->edge[i].kind, at[other->edge[i].from], at[other->edge[i].to]);
	g->lost += other->lost;
}
