/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record as it came from a ring or the broker, checked once: whoever holds a struct pk_event may
 * touch every field of it. The record itself stays where it is and is only borrowed.
 */
#pragma once

#include <picket/block.h>
#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_event {
	enum pk_event_type type;
	union { /* by type */
		const struct pk_hdr *hdr;
		const struct pk_exec *exec;
		const struct pk_fork *fork;
		const struct pk_exit *exit;
		const struct pk_act *act;
		const struct pk_sock *sock;
		const struct pk_flow_report *flow;
		const struct pk_verdict *verdict;
		const struct pk_query *query;
		const struct pk_sample *sample;
	};
	/* who did it; NULL for flows, samples and queries, and for what softirq did */
	const struct pk_task *task;
};

/*
 * Checks size, type, lengths and NUL ends, and that rec is aligned to 8 bytes as the ring aligns
 * it. -ENODATA: too short; -EBADMSG: sizes disagree or a field is impossible; -ENOTSUP: a type that
 * this agent does not know; -EFAULT: not aligned.
 */
int pk_record_decode(struct pk_event *ret_ev, const void *rec, size_t size);

/*
 * The payload that came with a sample, and how much of it (*ret_len): of ICMP what is behind its
 * head, of ARP all of it. Never NULL; *ret_len is 0 where only headers were taken. What is missing
 * at the end is s->payload_len - *ret_len.
 */
const uint8_t *pk_sample_payload(const struct pk_sample *s, size_t *ret_len);

/* All bytes that came, s->data_len of them, from the start of the frame on. */
const uint8_t *pk_sample_data(const struct pk_sample *s);

/*
 * Turns the components of a path round: "curl\0bin\0usr\0" becomes "/usr/bin/curl", none "/". With
 * cut the outer ones are missing and the text starts with ".../". NUL ended, shortened at its start
 * to fit cap (at least 8). Returns the length. The text is raw: escape it on output.
 */
size_t pk_path_join(const char *parts, size_t len, bool cut, char *out, size_t cap);

/* Arguments with blanks between them, " [...] " where the middle is missing. As pk_path_join(). */
size_t pk_argv_join(const struct pk_exec *e, char *out, size_t cap);
