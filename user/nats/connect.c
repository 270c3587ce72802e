/* SPDX-License-Identifier: Apache-2.0 */
/* Makes connections by section nats of the configuration. What goes over them is for others. */
#include "nats/connect.h"

#include "base/cleanup.h"
#include "conf/conf.h"
#include "nats/subject.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_MS 5000
#define WRITE_MS   5000
#define PING_MS    10000 /* one that does not answer three of them is gone */

static void free_options(natsOptions **o)
{
	natsOptions_Destroy(*o);
}

const char *pk_nats_host(const struct pk_conf *conf, const char *hostname)
{
	return *conf->nats_host ? conf->nats_host : hostname;
}

void pk_nats_why(natsStatus s, const char *what, char *why, size_t size)
{
	natsStatus last;
	const char *text = nats_GetLastError(&last);

	if (!text || !*text || last != s)
		text = natsStatus_GetText(s);
	if (*text == '(' && strstr(text, "): ")) /* where in the library */
		text = strstr(text, "): ") + 3;
	snprintf(why, size, "%s: %s", what, text);
}

static natsStatus set_tls(natsOptions *o, const struct pk_conf *c)
{
	natsStatus s = natsOptions_SetSecure(o, true);

	if (s == NATS_OK && *c->nats_ca)
		s = natsOptions_LoadCATrustedCertificates(o, c->nats_ca);
	if (s == NATS_OK && *c->nats_cert)
		s = natsOptions_LoadCertificatesChain(o, c->nats_cert, c->nats_key);
	return s;
}

static natsStatus set_up(natsOptions *o, const struct pk_nats_opts *p, const char *inbox)
{
	const struct pk_conf *c = p->conf;
	bool tls = strncmp(c->nats_servers.v[0], "tls:", 4) == 0;
	natsStatus s =
		natsOptions_SetServers(o, (const char **)c->nats_servers.v, (int)c->nats_servers.n);

	if (s == NATS_OK)
		s = natsOptions_SetTimeout(o, CONNECT_MS);
	if (s == NATS_OK)
		s = natsOptions_SetWriteDeadline(o, WRITE_MS);
	if (s == NATS_OK)
		s = natsOptions_SetPingInterval(o, PING_MS);
	if (s == NATS_OK)
		s = natsOptions_SetAllowReconnect(o, false);
	if (s == NATS_OK)
		s = natsOptions_SetIgnoreDiscoveredServers(o, true);
	if (s == NATS_OK)
		s = natsOptions_SetCustomInboxPrefix(o, inbox);
	if (s == NATS_OK)
		s = natsOptions_SetName(o, p->name);
	if (s == NATS_OK && p->on_error)
		s = natsOptions_SetErrorHandler(o, p->on_error, p->arg);
	return s == NATS_OK && tls ? set_tls(o, c) : s;
}

static int judge_servers(const struct pk_conf *c, char *why, size_t size)
{
	bool tls;

	if (!c->nats_servers.n) {
		snprintf(why, size, "nats.servers names none");
		return -EINVAL;
	}
	tls = strncmp(c->nats_servers.v[0], "tls:", 4) == 0;
	for (size_t i = 1; i < c->nats_servers.n; i++) {
		if ((strncmp(c->nats_servers.v[i], "tls:", 4) == 0) == tls)
			continue;
		snprintf(why, size, "nats.servers has both tls:// and nats://");
		return -EINVAL;
	}
	if (!*c->nats_cert == !*c->nats_key)
		return 0;
	snprintf(why, size, "nats.cert and nats.key belong together");
	return -EINVAL;
}

/* "_INBOX.TENANT.HOST" */
static int write_inbox(const struct pk_nats_opts *o, char ret[PK_NATS_SUBJECT_MAX + 8])
{
	char tenant[3 * PK_NATS_TOKEN_MAX], host[3 * PK_NATS_TOKEN_MAX];
	int r = pk_nats_token(o->conf->nats_tenant, tenant, sizeof(tenant));

	if (!r)
		r = pk_nats_token(pk_nats_host(o->conf, o->host), host, sizeof(host));
	if (!r)
		snprintf(ret, PK_NATS_SUBJECT_MAX + 8, "_INBOX.%s.%s", tenant, host);
	return r;
}

static int error_of(natsStatus s)
{
	switch (s) {
	case NATS_CONNECTION_AUTH_FAILED:
	case NATS_NOT_PERMITTED:
		return -EACCES;
	case NATS_NO_MEMORY:
		return -ENOMEM;
	default:
		return -EHOSTUNREACH;
	}
}

int pk_nats_connect(const struct pk_nats_opts *o, natsConnection **ret_conn, char *why, size_t size)
{
	_cleanup_(free_options) natsOptions *opts = NULL;
	char inbox[PK_NATS_SUBJECT_MAX + 8];
	natsStatus s;
	int r = judge_servers(o->conf, why, size);

	if (r < 0)
		return r;
	r = write_inbox(o, inbox);
	if (r < 0) {
		snprintf(why, size, "nats.tenant or nats.host is empty or too long");
		return r;
	}
	s = natsOptions_Create(&opts);
	if (s == NATS_OK)
		s = set_up(opts, o, inbox);
	if (s != NATS_OK) {
		pk_nats_why(s, "section nats", why, size);
		return s == NATS_NO_MEMORY ? -ENOMEM : -EINVAL;
	}
	s = natsConnection_Connect(ret_conn, opts);
	if (s == NATS_OK)
		return 0;
	pk_nats_why(s, "can not connect", why, size);
	return error_of(s);
}
