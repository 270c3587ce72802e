/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of system calls by this machine's numbers. Those of 32-bit calls: syscalls_compat.c. */
#include "syscalls.h"

#include <sys/syscall.h>

#ifdef __x86_64__
#define PK_SYS_X32
#endif
#include "sys_rows.h"

void pk_syscalls_native(uint8_t table[PK_SYS_MAX])
{
	pk_sys_fill(table);
}
