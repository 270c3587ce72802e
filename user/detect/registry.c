/* SPDX-License-Identifier: Apache-2.0 */
/* The table of detectors, sorted by name. */
#include "detect/registry.h"

#include "base/cleanup.h"
#include "detect/detect.h"

const struct pk_detector *const pk_detectors[] = {
	&pk_detect_arp_spoof,
	&pk_detect_arp_sweep,
	&pk_detect_beacon,
	&pk_detect_clear_text,
	&pk_detect_dga,
	&pk_detect_dns_beacon,
	&pk_detect_dns_tunnel,
	&pk_detect_exfiltration,
	&pk_detect_fetch_run,
	&pk_detect_fileless,
	&pk_detect_foreign_bpf,
	&pk_detect_host_sweep,
	&pk_detect_icmp_tunnel,
	&pk_detect_intel,
	&pk_detect_io_uring_socket,
	&pk_detect_kernel_module,
	&pk_detect_lateral,
	&pk_detect_long_connection,
	&pk_detect_metadata_access,
	&pk_detect_miner,
	&pk_detect_new_destination,
	&pk_detect_new_listener,
	&pk_detect_password_guess,
	&pk_detect_port_scan,
	&pk_detect_privilege,
	&pk_detect_ptrace_inject,
	&pk_detect_reverse_shell,
	&pk_detect_rogue_dhcp,
	&pk_detect_rogue_ra,
	&pk_detect_rules,
	&pk_detect_sniffing,
	&pk_detect_stale_list,
	&pk_detect_syn_flood,
	&pk_detect_tamper,
	&pk_detect_udp_flood,
	&pk_detect_web_attack,
	&pk_detect_web_scan,
	&pk_detect_web_shell,
	&pk_detect_world_writable,
	&pk_detect_wrong_port,
};
const size_t pk_detectors_n = PK_ARRAY_SIZE(pk_detectors);
