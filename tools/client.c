/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP is libcurl's; here are addresses, lines and complaints. */
#include "client.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "session.h"
#include "table.h"

#include <curl/curl.h>
#include <errno.h>
#include <picket/api.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BODY_MAX          (256u << 20)
#define TAKE_BYTES        (512L << 10) /* at once, where much comes: the most that libcurl knows */
#define PROGRESS_AFTER_MS 500

static void curl_freep(CURL **c)
{
	curl_easy_cleanup(*c);
}

void pk_client_init(struct pk_client *c, const char *socket)
{
	if (!socket)
		socket = getenv("PICKET_SOCKET");
	c->socket = socket && *socket ? socket : PK_API_SOCKET;
}

char *pk_client_path(const char *path, const char *const query[])
{
	_cleanup_(curl_freep) CURL *curl = curl_easy_init();
	struct pk_buf b = {};
	char sep = '?';

	if (!curl)
		return NULL;
	pk_buf_str(&b, path);
	for (; query && query[0]; query += 2) {
		char *value = query[1] ? curl_easy_escape(curl, query[1], 0) : NULL;

		if (!value)
			continue;
		pk_buf_fmt(&b, "%c%s=%s", sep, query[0], value);
		curl_free(value);
		sep = '&';
	}
	if (b.error)
		pk_buf_done(&b);
	return b.data;
}

static const char *query_value(const char *const query[], const char *name)
{
	for (; query && query[0]; query += 2)
		if (!strcmp(query[0], name))
			return query[1];
	return NULL;
}

static void add_text(struct pk_buf *out, const char *s)
{
	pk_escape_text(out, s, strlen(s));
}

/* The filter with a mark below the place the daemon names. */
static void add_caret(struct pk_buf *out, const char *filter, json_t *offset)
{
	_cleanup_(pk_buf_done) struct pk_buf before = {};
	json_int_t at = json_integer_value(offset);

	if (!filter || !json_is_integer(offset) || at < 0 || (size_t)at > strlen(filter))
		return;
	pk_buf_str(out, "\n  ");
	add_text(out, filter);
	/* The offset is in bytes of the filter, the mark in columns of what is shown. */
	pk_escape_text(&before, filter, (size_t)at);
	pk_buf_fmt(out, "\n  %*s^", before.data ? (int)pk_text_width(before.data) : 0, "");
}

void pk_client_problem(struct pk_buf *out, const char *socket, const char *filter, long status,
		       const char *body, size_t len, const char *curl_error)
{
	json_t *problem;
	const char *detail;

	if (!status) {
		pk_buf_str(out, "no answer on ");
		add_text(out, socket);
		pk_buf_fmt(out, ": %s\n", curl_error);
		pk_buf_str(out, "Is picketd running, and may you use its socket (root or group "
				"picket)? Start it with: sudo systemctl start picketd");
		return;
	}
	problem = json_loadb(body, len, 0, NULL);
	detail = json_string_value(json_object_get(problem, "detail"));
	if (detail)
		add_text(out, detail);
	else
		pk_buf_fmt(out, "the daemon answered with status %ld", status);
	add_caret(out, filter, json_object_get(problem, "offset"));
	json_decref(problem);
}

struct transfer {
	CURL *curl;
	struct pk_buf buf;
	const struct pk_client_ask *ask; /* NULL: GET */
	FILE *to;                        /* not NULL: a good answer goes there */
	struct timespec began;
	bool shown;                          /* progress is on the terminal */
	const struct pk_client_taker *taker; /* or there */
	bool (*line)(void *arg, json_t *object);
	void *arg;
	bool ended; /* by line() or the taker */
	char error[CURL_ERROR_SIZE];
};

/* Hands out whole lines as they come; anything else waits in the buffer. */
static bool hand_out(struct transfer *t)
{
	char *at = t->buf.data, *nl;

	while (at && (nl = memchr(at, '\n', t->buf.len - (size_t)(at - t->buf.data)))) {
		json_t *o = json_loadb(at, (size_t)(nl - at), 0, NULL);
		bool more = !o || t->line(t->arg, o);

		json_decref(o);
		if (!more)
			return false;
		at = nl + 1;
	}
	if (at) {
		size_t rest = t->buf.len - (size_t)(at - t->buf.data);

		memmove(t->buf.data, at, rest);
		t->buf.len = rest;
	}
	return true;
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (t->to && status == 200)
		return fwrite(data, size, n, t->to);
	if (t->taker && status == 200) {
		t->ended = t->ended || !t->taker->data(t->taker->arg, data, size * n);
		return t->ended ? 0 : size * n;
	}
	pk_buf_add(&t->buf, data, size * n);
	if (t->buf.error)
		return 0;
	if (t->line && status == 200 && !hand_out(t)) {
		t->ended = true;
		return 0;
	}
	return size * n;
}

