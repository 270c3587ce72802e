/* SPDX-License-Identifier: Apache-2.0 */
/* The container of a process in the forms that writers need. */
#pragma once

#include <stdint.h>

struct pk_enrich;
struct pk_json;
struct pk_process;

/* NULL in both: not in a container. Good for the next 15 calls, then overwritten; one thread. */
void pk_who_container(struct pk_enrich *e, const struct pk_process *p, const char **ret_name,
		      const char **ret_id);
/* Writes "container" {...} if the process is in one. */
void pk_who_container_json(struct pk_json *j, struct pk_enrich *e, const struct pk_process *p);
