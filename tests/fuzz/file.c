/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the head of an executable.
 * fuzz-links: user/enrich/file.c
 */
#include "enrich/file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_file f;

	memset(&f, 'x', sizeof(f));
	if (pk_file_parse(data, size, &f) == 0 &&
	    (strnlen(f.build_id, sizeof(f.build_id)) == sizeof(f.build_id) ||
	     strspn(f.build_id, "0123456789abcdef") != strlen(f.build_id)))
		abort();
	return 0;
}
