/* SPDX-License-Identifier: Apache-2.0 */
/* Knows who is at the other end of a request: SO_PEERCRED, SO_PEERGROUPS, and the tool's word. */
#include "api/peer.h"

#include "api/exchange.h"
#include "api/link.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/ip.h"
#include "enrich/enrich.h"

#include <picket/api.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

#define GROUPS_MAX 256

static bool in_group(int fd, const struct ucred *peer, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (group == (gid_t)-1)
		return false;
	if (peer->gid == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(gid_t); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* The descriptor of the connection, -1: it is gone. */
static int peer_of(const struct pk_exchange *x, struct ucred *ret_peer)
{
	int fd = x ? pk_exchange_fd(x) : -1;
	socklen_t len = sizeof(*ret_peer);

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &len) == 0 ? fd : -1;
}

bool pk_api_peer_may_ask(const struct pk_api_request *q, gid_t group)
{
	struct ucred peer;
	int fd = peer_of(q->x, &peer);

	if (pk_link_client(q->x))
		return true; /* the gate saw a certificate; the route asks for its role */
	return fd >= 0 && (peer.uid == 0 || peer.uid == geteuid() || in_group(fd, &peer, group));
}

bool pk_api_peer_session(const struct pk_api_request *q, uint8_t ret_addr[16])
{
	const char *s = pk_exchange_said(q->x, PK_API_SESSION);
	char text[PK_IP_TEXT];
	size_t n = s ? strcspn(s, "%") : sizeof(text); /* a zone is no part of the address */

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	return pk_ip_parse(text, ret_addr) == 0;
}

void pk_api_peer_name(const struct pk_api_request *q, struct pk_buf *out)
{
	const struct pk_link_client *client = pk_link_client(q->x);
	uint8_t addr[16];
	char ip[PK_IP_TEXT];
	struct ucred peer;
	const char *name;

	if (client)
		pk_buf_fmt(out, "%s (%s, %.16s)", client->name, pk_role_name(client->role),
			   client->fingerprint);
	if (client || peer_of(q->x, &peer) < 0)
		return;
	name = pk_user_name(&q->view->ocsf.enrich->users, peer.uid);
	if (name)
		pk_buf_str(out, name);
	else
		pk_buf_fmt(out, "uid %u", peer.uid);
	if (pk_api_peer_session(q, addr))
		pk_buf_fmt(out, " from %s", pk_ip_format(addr, ip));
}

void pk_api_peer_actor(const struct pk_api_request *q, struct pk_buf *out)
{
	uint8_t addr[16];
	char ip[PK_IP_TEXT];
	struct ucred peer;
	const char *name;

	if (pk_link_client(q->x)) { /* a certificate has neither uid nor pid */
		pk_api_peer_name(q, out);
		return;
	}
	if (peer_of(q->x, &peer) < 0) {
		pk_buf_str(out, "somebody who has left");
		return;
	}
	name = pk_user_name(&q->view->ocsf.enrich->users, peer.uid);
	pk_buf_fmt(out, "%s (uid %u, pid %d)", name ? name : "user", peer.uid, (int)peer.pid);
	if (pk_api_peer_session(q, addr))
		pk_buf_fmt(out, " from %s", pk_ip_format(addr, ip));
}
