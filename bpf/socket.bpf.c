/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sockets and who owns them. The owner is written into the socket's storage where a process makes
 * or uses it, and told to the agent when it changes; packet programs copy it into flows. A call to
 * an address that a block list names is refused (EPERM); all else is allowed. Hooks that may run in
 * softirq never look at the current task.
 */
#include "lib/act.h"
#include "lib/emit.h"
#include "lib/sock.h"
#include "lib/verdict.h"

#define PK_AF_INET             2
#define PK_AF_PACKET           17
#define PK_AF_INET6            10
#define PK_TCP_ESTABLISHED     1
#define PK_TCP_CLOSE           7
#define PK_TCP_LISTEN          10
#define PK_SOL_PACKET          263
#define PK_PACKET_QDISC_BYPASS 20
#define PK_SOL_XDP             283
#define PK_XDP_UMEM_REG        4
#define PK_ALLOW               1
#define PK_REFUSE              0
#define PK_CGROUP_DEPTH        16 /* levels of nested cgroups that are looked at */

/* The address behind a context's socket as a number: its fields are read by bpf_probe_read_kernel.
 */
static __always_inline struct sock *pk_plain_sock(const void *of_ctx)
{
	const void *slot = of_ctx;
	struct sock *sk = NULL;

	bpf_probe_read_kernel(&sk, sizeof(sk), &slot);
	return sk;
}

