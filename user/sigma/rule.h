/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule as it was written: one YAML document, with the place of each part for complaints. All of
 * it lives in the arena of its set. Texts are raw: escape them on output.
 */
#pragma once

#include "sigma/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_SIGMA_CHAIN_MAX 8 /* modifiers of one field */
#define PK_SIGMA_GROUP_MAX 8 /* fields that a correlation groups by */

struct pk_sigma_mark {
	uint32_t line, column; /* from 1; 0: unknown */
};

/* Why a rule does not run. */
struct pk_sigma_problem {
	struct pk_sigma_problem *next;
	struct pk_sigma_mark at;
	bool unsupported; /* the rule is right, but needs what Picket does not have */
	const char *text;
};

struct pk_sigma_list {
	const char **v;
	size_t n;
};

struct pk_sigma_value {
	const char *s; /* NULL: null */
	size_t len;
	struct pk_sigma_mark at;
};

/* FIELD|MODIFIER|MODIFIER: VALUE, or a keyword, whose field is "". */
struct pk_sigma_item {
	const char *field;
	const char *modifier[PK_SIGMA_CHAIN_MAX];
	size_t n_modifiers;
	struct pk_sigma_value *value;
	size_t n_values;
	bool is_list; /* as written */
	struct pk_sigma_mark at;
};

enum pk_sigma_node_kind {
	PK_SIGMA_ALL, /* of its children */
	PK_SIGMA_ANY,
	PK_SIGMA_NOT,   /* its one child */
	PK_SIGMA_COUNT, /* at least need of its children */
	PK_SIGMA_ITEM,
};

struct pk_sigma_node {
	enum pk_sigma_node_kind kind;
	uint32_t need;                /* COUNT */
	struct pk_sigma_item *item;   /* ITEM */
	struct pk_sigma_node **child; /* others */
	size_t n;
};

/* A search identifier: what stands under "detection" and the condition calls by name. */
struct pk_sigma_ident {
	const char *name;
	struct pk_sigma_node *node;
	struct pk_sigma_mark at;
};

struct pk_sigma_condition {
	const char *text;
	struct pk_sigma_mark at;
};

enum pk_sigma_correlation_type {
	PK_SIGMA_EVENT_COUNT,
	PK_SIGMA_VALUE_COUNT,
	PK_SIGMA_TEMPORAL,
	PK_SIGMA_TEMPORAL_ORDERED,
};

struct pk_sigma_alias {
	const char *name, *rule, *field;
	struct pk_sigma_mark at;
};

/* What a count must be: within [low, high], and not one of them excluded. */
struct pk_sigma_bounds {
	uint64_t low, high; /* high UINT64_MAX: none */
	bool has_not;
	uint64_t not ; /* neq */
};

struct pk_sigma_correlation {
	enum pk_sigma_correlation_type type;
	struct pk_sigma_list rules, group_by;
	struct pk_sigma_alias *alias;
	size_t n_aliases;
	uint64_t timespan_ns;
	bool has_bounds;
	struct pk_sigma_bounds bounds;
	const char *field; /* value_count */
	bool generate;     /* the rules it refers to tell of themselves, too */
	struct pk_sigma_mark at, rules_at, group_at, field_at;
};

enum pk_sigma_level {
	PK_SIGMA_LEVEL_NONE,
	PK_SIGMA_INFORMATIONAL,
	PK_SIGMA_LOW,
	PK_SIGMA_MEDIUM,
	PK_SIGMA_HIGH,
	PK_SIGMA_CRITICAL,
};

struct pk_sigma_rule {
	const char *file;
	struct pk_sigma_mark at;
	/* NULL where the rule does not say */
	const char *title, *id, *name, *author, *status, *description, *license, *date;
	enum pk_sigma_level level;
	struct pk_sigma_list tags, references, falsepositives, fields;
	struct pk_sigma_list techniques; /* of the tags: "T1059.004" */
	const char *category, *product, *service;
	struct pk_sigma_mark logsource_at;
	struct pk_sigma_ident *ident;
	size_t n_idents;
	struct pk_sigma_condition *condition; /* any of them */
	size_t n_conditions;
	struct pk_sigma_correlation *correlation; /* NULL: an ordinary rule */
	struct pk_sigma_problem *problem;         /* NULL: it runs */
	/* of the set */
	uint64_t digest;      /* of its text: the same rule has the same one after a reload */
	uint32_t index;       /* in the set */
	uint32_t op;          /* where its program begins */
	uint8_t source;       /* enum pk_sigma_source */
	uint8_t row;          /* of the table of log sources */
	bool silent;          /* only told of by correlations */
	uint64_t fields_used; /* 1 << enum pk_sigma_field for each that it looks at */
	uint32_t n_refs;      /* correlations that it feeds */
	const struct pk_sigma_ref **ref;
};

/*
 * Adds a problem; those of one rule are in the order of complaint. Returns -ENOTSUP or -EINVAL, as
 * unsupported says, or -ENOMEM.
 */
int pk_sigma_complain(struct pk_arena *a, struct pk_sigma_rule *rule, struct pk_sigma_mark at,
		      bool unsupported, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* A node with room for n children; NULL: out of memory. */
struct pk_sigma_node *pk_sigma_node_new(struct pk_arena *a, enum pk_sigma_node_kind kind, size_t n);

const char *pk_sigma_level_name(enum pk_sigma_level level); /* "high"; NULL: none */
enum pk_sigma_level pk_sigma_level_parse(const char *s);    /* NONE: not a level */

/* "attack.t1059.004" gives "T1059.004"; NULL: the tag names no technique, or no memory. */
const char *pk_sigma_technique(struct pk_arena *a, const char *tag);
