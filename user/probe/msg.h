/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What broker and pipeline say to each other over a SOCK_SEQPACKET pair: one message a packet,
 * a fixed head, then the body named by type, and with some types descriptors (SCM_RIGHTS). Both
 * ends check type, size and number of descriptors; text is NUL ended.
 */
#pragma once

#include <picket/block.h>
#include <picket/event.h>
#include <picket/map.h>

#include <stdint.h>

#define PK_MSG_MAX 8192

enum pk_msg_type {
	/* broker -> pipeline */
	PK_MSG_HELLO = 1,  /* struct pk_msg_hello + PK_FD_MAX descriptors (SCM_RIGHTS) */
	PK_MSG_RECORD = 2, /* one event record found at start (PK_EVF_SNAPSHOT) */
	PK_MSG_SNAPSHOT_DONE = 3,
	PK_MSG_LINK = 4,      /* struct pk_msg_link: new or changed */
	PK_MSG_LINK_GONE = 5, /* struct pk_msg_link */
	PK_MSG_ADDR = 6,      /* struct pk_msg_addr: own address, route, neighbour or resolver */
	PK_MSG_ADDR_GONE = 7,
	PK_MSG_PROG = 8,   /* struct pk_msg_prog: cost and state of one program */
	PK_MSG_NOTICE = 9, /* struct pk_msg_notice: hook removed, attached again, degraded, ... */
	PK_MSG_SWEPT = 10, /* struct pk_msg_swept after each sweep */
	/* What a new pipeline is told about block lists, in this order; then as it changes. */
	PK_MSG_BLOCK = 11,       /* struct pk_msg_block + PK_BLK_FD_MAX descriptors */
	PK_MSG_CHUNK = 12,       /* struct pk_msg_chunk + its map: present ones, answers to GROW */
	PK_MSG_SAVED_LIST = 13,  /* struct pk_msg_saved_list + the file, read only */
	PK_MSG_SAFE = 14,        /* struct pk_msg_safe: a prefix of the safe set, new or changed */
	PK_MSG_SAFE_GONE = 15,   /* the same, of one that left */
	PK_MSG_BLOCK_START = 16, /* head only: all of it was told */
	PK_MSG_GROW_FAILED = 17, /* struct pk_msg_result: no (more) chunks come for the last GROW */
	PK_MSG_SAVED = 18,       /* struct pk_msg_saved: the answer to each SAVE */
	PK_MSG_RELOAD = 19,      /* head only: the configuration was read again */
	PK_MSG_DONE = 20,        /* struct pk_msg_done: the answer to each SIGNAL and EVIDENCE */
	PK_MSG_EXE_FILE = 21,    /* struct pk_msg_done + the file if 0: the answer to each EXE */
	PK_MSG_JOURNAL = 22, /* before BLOCK_START: head + the two files of changes, to append */
	PK_MSG_PULL = 29,    /* head + a stream socket to one that fetches lists and began */
	/* to a ward: it is no pipeline's business */
	PK_MSG_WARD_FILES = 30, /* head + the files that its configuration names, one to four */
	PK_MSG_GATE = 31,       /* to the pipeline: head + a stream socket to a gate that began */
	/* pipeline -> broker */
	PK_MSG_KNOBS = 32, /* struct pk_knobs; only active_ns is taken, within bounds */
	/* struct pk_msg_hold: the lists are in force, and whether there is something to enforce.
	 * Once after each start, also when there is nothing, and whenever that changes. */
	PK_MSG_HOLD = 33,
	PK_MSG_DETACH = 34, /* head only: take everything down and end */
	PK_MSG_GROW = 35,   /* struct pk_msg_grow: answered by that many CHUNK, or GROW_FAILED */
	PK_MSG_SAVE = 36,   /* struct pk_msg_save + a memfd with the content; without: remove it */
	PK_MSG_SAFE_ADMIN = 37, /* struct pk_msg_safe_addr: an administrator is connected from it */
	PK_MSG_SAFE_EXCEPT = 38, /* struct pk_msg_safe_addr: it may be blocked (on), or no more */
	PK_MSG_MARK = 39,        /* struct pk_msg_mark: record or cut a flow, or no more */
	PK_MSG_SIGNAL = 40,      /* struct pk_msg_signal: stop a process, or let it go on */
	PK_MSG_EVIDENCE = 41,    /* struct pk_msg_evidence + a memfd with packets, or without */
	PK_MSG_EXE = 42,         /* struct pk_msg_exe: the file that a process runs, to read */
};

