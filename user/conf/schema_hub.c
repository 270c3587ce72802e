/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of `picket hub`: a table beside schema.c's, for the same reader. */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/schema.h"

#define SEC  1000000000ull
#define HOUR (3600 * SEC)
#define MiB  (1024 * 1024ull)

#define AT(m)       .offset = offsetof(struct pk_conf, m)
#define RANGE(a, b) .min = (a), .max = (b)

const struct pk_conf_row pk_conf_hub[] = {
	{ "hub.db", PK_CONF_NAME, true, AT(hub_db), RANGE(2, 1000), "/var/lib/picket-hub/hub.db",
	  .doc = "Database of `picket hub`: the file for SQLite, in a directory that is there; or "
		 "a "
		 "database of PostgreSQL, as "
		 "\"postgresql://picket@db.example/picket?sslmode=verify-full\" "
		 "or any connection string of libpq. It holds no password: name a file with "
		 "passfile=, use ~/.pgpass, PGPASSWORD or a client certificate." },
	{ "hub.retain_days", PK_CONF_COUNT, true, AT(hub_days), RANGE(1, 3650), "30", "days",
	  .doc = "What was not seen for so long is forgotten, and is new when it comes again." },
	{ "hub.size_max", PK_CONF_SIZE, true, AT(hub_bytes), RANGE(4 * MiB, 1024 * 1024 * MiB),
	  "1G",
	  .doc = "The database is held below: what was not seen for longest goes first. Of "
		 "PostgreSQL rows count; its files keep their room for new ones." },
	{ "hub.hosts_max", PK_CONF_COUNT, true, AT(hub_hosts), RANGE(1, 100000), "4096", "hosts",
	  .doc = "Hosts that are known at once; what others send is counted and left." },
	{ "hub.host_values", PK_CONF_COUNT, true, AT(hub_values), RANGE(16, 1000000), "2000",
	  "values",
	  .doc = "Addresses, names, fingerprints and hashes kept of one host; its own oldest go, "
		 "so that "
		 "none can push out what others saw." },
	{ "hub.host_alerts", PK_CONF_COUNT, true, AT(hub_alerts), RANGE(16, 1000000), "1000",
	  "alerts", .doc = "Alerts kept of one host; its own oldest go." },
	{ "hub.source_hosts", PK_CONF_COUNT, true, AT(hub_source_hosts), RANGE(2, 10000), "3",
	  "hosts", .doc = "Hosts that the same address attacks." },
	{ "hub.source_window", PK_CONF_DURATION, true, AT(hub_source_ns),
	  RANGE(60 * SEC, 3650 * 24 * HOUR), "168h", .doc = "Within this time." },
	{ "hub.new_hosts", PK_CONF_COUNT, true, AT(hub_new_hosts), RANGE(2, 10000), "3", "hosts",
	  .doc = "Hosts whose alerts have the same address, name, JA4 or SHA-256 of a program that "
		 "none had before." },
	{ "hub.new_window", PK_CONF_DURATION, true, AT(hub_new_ns),
	  RANGE(60 * SEC, 3650 * 24 * HOUR), "24h",
	  .doc = "Within this time since the first one." },
	{ "hub.learning", PK_CONF_DURATION, true, AT(hub_learning_ns), RANGE(0, 365 * 24 * HOUR),
	  "24h", .doc = "So long after its database was begun the hub takes nothing for new." },
	{ "hub.lateral_window", PK_CONF_DURATION, true, AT(hub_lateral_ns),
	  RANGE(60 * SEC, 365 * 24 * HOUR), "24h",
	  .doc = "Between an alert of a host and its own attack on another one." },
};
const size_t pk_conf_hub_len = PK_ARRAY_SIZE(pk_conf_hub);
