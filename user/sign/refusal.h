/* SPDX-License-Identifier: Apache-2.0 */
/* Why a signed list is not taken: one code each, the same wherever it is told. */
#pragma once

enum pk_refusal {
	PK_SIGNED_OK = 0,
	PK_REFUSED_UNSIGNED,  /* a signature is required */
	PK_REFUSED_TOO_LARGE, /* of envelope or content */
	PK_REFUSED_MALFORMED, /* not such an envelope or statement */
	PK_REFUSED_SIGNATURE, /* a signature of a key that is known is wrong */
	PK_REFUSED_UNKNOWN_KEY,
	PK_REFUSED_RETIRED_KEY,
	PK_REFUSED_THRESHOLD, /* fewer keys than the list needs */
	PK_REFUSED_NAME,      /* it is another list's */
	PK_REFUSED_FUTURE,    /* made after now, by more than clocks may differ */
	PK_REFUSED_EXPIRED,
	PK_REFUSED_REPLAYED, /* a newer version was accepted before */
	PK_REFUSED_FORKED,   /* that version was accepted with other content */
	PK_REFUSED_DIGEST,   /* the content is not what was signed */
	PK_REFUSED_COUNT,    /* it has more or fewer entries */
	PK_REFUSED_OPTION,   /* it asks for a treatment that is not known here */
	PK_REFUSED_NO_BASE,  /* of a delta: what it starts from is not here */
	PK_REFUSED_STATE,    /* which versions were accepted can't be read or written */
	PK_REFUSALS
};

const char *pk_refusal_code(enum pk_refusal r); /* "bad-signature"; OK: "ok" */
const char *pk_refusal_text(enum pk_refusal r); /* a sentence for people */
