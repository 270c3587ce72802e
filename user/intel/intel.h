/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a directory of threat intelligence into one table for the detectors: whatever the readers
 * of block lists understand (STIX 2.1, MISP, CSV, Zeek, plain lists, also gzipped), and JA4
 * fingerprints and SHA-256 of files, one a line (as sha256sum writes), in any field of a table, or
 * in a row of Zeek's with the type Intel::FILE_HASH. What they name is only watched, never blocked.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pk_indicators;

struct pk_intel_sum {
	uint64_t files, bad_files; /* bad: not read at all */
	uint64_t bad_lines;        /* neither address, name nor fingerprint: left out */
	uint64_t other_hashes;     /* rows with MD5, SHA-1 and the like, which are not looked for */
	uint64_t ignored;          /* revoked, expired, for context only, other kinds, no host's */
	char bad[512];             /* the first complaint, "FILE:LINE: TEXT: why" */
};

/*
 * Regular files whose name does not begin with a dot, in their order, of at most 64 MiB each and
 * max indicators in all. now_ms: wall clock, with which times of validity are compared; 0: only
 * when they are looked up. A directory that is not there is an empty one. *ret_table is sealed.
 * -errno of the directory; -ENOMEM.
 */
int pk_intel_load(const char *dir, size_t max, int64_t now_ms, struct pk_indicators **ret_table,
		  struct pk_intel_sum *ret_sum);
/* The same of one file, into a table that is not sealed. A table
 * that is full counts what it refuses. */
int pk_intel_load_file(struct pk_indicators *t, const char *path, int64_t now_ms,
		       struct pk_intel_sum *sum);
