/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds an address in the block lists. IPv4: the top of its first 19 bits, then the slot of its
 * /24, then at most one node and its word. IPv6: the slot of its first 16 bits, then at most 14
 * nodes (paths without a branch are skipped), of which a table of sites spares those of the first
 * 32 bits. The layout is <picket/block.h>'s.
 *
 * Why this structure: a lookup that finds nothing, the common case, mostly ends at a bit of the
 * top: one access to 4 MiB, however long the lists are. Bits and place are one word, so what is
 * there takes one access more, and a third where several rules share a /24. IPv6 reads a slot and
 * nodes, whose bitmaps answer for 256 ranges at once. The kernel's LPM trie goes down bit by bit,
 * one cache miss a step; a hash map has to be asked once for each prefix length in use. `make
 * bench-block` measures all three.
 *
 * A hit is three reads, each where the one before said: the top, the slot, the rule's brief. With a
 * million entries these are 4, 12 and 1 MiB, of which a processor's cache has a part; the rules
 * with their counters are 64 MiB, of which it has none. So a plain rule is not read when it drops:
 * its brief says all that is needed, and its hits are added up by CPU (tally.h).
 *
 * Where hosts are many, a fourth structure answers for them: a table by address, of 4 bytes a
 * place, where one read tells what slot and brief would. Its place follows from the address alone,
 * so that a processor that takes the bit of the top for set, as it does in a flood, waits for both
 * at the same time. It decides nothing that the trie would not: a host that is not there is looked
 * up in the trie.
 *
 * Where IPv6 entries are many, their first 32 bits branch at each level: two reads for 8 bits, one
 * after the other. A fifth structure, the table of sites, has by these bits what the trie comes to
 * there: one read, at the same time as that of the root. For most a node and its word are left.
 */
#ifndef PICKET_BPF_BLOCK_H
#define PICKET_BPF_BLOCK_H

#include "../maps.h"
#include "packet.h"

/* An address in host order, left-aligned: IPv4 is the upper half of hi. */
struct pk_blk_addr {
	__u64 hi, lo;
	__u32 v6;
	__u32 pad;
};

static __always_inline union pk_blk_line *pk_blk_line(__u32 line)
{
	__u32 chunk = line >> PK_BLK_CHUNK_SHIFT, at = line & (PK_BLK_CHUNK_LINES - 1);
	void *lines = bpf_map_lookup_elem(&pk_blk_pool, &chunk);

	return lines ? bpf_map_lookup_elem(lines, &at) : NULL;
}

/* See PK_BLK_BRIEF_LOOK. */
static __always_inline __u8 pk_blk_brief(__u32 line)
{
	__u32 brief = (line & ~(PK_BLK_CHUNK_LINES - 1)) | (line & (PK_BLK_CHUNK_LINES - 1)) >> 6;
	union pk_blk_line *l = pk_blk_line(brief);

	return l ? ((volatile __u8 *)l)[line & 63] : 0;
}

/* The line of a host's rule; *brief: of this rule. hosts: pk_blk_ctl's. 0: not known. */
static __always_inline __u32 pk_blk_host(__u32 hosts, __u32 addr, __u32 *brief)
{
	__u32 mixed = pk_blk_mix(addr), i, at, differs;
	__u32 bucket = pk_blk_table_line(hosts) + pk_blk_bucket(hosts, mixed) * 2;
	const union pk_blk_line *places = pk_blk_line(bucket), *lines = pk_blk_line(bucket + 1);

	if (!places || !lines)
		return 0;
	(void)*(const volatile __u32 *)lines; /* comes at the same time as the places */
	for (i = 0; i < PK_BLK_BUCKET; i++) {
		at = (mixed + i) % PK_BLK_BUCKET;
		differs = ((const volatile __u32 *)places)[at];
		if (!differs)
			return 0;
		differs ^= mixed << 8;
		if (differs - 1 < 255) {
			*brief = differs;
			return ((const volatile __u32 *)lines)[at] & PK_BLK_LINE_MASK;
		}
	}
	return 0;
}

