/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that matter and their class, for whichever numbers (__NR_*) the includer has
 * included before: syscalls.c those of this machine, syscalls_compat.c those of its 32-bit calls.
 */
#pragma once

#include <picket/map.h>

#include <stdint.h>

struct pk_sys_row {
	uint16_t nr;
	uint8_t class;
};

/* Ended by class PK_SYS_NONE. */
static const struct pk_sys_row pk_sys_rows[] = {
#ifdef __NR_dup
	{ __NR_dup, PK_SYS_DUP },
#endif
#ifdef __NR_dup2
	{ __NR_dup2, PK_SYS_DUP2 },
#endif
#ifdef __NR_dup3
	{ __NR_dup3, PK_SYS_DUP2 },
#endif
#ifdef __NR_fcntl
	{ __NR_fcntl, PK_SYS_FCNTL },
#endif
#ifdef __NR_fcntl64
	{ __NR_fcntl64, PK_SYS_FCNTL },
#endif
#ifdef __NR_accept
	{ __NR_accept, PK_SYS_DUP },
#endif
#ifdef __NR_accept4
	{ __NR_accept4, PK_SYS_DUP },
#endif
#ifdef __NR_pidfd_getfd
	{ __NR_pidfd_getfd, PK_SYS_DUP },
#endif
#ifdef __NR_socket
	{ __NR_socket, PK_SYS_SOCKET },
#endif
#ifdef __NR_socketcall
	{ __NR_socketcall, PK_SYS_SOCKETCALL },
#endif
#ifdef __NR_memfd_create
	{ __NR_memfd_create, PK_SYS_MEMFD },
#endif
#ifdef __NR_ptrace
	{ __NR_ptrace, PK_SYS_PTRACE },
#endif
#ifdef __NR_process_vm_writev
	{ __NR_process_vm_writev, PK_SYS_VM_WRITE },
#endif
#ifdef __NR_init_module
	{ __NR_init_module, PK_SYS_MODULE },
#endif
#ifdef __NR_finit_module
	{ __NR_finit_module, PK_SYS_MODULE },
#endif
#ifdef __NR_bpf
	{ __NR_bpf, PK_SYS_BPF },
#endif
#ifdef __NR_mount
	{ __NR_mount, PK_SYS_MOUNT },
#endif
#ifdef __NR_move_mount
	{ __NR_move_mount, PK_SYS_MOVE_MOUNT },
#endif
#ifdef __NR_setns
	{ __NR_setns, PK_SYS_SETNS },
#endif
#ifdef __NR_unshare
	{ __NR_unshare, PK_SYS_UNSHARE },
#endif
#ifdef __NR_pivot_root
	{ __NR_pivot_root, PK_SYS_PIVOT_ROOT },
#endif
#ifdef __NR_setuid
	{ __NR_setuid, PK_SYS_SETUID },
#endif
#ifdef __NR_setuid32
	{ __NR_setuid32, PK_SYS_SETUID },
#endif
#ifdef __NR_setreuid
	{ __NR_setreuid, PK_SYS_SETREUID },
#endif
#ifdef __NR_setreuid32
	{ __NR_setreuid32, PK_SYS_SETREUID },
#endif
#ifdef __NR_setresuid
	{ __NR_setresuid, PK_SYS_SETREUID },
#endif
#ifdef __NR_setresuid32
	{ __NR_setresuid32, PK_SYS_SETREUID },
#endif
#ifdef __NR_kill
	{ __NR_kill, PK_SYS_KILL },
#endif
#ifdef __NR_tkill
	{ __NR_tkill, PK_SYS_KILL },
#endif
#ifdef __NR_tgkill
	{ __NR_tgkill, PK_SYS_TGKILL },
#endif
#ifdef PK_SYS_X32
	/* Two that have a number of their own in x32, whose numbers share the table. */
	{ 521, PK_SYS_PTRACE },
	{ 540, PK_SYS_VM_WRITE },
#endif
	{ 0, PK_SYS_NONE },
};

static inline void pk_sys_fill(uint8_t table[PK_SYS_MAX])
{
	for (const struct pk_sys_row *row = pk_sys_rows; row->class != PK_SYS_NONE; row++)
		if (row->nr < PK_SYS_MAX)
			table[row->nr] = row->class;
}
