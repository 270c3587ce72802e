/* SPDX-License-Identifier: Apache-2.0 */
/* Every detector by name, one line each; what they do is said in their files. */
#pragma once

struct pk_detector;

extern const struct pk_detector pk_detect_arp_spoof;
extern const struct pk_detector pk_detect_clear_text;
extern const struct pk_detector pk_detect_dga;
extern const struct pk_detector pk_detect_dns_beacon;
extern const struct pk_detector pk_detect_dns_tunnel;
extern const struct pk_detector pk_detect_fileless;
extern const struct pk_detector pk_detect_icmp_tunnel;
extern const struct pk_detector pk_detect_miner;
extern const struct pk_detector pk_detect_rogue_dhcp;
extern const struct pk_detector pk_detect_rogue_ra;
extern const struct pk_detector pk_detect_wrong_port;
