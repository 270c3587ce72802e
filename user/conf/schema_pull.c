/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of lists that are fetched: a table beside schema.c's, for the same reader. */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/pull.h"
#include "conf/schema.h"

#define SEC 1000000000ull
#define DAY (86400 * SEC)
#define KiB 1024ull
#define MiB (1024 * KiB)

#define AT(m)       .offset = offsetof(struct pk_conf, m)
#define RANGE(a, b) .min = (a), .max = (b)

const struct pk_conf_row pk_conf_pull[] = {
	{ "pull.lists", PK_CONF_LIST, true, AT(pull_lists), RANGE(0, PK_CONF_PULL_ITEMS), "",
	  .doc = "Signed lists to fetch, as \"NAME=https://HOST/PATH\"; the same name again is "
		 "another mirror; or \"NAME=nats\", from nats.bucket. There is what `picket list "
		 "sign --whole` writes, which is judged "
		 "as if it had been pushed.",
	  .pulls = true },
	{ "pull.interval", PK_CONF_DURATION, true, AT(pull_interval_ns), RANGE(SEC, 7 * DAY), "15m",
	  .doc = "A list is asked for this often at least, one mirror after the other; while none "
		 "gives it, ever later up to this." },
	{ "pull.timeout", PK_CONF_DURATION, true, AT(pull_timeout_ns), RANGE(SEC, 3600 * SEC), "1m",
	  .doc = "A mirror may take this long for a list, of which 10 s to be reached." },
	{ "pull.size_max", PK_CONF_SIZE, true, AT(pull_bytes_max), RANGE(64 * KiB, 2048 * MiB),
	  "64M",
	  .doc = "Largest file that is fetched; all together may be four times as large at once." },
	{ "pull.stale", PK_CONF_DURATION, true, AT(pull_stale_ns), RANGE(SEC, 366 * DAY), "24h",
	  .doc = "A list that no mirror had for this long raises an alert." },
	{ "pull.ca", PK_CONF_PATH, true, AT(pull_ca), RANGE(2, 200),
	  "/etc/ssl/certs/ca-certificates.crt",
	  .doc = "Authorities (PEM) whose certificates mirrors may have; this and the next two "
		 "files are read again on reload." },
	{ "pull.cert", PK_CONF_PATH, true, AT(pull_cert), RANGE(0, 200), "",
	  .doc = "Certificate that is shown to mirrors that ask for one; \"\": none." },
	{ "pull.key", PK_CONF_PATH, true, AT(pull_key), RANGE(0, 200), "",
	  .doc = "Its private key." },
	{ "pull.header", PK_CONF_NAME, true, AT(pull_header), RANGE(0, 1023), "",
	  .doc = "A header for mirrors (\"Authorization: Bearer ...\"); keep it in a file of "
		 "conf.d with mode 0600." },
};
const size_t pk_conf_pull_len = PK_ARRAY_SIZE(pk_conf_pull);
