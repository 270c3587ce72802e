/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng), appended to a buffer in the byte order of
 * this machine, which is how the format wants it. One block is one call; a file is one section, its
 * interfaces in the order of their numbers, packets, and statistics. Texts are made valid UTF-8,
 * and printable, on their way in. Failures are the buffer's sticky error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_buf;

/* Block types that somebody who splits a stream must know. */
#define PK_PCAPNG_SECTION   0x0a0d0d0au
#define PK_PCAPNG_INTERFACE 1u
#define PK_PCAPNG_STATS     5u
#define PK_PCAPNG_PACKET    6u

#define PK_PCAPNG_MAGIC 0x1a2b3c4du

/* LINKTYPE_*, as registered at tcpdump.org */
#define PK_LINKTYPE_ETHERNET 1
#define PK_LINKTYPE_RAW      101

struct pk_pcapng_section {
	const char *hardware, *os, *application; /* NULL: left out */
};

struct pk_pcapng_iface {
	const char *name, *description; /* NULL: left out */
	const char *filter;             /* as the user wrote it; NULL: none */
	uint16_t linktype;              /* PK_LINKTYPE_* */
	uint32_t snaplen;               /* 0: no limit */
};

enum pk_pcapng_way { PK_PCAPNG_WAY_UNKNOWN = 0, PK_PCAPNG_INBOUND = 1, PK_PCAPNG_OUTBOUND = 2 };

struct pk_pcapng_packet {
	uint32_t iface;    /* number of its interface block in this section */
	uint64_t ts_ns;    /* since the epoch */
	const void *data;  /* of len bytes */
	uint32_t len;      /* bytes at data */
	uint32_t wire_len; /* bytes of the packet; at least len */
	enum pk_pcapng_way way;
	const char *comment; /* NULL: none */
	uint64_t dropped;    /* between this packet and the one before on this interface */
};

struct pk_pcapng_stats {
	uint32_t iface;
	uint64_t ts_ns, start_ns, end_ns; /* since the epoch */
	uint64_t received;                /* isb_ifrecv: all that was to be recorded */
	uint64_t dropped;                 /* isb_ifdrop: of these, not in the file */
	uint64_t os_dropped; /* isb_osdrop: of those, lost on the way from the kernel */
	uint64_t delivered;  /* isb_usrdeliv: in the file */
	const char *comment; /* NULL: none */
};

void pk_pcapng_section(struct pk_buf *out, const struct pk_pcapng_section *s);
void pk_pcapng_iface(struct pk_buf *out, const struct pk_pcapng_iface *i);
void pk_pcapng_packet(struct pk_buf *out, const struct pk_pcapng_packet *p);
void pk_pcapng_stats(struct pk_buf *out, const struct pk_pcapng_stats *s);

/* The head of the block at data: its type and whole length. False: len is too short to tell, or
 * what is there can not be a block of this byte order (ret_len 0). */
bool pk_pcapng_block(const void *data, size_t len, uint32_t *ret_type, uint32_t *ret_len);

/* What a packet block says: its interface, and what was dropped before it. */
struct pk_pcapng_seen {
	uint32_t iface, len, wire_len;
	uint64_t ts_ns, dropped;
};
/* block: whole, of PK_PCAPNG_PACKET. False: it is malformed. */
bool pk_pcapng_read_packet(const void *block, size_t len, struct pk_pcapng_seen *ret_seen);
/* The first comment of a block of PK_PCAPNG_STATS: *ret_len bytes, not NUL ended. NULL: it has
 * none, or is malformed. */
const char *pk_pcapng_read_comment(const void *block, size_t len, size_t *ret_len);
