/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl on a libevent loop. It reads no file: certificates are memory, and its configuration is
 * what stands here. Names are resolved by libcurl's threads.
 */
#include "pull/fetch.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <string.h>
#include <strings.h>

#define CONNECT_MS  10000
#define REDIRECTS   3
#define HEADERS_MAX 65536 /* bytes, of all answers on the way */
#define IDLE_MAX    8     /* connections kept for the next time */
#define FILES_MAX   4     /* that are as large as they may be, at once */

struct pk_fetcher {
	struct event_base *base;
	const struct pk_conf *conf;
	CURLM *multi;
	struct event *timer, *done;
	struct pk_buf ca, cert, key;
	uint64_t bytes; /* of all bodies that are there */
};

struct fetch {
	struct pk_fetcher *f;
	CURL *curl;
	struct curl_slist *head;
	pk_fetch_done done;
	void *arg;
	struct pk_fetched got;
	size_t head_bytes;
	bool too_large, no_room, asked; /* asked: whether it has changed */
	char error[CURL_ERROR_SIZE];
};

static void fetch_free(struct fetch *f)
{
	if (f->curl) {
		(void)curl_multi_remove_handle(f->f->multi,
					       f->curl); /* also when it is not there */
		curl_easy_cleanup(f->curl);
	}
	curl_slist_free_all(f->head);
	if (f->got.body) {
		pk_fetcher_release(f->f, evbuffer_get_length(f->got.body));
		evbuffer_free(f->got.body);
	}
	free(f);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;
	size_t len = size * n;

	if (evbuffer_get_length(f->got.body) + len > f->f->conf->pull_bytes_max) {
		f->too_large = true;
		return 0;
	}
	f->no_room = f->f->bytes + len > FILES_MAX * f->f->conf->pull_bytes_max ||
		     evbuffer_add(f->got.body, data, len) < 0;
	if (f->no_room)
		return 0;
	f->f->bytes += len;
	return len;
}

/* The value of a header line if it is of this name and printable, else "". */
static void take_value(const char *line, size_t len, const char *name, char *to, size_t size)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return;
	for (line += ++n, len -= n; len && (*line == ' ' || *line == '\t'); line++)
		len--;
	while (len && (line[len - 1] == '\n' || line[len - 1] == '\r' || line[len - 1] == ' '))
		len--;
	*to = '\0';
	if (len >= size)
		return; /* asked for whole the next time */
	for (size_t i = 0; i < len; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			return;
	memcpy(to, line, len);
	to[len] = '\0';
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;
	size_t len = size * n;

	f->head_bytes += len;
	if (f->head_bytes > HEADERS_MAX) {
		f->too_large = true;
		return 0;
	}
	if (len > 5 && memcmp(data, "HTTP/", 5) == 0) /* the answer after a redirect begins anew */
		f->got.tags = (struct pk_fetch_tags){ 0 };
	take_value(data, len, "ETag", f->got.tags.etag, sizeof(f->got.tags.etag));
	take_value(data, len, "Last-Modified", f->got.tags.modified, sizeof(f->got.tags.modified));
	return len;
}

static void judge_status(struct fetch *f)
{
	struct pk_fetched *g = &f->got;
	curl_off_t wait_s = 0;

	if (g->status == 200) {
		g->outcome = PK_PULL_ACCEPTED;
		return;
	}
	if (g->status == 304 && f->asked) {
		g->outcome = PK_PULL_UNCHANGED;
		return;
	}
	g->outcome = PK_PULL_BAD_ANSWER;
	(void)curl_easy_getinfo(f->curl, CURLINFO_RETRY_AFTER, &wait_s); /* stays 0 */
	g->wait_ns = wait_s > 0 && wait_s < UINT32_MAX ? (uint64_t)wait_s * 1000000000 : 0;
	snprintf(g->why, sizeof(g->why), "the mirror answers %d", g->status);
}

