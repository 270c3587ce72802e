/* SPDX-License-Identifier: Apache-2.0 */
/* The table of refusals. */
#include "sign/refusal.h"

#include "base/cleanup.h"

static const struct {
	const char *code, *text;
} refusals[] = {
	[PK_SIGNED_OK] = { "ok", "the signature is right" },
	[PK_REFUSED_UNSIGNED] = { "signature-required",
				  "a list that comes this way must be signed (sign.require); "
				  "`picket list sign` does it" },
	[PK_REFUSED_TOO_LARGE] = { "too-large", "the envelope or the list is too large" },
	[PK_REFUSED_MALFORMED] = { "malformed-envelope",
				   "this is not an envelope of a signed list" },
	[PK_REFUSED_SIGNATURE] = { "bad-signature",
				   "a signature is wrong: what was signed has been altered" },
	[PK_REFUSED_UNKNOWN_KEY] = { "unknown-key",
				     "it is signed with a key that is not trusted here" },
	[PK_REFUSED_RETIRED_KEY] = { "retired-key", "it is signed with a key that was retired" },
	[PK_REFUSED_THRESHOLD] = { "threshold-not-met",
				   "fewer keys have signed it than this list needs" },
	[PK_REFUSED_NAME] = { "wrong-name", "what was signed is a list of another name" },
	[PK_REFUSED_FUTURE] = { "from-the-future",
				"it was made after now by the clock of this host" },
	[PK_REFUSED_EXPIRED] = { "expired", "it has expired" },
	[PK_REFUSED_REPLAYED] = { "replayed", "a newer version of this list was accepted before" },
	[PK_REFUSED_FORKED] = { "version-reused",
				"this version of the list was accepted with other content" },
	[PK_REFUSED_DIGEST] = { "wrong-digest", "the list is not the one that was signed" },
	[PK_REFUSED_COUNT] = { "wrong-count",
			       "the list has another number of entries than was signed" },
	[PK_REFUSED_OPTION] = { "unknown-option",
				"it asks for a treatment that is not known here" },
	[PK_REFUSED_NO_BASE] = { "no-base",
				 "the version that the delta starts from is not here: send all" },
	[PK_REFUSED_STATE] = { "state-unknown",
			       "which versions were accepted before can't be read or written" },
};

_Static_assert(PK_ARRAY_SIZE(refusals) == PK_REFUSALS, "one row each");

const char *pk_refusal_code(enum pk_refusal r)
{
	return r < PK_REFUSALS ? refusals[r].code : "unknown";
}

const char *pk_refusal_text(enum pk_refusal r)
{
	return r < PK_REFUSALS ? refusals[r].text : "unknown";
}
