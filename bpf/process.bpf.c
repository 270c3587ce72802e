/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes: exec, fork and exit as they happen, and those that run already when we start. What
 * they do is in act.bpf.c, their sockets in socket.bpf.c.
 */
#include "lib/emit.h"
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/proc.h"

#define PK_TMPFS_MAGIC   0x01021994
#define PK_OVERLAY_MAGIC 0x794c7630
#define PK_SB_KERNMOUNT  (1UL << 22)
#define PK_S_ISUID       04000
#define PK_S_ISGID       02000
#define PK_S_IXGRP       00010

/* Anonymous files that carry a name ("memfd:x") live on a mount that only the kernel has. */
static __always_inline bool pk_is_memfd(struct file *file, struct super_block *sb)
{
	char name[8] = {};

	if (!(BPF_CORE_READ(sb, s_flags) & PK_SB_KERNMOUNT))
		return false;
	bpf_probe_read_kernel_str(name, sizeof(name),
				  BPF_CORE_READ(file, f_path.dentry, d_name.name));
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
	       name[4] == 'd' && name[5] == ':';
}

static __always_inline void pk_exec_creds(struct pk_exec *r, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);

	r->uid = BPF_CORE_READ(cred, uid.val);
	r->gid = BPF_CORE_READ(cred, gid.val);
	r->euid = BPF_CORE_READ(cred, euid.val);
	r->egid = BPF_CORE_READ(cred, egid.val);
	r->cap_effective = pk_caps(__builtin_preserve_access_index(&cred->cap_effective));
	r->cap_permitted = pk_caps(__builtin_preserve_access_index(&cred->cap_permitted));
	/* Absent without CONFIG_AUDIT. */
	r->loginuid = r->sessionid = ~0U;
	if (bpf_core_field_exists(task->loginuid))
		r->loginuid = BPF_CORE_READ(task, loginuid.val);
	if (bpf_core_field_exists(task->sessionid))
		r->sessionid = BPF_CORE_READ(task, sessionid);
}

/* Its name until 6.5, until 6.10 and since. */
static __always_inline __u64 pk_ctime(struct inode *inode)
{
	if (bpf_core_field_exists(inode->i_ctime_sec))
		return BPF_CORE_READ(inode, i_ctime_sec);
	if (bpf_core_field_exists(inode->__i_ctime))
		return BPF_CORE_READ(inode, __i_ctime.tv_sec);
	if (bpf_core_field_exists(inode->i_ctime))
		return BPF_CORE_READ(inode, i_ctime.tv_sec);
	return 0;
}

static __always_inline void pk_exec_stdio(struct pk_exec *r, struct task_struct *task)
{
	for (__u32 i = 0; i < 3; i++)
		r->stdio[i] = pk_stdio_of(pk_fd_file(task, i), &r->stdio_cookie);
}

static __always_inline void pk_exec_file(struct pk_exec *r, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	unsigned long magic = BPF_CORE_READ(sb, s_magic);
	__u32 mode = BPF_CORE_READ(inode, i_mode);

	r->exe_ino = BPF_CORE_READ(inode, i_ino);
	r->exe_dev = BPF_CORE_READ(sb, s_dev);
	r->exe_mode = mode;
	r->exe_uid = BPF_CORE_READ(inode, i_uid.val);
	r->exe_ctime_s = pk_ctime(inode);
	if (BPF_CORE_READ(inode, i_nlink) == 0)
		r->exec_flags |= PK_EXEC_DELETED;
	if (magic == PK_TMPFS_MAGIC)
		r->exec_flags |= PK_EXEC_SHM;
	if (magic == PK_OVERLAY_MAGIC)
		r->exec_flags |= PK_EXEC_OVERLAY;
	if (pk_is_memfd(file, sb))
		r->exec_flags |= PK_EXEC_MEMFD;
	/* The credentials before are gone by now: the file asked for it and the ids do differ. */
	if ((mode & PK_S_ISUID && r->uid != r->euid && r->euid == r->exe_uid) ||
	    ((mode & (PK_S_ISGID | PK_S_IXGRP)) == (PK_S_ISGID | PK_S_IXGRP) && r->gid != r->egid))
		r->exec_flags |= PK_EXEC_SETID;
}

static __always_inline void pk_exec_places(struct pk_exec *r, struct task_struct *task,
					   struct file *file)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	r->path_len = pk_path_fill(r->path, sizeof(r->path),
				   __builtin_preserve_access_index(&file->f_path), &r->hdr.flags);
	if (fs)
		r->cwd_len = pk_path_fill(r->cwd, sizeof(r->cwd),
					  __builtin_preserve_access_index(&fs->pwd), &r->hdr.flags);
}

