/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns nothing. It knows how evhttp 2.1 writes a page: head line, headers, an
 * empty line, HTML, one after another in one turn of the loop, with nothing before it.
 */
#include "base/page.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"

#include <picket/api.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PAGE_MAX 4096

static const char *detail_of(int status)
{
	switch (status) {
	case 400:
		return "this is not well formed HTTP, or a line of its head is too long";
	case 413:
		return "the head or the body of the request is too large";
	case 417:
		return "this expectation is not met here";
	case 405:
	case 501:
		return "this method is not known here";
	default:
		return "the request could not be taken";
	}
}

static void write_problem(struct evbuffer *out, int status, const char *title)
{
	_cleanup_(pk_buf_done) struct pk_buf body = { 0 };
	struct pk_json j;

	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "type", "about:blank");
	pk_json_str(&j, "title", title);
	pk_json_i64(&j, "status", status);
	pk_json_str(&j, "detail", detail_of(status));
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	evbuffer_add_printf(out,
			    "HTTP/1.1 %d %s\r\nContent-Type: " PK_API_TYPE_PROBLEM
			    "\r\nCache-Control: no-store\r\nContent-Length: %zu\r\n"
			    "Connection: close\r\n\r\n",
			    status, title, body.len);
	evbuffer_add(out, body.data, body.len);
}

/* Is it a whole page of evhttp's own? Then its status and the words for it. */
static bool is_page(struct evbuffer *out, int *ret_status, char ret_title[64])
{
	size_t len = evbuffer_get_length(out);
	char text[PAGE_MAX + 1], *body;
	int major, minor;

	if (len < 16 || len > PAGE_MAX || evbuffer_copyout(out, text, len) != (ev_ssize_t)len)
		return false;
	text[len] = '\0';
	if (sscanf(text, "HTTP/%d.%d %d %63[^\r\n]", &major, &minor, ret_status, ret_title) != 4 ||
	    *ret_status < 400)
		return false;
	body = strstr(text, "\r\n\r\n");
	if (!body || !strstr(body, "</HTML>"))
		return false;
	*body = '\0';
	return strstr(text, "\r\nContent-Type: text/html") != NULL;
}

static void on_write(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
	const struct pk_page *p = arg;
	char title[64];
	bool frozen;
	int status;

	if (!info->n_added)
		return;
	/* a bufferevent keeps others from its front, which is where a page is taken back */
	frozen = evbuffer_copyout(out, title, 1) < 0;
	if (frozen)
		(void)evbuffer_unfreeze(out, 1); /* it was frozen: can't fail */
	if (is_page(out, &status, title)) {
		(void)evbuffer_drain(out, evbuffer_get_length(out)); /* not frozen now */
		write_problem(out, status, title); /* comes here again, as what is no page */
		if (p->told)
			p->told(p->arg, out, status);
	}
	if (frozen)
		(void)evbuffer_freeze(out, 1);
}

int pk_page_watch(struct bufferevent *bev, struct pk_page *page)
{
	return evbuffer_add_cb(bufferevent_get_output(bev), on_write, page) ? 0 : -ENOMEM;
}