static void clear_progress(struct transfer *t)
{
	if (t->shown)
		fputs("\r\x1b[K", stderr);
	t->shown = false;
}

/* Says how far it is, once it takes longer than people like to wait for nothing. */
static int on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
		       curl_off_t up)
{
	_cleanup_(pk_buf_done) struct pk_buf text = {};
	struct transfer *t = arg;
	struct timespec now;

	(void)down_all;
	if (down > 0) {
		clear_progress(t);
		return 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((now.tv_sec - t->began.tv_sec) * 1000 + (now.tv_nsec - t->began.tv_nsec) / 1000000 <
	    PROGRESS_AFTER_MS)
		return 0;
	if (up < up_all) {
		pk_buf_str(&text, "sending ");
		add_text(&text, t->ask->progress);
		pk_buf_fmt(&text, ": %d %% of ", (int)(100 * up / up_all));
		pk_human_bytes(&text, (double)up_all);
		pk_buf_char(&text, 'B');
	} else {
		pk_buf_str(&text, "sent, the daemon is at work on ");
		add_text(&text, t->ask->progress);
	}
	fprintf(stderr, "\r%.70s\x1b[K", text.data ? text.data : "");
	t->shown = true;
	return 0;
}

static size_t on_head(char *line, size_t size, size_t n, void *arg)
{
	const struct transfer *t = arg;
	size_t len = size * n, name = strlen(t->taker->head);
	char value[256];

	if (len <= name || strncasecmp(line, t->taker->head, name) != 0 || line[name] != ':' ||
	    len - name >= sizeof(value))
		return len;
	memcpy(value, line + name + 1, len - name - 1);
	value[len - name - 1] = '\0';
	value[strcspn(value, "\r\n")] = '\0';
	t->taker->value(t->taker->arg, value + strspn(value, " \t"));
	return len;
}

static int on_idle(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
		   curl_off_t up)
{
	struct transfer *t = arg;

	(void)down_all;
	(void)down;
	(void)up_all;
	(void)up;
	t->ended = t->ended || !t->taker->idle(t->taker->arg);
	return t->ended;
}

static void set_taker(struct transfer *t)
{
	curl_easy_setopt(t->curl, CURLOPT_BUFFERSIZE, TAKE_BYTES);
	curl_easy_setopt(t->curl, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(t->curl, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(t->curl, CURLOPT_XFERINFOFUNCTION, on_idle);
	curl_easy_setopt(t->curl, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(t->curl, CURLOPT_NOPROGRESS, 0L);
}

static void set_body(struct transfer *t)
{
	curl_easy_setopt(t->curl, CURLOPT_CUSTOMREQUEST, t->ask->method);
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->ask->len);
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, t->ask->body ? t->ask->body : "");
	if (!t->ask->progress || !isatty(STDERR_FILENO))
		return;
	clock_gettime(CLOCK_MONOTONIC, &t->began);
	curl_easy_setopt(t->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(t->curl, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(t->curl, CURLOPT_NOPROGRESS, 0L);
}

static int add_head(struct curl_slist **list, const char *text)
{
	struct curl_slist *more = curl_slist_append(*list, text);

	if (!more)
		return -ENOMEM;
	*list = more;
	return 0;
}

/* Own heads: where the person sits; no waiting for "100 Continue" on a local socket. */
static int add_heads(struct curl_slist **list, const struct pk_client_ask *ask)
{
	char session[PK_SESSION_MAX], text[PK_SESSION_MAX + 32], tag[96];
	int r = add_head(list, "Expect:");

	if (!r && pk_session_address(session)) {
		snprintf(text, sizeof(text), PK_API_SESSION ": %s", session);
		r = add_head(list, text);
	}
	if (!r && ask && ask->if_match) {
		snprintf(tag, sizeof(tag), "If-Match: \"%s\"", ask->if_match);
		r = add_head(list, tag);
	}
	return r;
}

static void heads_freep(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

/* 0, or the exit status with the complaint in error. */
static int perform(const struct pk_client *c, struct transfer *t, const char *path,
		   const char *const query[], struct pk_buf *error)
{
	_cleanup_free_ char *full = pk_client_path(path, query);
	_cleanup_(heads_freep) struct curl_slist *head = NULL;
	_cleanup_(pk_buf_done) struct pk_buf url = {};
	long status = 0;
	CURLcode r;

	if (add_heads(&head, t->ask) < 0)
		return 1; /* no memory: told as that */
	t->buf.max = BODY_MAX;
	pk_buf_fmt(&url, "http://picket%s", full ? full : path);
	curl_easy_setopt(t->curl, CURLOPT_URL, url.data);
	curl_easy_setopt(t->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(t->curl, CURLOPT_USERAGENT, "picket/" PK_VERSION);
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, head);
	if (t->ask)
		set_body(t);
	if (t->taker)
		set_taker(t);
	r = curl_easy_perform(t->curl);
	clear_progress(t);
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (t->ended || (r == CURLE_OK && status >= 200 && status < 300))
		return 0;
	if (status >= 200 && status < 300)
		pk_buf_fmt(error, "the connection to the daemon ended: %s",
			   t->error[0] ? t->error : curl_easy_strerror(r));
	else
		pk_client_problem(error, c->socket, query_value(query, "filter"), status,
				  t->buf.data, t->buf.len,
				  t->error[0] ? t->error : curl_easy_strerror(r));
	return status == 400 ? 2 : 1;
}

static int complain(int r, const struct pk_buf *error)
{
	if (r)
		fprintf(stderr, "picket: %s\n", error->len ? error->data : "out of memory");
	return r;
}

int pk_client_fetch(const struct pk_client *c, const char *path, const char *const query[],
		    json_t **ret_body, struct pk_buf *error)
{
	_cleanup_(curl_freep) CURL *curl = curl_easy_init();
	struct transfer t = { .curl = curl };
	json_error_t bad;
	int r;

	if (!curl)
		return 1;
	r = perform(c, &t, path, query, error);
	if (!r) {
		*ret_body = json_loadb(t.buf.data ? t.buf.data : "", t.buf.len, 0, &bad);
		if (!*ret_body) {
			pk_buf_fmt(error, "the daemon's answer is not JSON: %s", bad.text);
			r = 1;
		}
	}
	pk_buf_done(&t.buf);
	return r;
}

int pk_client_send(const struct pk_client *c, const struct pk_client_ask *ask, json_t **ret_body,
		   json_t **ret_problem, struct pk_buf *error)
{
	_cleanup_(curl_freep) CURL *curl = curl_easy_init();
	struct transfer t = { .curl = curl, .ask = ask };
	json_t *answer;
	int r;

	if (!curl)
		return 1;
	r = perform(c, &t, ask->path, ask->query, error);
	answer = json_loadb(t.buf.data ? t.buf.data : "", t.buf.len, 0, NULL);
	pk_buf_done(&t.buf);
	if (!r && answer) {
		*ret_body = answer;
		return 0;
	}
	if (!r) {
		pk_buf_str(error, "the daemon's answer is not JSON");
		r = 1;
	}
	if (ret_problem)
		*ret_problem = answer;
	else
		json_decref(answer);
	return r;
}

int pk_client_copy(const struct pk_client *c, const char *path, FILE *to)
{
	_cleanup_(curl_freep) CURL *curl = curl_easy_init();
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	struct transfer t = { .curl = curl, .to = to };
	int r;

	if (!curl)
		return 1;
	r = perform(c, &t, path, NULL, &error);
	pk_buf_done(&t.buf);
	return complain(r, &error);
}

int pk_client_get(const struct pk_client *c, const char *path, const char *const query[],
		  json_t **ret_body)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};

	return complain(pk_client_fetch(c, path, query, ret_body, &error), &error);
}

int pk_client_stream(const struct pk_client *c, const char *path, const char *const query[],
		     bool (*line)(void *arg, json_t *object), void *arg)
{
	_cleanup_(curl_freep) CURL *curl = curl_easy_init();
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	struct transfer t = { .curl = curl, .line = line, .arg = arg };
	int r;

	if (!curl)
		return 1;
	r = perform(c, &t, path, query, &error);
	pk_buf_done(&t.buf);
	return complain(r, &error);
}

int pk_client_take(const struct pk_client *c, const char *path, const char *const query[],
		   const struct pk_client_taker *taker)
{
	_cleanup_(curl_freep) CURL *curl = curl_easy_init();
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	struct transfer t = { .curl = curl, .taker = taker };
	int r;

	if (!curl)
		return 1;
	r = perform(c, &t, path, query, &error);
	pk_buf_done(&t.buf);
	return complain(r, &error);
}
