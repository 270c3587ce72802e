/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The acts that matter to a network sensor, seen at the end of the system call that did them: only
 * what succeeded, and only scalars or what the kernel itself holds by then; memory of the caller is
 * never read. One look at a table by number decides; a 32-bit call (int80) has its own table. What
 * io_uring does never passes here: two programs of its own.
 */
#include "lib/act.h"
#include "lib/fd.h"

#define PK_TS_COMPAT 0x0002      /* arch/x86/include/asm/thread_info.h */
#define PK_TIF_32BIT (1UL << 22) /* arch/arm64/include/asm/thread_info.h */
#define PK_X32_BIT   0x40000000

#define PK_AF_UNIX        1
#define PK_AF_INET        2
#define PK_AF_INET6       10
#define PK_AF_PACKET      17
#define PK_AF_XDP         44
#define PK_SOCK_RAW       3
#define PK_SOCK_TYPE_MASK 0xf

/* One system call that ended well, as long as we look at it. */
struct pk_call {
	struct task_struct *task;
	__u64 a[5];
	long ret;
	__u16 flags; /* PK_EVF_COMPAT */
};

static __always_inline bool pk_is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & PK_TS_COMPAT;
#else
	return task->thread_info.flags & PK_TIF_32BIT;
#endif
}

static __always_inline __u32 pk_sys_nr(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return (__u32)regs->orig_ax & ~PK_X32_BIT;
#else
	return regs->syscallno;
#endif
}

static __always_inline void pk_sys_args(struct pk_call *c, struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	if (c->flags & PK_EVF_COMPAT) {
		c->a[0] = (__u32)regs->bx;
		c->a[1] = (__u32)regs->cx;
		c->a[2] = (__u32)regs->dx;
		c->a[3] = (__u32)regs->si;
		c->a[4] = (__u32)regs->di;
	} else {
		c->a[0] = regs->di;
		c->a[1] = regs->si;
		c->a[2] = regs->dx;
		c->a[3] = regs->r10;
		c->a[4] = regs->r8;
	}
#else
	c->a[0] = regs->orig_x0;
	c->a[1] = regs->regs[1];
	c->a[2] = regs->regs[2];
	c->a[3] = regs->regs[3];
	c->a[4] = regs->regs[4];
#endif
}

static __always_inline void pk_call_filtered(void)
{
	pk_event_add(PK_EH_SYSCALL, filtered);
}

static __always_inline void pk_call_emit(const struct pk_call *c, struct pk_act_args *a)
{
	a->ret = c->ret;
	a->flags = c->flags;
	pk_act_emit(PK_EH_SYSCALL, c->task, a);
}

/* A new descriptor: is it a socket on 0, 1 or 2? */
static __noinline int pk_call_stdio(const struct pk_call *c)
{
	struct pk_act_args a = { .kind = PK_ACT_STDIO_SOCKET };
	struct sock *sk = c->ret >= 0 && c->ret <= 2 ? pk_fd_sock(c->task, c->ret) : NULL;

	if (!sk) {
		pk_call_filtered();
		return 0;
	}
	a.arg[0] = c->ret;
	a.arg[1] = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	a.arg[2] = BPF_CORE_READ(sk, __sk_common.skc_family);
	pk_call_emit(c, &a);
	return 0;
}

/* socket(): what was made is read from the socket, since socketcall() has its arguments in memory.
 */
