/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The owner of a socket, kept in the socket's own storage. Packet programs look it up and copy it
 * into the flow; socket programs write it. A reader sees a complete owner when gen has changed: gen
 * is written last, and one writer at a time is let in.
 */
#ifndef PICKET_SOCK_H
#define PICKET_SOCK_H

#include "../maps.h"
#include "proc.h"

/*
 * For tc and cgroup_skb programs: the owner of the packet's socket, NULL when it has none. A packet
 * that belongs to a handshake gives the owner of the listener.
 */
static __always_inline struct pk_sk *pk_sk_get(struct bpf_sock *sk)
{
	struct bpf_sock *full;

	if (!sk)
		return NULL;
	full = bpf_sk_fullsock(sk);
	if (!full)
		full = bpf_get_listener_sock(sk);
	return full ? bpf_sk_storage_get(&pk_sk, full, NULL, 0) : NULL;
}

static __always_inline bool pk_owner_is_user(const struct pk_owner *o, struct task_struct *task)
{
	return o->user.tgid == (__u32)BPF_CORE_READ(task, tgid) &&
	       o->user.start_ns == BPF_CORE_READ(task, group_leader, start_boottime);
}

static __always_inline void pk_owner_next_gen(struct pk_owner *o)
{
	__u8 gen = o->gen + 1;

	barrier();
	o->gen = gen ? gen : 1;
}

static __always_inline void pk_owner_set_user(struct pk_owner *o, struct task_struct *task)
{
	char comm[PK_COMM_LEN] = {};
	__u32 flags = pk_task_flags(task);

	bpf_core_read_str(comm, sizeof(comm), &task->comm);
	o->user = pk_id_of(task);
	o->cgroup = pk_cgroup_of(task);
	__builtin_memcpy(o->comm, comm, sizeof(o->comm));
	o->comm_len = sizeof(o->comm);
	if (flags & PK_TASK_IO_WORKER)
		o->flags |= PK_OWNER_IO_URING;
	else
		o->flags &= ~PK_OWNER_IO_URING;
}

/* Takes over the socket for task unless it has it already; true when the user changed. */
static __always_inline bool pk_sk_use(struct pk_sk *s, struct task_struct *task)
{
	if (pk_owner_is_user(&s->owner, task))
		return false;
	/* Two at once: one writes, the other's turn comes with its next use. */
	if (__sync_val_compare_and_swap(&s->busy, 0, 1) != 0)
		return false;
	pk_owner_set_user(&s->owner, task);
	pk_owner_next_gen(&s->owner);
	__sync_lock_test_and_set(&s->busy, 0);
	return true;
}

#endif
