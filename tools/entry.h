/* SPDX-License-Identifier: Apache-2.0 */
/* Columns and texts of entries of block lists; records are those of the API. */
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

void pk_v_prefix(struct pk_buf *out, json_t *e, bool human); /* or the process */
void pk_v_limits(struct pk_buf *out, json_t *e, bool human); /* "in tcp port 22 eth0" */
void pk_v_expires(struct pk_buf *out, json_t *e, bool human);
void pk_v_list(struct pk_buf *out, json_t *e, bool human);
void pk_v_reason(struct pk_buf *out, json_t *e, bool human);
void pk_v_hits(struct pk_buf *out, json_t *e, bool human);
void pk_v_last_hit(struct pk_buf *out, json_t *e, bool human);
void pk_v_last_peer(struct pk_buf *out, json_t *e, bool human);

/* "192.0.2.7 in tcp port 22", escaped. */
void pk_entry_text(struct pk_buf *out, json_t *e);
/* "2026-11-24 02:20:47", local time. */
void pk_entry_time(struct pk_buf *out, json_int_t ms);
/* "3s ago", "in 59m58s". */
void pk_entry_ago(struct pk_buf *out, json_int_t ms);
