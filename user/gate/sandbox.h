/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate may still do once it listens. */
#pragma once

/*
 * For good, for this process and what it would start: no new file can be opened (Landlock, where
 * the kernel has it, and the list of calls), no socket made or connected, no program executed,
 * no BPF, no other process touched. What is open already stays usable. -errno: it must not go on.
 */
int pk_gate_sandbox(void);
