/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map and knob, declared once; maps.bpf.c defines them. Four facts for each map: who writes,
 * who reads, why this size, what happens when it is full.
 */
#ifndef PICKET_MAPS_H
#define PICKET_MAPS_H

#include "kernel.h"

#include <picket/block.h>
#include <picket/map.h>

/* Knobs, fixed at load (rodata), so that dead branches vanish. */
extern const volatile __u64 pk_netns;       /* cookie of the net namespace this instance serves */
extern const volatile __u32 pk_bucket_mask; /* buckets - 1, a power of two */
extern const volatile __u64 pk_hash_key[8]; /* random per boot: an attacker must not pick slots */
extern const volatile bool pk_replaying;    /* time and length from pk_replay */
extern const volatile __u8 pk_sys_native[PK_SYS_MAX]; /* enum pk_sys_class by number */
extern const volatile __u8 pk_sys_compat[PK_SYS_MAX]; /* the same for 32-bit calls */
/* How this kernel's tracepoints are made: found in its BTF by the agent. */
extern const volatile bool pk_exit_tells_last;  /* sched_process_exit has a second argument */
extern const volatile bool pk_uring_ring_first; /* io_uring_submit_sqe: the request comes second */

/* The time of the last tick, see lib/time.h. Written and read by the packet programs. */
extern __u64 pk_tick[2];

/*
 * pk_buckets, pk_flows: the flow table; a flow lives in one of the PK_WAYS ways of either of its
 * two buckets. Tags lie apart from flows so that a lookup that fails reads two lines only. Written
 * by the packet programs and the sweep; read by the sweep only. Size: flow.slots of the config
 * (default 65,536 slots, 24 MiB), a power of two of buckets. Full: the packet goes to pk_aggs,
 * counted as refused. Mappable only because that aligns the values to cache lines.
 */
struct pk_bucket {
	__u32 tag[PK_WAYS];
};
struct pk_ways {
	struct pk_flow way[PK_WAYS];
};
struct pk_map_buckets {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct pk_bucket);
};
struct pk_map_flows {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct pk_ways);
};
extern struct pk_map_buckets pk_buckets SEC(".maps");
extern struct pk_map_flows pk_flows SEC(".maps");

/*
 * pk_locks: one lock for many buckets, taken to insert only. Apart from the buckets, because the
 * sweep sleeps and programs that sleep may not touch a map with locks before 6.7. 256: as many
 * inserters at once as there may be CPUs; more only wait for each other.
 */
#define PK_LOCKS 256
struct pk_lock {
	struct bpf_spin_lock lock;
	__u32 pad[15];
};
struct pk_map_locks {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PK_LOCKS);
	__type(key, __u32);
	__type(value, struct pk_lock);
};
extern struct pk_map_locks pk_locks SEC(".maps");

/* pk_use: occupancy. Written by packet programs and sweep (atomics), read by the agent. */
struct pk_map_use {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pk_table_use);
};
extern struct pk_map_use pk_use SEC(".maps");

/* pk_knobs: settings that change while running. Written by the agent, read by sweep and inserts. */
struct pk_map_knobs {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pk_knobs);
};
extern struct pk_map_knobs pk_knobs SEC(".maps");

/* pk_replay: the capture's clock. Written by replay and tests, read when pk_replaying. */
struct pk_map_replay {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct pk_replay_ctx);
};
extern struct pk_map_replay pk_replay SEC(".maps");

/* pk_pkt_cnt: packet counters per hook and CPU. One value per enum pk_hook: cannot be full. */
struct pk_pkt_counts {
	__u64 n[PK_PKT_COUNT_MAX];
};
struct pk_map_pkt_cnt {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PK_HOOK_PKT_MAX);
	__type(key, __u32);
	__type(value, struct pk_pkt_counts);
};
extern struct pk_map_pkt_cnt pk_pkt_cnt SEC(".maps");

/* pk_ev_cnt: event counters per hook and CPU. One value per enum pk_event_hook: cannot be full. */
struct pk_map_ev_cnt {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PK_EH_MAX);
	__type(key, __u32);
	__type(value, struct pk_event_count);
};
extern struct pk_map_ev_cnt pk_ev_cnt SEC(".maps");

/* pk_seq: next sequence number per ring and CPU (enum pk_ring). */
enum pk_ring {
	PK_RING_PROC = 0,
	PK_RING_SOCK = 1,
	PK_RING_FLOW = 2,
	PK_RING_BLOCK = 3,
	PK_RING_SAMPLE = 4,
	PK_RING_RECORD = 5,
	PK_RING_MAX
};
struct pk_map_seq {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PK_RING_MAX);
	__type(key, __u32);
	__type(value, __u32);
};
extern struct pk_map_seq pk_seq SEC(".maps");

