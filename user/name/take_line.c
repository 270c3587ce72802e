/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocols that begin in clear text: HTTP/1, SSH, and those of lines (SMTP, FTP, POP3, IMAP, IRC,
 * Stratum). Passwords, cookies and what follows a '?' in a path are not kept.
 */
#include "base/cleanup.h"
#include "decode/app.h"
#include "decode/http.h"
#include "decode/ssh.h"
#include "decode/text.h"
#include "name/take.h"

#include <errno.h>
#include <string.h>

static struct pk_slice path_of(const struct pk_http *h)
{
	struct pk_slice p = h->target;
	const char *end;

	if (h->connect)
		return (struct pk_slice){ 0 };
	if (h->absolute && p.len) { /* behind "http://authority" */
		const char *at = memmem(p.s, p.len, "://", 3);
		const char *from = at ? at + 3 : p.s;
		const char *slash = memchr(from, '/', p.len - (size_t)(from - p.s));

		if (!slash)
			return (struct pk_slice){ 0 };
		p.len -= (uint32_t)(slash - p.s);
		p.s = slash;
	}
	end = p.len ? memchr(p.s, '?', p.len) : NULL;
	if (end)
		p.len = (uint32_t)(end - p.s);
	return p;
}

static void take_request(struct pk_names *n, const struct pk_take *t, const struct pk_http *h)
{
	struct pk_fact *f = t->fact;
	struct pk_slice host = h->target_host.len ? h->target_host : h->host;
	const char *before = f->http_host;

	if (h->connect || h->absolute)
		f->flags |= PK_FACT_PROXIED;
	if (h->basic)
		f->flags |= PK_FACT_CLEAR;
	pk_names_set(n, &f->http_method, h->method);
	pk_names_set_name(n, &f->http_host, pk_http_host_name(host));
	pk_names_set(n, &f->http_path, path_of(h));
	pk_names_set(n, &f->http_agent, h->user_agent);
	pk_names_compare(n, f, &t->s->key, t->s->hdr.ts);
	if (f->http_host && f->http_host != before)
		pk_names_tell(n, t, PK_NEWS_HTTP, NULL);
}

/* "100 Continue" and the like: the real answer follows. */
static bool is_interim(const struct pk_http *h)
{
	return h->kind == PK_HTTP_RESPONSE && h->end == PK_HTTP_WHOLE && h->status / 100 == 1 &&
	       h->status != 101;
}

int pk_take_http(struct pk_names *n, const struct pk_take *t, size_t *ret_used)
{
	struct pk_fact *f = t->fact;
	struct pk_http h;
	int r;

	*ret_used = 0;
	do {
		r = pk_http_decode(&h, t->data + *ret_used, t->len - *ret_used);
		if (r == 0 && is_interim(&h))
			*ret_used += h.head_len;
	} while (r == 0 && is_interim(&h));
	if (r < 0)
		return r == -ENODATA ? -EAGAIN : r;
	f->app = PK_PROTO_HTTP;
	f->flags |= PK_FACT_HTTP;
	if (h.kind == PK_HTTP_REQUEST) {
		take_request(n, t, &h);
	} else {
		f->http_status = h.status;
		pk_names_set(n, &f->http_server, h.server);
	}
	return h.end == PK_HTTP_PARTIAL ? -EAGAIN : 0;
}

int pk_take_ssh(struct pk_names *n, const struct pk_take *t, size_t *ret_used)
{
	bool server = t->s->dir == t->server;
	struct pk_fact *f = t->fact;
	char hassh[PK_SSH_HASSH_TEXT];
	struct pk_ssh s;
	int r = pk_ssh_decode(&s, t->data, t->len);

	*ret_used = 0;
	if (r < 0)
		return r;
	if (s.id.len) {
		f->app = PK_PROTO_SSH;
		pk_names_set(n, &f->ssh[t->s->dir], s.id);
	}
	if (s.kex_why == PK_SSH_OK && pk_ssh_hassh(&s, server, hassh) == 0) {
		f->app = PK_PROTO_SSH;
		f->flags |= PK_FACT_KEX(t->s->dir);
		pk_names_set(n, &f->hassh[t->s->dir],
			     (struct pk_slice){ .s = hassh, .len = PK_SSH_HASSH_TEXT - 1 });
		return 0;
	}
	return s.id_why == PK_SSH_SHORT || s.kex_why == PK_SSH_SHORT ? -EAGAIN : -EBADMSG;
}

struct same {
	uint8_t proto, text;
};

static const struct same sames[] = {
	{ PK_PROTO_SMTP, PK_TEXT_SMTP }, { PK_PROTO_FTP, PK_TEXT_FTP },
	{ PK_PROTO_POP3, PK_TEXT_POP3 }, { PK_PROTO_IMAP, PK_TEXT_IMAP },
	{ PK_PROTO_IRC, PK_TEXT_IRC },   { PK_PROTO_STRATUM, PK_TEXT_STRATUM },
};

/* What the other direction said, else the port. */
static enum pk_text_proto hint_of(const struct pk_fact *f)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(sames); i++)
		if (f->app == sames[i].proto)
			return sames[i].text;
	for (size_t i = 0; i < PK_ARRAY_SIZE(sames); i++)
		if (f->port_app == sames[i].proto)
			return sames[i].text;
	return PK_TEXT_NONE;
}

int pk_take_text(struct pk_names *n, const struct pk_take *t, size_t *ret_used)
{
	struct pk_fact *f = t->fact;
	struct pk_text x;
	int r = pk_text_decode(&x, hint_of(f), t->data, t->len);

	*ret_used = 0;
	if (r < 0)
		return r == -ENODATA ? -EAGAIN : r;
	for (size_t i = 0; i < PK_ARRAY_SIZE(sames); i++)
		if (x.proto == sames[i].text)
			f->app = sames[i].proto;
	if (x.server && x.banner.len)
		pk_names_set(n, &f->banner, x.banner);
	if (x.user.len || x.nick.len)
		pk_names_set(n, &f->user, x.user.len ? x.user : x.nick);
	else if (x.login[0])
		pk_names_set(n, &f->user,
			     (struct pk_slice){ .s = x.login, .len = (uint32_t)strlen(x.login) });
	if (x.password)
		f->flags |= PK_FACT_CLEAR;
	return x.server && x.lines ? 0 : -EAGAIN; /* a client's next lines may say more */
}
