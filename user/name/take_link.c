/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a network running: DHCP, ARP, ICMP echo. Each becomes a few fields of the flow. */
#include "decode/app.h"
#include "decode/arp.h"
#include "decode/dhcp.h"
#include "decode/icmp.h"
#include "name/take.h"

#include <errno.h>
#include <netinet/in.h>

#define ICMP_HEAD         8
#define PORT_DHCP6_CLIENT 546
#define PORT_DHCP6_SERVER 547

int pk_take_dhcp(struct pk_names *n, const struct pk_take *t)
{
	bool v6 = t->port[0] == PORT_DHCP6_CLIENT || t->port[0] == PORT_DHCP6_SERVER ||
		  t->port[1] == PORT_DHCP6_CLIENT || t->port[1] == PORT_DHCP6_SERVER;
	struct pk_dhcp d;
	int r = pk_dhcp_decode(&d, v6 ? 6 : 4, t->data, t->len);

	if (r < 0 || !t->fact)
		return r;
	t->fact->app = PK_PROTO_DHCP;
	if (d.reply)
		return 0;
	pk_names_set_name(n, &t->fact->dhcp_hostname, d.hostname);
	pk_names_set(n, &t->fact->dhcp_vendor, d.vendor);
	return 0;
}

int pk_take_arp(struct pk_names *n, const struct pk_take *t)
{
	struct pk_arp a;
	int r = pk_arp_decode(&a, t->data, t->len);

	(void)n; /* nothing to intern */
	if (r == 0 && t->fact)
		t->fact->app = PK_PROTO_ARP;
	return r;
}

int pk_take_icmp(struct pk_names *n, const struct pk_take *t)
{
	const struct pk_sample *s = t->s;
	struct pk_fact *f = t->fact;
	struct pk_icmp i;
	int r = pk_icmp_decode(&i, s->key.proto == IPPROTO_ICMPV6 ? 6 : 4, t->data, t->len,
			       s->payload_len + ICMP_HEAD > t->len ? s->payload_len + ICMP_HEAD
								   : t->len);

	(void)n; /* nothing to intern */
	if (r < 0 || !f)
		return r;
	if (!i.echo)
		return 0; /* a router's advertisement */
	f->app = PK_PROTO_ICMP;
	f->flags |= PK_FACT_ECHO;
	f->echoes++;
	f->echo_fill = i.fill;
	if (i.size > f->echo_bytes_max)
		f->echo_bytes_max = i.size;
	if (i.entropy > f->echo_entropy_max)
		f->echo_entropy_max = i.entropy;
	return 0;
}
