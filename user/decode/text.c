/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First lines of protocols in clear text. Each line votes for the protocols that could have sent
 * it; when one is left (or the port decides), the lines are read a second time for what records
 * show. JSON lines are text_json.c's.
 */
#include "decode/text.h"

#include "base/cleanup.h"
#include "decode/text_own.h"

#include <errno.h>
#include <strings.h>

#define SMTP (1U << PK_TEXT_SMTP)
#define FTP  (1U << PK_TEXT_FTP)
#define POP3 (1U << PK_TEXT_POP3)
#define IMAP (1U << PK_TEXT_IMAP)
#define IRC  (1U << PK_TEXT_IRC)

#define LINE_MAX_LEN 2048 /* more in one line is nobody's first line */
#define TAG_MAX      32   /* IMAP */

struct pk_slice pk_text_word(struct pk_slice *rest)
{
	struct pk_slice s = *rest, word;
	uint32_t n = 0;

	while (s.len && (*s.s == ' ' || *s.s == '\t'))
		s = (struct pk_slice){ s.s + 1, s.len - 1 };
	while (n < s.len && s.s[n] != ' ' && s.s[n] != '\t')
		n++;
	word = (struct pk_slice){ s.s, n };
	s = (struct pk_slice){ s.s + n, s.len - n };
	while (s.len && (*s.s == ' ' || *s.s == '\t'))
		s = (struct pk_slice){ s.s + 1, s.len - 1 };
	*rest = s;
	return word;
}

static bool is(struct pk_slice s, const char *word)
{
	return s.len == strlen(word) && !strncasecmp(s.s, word, s.len);
}

static bool holds(struct pk_slice s, const char *word)
{
	size_t n = strlen(word);

	for (uint32_t i = 0; i + n <= s.len; i++)
		if (!strncasecmp(s.s + i, word, n))
			return true;
	return false;
}

