/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any samples of any flows in any order: nothing is read beyond what came, and all texts end with
 * their facts. Input: records of a head of 8 bytes (application; flow and direction; sequence
 * number; length; what else happens) and payload.
 *
 * fuzz-links: user/name/address.c user/name/fact.c user/name/geo.c user/name/handshake.c
 * fuzz-links: user/name/intern.c user/name/name.c user/name/question.c user/name/reassembly.c
 * fuzz-links: user/name/take_dns.c user/name/take_http.c
 * fuzz-links: user/name/take_line.c user/name/take_link.c
 * fuzz-links: user/name/take_tls.c user/decode/app.c user/decode/arp.c user/decode/dhcp.c
 * fuzz-links: user/decode/dns.c user/decode/dns_rdata.c user/decode/dns_text.c
 * fuzz-links: user/decode/gap.c user/decode/http.c user/decode/icmp.c user/decode/ja4.c
 * fuzz-links: user/decode/quic.c user/decode/quic_header.c user/decode/quic_keys.c
 * fuzz-links: user/decode/quic_stream.c user/decode/record.c user/decode/ssh.c
 * fuzz-links: user/decode/text.c user/decode/text_json.c user/decode/tls.c
 * fuzz-links: user/decode/tls_name.c user/decode/tls_record.c user/base/buf.c
 * fuzz-links: user/base/escape.c user/base/ip.c
 */
#include "name/name.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_news(void *arg, const struct pk_news *n)
{
	size_t *sum = arg;

	*sum += n->sni ? strlen(n->sni) : 0;
	*sum += n->dns ? strlen(n->dns->name) : 0;
}

static void feed(struct pk_names *n, const uint8_t head[8], const uint8_t *data, size_t len,
		 uint64_t ts)
{
	static const uint16_t ports[] = { 53, 443, 80, 22, 5353, 5355, 25, 67 };
	size_t size = (sizeof(struct pk_sample) + 40 + len + 7) & ~7ul;
	struct pk_sample *s = calloc(1, size);
	unsigned server = ports[head[7] & 7];

	s->hdr = (struct pk_hdr){ .ts = ts, .size = (uint32_t)size, .type = PK_EV_SAMPLE };
	s->key.proto = head[7] & 8 ? IPPROTO_TCP : head[7] & 16 ? IPPROTO_ICMP : IPPROTO_UDP;
	s->key.addr[1][15] = 2;
	s->key.port[0] = htons((uint16_t)(1000 + (head[1] >> 1)));
	s->key.port[1] = htons((uint16_t)server);
	s->flow = head[1] >> 1;
	s->dir = head[1] & 1;
	s->app = head[0] % PK_APP_MAX;
	s->why = PK_SAMPLE_PAYLOAD;
	s->seq = (uint32_t)head[2] << 24 | (uint32_t)head[3] << 8 | head[4];
	s->number = 1 + (head[7] >> 5);
	s->l3_off = 14;
	s->payload_off = 40;
	s->payload_len = (uint32_t)len + (head[6] & 1) * 100;
	s->data_len = 40 + (uint32_t)len;
	memcpy((uint8_t *)(s + 1) + 40, data, len);
	(void)pk_names_feed(n, s);
	free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pk_names *n; /* made once: it fetches what the TLS library knows */
	static uint64_t ts = 1;    /* never goes back */
	static size_t sum;
	struct pk_names_opts o = { .facts_max = 16,
				   .addresses_max = 16,
				   .text_bytes = 4096,
				   .news = on_news,
				   .arg = &sum };
	struct pk_names_count c;

	if (!n && pk_names_new(&o, &n) < 0)
		return 0;
	while (size >= 8) {
		size_t len = (size_t)data[5] * ((data[6] >> 1) + 1u);

		len = len < size - 8 ? len : size - 8;
		ts += 100000000;
		feed(n, data, data + 8, len, ts);
		if (data[6] & 0x40)
			pk_names_tick(n, ts);
		if (data[6] & 0x80)
			pk_names_forget(n, data[1] >> 1);
		size -= 8 + len;
		data += 8 + len;
	}
	ts += 100000 * PK_QUESTION_WAIT_NS; /* beyond every TTL */
	pk_names_tick(n, ts);
	for (uint64_t flow = 0; flow < 128; flow++)
		pk_names_forget(n, flow);
	pk_names_counts(n, &c);
	if (c.texts.texts || c.facts.used || c.streams.used || c.questions.used ||
	    c.handshakes.used || c.addresses.used)
		abort();
	return 0;
}
