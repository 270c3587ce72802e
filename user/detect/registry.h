/* SPDX-License-Identifier: Apache-2.0 */
/* Every detector by name, one line each; what they do is said in their files. */
#pragma once

struct pk_detector;

extern const struct pk_detector pk_detect_arp_spoof;
extern const struct pk_detector pk_detect_arp_sweep;
extern const struct pk_detector pk_detect_beacon;
extern const struct pk_detector pk_detect_clear_text;
extern const struct pk_detector pk_detect_dga;
extern const struct pk_detector pk_detect_dns_beacon;
extern const struct pk_detector pk_detect_dns_tunnel;
extern const struct pk_detector pk_detect_exfiltration;
extern const struct pk_detector pk_detect_fetch_run;
extern const struct pk_detector pk_detect_fileless;
extern const struct pk_detector pk_detect_foreign_bpf;
extern const struct pk_detector pk_detect_host_sweep;
extern const struct pk_detector pk_detect_icmp_tunnel;
extern const struct pk_detector pk_detect_intel;
extern const struct pk_detector pk_detect_io_uring_socket;
extern const struct pk_detector pk_detect_kernel_module;
extern const struct pk_detector pk_detect_lateral;
extern const struct pk_detector pk_detect_long_connection;
extern const struct pk_detector pk_detect_metadata_access;
extern const struct pk_detector pk_detect_miner;
extern const struct pk_detector pk_detect_new_destination;
extern const struct pk_detector pk_detect_new_listener;
extern const struct pk_detector pk_detect_password_guess;
extern const struct pk_detector pk_detect_port_scan;
extern const struct pk_detector pk_detect_privilege;
extern const struct pk_detector pk_detect_ptrace_inject;
extern const struct pk_detector pk_detect_reverse_shell;
extern const struct pk_detector pk_detect_rogue_dhcp;
extern const struct pk_detector pk_detect_rogue_ra;
extern const struct pk_detector pk_detect_rules;
extern const struct pk_detector pk_detect_sniffing;
extern const struct pk_detector pk_detect_stale_list;
extern const struct pk_detector pk_detect_syn_flood;
extern const struct pk_detector pk_detect_tamper;
extern const struct pk_detector pk_detect_udp_flood;
extern const struct pk_detector pk_detect_web_attack;
extern const struct pk_detector pk_detect_web_scan;
extern const struct pk_detector pk_detect_web_shell;
extern const struct pk_detector pk_detect_world_writable;
extern const struct pk_detector pk_detect_wrong_port;
