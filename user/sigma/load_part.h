/* SPDX-License-Identifier: Apache-2.0 */
/* The large parts of a rule file, each to its place in d->rule. For load.c only. */
#pragma once

#include "sigma/yaml_doc.h"

/* All: -EINVAL, and complained; -ENOMEM. */
int pk_sigma_load_detection(struct pk_sigma_doc *d, const yaml_node_t *n);
int pk_sigma_load_correlation(struct pk_sigma_doc *d, const yaml_node_t *n);
/* Of a correlation, beside it or in it. */
int pk_sigma_load_generate(struct pk_sigma_doc *d, const yaml_node_t *n);

/* "90m", "1h" in ns; 0: not a time span (of 1 s to 365 days). */
uint64_t pk_sigma_timespan(const char *s);
