/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program listens on a TCP port on which it never listened. What is seen within
 * detect.learning_time, and what listened before the agent came, is usual. Ports of the ephemeral
 * range are one: such programs pick another each time. What only this host reaches does not count.
 * What it learned is kept (kept.h).
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/kept.h"
#include "detect/memo.h"
#include "detect/registry.h"
#include "detect/talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define EPHEMERAL 32768 /* net.ipv4.ip_local_port_range */

struct state {
	struct pk_memo *keep; /* of program and port; no values */
	int64_t begin_ns;     /* of learning */
};

static size_t bytes_max(const struct pk_conf *c)
{
	return sizeof(struct state) + pk_memo_bytes_max(c->detect_remember, 0, true);
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *s = state;

	sum->bytes += sizeof(*s);
	pk_memo_memory(s->keep, sum);
}

static void done(void *state)
{
	struct state *s = state;

	pk_memo_free(s->keep);
	free(s);
}

static int init(const struct pk_world *w, void **ret_state)
{
	_cleanup_free_ struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->keep = pk_memo_new(w->conf->detect_remember, 0, true);
	if (!s->keep)
		return -ENOMEM;
	*ret_state = PK_TAKE(s);
	return 0;
}

static void tell(struct pk_detect *d, const struct pk_see *see, const struct pk_caller *g)
{
	const struct pk_sock *sock = see->ev->sock;
	struct pk_finding f = { .ts_ns = see->now_ns, .netns = sock->netns };
	uint16_t port = ntohs(sock->lport);
	char addr[PK_IP_TEXT];

	pk_ip_format(sock->laddr, addr);
	pk_finding_proc(&f, g->id);
	pk_finding_plain(&f,
			 "%s now waits for calls at a new entrance of this computer (number %u).",
			 g->name, port);
	pk_finding_detail(&f,
			  "%s (pid %u) listens on %s port %u, which it was never seen to do "
			  "before.",
			  g->name, g->id->tgid, addr, port);
	pk_finding_field(&f, "program", "%s", g->name);
	pk_finding_field(&f, "address", "%s", addr);
	pk_finding_field(&f, "port", "%u", port);
	pk_finding_field(&f, "learning_s", "%ju",
			 (uintmax_t)(pk_detect_world(d)->conf->detect_learning_ns / 1000000000));
	pk_finding_fold(&f, &g->hash, sizeof(g->hash));
	pk_finding_fold(&f, &port, sizeof(port));
	pk_detect_found(d, &pk_detect_new_listener, &f);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	const struct pk_sock *sock = see->ev->sock;
	struct pk_memo_key key = { 0 };
	struct state *s = state;
	struct pk_caller g;
	uint16_t port;
	bool is_new;

	if (!s->begin_ns)
		s->begin_ns = (int64_t)see->now_ns;
	if (sock->op != PK_SOCK_LISTEN || sock->l4 != IPPROTO_TCP ||
	    pk_addr_is_loopback(sock->laddr))
		return;
	pk_caller_of(see->proc, &sock->owner, &g);
	if (!g.hash)
		return;
	port = ntohs(sock->lport);
	key.scope = g.hash;
	key.port = port < EPHEMERAL ? port : EPHEMERAL;
	(void)pk_memo_take(s->keep, &key, &is_new); /* NULL: no room, so it is told each time */
	if (!is_new)
		return;
	if (!(sock->hdr.flags & PK_EVF_SNAPSHOT) &&
	    (int64_t)see->now_ns >=
		    s->begin_ns + (int64_t)pk_detect_world(d)->conf->detect_learning_ns)
		tell(d, see, &g);
}

static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	struct state *s = state;

	pk_memo_age(s->keep, now_ns, pk_detect_world(d)->conf->detect_learning_ns);
}

static struct pk_memo *kept_memo(void *state, unsigned part)
{
	return part == 0 ? ((struct state *)state)->keep : NULL;
}

static int64_t *kept_begin(void *state)
{
	return &((struct state *)state)->begin_ns;
}

static const struct pk_kept kept = {
	.version = 1,
	.lasts = PK_KEPT_ALWAYS,
	.memo = kept_memo,
	.begin = kept_begin,
};

const struct pk_detector pk_detect_new_listener = {
	.name = "new_listener",
	.title = "New listening port",
	.technique = { "T1571" },
	.severity = PK_LOW,
	.confidence = 50,
	.doubt =
		"A service that was just installed or configured anew, and programs of developers, "
		"listen on new ports.",
	.next = "Ask who started the program; look at who connects to the port.",
	.wants = 1u << PK_SEE_SOCK,
	.bytes_max = bytes_max,
	.init = init,
	.done = done,
	.see = see,
	.tick = tick,
	.memory = memory,
	.kept = &kept,
};
