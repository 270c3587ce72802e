/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the keys of a finding. It remembers nothing; what shares keys is the table's to know. */
#include "incident/link.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "detect/finding.h"
#include "enrich/enrich.h"
#include "flow/local.h"
#include "incident/graph.h"
#include "incident/lineage.h"

#include <arpa/inet.h>
#include <string.h>

#define UNSET 0xffffffffu

enum kind { PROCESS = 1, REMOTE, SESSION, CONTAINER, FILE_ID, FILE_TEXT };

static void add(struct pk_link_set *s, const struct pk_hash_key *hash, enum kind kind, uint64_t a,
		uint64_t b, bool weak)
{
	const uint64_t words[] = { kind, a, b };
	uint64_t key = pk_hash_words(hash, words, PK_ARRAY_SIZE(words));

	for (size_t i = 0; i < s->n; i++)
		if (s->key[i] == key) {
			s->weak[i] &= weak;
			return;
		}
	if (s->n == PK_LINKS_MAX)
		return;
	s->key[s->n] = key;
	s->weak[s->n++] = weak;
}

bool pk_link_is_foreign_file(const char *path)
{
	static const char *const own[] = { "/usr/", "/bin/",  "/sbin/", "/lib",
					   "/opt/", "/snap/", "/nix/" };

	for (size_t i = 0; i < PK_ARRAY_SIZE(own); i++)
		if (strncmp(path, own[i], strlen(own[i])) == 0)
			return false;
	return *path == '/';
}

static void add_container(struct pk_link_set *s, const struct pk_hash_key *hash,
			  const struct pk_link_world *w, const struct pk_process *p)
{
	const struct pk_container *c = p->container ? pk_enrich_container(w->enrich, p) : NULL;

	if (c && *c->cgroup.id)
		add(s, hash, CONTAINER, c->key, 0, false);
}

static void add_image(struct pk_link_set *s, const struct pk_hash_key *hash,
		      const struct pk_process *p)
{
	const struct pk_image *m = p->image[0];

	if (!m)
		return;
	if (m->exe_ino && pk_link_is_foreign_file(m->path))
		add(s, hash, FILE_ID, m->exe_dev, m->exe_ino, false);
	if (m->sessionid != UNSET && m->loginuid != UNSET)
		add(s, hash, SESSION, m->loginuid, m->sessionid, false);
}

static void add_process(struct pk_link_set *s, const struct pk_hash_key *hash,
			const struct pk_link_world *w, const struct pk_proc_id *id)
{
	const struct pk_process *line[PK_ANCESTORS_MAX], *p;
	size_t n;

	p = w->enrich ? pk_process_get(&w->enrich->processes, id->tgid, id->start_ns) : NULL;
	if (!p) {
		add(s, hash, PROCESS, id->tgid, id->start_ns, false);
		return;
	}
	n = pk_lineage(&w->enrich->processes, p, line, PK_ARRAY_SIZE(line));
	/* the oldest first: where there are too many, it is what the others share */
	while (n--)
		add(s, hash, PROCESS, line[n]->id.tgid, line[n]->id.start_ns, false);
	if (!pk_lineage_is_hub(&w->enrich->processes, p)) {
		add_image(s, hash, p);
		add_container(s, hash, w, p);
	}
}

static bool is_somebody(const struct pk_link_world *w, const struct pk_finding *f)
{
	static const uint8_t none[16], any4[16] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *a = f->remote;

	if (!f->has_remote || memcmp(a, none, 15) == 0 || memcmp(a, any4, 16) == 0)
		return false; /* with ::1 */
	if (pk_ip_is_v4(a) ? a[12] == 127 || a[12] >= 224 : a[0] == 0xff)
		return false;
	return !(w->local && f->netns && pk_local_has(w->local, f->netns, a));
}

/* Who answers DNS queries for all is nobody's attacker. */
static bool is_resolver(const struct pk_finding *f)
{
	return f->has_key && memcmp(f->key.addr[!f->initiator], f->remote, 16) == 0 &&
	       f->key.port[!f->initiator] == htons(53);
}

static void add_remote(struct pk_link_set *s, const struct pk_hash_key *hash,
		       const struct pk_link_world *w, const struct pk_finding *f)
{
	uint64_t half[2];

	if (!is_somebody(w, f) || is_resolver(f))
		return;
	memcpy(half, f->remote, sizeof(half));
	add(s, hash, REMOTE, half[0], half[1], f->spoofable);
}

/* Values that name a file: what the finding says of it, and its hash. */
static void add_files(struct pk_link_set *s, const struct pk_hash_key *hash,
		      const struct pk_finding *f)
{
	for (size_t i = 0; i < f->fields; i++) {
		const char *name = f->field[i].name, *v = f->field[i].value;
		uint64_t h = 0xcbf29ce484222325ull;

		if (strcmp(name, "sha256") != 0 &&
		    ((strcmp(name, "path") != 0 && strcmp(name, "file") != 0) ||
		     !pk_link_is_foreign_file(v)))
			continue;
		for (; *v; v++)
			h = (h ^ (uint8_t)*v) * 0x100000001b3ull;
		add(s, hash, FILE_TEXT, h, 0, false);
	}
}

void pk_link_finding(const struct pk_hash_key *hash, const struct pk_link_world *w,
		     const struct pk_finding *f, struct pk_link_set *ret)
{
	ret->n = 0;
	add_remote(ret, hash, w, f);
	add_files(ret, hash, f);
	for (size_t i = 0; i < f->procs; i++)
		add_process(ret, hash, w, &f->proc[i]);
}

void pk_link_node(const struct pk_hash_key *hash, const struct pk_graph_node *n,
		  struct pk_link_set *ret)
{
	uint64_t half[2];

	ret->n = 0;
	memcpy(half, n->addr, sizeof(half));
	if (n->kind == PK_NODE_PROCESS)
		add(ret, hash, PROCESS, n->tgid, n->start_ns, false);
	else if (n->kind == PK_NODE_REMOTE)
		add(ret, hash, REMOTE, half[0], half[1], false);
}
