/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the DNS decoder share; nobody else includes it. */
#pragma once

#include "decode/dns.h"

/* A message while it is read. */
struct dns_reader {
	struct pk_dns *out;
	const uint8_t *msg;
	size_t len;
	size_t at;
	/* Names that were read, by where they start: most pointers lead to the start of one. */
	struct {
		uint16_t at, text, len;
		bool mixed;
	} known[16];
	unsigned n_known;
};

struct dns_name {
	const char *s;
	uint16_t len;
	bool mixed; /* has capitals on the wire */
};

/*
 * The name at r->at, whose own bytes lie before end; r->at is then behind it. The text goes to
 * r->out.
 */
enum pk_dns_why pk_dns_name_read(struct dns_reader *r, size_t end, struct dns_name *ret);

/* The data of rr, at r->at and rr->rdata.len long; r->at is then anywhere. */
enum pk_dns_why pk_dns_rdata_read(struct dns_reader *r, struct pk_dns_rr *rr);
/* The options of an OPT record, into r->out->edns. */
enum pk_dns_why pk_dns_options_read(struct dns_reader *r, struct pk_slice options);