/* The caller has just been given this memory: nobody else has run in it yet. */
static __always_inline void pk_exec_argv(struct pk_exec *r, struct task_struct *task)
{
	unsigned long start = BPF_CORE_READ(task, mm, arg_start);
	unsigned long end = BPF_CORE_READ(task, mm, arg_end);
	__u64 total = end > start ? end - start : 0;
	__u64 head = total > PK_ARGV_LEN ? PK_ARGV_LEN : total;
	__u64 tail = total - head > PK_ARGV_TAIL_LEN ? PK_ARGV_TAIL_LEN : total - head;

	r->argv_total = total;
	if (bpf_probe_read_user(r->argv, head, (void *)start) == 0)
		r->argv_len = head;
	if (tail && bpf_probe_read_user(r->argv_tail, tail, (void *)(end - tail)) == 0)
		r->argv_tail_len = tail;
	if (r->argv_len + r->argv_tail_len < total)
		r->hdr.flags |= PK_EVF_TRUNCATED;
}

static __always_inline void pk_exec_names(struct pk_exec *r, struct linux_binprm *bprm)
{
	const char *filename = BPF_CORE_READ(bprm, filename);
	const char *interp = BPF_CORE_READ(bprm, interp);
	long n;

	n = bpf_probe_read_kernel_str(r->filename, sizeof(r->filename), filename);
	r->filename_len = n > 0 ? n : 0;
	if (interp == filename)
		return;
	r->exec_flags |= PK_EXEC_SCRIPT;
	n = bpf_probe_read_kernel_str(r->interp, sizeof(r->interp), interp);
	r->interp_len = n > 0 ? n : 0;
}

SEC("tp_btf/sched_process_exec")
int pk_proc_exec(__u64 *ctx) /* task, old_pid, bprm */
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct linux_binprm *bprm = (struct linux_binprm *)ctx[2];
	struct file *file = BPF_CORE_READ(bprm, file);
	struct pk_exec *r;

	pk_event_add(PK_EH_EXEC, seen);
	r = pk_reserve(pk_rb_proc, PK_RING_PROC, PK_EH_EXEC, PK_EV_EXEC, struct pk_exec);
	if (!r)
		return 0;
	pk_task_fill(&r->task, task);
	r->parent = pk_id_of(BPF_CORE_READ(task, real_parent));
	r->old_tid = (__u32)ctx[1];
	pk_exec_creds(r, task);
	pk_exec_file(r, file);
	pk_exec_places(r, task, file);
	pk_exec_names(r, bprm);
	pk_exec_argv(r, task);
	pk_exec_stdio(r, task);
	pk_submit(pk_rb_proc, PK_EH_EXEC, r);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int pk_proc_fork(__u64 *ctx)
{
	struct task_struct *parent = (struct task_struct *)ctx[0];
	struct task_struct *child = (struct task_struct *)ctx[1];
	struct pk_fork *r;

	pk_event_add(PK_EH_FORK, seen);
	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid)) {
		pk_event_add(PK_EH_FORK, filtered);
		return 0;
	}
	r = pk_reserve(pk_rb_proc, PK_RING_PROC, PK_EH_FORK, PK_EV_FORK, struct pk_fork);
	if (!r)
		return 0;
	pk_task_fill(&r->task, parent);
	r->child = pk_id_of(child);
	pk_submit(pk_rb_proc, PK_EH_FORK, r);
	return 0;
}

/*
 * Is this the last thread? Newer kernels say so. Before, two last threads that end at once may both
 * find nobody left: then exit is told twice for one process, never not at all.
 */
static __always_inline bool pk_exit_is_last(__u64 *ctx, struct task_struct *task)
{
	if (pk_exit_tells_last)
		return (bool)ctx[1];
	return BPF_CORE_READ(task, signal, live.counter) == 0;
}

SEC("tp_btf/sched_process_exit")
int pk_proc_exit(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct pk_exit *r;

	pk_event_add(PK_EH_EXIT, seen);
	if (!pk_exit_is_last(ctx, task)) {
		pk_event_add(PK_EH_EXIT, filtered);
		return 0;
	}
	r = pk_reserve(pk_rb_proc, PK_RING_PROC, PK_EH_EXIT, PK_EV_EXIT, struct pk_exit);
	if (!r)
		return 0;
	pk_task_fill(&r->task, task);
	r->code = BPF_CORE_READ(task, exit_code);
	pk_submit(pk_rb_proc, PK_EH_EXIT, r);
	return 0;
}

/*
 * Processes that run already, one struct pk_exec each, without argv (the reader takes it from
 * /proc). pk_snap is the workspace: one reader at a time.
 */
SEC("iter/task")
int pk_snap_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u32 zero = 0;
	struct pk_exec *r = bpf_map_lookup_elem(&pk_snap, &zero);
	struct file *file;

	if (!task || !r || BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid))
		return 0;
	pk_zero(r, sizeof(*r));
	r->hdr.ts = bpf_ktime_get_boot_ns();
	r->hdr.size = sizeof(*r);
	r->hdr.type = PK_EV_EXEC;
	r->hdr.flags = PK_EVF_SNAPSHOT;
	pk_task_fill(&r->task, task);
	r->parent = pk_id_of(BPF_CORE_READ(task, real_parent));
	pk_exec_creds(r, task);
	file = BPF_CORE_READ(task, mm, exe_file);
	if (file) {
		pk_exec_file(r, file);
		pk_exec_places(r, task, file);
	}
	bpf_seq_write(ctx->meta->seq, r, sizeof(*r));
	return 0;
}
