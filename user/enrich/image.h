/* SPDX-License-Identifier: Apache-2.0 */
/* One exec in words, shared by counting references. One thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pk_exec;
struct pk_image;

/* A single allocation with all text; without args the command line is left out. NULL: no memory. */
struct pk_image *pk_image_new(const struct pk_exec *e, bool args);
struct pk_image *pk_image_ref(struct pk_image *i);
uint32_t pk_image_unref(struct pk_image *i); /* bytes that were freed; 0 for NULL */
