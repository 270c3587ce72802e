/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter language: tcpdump's words about addresses, ports and protocols, compiled by libpcap
 * and run over a header made from the flow (initiator to responder), and the sensor's own words:
 *
 *   proc GLOB  exe GLOB  cmd GLOB  pid N  user NAME|UID  container GLOB  iface GLOB  netns GLOB
 *   dir in|out|local|forward  state live|ended  retrans  arp  vlan [N]
 *   bytes|packets|rate|age|rtt|retrans  > >= < <= = !=  NUMBER
 *   name GLOB  sni GLOB  ja4 GLOB  alpn GLOB  app GLOB  asn N|GLOB  country GLOB
 *
 * Joined by and, or, not, && || ! and parentheses; as with tcpdump, and/or bind alike, from the
 * left. Numbers take K M G T (1000s) or Ki Mi Gi (1024s) where bytes or packets are counted, and
 * us ms s m h d for times. Nothing is ever looked up on the network.
 */
#pragma once

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_filter;

#define PK_FILTER_MAX 2048 /* bytes of text */

struct pk_filter_error {
	char text[160];
	size_t offset; /* byte in the text where it went wrong */
};

/* A process that has to do with the flow; strings may be NULL: unknown. */
struct pk_filter_proc {
	uint32_t pid, uid;
	const char *name, *exe, *cmd, *user, *container, *container_id;
};

/* What a filter is asked about. flow NULL: a process alone; words about packets are then false. */
struct pk_filter_subject {
	const struct pk_flow *flow;
	uint64_t now_ns; /* of age */
	double rate;     /* bytes a second, both ways */
	int direction;   /* enum pk_direction */
	bool ended;
	const char *iface, *netns;
	struct pk_filter_proc proc[4]; /* user and creator of each local side */
	size_t procs;
	/* Of its content; NULL, 0: unknown. */
	const char *name[4];                /* any that it goes by, in lower case */
	const char *sni, *ja4, *alpn, *app; /* alpn: with commas */
	uint32_t asn[2];                    /* of each end */
	const char *as_name[2], *country[2];
};

/* What a subject must have for this filter to answer. */
#define PK_FILTER_NEEDS_PROC  0x1u
#define PK_FILTER_NEEDS_IFACE 0x2u
#define PK_FILTER_NEEDS_DIR   0x4u
#define PK_FILTER_NEEDS_NAME  0x8u

/* Empty or blank text: a filter that takes all. -EINVAL: see ret_error. */
int pk_filter_new(const char *text, struct pk_filter **ret_filter,
		  struct pk_filter_error *ret_error);
void pk_filter_free(struct pk_filter *f);
void pk_filter_freep(struct pk_filter **f);

unsigned pk_filter_needs(const struct pk_filter *f);
/* NULL filter: takes all. Not for several threads at once with the same filter. */
bool pk_filter_match(const struct pk_filter *f, const struct pk_filter_subject *s);

/* The line of text with a caret under the offset, for a terminal. */
struct pk_buf;
void pk_filter_explain(struct pk_buf *out, const char *text, const struct pk_filter_error *e);
