/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Defines what maps.h declares; the linker refuses a mismatch. */
#include "maps.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 pk_abi = PK_ABI;
const volatile __u64 pk_netns = 0;
const volatile __u32 pk_bucket_mask = 8191;
const volatile __u64 pk_hash_key[8] = {};
const volatile bool pk_replaying = false;
__u64 pk_tick[2];
const volatile __u8 pk_sys_native[PK_SYS_MAX] = {};
const volatile __u8 pk_sys_compat[PK_SYS_MAX] = {};
const volatile bool pk_exit_tells_last = false;
const volatile bool pk_uring_ring_first = false;

struct pk_map_buckets pk_buckets SEC(".maps");
struct pk_map_flows pk_flows SEC(".maps");
struct pk_map_locks pk_locks SEC(".maps");
struct pk_map_use pk_use SEC(".maps");
struct pk_map_knobs pk_knobs SEC(".maps");
struct pk_map_replay pk_replay SEC(".maps");
struct pk_map_pkt_cnt pk_pkt_cnt SEC(".maps");
struct pk_map_ev_cnt pk_ev_cnt SEC(".maps");
struct pk_map_seq pk_seq SEC(".maps");
struct pk_map_frags pk_frags SEC(".maps");
struct pk_map_aggs pk_aggs SEC(".maps");
struct pk_map_agg_rest pk_agg_rest SEC(".maps");
struct pk_map_sk pk_sk SEC(".maps");
struct pk_map_uring_ops pk_uring_ops SEC(".maps");
struct pk_map_snap pk_snap SEC(".maps");
struct pk_map_rb_proc pk_rb_proc SEC(".maps");
struct pk_map_rb_sock pk_rb_sock SEC(".maps");
struct pk_map_rb_flow pk_rb_flow SEC(".maps");
struct pk_map_rb_sample pk_rb_sample SEC(".maps");
struct pk_map_rb_record pk_rb_record SEC(".maps");
struct pk_map_sample_cnt pk_sample_cnt SEC(".maps");
struct pk_map_gates pk_gates SEC(".maps");
struct pk_map_blk_pool pk_blk_pool SEC(".maps");
struct pk_map_blk_roots pk_blk_roots SEC(".maps");
struct pk_map_blk_ctl pk_blk_ctl SEC(".maps");
struct pk_map_blk_lists pk_blk_lists SEC(".maps");
struct pk_map_blk_cnt pk_blk_cnt SEC(".maps");
struct pk_map_blk_news pk_blk_news SEC(".maps");
struct pk_map_blk_tally pk_blk_tally SEC(".maps");
struct pk_map_blk_who pk_blk_who SEC(".maps");
struct pk_map_blk_safe pk_blk_safe SEC(".maps");
struct pk_map_blk_safe_map pk_blk_safe_map SEC(".maps");
struct pk_map_dns_names pk_dns_names SEC(".maps");
struct pk_map_dns_ctl pk_dns_ctl SEC(".maps");
struct pk_map_dns_scratch pk_dns_scratch SEC(".maps");
struct pk_map_rb_block pk_rb_block SEC(".maps");
