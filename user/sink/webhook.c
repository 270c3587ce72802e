/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP POST of a JSON array of records, over HTTPS with the certificate checked. Any 2xx is the
 * receiver's acknowledgement; redirects are not followed. 400, 413, 415 and 422 mean that it will
 * never take this; everything else is tried again.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"
#include "sink/kinds.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <zlib.h>

#define CONNECT_S 5
#define WHOLE_S   15

struct webhook {
	CURL *curl;
	struct curl_slist *head;
	const atomic_bool *stop;
	bool gzip;
	struct pk_buf text, packed;
	char error[CURL_ERROR_SIZE];
};

static bool wanted(const struct pk_conf *c)
{
	return *c->sink_webhook;
}

static void close_webhook(void *state)
{
	struct webhook *w = state;

	curl_easy_cleanup(w->curl);
	curl_slist_free_all(w->head);
	pk_buf_done(&w->text);
	pk_buf_done(&w->packed);
	free(w);
}

static size_t ignore(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

static int progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct webhook *w = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return atomic_load(w->stop);
}

static bool add_head(struct webhook *w, const char *line)
{
	struct curl_slist *head = *line ? curl_slist_append(w->head, line) : w->head;

	if (!head)
		return !*line;
	w->head = head;
	return true;
}

static bool set_up(struct webhook *w, const struct pk_conf *c)
{
	CURL *h = w->curl;

	return h && add_head(w, "Content-Type: application/json") && add_head(w, "Expect:") &&
	       (!w->gzip || add_head(w, "Content-Encoding: gzip")) &&
	       add_head(w, c->sink_webhook_header) &&
	       !curl_easy_setopt(h, CURLOPT_URL, c->sink_webhook) &&
	       !curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !curl_easy_setopt(h, CURLOPT_HTTPHEADER, w->head) &&
	       !curl_easy_setopt(h, CURLOPT_USERAGENT, "picketd/" PK_VERSION) &&
	       !curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(h, CURLOPT_PROXY, "") &&
	       !curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) &&
	       !curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)WHOLE_S) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, ignore) &&
	       !curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, progress) &&
	       !curl_easy_setopt(h, CURLOPT_XFERINFODATA, w) &&
	       !curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L) &&
	       !curl_easy_setopt(h, CURLOPT_ERRORBUFFER, w->error) &&
	       (!*c->sink_ca || !curl_easy_setopt(h, CURLOPT_CAINFO, c->sink_ca));
}

static void init_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT); /* what fails there fails again later */
}

static int open_webhook(const struct pk_sink_env *env, void **ret_state)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct webhook *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	pthread_once(&once, init_curl);
	w->stop = env->stop;
	w->gzip = env->conf->sink_webhook_gzip;
	w->curl = curl_easy_init();
	if (!set_up(w, env->conf)) {
		close_webhook(w);
		return -EINVAL;
	}
	*ret_state = w;
	return 0;
}

static void write_array(struct pk_buf *out, const struct pk_sink_record *rec, size_t n)
{
	pk_buf_reset(out);
	for (size_t i = 0; i < n; i++) {
		pk_buf_char(out, i ? ',' : '[');
		pk_buf_add(out, rec[i].json, rec[i].len);
	}
	pk_buf_char(out, ']');
}

static int pack(const struct pk_buf *from, struct pk_buf *to)
{
	z_stream z = { .next_in = (Bytef *)from->data, .avail_in = (uInt)from->len };
	uint8_t piece[16384];
	int r;

	/* window 15, and 16 for the frame of gzip */
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY))
		return -ENOMEM;
	pk_buf_reset(to);
	do {
		z.next_out = piece;
		z.avail_out = sizeof(piece);
		r = deflate(&z, Z_FINISH);
		pk_buf_add(to, piece, sizeof(piece) - z.avail_out);
	} while (r == Z_OK);
	(void)deflateEnd(&z);
	return r == Z_STREAM_END ? to->error : -EIO;
}

static int judge(struct webhook *w, CURLcode c, char *why)
{
	long status = 0;

	if (c != CURLE_OK) {
		snprintf(why, PK_SINK_WHY, "%.159s",
			 w->error[0] ? w->error : curl_easy_strerror(c));
		return c == CURLE_ABORTED_BY_CALLBACK ? -ECANCELED : -EIO;
	}
	(void)curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return 0;
	snprintf(why, PK_SINK_WHY, "the receiver answers %ld", status);
	return status == 400 || status == 413 || status == 415 || status == 422 ? -EBADMSG : -EIO;
}

static int send_array(void *state, const struct pk_sink_record *rec, size_t n, size_t *ret_done,
		      char *why)
{
	struct webhook *w = state;
	const struct pk_buf *body = &w->text;
	int r;

	write_array(&w->text, rec, n);
	r = w->text.error;
	if (!r && w->gzip) {
		r = pack(&w->text, &w->packed);
		body = &w->packed;
	}
	if (r < 0)
		return r;
	w->error[0] = '\0';
	(void)curl_easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
	(void)curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, body->data);
	r = judge(w, curl_easy_perform(w->curl), why);
	if (!r)
		*ret_done = n;
	return r;
}

const struct pk_sink_kind pk_sink_webhook = { .name = "webhook",
					      .wanted = wanted,
					      .open = open_webhook,
					      .send = send_array,
					      .close = close_webhook };
