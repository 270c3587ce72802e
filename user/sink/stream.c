/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the socket and its TLS. Syslog has no acknowledgements: the best there is, is that the
 * peer's TCP has acknowledged all bytes, so that is waited for before anything counts as sent.
 */
#include "sink/stream.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "sink/kind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define WAIT_S  5
#define LOOK_MS 10

struct pk_sink_stream {
	char host[256], port[8], ca[256];
	bool tls;
	const atomic_bool *stop;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
};

/* HOST:PORT behind the scheme. */
static int split(struct pk_sink_stream *s, const char *at)
{
	const char *colon = strrchr(at, ':');
	size_t n = colon ? (size_t)(colon - at) : 0;
	char *end;

	if (n > 2 && at[0] == '[' && at[n - 1] == ']') {
		at++;
		n -= 2;
	}
	if (!n || n >= sizeof(s->host) || strlen(colon + 1) >= sizeof(s->port) ||
	    strtoul(colon + 1, &end, 10) - 1 >= 65535 || *end)
		return -EINVAL;
	memcpy(s->host, at, n);
	strcpy(s->port, colon + 1);
	return 0;
}

int pk_sink_stream_new(const char *url, const char *ca, const atomic_bool *stop,
		       struct pk_sink_stream **ret_stream)
{
	struct pk_sink_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->stop = stop;
	s->tls = strncmp(url, "tls://", 6) == 0;
	snprintf(s->ca, sizeof(s->ca), "%s", ca);
	if ((!s->tls && strncmp(url, "tcp://", 6) != 0) || split(s, url + 6) < 0) {
		free(s);
		return -EINVAL;
	}
	*ret_stream = s;
	return 0;
}

static void hang_up(struct pk_sink_stream *s)
{
	SSL_free(s->ssl);
	s->ssl = NULL;
	pk_closep(&s->fd);
	s->fd = -1;
}

void pk_sink_stream_free(struct pk_sink_stream *s)
{
	if (!s)
		return;
	if (s->ssl)
		(void)SSL_shutdown(s->ssl); /* one way: it says that nothing was cut */
	hang_up(s);
	SSL_CTX_free(s->ctx);
	free(s);
}

static int dial_one(const struct addrinfo *a)
{
	const struct timeval limit = { .tv_sec = WAIT_S };
	int one = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

	if (fd < 0)
		return -errno;
	/* the limit of sending is that of connecting, too */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
		int r = errno == EINPROGRESS ? -ETIMEDOUT : -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int dial(struct pk_sink_stream *s, char *why)
{
	struct addrinfo hint = { .ai_socktype = SOCK_STREAM }, *all = NULL;
	int r = getaddrinfo(s->host, s->port, &hint, &all);

	if (r) {
		snprintf(why, PK_SINK_WHY, "%.80s: %s", s->host, gai_strerror(r));
		return -EHOSTUNREACH;
	}
	r = -EHOSTUNREACH;
	for (struct addrinfo *a = all; a && s->fd < 0 && !atomic_load(s->stop); a = a->ai_next) {
		r = dial_one(a);
		if (r >= 0)
			s->fd = r;
	}
	freeaddrinfo(all);
	if (s->fd >= 0)
		return 0;
	snprintf(why, PK_SINK_WHY, "%.80s port %s: %s", s->host, s->port, strerror(-r));
	return r;
}

static int make_context(struct pk_sink_stream *s)
{
	if (s->ctx)
		return 0;
	s->ctx = SSL_CTX_new(TLS_client_method());
	if (!s->ctx)
		return -ENOMEM;
	SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION);
	(void)SSL_CTX_clear_mode(s->ctx, SSL_MODE_AUTO_RETRY);
	if (*s->ca ? SSL_CTX_load_verify_locations(s->ctx, s->ca, NULL) == 1
		   : SSL_CTX_set_default_verify_paths(s->ctx) == 1)
		return 0;
	SSL_CTX_free(s->ctx); /* the file may come later */
	s->ctx = NULL;
	return -ENOENT;
}

