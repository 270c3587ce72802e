/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists in memory, and what the files of this room share. Nobody outside of the room sees it.
 */
#pragma once

#include "block/change.h"
#include "block/domains.h"
#include "block/entries.h"
#include "block/expire.h"
#include "block/guard.h"

struct pk_answers;
struct pk_load;
struct pk_refuse;
struct pk_saver;
struct pk_who_table;

#define PK_LIST_NAME  64
#define PK_LIST_FORCE 64 /* addresses that --force-cover took out of the safe set, a list */

/* What a list consists of. While it is being replaced there are two of them. */
struct pk_version {
	struct pk_entries entries; /* iface is a text of pk_block.ifaces, not of texts */
	struct pk_domains names;
	struct pk_block_texts texts;
	char *source, *who;
	int64_t changed_ms;
	/* of the entries */
	size_t expiring, with_iface, with_cond, v6;
	uint64_t v4_space; /* addresses, overlaps twice */
};

struct pk_block_list {
	char name[PK_LIST_NAME];
	unsigned index, parity;
	bool allow, leaving; /* leaving: it has no name any more, only rules to be removed */
	enum pk_blk_mode mode;
	int64_t created_ms;
	struct pk_version now;
	struct pk_load *load; /* it is being replaced, removed, or waits for confirmation */
	uint32_t next_id;
	uint8_t force[PK_LIST_FORCE][16];
	size_t n_force;
	uint64_t processes; /* rules about them, in who.c */
	struct pk_name_hit_table hits;
	bool missed; /* an entry ended while load was set */
	/* file */
	char *fault;
	bool dirty, in_file;    /* in_file: there is one */
	uint64_t due_ns;        /* boottime of the next save */
	uint64_t serial, asked; /* of the last change, and of what was last handed over */
	uint64_t kept;          /* of the last change that is known to be in the file */
	uint64_t edition;       /* another one, never used before, with each change */
	/* where the last page of pk_block_rows() ended */
	struct pk_block_entry page;
	struct {
		uint32_t id;
		size_t at; /* behind it */
	} page_name;
	struct pk_block_entry name_row; /* of the last row that is a name */
};

/* Automatic blocks of the last minute. */
struct pk_auto_rate {
	uint64_t credit_ns, at_ns;
	uint64_t refused;
};

struct pk_block {
	const struct pk_conf *conf;
	struct pk_block_ops ops;
	struct pk_trie *trie;
	struct pk_blk_ctl *ctl;
	struct pk_blk_list *kernel; /* mapped */
	struct pk_block_list *list[PK_BLK_LISTS];
	uint8_t order[PK_BLK_LISTS]; /* indices by name */
	size_t n_lists;
	int64_t now_ms, offset_ns; /* wall clock - boottime */
	uint64_t boot_ns, rested_ns;
	struct pk_block_texts ifaces;
	struct pk_guard guard;
	struct pk_expiry expiry;
	struct pk_load *loads;   /* first in, first done */
	struct pk_load *unsaved; /* in force, the file is on its way */
	unsigned starting;       /* loads of the start that are not done */
	struct pk_saver *saver;
	uint64_t serial, editions;
	uint64_t journal_last[2]; /* serial of the last line in each file; 0: it is empty */
	unsigned journal_now;     /* the one that is written to */
	struct pk_who_table *who;
	struct pk_refuse *refuse;
	struct pk_dns_ctl *dns; /* mapped; NULL none */
	struct pk_answers *answers;
	struct pk_auto_rate rate;
	struct pk_start *start; /* what was told before pk_block_start() */
	uint64_t family[2];     /* rules, IPv4 and IPv6 */
	uint32_t growing;       /* chunks that were asked for */
	int grow_error;         /* of the last time, 0: none */
	unsigned table_asks;    /* chunks asked for for a table of hosts that did not come about */
	int held;               /* what was told, -1 nothing yet */
	bool started, ready, links_changed;
	uint64_t adopted, repaired;
};

