/* SPDX-License-Identifier: Apache-2.0 */
/* Asks libpsl, whose list is built in. It keeps nothing and decides nothing. */
#include "name/registered.h"

#include "base/cleanup.h"

#include <libpsl.h>
#include <string.h>

const char *pk_name_registered(const char *name)
{
	const psl_ctx_t *psl = psl_builtin();
	const char *last;

	if (psl)
		return psl_registrable_domain(psl, name);
	/* built without a list: the last two labels */
	last = strrchr(name, '.');
	if (!last || last == name)
		return NULL;
	while (last > name && last[-1] != '.')
		last--;
	return last;
}

bool pk_name_is_private(const char *name)
{
	static const char *const tops[] = {
		"arpa", "corp",  "fritz",       "home",      "internal", "intranet",  "invalid",
		"lan",  "local", "localdomain", "localhost", "private",  "workgroup",
	};
	const char *top = strrchr(name, '.');

	for (size_t i = 0; top && i < PK_ARRAY_SIZE(tops); i++)
		if (strcmp(top + 1, tops[i]) == 0)
			return true;
	return !top;
}
