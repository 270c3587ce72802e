/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent knows about itself: programs, notices, kernel counters, rings. The pipeline fills
 * it, /v1/status prints it.
 */
#pragma once

#include <picket/map.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_STATE_RINGS   5
#define PK_STATE_NOTICES 64
#define PK_STATE_PROGS   512
#define PK_STATE_ADDRS   1024
#define PK_STATE_REFUSED 5

struct pk_state_ring {
	const char *name;
	uint64_t records, bytes, lost;
};

struct pk_state_prog {
	uint32_t id, attached; /* as in struct pk_msg_prog */
	uint64_t run_ns, runs, netns;
	char name[16], note[64];
};

/* An address that the host goes by: not its own, but one it depends on. */
struct pk_state_addr {
	uint64_t netns;
	uint32_t ifindex;
	uint8_t kind;   /* enum pk_addr_kind */
	uint8_t mac[6]; /* of neighbours */
	uint8_t addr[16];
};

struct pk_state_notice {
	uint64_t ts;
	uint32_t level;
	char text[256];
};

/* What detectors learned, as it is kept over a restart. */
struct pk_state_learned {
	bool on;
	uint64_t saves, failed;       /* since the start */
	int trouble;                  /* -errno of the last one; 0: it was written */
	uint64_t tables, rows, bytes; /* of the last one */
	uint64_t left_out;            /* rows beyond what is kept of a table */
	int64_t saved_ms;             /* wall clock; 0: not yet */
	uint64_t loaded, not_loaded;  /* rows at the start; those of another boot */
	uint64_t unread;              /* tables of other versions */
	int64_t loaded_ms;            /* when they were saved; 0: there were none */
	uint64_t damaged;             /* files that could not be read */
};

struct pk_state {
	uint64_t started_ns; /* boottime */
	uint64_t turned_ns;  /* boottime of the loop's last tick; 0: none yet */
	bool have_maps;      /* kernel counters below are real */
	uint32_t slots;
	uint64_t pkt[PK_HOOK_PKT_MAX][PK_PKT_COUNT_MAX];
	struct pk_event_count ev[PK_EH_MAX];
	struct pk_sample_count sample[PK_ROW_MAX];
	/* since the last answer */
	bool pkt_was_even[PK_HOOK_PKT_MAX], ev_was_even[PK_EH_MAX], sample_was_even[PK_ROW_MAX];
	struct pk_table_use use;
	struct pk_sweep_ctx sweep;
	uint64_t swept_ns;
	struct pk_state_ring ring[PK_STATE_RINGS];
	uint64_t decoded;
	struct {
		const char *why;
		uint64_t n;
	} refused[PK_STATE_REFUSED];
	struct pk_state_prog *prog; /* PK_STATE_PROGS of them */
	size_t progs;
	struct pk_state_addr *addr; /* PK_STATE_ADDRS of them */
	size_t addrs;
	uint64_t addrs_refused;
	struct pk_state_notice notice[PK_STATE_NOTICES]; /* a ring */
	uint64_t notices;                                /* ever */
	uint64_t msgs, msgs_bad;                         /* of the broker */
	bool broker_gone;
	struct pk_state_learned learned;
	double cpu_percent; /* of one core, lately */
};

int pk_state_init(struct pk_state *s);
void pk_state_done(struct pk_state *s);
void pk_state_prog(struct pk_state *s, const struct pk_state_prog *p); /* new or changed */
void pk_state_addr(struct pk_state *s, const struct pk_state_addr *a, bool gone);
void pk_state_notice(struct pk_state *s, uint64_t ts, unsigned level, const char *text);

/* seen minus all that it must equal: 0 when every packet (event) is accounted for. */
int64_t pk_state_pkt_balance(const struct pk_state *s, enum pk_hook hook);
int64_t pk_state_ev_balance(const struct pk_state *s, enum pk_event_hook hook);
int64_t pk_state_sample_balance(const struct pk_state *s, unsigned row);
/* Notes which hooks are even at this moment: counters of a busy hook are read one after another. */
void pk_state_note_even(struct pk_state *s);
const char *pk_state_row_name(unsigned row); /* enum pk_app or enum pk_sample_row */
const char *pk_state_hook_name(enum pk_hook hook);
const char *pk_state_event_name(enum pk_event_hook hook);
const char *pk_state_pkt_name(enum pk_pkt_count c);
bool pk_state_pkt_refuses(enum pk_pkt_count c); /* is it one of the reasons in the equation? */