/* Names and the table. */
bool pk_list_name_ok(const char *name);
struct pk_block_list *pk_list_find(struct pk_block *b, const char *name);
/* -ENOSPC: 255 lists. Its word in the kernel is set by pk_list_publish(). */
int pk_list_new(struct pk_block *b, const char *name, int index, struct pk_block_list **ret);
void pk_list_forget(struct pk_block *b, struct pk_block_list *l); /* no name any more */
void pk_list_free(struct pk_block *b, struct pk_block_list *l);
uint32_t pk_list_name_hash(const char *name);
/* One store: kind, mode and parity as they are in l now. Holds hooks if there is a need. */
void pk_list_publish(struct pk_block *b, struct pk_block_list *l);
void pk_list_hold(struct pk_block *b);
/* It is not what it was: for pk_list_publish() and pk_list_changed(), and what needs neither. */
void pk_list_edited(struct pk_block *b, struct pk_block_list *l);
/* It is to be saved, in_ns from now on at the latest. */
void pk_list_changed(struct pk_block *b, struct pk_block_list *l, uint64_t in_ns);
void pk_list_fault(struct pk_block *b, struct pk_block_list *l, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
uint64_t pk_list_entries(const struct pk_block *b);
/* Each address of an ask that is not yet in l: is told to the kernel and remembered. */
int pk_list_force(struct pk_block *b, struct pk_block_list *l, const uint8_t (*v)[16], size_t n);
void pk_list_set_force(struct pk_block *b, struct pk_block_list *l, const uint8_t (*v)[16],
		       size_t n);

void pk_version_done(struct pk_version *v);
uint64_t pk_version_entries(const struct pk_version *v); /* with names */
void pk_version_count(struct pk_version *v, const struct pk_block_entry *e, int n);
/* Text for people: prefix as in "10.0.0.0/8". */
void pk_entry_text(const struct pk_block_entry *e, char out[56]);
const char *pk_iface_name(const struct pk_block *b, const struct pk_block_entry *e);

/* Outcome: sets result and detail, returns result. */
int pk_done_set(struct pk_block_done *d, int result, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a failure that has no words yet. */
int pk_done_fail(struct pk_block_done *d, int result);
void pk_block_notice(struct pk_block *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* rule.c: entries in the kernel. Adding sets what has to be set before. */
int pk_rule_add(struct pk_block *b, const struct pk_block_list *l, const struct pk_block_entry *e,
		uint8_t flags, uint32_t *ret_line);
void pk_rule_remove(struct pk_block *b, uint32_t line);
void pk_rule_cond(struct pk_block *b, const struct pk_block_entry *e, struct pk_blk_cond *ret);
void pk_rule_set_expiry(struct pk_block *b, uint32_t line, int64_t expires_ms);
/* The same, unless it ends later already. */
void pk_rule_extend(struct pk_block *b, uint32_t line, int64_t expires_ms);
void pk_rule_carry(struct pk_block *b, uint32_t from, uint32_t to);  /* counters */
uint64_t pk_rule_boot_ns(const struct pk_block *b, int64_t wall_ms); /* 0 for never */
void pk_block_clock(struct pk_block *b, int64_t now_ms, uint64_t boot_ns);
void pk_rule_have(struct pk_block *b, uint32_t bits, bool on);
/* Lines for single changes are kept ready; more: chunks to ask for now. */
void pk_rule_reserve(struct pk_block *b);
int pk_rule_grow(struct pk_block *b, uint64_t lines);

/* load.c */
void pk_load_free(struct pk_load *ld);
bool pk_load_step(struct pk_block *b, uint64_t until_ns);
void pk_load_tick(struct pk_block *b); /* confirmations */
/* The file of a list that was removed is gone, or is not; false: none waits for this. */
bool pk_load_unsaved(struct pk_block *b, uint64_t serial, int result);
void pk_load_saved(struct pk_block *b, const struct pk_block_list *l, uint64_t serial, int result);
/* At the start: the list becomes what the file says: kind and mode as in l; entries and names of
 * data are taken. */
int pk_load_start(struct pk_block *b, struct pk_block_list *l, struct pk_list_data *data,
		  struct pk_version *version, bool is_new);
int64_t pk_load_confirm_by_ms(const struct pk_block_list *l);
uint64_t pk_load_confirm_ns(const struct pk_block_list *l); /* boottime; 0 nothing waits */
uint64_t pk_load_entries_before(const struct pk_block_list *l);
struct pk_version *pk_load_other(const struct pk_block_list *l); /* load is set */
bool pk_load_is_pending(const struct pk_block_list *l);          /* only waits for confirmation */
/* Text offsets of v's interfaces become those of b; sorted again if need be. */
int pk_load_intern(struct pk_block *b, struct pk_block_entry *v, size_t n,
		   const struct pk_block_texts *texts);

/* change.c */
/* The list of an ask for single changes: made if it is new (ret may be NULL then if !make). */
int pk_change_list(struct pk_block *b, const struct pk_block_ask *ask, bool make,
		   struct pk_block_list **ret, struct pk_block_done *d);
/* A list that was made for nothing. */
void pk_change_drop_new(struct pk_block *b, struct pk_block_list *l);
void pk_change_remove_at(struct pk_block *b, struct pk_block_list *l, struct pk_entries_at at);
/* Where the entry of a rule is. */
bool pk_change_find_line(struct pk_block *b, const struct pk_block_list *l, uint32_t line,
			 const uint8_t prefix[16], unsigned bits, struct pk_entries_at *ret);
/* What has ended goes; true: the slice was too short for all of it. */
bool pk_change_expire(struct pk_block *b, uint64_t until_ns);
/* Conditions in the kernel again: the clock was set, or interfaces have changed. */
void pk_change_refresh(struct pk_block *b, bool clock, bool ifaces);

/* saved.c */
bool pk_saver_step(struct pk_block *b, uint64_t until_ns);
void pk_saver_drop(struct pk_block *b, const struct pk_block_list *l); /* it has changed wholly */
void pk_saver_free(struct pk_block *b);
uint64_t pk_saver_due_ns(const struct pk_block *b);

/* who.c: rules about what processes do */
void pk_who_drop_list(struct pk_block *b, struct pk_block_list *l);
void pk_who_tick(struct pk_block *b);
void pk_who_refresh(struct pk_block *b); /* conditions in the kernel again */
int pk_who_restore(struct pk_block *b, struct pk_block_list *l, const struct pk_block_proc *p,
		   const struct pk_block_entry *e, const char *reason);
void pk_who_free(struct pk_block *b);

/* start.c */
void pk_start_free(struct pk_block *b);

/* The end of a slice is asked for only now and then. */
static inline bool pk_slice_over(uint32_t *n, uint64_t until_ns, uint64_t (*now)(void))
{
	return (++*n & 63) == 0 && now() >= until_ns;
}
