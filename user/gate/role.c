/* SPDX-License-Identifier: Apache-2.0 */
/* Names of a certificate to a role, by patterns. Knows no certificate. */
#include "gate/role.h"

#include "conf/conf.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stddef.h>

const char *pk_role_name(enum pk_role role)
{
	static const char *const names[PK_ROLES] = { "none",    "carrier",  "reader",
						     "analyst", "operator", "admin" };

	return role < PK_ROLES ? names[role] : "none";
}

static bool is_in(const struct pk_conf_list *patterns, const char *const *names, unsigned n)
{
	for (size_t i = 0; i < patterns->n; i++)
		for (unsigned k = 0; k < n; k++)
			if (fnmatch(patterns->v[i], names[k], FNM_NOESCAPE) == 0)
				return true;
	return false;
}

enum pk_role pk_role_of(const struct pk_conf *conf, const char *const *names, unsigned n)
{
	const struct pk_conf_list *const of[PK_ROLES] = {
		[PK_ROLE_READER] = &conf->gate_readers,
		[PK_ROLE_ANALYST] = &conf->gate_analysts,
		[PK_ROLE_OPERATOR] = &conf->gate_operators,
		[PK_ROLE_ADMIN] = &conf->gate_admins,
	};

	for (int role = PK_ROLES - 1; role > PK_ROLE_NONE; role--)
		if (of[role] && is_in(of[role], names, n))
			return (enum pk_role)role;
	return PK_ROLE_NONE;
}