/* The next line, without its end. False: it does not end. */
static bool take_line(struct pk_cursor *c, struct pk_slice *ret)
{
	size_t left = pk_cursor_left(c);
	const char *p = left ? (const char *)c->data + c->at : NULL;
	const char *end = left ? memchr(p, '\n', left < LINE_MAX_LEN ? left : LINE_MAX_LEN) : NULL;

	if (!end && left && *p == '{')
		end = memchr(p, '\n', left < PK_TEXT_LINE_MAX ? left : PK_TEXT_LINE_MAX);
	if (!end)
		return false;
	*ret = (struct pk_slice){ p, (uint32_t)(end - p) };
	c->at += ret->len + 1;
	if (ret->len && ret->s[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

static bool is_text(struct pk_slice line)
{
	for (uint32_t i = 0; i < line.len; i++) {
		uint8_t c = (uint8_t)line.s[i];

		/* mIRC colours and the like come in later lines, if at all. */
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return line.len > 0;
}

/* Who can have sent a line. Words that many line protocols share (Redis, Munin, NNTP have some of
 * them) are not sure: they count together with one that is, or on the port that is for them. */
struct vote {
	uint32_t protos;
	bool sure;
};

/* Commands of clients, and who has them. Sure: nobody else does. */
static const struct {
	const char *word;
	uint32_t protos;
	bool sure;
} commands[] = {
	{ "EHLO", SMTP, true },
	{ "HELO", SMTP, true },
	{ "LHLO", SMTP, true },
	{ "MAIL", SMTP, false },
	{ "RCPT", SMTP, false },
	{ "DATA", SMTP, false },
	{ "STARTTLS", SMTP | IRC, false },
	{ "AUTH", SMTP | FTP | POP3, false },
	{ "USER", FTP | POP3 | IRC, false },
	{ "PASS", FTP | POP3 | IRC, false },
	{ "NOOP", SMTP | FTP | POP3, false },
	{ "QUIT", SMTP | FTP | POP3 | IRC, false },
	{ "RSET", SMTP | POP3, false },
	{ "HELP", SMTP | FTP, false },
	{ "APOP", POP3, true },
	{ "CAPA", POP3, true },
	{ "STLS", POP3, true },
	{ "UIDL", POP3, false },
	{ "STAT", POP3 | FTP, false },
	{ "LIST", POP3 | FTP | IRC, false },
	{ "RETR", POP3 | FTP, false },
	{ "SYST", FTP, true },
	{ "FEAT", FTP, true },
	{ "PASV", FTP, false },
	{ "EPSV", FTP, true },
	{ "PORT", FTP, false },
	{ "EPRT", FTP, true },
	{ "TYPE", FTP, false },
	{ "CWD", FTP, false },
	{ "PWD", FTP, false },
	{ "OPTS", FTP, false },
	{ "CLNT", FTP, false },
	{ "PBSZ", FTP, true },
	{ "PROT", FTP, false },
	{ "STOR", FTP, false },
	{ "MODE", FTP | IRC, false },
	{ "NICK", IRC, true },
	{ "JOIN", IRC, true },
	{ "PING", IRC, false },
	{ "PONG", IRC, false },
	{ "PRIVMSG", IRC, true },
};

/* RFC 9051 6: a client's line is a tag and one of these. */
static const char *const imap_commands[] = {
	"CAPABILITY", "LOGIN",  "STARTTLS", "AUTHENTICATE", "ID",
	"NOOP",       "LOGOUT", "ENABLE",   "SELECT",
};

/* Reply codes that only one of the two has. */
static uint32_t vote_code(unsigned code, struct pk_slice text)
{
	switch (code) {
	case 211:
	case 227:
	case 229:
	case 230:
	case 234:
	case 331:
	case 530:
		return FTP;
	case 235:
	case 250:
	case 334:
	case 354:
		return SMTP;
	default:
		if (holds(text, "SMTP"))
			return SMTP;
		return holds(text, "FTP") ? FTP : SMTP | FTP;
	}
}

/* "220 text" or "220-text": *ret_code and *ret_text. */
static bool is_reply(struct pk_slice line, unsigned *ret_code, struct pk_slice *ret_text)
{
	unsigned code = 0;

	if (line.len < 3)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (line.s[i] < '0' || line.s[i] > '9')
			return false;
		code = code * 10 + (unsigned)(line.s[i] - '0');
	}
	if (code < 100 || code > 599 || (line.len > 3 && line.s[3] != ' ' && line.s[3] != '-'))
		return false;
	*ret_code = code;
	*ret_text = line.len > 4 ? (struct pk_slice){ line.s + 4, line.len - 4 }
				 : (struct pk_slice){ line.s, 0 };
	return true;
}

/* Replies of IRC: three digits from 001 on. */
static bool is_numeric(struct pk_slice s)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (s.s[i] < '0' || s.s[i] > '9')
			return false;
	return s.len == 3;
}

/* Codes that a conversation can begin with: RFC 5321 4.3.2, RFC 959 5.4. */
static bool is_greeting(unsigned code)
{
	return code == 220 || code == 120 || code == 421 || code == 554;
}

/* Behind ":prefix". */
static bool is_irc(struct pk_slice word)
{
	return is_numeric(word) || is(word, "NOTICE") || is(word, "CAP") || is(word, "MODE") ||
	       is(word, "JOIN") || is(word, "PRIVMSG");
}

static struct vote vote_server(struct pk_slice line)
{
	struct pk_slice rest = line, word, text;
	unsigned code;

	if (is_reply(line, &code, &text))
		return (struct vote){ vote_code(code, text), is_greeting(code) };
	word = pk_text_word(&rest);
	if (is(word, "+OK") || is(word, "-ERR"))
		return (struct vote){ POP3, word.s[0] == '+' && rest.len };
	if (is(word, "*")) {
		word = pk_text_word(&rest);
		return (struct vote){ is(word, "OK") || is(word, "PREAUTH") || is(word, "BYE") ||
						      is(word, "CAPABILITY")
					      ? IMAP
					      : 0,
				      true };
	}
	if (word.len > 1 && word.s[0] == ':')
		return (struct vote){ is_irc(pk_text_word(&rest)) ? IRC : 0, true };
	return (struct vote){
		is(word, "NOTICE") || (is(word, "ERROR") && rest.len && *rest.s == ':') ? IRC : 0,
		true
	};
}

/* USER of IRC has four parameters, the others' one. */
static struct vote vote_user(struct pk_slice rest)
{
	unsigned n = 0;

	while (rest.len && n < 4) {
		(void)pk_text_word(&rest);
		n++;
	}
	return (struct vote){ n == 4 ? IRC : n == 1 ? FTP | POP3 : 0, true };
}

/* What FTP's AUTH asks for (RFC 4217). */
static bool is_tls(struct pk_slice mechanism)
{
	return is(mechanism, "TLS") || is(mechanism, "SSL") || is(mechanism, "TLS-C");
}

static bool is_capability(struct pk_slice sub)
{
	return is(sub, "LS") || is(sub, "REQ") || is(sub, "LIST") || is(sub, "END");
}

static struct vote vote_client(struct pk_slice line)
{
	struct pk_slice rest = line, word = pk_text_word(&rest), second;

	if (is(word, "USER"))
		return vote_user(rest);
	if (is(word, "AUTH") && is_tls(rest))
		return (struct vote){ FTP, true };
	for (unsigned i = 0; i < PK_ARRAY_SIZE(commands); i++)
		if (is(word, commands[i].word))
			return (struct vote){ commands[i].protos, commands[i].sure };
	second = pk_text_word(&rest);
	if (is(word, "CAP"))
		return (struct vote){ is_capability(second) ? IRC : 0, true };
	if (!word.len || word.len > TAG_MAX)
		return (struct vote){ 0 };
	for (unsigned i = 0; i < PK_ARRAY_SIZE(imap_commands); i++)
		if (is(second, imap_commands[i]))
			return (struct vote){ IMAP, true };
	return (struct vote){ 0 };
}

static enum pk_text_proto only(uint32_t votes)
{
	for (unsigned p = 0; p < PK_TEXT_PROTOS; p++)
		if (votes == 1U << p)
			return p;
	return PK_TEXT_NONE;
}

/* Which side these lines are of, and whose they can be. False: of none. */
static bool elect(struct pk_cursor c, enum pk_text_proto hint, struct pk_text *out)
{
	struct vote all = { 0 }, now;
	struct pk_slice line;
	uint32_t port = hint < PK_TEXT_PROTOS ? 1U << hint : 0;

	for (unsigned n = 0; n < PK_TEXT_LINES_MAX && take_line(&c, &line); n++) {
		if (!n) {
			if (!is_text(line))
				return false;
			all = vote_server(line);
			out->server = all.protos;
			if (!all.protos)
				all = vote_client(line);
			if (!all.protos)
				return false;
			continue;
		}
		now = out->server ? vote_server(line) : vote_client(line);
		/* Lines of data, and words that mean something else here, don't count. */
		if (!(all.protos & now.protos))
			continue;
		all.protos &= now.protos;
		/* Of a server the first line alone is a greeting. */
		all.sure |= now.sure && !out->server;
	}
	if (!all.sure && !(all.protos & port))
		return false;
	out->proto = only(all.protos);
	if (!out->proto && all.protos & port)
		out->proto = hint;
	return out->proto != PK_TEXT_NONE;
}

static void on_smtp(struct pk_text *out, struct pk_slice word, struct pk_slice rest)
{
	struct pk_slice method;

	if ((is(word, "EHLO") || is(word, "HELO") || is(word, "LHLO")) && !out->helo.len) {
		out->helo = pk_text_word(&rest);
	} else if (is(word, "STARTTLS")) {
		out->tls_asked = true;
	} else if (is(word, "AUTH")) {
		method = pk_text_word(&rest);
		if (is(method, "LOGIN") || is(method, "PLAIN"))
			out->password = true;
	}
}

static void on_login(struct pk_text *out, struct pk_slice word, struct pk_slice rest)
{
	struct pk_slice method;

	if ((is(word, "USER") || is(word, "APOP")) && !out->user.len) {
		out->user = pk_text_word(&rest);
	} else if (is(word, "PASS") && rest.len) {
		out->password = true;
	} else if (is(word, "STLS") || (is(word, "AUTH") && is_tls(rest))) {
		out->tls_asked = true;
	} else if (is(word, "AUTH")) {
		method = pk_text_word(&rest);
		out->password |= is(method, "PLAIN") || is(method, "LOGIN");
	}
}

static void on_imap(struct pk_text *out, struct pk_slice word, struct pk_slice rest)
{
	struct pk_slice command = pk_text_word(&rest), first = pk_text_word(&rest);

	(void)word; /* the tag */
	if (is(command, "STARTTLS")) {
		out->tls_asked = true;
	} else if (is(command, "LOGIN") && first.len) {
		out->password = true;
		/* A literal ("{5}") is not the name, and a quoted one may have blanks: only its
		 * first word then, without the quote. */
		if (*first.s == '{')
			return;
		if (*first.s == '"')
			first = (struct pk_slice){ first.s + 1, first.len - 1 };
		if (first.len && first.s[first.len - 1] == '"')
			first.len--;
		out->user = first;
	} else if (is(command, "AUTHENTICATE") && (is(first, "PLAIN") || is(first, "LOGIN"))) {
		out->password = true;
	}
}

static void on_irc(struct pk_text *out, struct pk_slice word, struct pk_slice rest)
{
	if (is(word, "NICK") && !out->nick.len)
		out->nick = pk_text_word(&rest);
	else if (is(word, "USER") && !out->user.len)
		out->user = pk_text_word(&rest);
	else if (is(word, "PASS") && rest.len)
		out->password = true;
	else if (is(word, "STARTTLS") || (is(word, "CAP") && holds(rest, "REQ :tls")))
		out->tls_asked = true;
}

static void (*const on_client[PK_TEXT_PROTOS])(struct pk_text *, struct pk_slice,
					       struct pk_slice) = {
	[PK_TEXT_SMTP] = on_smtp, [PK_TEXT_FTP] = on_login, [PK_TEXT_POP3] = on_login,
	[PK_TEXT_IMAP] = on_imap, [PK_TEXT_IRC] = on_irc,
};

/* How a server of each offers TLS. */
static const char *const offer[PK_TEXT_PROTOS] = {
	[PK_TEXT_SMTP] = "STARTTLS", [PK_TEXT_FTP] = "AUTH TLS", [PK_TEXT_POP3] = "STLS",
	[PK_TEXT_IMAP] = "STARTTLS", [PK_TEXT_IRC] = "STARTTLS",
};

static void on_server(struct pk_text *out, struct pk_slice line, bool first)
{
	struct pk_slice text = line, rest = line;
	unsigned code;

	if (holds(line, offer[out->proto]))
		out->tls_offered = true;
	if (!first)
		return;
	if (is_reply(line, &code, &text)) {
		out->code = (uint16_t)code;
	} else {
		(void)pk_text_word(&rest);
		text = rest;
	}
	out->banner = text;
}

static void read_lines(struct pk_cursor c, struct pk_text *out)
{
	struct pk_slice line, word;

	for (; out->lines < PK_TEXT_LINES_MAX && take_line(&c, &line); out->lines++) {
		if (out->server) {
			on_server(out, line, !out->lines);
			continue;
		}
		word = pk_text_word(&line);
		if (!out->lines) {
			struct pk_slice rest = line;

			/* A tag comes first in IMAP. */
			out->command = out->proto == PK_TEXT_IMAP ? pk_text_word(&rest) : word;
		}
		on_client[out->proto](out, word, line);
	}
	out->partial = pk_cursor_left(&c) > 0;
}

static void read_json(struct pk_cursor c, struct pk_text *out)
{
	struct pk_slice line;

	for (; out->lines < PK_TEXT_LINES_MAX && take_line(&c, &line); out->lines++)
		pk_text_stratum(out, line);
	out->partial = pk_cursor_left(&c) > 0;
}

int pk_text_decode(struct pk_text *ret, enum pk_text_proto hint, const void *data, size_t len)
{
	struct pk_cursor c = pk_cursor_of(data, len), probe = c;
	struct pk_text out = { 0 };
	struct pk_slice line;

	if (!take_line(&probe, &line))
		return len < LINE_MAX_LEN || *(const char *)data == '{' ? -ENODATA : -EBADMSG;
	if (line.len && *line.s == '{') {
		read_json(c, &out);
		if (!out.proto)
			return -EBADMSG;
	} else {
		if (!elect(c, hint, &out))
			return -EBADMSG;
		read_lines(c, &out);
	}
	*ret = out;
	return 0;
}

const char *pk_text_name(enum pk_text_proto p)
{
	static const char *const names[PK_TEXT_PROTOS] = {
		[PK_TEXT_SMTP] = "smtp", [PK_TEXT_FTP] = "ftp", [PK_TEXT_POP3] = "pop3",
		[PK_TEXT_IMAP] = "imap", [PK_TEXT_IRC] = "irc", [PK_TEXT_STRATUM] = "stratum",
	};

	return p < PK_TEXT_PROTOS ? names[p] : NULL;
}
