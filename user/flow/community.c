/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Community ID v1 (seed 0): "1:" and base64 of SHA-1 over seed, addresses, protocol, ports, the
 * lower end first. The flow key is already in that order. ICMP takes type and code for ports; the
 * key has only echo's identifier, so ICMP other than echo has no id here rather than a wrong one.
 */
#include "flow/community.h"

#include "base/ip.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

static size_t put(uint8_t *at, const void *data, size_t n)
{
	memcpy(at, data, n);
	return n;
}

/* Ports of end 0 and 1 as hashed; false: this flow has no id. */
static bool id_ports(const struct pk_flow *f, uint16_t port[2], bool *ret_has)
{
	unsigned from = f->meta.initiator & 1;
	bool v6 = f->key.proto == IPPROTO_ICMPV6;

	*ret_has = true;
	switch (f->key.proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		port[0] = f->key.port[0];
		port[1] = f->key.port[1];
		return true;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		port[from] = htons(v6 ? 128 : 8); /* echo request, and its reply */
		port[!from] = htons(v6 ? 129 : 0);
		return f->key.port[0] != 0;
	default:
		*ret_has = false;
		return f->key.proto < 256;
	}
}

void pk_community_id(const struct pk_flow *f, char ret_text[PK_COMMUNITY_LEN])
{
	uint8_t in[2 + 32 + 2 + 4] = { 0 }, digest[SHA_DIGEST_LENGTH];
	bool v4 = pk_ip_is_v4(f->key.addr[0]) && pk_ip_is_v4(f->key.addr[1]), has;
	size_t skip = v4 ? 12 : 0, n = 2;
	uint16_t port[2] = { 0, 0 };

	ret_text[0] = '\0';
	if (!id_ports(f, port, &has))
		return;
	int a = 0, order = memcmp(f->key.addr[0], f->key.addr[1], 16);
	if (order > 0 || (order == 0 && memcmp(&port[0], &port[1], 2) > 0))
		a = 1;
	n += put(in + n, f->key.addr[a] + skip, 16 - skip);
	n += put(in + n, f->key.addr[!a] + skip, 16 - skip);
	in[n++] = f->key.proto;
	in[n++] = 0;
	if (has) {
		n += put(in + n, &port[a], 2);
		n += put(in + n, &port[!a], 2);
	}
	SHA1(in, n, digest);
	memcpy(ret_text, "1:", 2);
	EVP_EncodeBlock((uint8_t *)ret_text + 2, digest, sizeof(digest));
}
