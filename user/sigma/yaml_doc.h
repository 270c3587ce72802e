/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One YAML document while it is read. Aliases make a tree into a graph, even a circle: every step
 * into a node goes through here and is counted.
 */
#pragma once

#include "sigma/rule.h"

#include <yaml.h>

struct pk_sigma_doc {
	struct pk_arena *arena;
	yaml_document_t *yaml;
	struct pk_sigma_rule *rule;
	uint32_t steps; /* left */
	bool no_memory;
};

/* A key and its value. */
struct pk_sigma_pair {
	const char *key;
	const yaml_node_t *value;
	struct pk_sigma_mark at; /* of the key */
};

struct pk_sigma_mark pk_sigma_doc_mark(const yaml_node_t *n);
/* Complains at the node; returns as pk_sigma_complain(). */
int pk_sigma_doc_complain(struct pk_sigma_doc *d, const yaml_node_t *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool pk_sigma_is_map(const yaml_node_t *n);
bool pk_sigma_is_list(const yaml_node_t *n);
bool pk_sigma_is_scalar(const yaml_node_t *n);

/* How many pairs or members; 0 for a scalar. */
size_t pk_sigma_doc_count(const yaml_node_t *n);
/* The i-th pair of a map. False, and complained: the key is no text or was there before, or the
 * document is too large. */
bool pk_sigma_doc_pair(struct pk_sigma_doc *d, const yaml_node_t *map, size_t i,
		       struct pk_sigma_pair *ret);
/* The i-th member of a list; NULL, and complained: the document is too large. */
const yaml_node_t *pk_sigma_doc_member(struct pk_sigma_doc *d, const yaml_node_t *list, size_t i);

/*
 * The text of a scalar, NUL ended, as YAML 1.1 reads plain ones where that matters: yes, no, on and
 * off are "true" and "false", 0x10 is "16". NULL with *ret_len 0: null. A NUL byte inside is
 * complained of, and -EINVAL. -ENOMEM.
 */
int pk_sigma_doc_text(struct pk_sigma_doc *d, const yaml_node_t *n, const char **ret,
		      size_t *ret_len);
/* As above, for a node that must be a text that is not null: complains otherwise, naming what. */
int pk_sigma_doc_string(struct pk_sigma_doc *d, const yaml_node_t *n, const char *what,
			const char **ret);
/* A text, or a list of them. */
int pk_sigma_doc_list(struct pk_sigma_doc *d, const yaml_node_t *n, const char *what,
		      struct pk_sigma_list *ret);
