/* SPDX-License-Identifier: Apache-2.0 */
/* Every detector by name, one line each; what they do is said in their files. */
#pragma once

struct pk_detector;

extern const struct pk_detector pk_detect_clear_text;
extern const struct pk_detector pk_detect_fileless;
extern const struct pk_detector pk_detect_miner;
extern const struct pk_detector pk_detect_wrong_port;
