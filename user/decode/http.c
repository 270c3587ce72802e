/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the head of an HTTP/1 message line by line. It keeps slices of what records show, and of
 * credentials only that there were some. Bodies are not its concern.
 */
#include "decode/http.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define METHOD_MAX      24
#define BLANK_LINES_MAX 2 /* before a request (RFC 9112 2.2) */
#define VERSION_LEN     8 /* "HTTP/1.1" */

static const char *const methods[] = {
	"GET",      "POST",   "HEAD",      "PUT",         "DELETE",    "OPTIONS",
	"CONNECT",  "PATCH",  "TRACE",     "PROPFIND",    "PROPPATCH", "MKCOL",
	"COPY",     "MOVE",   "LOCK",      "UNLOCK",      "REPORT",    "SEARCH",
	"M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "PRI",
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* tchar of RFC 9110 5.6.2 */
static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct pk_slice part(struct pk_slice s, uint32_t from, uint32_t to)
{
	return (struct pk_slice){ s.s + from, to - from };
}

static struct pk_slice trim(struct pk_slice s)
{
	while (s.len && (is_blank(s.s[0]) || s.s[0] == '\r' || s.s[0] == '\n'))
		s = part(s, 1, s.len);
	while (s.len &&
	       (is_blank(s.s[s.len - 1]) || s.s[s.len - 1] == '\r' || s.s[s.len - 1] == '\n'))
		s.len--;
	return s;
}

static uint32_t find(struct pk_slice s, char c)
{
	const char *p = s.len ? memchr(s.s, c, s.len) : NULL;

	return p ? (uint32_t)(p - s.s) : s.len;
}

static bool same(struct pk_slice a, struct pk_slice b)
{
	return a.len == b.len && (!a.len || !strncasecmp(a.s, b.s, a.len));
}

static bool is_word(struct pk_slice s, const char *word)
{
	return s.len == strlen(word) && !strncasecmp(s.s, word, s.len);
}

/* Where the head is being read. */
struct head {
	struct pk_http *out;
	const char *data;
	uint32_t len;
	uint32_t at;
	bool host_seen, length_seen;
};

static void check_controls(struct pk_http *out, struct pk_slice s)
{
	for (uint32_t i = 0; i < s.len; i++) {
		uint8_t c = (uint8_t)s.s[i];

		/* Line ends inside are those of folding, which has its own mark. */
		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f ||
		    (c == '\r' && (i + 1 == s.len || s.s[i + 1] != '\n')))
			out->odd |= PK_HTTP_CONTROLS;
	}
}

/* The line at h->at, without its end; h->at is then behind it. False: it does not end here. */
static bool take_line(struct head *h, struct pk_slice *ret)
{
	struct pk_slice rest = { h->data + h->at, h->len - h->at };
	uint32_t n = find(rest, '\n');

	if (n == rest.len)
		return false;
	h->at += n + 1;
	if (n && rest.s[n - 1] == '\r')
		n--;
	else
		h->out->odd |= PK_HTTP_BARE_LF;
	*ret = part(rest, 0, n);
	return true;
}

/* With the lines that go on in it (obs-fold): those stay in the slice, with the ends between. */
static bool take_folded(struct head *h, struct pk_slice *ret)
{
	struct pk_slice more;

	if (!take_line(h, ret))
		return false;
	while (ret->len && h->at < h->len && is_blank(h->data[h->at])) {
		if (!take_line(h, &more))
			return false;
		ret->len = (uint32_t)(more.s + more.len - ret->s);
		h->out->odd |= PK_HTTP_FOLDED;
	}
	return true;
}

static bool is_absolute(struct pk_slice target)
{
	uint32_t n = find(target, ':');

	if (!n || target.len - n < 3 || memcmp(target.s + n, "://", 3) != 0)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!is_token(target.s[i]))
			return false;
	return true;
}

/* Where the authority of a URL begins and ends; one that is not absolute is an authority itself. */
static uint32_t authority_start(struct pk_slice url)
{
	return is_absolute(url) ? find(url, ':') + 3 : 0;
}

static uint32_t authority_end(struct pk_slice url)
{
	uint32_t end = authority_start(url);

	while (end < url.len && url.s[end] != '/' && url.s[end] != '?' && url.s[end] != '#')
		end++;
	return end;
}

/* The URL from its host on if there is user information in front of that; else as it is. */
static struct pk_slice without_userinfo(struct pk_slice url, bool *ret_userinfo)
{
	for (uint32_t i = authority_end(url); i > authority_start(url); i--)
		if (url.s[i - 1] == '@') {
			*ret_userinfo = true;
			return part(url, i, url.len);
		}
	*ret_userinfo = false;
	return url;
}