/*
 * pk_frags: ports of the first fragment for the later ones. Written and read by the packet
 * programs. A cache: 4,096 datagrams in flight; full: the oldest goes, its later fragments are
 * counted as orphans.
 */
struct pk_frag_key {
	__u8 src[16], dst[16];
	__u64 netns;
	__u32 id;
	__u32 proto; /* as the fragment names it: IPv6 may name an extension header */
};
struct pk_frag {
	__be16 sport, dport;
	__u32 proto; /* of the flow */
	__u64 ns;
};
struct pk_map_frags {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct pk_frag_key);
	__type(value, struct pk_frag);
};
extern struct pk_map_frags pk_frags SEC(".maps");

/*
 * pk_aggs: packets that got no slot, by destination. Totals, written by packet programs, read by
 * the agent, which may delete only what was silent for long: a program may still hold an element.
 * 4,096 destinations; full: pk_agg_rest, by protocol (cannot be full; ARP is number 255).
 */
struct pk_map_aggs {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct pk_agg_key);
	__type(value, struct pk_agg);
};
struct pk_map_agg_rest {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct pk_agg);
};
extern struct pk_map_aggs pk_aggs SEC(".maps");
extern struct pk_map_agg_rest pk_agg_rest SEC(".maps");

/*
 * pk_sk: the owner, stored with the socket, cloned to accepted children. Written by the socket
 * hooks, read by them and by tc egress. As many as there are sockets; out of memory: counted as
 * map_full of the hook, the flow stays unowned.
 */
struct pk_sk {
	struct pk_owner owner;
	__u64 netns;  /* cookie of the socket's net namespace */
	__u32 busy;   /* 1: somebody is changing the owner */
	__u32 closed; /* 1: its end was reported */
};
struct pk_map_sk {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct pk_sk);
};
extern struct pk_map_sk pk_sk SEC(".maps");

/*
 * pk_uring_ops: socket opcodes of io_uring that a process was reported for. Written and read by the
 * io_uring programs. A cache of 8,192; full: the oldest goes and may be reported again.
 */
struct pk_uring_key {
	__u64 start_ns;
	__u32 tgid;
	__u32 op;
};
struct pk_map_uring_ops {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct pk_uring_key);
	__type(value, __u32);
};
extern struct pk_map_uring_ops pk_uring_ops SEC(".maps");

/*
 * pk_snap: workspace of the iterator over processes, which has one reader at a time. One record:
 * cannot be full.
 */
struct pk_map_snap {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pk_exec);
};
extern struct pk_map_snap pk_snap SEC(".maps");

/*
 * The rings: written by the hooks, read by the agent. Apart, so that a flood of one kind can't
 * drown another. proc: 8 MiB, about 2,000 exec records; sock: 4 MiB, about 20,000; flow: 8 MiB,
 * about 20,000 reports. Full: the record is counted (proc, sock) or tried again (flow).
 */
struct pk_map_rb_proc {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
};
struct pk_map_rb_sock {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
};
struct pk_map_rb_flow {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
};
extern struct pk_map_rb_proc pk_rb_proc SEC(".maps");
extern struct pk_map_rb_sock pk_rb_sock SEC(".maps");
extern struct pk_map_rb_flow pk_rb_flow SEC(".maps");

/*
 * Samples, written by the packet programs, read by the agent. sample: 16 MiB, about 20,000
 * ClientHellos; record: 16 MiB, about 9,000 full frames, written only while somebody records. Full:
 * counted in pk_sample_cnt.
 */
struct pk_map_rb_sample {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
};
struct pk_map_rb_record {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
};
extern struct pk_map_rb_sample pk_rb_sample SEC(".maps");
extern struct pk_map_rb_record pk_rb_record SEC(".maps");

/*
 * pk_sample_cnt: what became of samples, per application and CPU. pk_gates: how many each
 * application had in this second on this CPU, for the packet programs alone. One value per row:
 * cannot be full.
 */
struct pk_map_sample_cnt {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PK_ROW_MAX);
	__type(key, __u32);
	__type(value, struct pk_sample_count);
};
struct pk_gate {
	__u64 second;
	__u64 n;
};
struct pk_map_gates {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PK_ROW_MAX);
	__type(key, __u32);
	__type(value, struct pk_gate);
};
extern struct pk_map_sample_cnt pk_sample_cnt SEC(".maps");
extern struct pk_map_gates pk_gates SEC(".maps");

