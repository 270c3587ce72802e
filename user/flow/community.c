/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Community ID v1 (seed 0): "1:" and base64 of SHA-1 over seed, addresses, protocol, ports, the
 * lower end first. ICMP takes type and code for ports, those of the flow's first packet: requests
 * and answers share an id, what is never answered is hashed from sender to receiver.
 */
#include "flow/community.h"

#include "base/cleanup.h"
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

struct two_way {
	uint8_t proto, type, answer;
};

/* ICMP types that are asked and answered; the others go one way only. */
static const struct two_way two_way[] = {
	{ IPPROTO_ICMP, 8, 0 },       { IPPROTO_ICMP, 10, 9 },      { IPPROTO_ICMP, 13, 14 },
	{ IPPROTO_ICMP, 15, 16 },     { IPPROTO_ICMP, 17, 18 },     { IPPROTO_ICMPV6, 128, 129 },
	{ IPPROTO_ICMPV6, 133, 134 }, { IPPROTO_ICMPV6, 135, 136 }, { IPPROTO_ICMPV6, 130, 131 },
	{ IPPROTO_ICMPV6, 139, 140 }, { IPPROTO_ICMPV6, 144, 145 },
};

/* How a flow is hashed. */
struct tuple {
	uint16_t port[2]; /* of end 0 and 1 */
	bool has_ports;
	bool one_way; /* the sender goes first, whatever its address */
	unsigned from;
};

/* The first packet decides: type and code of the one who began, or else of the other. */
static bool icmp_tuple(const struct pk_flow *f, struct tuple *t)
{
	const struct pk_flow_dir *d = &f->dir[t->from];
	unsigned type, code;

	if (!(d->tcp_next & PK_ICMP_KNOWN)) {
		t->from = !t->from;
		d = &f->dir[t->from];
	}
	if (!(d->tcp_next & PK_ICMP_KNOWN))
		return false;
	type = d->tcp_next >> 8 & 0xff;
	code = d->tcp_next & 0xff;
	t->port[t->from] = htons(type);
	for (size_t i = 0; i < PK_ARRAY_SIZE(two_way); i++) {
		if (two_way[i].proto != f->key.proto)
			continue;
		if (two_way[i].type == type)
			t->port[!t->from] = htons(two_way[i].answer);
		else if (two_way[i].answer == type)
			t->port[!t->from] = htons(two_way[i].type);
		else
			continue;
		return true;
	}
	t->port[!t->from] = htons(code);
	t->one_way = true;
	return true;
}

/* False: this flow has no id. */
static bool make_tuple(const struct pk_flow *f, struct tuple *t)
{
	*t = (struct tuple){ .from = f->meta.initiator & 1, .has_ports = true };
	switch (f->key.proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		t->port[0] = f->key.port[0];
		t->port[1] = f->key.port[1];
		return true;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return icmp_tuple(f, t);
	default:
		t->has_ports = false;
		return f->key.proto < 256;
	}
}

/* Which end is hashed first: the lower (address, port). */
static unsigned first_end(const struct pk_flow *f, const struct tuple *t)
{
	int order = memcmp(f->key.addr[0], f->key.addr[1], 16);

	if (t->one_way)
		return t->from;
	return order > 0 || (order == 0 && memcmp(&t->port[0], &t->port[1], 2) > 0);
}

void pk_community_id(const struct pk_flow *f, char ret_text[PK_COMMUNITY_LEN])
{
	uint8_t in[2 + 32 + 2 + 4] = { 0 }, digest[SHA_DIGEST_LENGTH];
	bool v4 = pk_ip_is_v4(f->key.addr[0]) && pk_ip_is_v4(f->key.addr[1]);
	size_t skip = v4 ? 12 : 0, n = 2;
	struct tuple t;
	unsigned a;

	ret_text[0] = '\0';
	if (!make_tuple(f, &t))
		return;
	a = first_end(f, &t);
	n += put(in + n, f->key.addr[a] + skip, 16 - skip);
	n += put(in + n, f->key.addr[!a] + skip, 16 - skip);
	in[n++] = f->key.proto;
	in[n++] = 0;
	if (t.has_ports) {
		n += put(in + n, &t.port[a], 2);
		n += put(in + n, &t.port[!a], 2);
	}
	SHA1(in, n, digest);
	memcpy(ret_text, "1:", 2);
	EVP_EncodeBlock((uint8_t *)ret_text + 2, digest, sizeof(digest));
}