static void put_target(struct pk_http *out, struct pk_slice target)
{
	const char *host;
	uint32_t end;

	out->connect = pk_slice_is(out->method, "CONNECT");
	out->absolute = !out->connect && is_absolute(target);
	out->target = target;
	if (!out->connect && !out->absolute)
		return;
	if (out->target_cut && authority_end(target) == target.len) {
		/* Cut before an '@' that may have come: this may be the start of a password. */
		out->target.len = 0;
		return;
	}
	end = authority_end(target);
	out->target = without_userinfo(target, &out->userinfo);
	host = out->userinfo ? out->target.s : target.s + authority_start(target);
	out->target_host = (struct pk_slice){ host, (uint32_t)(target.s + end - host) };
}

static bool known_method(struct pk_slice s)
{
	for (unsigned i = 0; i < PK_ARRAY_SIZE(methods); i++)
		if (pk_slice_is(s, methods[i]))
			return true;
	return false;
}

static bool version_ok(struct pk_slice s)
{
	return s.len == VERSION_LEN && !memcmp(s.s, "HTTP/", 5) && is_digit(s.s[5]) &&
	       s.s[6] == '.' && is_digit(s.s[7]);
}

static void put_version(struct pk_http *out, struct pk_slice s)
{
	out->major = (uint8_t)(s.s[5] - '0');
	out->minor = (uint8_t)(s.s[7] - '0');
}

/* Other protocols have requests of the same look (RTSP, SIP): told by what they ask for. */
static bool target_plausible(struct pk_http *out, struct pk_slice target)
{
	return !target.len || target.s[0] == '/' || target.s[0] == '*' ||
	       pk_slice_is(out->method, "CONNECT") ||
	       !strncasecmp(target.s, "http://", target.len < 7 ? target.len : 7) ||
	       !strncasecmp(target.s, "https://", target.len < 8 ? target.len : 8);
}

/* A first line without a version: HTTP/0.9, or one that is cut. */
static int check_versionless(struct pk_http *out, struct pk_slice target, bool whole)
{
	if (whole)
		return pk_slice_is(out->method, "GET") && find(target, ' ') == target.len
			       ? 0
			       : -EBADMSG;
	if (!known_method(out->method))
		return -ENODATA;
	return target_plausible(out, target) ? 0 : -EBADMSG;
}

/* method SP target SP HTTP/x.y, or the start of it. */
static int read_request(struct pk_http *out, struct pk_slice line, bool whole)
{
	struct pk_slice target, version;
	uint32_t n;
	int r;

	out->method = part(line, 0, find(line, ' '));
	if (!out->method.len || out->method.len > METHOD_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < out->method.len; i++)
		if (!is_token(out->method.s[i]))
			return -EBADMSG;
	if (out->method.len == line.len)
		return whole ? -EBADMSG : -ENODATA;
	target = trim(part(line, out->method.len, line.len));
	for (n = target.len; n && !is_blank(target.s[n - 1]); n--)
		;
	version = part(target, n, target.len);
	if (version_ok(version)) {
		target = trim(part(target, 0, n));
		put_version(out, version);
		if (out->major > 1 && !(out->major == 2 && pk_slice_is(out->method, "PRI")))
			return -EBADMSG;
	} else {
		r = check_versionless(out, target, whole);
		if (r < 0)
			return r;
		out->target_cut = !whole;
	}
	if (whole && !target.len)
		return -EBADMSG;
	out->kind = PK_HTTP_REQUEST;
	put_target(out, target);
	return 0;
}

static int read_status(struct pk_http *out, struct pk_slice line, bool whole)
{
	const uint32_t code = VERSION_LEN + 1, end = code + 3;

	if (line.len < VERSION_LEN)
		return whole ? -EBADMSG : -ENODATA;
	if (!version_ok(part(line, 0, VERSION_LEN)) || line.s[5] > '1')
		return -EBADMSG;
	/* Cut right behind the code, there may have been more digits: not a code then. */
	if (line.len < end || (line.len == end && !whole))
		return whole ? -EBADMSG : -ENODATA;
	if (line.s[VERSION_LEN] != ' ' || (line.len > end && !is_blank(line.s[end])))
		return -EBADMSG;
	for (uint32_t i = code; i < end; i++)
		if (!is_digit(line.s[i]))
			return -EBADMSG;
	out->kind = PK_HTTP_RESPONSE;
	put_version(out, line);
	for (uint32_t i = code; i < end; i++)
		out->status = (uint16_t)(out->status * 10 + (line.s[i] - '0'));
	out->reason = trim(part(line, end, line.len));
	return 0;
}

