/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes in: an event as the texts of its fields. The caller makes them; nothing here knows of
 * processes or flows.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Kinds of event. A rule looks at one of them: its log source says which (field.c). */
enum pk_sigma_source {
	PK_SIGMA_NO_SOURCE,
	PK_SIGMA_PROCESS, /* a program was started */
	PK_SIGMA_NETWORK, /* a connection of a process */
	PK_SIGMA_DNS,     /* a DNS transaction */
	PK_SIGMA_FLOW,    /* a conversation, as a firewall logs it */
	PK_SIGMA_HTTP,    /* a request in clear text */
	PK_SIGMA_AUDIT,   /* one record as the Linux audit system writes it */
	PK_SIGMA_SOURCES
};

enum pk_sigma_field {
	PK_SIGMA_F_IMAGE, /* path of the program; audit: exe */
	PK_SIGMA_F_COMMAND_LINE,
	PK_SIGMA_F_CURRENT_DIRECTORY,
	PK_SIGMA_F_USER, /* name, or the number where it has none */
	PK_SIGMA_F_LOGON_ID,
	PK_SIGMA_F_PROCESS_ID,
	PK_SIGMA_F_PARENT_IMAGE,
	PK_SIGMA_F_PARENT_COMMAND_LINE,
	PK_SIGMA_F_PARENT_PROCESS_ID,
	PK_SIGMA_F_SOURCE_IP, /* as inet_ntop(3) writes it, IPv4 as IPv4 */
	PK_SIGMA_F_SOURCE_PORT,
	PK_SIGMA_F_DESTINATION_IP,
	PK_SIGMA_F_DESTINATION_PORT,
	PK_SIGMA_F_DESTINATION_HOSTNAME,
	PK_SIGMA_F_INITIATED, /* "true", "false" */
	PK_SIGMA_F_PROTOCOL,  /* "tcp", "udp", ... */
	PK_SIGMA_F_ACTION,    /* "accept" */
	PK_SIGMA_F_BLOCKED,   /* "false" */
	PK_SIGMA_F_QUERY,     /* lower case, without the last dot */
	PK_SIGMA_F_RECORD_TYPE,
	PK_SIGMA_F_ANSWER, /* data of each answer, as in a zone file */
	PK_SIGMA_F_RCODE,  /* number */
	PK_SIGMA_F_RCODE_NAME,
	PK_SIGMA_F_DNS_Z, /* the three bits behind RA, as a number */
	PK_SIGMA_F_HTTP_HOST,
	PK_SIGMA_F_HTTP_URI,
	PK_SIGMA_F_HTTP_METHOD,
	PK_SIGMA_F_HTTP_USER_AGENT,
	PK_SIGMA_F_AUDIT_TYPE, /* "EXECVE", "SYSCALL" */
	PK_SIGMA_F_SYSCALL,
	PK_SIGMA_F_COMM,
	PK_SIGMA_F_PROCTITLE, /* the command line */
	PK_SIGMA_F_UID,
	PK_SIGMA_F_EUID,
	PK_SIGMA_F_GID,
	PK_SIGMA_F_EGID,
	PK_SIGMA_F_AUID,
	PK_SIGMA_F_SESSION,
	PK_SIGMA_F_A0, /* arguments, PK_SIGMA_ARGS of them one after the other */
	PK_SIGMA_F_A15 = PK_SIGMA_F_A0 + 15,
	PK_SIGMA_FIELDS
};

#define PK_SIGMA_ARGS 16

_Static_assert(PK_SIGMA_FIELDS <= 64, "sets of fields are 64 bits");

/*
 * Borrowed, not NUL ended. NULL: the event has no such field. A field of several values has a NUL
 * byte between them; each is compared for itself. Numbers are decimal text.
 */
struct pk_sigma_text {
	const char *s;
	size_t len;
};

struct pk_sigma_event {
	enum pk_sigma_source source;
	uint64_t ts_ns; /* any clock that all events share; correlations measure by it */
	struct pk_sigma_text field[PK_SIGMA_FIELDS];
};
