/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What attacks on web servers are known by: a table of literals, searched for in one pass over a
 * request (vectorscan). Literals are written as web_text.h leaves a text: small letters, one slash
 * where there were two ("http:/"), '/' for '\'.
 */
#pragma once

#include "detect/finding.h"
#include "detect/web_text.h"

#include <stdbool.h>

enum pk_web_kind {
	PK_WEB_LOG4SHELL,
	PK_WEB_SHELLSHOCK,
	PK_WEB_SPRING,
	PK_WEB_OGNL,
	PK_WEB_THINKPHP,
	PK_WEB_PHP,
	PK_WEB_COMMAND,
	PK_WEB_TRAVERSAL,
	PK_WEB_SQL,
	PK_WEB_DEVICE,
	PK_WEB_PRODUCT,
	PK_WEB_UPLOAD,
	PK_WEB_SCRIPT,
	PK_WEB_KINDS
};

/* One kind of attack. */
struct pk_web_attack {
	const char *name; /* "log4shell" */
	const char *what; /* in a sentence: "by a flaw of Log4j" */
	const char *technique;
	enum pk_severity severity;
	uint8_t confidence; /* percent */
};
extern const struct pk_web_attack pk_web_attacks[PK_WEB_KINDS];

struct pk_web_hit {
	enum pk_web_kind kind;
	const char *literal; /* of the table */
	size_t from;         /* in the text */
};

struct pk_web_match;

int pk_web_match_new(struct pk_web_match **ret_match); /* -ENOMEM, -EINVAL: vectorscan refused */
void pk_web_match_free(struct pk_web_match *m);
size_t pk_web_match_bytes(const struct pk_web_match *m);

/* The first hit of each kind, in the order of kinds. put: the request stores what follows it.
 * Returns how many; the text must be padded, as pk_web_text_make() does. */
size_t pk_web_match_find(struct pk_web_match *m, const struct pk_web_text *t, bool put,
			 struct pk_web_hit ret_hit[PK_WEB_KINDS]);
