/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
/*
 * Keys, values and counters of the maps that agent and kernel share, and the knobs.
 * Map sizes and their reasons are in bpf/maps.h.
 */
#ifndef PICKET_MAP_H
#define PICKET_MAP_H

#include <picket/event.h>

/* Flow table: PK_WAYS slots per bucket, a flow may live in either of two buckets. */
#define PK_WAYS 8

/* The low two bits of a tag are its state, the rest are hash bits. */
#define PK_TAG_FREE  0u
#define PK_TAG_LIVE  1u
#define PK_TAG_DYING 2u /* no packet finds it any more; the sweep reports and frees it */
#define PK_TAG_BUSY  3u /* being filled */
#define PK_TAG_STATE 3u

/* Hot settings, one element, written by the agent, read by the sweep and by packets that are not of
 * an ordinary flow. */
struct pk_knobs {
	__u64 active_ns;    /* report a flow that goes on after this long */
	__u64 idle_ns;      /* end a flow that was silent this long */
	__u64 half_open_ns; /* the same for half-open flows */
	__u64 emergency_ns; /* the same for half-open flows when the table is three quarters full */
	__u64 linger_ns;    /* keep an ended TCP flow this long for stragglers */
	__u64 half_open_max; /* slots that half-open flows may take */
	__u32 sample_off;    /* bit n: the payload of PK_APP_n stays in the kernel */
	__u32 sample_rate;   /* samples a second, of each application on each CPU */
	__u32 keep_packets;  /* of each direction, the first so many are kept with their headers */
	__u32 keep_rate;     /* of those, a second on each CPU */
	__u32 mark;          /* PK_DIR_RECORD: new flows are recorded from their first packet */
	__u32 pad;
};

/* What became of samples: per application, then two rows more. */
enum pk_sample_row {
	PK_ROW_KEEP = PK_APP_MAX, /* packets kept with their headers alone */
	PK_ROW_RECORD,
	PK_ROW_MAX
};

/*
 * Per row and CPU: seen = sampled + off + limited + ring_full + unread. In row PK_APP_NONE seen
 * counts directions whose content nothing is known of, and the rest is 0.
 */
struct pk_sample_count {
	__u64 seen; /* packets that were to be sampled */
	__u64 sampled;
	__u64 bytes; /* of their data */
	__u64 off;   /* by the configuration */
	__u64 limited;
	__u64 ring_full;
	__u64 unread; /* bytes that could not be reached */
	__u64 cut;    /* of those sampled: their payload is longer than what was taken */
};

/* Argument and result of the mark program (BPF_PROG_TYPE_SYSCALL context). */
struct pk_mark_ctx {
	__u64 flow;       /* pk_flow_meta.id; 0: all flows there are */
	__u32 slot;       /* of the flow */
	__u32 set, clear; /* PK_DIR_RECORD, PK_DIR_CUT */
	__u32 found;      /* out: flows that were marked */
};

/* For replay and tests: the packet's own time and length instead of the clock and the frame. */
struct pk_replay_ctx {
	__u64 now_ns;
	__u32 wire_bytes; /* of the whole frame; 0: its length */
	__s32 add_bytes;  /* to count besides, when the frame's link header was replaced */
};

/* Why a packet is not in the flow table or its record is not whole. Reported by name. */
enum pk_pkt_count {
	PK_PKT_SEEN =
		0, /* every packet a hook was given; a GSO or GRO packet counts its segments */
	PK_PKT_SEEN_BYTES,
	PK_PKT_FLOW,           /* counted in a flow */
	PK_PKT_AGGREGATE,      /* counted in an aggregate: the flow table had no room */
	PK_PKT_UNSUPPORTED_L3, /* an EtherType we do not parse */
	PK_PKT_TRUNCATED_L2,
	PK_PKT_TRUNCATED_L3,
	PK_PKT_TRUNCATED_L4, /* flow without ports */
	PK_PKT_BAD_IP_VERSION,
	PK_PKT_BAD_IP_LENGTH, /* IHL or total length lies */
	PK_PKT_VLAN_TOO_DEEP,
	PK_PKT_EXT_TOO_DEEP,    /* IPv6 extension headers beyond the bound: flow by address only */
	PK_PKT_TINY_FRAGMENT,   /* RFC 1858, RFC 3128 */
	PK_PKT_FRAGMENT,        /* counted in a flow too */
	PK_PKT_FRAGMENT_ORPHAN, /* later fragment whose first was not seen: flow without ports */
	PK_PKT_TUNNEL_INNER,    /* inner packets accounted (not part of SEEN) */
	PK_PKT_TUNNEL_BAD,      /* inner packet not understood */
	PK_PKT_TUNNEL_TOO_DEEP, /* a tunnel in a tunnel: inner layers not looked at */
	PK_PKT_PULL_FAILED,     /* headers of a non-linear packet could not be reached */
	PK_PKT_TUNNEL_REFUSED,  /* inner packets that got no slot: in no flow and no aggregate */
	PK_PKT_RACED,           /* lost a race for a slot: counted as aggregate */
	PK_PKT_DROPPED,         /* by a block list: in no flow and no aggregate */
	PK_PKT_TUNNEL_DROPPED,  /* for its inner packet, by a block list; the outer one is in a flow
				 */
	PK_PKT_CUT,             /* of a flow that was cut: not counted in it */
	PK_PKT_COUNT_MAX
};

