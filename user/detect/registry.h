/* SPDX-License-Identifier: Apache-2.0 */
/* Every detector by name, one line each; what they do is said in their files. */
#pragma once

struct pk_detector;

extern const struct pk_detector pk_detect_fileless;
