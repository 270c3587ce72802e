/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To a stream of NATS JetStream, as "picket.TENANT.HOST.alerts". A batch is published at once; each
 * record is with the receiver when the stream's acknowledgement came. Its message id is made of its
 * uid and its content: a try again is dropped by the server, and nobody can take the id of a record
 * that he does not know. Whatever goes wrong ends the connection: the next try begins anew, with
 * files read again and another server if need be.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "conf/conf.h"
#include "nats/connect.h"
#include "nats/subject.h"
#include "sink/kinds.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define ACK_MS     5000
#define LOOK_MS    200 /* how soon an end is noticed */
#define BATCH_MAX  64
#define ID_MAX     192
#define HASH_BYTES 16 /* of SHA-256 */
#define ID_HEADER  "Nats-Msg-Id"

/* Of one record; the library's threads write it under the lock. */
struct answer {
	char id[ID_MAX];
	bool came;
	natsStatus status;
	jsErrCode code;
	char text[PK_SINK_WHY];
};

struct nats_sink {
	const struct pk_conf *conf;
	const char *hostname;
	const atomic_bool *stop;
	char subject[PK_NATS_SUBJECT_MAX];
	natsConnection *conn;
	jsCtx *js;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t news;
	struct answer answer[BATCH_MAX];
	size_t asked, waiting;
	char trouble[PK_SINK_WHY]; /* what the server says besides */
};

static bool wanted(const struct pk_conf *c)
{
	return c->sink_nats;
}

static void disconnect(struct nats_sink *n)
{
	jsCtx_Destroy(PK_TAKE(n->js));
	natsConnection_Destroy(PK_TAKE(n->conn));
}

static void close_nats(void *state)
{
	struct nats_sink *n = state;

	disconnect(n);
	pthread_cond_destroy(&n->news);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

static int open_nats(const struct pk_sink_env *env, void **ret_state)
{
	struct nats_sink *n = calloc(1, sizeof(*n));
	pthread_condattr_t attr;
	int r;

	if (!n)
		return -ENOMEM;
	n->conf = env->conf;
	n->hostname = env->hostname;
	n->stop = env->stop;
	pthread_mutex_init(&n->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&n->news, &attr);
	pthread_condattr_destroy(&attr);
	r = pk_nats_subject(env->conf->nats_tenant, pk_nats_host(env->conf, env->hostname),
			    "alerts", n->subject);
	if (!r && !env->conf->nats_servers.n)
		r = -EDESTADDRREQ;
	if (r < 0) {
		close_nats(n);
		return r;
	}
	*ret_state = n;
	return 0;
}

/* As "Permissions Violation for Publish to ...": no answer follows. */
static void on_error(natsConnection *conn, natsSubscription *sub, natsStatus s, void *arg)
{
	struct nats_sink *n = arg;
	const char *text = NULL;

	(void)sub;
	(void)natsConnection_GetLastError(conn, &text);
	pthread_mutex_lock(&n->lock);
	snprintf(n->trouble, sizeof(n->trouble), "%s",
		 text && *text ? text : natsStatus_GetText(s));
	pthread_cond_signal(&n->news);
	pthread_mutex_unlock(&n->lock);
}

/* The message is ours to free; whose answer it is says its id. */
static void on_answer(jsCtx *js, natsMsg *msg, jsPubAck *ack, jsPubAckErr *error, void *arg)
{
	struct nats_sink *n = arg;
	const char *id = NULL;

	(void)js;
	(void)ack;
	(void)natsMsgHeader_Get(msg, ID_HEADER, &id);
	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; id && i < n->asked; i++) {
		struct answer *a = &n->answer[i];

		if (a->came || strcmp(a->id, id) != 0)
			continue;
		a->came = true;
		a->status = error ? error->Err : NATS_OK;
		a->code = error ? error->ErrCode : 0;
		snprintf(a->text, sizeof(a->text), "%s",
			 error && error->ErrText ? error->ErrText : "");
		n->waiting--;
		pthread_cond_signal(&n->news);
		break;
	}
	pthread_mutex_unlock(&n->lock);
	natsMsg_Destroy(msg);
}

static int connect_now(struct nats_sink *n, char *why)
{
	const struct pk_nats_opts o = { .conf = n->conf,
					.host = n->hostname,
					.name = "picketd",
					.on_error = on_error,
					.arg = n };
	jsOptions js;
	natsStatus s;
	int r = pk_nats_connect(&o, &n->conn, why, PK_SINK_WHY);

	if (r < 0)
		return r;
	(void)jsOptions_Init(&js);
	js.Wait = ACK_MS;
	js.PublishAsync.AckHandler = on_answer;
	js.PublishAsync.AckHandlerClosure = n;
	s = natsConnection_JetStream(&n->js, n->conn, &js);
	if (s == NATS_OK)
		return 0;
	pk_nats_why(s, "JetStream", why, PK_SINK_WHY);
	return -EIO;
}

