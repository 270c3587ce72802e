/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: one struct that nobody changes after it was loaded. What each key means, its
 * unit, range and default is in user/conf/schema.c and, from there, in user/share/picket.yaml.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_buf;

#define PK_CONF_FILE "/etc/picket/picket.yaml"
#define PK_RUN_DIR   "/run/picket"

enum pk_conf_xdp { PK_XDP_AUTO, PK_XDP_NATIVE, PK_XDP_GENERIC, PK_XDP_OFF };

enum pk_conf_expired { PK_SIGN_KEEP, PK_SIGN_DROP };

enum pk_conf_rcode { PK_RCODE_REFUSED, PK_RCODE_NXDOMAIN, PK_RCODE_DROP };

struct pk_conf_list {
	char **v;
	size_t n;
};

struct pk_conf {
	char *socket_path, *socket_group; /* group "": the one of the process */
	uint64_t upload_max;              /* bytes of a request's body */
	char *gate_listen, *gate_cert, *gate_key, *gate_ca, *gate_crl;
	struct pk_conf_list gate_readers, gate_analysts, gate_operators, gate_admins;
	uint64_t gate_connections, gate_rate, gate_body_max, gate_timeout_ns;
	bool sign_require;              /* of lists that come over the network */
	char *sign_keys;                /* directory of public keys */
	struct pk_conf_list sign_lists; /* conf/threshold.h */
	uint64_t sign_expired;          /* enum pk_conf_expired */
	struct pk_conf_list pull_lists; /* conf/pull.h */
	char *nats_bucket;              /* of lists */
	uint64_t pull_interval_ns, pull_timeout_ns, pull_bytes_max, pull_stale_ns;
	char *pull_ca, *pull_cert, *pull_key, *pull_header;
	char *run_dir, *lock_file;
	char *pins_dir;                               /* in bpffs */
	char *state_dir;                              /* keeps block lists, the store */
	bool store;                                   /* keep alerts and acts on disk */
	bool store_flows;                             /* and ended flows */
	uint64_t store_days, store_bytes;             /* kept at most; 0: no bound */
	char *sink_file, *sink_syslog, *sink_webhook; /* "": none */
	char *sink_webhook_header, *sink_ca;
	bool sink_stdout, sink_journal, sink_webhook_gzip, sink_nats;
	struct pk_conf_list nats_servers;     /* URLs */
	char *nats_ca, *nats_cert, *nats_key; /* files; "": the system's, none, none */
	char *nats_tenant, *nats_host;        /* of subjects; host "": this one's name */
	char *nats_stream;
	char *hub_db;                             /* file, or connection string */
	uint64_t hub_days, hub_bytes, hub_hosts;  /* kept at most */
	uint64_t hub_values, hub_alerts;          /* of one host */
	uint64_t hub_source_hosts, hub_source_ns; /* one source at so many hosts within */
	uint64_t hub_new_hosts, hub_new_ns;       /* the same, of what is new */
	uint64_t hub_learning_ns, hub_lateral_ns;
	uint64_t sink_severity; /* at least, severity_id of OCSF */
	uint64_t sink_file_bytes, sink_file_age_ns, sink_file_keep;
	uint64_t sink_spool_bytes;
	char *store_checkpoints;                           /* file; "": beside the database */
	uint64_t block_entries_max;                        /* in all lists */
	uint64_t block_auto_max, block_auto_rate;          /* automatic blocks: at once, a minute */
	uint64_t block_auto_ttl_ns;                        /* longest of them */
	bool block_auto_spoofable;                         /* also for sources that may be forged */
	uint64_t block_answers_max;                        /* addresses of listed names, at once */
	uint64_t block_answer_min_ns, block_answer_max_ns; /* bounds of their TTL */
	bool block_shared_open;                     /* not those that other names have, too */
	uint64_t block_rcode;                       /* enum pk_conf_rcode */
	uint64_t block_memory;                      /* bytes of the lists' shared maps, at most */
	struct pk_conf_list management;             /* networks that are never blocked */
	uint64_t log_level;                         /* enum pk_log_level */
	uint64_t log_target;                        /* enum pk_log_target */
	struct pk_conf_list if_include, if_exclude; /* globs, see pk_conf_covers() */
	uint64_t xdp;                               /* enum pk_conf_xdp */
	struct pk_conf_list netns; /* names under /run/netns; one of them "all": every one */
	bool containers;           /* cover the net namespaces of containers */
	char *cgroup;              /* mount point of cgroup v2, "": look for it */
	uint64_t flow_slots;       /* a power of two */
	uint64_t active_ns, idle_ns, half_open_ns, emergency_ns, linger_ns;
	uint64_t half_open_percent; /* of flow_slots */
	uint64_t sweep_ns;
	uint64_t keep_flows, keep_events, keep_processes;           /* entries */
	uint64_t keep_dns, keep_tls;                                /* the same */
	char *geo_database;                                         /* file; "": none */
	uint64_t ring_proc_bytes, ring_sock_bytes, ring_flow_bytes; /* powers of two */
	uint64_t ring_sample_bytes, ring_record_bytes;              /* powers of two */
	struct pk_conf_list sample_off; /* applications, see pk_conf_sample_off() */
	uint64_t sample_rate;           /* a second, per application and CPU */
	uint64_t sample_keep;           /* packets of each direction */
	uint64_t sample_keep_rate;      /* a second, per CPU */
	uint64_t capture_memory;        /* bytes of packets kept in memory */
	struct pk_conf_list detect_off; /* names of detectors */
	char *rules_dir;                /* of Sigma rules */
	uint64_t rules_groups;          /* of correlations */
	uint64_t alerts_max;            /* alerts kept in memory */
	uint64_t alerts_fold_ns;        /* the same again within this time is counted, not told */
	uint64_t arp_spoof_within_ns, arp_spoof_turns, arp_spoof_unasked, arp_spoof_addresses;
	uint64_t dga_window_ns, dga_names, dga_failed, dga_clients;
	uint64_t dns_beacon_questions, dns_beacon_score, dns_beacon_time_ns, dns_beacon_zones;
	uint64_t dns_tunnel_window_ns, dns_tunnel_names, dns_tunnel_bytes, dns_tunnel_zones;
	struct pk_conf_list dns_tunnel_allowed; /* registered domains */
	char *intel_dir;                        /* of threat intelligence */
	uint64_t intel_max;                     /* indicators */
	uint64_t file_hash_max;                 /* bytes of a program */
	uint64_t icmp_tunnel_differ, icmp_tunnel_odd, icmp_tunnel_pairs;
	uint64_t rogue_dhcp_within_ns, rogue_ra_within_ns;
	uint64_t detect_remember;    /* entries in each detector's table */
	uint64_t detect_learning_ns; /* what is seen before is usual */
	uint64_t learned_every_ns;   /* what they learned is written to disk */
	uint64_t port_scan_ports, port_scan_window_ns;
	uint64_t port_scan_slow_ports, port_scan_slow_window_ns, port_scan_sources;
	uint64_t host_sweep_hosts, host_sweep_window_ns;
	uint64_t host_sweep_slow_hosts, host_sweep_slow_window_ns;
	uint64_t arp_sweep_hosts, arp_sweep_window_ns;
	uint64_t lateral_hosts, lateral_window_ns;
	uint64_t password_guess_sessions, password_guess_window_ns;
	uint64_t web_attack_call_ns, web_scan_paths, web_scan_window_ns;
	uint64_t syn_flood_rate, udp_flood_rate; /* a second */
	uint64_t beacon_connections, beacon_score, beacon_time_ns;
	uint64_t long_connection_ns;
	uint64_t exfiltration_bytes, exfiltration_window_ns, exfiltration_factor;
	uint64_t incidents_max;                 /* incidents kept in memory */
	uint64_t incident_window_ns;            /* between two alerts of one incident */
	uint64_t mute_ttl_ns, mute_ttl_max_ns;  /* of suppressions: what is not said, at most */
	bool mute_sinks;                        /* suppressed alerts go to sinks, too */
	struct pk_conf_list incident_deadlines; /* items of conf/deadline.h */
	char *incident_team;                    /* that new ones are given to */
	struct pk_conf_list respond_enabled;    /* steps that playbooks take without a person */
	uint64_t respond_ttl_ns;                /* of blocks and isolation that say nothing else */
	uint64_t respond_rate;                  /* automatic runs an hour */
	char *respond_playbooks;                /* directory; "": none */
	bool bpf_stats;                         /* have the kernel count run time of programs */
	bool watchdog;                          /* answer systemd's watchdog */
	struct pk_conf_list foreign_bpf_allow, kernel_module_allow, metadata_access_allow;
	struct pk_conf_list privilege_allow, ptrace_inject_allow, reverse_shell_allow;
	struct pk_conf_list sniffing_allow, web_shell_allow; /* programs: names or paths */
	struct pk_conf_list world_writable_allow;            /* beginnings of paths */
	uint64_t fetch_run_window_ns, reverse_shell_window_ns;
	uint64_t io_uring_socket_programs; /* remembered */
};

