/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of configuration keys. Parser, printed reference and restart check come from it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_buf;
struct pk_conf;
struct pk_conf_list;

enum pk_conf_type {
	PK_CONF_BOOL,
	PK_CONF_CHOICE, /* one of choices; stored as min + its index */
	PK_CONF_COUNT,
	PK_CONF_SLOTS, /* a count, rounded up to a power of two */
	PK_CONF_PERCENT,
	PK_CONF_DURATION, /* "500ms", "10s", "5m", "1h"; stored in ns */
	PK_CONF_SIZE,     /* "512K", "8M", "1G", rounded up to a power of two; stored in bytes */
	PK_CONF_NAME,     /* text of min to max bytes */
	PK_CONF_PATH,     /* the same, absolute */
	PK_CONF_LIST,     /* of names, at most max */
};

struct pk_conf_row {
	const char *name; /* "section.key" */
	enum pk_conf_type type;
	bool restart;      /* a change counts at the next start, not at SIGHUP */
	size_t offset;     /* in struct pk_conf */
	uint64_t min, max; /* in the unit it is stored in */
	const char *def;   /* as text, parsed like any other value; of a list: "" or one name */
	const char *unit;  /* of a count: "flows"; else NULL */
	const char *doc;   /* one sentence */
	const char *const *choices; /* NULL ended; of a list: what it may hold; of a
				     * name, of a list of URLs: schemes */
	bool nets;                  /* of a list: addresses and networks, not names */
	bool thresholds;            /* of a list: items of conf/threshold.h */
	bool pulls;                 /* the same of conf/pull.h */
	bool deadlines;             /* the same of conf/deadline.h */
	bool urls;                  /* of a list: URLs, choices are their schemes */
};

/* Of enum pk_app, from PK_APP_SHORT on; at last "all". NULL ended. */
extern const char *const pk_conf_apps[];

/* Names of detectors, as in detect/registry.c; at last "all". NULL ended. */
extern const char *const pk_conf_detectors[];

/* Verbs of respond/verb.c that respond.enabled may hold. NULL ended. */
extern const char *const pk_conf_responses[];

extern const struct pk_conf_row pk_conf_schema[], pk_conf_detect[], pk_conf_incident[],
	pk_conf_gate[], pk_conf_sign[], pk_conf_nats[], pk_conf_pull[], pk_conf_hub[];
extern const size_t pk_conf_schema_len, pk_conf_detect_len, pk_conf_incident_len, pk_conf_gate_len,
	pk_conf_sign_len, pk_conf_nats_len, pk_conf_pull_len, pk_conf_hub_len;

const struct pk_conf_row *pk_conf_row(size_t i); /* of all tables, one after the other; NULL: end */

#define PK_CONF_ITEM_MAX 255 /* bytes of one name in a list */

/* Text of a scalar to the place it is stored, which is as before on failure: -EINVAL, or -ERANGE
 * for a number or length out of range. Not for lists. */
int pk_conf_parse(const struct pk_conf_row *row, const char *s, void *dest);
int pk_conf_list_add(const struct pk_conf_row *row, struct pk_conf_list *list, const char *s);
void pk_conf_list_done(struct pk_conf_list *list);

/* What would be right, in words. */
void pk_conf_expected(const struct pk_conf_row *row, struct pk_buf *out);
/* The stored value as YAML. */
void pk_conf_format(const struct pk_conf_row *row, const void *src, struct pk_buf *out);

const struct pk_conf_row *pk_conf_find(const char *name); /* NULL: no such key */
/* One line "key: reason, expected ..."; r is what parse or list_add gave. */
void pk_conf_complain(const struct pk_conf_row *row, const char *value, int r,
		      struct pk_buf *errors);

/* The text of one file into c; file only names it in errors. */
int pk_conf_load_text(struct pk_conf *c, const char *file, const char *text, size_t len,
		      struct pk_buf *errors);
