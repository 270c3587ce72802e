/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes metrics in the Prometheus text exposition format 0.0.4. A family (its HELP and TYPE) comes
 * before its samples, which follow one another; who writes keeps names apart.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pk_buf;

#define PK_PROM_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct pk_prom {
	struct pk_buf *out;
	const char *name; /* of the family that is open */
	bool labelled;    /* the sample that is begun has a label */
};

/* Names are literals that fit [a-z_][a-z0-9_]*; those of counters end in _total. */
void pk_prom_counter(struct pk_prom *p, const char *name, const char *help);
void pk_prom_gauge(struct pk_prom *p, const char *name, const char *help);

/* Labels of the next sample. value is anything: what is not printable UTF-8 is written escaped. */
void pk_prom_label(struct pk_prom *p, const char *key, const char *value);
void pk_prom_u64(struct pk_prom *p, uint64_t value);
void pk_prom_dbl(struct pk_prom *p, double value);

/* A family of one sample without labels. */
void pk_prom_count(struct pk_prom *p, const char *name, const char *help, uint64_t value);
void pk_prom_level(struct pk_prom *p, const char *name, const char *help, uint64_t value);