static __noinline int pk_call_socket(const struct pk_call *c)
{
	struct sock *sk = pk_fd_sock(c->task, c->ret);
	struct pk_act_args a = {};

	if (c->ret <= 2) {
		pk_event_add(PK_EH_SYSCALL, seen);
		pk_call_stdio(c);
	}
	a.arg[0] = BPF_CORE_READ(sk, __sk_common.skc_family);
	a.arg[1] = BPF_CORE_READ(sk, sk_type);
	a.arg[2] = BPF_CORE_READ(sk, sk_protocol);
	if (a.arg[0] == PK_AF_PACKET) {
		a.kind = PK_ACT_PACKET_SOCKET;
	} else if (a.arg[0] == PK_AF_XDP) {
		a.kind = PK_ACT_XDP_SOCKET;
	} else if ((a.arg[0] == PK_AF_INET || a.arg[0] == PK_AF_INET6) && a.arg[1] == PK_SOCK_RAW) {
		a.kind = PK_ACT_RAW_SOCKET;
	} else {
		pk_call_filtered();
		return 0;
	}
	pk_call_emit(c, &a);
	return 0;
}

static __noinline int pk_call_target(const struct pk_call *c, __u32 kind, __u32 pid)
{
	struct pk_act_args a = { .kind = kind };
	struct task_struct *target = pk_task_by_pid(c->task, pid);

	if (target)
		a.target = pk_id_of(target);
	a.arg[0] = c->a[0];
	pk_call_emit(c, &a);
	return 0;
}

/*
 * Signals that end or hold a process, to one process that is not the caller. A pid of 0 or below
 * means many: nobody in particular.
 */
static __noinline int pk_call_kill(const struct pk_call *c, __u32 pid, __u32 sig)
{
	struct pk_act_args a = { .kind = PK_ACT_KILL };
	struct task_struct *task = c->task, *target;

	if ((sig != 9 && sig != 15 && sig != 19) || (int)pid <= 0) {
		pk_call_filtered();
		return 0;
	}
	target = pk_task_by_pid(task, pid);
	if (!target || BPF_CORE_READ(target, tgid) == BPF_CORE_READ(task, tgid)) {
		pk_call_filtered();
		return 0;
	}
	a.target = pk_id_of(target);
	a.arg[0] = sig;
	pk_call_emit(c, &a);
	return 0;
}

/* Requests that take a process over or write into it. */
static __always_inline bool pk_ptrace_matters(__u64 request)
{
	switch (request) {
	case 4:      /* POKETEXT */
	case 5:      /* POKEDATA */
	case 6:      /* POKEUSR */
	case 13:     /* SETREGS */
	case 15:     /* SETFPREGS */
	case 16:     /* ATTACH */
	case 0x4205: /* SETREGSET */
	case 0x4206: /* SEIZE */
		return true;
	}
	return false;
}

/* Makes, loads, attaches, pins or takes programs, maps and links. */
static __always_inline bool pk_bpf_matters(__u64 cmd)
{
	switch (cmd) {
	case BPF_MAP_CREATE:
	case BPF_PROG_LOAD:
	case BPF_OBJ_PIN:
	case BPF_OBJ_GET:
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH:
	case BPF_PROG_GET_FD_BY_ID:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_RAW_TRACEPOINT_OPEN:
	case BPF_MAP_FREEZE:
	case BPF_LINK_CREATE:
	case BPF_LINK_UPDATE:
	case BPF_LINK_GET_FD_BY_ID:
	case BPF_LINK_DETACH:
	case BPF_PROG_BIND_MAP:
		return true;
	}
	return false;
}

/* Root was asked for, by the argument that sets the effective uid, and was given. */
static __noinline int pk_call_uid(const struct pk_call *c, __u32 asked)
{
	struct pk_act_args a = { .kind = PK_ACT_UID_ZERO };
	struct task_struct *task = c->task;
	__u32 uid = BPF_CORE_READ(task, cred, uid.val);

	if (asked != 0 || BPF_CORE_READ(task, cred, euid.val) != 0) {
		pk_call_filtered();
		return 0;
	}
	a.arg[0] = uid ? (__u64)uid : ~0ULL;
	pk_call_emit(c, &a);
	return 0;
}

static __noinline int pk_call_plain(const struct pk_call *c, __u32 kind, __u32 which, __u64 value)
{
	struct pk_act_args a = { .kind = kind };

	if (which == 0)
		a.arg[0] = value;
	else if (which == 1)
		a.arg[1] = value;
	else
		a.arg[3] = value;
	pk_call_emit(c, &a);
	return 0;
}

