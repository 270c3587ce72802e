/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the table of keys: adding a key is a member of struct pk_conf and a row here. Reading files
 * is conf.c's.
 */
#include "conf/schema.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "conf/conf.h"

#define MS  1000000ull
#define SEC (1000 * MS)
#define KiB 1024ull
#define MiB (1024 * KiB)

static const char *const rcodes[] = { "refused", "nxdomain", "drop", NULL };
static const char *const levels[] = { "error", "warning", "notice", "info", "debug", NULL };
static const char *const targets[] = { "auto", "stderr", "journal", NULL };
static const char *const severities[] = {
	"informational", "low", "medium", "high", "critical", NULL
};
static const char *const syslog_schemes[] = { "tls", "tcp", NULL };
static const char *const webhook_schemes[] = { "https", "http", NULL };
static const char *const xdp_modes[] = { "auto", "native", "generic", "off", NULL };

const char *const pk_conf_apps[] = { "short", "dns",  "tls", "quic", "http", "ssh",
				     "text",  "dhcp", "arp", "icmp", "all",  NULL };

#define AT(m)       .offset = offsetof(struct pk_conf, m)
#define RANGE(a, b) .min = (a), .max = (b)

const struct pk_conf_row pk_conf_schema[] = {
	{ "api.socket", PK_CONF_PATH, true, AT(socket_path), RANGE(2, 107),
	  PK_RUN_DIR "/picket.sock", .doc = "Unix socket of the HTTP API." },
	{ "api.group", PK_CONF_NAME, true, AT(socket_group), RANGE(0, 31), "picket",
	  .doc = "Group that may use the socket (mode 0660); where the system has no such group, "
		 "or "
		 "with \"\", only root may." },
	{ "api.upload_max", PK_CONF_SIZE, true, AT(upload_max), RANGE(64 * KiB, 2048 * MiB), "256M",
	  .doc = "Largest list that is taken over the API, as it comes (compressed or not)." },
	{ "dirs.run", PK_CONF_PATH, true, AT(run_dir), RANGE(2, 200), PK_RUN_DIR,
	  .doc = "Directory that is made at start for socket and lock." },
	{ "dirs.lock", PK_CONF_PATH, true, AT(lock_file), RANGE(2, 200), PK_RUN_DIR "/picket.lock",
	  .doc = "File that a running instance holds locked." },
	{ "dirs.pins", PK_CONF_PATH, true, AT(pins_dir), RANGE(2, 200), "/sys/fs/bpf/picket",
	  .doc = "Directory in bpffs that keeps programs and maps in force when the agent ends, "
		 "made while there is something to enforce." },
	{ "dirs.state", PK_CONF_PATH, true, AT(state_dir), RANGE(2, 200), "/var/lib/picket",
	  .doc = "Directory that is made at start and keeps block lists over a restart of the "
		 "host." },
	{ "block.entries_max", PK_CONF_COUNT, true, AT(block_entries_max), RANGE(1000, 100000000),
	  "16000000", "entries", .doc = "Entries in all block lists; more are refused." },
	{ "block.auto_max", PK_CONF_COUNT, true, AT(block_auto_max), RANGE(0, 100000), "1000",
	  "entries", .doc = "Automatic blocks at once; 0: none." },
	{ "block.auto_rate", PK_CONF_COUNT, true, AT(block_auto_rate), RANGE(1, 10000), "60",
	  "a minute", .doc = "Automatic blocks that may be added a minute." },
	{ "block.auto_ttl_max", PK_CONF_DURATION, true, AT(block_auto_ttl_ns),
	  RANGE(SEC, 30ull * 86400 * SEC), "24h",
	  .doc = "An automatic block ends after this long at the latest." },
	{ "block.auto_spoofable", PK_CONF_BOOL, true, AT(block_auto_spoofable), .def = "false",
	  .doc = "Also block automatically what may carry a forged source: UDP, and TCP without a "
		 "completed handshake." },
	{ "block.answers_max", PK_CONF_COUNT, true, AT(block_answers_max), RANGE(0, 1000000),
	  "16384", "addresses",
	  .doc = "Addresses that are blocked at once because DNS answers gave them for listed "
		 "names; 0: none, only connections that name them are cut." },
	{ "block.answer_ttl_min", PK_CONF_DURATION, true, AT(block_answer_min_ns),
	  RANGE(SEC, 86400 * SEC), "1m",
	  .doc = "Such an address is blocked for the answer's TTL, but at least this long." },
	{ "block.answer_ttl_max", PK_CONF_DURATION, true, AT(block_answer_max_ns),
	  RANGE(SEC, 7ull * 86400 * SEC), "1h", .doc = "The same, at most this long." },
	{ "block.shared_open", PK_CONF_BOOL, true, AT(block_shared_open), .def = "true",
	  .doc = "Leave an address open that a name which is not listed was lately found at, too: "
		 "then only connections that name the listed one are cut." },
	{ "block.query_answer", PK_CONF_CHOICE, true, AT(block_rcode),
	  RANGE(PK_RCODE_REFUSED, PK_RCODE_DROP), "refused",
	  .doc = "What a program gets that asks for a name whose queries are refused; drop lets it "
		 "wait in vain.",
	  .choices = rcodes },
	{ "block.memory", PK_CONF_SIZE, true, AT(block_memory), RANGE(8 * MiB, 4096 * MiB), "512M",
	  .doc = "Kernel memory that block lists may take, which they do only as they grow; an "
		 "entry takes 64 bytes and its share of the tree." },
	{ "block.management", PK_CONF_LIST, false, AT(management), RANGE(0, 256), "",
	  .doc = "Networks to administer this host from: never blocked, whatever lists say.",
	  .nets = true },
	{ "log.level", PK_CONF_CHOICE, false, AT(log_level), RANGE(PK_LOG_ERROR, PK_LOG_DEBUG),
	  "info", .doc = "Least important messages that are logged.", .choices = levels },
	{ "log.target", PK_CONF_CHOICE, false, AT(log_target),
	  RANGE(PK_LOG_TO_AUTO, PK_LOG_TO_JOURNAL), "auto",
	  .doc = "How lines on stderr begin: for people, for the journal, or whichever stderr is.",
	  .choices = targets },
	{ "interfaces.include", PK_CONF_LIST, false, AT(if_include), RANGE(0, 256), "*",
	  .doc = "Interfaces to watch, as shell patterns." },
	{ "interfaces.exclude", PK_CONF_LIST, false, AT(if_exclude), RANGE(0, 256), "",
	  .doc = "Interfaces to leave alone even if included." },
	{ "interfaces.xdp", PK_CONF_CHOICE, true, AT(xdp), RANGE(PK_XDP_AUTO, PK_XDP_OFF), "auto",
	  .doc = "Where incoming packets are seen: XDP in the driver if it can and else generic "
		 "(auto), "
		 "only native, only generic, or tc in place of XDP (off).",
	  .choices = xdp_modes },
	{ "netns.names", PK_CONF_LIST, false, AT(netns), RANGE(0, 256), "",
	  .doc = "Other network namespaces to watch, by their name in /run/netns, or \"all\"." },
	{ "netns.containers", PK_CONF_BOOL, false, AT(containers), .def = "true",
	  .doc = "Also watch the network namespaces of containers." },
	{ "cgroup.path", PK_CONF_PATH, true, AT(cgroup), RANGE(0, 200), "",
	  .doc = "Mount point of the cgroup v2 hierarchy; \"\" looks it up in the mount table." },
	{ "flow.slots", PK_CONF_SLOTS, true, AT(flow_slots), RANGE(1024, 16777216), "65536",
	  "flows", .doc = "Flows that the kernel keeps at once; a flow takes 392 bytes." },
	{ "flow.active_timeout", PK_CONF_DURATION, false, AT(active_ns), RANGE(SEC, 3600 * SEC),
	  "10s", .doc = "A flow that goes on is reported this often." },
	{ "flow.idle_timeout", PK_CONF_DURATION, false, AT(idle_ns), RANGE(SEC, 86400 * SEC), "1m",
	  .doc = "A flow ends after this silence." },
	{ "flow.half_open_timeout", PK_CONF_DURATION, false, AT(half_open_ns),
	  RANGE(100 * MS, 3600 * SEC), "10s",
	  .doc = "The same for flows that were never answered." },
	{ "flow.emergency_timeout", PK_CONF_DURATION, false, AT(emergency_ns),
	  RANGE(100 * MS, 3600 * SEC), "2s",
	  .doc = "The same for unanswered flows while the table is more than three quarters "
		 "full." },
	{ "flow.linger", PK_CONF_DURATION, false, AT(linger_ns), RANGE(0, 60 * SEC), "1s",
	  .doc = "A TCP flow that was closed waits this long for stragglers." },
	{ "flow.half_open_share", PK_CONF_PERCENT, false, AT(half_open_percent), RANGE(1, 100),
	  "50%",
	  .doc = "Share of the slots that unanswered flows may take; what is beyond is only summed "
		 "up, so of a slow scan in a flood only a part is seen." },
	{ "flow.sweep_interval", PK_CONF_DURATION, false, AT(sweep_ns), RANGE(200 * MS, 60 * SEC),
	  "1s", .doc = "The flow table is looked through for reports and timeouts this often." },
	{ "geo.database", PK_CONF_PATH, true, AT(geo_database), RANGE(0, 200),
	  "/usr/share/libloc-location/location.db",
	  .doc = "File that says country and network operator of addresses (package "
		 "libloc-database); \"\": none." },
	{ "store.enabled", PK_CONF_BOOL, true, AT(store), .def = "true",
	  .doc = "Keep alerts, incidents and acts in a database (store/ in dirs.state), in a hash "
		 "chain that `picket verify` checks." },
	{ "store.flows", PK_CONF_BOOL, true, AT(store_flows), .def = "true",
	  .doc = "Keep ended flows there too, about 200 bytes each." },
	{ "store.retain_days", PK_CONF_COUNT, true, AT(store_days), RANGE(0, 36500), "90", "days",
	  .doc = "What is older is removed; 0: nothing is." },
	{ "store.size_max", PK_CONF_SIZE, true, AT(store_bytes), RANGE(4 * MiB, 1024 * 1024 * MiB),
	  "1G",
	  .doc = "The database is held below: the oldest flows go first, then the oldest of "
		 "the rest." },
	{ "store.checkpoints", PK_CONF_PATH, true, AT(store_checkpoints), RANGE(0, 200), "",
	  .doc = "File that signed checkpoints of the chain are appended to, best on another "
		 "host's file system; \"\": beside the database." },
	{ "sink.severity", PK_CONF_CHOICE, true, AT(sink_severity), RANGE(1, 5), "informational",
	  .doc = "Alerts that are less severe stay here.", .choices = severities },
	{ "sink.file", PK_CONF_PATH, true, AT(sink_file), RANGE(0, 200), "",
	  .doc = "File that alerts are appended to as JSON lines (OCSF); its directory is made if "
		 "missing." },
	{ "sink.file_size", PK_CONF_SIZE, true, AT(sink_file_bytes),
	  RANGE(64 * KiB, 1024 * 1024 * MiB), "64M", .doc = "It is rotated before it is larger." },
	{ "sink.file_age", PK_CONF_DURATION, true, AT(sink_file_age_ns),
	  RANGE(0, 366ull * 86400 * SEC), "24h",
	  .doc = "It is rotated when it is older; 0s: never." },
	{ "sink.file_keep", PK_CONF_COUNT, true, AT(sink_file_keep), RANGE(0, 1000), "7", "files",
	  .doc = "Rotated files that stay (FILE.1 is the newest)." },
	{ "sink.stdout", PK_CONF_BOOL, true, AT(sink_stdout), .def = "false",
	  .doc = "Write alerts to standard output." },
	{ "sink.journal", PK_CONF_BOOL, true, AT(sink_journal), .def = "false",
	  .doc = "Write alerts to the journal, with the fields PICKET_UID and PICKET_RECORD." },
	{ "sink.syslog", PK_CONF_NAME, true, AT(sink_syslog), RANGE(0, 255), "",
	  .doc = "Syslog server (RFC 5424, octet counting): tls://HOST:6514 or tcp://HOST:PORT.",
	  .choices = syslog_schemes },
	{ "sink.webhook", PK_CONF_NAME, true, AT(sink_webhook), RANGE(0, 1023), "",
	  .doc = "URL that alerts are posted to, as JSON arrays; any 2xx acknowledges them.",
	  .choices = webhook_schemes },
	{ "sink.webhook_header", PK_CONF_NAME, true, AT(sink_webhook_header), RANGE(0, 1023), "",
	  .doc = "A header for it (\"Authorization: Bearer ...\"); keep it in a file of conf.d "
		 "with "
		 "mode 0600." },
	{ "sink.webhook_gzip", PK_CONF_BOOL, true, AT(sink_webhook_gzip), .def = "false",
	  .doc = "Compress what is posted." },
	{ "sink.nats", PK_CONF_BOOL, true, AT(sink_nats), .def = "false",
	  .doc = "Publish alerts to the stream nats.stream of NATS JetStream, as "
		 "picket.TENANT.HOST.alerts; section nats says where." },
	{ "sink.ca", PK_CONF_PATH, true, AT(sink_ca), RANGE(0, 200), "",
	  .doc = "Certificates (PEM) that servers of syslog and webhook are checked against, "
		 "readable for the unprivileged process; \"\": the system's." },
	{ "sink.spool", PK_CONF_SIZE, true, AT(sink_spool_bytes), RANGE(8 * MiB, 64 * 1024 * MiB),
	  "64M",
	  .doc = "Alerts wait in a queue on disk (spool/ in dirs.state) until each of these has "
		 "them; beyond this size the oldest are dropped and counted." },
	{ "history.flows", PK_CONF_COUNT, true, AT(keep_flows), RANGE(0, 1000000), "10000", "flows",
	  .doc = "Ended flows that can still be asked for; the oldest goes first." },
	{ "history.events", PK_CONF_COUNT, true, AT(keep_events), RANGE(0, 1000000), "10000",
	  "events", .doc = "Events that can still be asked for." },
	{ "history.dns", PK_CONF_COUNT, true, AT(keep_dns), RANGE(0, 1000000), "5000",
	  "transactions", .doc = "DNS transactions that can still be asked for; 2 KiB each." },
	{ "history.tls", PK_CONF_COUNT, true, AT(keep_tls), RANGE(0, 1000000), "2000", "hellos",
	  .doc = "TLS and QUIC hellos that can still be asked for; 4 KiB each." },
	{ "history.processes", PK_CONF_COUNT, true, AT(keep_processes), RANGE(256, 1000000),
	  "16384", "processes", .doc = "Processes known at once, running and ended." },
	{ "rings.process", PK_CONF_SIZE, true, AT(ring_proc_bytes), RANGE(64 * KiB, 1024 * MiB),
	  "8M", .doc = "Ring buffer for process events; 1 MiB takes 293 program starts." },
	{ "rings.socket", PK_CONF_SIZE, true, AT(ring_sock_bytes), RANGE(64 * KiB, 1024 * MiB),
	  "4M", .doc = "Ring buffer for socket events; 1 MiB takes 4,854 of them." },
	{ "rings.flow", PK_CONF_SIZE, true, AT(ring_flow_bytes), RANGE(64 * KiB, 1024 * MiB), "8M",
	  .doc = "Ring buffer for flow reports; 1 MiB takes 2,473 of them." },
	{ "rings.sample", PK_CONF_SIZE, true, AT(ring_sample_bytes), RANGE(64 * KiB, 1024 * MiB),
	  "16M",
	  .doc = "Ring buffer for samples; 1 MiB takes 1,351 ClientHellos of 517 bytes or 3,971 "
		 "packets' headers." },
	{ "rings.record", PK_CONF_SIZE, true, AT(ring_record_bytes), RANGE(128 * KiB, 1024 * MiB),
	  "16M",
	  .doc = "Ring buffer for whole packets, written only while somebody records; 1 MiB takes "
		 "582 packets of 1,514 bytes." },
	{ "sample.off", PK_CONF_LIST, false, AT(sample_off), RANGE(0, 16), "",
	  .doc = "What flows carry is not looked at for these applications: their payload stays "
		 "in "
		 "the kernel.",
	  .choices = pk_conf_apps },
	{ "sample.rate", PK_CONF_COUNT, false, AT(sample_rate), RANGE(0, 10000000), "50000",
	  "packets a second",
	  .doc = "Packets whose first bytes are looked at, of each application on each CPU; the "
		 "rest "
		 "is counted. 0: of new flows nothing is looked at." },
	{ "sample.keep", PK_CONF_COUNT, false, AT(sample_keep), RANGE(0, 255), "8", "packets",
	  .doc = "The headers of this many packets at the beginning of each direction of a flow "
		 "are kept in memory for a while." },
	{ "sample.keep_rate", PK_CONF_COUNT, false, AT(sample_keep_rate), RANGE(0, 10000000),
	  "5000", "packets a second", .doc = "At most so many of those on each CPU." },
	{ "capture.memory", PK_CONF_SIZE, true, AT(capture_memory), RANGE(64 * KiB, 256 * MiB),
	  "16M",
	  .doc = "Memory for the last packets that were sampled or kept, from which those before "
		 "an "
		 "event can be taken; 1 MiB takes about 4,600 heads of packets. Taken as it is "
		 "used." },
	{ "self.bpf_stats", PK_CONF_BOOL, true, AT(bpf_stats), .def = "true",
	  .doc = "Sample the run time of the kernel programs for `picket status`, one second in "
		 "thirty." },
	{ "self.watchdog", PK_CONF_BOOL, true, AT(watchdog), .def = "true",
	  .doc = "Answer systemd's watchdog where the unit sets one." },
};
const size_t pk_conf_schema_len = PK_ARRAY_SIZE(pk_conf_schema);