static __always_inline struct task_struct *pk_current(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

static __always_inline void pk_map_v4(__u8 to[16], __be32 addr)
{
	__u32 *w = (__u32 *)to;

	w[0] = w[1] = 0;
	w[2] = bpf_htonl(0xffff);
	w[3] = addr;
}

static __always_inline void pk_sock_addrs(struct pk_sock *r, struct sock *sk)
{
	r->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	r->l4 = BPF_CORE_READ(sk, sk_protocol);
	r->lport = bpf_htons(BPF_CORE_READ(sk, __sk_common.skc_num));
	r->rport = BPF_CORE_READ(sk, __sk_common.skc_dport);
	if (r->family == PK_AF_INET) {
		pk_map_v4(r->laddr, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		pk_map_v4(r->raddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	} else {
		BPF_CORE_READ_INTO(&r->laddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&r->raddr, sk, __sk_common.skc_v6_daddr);
	}
}

/* Reserves and fills a record; the caller submits. task NULL: not in process context. */
static __always_inline struct pk_sock *pk_sock_record(__u32 hook, __u8 op, struct sock *sk,
						      const struct pk_sk *s,
						      struct task_struct *task)
{
	struct pk_sock *r;

	r = pk_reserve(pk_rb_sock, PK_RING_SOCK, hook, PK_EV_SOCK, struct pk_sock);
	if (!r)
		return NULL;
	r->op = op;
	if (task)
		pk_task_fill(&r->task, task);
	r->owner = s->owner;
	r->netns = s->netns;
	pk_sock_addrs(r, sk);
	return r;
}

static __always_inline void pk_sock_emit(__u32 hook, __u8 op, struct sock *sk,
					 const struct pk_sk *s, struct task_struct *task)
{
	struct pk_sock *r = pk_sock_record(hook, op, sk, s, task);

	if (r)
		pk_submit(pk_rb_sock, hook, r);
}

/* What storage needs that was just made. A socket of the kernel's own gets no user. */
static __always_inline void pk_sk_start(struct pk_sk *s, struct sock *sk, __u64 cookie)
{
	s->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	s->owner.cookie = cookie;
	if (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock)) {
		s->owner.flags = PK_OWNER_KERNEL;
		pk_owner_next_gen(&s->owner);
	}
}

/* The current process uses the socket; true when it is a new user. Kernel threads only lend a hand.
 */
static __always_inline bool pk_sk_used(struct pk_sk *s, struct task_struct *task)
{
	if (s->owner.flags & PK_OWNER_KERNEL || BPF_CORE_READ(task, flags) & PK_PF_KTHREAD)
		return false;
	return pk_sk_use(s, task);
}

SEC("cgroup/sock_create")
int pk_sock_create(struct bpf_sock *ctx)
{
	struct task_struct *task = pk_current();
	struct sock *sk = pk_plain_sock(ctx);
	struct pk_sk *s;

	pk_event_add(PK_EH_SOCK_CREATE, seen);
	s = bpf_sk_storage_get(&pk_sk, ctx, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!s) {
		pk_event_add(PK_EH_SOCK_CREATE, map_full);
		return PK_ALLOW;
	}
	pk_sk_start(s, sk, bpf_get_socket_cookie(ctx));
	if (!pk_sk_used(s, task)) { /* a kernel thread made it */
		s->owner.flags |= PK_OWNER_KERNEL;
		pk_owner_next_gen(&s->owner);
	}
	s->owner.creator = s->owner.user;
	pk_sock_emit(PK_EH_SOCK_CREATE, PK_SOCK_CREATE, sk, s, task);
	return PK_ALLOW;
}

/* The end of a socket in process context; TCP that was connected has its end in pk_sock_state. */
SEC("cgroup/sock_release")
int pk_sock_release(struct bpf_sock *ctx)
{
	struct pk_sk *s = bpf_sk_storage_get(&pk_sk, ctx, NULL, 0);
	__u8 state = ctx->state;

	pk_event_add(PK_EH_SOCK_STATE, seen);
	if (!s || s->closed || (ctx->protocol == IPPROTO_TCP && state != PK_TCP_CLOSE)) {
		pk_event_add(PK_EH_SOCK_STATE, filtered);
		return PK_ALLOW;
	}
	s->closed = 1;
	pk_sock_emit(PK_EH_SOCK_STATE, PK_SOCK_CLOSE, pk_plain_sock(ctx), s, pk_current());
	return PK_ALLOW;
}

static __always_inline int pk_bound(struct bpf_sock *ctx)
{
	struct task_struct *task = pk_current();
	struct sock *sk = pk_plain_sock(ctx);
	struct pk_sk *s;

	pk_event_add(PK_EH_SOCK_BIND, seen);
	s = bpf_sk_storage_get(&pk_sk, ctx, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!s) {
		pk_event_add(PK_EH_SOCK_BIND, map_full);
		return PK_ALLOW;
	}
	if (!s->owner.gen)
		pk_sk_start(s, sk, bpf_get_socket_cookie(ctx));
	pk_sk_used(s, task);
	pk_sock_emit(PK_EH_SOCK_BIND, PK_SOCK_BIND, sk, s, task);
	return PK_ALLOW;
}

SEC("cgroup/post_bind4")
int pk_bind4(struct bpf_sock *ctx)
{
	return pk_bound(ctx);
}

SEC("cgroup/post_bind6")
int pk_bind6(struct bpf_sock *ctx)
{
	return pk_bound(ctx);
}

static __always_inline struct pk_sk *pk_addr_sk(struct bpf_sock_addr *ctx, struct sock *sk)
{
	struct bpf_sock *full = ctx->sk;
	struct pk_sk *s;

	if (!full)
		return NULL;
	s = bpf_sk_storage_get(&pk_sk, full, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (s && !s->owner.gen)
		pk_sk_start(s, sk, bpf_get_socket_cookie(ctx));
	return s;
}

/* Rules for this executable, user or cgroup, if there are any. */
static __always_inline void pk_blk_who_rules(struct pk_blk_query *q, __u64 id, __u32 dev,
					     __u32 kind)
{
	struct pk_blk_who_key k = { .id = id, .dev = dev, .kind = kind };
	struct pk_blk_who *w = bpf_map_lookup_elem(&pk_blk_who, &k);

	if (w)
		(void)pk_blk_walk(q, w->line);
}

static __always_inline void pk_blk_by_exe(struct pk_blk_query *q, struct task_struct *task)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	if (inode)
		pk_blk_who_rules(q, BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev),
				 PK_BLK_WHO_EXE);
}

/* A rule for a cgroup is for all below it, too. */
static __always_inline void pk_blk_by_cgroup(struct pk_blk_query *q)
{
	__u64 id;
	int i;

	for (i = 0; i < PK_CGROUP_DEPTH; i++) {
		id = bpf_get_current_ancestor_cgroup_id(i);
		if (!id)
			break;
		pk_blk_who_rules(q, id, 0, PK_BLK_WHO_CGROUP);
	}
}

/* What block lists say about this call; global, as four hooks ask. 1: it is refused. */
__noinline int pk_blk_judge(struct pk_blk_query *q)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pk_blk_ctl *ctl;
	__u32 zero = 0, line;

	ctl = bpf_map_lookup_elem(&pk_blk_ctl, &zero);
	if (!q || !ctl || !ctl->have)
		return 0;
	line = pk_blk_find(q->remote[0], q->remote[1]);
	if (line)
		(void)pk_blk_walk(q, line);
	q->by_who = 1;
	if (ctl->have & PK_BLK_HAVE_EXE)
		pk_blk_by_exe(q, task);
	if (ctl->have & PK_BLK_HAVE_UID)
		pk_blk_who_rules(q, BPF_CORE_READ(task, cred, euid.val), 0, PK_BLK_WHO_UID);
	if (ctl->have & PK_BLK_HAVE_CGROUP)
		pk_blk_by_cgroup(q);
	return q->drop || q->see ? pk_blk_settle(q) : 0;
}