static __always_inline int pk_call_fcntl(const struct pk_call *c)
{
	if (c->a[1] == 0 || c->a[1] == 1030) /* F_DUPFD, F_DUPFD_CLOEXEC */
		return pk_call_stdio(c);
	pk_call_filtered();
	return 0;
}

static __always_inline int pk_call_socketcall(const struct pk_call *c)
{
	switch (c->a[0]) {
	case 1: /* SYS_SOCKET */
		return pk_call_socket(c);
	case 5:  /* SYS_ACCEPT */
	case 18: /* SYS_ACCEPT4 */
		return pk_call_stdio(c);
	}
	pk_call_filtered();
	return 0;
}

static __always_inline int pk_call_dispatch(const struct pk_call *c, __u32 class)
{
	switch (class) {
	case PK_SYS_DUP:
		return pk_call_stdio(c);
	case PK_SYS_DUP2:
		if (c->a[0] != (__u64)c->ret)
			return pk_call_stdio(c);
		break;
	case PK_SYS_FCNTL:
		return pk_call_fcntl(c);
	case PK_SYS_SOCKET:
		return pk_call_socket(c);
	case PK_SYS_SOCKETCALL:
		return pk_call_socketcall(c);
	case PK_SYS_MEMFD:
		return pk_call_plain(c, PK_ACT_MEMFD, 0, c->a[1]);
	case PK_SYS_PTRACE:
		if (pk_ptrace_matters(c->a[0]))
			return pk_call_target(c, PK_ACT_PTRACE, c->a[1]);
		break;
	case PK_SYS_VM_WRITE:
		return pk_call_target(c, PK_ACT_VM_WRITE, c->a[0]);
	case PK_SYS_MODULE:
		return pk_call_plain(c, PK_ACT_MODULE, 0, 0);
	case PK_SYS_BPF:
		if (pk_bpf_matters(c->a[0]))
			return pk_call_plain(c, PK_ACT_BPF, 0, c->a[0]);
		break;
	case PK_SYS_MOUNT:
		return pk_call_plain(c, PK_ACT_MOUNT, 3, c->a[3]);
	case PK_SYS_MOVE_MOUNT:
		return pk_call_plain(c, PK_ACT_MOUNT, 3, c->a[4]);
	case PK_SYS_SETNS:
		return pk_call_plain(c, PK_ACT_SETNS, 1, c->a[1]);
	case PK_SYS_UNSHARE:
		return pk_call_plain(c, PK_ACT_UNSHARE, 0, c->a[0]);
	case PK_SYS_PIVOT_ROOT:
		return pk_call_plain(c, PK_ACT_PIVOT_ROOT, 0, 0);
	case PK_SYS_SETUID:
		return pk_call_uid(c, c->a[0]);
	case PK_SYS_SETREUID:
		return pk_call_uid(c, c->a[1]);
	case PK_SYS_KILL:
		return pk_call_kill(c, c->a[0], c->a[1]);
	case PK_SYS_TGKILL:
		return pk_call_kill(c, c->a[1], c->a[2]);
	}
	pk_call_filtered();
	return 0;
}

static __always_inline int pk_call_ended(struct task_struct *task, struct pt_regs *regs, long ret,
					 bool compat, __u32 class)
{
	struct pk_call c = { .task = task, .ret = ret };

	pk_event_add(PK_EH_SYSCALL, seen);
	if (compat) {
		c.ret = (int)ret;
		c.flags = PK_EVF_COMPAT;
	}
	if (c.ret < 0) {
		pk_call_filtered();
		return 0;
	}
	pk_sys_args(&c, regs);
	return pk_call_dispatch(&c, class);
}

