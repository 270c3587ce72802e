/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages with which evhttp itself answers what never becomes a request of ours (malformed, too
 * large, an unknown method). libevent 2.1 has no hook for them (evhttp_set_errorcb() is newer), so
 * they are exchanged on their way out: a problem (RFC 9457) instead of HTML.
 */
#pragma once

struct bufferevent;
struct evbuffer;

/* One for a server. told, if not NULL, is called for each page with what is written to. */
struct pk_page {
	void (*told)(void *arg, const struct evbuffer *out, int status);
	void *arg;
};

/* Watches what is written to this connection, as long as it lives. page is borrowed. -ENOMEM. */
int pk_page_watch(struct bufferevent *bev, struct pk_page *page);
