/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a payload between any ports: told the same from the same bytes, and by a name.
 * fuzz-links: user/decode/app.c user/decode/dns.c user/decode/dns_rdata.c user/decode/http.c
 * fuzz-links: user/decode/ssh.c user/decode/text.c user/decode/text_json.c user/decode/dhcp.c
 * fuzz-links: user/decode/icmp.c
 */
#include "decode/app.h"

#include <netinet/in.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t l4[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6, 132 };
	uint16_t sport, dport;
	enum pk_proto p;

	if (size < 5)
		return 0;
	sport = (uint16_t)(data[1] << 8 | data[2]);
	dport = (uint16_t)(data[3] << 8 | data[4]);
	p = pk_app_detect(l4[data[0] % 5], sport, dport, data + 5, size - 5);
	if (p != PK_PROTO_UNKNOWN && (!pk_app_name(p) || pk_app_parse(pk_app_name(p)) != p))
		abort();
	/* What a port is for is never odd there. */
	if (pk_app_is_odd(pk_app_port(l4[data[0] % 5], dport), l4[data[0] % 5], dport))
		abort();
	return 0;
}
