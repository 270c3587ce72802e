/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting until no packet program that ran before is still running. */
#pragma once

/*
 * An RCU grace period, by membarrier(2) MEMBARRIER_CMD_GLOBAL, which is synchronize_rcu() and needs
 * no privilege; packet programs run as RCU readers. Takes 10 to 40 ms. Where the kernel refuses it
 * (nohz_full) waits a second: no program runs that long. arg is not used.
 */
void pk_grace_wait(void *arg);