static __always_inline bool pk_is_refused(struct bpf_sock_addr *ctx, bool v6, __u8 where)
{
	struct pk_blk_query q = {
		.dir = PK_BLK_OUT,
		.where = where,
		.packets = 1,
	};

	q.proto = ctx->protocol;
	q.rport = ctx->user_port;
	q.dport = PK_BE16(q.rport);
	q.netns = bpf_get_netns_cookie(ctx);
	if (v6) {
		__u32 *w = (__u32 *)q.remote;

		w[0] = ctx->user_ip6[0];
		w[1] = ctx->user_ip6[1];
		w[2] = ctx->user_ip6[2];
		w[3] = ctx->user_ip6[3];
	} else {
		pk_map_v4((__u8 *)q.remote, ctx->user_ip4);
	}
	return pk_blk_judge(&q);
}

/* The remote end comes from the call: the socket does not have it yet. */
static __always_inline int pk_connects(struct bpf_sock_addr *ctx, bool v6)
{
	struct task_struct *task = pk_current();
	struct sock *sk = pk_plain_sock(ctx->sk);
	struct pk_sk *s = pk_addr_sk(ctx, sk);
	int verdict = pk_is_refused(ctx, v6, PK_VERDICT_CONNECT) ? PK_REFUSE : PK_ALLOW;
	struct pk_sock *r;

	pk_event_add(PK_EH_SOCK_CONNECT, seen);
	if (!s) {
		pk_event_add(PK_EH_SOCK_CONNECT, map_full);
		return verdict;
	}
	pk_sk_used(s, task);
	s->closed = 0;
	r = pk_sock_record(PK_EH_SOCK_CONNECT, PK_SOCK_CONNECT, sk, s, task);
	if (!r)
		return verdict;
	r->rport = ctx->user_port;
	if (v6) {
		__u32 *w = (__u32 *)r->raddr;

		w[0] = ctx->user_ip6[0];
		w[1] = ctx->user_ip6[1];
		w[2] = ctx->user_ip6[2];
		w[3] = ctx->user_ip6[3];
	} else {
		pk_map_v4(r->raddr, ctx->user_ip4);
	}
	pk_submit(pk_rb_sock, PK_EH_SOCK_CONNECT, r);
	return verdict;
}

SEC("cgroup/connect4")
int pk_connect4(struct bpf_sock_addr *ctx)
{
	return pk_connects(ctx, false);
}

SEC("cgroup/connect6")
int pk_connect6(struct bpf_sock_addr *ctx)
{
	return pk_connects(ctx, true);
}

/* Sending or receiving by whom it always was is no event; only a new user is counted and told. */
static __always_inline void pk_uses(struct pk_sk *s, struct sock *sk, struct task_struct *task)
{
	if (!pk_sk_used(s, task))
		return;
	pk_event_add(PK_EH_SOCK_SEND, seen);
	pk_sock_emit(PK_EH_SOCK_SEND, PK_SOCK_USER, sk, s, task);
}

