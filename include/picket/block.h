/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
/*
 * The block lists as they lie in shared maps: what the agent writes and packet programs read.
 *
 * All lists share one trie per address family, of nodes of 8 bits each; above them, IPv6 has 65,536
 * slots for the first 16 bits, IPv4 524,288 tops for the first 19. A slot or top is one word of 8
 * bytes, so that storing it is the one atomic act that makes a change visible; nodes and word
 * arrays are written before they are reachable and never after (only the words, one by one). Every
 * rule of a longer prefix leads by `next` to those of the shorter ones that cover it. Lines of 64
 * bytes live in chunks of 1 MiB that come as they are needed: memory in proportion, no copy when it
 * grows, counters that never move.
 *
 * Line numbers are counted through all chunks; line 0 is never used. The first lines of a chunk are
 * briefs: a byte for each of its lines, which says of a plain rule all that a drop needs to know.
 * Where IPv4 hosts are many, a table of them in chunks of its own repeats their briefs by address;
 * where IPv6 rules are, another one repeats what the trie says of the first 32 bits. Addresses are
 * in network order, IPv4 as ::ffff:a.b.c.d; in the trie IPv4 counts its bits from its own first.
 */
#ifndef PICKET_BLOCK_H
#define PICKET_BLOCK_H

#include <picket/event.h>

#define PK_BLK_CHUNK_SHIFT 14 /* lines in a chunk: 1 MiB */
#define PK_BLK_CHUNK_LINES (1u << PK_BLK_CHUNK_SHIFT)
#define PK_BLK_CHUNKS_MAX  4096u /* 4 GiB, above 50 million entries */
#define PK_BLK_BRIEF_LINES (PK_BLK_CHUNK_LINES / 64)
#define PK_BLK_CHUNK_ROOM  (PK_BLK_CHUNK_LINES - PK_BLK_BRIEF_LINES) /* lines for all else */
#define PK_BLK_ROOTS       65536u /* slots of IPv6, then the tops of IPv4 */
/*
 * Top: 32 /24s. Bits 32-63: which of them have a slot; bits 0-31: the first of these slots, counted
 * in words through all chunks. No bit set: all have the rule of line bits 0-31, 0 none.
 */
#define PK_BLK_TOP_BITS   19u
#define PK_BLK_TOP_SLOTS  32u
#define PK_BLK_TOP_MAP    32
#define PK_BLK_TOP_AT     PK_BLK_ROOTS
#define PK_BLK_ROOT_WORDS (PK_BLK_TOP_AT + (1u << PK_BLK_TOP_BITS))
#define PK_BLK_LISTS      256u
#define PK_BLK_CHAIN_MAX  160u /* rules looked at for one packet */

/*
 * Slot: kind (bits 0-1), line (2-29), and for ONE: length of the signature (30-34), whether it
 * tells all (35), the signature (40-63): the prefix's next bits, highest first.
 */
enum pk_blk_kind {
	PK_BLK_NONE = 0, /* no prefix */
	PK_BLK_LEAF = 1, /* the whole range has this rule as its most specific */
	PK_BLK_ONE = 2,  /* one prefix is in this range, the rest of which has the node's default */
	PK_BLK_NODE = 3,
};
#define PK_BLK_LINE_SHIFT 2
#define PK_BLK_LINE_MASK  0xfffffffu
#define PK_BLK_SIG_LEN    30
#define PK_BLK_SIG_EXACT  35
#define PK_BLK_SIG        40
#define PK_BLK_SIG_BITS   24u

#define PK_BLK_NODE_RUNS 0x1 /* bit set: a run of equal slots begins; else: the slot has a word */

