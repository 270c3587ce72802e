/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers of all formats share: where entries, names and complaints go. Only files of this
 * room include it. Errors that end the reading (-ENOMEM, -EFBIG) are sticky: readers look at
 * `error` once a line.
 */
#pragma once

#include "block/address.h"
#include "block/format.h"

struct json_t;

struct pk_reader {
	const struct pk_list_opts *opts;
	struct pk_list_data *d;
	size_t cap, names_cap, hashes_cap; /* room in d->v, d->names, d->hashes */
	uint64_t line;                     /* complaints are about this one */
	uint8_t name_how; /* of the names that follow: PK_BLOCK_SNI_ONLY, PK_BLOCK_REFUSE */
	bool fatal;       /* the file as a whole is refused, whatever skip_bad says */
	int error;
};

/* A piece of the input, not ended by NUL. */
struct pk_piece {
	const char *p, *end;
};

size_t pk_piece_len(struct pk_piece s);
struct pk_piece pk_piece_of(const char *s);
struct pk_piece pk_piece_trim(struct pk_piece s); /* blanks at both ends */
bool pk_piece_is(struct pk_piece s, const char *word);
bool pk_piece_begins(struct pk_piece s, const char *word);
/* The next line without its end, CR taken off; counts it. False: no more. */
bool pk_reader_line(struct pk_reader *r, struct pk_piece *rest, struct pk_piece *ret_line);
/* The next word, ended by blanks; empty at the end. */
struct pk_piece pk_piece_word(struct pk_piece *rest);
/* "17" to a number of at most max; -EINVAL. */
int pk_piece_number(struct pk_piece s, uint64_t max, uint64_t *ret_v);

/* A complaint about a piece of the present line. fmt: what is wrong and what would be right. */
void pk_reader_bad(struct pk_reader *r, struct pk_piece text, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same about the whole file, which is refused. */
void pk_reader_refuse(struct pk_reader *r, struct pk_piece text, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* One span as written, with the conditions of like (NULL: the defaults); a port of its own wins. */
void pk_reader_span(struct pk_reader *r, const struct pk_span *s,
		    const struct pk_block_entry *like);
/* A name that pk_name_trim() or the like found right, with reason and expiry of like (NULL: the
 * defaults). */
void pk_reader_name(struct pk_reader *r, struct pk_piece name, const struct pk_block_entry *like);
/* SHA-256 of a file; without opts->hashes, and what is none, is ignored. */
void pk_reader_hash(struct pk_reader *r, struct pk_piece hash, const struct pk_block_entry *like);
/*
 * Has the kernel give all pages of what was just allocated at once: a fault for each costs a fifth
 * of the reading. Huge pages would be a little faster still, and now and then 0.3 s slower.
 */
void pk_reader_populate(void *mem, size_t size);
/* Offset of a text for an entry, cut at 255 bytes. */
uint32_t pk_reader_text(struct pk_reader *r, struct pk_piece text);

/* A whole piece that must be an address (prefix, range, with port), or also a name. */
#define PK_WANT_ADDR 0x1
#define PK_WANT_NAME 0x2
#define PK_OR_IGNORE 0x4 /* count what is neither as ignored instead of complaining */
void pk_reader_take(struct pk_reader *r, struct pk_piece text, unsigned what,
		    const struct pk_block_entry *like);
/* A name with "*." or "." before it, or a dot after. NULL: fine, *name is cut; letters beyond ASCII
 * stay until pk_reader_name(). May it have a single label? Where an address may stand as well, that
 * is more likely a mistake. */
const char *pk_name_trim(struct pk_piece *name, bool may_be_single);

/* format_open.c: gzip and zstd. bytes and len change when something had to be opened; *ret_mem is
 * to be freed. */
void pk_list_open(struct pk_reader *r, struct pk_piece *bytes, char **ret_mem);
bool pk_list_is_packed(struct pk_piece bytes);

/* One reader each: everything in bytes to r. */
void pk_list_read_plain(struct pk_reader *r, struct pk_piece bytes);
void pk_list_read_hosts(struct pk_reader *r, struct pk_piece bytes);
void pk_list_read_zeek(struct pk_reader *r, struct pk_piece bytes);
void pk_list_read_ipset(struct pk_reader *r, struct pk_piece bytes);
void pk_list_read_csv(struct pk_reader *r, struct pk_piece bytes);
void pk_list_read_picket(struct pk_reader *r, struct pk_piece bytes);
void pk_list_read_json(struct pk_reader *r, struct pk_piece bytes); /* finds the kind by itself */
void pk_list_read_spamhaus(struct pk_reader *r, struct pk_piece bytes);

/* What a text most likely is; JSON of any kind is told as PK_LIST_STIX. */
enum pk_list_format pk_list_detect(struct pk_piece bytes);

/* format_merge.c: sorts, makes one of doubles, counts them and what is covered. 0, -ENOMEM. */
int pk_list_merge(struct pk_list_data *d);
