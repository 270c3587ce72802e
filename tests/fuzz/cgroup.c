/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a cgroup path: every member stays a string, and an id only comes with a runtime.
 * fuzz-links: user/enrich/cgroup.c
 */
#include "enrich/cgroup.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = malloc(size + 1);
	struct pk_cgroup g;

	memcpy(path, data, size);
	path[size] = '\0';
	memset(&g, 'x', sizeof(g));
	pk_cgroup_parse(path, &g);
	if (strnlen(g.id, sizeof(g.id)) == sizeof(g.id) ||
	    strnlen(g.pod, sizeof(g.pod)) == sizeof(g.pod) ||
	    strnlen(g.unit, sizeof(g.unit)) == sizeof(g.unit))
		abort();
	if ((g.id[0] && !g.runtime) || (g.nested && !g.runtime) ||
	    (g.runtime && !pk_runtime_name(g.runtime)))
		abort();
	free(path);
	return 0;
}
