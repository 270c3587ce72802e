/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block lists of this host: what is in them, what may not be, when entries end, and how a whole
 * list is replaced in one step. Owns lists and entries; the kernel's memory is trie.h's, files are
 * written by the broker. One thread.
 */
#pragma once

#include "block/format.h"
#include "block/trie.h"

struct pk_block;
struct pk_buf;
struct pk_conf;
struct pk_json;

/* What the block lists need from outside. All calls return at once. */
struct pk_block_ops {
	/* n chunks more; they come by pk_block_add_chunk(). 0 or -errno. */
	int (*grow)(void *arg, uint32_t n);
	/* Have the bytes of fd (a memfd, borrowed) saved under this name; comes back by
	 * pk_block_saved() with the same serial. fd -1: remove what is saved. */
	int (*save)(void *arg, const char *list, uint64_t serial, int fd);
	/* Keep programs and hooks (true: there is something to enforce) when we end. */
	void (*hold)(void *arg, bool on);
	/* Is this address in the safe set, and why (kinds)? Net: does the prefix cover one. */
	uint32_t (*safe)(void *arg, const uint8_t prefix[16], unsigned bits, bool v4,
			 uint8_t ret_addr[16]);
	/* Take an address out of the kernel's safe set (--force-cover), or put it back. */
	int (*except)(void *arg, const uint8_t addr[16], bool on);
	/* ifindex of an interface of the host's namespace; 0: there is none now. */
	uint32_t (*ifindex)(void *arg, const char *name);
	/* Writes one element of pk_blk_who, or removes it (line 0). */
	int (*who)(void *arg, const struct pk_blk_who_key *key, uint32_t line);
	void *arg;
};

/* lists: the mapped table of PK_BLK_LISTS. */
int pk_block_new(const struct pk_conf *conf, const struct pk_block_ops *ops,
		 const struct pk_trie_memory *mem, struct pk_blk_list *lists,
		 struct pk_block **ret_block);
void pk_block_free(struct pk_block *b); /* enforcement goes on */

/*
 * Start: chunks that were there, then every saved list (bytes borrowed; damaged ones are reported
 * and the copy before it is tried), then start(): what the kernel holds and what was saved are made
 * one, without a moment in which a listed address passes.
 */
int pk_block_add_chunk(struct pk_block *b, uint32_t index, union pk_blk_line *lines);
int pk_block_add_saved(struct pk_block *b, const char *list, bool previous, const void *bytes,
		       size_t len);
int pk_block_start(struct pk_block *b, const uint32_t *loose, size_t n_loose);
void pk_block_saved(struct pk_block *b, const char *list, uint64_t serial, int result);

/* Works on loads for at most budget_ns; true: there is more to do (call again soon). */
bool pk_block_step(struct pk_block *b, uint64_t budget_ns);
/* Once a second, and when an entry ends: expiry, confirmations, executables and containers. */
void pk_block_tick(struct pk_block *b, int64_t now_ms, uint64_t boot_ns);
/* When the next entry ends, boottime ns; 0 none. */
uint64_t pk_block_next_ns(const struct pk_block *b);

/* How to treat what is asked for. */
struct pk_block_ask {
	const char *list; /* name: [A-Za-z0-9._-]{1,63}, not starting with a dot */
	bool allow;       /* kind of a list that is new */
	int mode;         /* enum pk_blk_mode, -1: as it is, or enforce when new */
	bool wide;        /* prefixes shorter than /8 (IPv4) or /19 (IPv6) */
	bool skip_bad;
	uint8_t force[16][16]; /* --force-cover */
	size_t n_force;
	uint64_t confirm_ms; /* 0: for good; else back to what was unless confirmed in time */
	const char *source;  /* file name, for messages and the list's record */
	const char *who;     /* who asks, for the record */
};

/* Outcome of a change; texts are the caller's to free by pk_block_done_done(). */
struct pk_block_done {
	int result; /* 0, -EBADMSG (bad), -EPERM (refused), -ENOSPC, -EBUSY (a load goes on), ... */
	char *detail; /* for people: what is wrong and what to do; NULL when all is well */
	uint64_t added, removed, kept, entries;
	struct pk_list_data data; /* counts and complaints; data.v was taken */
	uint64_t read_ns, enforce_ns, save_ns;
	bool saved;
};
void pk_block_done_done(struct pk_block_done *d);

/*
 * Replaces a list by what was read (entries and texts are taken). done is called when it is
 * enforced and saved, or refused. At most one load of a list at a time.
 */
void pk_block_load(struct pk_block *b, const struct pk_block_ask *ask, struct pk_list_data *data,
		   void (*done)(void *arg, struct pk_block_done *d), void *arg);
/* The same without changing anything: what would be added and removed (JSON members). */
int pk_block_diff(struct pk_block *b, const struct pk_block_ask *ask,
		  const struct pk_list_data *data, struct pk_json *out, struct pk_block_done *ret);

/* One entry more or less, at once. e: prefix and conditions; reason by text. */
int pk_block_add(struct pk_block *b, const struct pk_block_ask *ask, const struct pk_block_entry *e,
		 const char *iface, const char *reason, struct pk_block_done *ret);
int pk_block_remove(struct pk_block *b, const struct pk_block_ask *ask,
		    const struct pk_block_entry *e, struct pk_block_done *ret);