static __always_inline int pk_addr_used(struct bpf_sock_addr *ctx)
{
	struct task_struct *task = pk_current();
	struct sock *sk = pk_plain_sock(ctx->sk);
	struct pk_sk *s = pk_addr_sk(ctx, sk);

	if (s) {
		pk_uses(s, sk, task);
	} else {
		pk_event_add(PK_EH_SOCK_SEND, seen);
		pk_event_add(PK_EH_SOCK_SEND, map_full);
	}
	return PK_ALLOW;
}

SEC("cgroup/sendmsg4")
int pk_sendmsg4(struct bpf_sock_addr *ctx)
{
	(void)pk_addr_used(ctx);
	return pk_is_refused(ctx, false, PK_VERDICT_SENDMSG) ? PK_REFUSE : PK_ALLOW;
}

SEC("cgroup/sendmsg6")
int pk_sendmsg6(struct bpf_sock_addr *ctx)
{
	(void)pk_addr_used(ctx);
	return pk_is_refused(ctx, true, PK_VERDICT_SENDMSG) ? PK_REFUSE : PK_ALLOW;
}

SEC("cgroup/recvmsg4")
int pk_recvmsg4(struct bpf_sock_addr *ctx)
{
	return pk_addr_used(ctx);
}

SEC("cgroup/recvmsg6")
int pk_recvmsg6(struct bpf_sock_addr *ctx)
{
	return pk_addr_used(ctx);
}

/*
 * Packet sockets pass no hook where they are made: they get their owner when an option is set, as
 * all that filter do, or else with their first send. No record: they are told as acts, and have no
 * ends.
 */
static __always_inline void pk_packet_uses(struct pk_sk *s, struct sock *sk,
					   struct task_struct *task, __u64 cookie)
{
	bool first = !s->owner.gen;

	if (first)
		pk_sk_start(s, sk, cookie);
	if (pk_sk_used(s, task) && first)
		s->owner.creator = s->owner.user;
}

/* Every send and receive by a process (6.3): also what passes no address, by read, write, splice.
 */
static __always_inline int pk_length(__u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk = (struct sock *)ctx[0];
	__u16 family = sk->__sk_common.skc_family;
	struct pk_sk *s;

	if (family != PK_AF_INET && family != PK_AF_INET6 && family != PK_AF_PACKET)
		return 0;
	s = bpf_sk_storage_get(&pk_sk, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!s)
		return 0;
	if (family == PK_AF_PACKET) {
		pk_packet_uses(s, sk, task, bpf_get_socket_cookie(sk));
		return 0;
	}
	if (!s->owner.gen)
		pk_sk_start(s, sk, bpf_get_socket_cookie(sk));
	pk_uses(s, sk, task);
	return 0;
}

SEC("?tp_btf/sock_send_length")
int pk_sent(__u64 *ctx)
{
	return pk_length(ctx);
}

SEC("?tp_btf/sock_recv_length")
int pk_received(__u64 *ctx)
{
	return pk_length(ctx);
}

/* A child has its listener's storage, cloned; its own cookie makes it its own. */
static __always_inline bool pk_sk_is_clone(struct pk_sk *s, __u64 cookie)
{
	if (s->owner.cookie == cookie)
		return false;
	s->owner.cookie = cookie;
	s->owner.flags |= PK_OWNER_ACCEPTED;
	s->closed = 0;
	pk_owner_next_gen(&s->owner);
	return true;
}

