/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Picket remembers on disk: alerts, incidents, suppressions and acts as JSON with a few
 * columns to find them by, ended flows as columns alone. Everything but flows is entered into a
 * hash chain (chain.h). Writing has a thread of its own behind a bounded queue; who puts never
 * waits for the disk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_json;
struct pk_store;

#define PK_STORE_FILE        "store.db"
#define PK_STORE_KEY         "store.key" /* private, PEM, mode 0600 */
#define PK_STORE_PUB         "store.pub"
#define PK_STORE_CHECKPOINTS "checkpoints.jsonl"

#define PK_STORE_UID_MAX  128        /* bytes of any name of a row */
#define PK_STORE_JSON_MAX (1u << 20) /* bytes of a row's text */

enum pk_store_kind {
	PK_STORE_ALERT = 1,
	PK_STORE_INCIDENT,
	PK_STORE_ACT,
	PK_STORE_FLOW,
	PK_STORE_MUTE, /* a suppression */
	PK_STORE_KINDS
};

/* Texts may be NULL but uid and json. A row of the same kind and uid is a new version of it. */
struct pk_store_row {
	enum pk_store_kind kind; /* not FLOW */
	uint64_t time_ns;        /* since the epoch */
	const char *uid, *incident_uid, *technique;
	const char *actor, *act; /* NULL: picketd; create or update */
	uint8_t severity;        /* OCSF severity_id */
	const uint8_t *remote;   /* 16 bytes; NULL: none */
	uint32_t pid;            /* 0: none */
	const char *json;        /* an object, len bytes */
	size_t len;
};

#define PK_STORE_NO_END 2

/* An ended flow. Direction 0 is what the initiator sent. Texts may be NULL. */
struct pk_store_flow {
	uint64_t id;               /* of the row, when it is read */
	uint64_t start_ns, end_ns; /* since the epoch */
	uint64_t bytes[2], packets[2];
	uint8_t addr[2][16]; /* initiator, responder */
	uint16_t port[2];    /* host order */
	uint8_t proto;
	uint32_t pid, uid; /* pid 0: nobody is known */
	uint8_t own;       /* end that this process is at; PK_STORE_NO_END: unknown */
	const char *exe, *name;
};

struct pk_store_opts {
	int dir_fd;         /* directory of the database; borrowed; may be out of reach by path */
	int checkpoints_fd; /* opened to append and read; borrowed; -1: a file in dir_fd */
	uint64_t retain_ns; /* rows older than that go; 0: never */
	uint64_t bytes_max; /* the database is held below; 0: no limit */
	size_t queue_bytes;
	uint64_t checkpoint_ns; /* a checkpoint that often, if there is something new */
};

/* Begins the thread, which opens or makes the database. A broken one is kept aside. */
int pk_store_new(const struct pk_store_opts *opts, struct pk_store **ret_store);
/* Writes what is queued, for a few seconds at most, signs a checkpoint, ends the thread. */
void pk_store_free(struct pk_store *s);

/*
 * Copies the row into the queue. ret_ticket (may be NULL): when pk_store_done() is not below it,
 * the row is on the disk (synced). -ENOBUFS: no room; -EINVAL, -EMSGSIZE: not such a row; all are
 * counted. One thread only.
 */
int pk_store_put(struct pk_store *s, const struct pk_store_row *row, uint64_t *ret_ticket);
/* The same for a flow, which gets at most half of the queue, so that alerts find room. */
int pk_store_put_flow(struct pk_store *s, const struct pk_store_flow *flow);

uint64_t pk_store_done(const struct pk_store *s); /* the ticket up to which all is committed */
int pk_store_fd(const struct pk_store *s);        /* eventfd, readable after it moved; borrowed */

struct pk_store_counts {
	uint64_t rows, flows;               /* written */
	uint64_t lost_full, lost_flow_full; /* no room in the queue */
	uint64_t lost_bad;                  /* not such a row */
	uint64_t lost_end;                  /* still queued when it ended */
	uint64_t failed;                    /* commits that were tried again */
	uint64_t checkpoints, checkpoints_failed;
	uint64_t pruned_rows, pruned_flows; /* by age or size */
	uint64_t broken;                    /* databases kept aside */
	uint64_t chain;                     /* number of the last record */
	uint64_t queued_bytes, bytes;       /* of the queue; of the database */
	char trouble[160];                  /* why it can not write now; "": it can */
	char kept[96];                      /* file that was kept aside last; "": none */
};

void pk_store_counts(struct pk_store *s, struct pk_store_counts *ret_counts);
/* The counts as an object under key; returns whether it can write. */
bool pk_store_status(struct pk_store *s, struct pk_json *j, const char *key);
