/* SPDX-License-Identifier: Apache-2.0 */
/* Records as JSON lines. */
#pragma once

#include "sink/kind.h"

struct pk_buf;

void pk_sink_lines(struct pk_buf *out, const struct pk_sink_record *rec, size_t n);
