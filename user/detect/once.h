/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For detectors that tell a flow once and keep nothing else: all they need for struct pk_detector
 * but see. Of the last 8192 flows it is known that they were told.
 */
#pragma once

#include "detect/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_conf;
struct pk_world;

int pk_once_init(const struct pk_world *w, void **ret_state); /* -ENOMEM */
void pk_once_done(void *state);
void pk_once_memory(const void *state, struct pk_memory *sum); /* adds */
size_t pk_once_bytes_max(const struct pk_conf *conf);

bool pk_once_is_first(void *state, uint64_t flow);
