/* SPDX-License-Identifier: Apache-2.0 */
/* Counts holes in the numbers of one ring. It does not know why something was lost. */
#include "decode/gap.h"

#include <errno.h>
#include <picket/event.h>
#include <stdlib.h>

int pk_gap_init(struct pk_gap *g, uint32_t cpus)
{
	*g = (struct pk_gap){ .cpu = calloc(cpus, sizeof(*g->cpu)), .cpus = cpus };
	return g->cpu || !cpus ? 0 : -ENOMEM;
}

void pk_gap_done(struct pk_gap *g)
{
	free(g->cpu);
	*g = (struct pk_gap){ 0 };
}

uint32_t pk_gap_see(struct pk_gap *g, const struct pk_hdr *hdr)
{
	struct pk_gap_cpu *c;
	int32_t ahead;

	g->seen++;
	if (hdr->cpu >= g->cpus) {
		g->bad_cpu++;
		return 0;
	}
	c = &g->cpu[hdr->cpu];
	ahead = (int32_t)(hdr->seq - c->next); /* the numbers wrap */
	if (ahead < 0) {
		/* An interrupt's record overtook this one between its number and its room. */
		g->late++;
		if (c->lost) {
			c->lost--;
			g->lost--;
		}
		return 0;
	}
	c->next = hdr->seq + 1;
	c->lost += ahead;
	g->lost += ahead;
	return ahead;
}
