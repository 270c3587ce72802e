/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a name: one spelling comes out, which stays what it is, and its suffixes are those
 * that a plain search finds.
 * fuzz-links: user/block/address.c user/block/domain.c
 */
#include "block/domain.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int ok)
{
	if (!ok)
		abort();
}

static void check_suffixes(const char *name, size_t len)
{
	struct pk_domain_suffix v[PK_DOMAIN_LABELS];
	size_t n = pk_domain_suffixes(name, len, v), i = 0;

	for (size_t at = 0; at < len; at++) {
		if (at && name[at - 1] != '.')
			continue;
		require(i < n && v[i].at == at && v[i].len == len - at);
		require(v[i].hash == pk_domain_hash(name + at, len - at));
		require(pk_domain_is_below(name, name + at));
		i++;
	}
	require(i == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char once[PK_DOMAIN_MAX], twice[PK_DOMAIN_MAX];
	const char *why = NULL;
	int r = pk_domain_normalise((const char *)data, size, once, &why);

	if (r < 0) {
		require(why != NULL);
		return 0;
	}
	require(r > 0 && r < PK_DOMAIN_MAX && strlen(once) == (size_t)r);
	for (int i = 0; i < r; i++)
		require((once[i] >= 'a' && once[i] <= 'z') || (once[i] >= '0' && once[i] <= '9') ||
			once[i] == '-' || once[i] == '_' || once[i] == '.');
	require(pk_domain_normalise(once, (size_t)r, twice, &why) == r && !strcmp(once, twice));
	check_suffixes(once, (size_t)r);
	(void)pk_domain_wide(once);
	return 0;
}
