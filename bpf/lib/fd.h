/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is behind a descriptor of a task, read from its table without taking a reference. */
#ifndef PICKET_FD_H
#define PICKET_FD_H

#include "../kernel.h"

#include <picket/event.h>

#define PK_S_IFMT   0170000
#define PK_S_IFSOCK 0140000
#define PK_S_IFREG  0100000
#define PK_S_IFDIR  0040000
#define PK_S_IFCHR  0020000
#define PK_S_IFIFO  0010000

#define PK_INET4 2
#define PK_INET6 10

static __always_inline struct file *pk_fd_file(struct task_struct *task, __u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **table = BPF_CORE_READ(fdt, fd);
	struct file *file = NULL;

	if (table && fd < BPF_CORE_READ(fdt, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), table + fd);
	return file;
}

/* NULL when it is no socket. */
static __always_inline struct sock *pk_file_sock(struct file *file)
{
	struct socket *socket;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & PK_S_IFMT) != PK_S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

static __always_inline struct sock *pk_fd_sock(struct task_struct *task, __u32 fd)
{
	return pk_file_sock(pk_fd_file(task, fd));
}

/* Majors of terminals: consoles, /dev/tty, pseudo terminals (Documentation/admin-guide/devices). */
static __always_inline bool pk_is_tty(__u32 rdev)
{
	__u32 major = rdev >> 20;

	return major == 4 || major == 5 || (major >= 136 && major <= 143);
}

/* enum pk_stdio; *cookie is set where it is still 0 and this is a socket of the net. */
static __always_inline __u8 pk_stdio_of(struct file *file, __u64 *cookie)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct sock *sk;
	__u16 family;

	if (!file)
		return PK_STDIO_NONE;
	switch (BPF_CORE_READ(inode, i_mode) & PK_S_IFMT) {
	case PK_S_IFREG:
	case PK_S_IFDIR:
		return PK_STDIO_FILE;
	case PK_S_IFIFO:
		return PK_STDIO_PIPE;
	case PK_S_IFCHR:
		return pk_is_tty(BPF_CORE_READ(inode, i_rdev)) ? PK_STDIO_TTY : PK_STDIO_DEVICE;
	case PK_S_IFSOCK:
		sk = pk_file_sock(file);
		family = BPF_CORE_READ(sk, __sk_common.skc_family);
		if (family != PK_INET4 && family != PK_INET6)
			return PK_STDIO_SOCKET;
		if (!*cookie)
			*cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
		return PK_STDIO_INET;
	}
	return PK_STDIO_FILE;
}

#endif
