/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fingerprints in lists: JA4 and SHA-256 of files, which readers of addresses and names do not
 * know. In plain lists they begin a line; in tables they are any field, in Zeek's the indicator.
 */
#pragma once

#include <stddef.h>

struct pk_indicators;
struct pk_intel_sum;

/*
 * Takes them from what a file holds (len bytes and a NUL behind them), and blanks their lines for
 * the reader of what is left; rows that have an address besides, or begin with a name, stay. MD5
 * and SHA-1 are counted. JSON is for other readers: there only lines that begin with one count.
 * -ENOMEM.
 */
int pk_intel_prints(struct pk_indicators *t, const char *source, char *bytes, size_t len,
		    struct pk_intel_sum *sum);