static void judge(struct fetch *f, CURLcode c)
{
	struct pk_fetched *g = &f->got;
	long status = 0;

	(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status); /* stays 0 */
	g->status = status > 0 && status <= 999 ? (int)status : 0;
	if (c == CURLE_OK) {
		judge_status(f);
		return;
	}
	if (f->too_large || c == CURLE_FILESIZE_EXCEEDED) {
		g->outcome = PK_PULL_TOO_LARGE;
		snprintf(g->why, sizeof(g->why), "%s",
			 f->head_bytes > HEADERS_MAX ? "the answer's headers are too large"
						     : "it is larger than pull.size_max");
		return;
	}
	if (f->no_room) {
		g->outcome = PK_PULL_TOO_LARGE;
		snprintf(g->why, sizeof(g->why), "too much else is on its way");
		return;
	}
	g->outcome = c == CURLE_UNSUPPORTED_PROTOCOL || c == CURLE_TOO_MANY_REDIRECTS
			     ? PK_PULL_BAD_ANSWER
			     : PK_PULL_UNREACHABLE;
	if (c == CURLE_UNSUPPORTED_PROTOCOL)
		snprintf(g->why, sizeof(g->why), "the mirror sends elsewhere, not by https");
	else
		pk_pull_text(g->why, sizeof(g->why), *f->error ? f->error : curl_easy_strerror(c));
}

/* Those that are over: told from the loop, so that what is told may ask again. */
static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct pk_fetcher *all = arg;
	CURLMsg *m;
	int left;

	(void)fd, (void)what;
	while ((m = curl_multi_info_read(all->multi, &left))) {
		struct fetch *f = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&f);
		judge(f, m->data.result);
		f->done(f->arg, &f->got);
		fetch_free(f);
	}
}

static void act(struct pk_fetcher *f, curl_socket_t fd, int what)
{
	int running;

	(void)curl_multi_socket_action(f->multi, fd, what, &running); /* what fails is told below */
	event_active(f->done, EV_TIMEOUT, 0);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	act(arg, fd,
	    (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl waits for this socket, or no more. */
static int set_socket(CURL *curl, curl_socket_t fd, int what, void *arg, void *event)
{
	struct pk_fetcher *f = arg;
	short events = EV_PERSIST;

	(void)curl;
	if (event)
		event_free(event);
	(void)curl_multi_assign(f->multi, fd, NULL); /* it may be closed by now */
	if (what == CURL_POLL_REMOVE)
		return 0;
	events |= what & CURL_POLL_IN ? EV_READ : 0;
	events |= what & CURL_POLL_OUT ? EV_WRITE : 0;
	event = event_new(f->base, fd, events, on_event, f);
	if (!event || event_add(event, NULL) < 0) {
		if (event)
			event_free(event);
		return -1; /* the transfer fails */
	}
	return curl_multi_assign(f->multi, fd, event) ? -1 : 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct pk_fetcher *f = arg;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		return evtimer_del(f->timer);
	return evtimer_add(f->timer, &tv);
}

int pk_fetcher_new(struct event_base *base, const struct pk_conf *conf,
		   struct pk_fetcher **ret_fetcher)
{
	struct pk_fetcher *f = calloc(1, sizeof(*f));

	if (!f || curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM; /* the process ends now, and all that is its with it */
	f->base = base;
	f->conf = conf;
	f->multi = curl_multi_init();
	f->timer = evtimer_new(base, on_timer, f);
	f->done = event_new(base, -1, 0, on_done, f);
	if (!f->multi || !f->timer || !f->done ||
	    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, set_socket) ||
	    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) ||
	    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, set_timer) ||
	    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f) ||
	    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_MAX))
		return -ENOMEM;
	*ret_fetcher = f;
	return 0;
}

static void take(struct pk_buf *to, struct pk_buf *from)
{
	pk_buf_done(to);
	*to = *from;
	*from = (struct pk_buf){ 0 };
}

