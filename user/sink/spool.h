/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue on disk with one writer and several readers, each with its own place. Records are
 * numbered without gaps and stay until every reader is done with them, or until the spool is larger
 * than it may be: then the oldest go, and each reader counts what it missed. A place survives a
 * restart; a record that was being read then is read again.
 */
#pragma once

#include "sink/kind.h"

struct pk_spool;
struct pk_spool_reader;

#define PK_SPOOL_RECORD_MAX (256u << 10) /* bytes with its head */
#define PK_SPOOL_READERS    PK_SINK_KINDS_MAX

/* dir_fd: borrowed, nobody else writes there. What a crash cut short is dropped. */
int pk_spool_open(int dir_fd, uint64_t bytes_max, struct pk_spool **ret_spool);
void pk_spool_close(struct pk_spool *s); /* readers first */

/* -EMSGSIZE: too large; -ENOSPC, -EIO: not written, try again. One thread. number is ignored. */
int pk_spool_append(struct pk_spool *s, const struct pk_sink_record *rec);
int pk_spool_sync(struct pk_spool *s); /* what was appended is on the disk; wakes readers */
uint64_t pk_spool_bytes(struct pk_spool *s);

/* A reader that is new begins with what comes. name: a file's. Before others append. */
int pk_spool_reader_open(struct pk_spool *s, const char *name, struct pk_spool_reader **ret_reader);
void pk_spool_reader_close(struct pk_spool_reader *r);
/*
 * Up to max records that follow, at most 1 MiB; waits for one. Borrowed until the next call on this
 * reader. Returns how many, or -errno.
 */
int pk_spool_read(struct pk_spool_reader *r, struct pk_sink_record *rec, size_t max,
		  unsigned wait_ms);
/* The first n of them are dealt with. */
void pk_spool_done(struct pk_spool_reader *r, size_t n);
void pk_spool_wake(struct pk_spool *s); /* ends waiting */

uint64_t pk_spool_waiting(struct pk_spool_reader *r); /* records it has not done */
/* Records that went before it read them, ever. */
uint64_t pk_spool_dropped(struct pk_spool_reader *r);