/* 8 bits of the address, from bit pos on. key: the bits before, all of them to be compared. */
struct pk_blk_node {
	__u64 map[4];  /* bit i of the 256 slots: word i / 64, bit i % 64 */
	__u64 key[2];  /* address left-aligned, host order: IPv4 in the upper half of key[0] */
	__u32 base;    /* first word, counted in words through all chunks: line * 8 + n */
	__u32 def;     /* line of the rule where the map has no bit (not RUNS); 0 none */
	__u8 below[4]; /* bits set in the words of the map before this one */
	__u8 pos;
	__u8 flags; /* PK_BLK_NODE_* */
	__u16 pad;
};
PK_ASSERT(sizeof(struct pk_blk_node) == 64, "one line");

/* pk_blk_rule.flags */
#define PK_BLK_SEEN0 0x01 /* part of its list while the list's parity is 0 */
#define PK_BLK_SEEN1 0x02 /* the same for 1; both: for good */
#define PK_BLK_COND  0x04 /* the next line is its struct pk_blk_cond */
#define PK_BLK_EMPTY 0x08 /* no rule, only a place in the chain */
#define PK_BLK_HEAD  0x10 /* in a trie, and the first of its prefix: for good */

/* One entry of one list. The agent writes all but the counters, which belong to the packets. */
struct pk_blk_rule {
	__u64 packets, bytes; /* it decided, dropped or observed; calls are packets of no bytes */
	__u64 last_ns;        /* boottime, to one tick; 0 never */
	__u8 peer[16];        /* last remote address it decided */
	__u8 prefix[16];
	__u32 next; /* line: of the same prefix, then of the next shorter one; 0 none */
	__u16 list; /* index of the list */
	__u8 bits;  /* of the 16-byte form: an IPv4 host has 128 */
	__u8 flags;
};
PK_ASSERT(sizeof(struct pk_blk_rule) == 64, "one line");

/*
 * Brief of a line: bits 0-6 are 1 + index of the list, when the rule there is a HEAD, has no
 * condition, is not EMPTY and is seen for good; bit 7: it has a next. BRIEF_LOOK: a rule of which
 * only its line tells; 0: no rule is there. It becomes BRIEF_LOOK before the rule changes and what
 * the rule is afterwards: so it never promises what the rule does not hold.
 */
#define PK_BLK_BRIEF_LISTS 126u /* lists of higher index have no briefs */
#define PK_BLK_BRIEF_LOOK  0x7f
#define PK_BLK_BRIEF_MORE  0x80

/*
 * Tables beside the trie, in chunks of their own that follow one another. pk_blk_ctl has a word for
 * each; 0: there is none.
 */
#define PK_BLK_TABLE_SHIFT 16 /* as many buckets as so many chunks have lines; below: the first */
#define PK_BLK_TABLE_FIRST 0xffffu

/* One to one: no two numbers have the same. "lowbias32", Chris Wellons, 2018. */
static inline __u32 pk_blk_mix(__u32 x)
{
	x = (x ^ x >> 16) * 0x7feb352du;
	x = (x ^ x >> 15) * 0x846ca68bu;
	return x ^ x >> 16;
}

/* The first line of the table that a word of pk_blk_ctl says; the bucket there of a mixed number.
 */
static inline __u32 pk_blk_table_line(__u32 table)
{
	return (table & PK_BLK_TABLE_FIRST) << PK_BLK_CHUNK_SHIFT;
}

static inline __u32 pk_blk_bucket(__u32 table, __u32 mixed)
{
	return (__u64)mixed * (table >> PK_BLK_TABLE_SHIFT << PK_BLK_CHUNK_SHIFT) >> 32;
}

/*
 * The table of hosts: buckets of two lines in an even number of chunks. The first line has the
 * places, the second one the lines of their rules, so that one page and two reads at the same time
 * tell all. A place is a word of 4 bytes: the brief (bits 0-7, 0: nobody is there) and the low
 * 24 bits of the mixed address; its bucket tells the upper 8, since there are at least 256. Who is
 * not in it, for want of a free place or because his rule is not plain, is in the trie, as all are.
 */