void pk_fetcher_use(struct pk_fetcher *f, struct pk_buf *ca, struct pk_buf *cert,
		    struct pk_buf *key)
{
	take(&f->ca, ca);
	take(&f->cert, cert);
	take(&f->key, key);
}

void pk_fetcher_release(struct pk_fetcher *f, size_t bytes)
{
	f->bytes -= bytes;
}

static bool set_blob(CURL *h, CURLoption o, const struct pk_buf *b)
{
	struct curl_blob blob = { b->data, b->len, CURL_BLOB_COPY };

	return !b->len || !curl_easy_setopt(h, o, &blob);
}

static bool set_tls(CURL *h, const struct pk_fetcher *f)
{
	return !curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       !curl_easy_setopt(h, CURLOPT_CAINFO, NULL) &&
	       !curl_easy_setopt(h, CURLOPT_CAPATH, NULL) &&
	       set_blob(h, CURLOPT_CAINFO_BLOB, &f->ca) &&
	       set_blob(h, CURLOPT_SSLCERT_BLOB, &f->cert) &&
	       set_blob(h, CURLOPT_SSLKEY_BLOB, &f->key);
}

static bool set_bounds(CURL *h, const struct pk_conf *c)
{
	long ms = (long)(c->pull_timeout_ns / 1000000);

	return !curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https") &&
	       !curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "https") &&
	       !curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L) &&
	       !curl_easy_setopt(h, CURLOPT_MAXREDIRS, (long)REDIRECTS) &&
	       !curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       !curl_easy_setopt(h, CURLOPT_PROXY, "") &&
	       !curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) &&
	       /* a name that nobody resolves in time must not hold up the loop until somebody does
		*/
	       !curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L) &&
	       !curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, ms) &&
	       !curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, ms < CONNECT_MS ? ms : CONNECT_MS) &&
	       !curl_easy_setopt(h, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)c->pull_bytes_max);
}

static bool add_head(struct fetch *f, const char *name, const char *value)
{
	char line[1100];
	struct curl_slist *head;

	if (!*value)
		return true;
	snprintf(line, sizeof(line), "%s%s", name, value);
	head = curl_slist_append(f->head, line);
	if (!head)
		return false;
	f->head = head;
	return true;
}

static bool set_up(struct fetch *f, const char *url, const struct pk_fetch_tags *tags)
{
	const struct pk_conf *c = f->f->conf;
	CURL *h = f->curl;

	return f->got.body && h && set_tls(h, f->f) && set_bounds(h, c) &&
	       add_head(f, "If-None-Match: ", tags->etag) &&
	       add_head(f, "If-Modified-Since: ", tags->modified) &&
	       add_head(f, "", c->pull_header) && !curl_easy_setopt(h, CURLOPT_URL, url) &&
	       !curl_easy_setopt(h, CURLOPT_HTTPHEADER, f->head) &&
	       !curl_easy_setopt(h, CURLOPT_USERAGENT, "picketd/" PK_VERSION) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEDATA, f) &&
	       !curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header) &&
	       !curl_easy_setopt(h, CURLOPT_HEADERDATA, f) &&
	       !curl_easy_setopt(h, CURLOPT_ERRORBUFFER, f->error) &&
	       !curl_easy_setopt(h, CURLOPT_PRIVATE, f);
}

int pk_fetch(struct pk_fetcher *all, const char *url, const struct pk_fetch_tags *tags,
	     pk_fetch_done done, void *arg)
{
	struct fetch *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->f = all;
	f->done = done;
	f->arg = arg;
	f->asked = *tags->etag || *tags->modified;
	f->got.body = evbuffer_new();
	f->curl = curl_easy_init();
	if (!set_up(f, url, tags) || curl_multi_add_handle(all->multi, f->curl)) {
		fetch_free(f);
		return -ENOMEM;
	}
	return 0;
}
