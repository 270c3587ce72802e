/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocols that begin in clear text: SSH, and those of lines (SMTP, FTP, POP3, IMAP, IRC,
 * Stratum). Passwords are not kept.
 */
#include "base/cleanup.h"
#include "decode/app.h"
#include "decode/ssh.h"
#include "decode/text.h"
#include "name/take.h"

#include <errno.h>
#include <string.h>

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
