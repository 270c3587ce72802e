/* SPDX-License-Identifier: Apache-2.0 */
/* What an executable tells about itself: build id, static or not, signs of a packer. Asked when
 * somebody looks at one process, never per event. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_BUILD_ID_TEXT   129
#define PK_FILE_HEAD_BYTES 65536 /* no more of a file is read */

struct pk_file {
	char build_id[PK_BUILD_ID_TEXT]; /* hex, "" when there is none */
	bool is_static;                  /* no interpreter: linked statically */
	bool no_sections;                /* stripped of its section table, as packers do */
	bool upx;                        /* the mark of UPX is in its head */
	bool write_exec;                 /* a segment that can be written and run */
};

/* The first bytes of a file, hostile ones too. -ENOEXEC: not ELF. */
int pk_file_parse(const void *head, size_t len, struct pk_file *ret_file);
/* Only if the path still leads to that inode (dev as in struct pk_exec): else -ESTALE. */
int pk_file_read(const char *path, uint32_t dev, uint64_t ino, struct pk_file *ret_file);