/* Runs at the end of every system call of the machine: first the table, then all else. */
SEC("tp_btf/sys_exit")
int pk_sys_exit(__u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)ctx[0];
	bool compat = pk_is_compat(task);
	__u32 nr = pk_sys_nr(regs);
	__u32 class;

	if (nr >= PK_SYS_MAX)
		return 0;
	class = compat ? pk_sys_compat[nr] : pk_sys_native[nr];
	if (class == PK_SYS_NONE)
		return 0;
	return pk_call_ended(task, regs, ctx[1], compat, class);
}

SEC("?tp_btf/io_uring_create")
int pk_uring_new(__u64 *ctx) /* fd, ring, sq_entries, cq_entries, flags */
{
	struct pk_act_args a = { .kind = PK_ACT_IO_URING, .ret = (int)ctx[0] };

	pk_event_add(PK_EH_IO_URING, seen);
	a.arg[0] = (__u32)ctx[4];
	a.arg[1] = (__u32)ctx[2];
	pk_act_emit(PK_EH_IO_URING, bpf_get_current_task_btf(), &a);
	return 0;
}

/* IORING_OP_* that work on sockets; the kernel's own numbers, never reused. */
static __always_inline bool pk_uring_matters(__u32 op)
{
	switch (op) {
	case 9:  /* SENDMSG */
	case 10: /* RECVMSG */
	case 13: /* ACCEPT */
	case 16: /* CONNECT */
	case 26: /* SEND */
	case 27: /* RECV */
	case 34: /* SHUTDOWN */
	case 45: /* SOCKET */
	case 47: /* SEND_ZC */
	case 48: /* SENDMSG_ZC */
	case 56: /* BIND */
	case 57: /* LISTEN */
	case 58: /* RECV_ZC */
		return true;
	}
	return false;
}

#define PK_IORING_OP_SOCKET 45

/* False when this process was already reported for this opcode. */
static __always_inline bool pk_uring_is_first(struct task_struct *task, __u32 op)
{
	struct pk_uring_key key = {
		.start_ns = BPF_CORE_READ(task, group_leader, start_boottime),
		.tgid = BPF_CORE_READ(task, tgid),
		.op = op,
	};
	__u32 one = 1;

	return bpf_map_update_elem(&pk_uring_ops, &key, &one, BPF_NOEXIST) == 0;
}

/* The submitter is the caller of io_uring_enter or the polling thread, a thread of the same
 * process. */
static __always_inline int pk_uring_request(struct io_kiocb *req)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pk_act_args a = { .kind = PK_ACT_IO_URING_SOCKET };
	__u32 op = BPF_CORE_READ(req, opcode);

	if (!pk_uring_matters(op))
		return 0;
	pk_event_add(PK_EH_IO_URING, seen);
	a.arg[0] = op;
	if (op == PK_IORING_OP_SOCKET && bpf_core_type_exists(struct io_socket)) {
		struct io_socket *s = (struct io_socket *)req;

		a.arg[1] = BPF_CORE_READ(s, domain);
		a.arg[2] = BPF_CORE_READ(s, type) & PK_SOCK_TYPE_MASK;
		a.arg[3] = BPF_CORE_READ(s, protocol);
	} else if (!pk_uring_is_first(task, op)) {
		pk_event_add(PK_EH_IO_URING, filtered);
		return 0;
	}
	pk_act_emit(PK_EH_IO_URING, task, &a);
	return 0;
}

SEC("?tp_btf/io_uring_submit_req")
int pk_uring_req(__u64 *ctx)
{
	return pk_uring_request((struct io_kiocb *)ctx[0]);
}

/* Its name until 6.3; until 5.18 the ring came first. */
SEC("?tp_btf/io_uring_submit_sqe")
int pk_uring_sqe(__u64 *ctx)
{
	if (pk_uring_ring_first)
		return pk_uring_request((struct io_kiocb *)ctx[1]);
	return pk_uring_request((struct io_kiocb *)ctx[0]);
}