/*
 * The block lists, see <picket/block.h>. pool: the lines of rules, nodes and words, in chunks that
 * the broker makes when the agent asks; written by the agent (rules' counters: by the packet
 * programs), read by all. Size: in proportion to the lists, at most block.memory of the config.
 * Full: a change is refused, nothing is lost. roots: the first 16 bits of IPv6 and 19 of IPv4,
 * 4.5 MiB: written by the agent, read by all, cannot be full.
 */
struct pk_map_blk_chunk {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PK_BLK_CHUNK_LINES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(union pk_blk_line));
};
struct pk_map_blk_pool {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PK_BLK_CHUNKS_MAX);
	__type(key, __u32);
	__array(values, struct pk_map_blk_chunk);
};
struct pk_map_blk_roots {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PK_BLK_ROOT_WORDS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct pk_map_blk_pool pk_blk_pool SEC(".maps");
extern struct pk_map_blk_roots pk_blk_roots SEC(".maps");

/* pk_blk_ctl, pk_blk_lists: what there is, and the state of each list. Written by the agent. */
struct pk_map_blk_ctl {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct pk_blk_ctl);
};
struct pk_map_blk_lists {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PK_BLK_LISTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct pk_blk_list);
};
extern struct pk_map_blk_ctl pk_blk_ctl SEC(".maps");
extern struct pk_map_blk_lists pk_blk_lists SEC(".maps");

/* pk_blk_cnt: per list and CPU, so that a flood on all CPUs does not fight for one line. */
struct pk_map_blk_cnt {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PK_BLK_LISTS);
	__type(key, __u32);
	__type(value, struct pk_blk_count);
};
extern struct pk_map_blk_cnt pk_blk_cnt SEC(".maps");

/* pk_blk_news: how many packets each CPU told of in this second. For block.bpf.c alone. */
struct pk_blk_news {
	__u64 since_ns;
	__u64 told;
};
struct pk_map_blk_news {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pk_blk_news);
};
extern struct pk_map_blk_news pk_blk_news SEC(".maps");

/*
 * pk_blk_tally: hits of up to 64 rules that are not in the counters of rules, lists and hook yet,
 * and what is known of addresses that were dropped, per CPU. Written and emptied by packet
 * programs; pk_drain empties it when the agent asks. Full: emptied before the next one; an address
 * that is known in the place of another one takes it.
 */
struct pk_map_blk_tally {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pk_blk_tally);
};
extern struct pk_map_blk_tally pk_blk_tally SEC(".maps");

/*
 * pk_blk_who: rules for what processes do. Written by the agent, read by the call hooks. 4,096
 * executables, users and cgroups; full: the rule is refused.
 */
struct pk_map_blk_who {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct pk_blk_who_key);
	__type(value, struct pk_blk_who);
};
extern struct pk_map_blk_who pk_blk_who SEC(".maps");

/*
 * The safe set: written by the broker alone, read by whoever is about to drop. 4,096 prefixes;
 * full: reported, and guarded at input only.
 */
struct pk_map_blk_safe {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pk_blk_safe_key);
	__type(value, struct pk_blk_safe);
};
struct pk_map_blk_safe_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pk_blk_safe_map);
};
extern struct pk_map_blk_safe pk_blk_safe SEC(".maps");
extern struct pk_map_blk_safe_map pk_blk_safe_map SEC(".maps");

/*
 * Names whose queries are refused. names: written by the agent (counters: by tc egress), read by tc
 * egress. 262,144 names, 80 bytes each, taken as they come; full: the name's queries are not
 * refused, which is told. ctl: the key of the hashes and how many names there are, written by the
 * agent. scratch: a question being read, per CPU: a program that sends is not interrupted by
 * another one that does. One value: can't be full.
 */
struct pk_dns_scratch {
	struct pk_dns_key hash, found;
	__u64 told_ns; /* last record of a question without a name */
	__u32 next, n, below;
	__u32 mode; /* enum pk_blk_mode of what was found */
	__u16 list, qtype;
	__u32 allowed;
	__u8 wire[264], text[264];
};
struct pk_map_dns_names {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PK_DNS_NAMES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pk_dns_key);
	__type(value, struct pk_dns_name);
};
struct pk_map_dns_ctl {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct pk_dns_ctl);
};
struct pk_map_dns_scratch {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pk_dns_scratch);
};
extern struct pk_map_dns_names pk_dns_names SEC(".maps");
extern struct pk_map_dns_ctl pk_dns_ctl SEC(".maps");
extern struct pk_map_dns_scratch pk_dns_scratch SEC(".maps");

/* pk_rb_block: verdicts, at most one a second and rule. 1 MiB, about 5,900; full: counted. */
struct pk_map_rb_block {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
};
extern struct pk_map_rb_block pk_rb_block SEC(".maps");

#endif
