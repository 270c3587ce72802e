/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of signed lists: a table beside schema.c's, for the same reader. */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/schema.h"

#define AT(m)       .offset = offsetof(struct pk_conf, m)
#define RANGE(a, b) .min = (a), .max = (b)

static const char *const when_expired[] = { "keep", "drop", NULL };

const struct pk_conf_row pk_conf_sign[] = {
	{ "sign.require", PK_CONF_BOOL, true, AT(sign_require), .def = "true",
	  .doc = "Lists that come over the network must be signed; who may use the unix socket may "
		 "also load others." },
	{ "sign.keys", PK_CONF_PATH, true, AT(sign_keys), RANGE(2, 200), "/etc/picket/keys.d",
	  .doc = "Directory of public keys whose signatures count (`picket key trust` puts them "
		 "there); it and its files belong to root and only root may write them. Read again "
		 "on reload." },
	{ "sign.lists", PK_CONF_LIST, true, AT(sign_lists), RANGE(0, 256), "",
	  .doc = "Lists that more than one key must have signed, as \"NAME=2\", or "
		 "\"NAME=2:KEY+KEY+KEY\" where only these keys count; \"*\" is each list that is "
		 "not named.",
	  .thresholds = true },
	{ "sign.expired", PK_CONF_CHOICE, true, AT(sign_expired), RANGE(PK_SIGN_KEEP, PK_SIGN_DROP),
	  "keep",
	  .doc = "A list whose signature expires while it is in force raises an alert, and stays "
		 "in force or is turned off.",
	  .choices = when_expired },
};
const size_t pk_conf_sign_len = PK_ARRAY_SIZE(pk_conf_sign);
