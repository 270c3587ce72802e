/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers for writers. enrich lends its answer only until its next call; a filter wants four at
 * once, so the last few are copied here.
 */
#include "output/who.h"

#include "base/json.h"
#include "enrich/enrich.h"

#include <string.h>

#define KEPT 16

struct kept {
	char name[PK_CONTAINER_ID_LEN], id[PK_CONTAINER_ID_LEN];
};

void pk_who_container(struct pk_enrich *e, const struct pk_process *p, const char **ret_name,
		      const char **ret_id)
{
	static struct kept kept[KEPT];
	static unsigned next;
	const struct pk_container *c = pk_enrich_container(e, p);
	struct kept *k = &kept[next % KEPT];

	*ret_name = *ret_id = NULL;
	if (!c || c->cgroup.runtime == PK_RUNTIME_NONE)
		return;
	next++;
	(void)pk_container_name(c, k->name);
	memcpy(k->id, c->cgroup.id, sizeof(k->id));
	*ret_name = k->name;
	*ret_id = k->id;
}

void pk_who_container_json(struct pk_json *j, struct pk_enrich *e, const struct pk_process *p)
{
	const struct pk_container *c = pk_enrich_container(e, p);
	char name[PK_CONTAINER_ID_LEN];

	if (!c || c->cgroup.runtime == PK_RUNTIME_NONE)
		return;
	pk_json_obj(j, "container");
	pk_json_str(j, "uid", c->cgroup.id);
	pk_json_str(j, "name", pk_container_name(c, name));
	pk_json_str(j, "runtime", pk_runtime_name(c->cgroup.runtime));
	if (c->cgroup.pod[0])
		pk_json_str(j, "pod_uuid", c->cgroup.pod);
	pk_json_end(j);
}