enum pk_msg_fd {
	PK_FD_RB_PROC = 0,
	PK_FD_RB_SOCK,
	PK_FD_RB_SAMPLE, /* before the flows, so that they have their names when they are told */
	PK_FD_RB_FLOW,
	PK_FD_RB_RECORD,
	PK_FD_PKT_CNT,
	PK_FD_EV_CNT,
	PK_FD_AGGS,
	PK_FD_AGG_REST,
	PK_FD_USE,
	PK_FD_KNOBS,
	PK_FD_SAMPLE_CNT,
	PK_FD_MAX /* of any message */
};

/* Descriptors of PK_MSG_BLOCK: maps of the same name, and a program. */
enum pk_msg_blk_fd {
	PK_BLK_FD_ROOTS = 0,
	PK_BLK_FD_CTL,
	PK_BLK_FD_LISTS,
	PK_BLK_FD_CNT,
	PK_BLK_FD_WHO,
	PK_BLK_FD_SAFE, /* to look into */
	PK_BLK_FD_RB,
	PK_BLK_FD_DNS_NAMES,
	PK_BLK_FD_DNS_CTL,
	PK_BLK_FD_DRAIN, /* the program pk_drain */
	PK_BLK_FD_MAX
};
PK_ASSERT((int)PK_BLK_FD_MAX <= (int)PK_FD_MAX, "a receiver has room for them");

struct pk_msg_head {
	uint32_t type;
	uint32_t size; /* of the whole message */
};

struct pk_msg_hello {
	struct pk_msg_head head;
	uint32_t abi;
	uint32_t slots;      /* of the flow table */
	uint64_t host_netns; /* cookie */
	uint32_t cpus;       /* possible CPUs: size of a per-CPU value array */
	uint32_t pad;
};

/* How one direction of an interface is covered. */
enum pk_cover {
	PK_COVER_NONE = 0,
	PK_COVER_XDP_NATIVE = 1,
	PK_COVER_XDP_GENERIC = 2,
	PK_COVER_TCX = 3,
	PK_COVER_CLSACT = 4,
	PK_COVER_NOT_NEEDED = 5, /* lo ingress: every packet was counted on egress */
	PK_COVER_EXCLUDED = 6,   /* by config */
};

struct pk_msg_link {
	struct pk_msg_head head;
	uint64_t netns; /* cookie */
	uint32_t netns_inum;
	uint32_t ifindex;
	uint32_t flags; /* IFF_* */
	uint32_t mtu;
	uint8_t ingress, egress; /* enum pk_cover */
	uint8_t pad[6];
	uint64_t since_ns; /* covered since, boottime; 0 not covered */
	char name[16];
	char kind[16];       /* "veth", "bridge", ... "" for hardware */
	char netns_name[64]; /* file name under /run/netns, or "" */
	char reason[128];    /* why not (fully) covered, "" when it is */
};

enum pk_addr_kind {
	PK_ADDR_OWN = 1,
	PK_ADDR_GATEWAY = 2,
	PK_ADDR_NEIGHBOUR = 3,
	PK_ADDR_RESOLVER = 4
};

struct pk_msg_addr {
	struct pk_msg_head head;
	uint64_t netns;
	uint32_t ifindex;
	uint8_t kind;        /* enum pk_addr_kind */
	uint8_t prefix_bits; /* own address: of its network, in the 16-byte form */
	uint8_t mac[6];      /* neighbour */
	uint8_t addr[16];
};

