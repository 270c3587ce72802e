/* SPDX-License-Identifier: Apache-2.0 */
/* When no packet program that ran at a moment still runs: a grace period of the kernel. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Waits for one, by membarrier(2) MEMBARRIER_CMD_GLOBAL, which is synchronize_rcu() and needs no
 * privilege; packet programs run as RCU readers. Takes 10 to 40 ms. Where the kernel refuses it
 * (nohz_full) waits a second: no program runs that long. Always true, as wait() of a pk_trie_memory
 * where no hits are pending. arg is not used.
 */
bool pk_grace_wait(void *arg);

/*
 * The same in a thread of its own: it takes seconds where a processor is busy with real-time work.
 * pk_grace_begin() says of which moment, pk_grace_is_over() whether it has passed. grace: a struct
 * pk_grace.
 */
struct pk_grace;
int pk_grace_new(struct pk_grace **ret);
void pk_grace_free(struct pk_grace *g); /* waits for one that has begun */
uint64_t pk_grace_begin(void *grace);
bool pk_grace_is_over(void *grace, uint64_t moment);