static void on_host(struct head *h, struct pk_slice value)
{
	struct pk_http *out = h->out;

	if (h->host_seen) {
		out->odd |= PK_HTTP_HOST_TWICE;
		if (!same(out->host, value))
			out->odd |= PK_HTTP_HOST_DIFFER;
		return;
	}
	h->host_seen = true;
	out->host = value;
	if (out->target_host.len && !same(out->target_host, value) &&
	    !same(pk_http_host_name(out->target_host), pk_http_host_name(value)))
		out->odd |= PK_HTTP_HOST_DIFFER;
}

static void on_length(struct head *h, struct pk_slice value)
{
	int64_t n = 0;

	for (uint32_t i = 0; i < value.len && n >= 0; i++)
		n = is_digit(value.s[i]) && n < INT64_MAX / 10 - 9 ? n * 10 + (value.s[i] - '0')
								   : -1;
	if (!value.len)
		n = -1;
	if (h->length_seen && n != h->out->content_length)
		h->out->odd |= PK_HTTP_LENGTHS;
	else
		h->out->content_length = n;
	h->length_seen = true;
}

static void on_transfer(struct head *h, struct pk_slice value)
{
	uint32_t n = sizeof("chunked") - 1;

	if (value.len >= n && is_word(part(value, value.len - n, value.len), "chunked"))
		h->out->chunked = true;
}

/* A scheme is a token with a blank and more behind it, or one that may stand alone. What else is
 * there may be the secret itself. */
static void on_auth(struct head *h, struct pk_slice value)
{
	static const char *const alone[] = { "Negotiate", "NTLM", "Basic", "Bearer", "Digest" };
	uint32_t n = 0;
	bool ok;

	h->out->authorization = true;
	while (n < value.len && is_token(value.s[n]))
		n++;
	ok = n && n < value.len && is_blank(value.s[n]);
	for (unsigned i = 0; i < PK_ARRAY_SIZE(alone); i++)
		ok |= is_word(value, alone[i]);
	if (!ok || n > METHOD_MAX)
		return;
	if (!h->out->auth.len)
		h->out->auth = part(value, 0, n);
	if (n < value.len && is_word(part(value, 0, n), "Basic"))
		h->out->basic = true;
}

static void on_cookie(struct head *h, struct pk_slice value)
{
	(void)value;
	h->out->cookie = true;
}

static void on_referer(struct head *h, struct pk_slice value)
{
	bool ignored;

	h->out->referer = without_userinfo(value, &ignored);
}

static void on_location(struct head *h, struct pk_slice value)
{
	bool ignored;

	h->out->location = without_userinfo(value, &ignored);
}

#define SLICE(member) offsetof(struct pk_http, member)

/* What is done with a field: its first value is kept, or else a function looks at each. */
static const struct {
	const char *name;
	uint8_t kind; /* where it means something; PK_HTTP_NONE: both */
	size_t slice;
	void (*on)(struct head *h, struct pk_slice value);
} fields[] = {
	{ "Host", PK_HTTP_REQUEST, 0, on_host },
	{ "User-Agent", PK_HTTP_REQUEST, SLICE(user_agent), NULL },
	{ "Referer", PK_HTTP_REQUEST, 0, on_referer },
	{ "Authorization", PK_HTTP_REQUEST, 0, on_auth },
	{ "Proxy-Authorization", PK_HTTP_REQUEST, 0, on_auth },
	{ "Cookie", PK_HTTP_REQUEST, 0, on_cookie },
	{ "Server", PK_HTTP_RESPONSE, SLICE(server), NULL },
	{ "Location", PK_HTTP_RESPONSE, 0, on_location },
	{ "Set-Cookie", PK_HTTP_RESPONSE, 0, on_cookie },
	{ "Content-Type", PK_HTTP_NONE, SLICE(content_type), NULL },
	{ "Content-Length", PK_HTTP_NONE, 0, on_length },
	{ "Transfer-Encoding", PK_HTTP_NONE, 0, on_transfer },
	{ "Upgrade", PK_HTTP_NONE, SLICE(upgrade), NULL },
	{ "Connection", PK_HTTP_NONE, SLICE(connection), NULL },
};

