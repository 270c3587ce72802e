/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes of system calls by the numbers of 32-bit calls. A file of its own, since both sets of
 * numbers have the same names. Only x86 ships its 32-bit numbers with the 64-bit headers: on other
 * machines the table stays empty, so that 32-bit programs' acts are not seen there.
 */
#include "syscalls.h"

#ifdef __x86_64__
#include <asm/unistd_32.h>
#endif
#include "sys_rows.h"

void pk_syscalls_compat(uint8_t table[PK_SYS_MAX])
{
	pk_sys_fill(table);
}
