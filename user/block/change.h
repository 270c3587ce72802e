/* SPDX-License-Identifier: Apache-2.0 */
/* What may be asked of the block lists: entries more and less, whole lists, modes. */
#pragma once

#include "block/block.h"
#include "block/format.h"

struct pk_json;

/* How to treat what is asked for. */
struct pk_block_ask {
	const char *list;      /* name: [A-Za-z0-9._-]{1,63}, not starting with a dot */
	bool allow;            /* kind of a list that is new */
	int mode;              /* enum pk_blk_mode, -1: as it is, or enforce when new */
	bool wide;             /* prefixes shorter than /8 (IPv4) or /19 (IPv6) */
	bool skip_bad;         /* a load goes on without the entries that are refused */
	uint8_t force[16][16]; /* --force-cover */
	size_t n_force;
	uint64_t confirm_ms; /* load: back to what was unless confirmed in time; 0: for good */
	const char *source;  /* file name, for the list's record; NULL none */
	const char *who;     /* who asks, for the record; NULL none */
};

/* An entry that is not to be, because of an address that must be reached. */
struct pk_block_refusal {
	char prefix[PK_DOMAIN_MAX]; /* as people write it; a name */
	char covers[56];            /* address or prefix of the safe set; "": it is too wide */
	char why[160];              /* "default gateway, resolver", and what to do */
};
#define PK_BLOCK_REFUSALS 100 /* told one by one; others are only counted */

/* Outcome of a change; to be freed by pk_block_done_done(). */
struct pk_block_done {
	/* 0; -EBADMSG: bad lines; -EPERM: refused; -EBUSY: a load or confirmation of the list goes
	 * on; -ENOSPC: memory, entries or lists are at their limit; -EAGAIN: memory is on its way,
	 * ask again; -ENOENT, -EINVAL, -EEXIST (it is a list of the other kind), ... */
	int result;
	char *detail; /* for people: what is wrong and what to do; NULL when all is well */
	uint64_t added, removed, kept, entries;
	uint32_t id;              /* of the entry that was added or removed */
	struct pk_list_data data; /* of a load: counts and complaints; entries are gone */
	struct pk_block_refusal *refused;
	size_t n_refused, refused_total;
	uint64_t read_ns, enforce_ns, save_ns; /* read_ns is the caller's */
	bool saved;
	int64_t confirm_by_ms; /* wall clock; 0: nothing to confirm */
};
void pk_block_done_done(struct pk_block_done *d);

/*
 * Replaces a list by what was read (data is taken), or makes it. done is called exactly once, from
 * pk_block_step(), pk_block_saved() or before this returns: when it is enforced and saved (with
 * confirm_ms: enforced), or refused. Rules about processes stay.
 */
typedef void (*pk_block_done_fn)(void *arg, struct pk_block_done *d);
void pk_block_load(struct pk_block *b, const struct pk_block_ask *ask, struct pk_list_data *data,
		   pk_block_done_fn done, void *arg);
/* Changes nothing: members "add" and "remove" (prefixes, at most max of each), counts in ret. */
int pk_block_diff(struct pk_block *b, const struct pk_block_ask *ask,
		  const struct pk_list_data *data, size_t max, struct pk_json *out,
		  struct pk_block_done *ret);

/* One entry more (or other expiry and reason for it) or less, at once: it holds though we are
 * killed then, and is in its file within a second.
 * e: prefix and conditions, its text offsets are ignored. Returns ret->result. */
int pk_block_add(struct pk_block *b, const struct pk_block_ask *ask, const struct pk_block_entry *e,
		 const char *iface, const char *reason, struct pk_block_done *ret);
int pk_block_remove(struct pk_block *b, const struct pk_block_ask *ask,
		    const struct pk_block_entry *e, const char *iface, struct pk_block_done *ret);

/* A name (spelt as people do; it covers what is below it) more or less, the same way. how:
 * PK_BLOCK_SNI_ONLY, PK_BLOCK_REFUSE. -ENOSPC also: queries are refused for as many as can be. */
int pk_block_add_name(struct pk_block *b, const struct pk_block_ask *ask, const char *name,
		      uint8_t how, int64_t expires_ms, const char *reason,
		      struct pk_block_done *ret);
int pk_block_remove_name(struct pk_block *b, const struct pk_block_ask *ask, const char *name,
			 struct pk_block_done *ret);

/* What processes may not talk to. e: the addresses and conditions; bits 0: all of both families. */
enum pk_block_proc_kind {
	PK_BLOCK_EXE = 1,
	PK_BLOCK_USER = 2,
	PK_BLOCK_CONTAINER = 3,
	PK_BLOCK_CGROUP = 4,
};
struct pk_block_proc {
	enum pk_block_proc_kind kind;
	const char *name; /* path, user, container, or cgroup path */
};
int pk_block_add_proc(struct pk_block *b, const struct pk_block_ask *ask,
		      const struct pk_block_proc *proc, const struct pk_block_entry *e,
		      const char *reason, struct pk_block_done *ret);
int pk_block_remove_proc(struct pk_block *b, const struct pk_block_ask *ask,
			 const struct pk_block_proc *proc, const struct pk_block_entry *e,
			 struct pk_block_done *ret);

int pk_block_set_mode(struct pk_block *b, const char *list, enum pk_blk_mode mode,
		      struct pk_block_done *ret);
/* Keeps what was loaded with confirm_ms; back: what was before, at once. Done as for
 * pk_block_load(). */
void pk_block_confirm(struct pk_block *b, const char *list, bool back, pk_block_done_fn done,
		      void *arg);
/* Removes the list and its file; done as for pk_block_load(). */
void pk_block_remove_list(struct pk_block *b, const char *list, pk_block_done_fn done, void *arg);

/* What a response may block without a person: an end, a rate, a number, and evidence. */
enum pk_block_evidence {
	PK_BLOCK_ESTABLISHED = 1, /* a TCP handshake was completed: the address is real */
	PK_BLOCK_HALF_OPEN = 2,
	PK_BLOCK_UDP = 3, /* and all else that may be forged */
};
struct pk_block_auto_ask {
	const char *alert; /* the alert that is the cause */
	enum pk_block_evidence evidence;
	const char *list;   /* NULL: "auto" */
	const char *reason; /* NULL none */
};
/* e->expires_ms is required. -EAGAIN: beyond the rate (or memory is on its way). */
int pk_block_auto(struct pk_block *b, const struct pk_block_auto_ask *ask,
		  const struct pk_block_entry *e, struct pk_block_done *ret);
