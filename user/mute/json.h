/* SPDX-License-Identifier: Apache-2.0 */
/* A suppression as JSON: as the API shows it, and as the store keeps it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pk_json;
struct pk_mute;
struct pk_mute_act;
struct pk_mutes;

/* An object, as array member or root. kept: is it on the disk? NULL: nothing is said of it. */
void pk_mute_write(struct pk_json *j, const struct pk_mute *m, const bool *kept);
/* One act with the suppression it belongs to, for the record that nobody changes any more. */
void pk_mute_write_act(struct pk_json *j, const struct pk_mute *m, const struct pk_mute_act *a);

/* How many there are of each state, and hits, as an object. */
void pk_mute_write_counts(struct pk_json *j, const char *key, const struct pk_mutes *all);

/* What pk_mute_write() wrote. -EBADMSG: it is not that, or not a suppression that could be. */
int pk_mute_read(const char *json, size_t len, struct pk_mute *ret);
