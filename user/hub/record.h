/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alert as a host sent it. The host may have been taken over: nothing of it is believed that its
 * form does not allow, and whose it is says the subject it came by, not the record.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_HUB_RECORD_MAX (256u << 10) /* bytes */
#define PK_HUB_VALUES_MAX 16
#define PK_HUB_VALUE_MAX  256

/* What hosts can have in common. */
enum pk_hub_kind {
	PK_HUB_SOURCE,  /* address that attacked the host */
	PK_HUB_ADDRESS, /* address that the host called, of no name */
	PK_HUB_NAME,    /* name that the host called */
	PK_HUB_JA4,     /* fingerprint of a TLS client */
	PK_HUB_SHA256,  /* of a file that was run */
	PK_HUB_KINDS
};

struct pk_hub_value {
	enum pk_hub_kind kind;
	char text[PK_HUB_VALUE_MAX];
};

struct pk_hub_record {
	char uid[128], rule[128];
	char plain[512]; /* raw: escape it on output */
	uint64_t sequence;
	int64_t time_ms;
	unsigned severity;
	bool spoofable;
	bool inbound;                                         /* remote came to the host */
	char remote[PK_HUB_VALUE_MAX], own[PK_HUB_VALUE_MAX]; /* addresses; "": none */
	struct pk_hub_value value[PK_HUB_VALUES_MAX];
	size_t values;
	unsigned values_lost; /* more than there is room for, or of no valid form */
};

/* Why a record is not looked at. */
enum pk_hub_refusal {
	PK_HUB_TAKEN,
	PK_HUB_OTHER_CLASS, /* no detection finding: an incident */
	PK_HUB_SUPPRESSED,  /* somebody decided not to hear of it */
	PK_HUB_AGAIN,       /* it was taken before */
	PK_HUB_TOO_LARGE,
	PK_HUB_NOT_JSON,
	PK_HUB_NOT_OCSF,    /* a member is missing or not as OCSF has it */
	PK_HUB_BAD_SUBJECT, /* not "picket.TENANT.HOST.alerts" */
	PK_HUB_TOO_MANY_HOSTS,
	PK_HUB_REFUSALS
};

/* Words for it, "not_json"; NULL: there is no such number. */
const char *pk_hub_refusal_name(unsigned why);
/* "source", ... */
const char *pk_hub_kind_name(enum pk_hub_kind kind);

/* PK_HUB_TAKEN, or why not; *ret is then undefined. */
enum pk_hub_refusal pk_hub_record_read(const char *json, size_t len, struct pk_hub_record *ret);
