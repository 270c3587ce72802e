/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The envelope around a statement: DSSE 1.0 (github.com/secure-systems-lab/dsse), one line of JSON
 * with the statement in base64 and its signatures, which are over
 * "DSSEv1" SP LEN(type) SP type SP LEN(statement) SP statement.
 * A signed list on the wire is the envelope, a line feed, and the list as it is.
 */
#pragma once

#include "sign/keys.h"
#include "sign/statement.h"

struct pk_conf;

#define PK_ENVELOPE_TYPE "application/vnd.picket.list+json"
#define PK_ENVELOPE_MAX  32768 /* bytes, without the line feed */
#define PK_ENVELOPE_SIGS 16
#define PK_ENVELOPE_ID   129 /* bytes of a key's id by others, with NUL */

struct pk_envelope_sig {
	char key[PK_ENVELOPE_ID];
	uint8_t sig[PK_SIG_SIZE];
};

struct pk_envelope {
	char *payload; /* the statement's text */
	size_t len;
	struct pk_envelope_sig sig[PK_ENVELOPE_SIGS]; /* no key twice */
	size_t sigs;
};

/* What was opened: a statement that can be believed, and whose keys say so. */
struct pk_signed {
	struct pk_statement statement;
	char key[PK_ENVELOPE_SIGS][PK_KEY_ID];
	size_t keys;
};

/* PK_REFUSED_MALFORMED, _TOO_LARGE. Nothing is believed yet. ret is owned: pk_envelope_done(). */
enum pk_refusal pk_envelope_read(const void *text, size_t len, struct pk_envelope *ret);
void pk_envelope_done(struct pk_envelope *e);

int pk_envelope_new(const struct pk_statement *s, struct pk_envelope *ret); /* unsigned */
/* One signature more, or again. -EINVAL: no private key; -E2BIG. */
int pk_envelope_sign(struct pk_envelope *e, const struct pk_key *key);
/* Appends the line, without its end. */
int pk_envelope_write(const struct pk_envelope *e, struct pk_buf *out);

/*
 * Who signed, and what. Each signature of a key that is trusted must be right, and enough of them
 * must count for the list by conf (sign.lists; NULL: one of any key).
 */
enum pk_refusal pk_envelope_open(const struct pk_envelope *e, const struct pk_keys *keys,
				 const struct pk_conf *conf, struct pk_signed *ret);
/* May it be taken as this list (NULL: any), at this time? Clocks may differ by five minutes. */
enum pk_refusal pk_statement_check(const struct pk_statement *s, const char *list, int64_t now_s);

/* Bytes of the envelope in front of a list on the wire; 0: there is none. */
size_t pk_envelope_ends(const void *bytes, size_t len);
