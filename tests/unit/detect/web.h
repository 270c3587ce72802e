/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP news for detectors that look at them. */
#pragma once

#include "see.h"

#include "decode/http.h"
#include "name/fact.h"
#include "name/news.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

/* A message between 10.0.0.0 + client and 192.0.2.1 port 80 in this flow. */
static inline void see_web(uint64_t now_ns, uint64_t flow, uint32_t client, const char *message)
{
	struct pk_flow_key key = { .netns = 1, .proto = IPPROTO_TCP };
	struct pk_fact fact = { .flow = flow, .flags = PK_FACT_HTTP };
	struct pk_http head;
	struct pk_news_http http = { .bytes = (const uint8_t *)message, .len = strlen(message) };
	struct pk_news news = {
		.flow = flow, .key = &key, .ts_ns = now_ns, .fact = &fact, .http = &http
	};
	struct pk_see s = { .kind = PK_SEE_NEWS, .now_ns = now_ns, .news = &news, .fact = &fact };

	for (int d = 0; d < 2; d++)
		memset(key.addr[d] + 10, 0xff, 2);
	client = htonl(10u << 24 | (client & 0xffffff));
	memcpy(key.addr[0] + 12, &client, sizeof(client));
	memcpy(key.addr[1] + 12, (const uint8_t[]){ 192, 0, 2, 1 }, 4);
	key.port[0] = htons((uint16_t)(1024 + flow % 60000));
	key.port[1] = htons(80);
	if (pk_http_decode(&head, message, http.len) == 0)
		http.head = &head;
	news.kind = http.head && head.kind == PK_HTTP_RESPONSE ? PK_NEWS_RESPONSE : PK_NEWS_REQUEST;
	pk_detect_see(seen.detect, &s);
}

static inline void see_get(uint64_t now_ns, uint64_t flow, uint32_t client, const char *target)
{
	char text[1024];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: www.example\r\n\r\n", target);
	see_web(now_ns, flow, client, text);
}
