/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads block lists as they come: bytes to sorted entries without doubles. A pure function of the
 * bytes: bounded, fuzzed, touches no file. Compressed input (gzip, zstd) is opened first.
 */
#pragma once

#include "block/domains.h"
#include "block/entry.h"

struct pk_buf;

enum pk_list_format {
	PK_LIST_AUTO = 0, /* told by the content */
	PK_LIST_PLAIN,    /* netsets: address, CIDR or range a line; comments with # and ; */
	PK_LIST_IPSET,    /* ipset save / restore */
	PK_LIST_SPAMHAUS, /* DROP in text (address ; id) or JSON lines */
	PK_LIST_CSV,      /* column by name or number */
	PK_LIST_HOSTS,    /* hosts file: names */
	PK_LIST_STIX,     /* STIX 2.1 bundle */
	PK_LIST_MISP,     /* MISP event JSON, or warning list */
	PK_LIST_ZEEK,     /* Zeek intelligence, tab separated with #fields */
	PK_LIST_PICKET,   /* what `picket list export` writes; all fields */
	PK_LIST_FORMATS
};

struct pk_list_opts {
	enum pk_list_format format;
	const char *column; /* CSV: name or 1-based number; NULL: found by content */
	bool skip_bad;      /* go on after a bad line: it is only reported */
	int64_t now_ms;     /* wall clock: valid_until, expiry are compared with it; 0: not */
	uint64_t max_bytes; /* after decompression; beyond it -EFBIG */
	uint64_t max_entries;
	struct pk_block_entry
		defaults;      /* dir, proto, ports, expires_ms for entries that say nothing */
	uint8_t name_how;      /* PK_BLOCK_SNI_ONLY, PK_BLOCK_REFUSE of names that say nothing */
	bool hashes;           /* SHA-256 of files are wanted, too; else they are ignored */
	size_t max_complaints; /* further ones are only counted; 0: 100 */
};

struct pk_list_bad {
	uint64_t line; /* 1-based; JSON: line of the object or of the error; 0: the whole file */
	char *text;    /* the offending piece, cut at 80 bytes */
	char *reason;  /* "not an address: octet above 255" ... and what would be right */
};

/* SHA-256 of a file, of STIX and MISP. */
struct pk_list_hash {
	uint32_t text, reason; /* 64 digits of any case */
	int64_t expires_ms;
};

struct pk_list_data {
	enum pk_list_format format; /* as found */
	struct pk_block_entry *v;   /* sorted by pk_block_entry_compare(), no two equal */
	size_t n;
	struct pk_block_texts texts;
	struct pk_block_name *names; /* sorted by text, each once */
	size_t n_names;
	struct pk_list_hash *hashes; /* as they came */
	size_t n_hashes;
	struct pk_list_bad *bad;
	size_t n_bad, bad_total;
	uint64_t lines;     /* read */
	uint64_t read;      /* entries as written, before merging */
	uint64_t doubles;   /* said more than once */
	uint64_t covered;   /* within a shorter prefix of the list, same conditions; kept */
	uint64_t host_bits; /* prefixes whose host bits were set: cleared */
	uint64_t ignored;   /* of kinds that are no address and no name, revoked, expired,
			       to_ids=false */
};

/*
 * 0: all read (or, with skip_bad, all that could be). -EBADMSG: bad lines in ret->bad, v is empty;
 * with skip_bad too when the file as a whole makes no sense (JSON that ends too soon, a CSV column
 * that is not there). -EFBIG, -ENOMEM. ret is to be freed in every case. The same prefix with
 * different texts: the first wins; with different expiry: the latest. Ranges become the fewest
 * prefixes.
 */
int pk_list_read(const void *bytes, size_t len, const struct pk_list_opts *opts,
		 struct pk_list_data *ret);
void pk_list_data_done(struct pk_list_data *d);
const char *pk_list_format_name(enum pk_list_format f);            /* "plain", ... */
int pk_list_format_parse(const char *s, enum pk_list_format *ret); /* -EINVAL */
/* The export format, one line an entry or a name; pk_list_read(PK_LIST_PICKET) gives the same
 * entries. */
void pk_list_write_entry(struct pk_buf *out, const struct pk_block_entry *e,
			 const struct pk_block_texts *t);
void pk_list_write_line(struct pk_buf *out, const struct pk_block_entry *e, const char *iface,
			const char *reason);
void pk_list_write_name(struct pk_buf *out, const struct pk_block_name *n, const char *name,
			const char *reason);
/* "10.0.0.0/8", "a-b" or an address: up to 256 entries' prefixes; -EINVAL with the reason. */
int pk_block_parse_target(const char *s, struct pk_block_entry *v, size_t max, size_t *ret_n,
			  const char **ret_reason, bool *ret_host_bits);
