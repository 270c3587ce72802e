/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A password that crossed the network in clear text (FTP, POP3, IMAP, SMTP, HTTP Basic), and Telnet
 * sessions, which have nothing else. The password itself was never kept. It remembers which flows
 * were told.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "decode/app.h"
#include "detect/detect.h"
#include "detect/once.h"
#include "detect/owner.h"
#include "detect/registry.h"
#include "flow/table.h"
#include "name/fact.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define PORT_TELNET 23

/* Its content is not sampled: a session in which both ends sent something. */
static bool is_telnet(const struct pk_flow *f, unsigned server)
{
	return f->key.proto == IPPROTO_TCP && ntohs(f->key.port[server]) == PORT_TELNET &&
	       !(f->meta.state & PK_FLOW_HALF_OPEN) && f->dir[0].looked_at && f->dir[1].looked_at &&
	       f->meta.app[0] == PK_APP_NONE && f->meta.app[1] == PK_APP_NONE;
}

static void tell(struct pk_detect *d, const struct pk_see *s, unsigned server, const char *app)
{
	const struct pk_flow *flow = &s->flow->flow;
	struct pk_finding f = { .ts_ns = s->now_ns, .first_ns = flow->meta.start_ns };
	const char *user = s->fact ? s->fact->user : NULL;
	char ip[PK_IP_TEXT];

	pk_finding_flow(&f, &flow->key, flow->meta.id, flow->meta.initiator, server);
	pk_finding_owners(&f, pk_detect_world(d), &flow->key, flow->meta.id, !server);
	pk_finding_plain(&f, "A login was sent unprotected, so anybody on the way could read it.");
	pk_finding_detail(&f, "%s to %s port %u carried a login without encryption.", app,
			  pk_ip_format(flow->key.addr[server], ip), ntohs(flow->key.port[server]));
	pk_finding_field(&f, "app", "%s", app);
	if (user)
		pk_finding_field(&f, "user", "%s", user);
	pk_finding_fold(&f, flow->key.addr[server], 16);
	pk_finding_fold(&f, &flow->key.port[server], sizeof(flow->key.port[server]));
	pk_detect_found(d, &pk_detect_clear_text, &f);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	unsigned server = !(s->flow->flow.meta.initiator & 1);
	bool clear = s->fact && (s->fact->flags & PK_FACT_CLEAR);
	const char *app = clear ? pk_app_name(s->fact->app) : "telnet";

	if (!clear && !is_telnet(&s->flow->flow, server))
		return;
	if (pk_once_is_first(state, s->flow->flow.meta.id))
		tell(d, s, clear ? !(s->fact->client & 1) : server, app ? app : "a protocol");
}

const struct pk_detector pk_detect_clear_text = {
	.name = "clear_text",
	.title = "Login in clear text",
	.technique = { "T1040" }, /* what it makes possible */
	.severity = PK_LOW,
	.confidence = 90,
	.doubt = "Anonymous FTP and lab networks do this on purpose.",
	.next = "Change that password, and have the service use TLS or SSH.",
	.wants = 1u << PK_SEE_FLOW,
	.init = pk_once_init,
	.done = pk_once_done,
	.see = see,
	.memory = pk_once_memory,
	.bytes_max = pk_once_bytes_max,
};