static int write_id(const struct pk_sink_record *rec, char id[ID_MAX])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char hex[2 * HASH_BYTES + 1];

	if (EVP_Digest(rec->json, rec->len, hash, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	pk_hex(hash, HASH_BYTES, hex);
	snprintf(id, ID_MAX, "%.*s:%s", ID_MAX - (int)sizeof(hex) - 1, rec->uid, hex);
	return 0;
}

/* Failures here are an answer of their own. */
static void publish(struct nats_sink *n, const struct pk_sink_record *rec, struct answer *a)
{
	jsPubOptions o;
	natsStatus s;

	(void)jsPubOptions_Init(&o);
	o.MsgId = a->id;
	o.ExpectStream = n->conf->nats_stream;
	s = js_PublishAsync(n->js, n->subject, rec->json, (int)rec->len, &o);
	if (s == NATS_OK)
		return;
	pthread_mutex_lock(&n->lock);
	if (!a->came) {
		a->came = true;
		a->status = s;
		pk_nats_why(s, "can not publish", a->text, sizeof(a->text));
		n->waiting--;
	}
	pthread_mutex_unlock(&n->lock);
}

static int publish_all(struct nats_sink *n, const struct pk_sink_record *rec, size_t count)
{
	int r = 0;

	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; !r && i < count; i++) {
		n->answer[i] = (struct answer){ .came = false };
		r = write_id(&rec[i], n->answer[i].id);
	}
	n->asked = n->waiting = r ? 0 : count;
	n->trouble[0] = '\0';
	pthread_mutex_unlock(&n->lock);
	for (size_t i = 0; !r && i < count; i++)
		publish(n, &rec[i], &n->answer[i]);
	return r;
}

static void add_ms(struct timespec *t, unsigned ms)
{
	t->tv_nsec += ms * 1000000L;
	t->tv_sec += t->tv_nsec / 1000000000L;
	t->tv_nsec %= 1000000000L;
}

/* Until all answers came, the server has something else to say, or it took too long. */
static void wait_for_answers(struct nats_sink *n)
{
	struct timespec until;

	pthread_mutex_lock(&n->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	for (unsigned i = 0; i < ACK_MS / LOOK_MS && !atomic_load(n->stop); i++) {
		add_ms(&until, LOOK_MS);
		while (n->waiting && !n->trouble[0])
			if (pthread_cond_timedwait(&n->news, &n->lock, &until))
				break;
		if (!n->waiting || n->trouble[0])
			break;
	}
	pthread_mutex_unlock(&n->lock);
}

/* Not the stream that is meant: is there none, or is it only electing its leader? */
static void ask_stream(struct nats_sink *n, char *why)
{
	jsErrCode code = 0;
	jsStreamInfo *info = NULL;
	natsStatus s = js_GetStreamInfo(&info, n->js, n->conf->nats_stream, NULL, &code);

	jsStreamInfo_Destroy(info);
	if (s == NATS_NOT_FOUND || code == JSStreamNotFoundErr)
		snprintf(why, PK_SINK_WHY, "there is no stream %s: `picket hub init` makes it",
			 n->conf->nats_stream);
	else if (s == NATS_OK)
		snprintf(why, PK_SINK_WHY,
			 "stream %s does not take %.60s, or has no leader just now",
			 n->conf->nats_stream, n->subject);
	else
		snprintf(why, PK_SINK_WHY, "no stream answers for %.90s", n->subject);
}

static int judge(struct nats_sink *n, const struct answer *a, char *why)
{
	if (!a->came) {
		snprintf(why, PK_SINK_WHY, "%s",
			 n->trouble[0] ? n->trouble : "no acknowledgement within 5 s");
		return atomic_load(n->stop) ? -ECANCELED : -EIO;
	}
	snprintf(why, PK_SINK_WHY, "%s", a->text[0] ? a->text : natsStatus_GetText(a->status));
	if (a->status == NATS_NO_RESPONDERS || a->code == JSStreamNotMatchErr)
		ask_stream(n, why);
	return a->status == NATS_MAX_PAYLOAD || a->code == JSStreamMessageExceedsMaximumErr
		       ? -EBADMSG
		       : -EIO;
}

/* The first that is not there, if any; those behind it are tried again with it. */
static int count_done(struct nats_sink *n, size_t *ret_done, char *why)
{
	struct answer first = { .came = false };
	size_t i = 0;

	pthread_mutex_lock(&n->lock);
	while (i < n->asked && n->answer[i].came && n->answer[i].status == NATS_OK)
		i++;
	if (i < n->asked)
		first = n->answer[i];
	*ret_done = i;
	i = n->asked - i;
	n->asked = 0; /* later answers are nobody's */
	pthread_mutex_unlock(&n->lock);
	return i ? judge(n, &first, why) : 0;
}

static int send_records(void *state, const struct pk_sink_record *rec, size_t n, size_t *ret_done,
			char *why)
{
	struct nats_sink *k = state;
	size_t count = n < BATCH_MAX ? n : BATCH_MAX;
	int r = 0;

	if (k->conn && natsConnection_Status(k->conn) != NATS_CONN_STATUS_CONNECTED)
		disconnect(k);
	if (!k->conn)
		r = connect_now(k, why);
	if (!r)
		r = publish_all(k, rec, count);
	if (!r) {
		wait_for_answers(k);
		r = count_done(k, ret_done, why);
	}
	if (r < 0)
		disconnect(k);
	return r;
}

const struct pk_sink_kind pk_sink_nats = { .name = "nats",
					   .wanted = wanted,
					   .open = open_nats,
					   .send = send_records,
					   .close = close_nats };
