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

#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

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

static void find_address(struct pk_conn *c)
{
	struct sockaddr_in6 a = { 0 };
	socklen_t len = sizeof(a);
	const void *at = &a.sin6_addr;

	if (c->address[0] ||
	    getpeername(bufferevent_getfd(c->bev), (struct sockaddr *)&a, &len) < 0)
		return;
	if (a.sin6_family == AF_INET)
		at = &((struct sockaddr_in *)&a)->sin_addr;
	(void)inet_ntop(a.sin6_family, at, c->address, sizeof(c->address)); /* else "" */
}

void pk_conn_refused(struct pk_conn *c, enum pk_gate_count why)
{
	find_address(c);
	pk_gate_refused(&c->all->audit, why, c->address[0] ? c->address : "somebody",
			c->client.name[0] ? c->client.name : NULL);
}

/* In a handshake, of a certificate that is not right. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct pk_conn *c = ssl ? SSL_get_ex_data(ssl, slot) : NULL;
	X509 *cert = X509_STORE_CTX_get0_cert(store);

	if (ok || !c)
		return ok;
	c->verify = X509_STORE_CTX_get_error(store);
	if (cert) /* for its name only: it has no role as long as it is not right */
		(void)pk_tls_identify(c->all->conf, cert, &c->client);
	return ok;
}

/* What OpenSSL tells the client is why it is refused. */
static void on_ssl_info(const SSL *ssl, int where, int value)
{
	struct pk_conn *c = SSL_get_ex_data(ssl, slot);

	if (!c || c->shaken)
		return;
	find_address(c);
	if (where & SSL_CB_HANDSHAKE_DONE) {
		c->shaken = true;
		c->all->counts.n[PK_GATE_SHAKEN]++;
	} else if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT && !c->judged &&
		   value >> 8 == SSL3_AL_FATAL) {
		c->judged = true;
		pk_conn_refused(c, c->verify ? pk_gate_count_of_verify(c->verify)
				   : (value & 0xff) == SSL_AD_CERTIFICATE_REQUIRED ? PK_GATE_NO_CERT
				   : (value & 0xff) == SSL_AD_PROTOCOL_VERSION
					   ? PK_GATE_VERSION
					   : PK_GATE_UNFINISHED);
	}
}

/* The bufferevent frees its SSL, and that this. */
static void on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	struct pk_conn *c = ptr;

	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	if (!c)
		return;
	if (!c->shaken && !c->judged && !c->closing)
		pk_gate_refused(&c->all->audit, PK_GATE_UNFINISHED,
				c->address[0] ? c->address : "somebody", NULL);
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
	pk_conn_refused(c, PK_GATE_LATE);
	pk_conn_shut(c);
}

/* evhttp answered by itself. */
static void on_page(void *arg, const struct evbuffer *out, int status)
{
	struct pk_conns *s = arg;
	struct pk_conn *c = s->first;

	while (c && bufferevent_get_output(c->bev) != out)
		c = c->next;
	if (c)
		pk_conn_refused(c, status == 413 ? PK_GATE_TOO_LARGE : PK_GATE_MALFORMED);
}

int pk_conns_init(struct pk_conns *s, struct event_base *base, const struct pk_conf *conf)
{
	*s = (struct pk_conns){ .base = base, .conf = conf };
	s->audit.counts = &s->counts;
	s->page = (struct pk_page){ on_page, s };
	if (slot < 0)
		slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
	return slot < 0 ? -ENOMEM : 0;
}

/* Epoch, seconds. 0: it can not be read. */
static int64_t seconds_of(const ASN1_TIME *t)
{
	int days, s;

	return ASN1_TIME_diff(&days, &s, NULL, t) == 1 ? time(NULL) + days * 86400ll + s : 0;
}

void pk_conns_use(struct pk_conns *s, SSL_CTX *ctx)
{
	const X509 *cert = SSL_CTX_get0_certificate(ctx);

	s->counts.cert_from_s = cert ? seconds_of(X509_get0_notBefore(cert)) : 0;
	s->counts.cert_to_s = cert ? seconds_of(X509_get0_notAfter(cert)) : 0;
	SSL_CTX_free(s->ctx);
	s->ctx = ctx;
	SSL_CTX_set_info_callback(ctx, on_ssl_info);
	SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), on_verify);
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
	pk_conn_refused(victim, PK_GATE_EVICTED);
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
	if (pk_page_watch(c->bev, &s->page) < 0) {
		event_free(c->deadline);
		bufferevent_free(c->bev); /* with its SSL */
		free(c);
		return NULL;
	}
	s->counts.n[PK_GATE_ACCEPTED]++;
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