/*
 * Reads file (NULL: PK_CONF_FILE, and then defaults if there is none) and after it, sorted by name,
 * every *.yaml in conf.d beside it; a later file wins key by key. On failure each complaint is one
 * line in errors: "FILE:LINE: key: reason, expected ...".
 */
int pk_conf_load(const char *file, struct pk_buf *errors, struct pk_conf **ret_conf);
struct pk_conf *pk_conf_new(void); /* all defaults; NULL: out of memory */
void pk_conf_free(struct pk_conf *c);
void pk_conf_freep(struct pk_conf **c);

/* Sets one key ("flow.slots") from text, as the command line does before anyone else sees c. */
int pk_conf_set(struct pk_conf *c, const char *name, const char *value, struct pk_buf *errors);

/* The whole file with comments: of the defaults, this is user/share/picket.yaml. */
void pk_conf_print(const struct pk_conf *c, struct pk_buf *out);

/* Names of keys that differ and only count at the next start, separated by blanks. */
void pk_conf_restart_keys(const struct pk_conf *a, const struct pk_conf *b, struct pk_buf *out);

/* sample.off as a set: bit n is PK_APP_n. */
uint32_t pk_conf_sample_off(const struct pk_conf *c);

/* Is the interface included and not excluded? */
bool pk_conf_covers(const struct pk_conf *c, const char *ifname);
