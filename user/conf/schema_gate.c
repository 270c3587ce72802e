/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the network API: a table beside schema.c's, for the same reader. */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/schema.h"

#define SEC 1000000000ull
#define KiB 1024ull
#define MiB (1024 * KiB)

#define AT(m)       .offset = offsetof(struct pk_conf, m)
#define RANGE(a, b) .min = (a), .max = (b)

const struct pk_conf_row pk_conf_gate[] = {
	{ "gate.listen", PK_CONF_NAME, true, AT(gate_listen), RANGE(0, 63), "",
	  .doc = "Address and port of the API over TLS 1.3 with client certificates, as "
		 "\"0.0.0.0:7443\" or \"[::]:7443\"; \"\": none." },
	{ "gate.cert", PK_CONF_PATH, true, AT(gate_cert), RANGE(2, 200), "/etc/picket/pki/host.crt",
	  .doc = "This host's certificate, with those between it and the authority behind it; "
		 "this and the next three files are read again on reload." },
	{ "gate.key", PK_CONF_PATH, true, AT(gate_key), RANGE(2, 200), "/etc/picket/pki/host.key",
	  .doc = "Its private key." },
	{ "gate.ca", PK_CONF_PATH, true, AT(gate_ca), RANGE(2, 200), "/etc/picket/pki/ca.crt",
	  .doc = "Authorities whose certificates clients may have." },
	{ "gate.crl", PK_CONF_PATH, true, AT(gate_crl), RANGE(0, 200), "/etc/picket/pki/ca.crl",
	  .doc = "The authority's list of revoked certificates, without which nobody is let in; "
		 "\"\": none are revoked." },
	{ "gate.readers", PK_CONF_LIST, true, AT(gate_readers), RANGE(0, 64),
	  "URI:urn:picket:role:reader",
	  .doc = "Who may look: shell patterns for the certificate's names, which are \"URI:...\", "
		 "\"DNS:...\", \"email:...\" and \"subject:CN=...,O=...\" (RFC 2253)." },
	{ "gate.analysts", PK_CONF_LIST, true, AT(gate_analysts), RANGE(0, 64),
	  "URI:urn:picket:role:analyst",
	  .doc = "Who may also work on incidents and take packets." },
	{ "gate.operators", PK_CONF_LIST, true, AT(gate_operators), RANGE(0, 64),
	  "URI:urn:picket:role:operator", .doc = "Who may also block and change lists." },
	{ "gate.admins", PK_CONF_LIST, true, AT(gate_admins), RANGE(0, 64),
	  "URI:urn:picket:role:admin", .doc = "Who may also take enforcement down." },
	{ "gate.connections", PK_CONF_COUNT, true, AT(gate_connections), RANGE(4, 512), "128",
	  "connections",
	  .doc = "Connections at once; when there are more, one that has not shown a certificate "
		 "yet goes first." },
	{ "gate.rate", PK_CONF_COUNT, true, AT(gate_rate), RANGE(1, 100000), "50",
	  "requests a second", .doc = "Requests of each client; more get 429." },
	{ "gate.body_max", PK_CONF_SIZE, true, AT(gate_body_max), RANGE(64 * KiB, 2048 * MiB),
	  "64M", .doc = "Largest body of a request over the network." },
	{ "gate.timeout", PK_CONF_DURATION, true, AT(gate_timeout_ns), RANGE(SEC, 600 * SEC), "10s",
	  .doc = "A handshake may take this long, and a client may say nothing for this long "
		 "while it is its turn; a whole request may take twelve times as long." },
};
const size_t pk_conf_gate_len = PK_ARRAY_SIZE(pk_conf_gate);
