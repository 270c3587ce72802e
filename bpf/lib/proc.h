/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who a task is: identity (tgid and start time of the thread group leader), credentials,
 * namespaces, cgroup. Only programs that run in process context may ask for the current task: in
 * softirq it is a bystander.
 */
#ifndef PICKET_PROC_H
#define PICKET_PROC_H

#include "../kernel.h"

#include <picket/event.h>

#define PK_PF_IO_WORKER 0x00000010 /* include/linux/sched.h */
#define PK_PF_KTHREAD   0x00200000

static __always_inline struct pk_proc_id pk_id_of(struct task_struct *task)
{
	struct pk_proc_id id = {
		.start_ns = BPF_CORE_READ(task, group_leader, start_boottime),
		.tgid = BPF_CORE_READ(task, tgid),
		.uid = BPF_CORE_READ(task, cred, euid.val),
	};

	return id;
}

static __always_inline __u64 pk_cgroup_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

static __always_inline __u32 pk_task_flags(struct task_struct *task)
{
	__u32 flags = BPF_CORE_READ(task, flags);

	return (flags & PK_PF_KTHREAD ? PK_TASK_KTHREAD : 0) |
	       (flags & PK_PF_IO_WORKER ? PK_TASK_IO_WORKER : 0);
}

/* The entry of pid at level of the nested pid namespaces. */
static __always_inline void pk_upid_at(struct pid *pid, __u32 level, int *nr,
				       struct pid_namespace **ns)
{
	struct upid *u = (struct upid *)((char *)pid + bpf_core_field_offset(struct pid, numbers) +
					 (__u64)level * bpf_core_type_size(struct upid));

	*nr = BPF_CORE_READ(u, nr);
	*ns = BPF_CORE_READ(u, ns);
}

/* The task's own (active) pid namespace, and what its process is called there. */
static __always_inline struct pid_namespace *pk_pidns_of(struct task_struct *task, int *nr)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	struct pid_namespace *ns = NULL;

	*nr = 0;
	if (pid)
		pk_upid_at(pid, BPF_CORE_READ(pid, level), nr, &ns);
	return ns;
}

static __always_inline void pk_task_fill(struct pk_task *t, struct task_struct *task)
{
	struct nsproxy *ns = BPF_CORE_READ(task, nsproxy);
	struct pid_namespace *pidns;
	int nr;

	t->id = pk_id_of(task);
	t->cgroup = pk_cgroup_of(task);
	t->tid = BPF_CORE_READ(task, pid);
	t->flags = pk_task_flags(task);
	if (ns) {
		t->netns = BPF_CORE_READ(ns, net_ns, net_cookie);
		t->netns_inum = BPF_CORE_READ(ns, net_ns, ns.inum);
		t->mntns_inum = BPF_CORE_READ(ns, mnt_ns, ns.inum);
	}
	pidns = pk_pidns_of(task, &nr);
	t->pidns_inum = pidns ? BPF_CORE_READ(pidns, ns.inum) : 0;
	t->pid_in_ns = nr;
	bpf_core_read_str(t->comm, sizeof(t->comm), &task->comm);
}

static __always_inline __u64 pk_caps(const kernel_cap_t *cap)
{
	union {
		__u64 val;
		__u32 half[2];
	} c = {};

	bpf_probe_read_kernel(&c, sizeof(c), cap);
	if (bpf_core_type_exists(struct kernel_cap_struct))
		return (__u64)c.half[1] << 32 | c.half[0];
	return c.val;
}

/*
 * The task that a system call of task meant by pid. Walks the id table of the caller's pid
 * namespace as find_vpid() does, since a helper for it exists only from 6.13; NULL when there is
 * none.
 */
static __always_inline struct task_struct *pk_task_by_pid(struct task_struct *task, __u32 nr)
{
	int self;
	struct pid_namespace *ns = pk_pidns_of(task, &self);
	unsigned long entry = (unsigned long)BPF_CORE_READ(ns, idr.idr_rt.xa_head);
	struct hlist_node *link;

	if (!ns)
		return NULL;
	/* Nodes are marked by 2 in the low bits; 64 slots each: 5 levels hold every 32-bit pid in
	 * use. */
	for (int i = 0; i < 5 && (entry & 3) == 2; i++) {
		struct xa_node *node = (struct xa_node *)(entry - 2);
		__u8 shift = BPF_CORE_READ(node, shift) & 31;
		void **slot =
			(void **)((char *)node + bpf_core_field_offset(struct xa_node, slots));

		if (i == 0 && shift < 26 && nr >> (shift + 6))
			return NULL;
		entry = 0;
		bpf_probe_read_kernel(&entry, sizeof(entry), slot + (nr >> shift & 63));
	}
	if (!entry || entry & 3)
		return NULL;
	link = BPF_CORE_READ((struct pid *)entry, tasks[0].first);
	if (!link)
		return NULL;
	return (struct task_struct *)((char *)link -
				      bpf_core_field_offset(struct task_struct, pid_links));
}

#endif
