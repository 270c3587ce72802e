/* SPDX-License-Identifier: Apache-2.0 */
/* The help of the live view. */
#pragma once

extern const char pk_top_help[];