#define PK_BLK_BUCKET      16u /* places of a line */
#define PK_BLK_PLACE_RESTS 28  /* bits above this in the line of a place are the agent's */

/*
 * The table of sites: IPv6 by the first 32 bits, which is what registries give out, in buckets of
 * one line. A place is one word, so that it changes by one store: bits 0-29 as in a slot, 32-63 the
 * site, 0: nobody's. The slot is what the trie comes to after the site's bits: a NODE of pos 32 or
 * more, or a LEAF. Whatever is not in it is found from the root, as is what has a single prefix.
 */
#define PK_BLK_SITE_BITS  32u
#define PK_BLK_SITE_SHIFT 32
#define PK_BLK_SITE_SLOT  0x3fffffffu
#define PK_BLK_SITES      8u /* places of a line */

/*
 * What the plain rules dropped and nothing else tells yet, neither their lines nor the counters of
 * their lists and of the hook: kept by CPU, so that a packet writes to one line alone, and a flood
 * from many addresses reads many lines at once now and then.
 */
#define PK_BLK_TALLY    64u
#define PK_BLK_TALLY_AT 1024u
struct pk_blk_pending {
	__u32 line; /* of the rule */
	__u32 packets;
	__u64 bytes;
	__u64 first_ns, last_ns; /* boottime, to one tick */
	__u64 peer[2];
	__u32 list;
	__u32 gen; /* pk_blk_ctl.gen before the rule was found */
	__u64 pad;
};
PK_ASSERT(sizeof(struct pk_blk_pending) == 64, "one line");

/*
 * What the lists said of an address that was dropped, or of all that begin like it: holds while
 * nothing was changed and within one tick, in which the rule is pending.
 */
#define PK_BLK_KNOWN 256u
struct pk_blk_known {
	__u32 addr; /* host order, shifted */
	__u32 gen;  /* pk_blk_ctl.gen before it was looked up */
	__u32 line; /* pk_blk_pending.line */
	__u8 shift; /* so many of the last bits (0 to 8) make no difference */
	__u8 at;    /* which pending */
	__u16 pad;
};
PK_ASSERT(sizeof(struct pk_blk_known) == 16, "four in a line");

#define PK_BLK_KNOWN6 128u
struct pk_blk_known6 {
	__u64 hi, lo; /* host order */
	__u32 gen, line;
	__u8 at;
	__u8 wide; /* all of hi */
	__u8 pad[6];
};
PK_ASSERT(sizeof(struct pk_blk_known6) == 32, "two in a line");

struct pk_blk_tally {
	__u32 busy;   /* a packet is being counted, or it is being emptied */
	__u32 n;      /* pending, each of another line */
	__u32 flood;  /* PK_BLK_FLOOD_*: what the last packet was */
	__u32 looks;  /* lines looked at in this tick to find whether there is something to tell */
	__u64 now_ns; /* this tick */
	__u64 pad[5];
	__u8 at[PK_BLK_TALLY_AT]; /* by hash of the line: where it is, if it is there */
	struct pk_blk_pending v[PK_BLK_TALLY];
	struct pk_blk_known known[PK_BLK_KNOWN];    /* by hash of the /24 */
	struct pk_blk_known6 known6[PK_BLK_KNOWN6]; /* by hash of the /64 */
};
#define PK_BLK_FLOOD_HOST 0x1 /* from a host of the table */
#define PK_BLK_FLOOD_DROP 0x2 /* dropped by a plain rule */

#define PK_BLK_IN  0x1 /* from the address to us */
#define PK_BLK_OUT 0x2

struct pk_blk_cond {
	__u64 expires_ns;       /* boottime; 0 never */
	__u32 ifindex;          /* 0 any */
	__u16 port_lo, port_hi; /* destination port, host order; 0, 0 any */
	__u8 proto;             /* 0 any */
	__u8 dir;               /* PK_BLK_IN | PK_BLK_OUT */
	__u8 pad[6];
	__u64 unused[5];
};
PK_ASSERT(sizeof(struct pk_blk_cond) == 64, "one line");

