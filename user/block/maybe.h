/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bits that say of each IPv4 /24 whether a rule may touch it: set before a rule is reachable,
 * cleared after the last one is not any more. Who is killed between leaves a bit too many, never
 * one too few. For trie.c and adopt.c.
 */
#pragma once

#include "block/node.h"
#include "block/trie_own.h"

/* Nothing for IPv6, here and below. */
void pk_maybe_set(struct pk_trie *t, const struct pk_prefix *p);
/* The bits within p as the trie says. Returns how many were missing: not 0 only for damaged maps.
 */
uint64_t pk_maybe_renew(struct pk_trie *t, const struct pk_prefix *p);
/* May a rule cover this address? The test that packets begin with. */
bool pk_maybe_has(const struct pk_trie *t, const struct pk_prefix *addr);
