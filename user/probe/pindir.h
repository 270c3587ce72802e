/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of ours in bpffs: made, checked, locked, filled, emptied. Names may lie in one of its
 * folders ("maps/pk_flows"). Nothing in it is anybody else's business: mode 0700, root's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PK_PIN_NAME_MAX 64

struct pk_pindir {
	const char *path; /* borrowed */
	int fd;           /* locked while open; -1: not there */
	char trouble[200];
};

void pk_pindir_init(struct pk_pindir *d, const char *path);

/*
 * Opens and locks it. make: makes it when it is not there, else -ENOENT. Any other error is told
 * in trouble, in words for people; -EBUSY: another process has it. Open already: nothing is done.
 */
int pk_pindir_open(struct pk_pindir *d, bool make);
void pk_pindir_close(struct pk_pindir *d);

int pk_pindir_folder(const struct pk_pindir *d, const char *name); /* makes it */

/* Pins in one step, in place of what has the name. */
int pk_pindir_put(const struct pk_pindir *d, const char *name, int fd);
int pk_pindir_get(const struct pk_pindir *d, const char *name); /* a descriptor or -errno */
bool pk_pindir_has(const struct pk_pindir *d, const char *name);
int pk_pindir_rename(const struct pk_pindir *d, const char *from, const char *to);
void pk_pindir_drop(const struct pk_pindir *d, const char *name); /* gone already is fine */

/* Calls back with "folder/name" for each. */
int pk_pindir_each(const struct pk_pindir *d, const char *folder,
		   void (*each)(void *arg, const char *name), void *arg);

/* Drops all of a folder, then the folder. Returns how many names went. */
size_t pk_pindir_empty(const struct pk_pindir *d, const char *folder);

/* Removes the directory when it is empty, and closes it. */
void pk_pindir_remove(struct pk_pindir *d);
