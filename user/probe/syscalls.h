/* SPDX-License-Identifier: Apache-2.0 */
/* The two tables by which the program at the end of system calls decides (rodata). */
#pragma once

#include <picket/map.h>

#include <stdint.h>

/* Sets the entries of the calls that matter, leaves the others alone. */
void pk_syscalls_native(uint8_t table[PK_SYS_MAX]);

/* The same by the numbers of 32-bit calls; nothing on machines that have none known to us. */
void pk_syscalls_compat(uint8_t table[PK_SYS_MAX]);