/* The certificate must be the host's that was asked for, by name or by address. */
static bool expect_host(struct pk_sink_stream *s)
{
	uint8_t addr[16];

	if (pk_ip_parse(s->host, addr) == 0)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), s->host) == 1;
	return SSL_set1_host(s->ssl, s->host) == 1 &&
	       SSL_set_tlsext_host_name(s->ssl, s->host) == 1;
}

static int shake_hands(struct pk_sink_stream *s, char *why)
{
	int r = make_context(s);
	long verdict;

	if (r < 0) {
		snprintf(why, PK_SINK_WHY, "certificates %.80s: can not be read", s->ca);
		return r;
	}
	s->ssl = SSL_new(s->ctx);
	if (!s->ssl || !expect_host(s) || SSL_set_fd(s->ssl, s->fd) != 1)
		return -ENOMEM;
	ERR_clear_error();
	if (SSL_connect(s->ssl) == 1)
		return 0;
	verdict = SSL_get_verify_result(s->ssl);
	snprintf(why, PK_SINK_WHY, "%.64s: TLS: %s", s->host,
		 verdict != X509_V_OK    ? X509_verify_cert_error_string(verdict)
		 : ERR_peek_last_error() ? ERR_reason_error_string(ERR_peek_last_error())
					 : "no answer");
	return -EPROTO;
}

/* Did the peer close it while we were silent? What it sends is read and not looked at. */
static bool is_closed(struct pk_sink_stream *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	char text[512];
	ssize_t n;

	if (poll(&p, 1, 0) <= 0)
		return false;
	if (!s->ssl) {
		n = recv(s->fd, text, sizeof(text), MSG_DONTWAIT);
		return n == 0 || (n < 0 && errno != EAGAIN);
	}
	n = SSL_read(s->ssl, text, sizeof(text));
	return n <= 0 && SSL_get_error(s->ssl, (int)n) != SSL_ERROR_WANT_READ;
}

static int write_all(struct pk_sink_stream *s, const char *data, size_t len)
{
	ssize_t n;

	for (size_t at = 0; at < len; at += (size_t)n) {
		if (atomic_load(s->stop))
			return -ECANCELED;
		ERR_clear_error();
		n = s->ssl ? SSL_write(s->ssl, data + at,
				       (int)(len - at > 16384 ? 16384 : len - at))
			   : send(s->fd, data + at, len - at, MSG_NOSIGNAL);
		if (n <= 0)
			return s->ssl || !errno ? -EPIPE : errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	return 0;
}

/* Until the peer's kernel has acknowledged every byte. */
static int wait_taken(const struct pk_sink_stream *s)
{
	struct pollfd p = { .fd = s->fd };
	int left;

	for (int ms = 0; ms < WAIT_S * 1000; ms += LOOK_MS) {
		if (ioctl(s->fd, SIOCOUTQ, &left) < 0)
			return -errno;
		if (!left)
			return 0;
		if (poll(&p, 1, LOOK_MS) > 0) /* an error or a hang-up */
			return -ECONNRESET;
		if (atomic_load(s->stop))
			return -ECANCELED;
	}
	return -ETIMEDOUT;
}

int pk_sink_stream_send(struct pk_sink_stream *s, const void *data, size_t len, char *why)
{
	int r = 0;

	*why = '\0';
	if (s->fd >= 0 && is_closed(s))
		hang_up(s);
	if (s->fd < 0) {
		r = dial(s, why);
		if (!r && s->tls)
			r = shake_hands(s, why);
	}
	if (!r)
		r = write_all(s, data, len);
	if (!r)
		r = wait_taken(s);
	if (r < 0) {
		if (!*why)
			snprintf(why, PK_SINK_WHY, "%.80s: %s", s->host, strerror(-r));
		hang_up(s);
	}
	return r;
}
