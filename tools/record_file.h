/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pcapng stream into files: one, standard output, or a ring of files by size and time. Each file
 * is complete by itself, private (0600), and ends where a block ends whatever happens. An existing
 * file is never written to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_record_files;

struct pk_record_wish {
	const char *path;      /* "-": standard output */
	uint64_t rotate_bytes; /* a new file at this size; 0: never */
	uint64_t rotate_s;     /* and after so many seconds; 0: never */
	uint64_t files_max;    /* of a ring; the oldest is removed */
	bool force;            /* replace an existing file */
};

struct pk_record_sum {
	uint64_t packets, bytes; /* bytes: written, of all files */
	uint64_t cut;            /* packets without their whole frame */
	uint64_t dropped;        /* as the stream tells: its reader was too slow */
	uint64_t missed;         /* as it tells at its end: never came from the kernel */
	uint64_t flows;          /* the same */
	uint64_t files, removed; /* ever made; of these, gone again */
	char ended[32];          /* why, as the stream tells at its end; "": it did not */
};

/* Opens the first file. -errno, of the file. */
int pk_record_files_open(const struct pk_record_wish *wish, struct pk_record_files **ret_files);
/* The next piece of the stream, cut anywhere. -EBADMSG: it is no pcapng; else of the file. */
int pk_record_files_add(struct pk_record_files *f, const void *data, size_t len);
/* What was added and not written yet. */
int pk_record_files_flush(struct pk_record_files *f);
/* Ends the last file; removes it when nothing came at all. The rest is freed by _free. */
int pk_record_files_end(struct pk_record_files *f);
void pk_record_files_free(struct pk_record_files *f);

const struct pk_record_sum *pk_record_files_sum(const struct pk_record_files *f);
const char *pk_record_files_name(const struct pk_record_files *f); /* of the current one */
/* Names of files that are there, oldest first: NULL when i is their number. */
const char *pk_record_files_at(const struct pk_record_files *f, size_t i);
