/* SPDX-License-Identifier: Apache-2.0 */
/* Capture files as Ethernet frames: pcap and pcapng, also gzipped, whatever the link type. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_capture;

#define PK_CAPTURE_FRAME 65536 /* bytes of a frame that are handed on; headers lie at the front */
#define PK_ETHER_LEN     14

/* One packet of the capture. */
struct pk_frame {
	uint64_t ts_ns;       /* since the epoch */
	const uint8_t *data;  /* an Ethernet frame; borrowed until the next call */
	uint32_t len;         /* bytes at data */
	uint32_t frame_bytes; /* the whole frame at data would have */
	uint32_t wire_bytes;  /* the packet had on its own link */
	int skip; /* 0, or why there is no frame: -ENOTSUP link type, -ENODATA cut in its link
		     header */
};

/* How a link header becomes an Ethernet header. */
struct pk_link_head {
	uint32_t skip; /* bytes before the payload */
	uint16_t type; /* EtherType of the payload, host order; 0: none */
	bool ether;    /* is Ethernet as it stands */
};

/* dlt as libpcap names it. -ENOTSUP: unknown link type; -ENODATA: header is cut. */
int pk_link_parse(int dlt, const uint8_t *data, size_t len, struct pk_link_head *ret_head);

/* -errno when it can't be opened or is no capture: pk_capture_error() tells, capture is set. */
int pk_capture_open(const char *path, struct pk_capture **ret_capture);
void pk_capture_free(struct pk_capture *c);
void pk_capture_freep(struct pk_capture **c);

/* 1: a packet; 0: the end; -EBADMSG: no more can be read, see pk_capture_error(). */
int pk_capture_next(struct pk_capture *c, struct pk_frame *ret_frame);

const char *pk_capture_error(const struct pk_capture *c); /* raw text, "" when all is well */
const char *pk_capture_link(const struct pk_capture *c);  /* name of the link type */
uint64_t pk_capture_size(const struct pk_capture *c);     /* of the file, bytes; 0: unknown */
double pk_capture_share(const struct pk_capture *c);      /* of the file read so far, 0 to 1 */
bool pk_capture_is_gzip(const struct pk_capture *c);
