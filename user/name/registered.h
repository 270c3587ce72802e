/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a name is: the part of it that somebody registered, by the public suffix list. */
#pragma once

#include <stdbool.h>

/*
 * "example.co.uk" of "www.example.co.uk": points into name (as in dns.h: lower case, A-labels, no
 * dot at its end). Both parts of the list count, so below github.io each name is somebody else's.
 * NULL: a single label, or a suffix itself. A top level domain nobody listed counts as one.
 */
const char *pk_name_registered(const char *name);
/* Not of the public DNS: single labels, reverse lookups (.arpa), and what local networks call
 * themselves (RFC 6762; .lan, .home, .corp and the like). */
bool pk_name_is_private(const char *name);
