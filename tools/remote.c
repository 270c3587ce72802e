/* SPDX-License-Identifier: Apache-2.0 */
/* A queue in front of curl's multi interface. Each request has a connection of its own. */
#include "remote.h"

#include "base/cleanup.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX  (64u << 20)
#define CONNECT_S 5L
#define WHOLE_S   180L

struct request {
	struct pk_remote_ask ask;
	struct request *next;
	char *url;
	CURL *curl;
	struct curl_slist *head;
	struct pk_buf body;
	char error[CURL_ERROR_SIZE];
};

struct pk_remote {
	char *cert, *key, *ca;
	CURLM *multi;
	struct request *first, **last; /* that wait */
	unsigned parallel, going;
};

struct pk_remote *pk_remote_new(const struct pk_remote_as *as, unsigned parallel)
{
	struct pk_remote *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->cert = strdup(as->cert);
	r->key = strdup(as->key);
	r->ca = strdup(as->ca);
	r->parallel = parallel;
	r->last = &r->first;
	r->multi = curl_multi_init();
	if (r->multi && r->cert && r->key && r->ca)
		return r;
	pk_remote_free(r);
	return NULL;
}

static void request_free(struct request *q)
{
	curl_easy_cleanup(q->curl);
	curl_slist_free_all(q->head);
	free(q->url);
	pk_buf_done(&q->body);
	free(q);
}

void pk_remote_free(struct pk_remote *r)
{
	struct request *q;

	if (!r)
		return;
	while ((q = r->first)) {
		r->first = q->next;
		request_free(q);
	}
	if (r->multi)
		curl_multi_cleanup(r->multi);
	free(r->cert);
	free(r->key);
	free(r->ca);
	free(r);
}

int pk_remote_ask(struct pk_remote *r, const struct pk_remote_ask *ask)
{
	struct request *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->ask = *ask;
	q->body.max = BODY_MAX;
	if (asprintf(&q->url, "https://%s%s", ask->host, ask->path) < 0) {
		free(q);
		return -ENOMEM;
	}
	*r->last = q;
	r->last = &q->next;
	return 0;
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct request *q = arg;

	pk_buf_add(&q->body, data, size * n);
	return q->body.error ? 0 : size * n;
}

static bool set_coding(struct request *q)
{
	char text[64];

	if (!q->ask.coding)
		return true;
	snprintf(text, sizeof(text), "Content-Encoding: %s", q->ask.coding);
	q->head = curl_slist_append(NULL, text);
	curl_easy_setopt(q->curl, CURLOPT_HTTPHEADER, q->head);
	return q->head;
}

static bool prepare(struct pk_remote *r, struct request *q)
{
	CURL *c = q->curl = curl_easy_init();

	if (!c)
		return false;
	curl_easy_setopt(c, CURLOPT_URL, q->url);
	curl_easy_setopt(c, CURLOPT_PRIVATE, q);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(c, CURLOPT_SSLCERT, r->cert);
	curl_easy_setopt(c, CURLOPT_SSLKEY, r->key);
	curl_easy_setopt(c, CURLOPT_CAINFO, r->ca);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, WHOLE_S);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, q->error);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, q);
	if (strcmp(q->ask.method, "GET") != 0) {
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->ask.method);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->ask.len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->ask.len ? q->ask.body : "");
	}
	return set_coding(q) && curl_multi_add_handle(r->multi, c) == CURLM_OK;
}

static void finish(struct request *q, CURLcode code)
{
	const struct pk_remote_ask ask = q->ask;
	long status = 0;

	if (code == CURLE_OK)
		curl_easy_getinfo(q->curl, CURLINFO_RESPONSE_CODE, &status);
	ask.done(ask.arg, status, q->body.data ? q->body.data : "", q->body.len,
		 *q->error ? q->error : curl_easy_strerror(code));
	request_free(q);
}

static void start_more(struct pk_remote *r)
{
	while (r->first && r->going < r->parallel) {
		struct request *q = r->first;

		r->first = q->next;
		if (!r->first)
			r->last = &r->first;
		if (prepare(r, q))
			r->going++;
		else
			finish(q, CURLE_OUT_OF_MEMORY);
	}
}

/* Those that are over. False: none is. */
static bool take_finished(struct pk_remote *r)
{
	bool any = false;
	CURLMsg *m;
	int n;

	while ((m = curl_multi_info_read(r->multi, &n))) {
		CURL *c = m->easy_handle;
		CURLcode code = m->data.result;
		struct request *q;

		curl_easy_getinfo(c, CURLINFO_PRIVATE, (char **)&q);
		(void)curl_multi_remove_handle(r->multi, c); /* it is there */
		r->going--;
		finish(q, code);
		any = true;
	}
	return any;
}

void pk_remote_run(struct pk_remote *r, void (*idle)(void *arg), void *arg)
{
	bool any;
	int n;

	for (start_more(r); r->going; start_more(r)) {
		(void)curl_multi_perform(r->multi, &n); /* what fails shows as a message */
		any = take_finished(r);
		if (idle)
			idle(arg);
		if (!any) /* else who was told may have asked for more: that begins at once */
			(void)curl_multi_poll(r->multi, NULL, 0, 100, NULL);
	}
}