/* In softirq, mostly: the record has no task. Only listen() is always a call of a process. */
SEC("tp_btf/inet_sock_set_state")
int pk_sock_state(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	int state = (int)ctx[2];
	struct pk_sk *s = NULL;
	__u8 op = 0;

	pk_event_add(PK_EH_SOCK_STATE, seen);
	if (state == PK_TCP_LISTEN)
		s = bpf_sk_storage_get(&pk_sk, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	else if (state == PK_TCP_ESTABLISHED || state == PK_TCP_CLOSE)
		s = bpf_sk_storage_get(&pk_sk, sk, NULL, 0);
	if (!s) {
		pk_event_add(PK_EH_SOCK_STATE, filtered);
		return 0;
	}
	if (state == PK_TCP_LISTEN) {
		struct task_struct *task = bpf_get_current_task_btf();

		if (!s->owner.gen)
			pk_sk_start(s, sk, bpf_get_socket_cookie(sk));
		pk_sk_used(s, task);
		s->closed = 0;
		pk_sock_emit(PK_EH_SOCK_STATE, PK_SOCK_LISTEN, sk, s, task);
		return 0;
	}
	if (state == PK_TCP_ESTABLISHED) {
		op = pk_sk_is_clone(s, bpf_get_socket_cookie(sk)) ? PK_SOCK_ACCEPT
								  : PK_SOCK_ESTABLISHED;
	} else {
		(void)pk_sk_is_clone(s, bpf_get_socket_cookie(sk));
		s->closed = 1;
		op = PK_SOCK_CLOSE;
	}
	pk_sock_emit(PK_EH_SOCK_STATE, op, sk, s, NULL);
	return 0;
}

static __always_inline void pk_packet_option(struct bpf_sockopt *ctx, struct sock *sk)
{
	struct bpf_sock *full = ctx->sk;
	struct pk_sk *s;

	if (!full || BPF_CORE_READ(sk, __sk_common.skc_family) != PK_AF_PACKET)
		return;
	s = bpf_sk_storage_get(&pk_sk, full, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (s)
		pk_packet_uses(s, sk, pk_current(),
			       BPF_CORE_READ(sk, __sk_common.skc_cookie.counter));
}

/* Two options that send round tc. optlen 0: the kernel takes the caller's bytes, however long. */
SEC("cgroup/setsockopt")
int pk_sockopt(struct bpf_sockopt *ctx)
{
	struct sock *sk = pk_plain_sock(ctx->sk);
	struct pk_act_args a = {};

	pk_event_add(PK_EH_SOCK_OPT, seen);
	if (ctx->level == PK_SOL_PACKET && ctx->optname == PK_PACKET_QDISC_BYPASS)
		a.kind = PK_ACT_QDISC_BYPASS;
	else if (ctx->level == PK_SOL_XDP && ctx->optname == PK_XDP_UMEM_REG)
		a.kind = PK_ACT_XDP_UMEM;
	ctx->optlen = 0;
	pk_packet_option(ctx, sk);
	if (!a.kind) {
		pk_event_add(PK_EH_SOCK_OPT, filtered);
		return PK_ALLOW;
	}
	a.arg[0] = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	pk_act_emit(PK_EH_SOCK_OPT, pk_current(), &a);
	return PK_ALLOW;
}

static __always_inline __u8 pk_op_of_state(__u8 state)
{
	if (state == PK_TCP_LISTEN)
		return PK_SOCK_LISTEN;
	return state == PK_TCP_ESTABLISHED ? PK_SOCK_ESTABLISHED : PK_SOCK_CREATE;
}

/* Sockets that are open already: the first process that holds one is its owner. */
SEC("iter/task_file")
int pk_snap_sock(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct pk_sock r = {};
	struct socket *socket;
	struct pk_sk *s;
	struct sock *sk;
	__u16 family;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	family = sk->__sk_common.skc_family;
	if (family != PK_AF_INET && family != PK_AF_INET6 && family != PK_AF_PACKET)
		return 0;
	s = bpf_sk_storage_get(&pk_sk, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!s || s->owner.gen)
		return 0;
	pk_sk_start(s, sk, bpf_get_socket_cookie(sk));
	s->owner.flags |= PK_OWNER_SNAPSHOT;
	pk_sk_use(s, task);
	s->owner.creator = s->owner.user;
	if (family == PK_AF_PACKET) /* no record: see pk_packet_uses() */
		return 0;
	r.hdr.ts = bpf_ktime_get_boot_ns();
	r.hdr.size = sizeof(r);
	r.hdr.type = PK_EV_SOCK;
	r.hdr.flags = PK_EVF_SNAPSHOT;
	r.op = pk_op_of_state(sk->__sk_common.skc_state);
	pk_task_fill(&r.task, task);
	r.owner = s->owner;
	r.netns = s->netns;
	pk_sock_addrs(&r, sk);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
