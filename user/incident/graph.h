/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who did what with whom in an incident: processes, remotes, names and files, and what joins them.
 * Bounded; what does not fit is counted. Labels are raw: escape them on output.
 */
#pragma once

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_enrich;
struct pk_finding;

#define PK_GRAPH_NODES 64
#define PK_GRAPH_EDGES 128

enum pk_node_kind { PK_NODE_PROCESS = 1, PK_NODE_REMOTE, PK_NODE_NAME, PK_NODE_FILE };
enum pk_edge_kind {
	PK_EDGE_STARTED = 1, /* process, process */
	PK_EDGE_CONNECTED,   /* process, remote or the other way round: who began */
	PK_EDGE_NAMED,       /* process (or remote), name */
	PK_EDGE_RAN,         /* process, file */
};

struct pk_graph_node {
	enum pk_node_kind kind;
	uint32_t tgid, uid; /* of a process */
	uint64_t start_ns;
	uint8_t addr[16]; /* of a remote */
	uint32_t alerts;  /* that are about it */
	char label[64];   /* program, address, name, path */
	char detail[128]; /* of a process: its arguments */
};

struct pk_graph_edge {
	enum pk_edge_kind kind;
	uint16_t from, to;
};

struct pk_graph {
	struct pk_graph_node node[PK_GRAPH_NODES];
	struct pk_graph_edge edge[PK_GRAPH_EDGES];
	size_t nodes, edges;
	uint64_t lost; /* nodes and edges for which there was no room */
};

/* Adds what a finding speaks of. enrich NULL: processes are numbers only. */
void pk_graph_finding(struct pk_graph *g, struct pk_enrich *enrich, const struct pk_finding *f);
/* Adds another graph. */
void pk_graph_merge(struct pk_graph *g, const struct pk_graph *other);
/* For what was read back. -ENOSPC: no room; -EINVAL: an edge to nowhere. */
int pk_graph_add_node(struct pk_graph *g, const struct pk_graph_node *n);
int pk_graph_add_edge(struct pk_graph *g, enum pk_edge_kind kind, size_t from, size_t to);

const char *pk_node_kind_name(enum pk_node_kind k);
const char *pk_edge_kind_name(enum pk_edge_kind k);