/* The slot of a site; sites: pk_blk_ctl's. 0: not known. */
static __always_inline __u64 pk_blk_site(__u32 sites, __u32 site)
{
	__u32 mixed = pk_blk_mix(site), i;
	const union pk_blk_line *l =
		pk_blk_line(pk_blk_table_line(sites) + pk_blk_bucket(sites, mixed));
	__u64 place;

	if (!l)
		return 0;
	for (i = 0; i < PK_BLK_SITES; i++) {
		place = ((volatile __u64 *)l)[(mixed + i) % PK_BLK_SITES];
		if (place >> PK_BLK_SITE_SHIFT == site)
			return place & PK_BLK_SITE_SLOT;
	}
	return 0;
}

/* From the 16-byte form, in its two words. */
static __always_inline void pk_blk_addr_set(struct pk_blk_addr *a, __u64 w0, __u64 w1)
{
	w0 = PK_BE64(w0);
	w1 = PK_BE64(w1);
	a->v6 = w0 || w1 >> 32 != 0xffff;
	a->hi = a->v6 ? w0 : w1 << 32;
	a->lo = a->v6 ? w1 : 0;
}

/* Back to the two words of the 16-byte form. */
static __always_inline void pk_blk_addr_words(const struct pk_blk_addr *a, __u64 w[2])
{
	w[0] = a->v6 ? PK_BE64(a->hi) : 0;
	w[1] = PK_BE64(a->v6 ? a->lo : 0xffffull << 32 | a->hi >> 32);
}

/* The 64 bits from bit pos (16 to 120) on. */
static __always_inline __u64 pk_blk_from(const struct pk_blk_addr *a, __u32 pos)
{
	if (pos >= 64)
		return a->lo << (pos & 63);
	return a->hi << pos | a->lo >> (64 - pos);
}

static __always_inline bool pk_blk_on_path(const struct pk_blk_node *n, const struct pk_blk_addr *a,
					   __u32 pos)
{
	if (pos <= 64)
		return !((n->key[0] ^ a->hi) >> (64 - pos));
	return n->key[0] == a->hi && !((n->key[1] ^ a->lo) >> ((128 - pos) & 63));
}

static __always_inline __u32 pk_popcount(__u64 x)
{
	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return x * 0x0101010101010101ull >> 56;
}

static __always_inline __u32 pk_popcount32(__u32 x)
{
	x -= x >> 1 & 0x55555555u;
	x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
	x = (x + (x >> 4)) & 0x0f0f0f0fu;
	return x * 0x01010101u >> 24;
}

static __always_inline __u64 pk_blk_leaf(__u32 line)
{
	return line ? (__u64)line << PK_BLK_LINE_SHIFT | PK_BLK_LEAF : 0;
}

/* The slot that a node has for an address; *used becomes the bits that tell, *def the node's. */
static __always_inline __u64 pk_blk_step(__u64 slot, const struct pk_blk_addr *a, __u32 *used,
					 __u32 *def)
{
	union pk_blk_line *l = pk_blk_line(slot >> PK_BLK_LINE_SHIFT & PK_BLK_LINE_MASK);
	__u32 pos, i, r, at;
	__u64 map, bit;

	if (!l)
		return 0;
	pos = l->node.pos;
	if (pos < 16 || pos > 120)
		return 0;
	*used = pos + 8;
	if (!pk_blk_on_path(&l->node, a, pos))
		return pk_blk_leaf(l->node.def);
	i = pk_blk_from(a, pos) >> 56;
	at = i >> 6 & 3;
	map = l->node.map[at];
	bit = 1ull << (i & 63);
	if (!(l->node.flags & PK_BLK_NODE_RUNS) && !(map & bit))
		return pk_blk_leaf(l->node.def);
	r = l->node.base + l->node.below[at] + pk_popcount(map & (bit - 1));
	if (l->node.flags & PK_BLK_NODE_RUNS)
		r += !!(map & bit) - 1;
	*def = l->node.def;
	l = pk_blk_line(r >> 3);
	return l ? l->word[r & 7] : 0;
}

static __always_inline bool pk_blk_covers(const struct pk_blk_rule *r, __u64 w0, __u64 w1)
{
	const __u64 *p = (const __u64 *)r->prefix;
	__u32 bits = r->bits;

	w0 ^= p[0];
	w1 ^= p[1];
	if (bits <= 64)
		return !bits || !(PK_BE64(w0) >> ((64 - bits) & 63));
	return !w0 && !(PK_BE64(w1) >> ((128 - bits) & 63));
}