/* Inner value of the pool. */
union pk_blk_line {
	__u64 word[8];
	struct pk_blk_node node;
	struct pk_blk_rule rule;
	struct pk_blk_cond cond;
};
PK_ASSERT(sizeof(union pk_blk_line) == 64, "one line");

/* One word a list: a whole list changes when its parity does. */
#define PK_BLK_LIST_USED   0x1
#define PK_BLK_LIST_ALLOW  0x2 /* else block */
#define PK_BLK_LIST_PARITY 0x4
#define PK_BLK_LIST_MODE   0x30 /* enum pk_blk_mode << 4 */
#define PK_BLK_MODE_SHIFT  4
enum pk_blk_mode { PK_BLK_OFF = 0, PK_BLK_OBSERVE = 1, PK_BLK_ENFORCE = 2 };

struct pk_blk_list {
	__u32 word;
	__u32 name_hash; /* the agent's, to know its lists again when a file is damaged */
};

/* Per list and CPU: totals since the list was made. The agent zeroes them for the next one. */
struct pk_blk_count {
	__u64 in_packets, in_bytes;     /* dropped */
	__u64 out_packets, out_bytes;   /* dropped */
	__u64 calls;                    /* connect() and sendmsg() refused */
	__u64 seen_packets, seen_bytes; /* would have been dropped: mode observe; calls too */
	__u64 allowed_packets;          /* an allow list kept them from being dropped */
};

/* Written by the agent: what there is, so that nothing is looked for in vain. */
#define PK_BLK_HAVE_V4     0x01
#define PK_BLK_HAVE_V6     0x02
#define PK_BLK_HAVE_EXE    0x04
#define PK_BLK_HAVE_UID    0x08
#define PK_BLK_HAVE_CGROUP 0x10
#define PK_BLK_HAVE_ALLOW  0x20 /* a list that allows */
struct pk_blk_ctl {
	__u32 have;  /* PK_BLK_HAVE_* */
	__u32 hosts; /* where the table of hosts is: PK_BLK_TABLE_*; 0: there is none */
	__u32 gen;   /* another one after each change of what the lists say */
	__u32 sites; /* where the table of sites is */
};

/* Rules for what processes do: by executable, effective user, or cgroup (with all below it). */
enum pk_blk_who_kind { PK_BLK_WHO_EXE = 1, PK_BLK_WHO_UID = 2, PK_BLK_WHO_CGROUP = 3 };
struct pk_blk_who_key {
	__u64 id;   /* inode, uid or cgroup id */
	__u32 dev;  /* EXE: kernel dev_t of the file system */
	__u32 kind; /* enum pk_blk_who_kind */
};
struct pk_blk_who {
	__u32 line; /* first rule; prefix and bits are those of --to, bits 0: any address */
	__u32 pad;
};

/* Never dropped, whatever lists say. Written by the broker alone. Longest prefix of the 16-byte
 * form. */
struct pk_blk_safe_key {
	__u32 bits;
	__u8 addr[16];
};
enum pk_blk_safe_kind {
	PK_BLK_SAFE_OWN = 0x01,
	PK_BLK_SAFE_GATEWAY = 0x02,
	PK_BLK_SAFE_RESOLVER = 0x04,
	PK_BLK_SAFE_ADMIN = 0x08,      /* a live admin session */
	PK_BLK_SAFE_MANAGEMENT = 0x10, /* configured */
	PK_BLK_SAFE_PROTOCOL = 0x20,   /* loopback, link-local, neighbour discovery, DHCP */
};
struct pk_blk_safe {
	__u32 kinds; /* enum pk_blk_safe_kind, several */
	__u32 pad;
};

/*
 * May an address be safe? One bit for each of 4,096 groups, so that the drop path looks into the
 * safe set only when it must: IPv4 by its first 12 bits; IPv6 by pk_blk_safe_group().
 */
