/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the fleet's message bus: a table beside schema.c's, for the same reader. */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/schema.h"

#define AT(m)       .offset = offsetof(struct pk_conf, m)
#define RANGE(a, b) .min = (a), .max = (b)

static const char *const schemes[] = { "tls", "nats", NULL };

const struct pk_conf_row pk_conf_nats[] = {
	{ "nats.servers", PK_CONF_LIST, true, AT(nats_servers), RANGE(0, 16), "",
	  .doc = "Servers of NATS with JetStream, as \"tls://HOST:4222\"; any of them will do. "
		 "nats:// is without encryption, for tests.",
	  .choices = schemes, .urls = true },
	{ "nats.ca", PK_CONF_PATH, true, AT(nats_ca), RANGE(0, 200), "",
	  .doc = "Certificates (PEM) that the servers are checked against, readable for the "
		 "unprivileged process; \"\": the system's." },
	{ "nats.cert", PK_CONF_PATH, true, AT(nats_cert), RANGE(0, 200), "",
	  .doc = "This host's certificate, by which the server knows what it may do; \"\": none. "
		 "Read again at each connection, as its key." },
	{ "nats.key", PK_CONF_PATH, true, AT(nats_key), RANGE(0, 200), "",
	  .doc = "Its private key, readable for the unprivileged process." },
	{ "nats.tenant", PK_CONF_NAME, true, AT(nats_tenant), RANGE(1, 63), "default",
	  .doc = "First part of this host's subjects (picket.TENANT.HOST.alerts)." },
	{ "nats.host", PK_CONF_NAME, true, AT(nats_host), RANGE(0, 255), "",
	  .doc = "Second part; \"\": the host's name. What is not a letter, digit, - or _ becomes "
		 "%XX in subjects: web1.example.org is web1%2Eexample%2Eorg." },
	{ "nats.bucket", PK_CONF_NAME, true, AT(nats_bucket), RANGE(1, 32), "picket_lists",
	  .doc = "Bucket of keys and values that signed lists are taken from (pull.lists) and "
		 "published to (`picket list publish`)." },
	{ "nats.stream", PK_CONF_NAME, true, AT(nats_stream), RANGE(1, 32), "picket",
	  .doc = "Stream that takes the alerts; its subjects are picket.*.*.alerts." },
};
const size_t pk_conf_nats_len = PK_ARRAY_SIZE(pk_conf_nats);