/* The only prefix in a range: is the address in it? Its next 24 bits tell, or else the rule. */
static __always_inline __u32 pk_blk_one(__u64 slot, const struct pk_blk_addr *a, __u32 used)
{
	__u32 line = slot >> PK_BLK_LINE_SHIFT & PK_BLK_LINE_MASK;
	__u32 len = slot >> PK_BLK_SIG_LEN & 31;
	union pk_blk_line *l;

	if (used > 120 || len > PK_BLK_SIG_BITS)
		return 0;
	if (((pk_blk_from(a, used) >> 40) ^ (slot >> PK_BLK_SIG)) >> (PK_BLK_SIG_BITS - len))
		return 0;
	if (slot >> PK_BLK_SIG_EXACT & 1)
		return line;
	l = pk_blk_line(line);
	/* Only IPv6 has prefixes that a signature does not tell whole. */
	return l && pk_blk_covers(&l->rule, PK_BE64(a->hi), PK_BE64(a->lo)) ? line : 0;
}

static __always_inline __u32 pk_blk_top_bit(const struct pk_blk_addr *a)
{
	return 1u << (a->hi >> 40 & (PK_BLK_TOP_SLOTS - 1));
}

/* IPv4: the slot of its /24; 0: nothing is there. */
static __always_inline __u64 pk_blk_top(__u64 top, const struct pk_blk_addr *a)
{
	__u32 map = top >> PK_BLK_TOP_MAP, bit = pk_blk_top_bit(a), r;
	union pk_blk_line *l;

	if (!map)
		return pk_blk_leaf(top & PK_BLK_LINE_MASK);
	if (!(map & bit))
		return 0;
	r = (__u32)top + pk_popcount32(map & (bit - 1));
	l = pk_blk_line(r >> 3);
	return l ? *(volatile __u64 *)&l->word[r & 7] : 0;
}

/* IPv6: the slot of the first 16 bits; IPv4: the top. */
static __always_inline __u64 pk_blk_root(const struct pk_blk_addr *a)
{
	__u32 at = a->v6 ? a->hi >> 48 : PK_BLK_TOP_AT + (a->hi >> (64 - PK_BLK_TOP_BITS));
	__u64 *root = bpf_map_lookup_elem(&pk_blk_roots, &at);

	return root ? *(volatile __u64 *)root : 0;
}

/*
 * First rule of the chain of this address, from the slot of its first 24 or, IPv6, 16 bits on;
 * sites: pk_blk_ctl's. 0: none. *bits: all addresses with these first bits have the same.
 */
static __always_inline __u32 pk_blk_descend(__u64 s, const struct pk_blk_addr *a, __u32 sites,
					    __u32 *bits)
{
	__u32 used = a->v6 ? 16 : 24, def = 0, line, i;
	__u64 site = 0;

	if (a->v6 && sites && (s & 3) == PK_BLK_NODE)
		site = pk_blk_site(sites, a->hi >> (64 - PK_BLK_SITE_BITS));
	if (site)
		s = site;
	for (i = 0; i < 14 && (s & 3) == PK_BLK_NODE; i++)
		s = pk_blk_step(s, a, &used, &def);
	*bits = used;
	if ((s & 3) == PK_BLK_LEAF)
		return s >> PK_BLK_LINE_SHIFT & PK_BLK_LINE_MASK;
	if ((s & 3) != PK_BLK_ONE)
		return 0;
	line = pk_blk_one(s, a, used);
	*bits = line && s >> PK_BLK_SIG_EXACT & 1 ? used + (s >> PK_BLK_SIG_LEN & 31) : 128;
	return line ? line : def;
}

/* First rule of the chain of this address; 0: none. */
static __always_inline __u32 pk_blk_lookup(const struct pk_blk_addr *a, __u32 sites)
{
	__u64 root = pk_blk_root(a);
	__u32 bits;

	return pk_blk_descend(a->v6 ? root : pk_blk_top(root, a), a, sites, &bits);
}

#endif
