/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block lists of this host: what is in them, what may not be, when entries end, and how a whole
 * list is replaced in one step. Owns lists and entries; the kernel's memory is trie.h's, files are
 * written by the broker. One thread. This header is its life; change.h has what may be asked of it,
 * show.h what can be read.
 */
#pragma once

#include "block/trie.h"

struct pk_block;
struct pk_conf;

/* What the block lists need from outside. All calls return at once. */
struct pk_block_ops {
	/* n chunks more; they come by pk_block_add_chunk(), or pk_block_grow_failed() is called. */
	int (*grow)(void *arg, uint32_t n);
	/*
	 * Have the bytes of fd (a memfd, borrowed) saved under this name; comes back by
	 * pk_block_saved() with the same serial. fd -1: remove what is saved.
	 */
	int (*save)(void *arg, const char *list, uint64_t serial, int fd);
	/*
	 * Appends to one of two files of changes, at once, or does not at all; n 0: empties it.
	 * NULL: changes are only in the files of their lists, half a second later.
	 */
	int (*journal)(void *arg, unsigned file, const void *bytes, size_t n);
	/* Told at the start and when it changes: is there something to enforce when we end? */
	void (*hold)(void *arg, bool on);
	/* Takes an address out of the kernel's safe set (--force-cover), or puts it back. */
	int (*except)(void *arg, const uint8_t addr[16], bool on);
	/* ifindex of an interface of the host's namespace; 0: there is none now. */
	uint32_t (*ifindex)(void *arg, const char *name);
	/* The other way round; "": there is none now. */
	void (*ifname)(void *arg, uint32_t ifindex, char ret[16]);
	/* Writes one element of pk_blk_who, or removes it (line 0). */
	int (*who)(void *arg, const struct pk_blk_who_key *key, uint32_t line);
	/*
	 * Writes one element of pk_dns_names, or removes it (value NULL); NULL: queries can not be
	 * refused here. refused reads one: -ENOENT, it is not there.
	 */
	int (*refuse)(void *arg, const struct pk_dns_key *key, const struct pk_dns_name *value);
	int (*refused)(void *arg, const struct pk_dns_key *key, struct pk_dns_name *ret);
	/* Sum of pk_blk_cnt over the processors; reset: begins at zero again. */
	int (*count)(void *arg, unsigned list, bool reset, struct pk_blk_count *ret);
	/* Hits that processors keep apart go into the counters of rules and lists. */
	void (*drain)(void *arg);
	/* Cgroup ids of a container (name or id), how many; -ENOENT: there is none now. */
	int (*container)(void *arg, const char *name, uint64_t *ret, size_t max);
	/* Id of a cgroup by its path in the v2 hierarchy; uid of a user by name. */
	int (*cgroup)(void *arg, const char *path, uint64_t *ret);
	int (*user)(void *arg, const char *name, uint64_t *ret);
	/* Something people must know. */
	void (*notice)(void *arg, const char *text);
	/* pk_block_step() has something to do, or pk_block_next_ns() has changed. */
	void (*work)(void *arg);
	void *arg;
};

/* lists: the mapped table of PK_BLK_LISTS. conf is borrowed. */
int pk_block_new(const struct pk_conf *conf, const struct pk_block_ops *ops,
		 const struct pk_trie_memory *mem, struct pk_blk_list *lists,
		 struct pk_block **ret_block);
void pk_block_free(struct pk_block *b); /* enforcement goes on */
void pk_block_freep(struct pk_block **b);
/* A new configuration: what is found in it counts from now on. */
void pk_block_set_conf(struct pk_block *b, const struct pk_conf *conf);

/* Chunks: those that were there at the start, and those that were asked for. */
int pk_block_add_chunk(struct pk_block *b, uint32_t index, union pk_blk_line *lines);
void pk_block_grow_failed(struct pk_block *b, int error);

/*
 * Start: chunks that were there, then every saved file (bytes are borrowed; one that is damaged is
 * reported and the copy before it counts) and what was changed since, then pk_block_start(): what
 * the kernel holds and what was saved become one, by pk_block_step(), without a moment in which a
 * listed address passes.
 */
int pk_block_add_saved(struct pk_block *b, const char *list, bool previous, const void *bytes,
		       size_t len);
/* What was found in one of the two files of changes. */
int pk_block_add_journal(struct pk_block *b, unsigned file, const void *bytes, size_t len);
/* An element that was found in pk_blk_who. */
int pk_block_add_who(struct pk_block *b, const struct pk_blk_who_key *key, uint32_t line);
/* An element that was found in pk_dns_names, and what its hash is keyed with: dns is the mapped
 * element of pk_dns_ctl. Without this, queries are not refused. */
int pk_block_add_refused(struct pk_block *b, const struct pk_dns_key *key);
void pk_block_set_dns(struct pk_block *b, struct pk_dns_ctl *dns);
int pk_block_start(struct pk_block *b, int64_t now_ms, uint64_t boot_ns);
/* Everything that was saved is in force. */
bool pk_block_is_ready(const struct pk_block *b);

void pk_block_saved(struct pk_block *b, const char *list, uint64_t serial, int result);

/* The safe set as the kernel has it; kinds 0: no more part of it. Told before the start, too. */
int pk_block_safe(struct pk_block *b, const struct pk_blk_safe_key *key, uint32_t kinds);

/* Works for at most about budget_ns; true: there is more to do (call again soon). */
bool pk_block_step(struct pk_block *b, uint64_t budget_ns);
/* Once a second, and when an entry ends: expiry, confirmations, executables and containers. */
void pk_block_tick(struct pk_block *b, int64_t now_ms, uint64_t boot_ns);
/* Boottime when the next thing is due that the tick should not keep waiting; 0 none. */
uint64_t pk_block_next_ns(const struct pk_block *b);
/* Interfaces came, went or have other names. */
void pk_block_links_changed(struct pk_block *b);