struct pk_blk_safe_map {
	__u64 v4[64];
	__u64 v6[64];
};

/* IPv6: bits 4-15 xor bits 16-27: a prefix shorter than 28 sets all. hi: first 64 bits. */
static inline __u32 pk_blk_safe_group(__u64 hi)
{
	return ((__u32)(hi >> 48) ^ (__u32)(hi >> 36)) & 0xfff;
}

/*
 * Names whose queries are refused. A name is known by 128 bits of a hash of it, without its last
 * dot and in lower case, made from its end: so one pass over a question has the hashes of all names
 * that cover it. The keys are random, so that nobody can make a name that is taken for another one.
 */
#define PK_DNS_NAMES 262144u
struct pk_dns_key {
	__u64 a, b;
};
struct pk_dns_name {
	__u16 block, allow; /* indices of the lists; 0 none */
	__u32 pad;
	__u64 queries; /* refused, or observed */
	__u64 last_ns; /* boottime; 0 never */
};
enum pk_dns_rcode {
	PK_DNS_NXDOMAIN = 3,
	PK_DNS_REFUSED = 5,
	PK_DNS_SILENT = 255, /* no answer: dropped */
};
struct pk_dns_ctl {
	struct pk_dns_key seed;
	__u32 names; /* in pk_dns_names; 0: no query is looked at */
	__u32 rcode; /* of the answers */
};

/* The hash of "c" and what follows it. */
static inline struct pk_dns_key pk_dns_step(struct pk_dns_key k, __u8 c)
{
	k.a = (k.a ^ c) * 0x9e3779b97f4a7c15ull;
	k.a ^= k.a >> 32;
	k.b = (k.b + c + 1) * 0xc2b2ae3d27d4eb4full;
	k.b ^= k.b >> 29;
	return k;
}

/*
 * A rule decided. Each refused connect(), else one record a second and rule, and a thousand a
 * second and CPU: counters tell more.
 */
enum pk_verdict_where {
	PK_VERDICT_INGRESS = 1,
	PK_VERDICT_EGRESS = 2,
	PK_VERDICT_CONNECT = 3, /* task is set */
	PK_VERDICT_SENDMSG = 4, /* task is set */
};
enum pk_verdict_act { PK_VERDICT_DROP = 1, PK_VERDICT_OBSERVE = 2 };
struct pk_verdict {
	struct pk_hdr hdr;
	struct pk_task task;
	__u64 netns; /* cookie */
	__u8 src[16], dst[16];
	__be16 sport, dport;
	__u32 ifindex; /* 0: a call */
	__u16 proto;
	__u16 list;
	__u8 where; /* enum pk_verdict_where */
	__u8 act;   /* enum pk_verdict_act */
	__u8 bits;  /* of the rule's prefix */
	__u8 depth; /* 1: an inner packet */
	__u32 line; /* of the rule */
	__u32 pad;
	__u8 prefix[16];
};
PK_ASSERT(sizeof(struct pk_verdict) == 176, "wire");

/* A query for a listed name was refused (or seen: mode observe). At most one a second and name. */
#define PK_DNS_TEXT 256
struct pk_query {
	struct pk_hdr hdr;
	struct pk_owner owner;  /* of the socket that asked; cookie 0: not known */
	struct pk_dns_key name; /* of the listed name */
	__u64 netns;            /* cookie */
	__u8 src[16], dst[16];
	__be16 sport, dport;
	__u32 ifindex;
	__u16 list;
	__u16 qtype;
	__u8 act;               /* enum pk_verdict_act */
	__u8 answered;          /* 1: with pk_dns_ctl.rcode; 0: dropped */
	__u8 name_len;          /* bytes in text */
	__u8 below;             /* where the listed name begins in text */
	char text[PK_DNS_TEXT]; /* the question, in lower case, dots between labels */
};
PK_ASSERT(sizeof(struct pk_query) == 416, "wire");

#endif