enum pk_hook {
	PK_HOOK_XDP = 0,
	PK_HOOK_TC_EGRESS,
	PK_HOOK_TC_INGRESS, /* in place of XDP */
	PK_HOOK_PKT_MAX
};

/* Event hooks: seen = submitted + ring_full + map_full + oversized + filtered, per hook. */
enum pk_event_hook {
	PK_EH_EXEC = 0,
	PK_EH_FORK,
	PK_EH_EXIT,
	PK_EH_SYSCALL,
	PK_EH_IO_URING,
	PK_EH_SOCK_CREATE,
	PK_EH_SOCK_BIND,
	PK_EH_SOCK_CONNECT,
	PK_EH_SOCK_SEND,
	PK_EH_SOCK_STATE,
	PK_EH_SOCK_OPT,
	PK_EH_FLOW_REPORT,
	PK_EH_VERDICT,
	PK_EH_MAX
};

struct pk_event_count {
	__u64 seen;
	__u64 submitted;
	__u64 ring_full;
	__u64 map_full;
	__u64 oversized;
	__u64 filtered; /* looked at and not of interest */
};

/* What the program at the end of system calls does with a number: the values of its two tables. */
enum pk_sys_class {
	PK_SYS_NONE = 0,
	PK_SYS_DUP,  /* returns a descriptor that may have become 0, 1 or 2 */
	PK_SYS_DUP2, /* the same, unless it is the descriptor it was given */
	PK_SYS_FCNTL,
	PK_SYS_SOCKET,
	PK_SYS_SOCKETCALL,
	PK_SYS_MEMFD,
	PK_SYS_PTRACE,
	PK_SYS_VM_WRITE,
	PK_SYS_MODULE,
	PK_SYS_BPF,
	PK_SYS_MOUNT,
	PK_SYS_MOVE_MOUNT,
	PK_SYS_SETNS,
	PK_SYS_UNSHARE,
	PK_SYS_PIVOT_ROOT,
	PK_SYS_SETUID,   /* setuid: the first argument is the new effective uid */
	PK_SYS_SETREUID, /* setreuid, setresuid: the second */
	PK_SYS_KILL,     /* kill, tkill: the second argument is the signal */
	PK_SYS_TGKILL,   /* the third */
};
#define PK_SYS_MAX 576 /* numbers in a table: above all of x86-64 with x32 */

/* What can't be kept one by one. */
struct pk_agg_key {
	__u8 dst[16];
	__u64 netns;
	__u32 ifindex;
	__be16 dport;
	__u16 proto;
	__u8 where; /* PK_AT_* */
	__u8 pad[7];
};
PK_ASSERT(sizeof(struct pk_agg_key) == 40, "map key");

struct pk_agg {
	__u64 packets;
	__u64 bytes;
	__u64 first_ns, last_ns;
};

/* Table occupancy, one element, atomics. */
struct pk_table_use {
	__u64 used; /* slots taken, dying ones too */
	__u64 half_open;
	__u64 created, freed; /* since load */
	__u64 refused;        /* new flows that went to aggregates */
};

/* Argument and result of the sweep program (BPF_PROG_TYPE_SYSCALL context). */
struct pk_sweep_ctx {
	__u64 now_ns;    /* 0: now */
	__u32 flush;     /* 1: report and end every flow (stop, end of a capture) */
	__u32 ring_full; /* out: reports that did not fit; call again after reading the ring */
	__u64 live, dying, reported, freed; /* out */
};

#endif