static void on_field(struct head *h, struct pk_slice name, struct pk_slice value)
{
	struct pk_slice *slot;

	for (unsigned i = 0; i < PK_ARRAY_SIZE(fields); i++) {
		if (!is_word(name, fields[i].name) ||
		    (fields[i].kind && fields[i].kind != h->out->kind))
			continue;
		if (fields[i].on) {
			fields[i].on(h, value);
		} else {
			slot = (struct pk_slice *)((char *)h->out + fields[i].slice);
			if (!slot->s)
				*slot = value;
		}
		return;
	}
}

static void read_field(struct head *h, struct pk_slice line)
{
	uint32_t colon = find(line, ':'), n = 0, end;
	struct pk_slice value;

	while (n < colon && is_token(line.s[n]))
		n++;
	for (end = n; end < colon && is_blank(line.s[end]); end++)
		;
	if (!n || end != colon || colon == line.len) {
		h->out->odd |= PK_HTTP_NO_FIELD;
		return;
	}
	if (end != n)
		h->out->odd |= PK_HTTP_SPACE;
	value = trim(part(line, colon + 1, line.len));
	check_controls(h->out, value);
	on_field(h, part(line, 0, n), value);
}

static void read_fields(struct head *h)
{
	struct pk_slice line;

	h->out->end = PK_HTTP_PARTIAL;
	for (;;) {
		uint32_t before = h->at;

		if (!take_folded(h, &line)) {
			h->at = before;
			return;
		}
		if (!line.len) {
			h->out->end = PK_HTTP_WHOLE;
			return;
		}
		if (h->out->fields == PK_HTTP_FIELDS_MAX) {
			h->at = before;
			h->out->end = PK_HTTP_MANY;
			return;
		}
		h->out->fields++;
		read_field(h, line);
	}
}

static void judge(struct head *h)
{
	struct pk_http *out = h->out;

	if (out->chunked && h->length_seen)
		out->odd |= PK_HTTP_LENGTHS;
	if (out->kind == PK_HTTP_REQUEST && out->end == PK_HTTP_WHOLE && !h->host_seen &&
	    out->major == 1 && out->minor >= 1)
		out->odd |= PK_HTTP_NO_HOST;
}

int pk_http_decode(struct pk_http *ret, const void *data, size_t len)
{
	struct pk_http out = { .content_length = -1 };
	struct head h = { .out = &out, .data = data };
	struct pk_slice line = { 0 };
	bool whole = true;
	int r;

	h.len = len < PK_HTTP_HEAD_MAX ? (uint32_t)len : PK_HTTP_HEAD_MAX;
	for (unsigned i = 0; i <= BLANK_LINES_MAX && whole && !line.len; i++)
		whole = take_line(&h, &line);
	if (!whole) {
		line = (struct pk_slice){ h.data ? h.data + h.at : NULL, h.len - h.at };
		if (line.len && line.s[line.len - 1] == '\r')
			line.len--;
		out.end = PK_HTTP_PARTIAL;
	}
	if (!line.len)
		return whole ? -EBADMSG : -ENODATA;
	if (!strncmp(line.s, "HTTP/", line.len < 5 ? line.len : 5))
		r = read_status(&out, line, whole);
	else
		r = read_request(&out, line, whole);
	if (r < 0)
		return r;
	check_controls(&out, line);
	if (whole)
		read_fields(&h);
	if (out.end == PK_HTTP_PARTIAL && len > PK_HTTP_HEAD_MAX)
		out.end = PK_HTTP_MANY;
	judge(&h);
	out.head_len = h.at;
	*ret = out;
	return 0;
}

bool pk_http_is(const void *data, size_t len)
{
	struct pk_http out;

	return pk_http_decode(&out, data, len) == 0;
}

struct pk_slice pk_http_host_name(struct pk_slice host)
{
	uint32_t colon = find(host, ':');

	if (host.len && host.s[0] == '[')
		return part(host, 1, find(host, ']'));
	if (colon < host.len && find(part(host, colon + 1, host.len), ':') == host.len - colon - 1)
		host.len = colon;
	if (host.len && host.s[host.len - 1] == '.')
		host.len--;
	return host;
}

const char *pk_http_end_name(uint8_t end)
{
	static const char *const names[PK_HTTP_ENDS] = {
		[PK_HTTP_WHOLE] = "whole",
		[PK_HTTP_PARTIAL] = "partial",
		[PK_HTTP_MANY] = "too long",
	};

	return end < PK_HTTP_ENDS ? names[end] : NULL;
}
