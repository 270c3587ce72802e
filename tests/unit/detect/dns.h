/* SPDX-License-Identifier: Apache-2.0 */
/* DNS news for detectors that look at them. */
#pragma once

#include "see.h"

#include "decode/dns.h"
#include "name/news.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static struct pk_dns dns_message;

/* Client 10.0.0.n asks 192.0.2.53; rcode < 0: not answered (yet). */
static inline void see_dns(uint64_t now_ns, uint32_t client, const char *name, uint16_t type,
			   int rcode, bool believed)
{
	struct pk_flow_key key = { .netns = 1, .proto = IPPROTO_UDP, .port = { 0, htons(53) } };
	struct pk_news_dns dns = { .name = name, .qtype = type, .qclass = 1, .asked = 1 };
	struct pk_news news = { .kind = rcode < 0 ? PK_NEWS_QUESTION : PK_NEWS_DNS,
				.key = &key,
				.ts_ns = now_ns,
				.dns = &dns };
	struct pk_see s = { .kind = PK_SEE_NEWS, .now_ns = now_ns, .news = &news };

	client = htonl(client);
	memcpy(key.addr[0] + 12, &client, 4);
	key.addr[1][15] = 53;
	if (rcode >= 0) {
		dns_message.rcode = (uint16_t)rcode;
		dns.answer = &dns_message;
		dns.believed = believed;
	}
	pk_detect_see(seen.detect, &s);
}

/* n letters and digits as a program draws them. */
static inline char *drawn(unsigned *seed, unsigned n, char *out)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

	for (unsigned i = 0; i < n; i++) {
		*seed = *seed * 1103515245 + 12345;
		out[i] = letters[*seed >> 16 & 31];
	}
	out[n] = '\0';
	return out;
}

static inline void assert_bounded(const char *name)
{
	struct pk_detector_use u;

	for (size_t i = 0; i < pk_detectors_n; i++)
		if (!strcmp(pk_detectors[i]->name, name)) {
			pk_detect_use(seen.detect, i, &u);
			assert_true(u.on);
			assert_true(u.bytes > 0 && u.bytes <= u.bytes_max);
		}
}

/*
 * Twelve minutes in which 1,000 clients a second, each new, ask for a name that comes once, below
 * a registered domain that does, too. hidden is called each second between them. Then: is a
 * finding about that domain there, and has memory stayed within its bound all the time?
 */
static inline void assert_not_washed_out(const char *only, int rcode,
					 void (*hidden)(uint64_t now_ns, unsigned second),
					 const char *domain)
{
	char part[64], name[160];
	unsigned random = 7;
	bool found = false;

	see_begin(only);
	for (uint32_t i = 0; i < 720 * 1000; i++) {
		uint64_t now_ns = 1000000000ull + i * 1000000ull;

		drawn(&random, 30, part);
		drawn(&random, 11, part + 31);
		snprintf(name, sizeof(name), "%s.%s.com", part, part + 31);
		see_dns(now_ns, 1000 + i, name, PK_DNS_A, rcode, true);
		if (i % 1000)
			continue;
		hidden(now_ns, i / 1000);
		pk_detect_tick(seen.detect, now_ns);
		assert_bounded(only);
	}
	for (size_t i = 0; i < seen.n && i < FOUND_MAX; i++)
		found |= strstr(seen.finding[i].name, domain) != NULL;
	assert_true(found);
	assert_in_range(seen.n, 1, 20);
	see_end();
}
