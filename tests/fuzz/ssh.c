/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the start of an SSH stream: slices stay in it, and what is whole has a HASSH.
 * fuzz-links: user/decode/ssh.c
 */
#include "decode/ssh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_slice(struct pk_slice s, const uint8_t *data, size_t size)
{
	const uint8_t *p = (const uint8_t *)s.s;

	require(!s.len || (p >= data && s.len <= size && p <= data + (size - s.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char hex[PK_SSH_HASSH_TEXT];
	struct pk_ssh s;
	int r = pk_ssh_decode(&s, data, size);

	(void)pk_ssh_is(data, size);
	require(r == 0 || r == -EBADMSG);
	if (r)
		return 0;
	require(pk_ssh_why_name(s.id_why) && pk_ssh_why_name(s.kex_why));
	check_slice(s.id, data, size);
	check_slice(s.version, data, size);
	check_slice(s.software, data, size);
	check_slice(s.comment, data, size);
	for (unsigned i = 0; i < PK_SSH_LISTS; i++) {
		check_slice(s.list[i], data, size);
		require(s.kex_why == PK_SSH_OK || !s.list[i].len);
	}
	require(s.id_why != PK_SSH_OK || (s.software.len && s.id.len <= PK_SSH_ID_MAX));
	require(pk_ssh_hassh(&s, size & 1, hex) == (s.kex_why == PK_SSH_OK ? 0 : -ENODATA));
	require(s.kex_why != PK_SSH_OK || strlen(hex) == PK_SSH_HASSH_TEXT - 1);
	return 0;
}
