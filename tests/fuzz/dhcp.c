/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as DHCP of both versions, as ARP and as ICMP: slices stay in the input, counts in their
 * arrays. The first byte chooses.
 * fuzz-links: user/decode/dhcp.c user/decode/arp.c user/decode/icmp.c
 */
#include "decode/dhcp.h"

#include "decode/arp.h"
#include "decode/icmp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_slice(struct pk_slice s, const uint8_t *data, size_t size)
{
	const uint8_t *p = (const uint8_t *)s.s;

	require(!s.len || (p >= data && s.len <= size && p <= data + (size - s.len)));
}

static void check_dhcp(uint8_t version, const uint8_t *data, size_t size)
{
	struct pk_dhcp d;
	int r = pk_dhcp_decode(&d, version, data, size);

	(void)pk_dhcp_is(data, size);
	require(r == 0 || r == -EBADMSG || r == -ENODATA);
	if (r)
		return;
	require(d.version == version && pk_dhcp_why_name(d.why) && d.mac_len <= sizeof(d.mac));
	require(d.n_routers <= PK_DHCP_LIST_MAX && d.n_dns <= PK_DHCP_LIST_MAX);
	check_slice(d.hostname, data, size);
	check_slice(d.vendor, data, size);
	check_slice(d.params, data, size);
	check_slice(d.client_id, data, size);
	check_slice(d.domain, data, size);
}

static void check_icmp(uint8_t version, const uint8_t *data, size_t size)
{
	struct pk_icmp m;

	if (pk_icmp_decode(&m, version, data, size, size + data[0]))
		return;
	require(m.entropy <= 800 && pk_icmp_fill_name(m.fill) && m.looked <= m.size);
	require(m.echo || (!m.size && !m.id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_arp a;

	if (size < 2)
		return 0;
	switch (data[0] % 5) {
	case 0:
		check_dhcp(4, data + 1, size - 1);
		break;
	case 1:
		check_dhcp(6, data + 1, size - 1);
		break;
	case 2:
		require(pk_arp_decode(&a, data + 1, size - 1) || pk_arp_op_name(a.op));
		break;
	case 3:
		check_icmp(4, data + 1, size - 1);
		break;
	default:
		check_icmp(6, data + 1, size - 1);
	}
	return 0;
}
