/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the list of connections and their deadlines. libevent ends a connection that says nothing
 * for gate.timeout; who says a byte now and then is ended here: a handshake has gate.timeout in
 * all, a request twelve times that. A connection ends by shutting its socket, as only evhttp knows
 * when it may be freed.
 */
#include "gate/conn.h"

#include "base/cleanup.h"
#include "conf/conf.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <sys/socket.h>

#define REQUEST_TIMES 12
#define NS_PER_S      1000000000ull
#define NS_PER_US     1000

static int slot = -1; /* where an SSL keeps its connection */

static void arm(struct pk_conn *c, uint64_t times)
{
	uint64_t ns = c->all->conf->gate_timeout_ns * times;
	struct timeval tv = { .tv_sec = (time_t)(ns / NS_PER_S),
			      .tv_usec = (suseconds_t)(ns % NS_PER_S / NS_PER_US) };

	(void)evtimer_add(c->deadline, &tv); /* it was added before: has its place */
}

static void unlink_conn(struct pk_conn *c)
{
	struct pk_conns *s = c->all;

	*(c->prev ? &c->prev->next : &s->first) = c->next;
	*(c->next ? &c->next->prev : &s->last) = c->prev;
	s->n--;
}

/* The bufferevent frees its SSL, and that this. */
static void on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	struct pk_conn *c = ptr;

	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	if (!c)
		return;
	unlink_conn(c);
	event_free(c->deadline);
	free(c);
}

void pk_conn_shut(struct pk_conn *c)
{
	int fd = bufferevent_getfd(c->bev);

	c->closing = true;
	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR); /* not connected any more: it ends anyway */
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct pk_conn *c = arg;

	(void)fd, (void)what;
	if (c->answering)
		return;
	if (!c->known && SSL_is_init_finished(bufferevent_openssl_get_ssl(c->bev))) {
		c->known = true;
		arm(c, REQUEST_TIMES);
		return;
	}
	c->all->late++;
	pk_conn_shut(c);
}

int pk_conns_init(struct pk_conns *s, struct event_base *base, const struct pk_conf *conf)
{
	*s = (struct pk_conns){ .base = base, .conf = conf };
	if (slot < 0)
		slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
	return slot < 0 ? -ENOMEM : 0;
}

void pk_conns_use(struct pk_conns *s, SSL_CTX *ctx)
{
	SSL_CTX_free(s->ctx);
	s->ctx = ctx;
	for (struct pk_conn *c = s->first; c; c = c->next)
		pk_conn_shut(c);
}

/* The oldest that has shown no certificate, else the oldest that asks nothing. */
static void make_room(struct pk_conns *s)
{
	struct pk_conn *victim = NULL;

	for (struct pk_conn *c = s->first; c; c = c->next) {
		bool stranger = !SSL_is_init_finished(bufferevent_openssl_get_ssl(c->bev));

		if (c->closing || c->answering)
			continue;
		if (stranger || !victim)
			victim = c;
		if (stranger)
			break;
	}
	if (!victim)
		return;
	s->evicted++;
	pk_conn_shut(victim);
}

static void append(struct pk_conns *s, struct pk_conn *c)
{
	c->all = s;
	c->prev = s->last;
	*(s->last ? &s->last->next : &s->first) = c;
	s->last = c;
	s->n++;
}

struct bufferevent *pk_conn_new(struct pk_conns *s)
{
	SSL *ssl = s->ctx ? SSL_new(s->ctx) : NULL;
	struct pk_conn *c = ssl ? calloc(1, sizeof(*c)) : NULL;

	if (c)
		c->deadline = evtimer_new(s->base, on_deadline, c);
	if (!c || !c->deadline) {
		free(c);
		SSL_free(ssl);
		return NULL;
	}
	c->bev = bufferevent_openssl_socket_new(s->base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
						BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev) {
		event_free(c->deadline);
		free(c);
		SSL_free(ssl);
		return NULL;
	}
	s->accepted++;
	if (s->n >= s->conf->gate_connections)
		make_room(s);
	append(s, c);
	(void)SSL_set_ex_data(ssl, slot, c); /* 0: it is freed with the process only */
	bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
	arm(c, 1);
	return c->bev;
}

struct pk_conn *pk_conn_of(struct bufferevent *bev)
{
	return SSL_get_ex_data(bufferevent_openssl_get_ssl(bev), slot);
}

void pk_conn_asked(struct pk_conn *c)
{
	c->known = true;
	c->answering++;
	(void)evtimer_del(c->deadline); /* can't fail for one of ours */
}

void pk_conn_answered(struct pk_conn *c)
{
	c->answering--;
	arm(c, REQUEST_TIMES);
}
