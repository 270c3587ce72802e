/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the connection, the consumer and the order: take, commit, acknowledge. */
#include "hub/feed.h"

#include "base/cleanup.h"
#include "conf/conf.h"
#include "hub/hub.h"
#include "nats/connect.h"
#include "nats/subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH       256
#define FETCH_MS    1000
#define ANSWER_MS   5000
#define ACK_WAIT_NS 60000000000ll /* what was not acknowledged comes again */
#define DAY_NS      86400000000000ll
#define SUBJECTS    "picket.*.*.alerts"

struct pk_hub_feed {
	natsConnection *conn;
	jsCtx *js;
	natsSubscription *sub;
};

void pk_hub_feed_close(struct pk_hub_feed *f)
{
	if (!f)
		return;
	natsSubscription_Destroy(f->sub);
	jsCtx_Destroy(f->js);
	natsConnection_Destroy(f->conn);
	free(f);
}

static void closep(struct pk_hub_feed **f)
{
	pk_hub_feed_close(*f);
}

static int failed(natsStatus s, const char *what, char *why, size_t size)
{
	pk_nats_why(s, what, why, size);
	return s == NATS_NO_MEMORY ? -ENOMEM : -EIO;
}

static int connect_only(const struct pk_conf *conf, const char *hostname,
			struct pk_hub_feed **ret_feed, char *why, size_t size)
{
	const struct pk_nats_opts o = { .conf = conf, .host = hostname, .name = "picket hub" };
	_cleanup_(closep) struct pk_hub_feed *f = calloc(1, sizeof(*f));
	jsOptions js;
	natsStatus s;
	int r = f ? pk_nats_connect(&o, &f->conn, why, size) : -ENOMEM;

	if (r < 0)
		return r;
	(void)jsOptions_Init(&js);
	js.Wait = ANSWER_MS;
	s = natsConnection_JetStream(&f->js, f->conn, &js);
	if (s != NATS_OK)
		return failed(s, "JetStream", why, size);
	*ret_feed = PK_TAKE(f);
	return 0;
}

int pk_hub_feed_make(const struct pk_conf *conf, const char *hostname, unsigned replicas,
		     unsigned days, char *why, size_t size)
{
	_cleanup_(closep) struct pk_hub_feed *f = NULL;
	const char *subjects[] = { SUBJECTS };
	jsStreamInfo *info = NULL;
	jsStreamConfig cfg;
	natsStatus s;
	int r = connect_only(conf, hostname, &f, why, size);

	if (r < 0)
		return r;
	(void)jsStreamConfig_Init(&cfg);
	cfg.Name = conf->nats_stream;
	cfg.Subjects = subjects;
	cfg.SubjectsLen = 1;
	cfg.Storage = js_FileStorage;
	cfg.Replicas = replicas;
	cfg.MaxAge = (int64_t)days * DAY_NS;
	s = js_AddStream(&info, f->js, &cfg, NULL, NULL);
	jsStreamInfo_Destroy(info);
	return s == NATS_OK ? 0 : failed(s, "stream", why, size);
}

static int subscribe(struct pk_hub_feed *f, const struct pk_conf *conf, char *why, size_t size)
{
	char tenant[3 * PK_NATS_TOKEN_MAX], subject[PK_NATS_SUBJECT_MAX], durable[256];
	jsSubOptions o;
	jsErrCode code = 0;
	natsStatus s;
	int r = pk_nats_token(conf->nats_tenant, tenant, sizeof(tenant));

	if (r < 0)
		return r;
	snprintf(subject, sizeof(subject), "picket.%s.*.alerts", tenant);
	snprintf(durable, sizeof(durable), "hub_%.189s", tenant); /* of 63 bytes at most */
	(void)jsSubOptions_Init(&o);
	o.Stream = conf->nats_stream;
	o.Config.AckPolicy = js_AckExplicit;
	o.Config.AckWait = ACK_WAIT_NS;
	o.Config.MaxAckPending = 4 * BATCH;
	s = js_PullSubscribe(&f->sub, f->js, subject, durable, NULL, &o, &code);
	if (code != JSStreamNotFoundErr)
		return s == NATS_OK ? 0 : failed(s, "consumer", why, size);
	snprintf(why, size, "there is no stream %s: `picket hub init` makes it", conf->nats_stream);
	return -ENOENT;
}

int pk_hub_feed_open(const struct pk_conf *conf, const char *hostname,
		     struct pk_hub_feed **ret_feed, char *why, size_t size)
{
	_cleanup_(closep) struct pk_hub_feed *f = NULL;
	int r = connect_only(conf, hostname, &f, why, size);

	if (!r)
		r = subscribe(f, conf, why, size);
	if (!r)
		*ret_feed = PK_TAKE(f);
	return r;
}

static int take_one(struct pk_hub *hub, natsMsg *m)
{
	enum pk_hub_refusal refusal; /* the hub counts it */
	jsMsgMetaData *meta = NULL;
	int64_t arrived_ms;

	if (natsMsg_GetMetaData(&meta, m) != NATS_OK)
		return -EPROTO;
	arrived_ms = meta->Timestamp / 1000000;
	jsMsgMetaData_Destroy(meta);
	return pk_hub_take(hub, natsMsg_GetSubject(m), natsMsg_GetData(m),
			   (size_t)natsMsg_GetDataLength(m), arrived_ms, &refusal);
}

static int take_all(struct pk_hub *hub, const natsMsgList *list)
{
	int r = pk_hub_begin(hub);

	if (r < 0)
		return r;
	for (int i = 0; r >= 0 && i < list->Count; i++)
		r = take_one(hub, list->Msgs[i]);
	if (r < 0) {
		pk_hub_rollback(hub);
		return r;
	}
	return pk_hub_commit(hub);
}

/* One that is lost comes again, and is known then. */
static void acknowledge(const natsMsgList *list)
{
	for (int i = 0; i < list->Count; i++)
		(void)natsMsg_Ack(list->Msgs[i], NULL);
}

/* They come again at once to who asks for them, not when the time for them is over. */
static void give_back(const natsMsgList *list)
{
	for (int i = 0; i < list->Count; i++)
		(void)natsMsg_Nak(list->Msgs[i], NULL);
}

int pk_hub_feed_take(struct pk_hub_feed *f, struct pk_hub *hub, char *why, size_t size)
{
	natsMsgList list = { NULL, 0 };
	natsStatus s = natsSubscription_Fetch(&list, f->sub, BATCH, FETCH_MS, NULL);
	int r;

	if (s == NATS_TIMEOUT)
		return natsConnection_Status(f->conn) == NATS_CONN_STATUS_CONNECTED
			       ? 0
			       : failed(NATS_CONNECTION_CLOSED, "stream", why, size);
	if (s != NATS_OK)
		return failed(s, "stream", why, size);
	r = take_all(hub, &list);
	if (r < 0) {
		snprintf(why, size, "%s", pk_hub_why(hub));
		give_back(&list);
	} else {
		acknowledge(&list);
	}
	natsMsgList_Destroy(&list);
	return r;
}
