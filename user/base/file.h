/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of ours in a directory that is open: read whole, and written whole or not at all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PK_FILE_NAME 256

/*
 * A regular file, no link, of max bytes at most (-EFBIG, also for what is no file). *ret_data is
 * the caller's to free, has one byte more than *ret_len, and is not ended by a NUL.
 */
int pk_file_read_at(int dir_fd, const char *name, size_t max, void **ret_data, size_t *ret_len);

/*
 * Written as NAME.new with mode 0600, then named. sync: it and its name are on disk when 0 comes
 * back. On error what was there under that name stays.
 */
int pk_file_write_at(int dir_fd, const char *name, const void *data, size_t len, bool sync);
