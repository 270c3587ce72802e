/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who did it: process, container, user and namespace of an event. The members are there to be read
 * by those who show or filter; events come in through pk_enrich_event() alone.
 */
#pragma once

#include "enrich/container.h"
#include "enrich/netns.h"
#include "enrich/process.h"
#include "enrich/user.h"

struct pk_conf;
struct pk_event;

#define PK_CONTAINERS_MAX 4096

struct pk_enrich {
	struct pk_processes processes;
	struct pk_containers containers;
	struct pk_users users;
	struct pk_netns_table netns;
	uint64_t refreshed_ns;
	bool live; /* events are of now and of this host: /proc and the cgroup tree may be asked */
};

/* live false (replay, tests): nothing outside the events is looked at. */
int pk_enrich_new(const struct pk_conf *conf, bool live, struct pk_enrich **ret);
void pk_enrich_free(struct pk_enrich *e);

/* The process that acted, or NULL (flows, softirq, table full). Borrowed until the next event. */
struct pk_process *pk_enrich_event(struct pk_enrich *e, const struct pk_event *ev);
/* Every second or so: notices changed files. */
void pk_enrich_tick(struct pk_enrich *e, uint64_t now_ns);

/* The process behind an owner in a flow, or NULL. */
struct pk_process *pk_enrich_owner(const struct pk_enrich *e, const struct pk_proc_id *id);
/* What its cgroup says; NULL: unknown. Borrowed until the next call. */
const struct pk_container *pk_enrich_container(struct pk_enrich *e, const struct pk_process *p);
