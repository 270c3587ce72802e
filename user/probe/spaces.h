/* SPDX-License-Identifier: Apache-2.0 */
/* The set of net namespaces under watch: the host's, named ones, those of containers. */
#pragma once

#include "probe/space.h"

#include <stddef.h>

#define PK_SPACES_MAX 1024 /* beyond it namespaces are reported and not covered */

struct pk_spaces {
	struct pk_space *v[PK_SPACES_MAX];
	size_t n;
	struct pk_space_env env;
	/* A space came or is about to go: its descriptor is to be watched or forgotten. */
	void (*watch)(void *arg, struct pk_space *s, bool on);
	bool refused_told;
	bool failed; /* a namespace that is there could not be opened */
};

/* Opens the host's namespace, then whatever else conf wants. */
int pk_spaces_open(struct pk_spaces *s);

/* Once a second: namespaces that came and went, hooks that somebody removed. */
void pk_spaces_check(struct pk_spaces *s);

void pk_spaces_recover(struct pk_spaces *s, const struct pk_conf *conf);

/* As of each interface, see device.h. */
size_t pk_spaces_pin(const struct pk_spaces *s);
void pk_spaces_renew(struct pk_spaces *s);
void pk_spaces_tell(struct pk_spaces *s);
void pk_spaces_tell_addrs(struct pk_spaces *s);
void pk_spaces_close(struct pk_spaces *s);
