/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process tree as the kernel's events tell it, keyed by (tgid, start). Ended processes stay
 * until their place is needed. Text is raw: escape it on output.
 */
#pragma once

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_event;
struct pk_buf;

#define PK_EXEC_HISTORY  4
#define PK_ANCESTORS_MAX 32

/* What an exec made of a process. Shared by its children until they exec themselves. */
struct pk_image {
	uint32_t refs;
	uint32_t bytes; /* of this allocation */
	uint64_t ts;    /* of the exec */
	uint64_t exe_ino;
	uint32_t exe_dev, exe_mode, exe_uid;
	uint32_t exec_flags;          /* PK_EXEC_* */
	uint32_t loginuid, sessionid; /* 0xffffffff: unset */
	uint64_t cap_effective, cap_permitted;
	uint64_t exe_ctime_s;  /* of the file, wall clock; 0: unknown */
	uint64_t stdio_cookie; /* of the socket that is its first standard stream; 0: none */
	uint8_t stdio[3];      /* enum pk_stdio when it started */
	bool truncated;   /* some text was cut by the kernel side, or left out for want of memory */
	bool snapshot;    /* found running */
	const char *path; /* "" when unknown; all four live in text[] */
	const char *cwd;
	const char *filename; /* as given to execve */
	const char *interp;
	const char *cmd_line; /* arguments with blanks between them */
	char text[];
};

/* Kept here for whoever sums up flows by process; this room neither reads nor resets it, but a
 * process with flows is the last to go. */
struct pk_process_net {
	uint32_t flows; /* live */
	uint32_t flows_ended;
	uint64_t bytes_out, bytes_in;
	double rate_out, rate_in; /* bytes a second */
};

struct pk_process {
	struct pk_proc_id id;     /* uid: the newest effective one */
	struct pk_proc_id parent; /* who forked it, not who adopted it; tgid 0: unknown */
	uint64_t seen_ns;         /* newest event */
	uint64_t end_ns;          /* 0: running */
	int32_t exit_code;        /* as wait(2) gives it; -1 when the end was only inferred */
	uint32_t execs;           /* seen, snapshot not included */
	uint32_t uid, gid, egid;  /* real, real, effective: of the last exec, inherited by forks */
	uint32_t netns_inum, mntns_inum, pidns_inum;
	uint32_t pid_in_ns;
	uint32_t flags; /* PK_TASK_KTHREAD */
	uint32_t acts;  /* 1 << enum pk_act_kind for each kind it did */
	uint32_t socks; /* 1 << enum pk_sock_op for what its sockets of the net did */
	uint64_t cgroup, netns;
	uint64_t container; /* key for pk_container_get(); set by enrich.c */
	char comm[PK_COMM_LEN];
	struct pk_image *image[PK_EXEC_HISTORY]; /* newest first; NULL: never seen to exec */
	struct pk_process_net net;
	/* of the table */
	uint32_t hash_next, prev, next;
	uint32_t slot_state;
};

struct pk_processes {
	struct pk_process *slot;
	uint32_t *bucket;
	uint32_t mask, max, top; /* top: slots ever used */
	uint32_t free_head;
	uint32_t ended_head, ended_tail; /* oldest first */
	uint32_t hand;                   /* of the search for processes whose end was missed */
	uint64_t seed;
	size_t image_bytes, image_bytes_max;
	/* Asked when the table is full; NULL: never. Errs towards true. */
	bool (*is_alive)(const struct pk_process *p);
	/* counters */
	uint32_t used, running;
	uint64_t evicted;  /* ended ones that made room */
	uint64_t refused;  /* new ones for which there was no room: all are running */
	uint64_t inferred; /* ends that were missed and found out later */
	uint64_t cut;      /* images stored without arguments for want of memory */
};

int pk_processes_init(struct pk_processes *t, uint32_t max);
void pk_processes_done(struct pk_processes *t);

/* Learns from any event; returns the process that acted (of a fork: the parent), or NULL. */
struct pk_process *pk_processes_event(struct pk_processes *t, const struct pk_event *ev);

struct pk_process *pk_process_get(const struct pk_processes *t, uint32_t tgid, uint64_t start_ns);
struct pk_process *pk_process_by_pid(const struct pk_processes *t, uint32_t tgid); /* the newest */
struct pk_process *pk_process_parent(const struct pk_processes *t, const struct pk_process *p);
/* Parent first. Returns how many; at most PK_ANCESTORS_MAX. */
size_t pk_process_ancestors(const struct pk_processes *t, const struct pk_process *p,
			    const struct pk_process *ret[PK_ANCESTORS_MAX]);
/* All of them in no order: start with NULL. Do not feed events in between. */
struct pk_process *pk_process_next(const struct pk_processes *t, const struct pk_process *p);

/* Last part of the path, or the comm; never NULL. */
const char *pk_process_name(const struct pk_process *p);
const char *pk_process_path(const struct pk_process *p);     /* "" when unknown */
const char *pk_process_cmd_line(const struct pk_process *p); /* "" when unknown */

/* kill(2) with signal 0: only right in the initial pid namespace. */
bool pk_process_is_alive(const struct pk_process *p);
