/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of detection, each detector's begin with its name. A second table beside schema.c's,
 * for the same reader.
 */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/schema.h"

#define MS  1000000ull
#define SEC (1000 * MS)

#define AT(m)       .offset = offsetof(struct pk_conf, m)
#define RANGE(a, b) .min = (a), .max = (b)

const char *const pk_conf_detectors[] = {
	"arp_spoof",  "clear_text",  "dga",   "dns_beacon", "dns_tunnel",
	"fileless",   "icmp_tunnel", "miner", "rogue_dhcp", "rogue_ra",
	"wrong_port", "all",         NULL,
};

const struct pk_conf_row pk_conf_detect[] = {
	{ "detect.off", PK_CONF_LIST, true, AT(detect_off), RANGE(0, 256), "",
	  .doc = "Detectors that do not run (`picket detectors` lists them).",
	  .choices = pk_conf_detectors },
	{ "detect.alerts", PK_CONF_COUNT, true, AT(alerts_max), RANGE(16, 100000), "4096", "alerts",
	  .doc = "Alerts kept in memory; the oldest goes first." },
	{ "detect.fold", PK_CONF_DURATION, true, AT(alerts_fold_ns), RANGE(SEC, 7 * 86400 * SEC),
	  "1h", .doc = "An alert that comes again within this time is counted in the first one." },
	{ "detect.arp_spoof_within", PK_CONF_DURATION, true, AT(arp_spoof_within_ns),
	  RANGE(SEC, 86400 * SEC), "10m",
	  .doc = "Another machine that claims an address heard of within this time is odd." },
	{ "detect.arp_spoof_turns", PK_CONF_COUNT, true, AT(arp_spoof_turns), RANGE(1, 1000), "2",
	  "changes",
	  .doc = "An address that goes back so often to who had it before is claimed by two." },
	{ "detect.arp_spoof_unasked", PK_CONF_COUNT, true, AT(arp_spoof_unasked), RANGE(1, 10000),
	  "5", "answers",
	  .doc = "So many answers that nobody asked for, after a change, are an attack." },
	{ "detect.arp_spoof_addresses", PK_CONF_COUNT, true, AT(arp_spoof_addresses),
	  RANGE(16, 1000000), "16384", "addresses",
	  .doc = "Addresses of the local networks that are remembered, 100 bytes each." },
	{ "detect.dga_window", PK_CONF_DURATION, true, AT(dga_window_ns), RANGE(SEC, 86400 * SEC),
	  "10m", .doc = "Names that do not exist are counted over this time." },
	{ "detect.dga_names", PK_CONF_COUNT, true, AT(dga_names), RANGE(1, 1000), "10", "names",
	  .doc = "So many random looking names that do not exist are told." },
	{ "detect.dga_failed", PK_CONF_COUNT, true, AT(dga_failed), RANGE(1, 1000), "50", "names",
	  .doc = "So many names of any look that do not exist are told, as low." },
	{ "detect.dga_clients", PK_CONF_COUNT, true, AT(dga_clients), RANGE(16, 1000000), "8192",
	  "clients", .doc = "Clients that are remembered, 388 bytes each." },
	{ "detect.dns_beacon_questions", PK_CONF_COUNT, true, AT(dns_beacon_questions),
	  RANGE(4, 48), "24", "questions", .doc = "Fewer are not enough to tell a rhythm." },
	{ "detect.dns_beacon_score", PK_CONF_PERCENT, true, AT(dns_beacon_score), RANGE(1, 100),
	  "90", .doc = "How regular they must be." },
	{ "detect.dns_beacon_time", PK_CONF_DURATION, true, AT(dns_beacon_time_ns),
	  RANGE(SEC, 86400 * SEC), "10m", .doc = "Over at least so long." },
	{ "detect.dns_beacon_zones", PK_CONF_COUNT, true, AT(dns_beacon_zones), RANGE(16, 1000000),
	  "8192", "pairs",
	  .doc = "Pairs of client and registered domain that are remembered, 524 bytes each." },
	{ "detect.dns_tunnel_window", PK_CONF_DURATION, true, AT(dns_tunnel_window_ns),
	  RANGE(SEC, 86400 * SEC), "10m", .doc = "Coded names are counted over this time." },
	{ "detect.dns_tunnel_names", PK_CONF_COUNT, true, AT(dns_tunnel_names), RANGE(4, 3000),
	  "40", "names",
	  .doc = "So many coded names below one registered domain, or a quarter of that if they "
		 "are long, are a tunnel." },
	{ "detect.dns_tunnel_bytes", PK_CONF_COUNT, true, AT(dns_tunnel_bytes),
	  RANGE(1, 1000000000), "1200", "bytes", .doc = "They must carry at least so much." },
	{ "detect.dns_tunnel_allowed", PK_CONF_LIST, true, AT(dns_tunnel_allowed), RANGE(0, 256),
	  "", .doc = "Registered domains whose coded names are known to be harmless." },
	{ "detect.dns_tunnel_zones", PK_CONF_COUNT, true, AT(dns_tunnel_zones), RANGE(16, 1000000),
	  "8192", "pairs",
	  .doc = "Pairs of client and registered domain that are remembered, 236 bytes each." },
	{ "detect.icmp_tunnel_differ", PK_CONF_COUNT, true, AT(icmp_tunnel_differ), RANGE(1, 10000),
	  "3", "replies",
	  .doc = "So many echo replies that do not repeat their request are a tunnel." },
	{ "detect.icmp_tunnel_odd", PK_CONF_COUNT, true, AT(icmp_tunnel_odd), RANGE(1, 10000), "10",
	  "echoes",
	  .doc = "So many echoes (of those looked at) filled as no ping does may be one." },
	{ "detect.icmp_tunnel_pairs", PK_CONF_COUNT, true, AT(icmp_tunnel_pairs),
	  RANGE(16, 1000000), "8192", "pairs",
	  .doc = "Pairs of hosts that are remembered, 236 bytes each." },
	{ "detect.rogue_dhcp_within", PK_CONF_DURATION, true, AT(rogue_dhcp_within_ns),
	  RANGE(SEC, 30 * 86400 * SEC), "24h",
	  .doc = "A second DHCP server is odd while the first was heard of within this time." },
	{ "detect.rogue_ra_within", PK_CONF_DURATION, true, AT(rogue_ra_within_ns),
	  RANGE(SEC, 30 * 86400 * SEC), "1h",
	  .doc = "A second IPv6 router is odd while the first was heard of within this time." },
};
const size_t pk_conf_detect_len = PK_ARRAY_SIZE(pk_conf_detect);
