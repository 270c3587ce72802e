/* SPDX-License-Identifier: Apache-2.0 */
/* What text.c and text_json.c share. */
#pragma once

#include "decode/text.h"

/* The first word of *rest, which then begins at the second. */
struct pk_slice pk_text_word(struct pk_slice *rest);

/* One line of JSON: if it is Stratum's, sets out->proto and takes what records show. */
void pk_text_stratum(struct pk_text *out, struct pk_slice line);
