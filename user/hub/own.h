/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the hub share. */
#pragma once

#include "base/buf.h"
#include "hub/db.h"
#include "hub/record.h"
#include "output/ocsf.h"

#define PK_HUB_SHOWN 64 /* hosts or steps in one finding; the others are counted */

struct pk_hub {
	const struct pk_conf *conf;
	struct pk_hub_db db;
	char *where;         /* of the database */
	int64_t now_ms;      /* of a new one */
	int64_t begun_ms;    /* when it was made */
	struct pk_ocsf ocsf; /* of the host that the hub runs on */
	struct pk_buf told;  /* JSON lines since the last commit */
	void (*found)(void *arg, const char *lines, size_t len);
	void *arg;
};

/* An alert with whose it is. */
struct pk_hub_alert {
	const struct pk_hub_record *r;
	int64_t host;
	int64_t time_ms; /* not later than it came */
};

/* A kind of finding. */
struct pk_hub_rule {
	const char *uid, *title, *technique, *doubt, *next;
	enum pk_severity severity;
	unsigned confidence;
};

/* What a correlator found; it is told when it is new and when it is twice as large. */
struct pk_hub_finding {
	const struct pk_hub_rule *rule;
	const char *value;          /* what it is about */
	int64_t size;               /* hosts or steps */
	int64_t since_ms, until_ms; /* what counts; older ones of the same are another matter */
	int64_t first_ms, last_ms;
	bool spoofable;
	char plain[512];
	/* Appends one evidence after the other; the lines below are its own. */
	int (*evidence)(struct pk_hub *h, const struct pk_hub_finding *f, struct pk_json *j);
	enum pk_hub_kind kind;
	int64_t root;
};

int pk_hub_spread(struct pk_hub *h, const struct pk_hub_alert *a);
int pk_hub_lateral(struct pk_hub *h, const struct pk_hub_alert *a);
int pk_hub_tell(struct pk_hub *h, const struct pk_hub_finding *f);
