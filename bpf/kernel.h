/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel as Picket sees it: only the types and fields the programs read, relocated by CO-RE at
 * load time. It is also the audit list of kernel internals. UAPI types come from <linux/...>.
 * `tests/check` compares every field here with the BTF of each kernel under test.
 * Drift between kernels is handled here and nowhere else.
 */
#ifndef PICKET_KERNEL_H
#define PICKET_KERNEL_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#define __ksym_read __attribute__((preserve_access_index))

/* Names that the programs never need apart from a field's type. */
struct ns_common {
	unsigned int inum;
} __ksym_read;

struct net {
	struct ns_common ns;
	__u64 net_cookie;
} __ksym_read;

typedef struct {
	struct net *net;
} possible_net_t;

struct mnt_namespace {
	struct ns_common ns;
} __ksym_read;

/* xa_head and slots hold tagged pointers: see pk_task_by_pid(). */
struct xarray {
	void *xa_head;
} __ksym_read;

struct xa_node {
	unsigned char shift;
	void *slots[64];
} __ksym_read;

struct idr {
	struct xarray idr_rt;
} __ksym_read;

struct pid_namespace {
	struct idr idr;
	unsigned int level;
	struct ns_common ns;
} __ksym_read;

struct upid {
	int nr;
	struct pid_namespace *ns;
} __ksym_read;

struct hlist_node {
	struct hlist_node *next;
} __ksym_read;

struct hlist_head {
	struct hlist_node *first;
} __ksym_read;

struct pid {
	unsigned int level;
	struct hlist_head tasks[4];
	struct upid numbers[0]; /* one for each level */
} __ksym_read;

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
} __ksym_read;

struct kernfs_node {
	__u64 id;
} __ksym_read;

struct cgroup {
	struct kernfs_node *kn;
} __ksym_read;

struct css_set {
	struct cgroup *dfl_cgrp;
} __ksym_read;

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

/* Two words of 32 bits until 6.2, one of 64 since 6.3 (f122a08b197d): see pk_caps(). */
struct kernel_cap_struct {
	__u32 cap[2];
} __ksym_read;

typedef struct {
	__u64 val;
} kernel_cap_t;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kgid_t egid;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
} __ksym_read;

struct qstr {
	const unsigned char *name;
} __ksym_read;

struct super_block {
	__u32 s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
} __ksym_read;

struct timespec64 {
	long long tv_sec;
} __ksym_read;

struct inode {
	unsigned short i_mode;
	kuid_t i_uid;
	struct super_block *i_sb;
	unsigned long i_ino;
	const unsigned int i_nlink;
	unsigned int i_rdev;
	struct timespec64 i_ctime;
	struct timespec64 __i_ctime;
	long long i_ctime_sec;
} __ksym_read;

struct dentry {
	struct dentry *d_parent;
	const struct qstr d_name;
} __ksym_read;

struct vfsmount {
	struct dentry *mnt_root;
} __ksym_read;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
} __ksym_read;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} __ksym_read;

struct file {
	void *private_data;
	struct inode *f_inode;
	const struct path f_path;
} __ksym_read;

struct fs_struct {
	struct path pwd;
} __ksym_read;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} __ksym_read;

struct files_struct {
	struct fdtable *fdt;
} __ksym_read;

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
	struct file *exe_file;
} __ksym_read;

struct signal_struct {
	struct {
		int counter;
	} live;
} __ksym_read;

struct thread_info {
	unsigned long flags;
	__u32 status; /* x86 */
} __ksym_read;

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	struct mm_struct *mm;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	__u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	kuid_t loginuid;
	unsigned int sessionid;
	struct css_set *cgroups;
} __ksym_read;

struct linux_binprm {
	struct file *file;
	const char *filename;
	const char *interp;
} __ksym_read;

/* Registers at the end of a system call: see pk_sys_nr() and pk_sys_args(). */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bp, bx, r10, r9, r8, dx, si, di, cx, orig_ax;
} __ksym_read;
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	int syscallno;
} __ksym_read;
#else
#error "no system call registers for this architecture"
#endif

struct io_kiocb {
	__u8 opcode;
} __ksym_read;

/* What io_uring keeps of a socket() request at the head of its io_kiocb (since 5.19). */
struct io_socket {
	int domain;
	int type;
	int protocol;
} __ksym_read;

/*
 * Sockets.
 */
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	struct {
		__s64 counter;
	} skc_cookie;
} __ksym_read;

struct sock {
	struct sock_common __sk_common;
	__u8 sk_kern_sock : 1;
	__u16 sk_type;
	__u16 sk_protocol;
} __ksym_read;

struct socket {
	struct sock *sk;
} __ksym_read;

/* What the iterators are given. */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} __ksym_read;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __ksym_read;

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
} __ksym_read;

#endif