struct pk_msg_prog {
	struct pk_msg_head head;
	uint32_t id;
	uint32_t attached;               /* 0 no, 1 yes, 2 not on this kernel (optional) */
	uint64_t run_time_ns, run_count; /* zero unless statistics are on */
	uint64_t netns;
	char name[16];
	char note[64];
};

struct pk_msg_notice {
	struct pk_msg_head head;
	uint64_t ts;    /* boottime ns */
	uint32_t level; /* enum pk_log_level */
	uint32_t pad;
	char text[256];
};

struct pk_msg_hold {
	struct pk_msg_head head;
	uint32_t on; /* 1: hooks and maps outlive us */
	uint32_t pad;
};

/* flow 0: all flows, and those to come; PK_DIR_RECORD only. A pipeline that ends takes it along. */
struct pk_msg_mark {
	struct pk_msg_head head;
	uint64_t flow; /* pk_flow_meta.id */
	uint32_t slot;
	uint32_t set, clear; /* PK_DIR_RECORD, PK_DIR_CUT */
	uint32_t pad;
};

/* The process is named for good: another one that has its number is not touched. */
struct pk_msg_signal {
	struct pk_msg_head head;
	uint64_t serial; /* the pipeline's, given back in DONE */
	uint64_t start_ns;
	uint32_t tgid;
	uint32_t stop; /* 1: stop, 0: go on */
};

struct pk_msg_evidence {
	struct pk_msg_head head;
	uint64_t serial;
	uint64_t start_ns;
	uint32_t tgid; /* 0: no process */
	uint32_t pad;
	char name[64]; /* of the bag: as a list's name */
};

struct pk_msg_exe {
	struct pk_msg_head head;
	uint64_t serial; /* the pipeline's, given back in EXE_FILE */
	uint64_t start_ns;
	uint64_t ino; /* that it must be of */
	uint32_t tgid;
	uint32_t pad;
};

struct pk_msg_done {
	struct pk_msg_head head;
	uint64_t serial;
	int32_t result; /* 0 or -errno */
	uint32_t pad;
};

struct pk_msg_swept {
	struct pk_msg_head head;
	struct pk_sweep_ctx sweep;
};

struct pk_msg_block {
	struct pk_msg_head head;
	uint32_t adopted;    /* 1: the maps are those of an earlier process, lists are in them */
	uint32_t chunks_max; /* GROW beyond it fails */
};

struct pk_msg_chunk {
	struct pk_msg_head head;
	uint32_t index;
	uint32_t fresh; /* 1: just made, all zero; 0: was there before this pipeline */
};

#define PK_LIST_NAME_MAX 63 /* [A-Za-z0-9._-], not beginning with a dot */

struct pk_msg_saved_list {
	struct pk_msg_head head;
	uint32_t previous; /* 1: the copy before the last */
	uint32_t pad;
	char name[PK_LIST_NAME_MAX + 1];
};

struct pk_msg_safe {
	struct pk_msg_head head;
	struct pk_blk_safe_key key;
	uint32_t kinds; /* enum pk_blk_safe_kind, also of shorter prefixes; 0: may be blocked */
};

struct pk_msg_result {
	struct pk_msg_head head;
	int32_t result; /* 0 or -errno */
	uint32_t pad;
};

struct pk_msg_save {
	struct pk_msg_head head;
	uint64_t serial; /* the pipeline's, given back in SAVED */
	char name[PK_LIST_NAME_MAX + 1];
};

struct pk_msg_saved {
	struct pk_msg_head head;
	uint64_t serial;
	int32_t result; /* 0 or -errno */
	uint32_t pad;
	char name[PK_LIST_NAME_MAX + 1];
};

struct pk_msg_grow {
	struct pk_msg_head head;
	uint32_t n; /* chunks */
	uint32_t pad;
};

struct pk_msg_safe_addr {
	struct pk_msg_head head;
	uint8_t addr[16];
	uint32_t on; /* SAFE_EXCEPT: 1 may be blocked, 0 is safe again */
	uint32_t pad;
};
