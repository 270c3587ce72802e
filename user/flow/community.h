/* SPDX-License-Identifier: Apache-2.0 */
/* Community ID v1: the same text for the same conversation in Zeek, Suricata and here. */
#pragma once

#include <picket/event.h>

#define PK_COMMUNITY_LEN 31 /* "1:" + 28 characters of base64 + NUL */

/* ret_text is "" for what has no community id (ARP). */
void pk_community_id(const struct pk_flow *flow, char ret_text[PK_COMMUNITY_LEN]);
