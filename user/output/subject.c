/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs and unpacks: numbers and the flow as they are in memory, for nobody else reads them, then
 * the texts in one order, each ended by NUL, an empty one for NULL.
 */
#include "output/subject.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <string.h>

struct packed {
	struct pk_flow flow;
	uint64_t now_ns;
	double rate;
	uint32_t asn[2], pid[4], uid[4];
	uint8_t has_flow, ended, direction, procs;
};

#define TEXTS (2 + 4 * 6 + 4 + 4 + 2 + 2)

/* Where each text is, in the order in which they are packed. */
static void texts_of(struct pk_filter_subject *s, const char **to[TEXTS])
{
	size_t n = 0;

	to[n++] = &s->iface;
	to[n++] = &s->netns;
	for (size_t i = 0; i < PK_ARRAY_SIZE(s->proc); i++) {
		struct pk_filter_proc *p = &s->proc[i];

		to[n++] = &p->name;
		to[n++] = &p->exe;
		to[n++] = &p->cmd;
		to[n++] = &p->user;
		to[n++] = &p->container;
		to[n++] = &p->container_id;
	}
	for (size_t i = 0; i < PK_ARRAY_SIZE(s->name); i++)
		to[n++] = &s->name[i];
	to[n++] = &s->sni;
	to[n++] = &s->ja4;
	to[n++] = &s->alpn;
	to[n++] = &s->app;
	for (size_t d = 0; d < 2; d++)
		to[n++] = &s->as_name[d];
	for (size_t d = 0; d < 2; d++)
		to[n++] = &s->country[d];
}

void pk_subject_pack(struct pk_buf *out, const struct pk_filter_subject *s)
{
	struct pk_filter_subject copy = *s;
	struct packed p = { .now_ns = s->now_ns,
			    .rate = s->rate,
			    .asn = { s->asn[0], s->asn[1] },
			    .has_flow = s->flow != NULL,
			    .ended = s->ended,
			    .direction = (uint8_t)s->direction,
			    .procs = (uint8_t)s->procs };
	const char **text[TEXTS];

	if (s->flow)
		p.flow = *s->flow;
	for (size_t i = 0; i < s->procs && i < PK_ARRAY_SIZE(p.pid); i++) {
		p.pid[i] = s->proc[i].pid;
		p.uid[i] = s->proc[i].uid;
	}
	pk_buf_char(out, '\0');
	pk_buf_add(out, &p, sizeof(p));
	texts_of(&copy, text);
	for (size_t i = 0; i < TEXTS; i++)
		pk_buf_add(out, *text[i] ? *text[i] : "", (*text[i] ? strlen(*text[i]) : 0) + 1);
}

size_t pk_subject_unpack(const char *item, size_t len, struct pk_flow *ret_flow,
			 struct pk_filter_subject *s)
{
	const char *end = memchr(item, '\0', len), *at;
	const char **text[TEXTS];
	struct packed p;

	*s = (struct pk_filter_subject){ 0 };
	if (!end || (size_t)(item + len - end) < 1 + sizeof(p))
		return end ? (size_t)(end - item) : len;
	memcpy(&p, end + 1, sizeof(p));
	*ret_flow = p.flow;
	s->flow = p.has_flow ? ret_flow : NULL;
	s->now_ns = p.now_ns;
	s->rate = p.rate;
	s->ended = p.ended;
	s->direction = p.direction;
	s->procs = p.procs;
	for (size_t i = 0; i < s->procs && i < PK_ARRAY_SIZE(p.pid); i++) {
		s->proc[i].pid = p.pid[i];
		s->proc[i].uid = p.uid[i];
	}
	for (size_t d = 0; d < 2; d++)
		s->asn[d] = p.asn[d];
	texts_of(s, text);
	at = end + 1 + sizeof(p);
	for (size_t i = 0; i < TEXTS && at < item + len; i++) {
		*text[i] = *at ? at : NULL;
		at += strlen(at) + 1;
	}
	return (size_t)(end - item);
}
