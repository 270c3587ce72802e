/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of NATS for tests: nats SERVERS DIR USER VERB [ARG...], with DIR/ca.pem, DIR/USER.pem
 * and DIR/USER.key. Exits 0 if the server did it, 1 with its words if not.
 *
 *   stream NAME REPLICAS SUBJECT   makes it, on disk
 *   leader NAME                    name of the server that leads it
 *   peers NAME                     how many servers have all of it
 *   read NAME                      each message as a line: subject, message id, content
 *   empty NAME, drop NAME          removes its messages, removes it
 *   publish SUBJECT ID TEXT        until the stream has it
 *   send SUBJECT < LINES           each line, with its number as the id
 *   listen SUBJECT MS              what comes there, as lines
 *   bucket NAME REPLICAS           makes a bucket of keys
 *   put BUCKET KEY FILE, get BUCKET KEY
 */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "nats/connect.h"

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 5000
#define FILE_MAX  (8u << 20)

struct client {
	natsConnection *conn;
	jsCtx *js;
};

static int fail(natsStatus s, jsErrCode code)
{
	char why[256];

	pk_nats_why(s, "nats", why, sizeof(why));
	fprintf(stderr, "%s (%d)\n", why, code);
	return 1;
}

static void on_error(natsConnection *conn, natsSubscription *sub, natsStatus s, void *arg)
{
	const char *text = NULL;

	(void)sub;
	(void)arg;
	(void)natsConnection_GetLastError(conn, &text);
	fprintf(stderr, "nats: %s\n", text && *text ? text : natsStatus_GetText(s));
	fflush(stderr);
}

static int make_stream(struct client *c, char **arg)
{
	const char *subjects[] = { arg[2] };
	jsStreamConfig cfg;
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus s;

	(void)jsStreamConfig_Init(&cfg);
	cfg.Name = arg[0];
	cfg.Replicas = atoi(arg[1]);
	cfg.Subjects = subjects;
	cfg.SubjectsLen = 1;
	cfg.Storage = js_FileStorage;
	s = js_AddStream(&info, c->js, &cfg, NULL, &code);
	jsStreamInfo_Destroy(info);
	return s == NATS_OK ? 0 : fail(s, code);
}

static int empty_stream(struct client *c, char **arg)
{
	jsErrCode code = 0;
	natsStatus s = js_PurgeStream(c->js, arg[0], NULL, &code);

	return s == NATS_OK ? 0 : fail(s, code);
}

static int drop_stream(struct client *c, char **arg)
{
	jsErrCode code = 0;
	natsStatus s = js_DeleteStream(c->js, arg[0], NULL, &code);

	return s == NATS_OK ? 0 : fail(s, code);
}

static int show_leader(struct client *c, char **arg)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus s = js_GetStreamInfo(&info, c->js, arg[0], NULL, &code);

	if (s != NATS_OK)
		return fail(s, code);
	puts(info->Cluster && info->Cluster->Leader ? info->Cluster->Leader : "");
	jsStreamInfo_Destroy(info);
	return 0;
}

static int count_peers(struct client *c, char **arg)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus s = js_GetStreamInfo(&info, c->js, arg[0], NULL, &code);
	int n = 0;

	if (s != NATS_OK)
		return fail(s, code);
	if (info->Cluster && info->Cluster->Leader && *info->Cluster->Leader)
		n = 1;
	for (int i = 0; n && i < info->Cluster->ReplicasLen; i++)
		n += info->Cluster->Replicas[i]->Current && !info->Cluster->Replicas[i]->Offline;
	printf("%d\n", n);
	jsStreamInfo_Destroy(info);
	return 0;
}

static void print_message(natsMsg *m)
{
	const char *id = NULL;

	(void)natsMsgHeader_Get(m, "Nats-Msg-Id", &id);
	printf("%s\t%s\t%.*s\n", natsMsg_GetSubject(m), id ? id : "-", natsMsg_GetDataLength(m),
	       natsMsg_GetData(m));
}

/* Message by message, by number: no consumer is made. */
static int read_stream(struct client *c, char **arg)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus s = js_GetStreamInfo(&info, c->js, arg[0], NULL, &code);

	if (s != NATS_OK)
		return fail(s, code);
	for (uint64_t i = info->State.FirstSeq; s == NATS_OK && i <= info->State.LastSeq; i++) {
		natsMsg *m = NULL;

		if (!info->State.Msgs)
			break;
		s = js_GetMsg(&m, c->js, arg[0], i, NULL, &code);
		if (s == NATS_OK)
			print_message(m);
		else if (s == NATS_NOT_FOUND)
			s = NATS_OK;
		natsMsg_Destroy(m);
	}
	jsStreamInfo_Destroy(info);
	return s == NATS_OK ? 0 : fail(s, code);
}

static natsStatus publish_one(struct client *c, const char *subject, const char *id,
			      const char *text, jsErrCode *code)
{
	jsPubOptions o;
	jsPubAck *ack = NULL;
	natsStatus s;

	(void)jsPubOptions_Init(&o);
	o.MsgId = id;
	o.MaxWait = ANSWER_MS;
	s = js_Publish(&ack, c->js, subject, text, (int)strlen(text), &o, code);
	jsPubAck_Destroy(ack);
	return s;
}

static int publish(struct client *c, char **arg)
{
	jsErrCode code = 0;
	natsStatus s = publish_one(c, arg[0], arg[1], arg[2], &code);

	return s == NATS_OK ? 0 : fail(s, code);
}

static int send_lines(struct client *c, char **arg)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0, number = 0;
	jsErrCode code = 0;
	natsStatus s = NATS_OK;
	char id[512];

	while (s == NATS_OK && getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(id, sizeof(id), "%s-%d-%zu", arg[0], getpid(), ++number);
		s = publish_one(c, arg[0], id, line, &code);
	}
	return s == NATS_OK ? 0 : fail(s, code);
}

static int listen_to(struct client *c, char **arg)
{
	natsSubscription *sub = NULL;
	natsStatus s = natsConnection_SubscribeSync(&sub, c->conn, arg[0]);
	natsMsg *m;

	while (s == NATS_OK) {
		s = natsSubscription_NextMsg(&m, sub, atoi(arg[1]));
		if (s != NATS_OK)
			break;
		print_message(m);
		fflush(stdout);
		natsMsg_Destroy(m);
	}
	natsSubscription_Destroy(sub);
	return s == NATS_TIMEOUT ? 0 : fail(s, 0);
}

static int make_bucket(struct client *c, char **arg)
{
	kvConfig cfg;
	kvStore *kv = NULL;
	natsStatus s;

	(void)kvConfig_Init(&cfg);
	cfg.Bucket = arg[0];
	cfg.Replicas = atoi(arg[1]);
	s = js_CreateKeyValue(&kv, c->js, &cfg);
	kvStore_Destroy(kv);
	return s == NATS_OK ? 0 : fail(s, 0);
}

static int put_key(struct client *c, char **arg)
{
	_cleanup_fclose_ FILE *f = fopen(arg[2], "re");
	_cleanup_free_ char *text = malloc(FILE_MAX);
	kvStore *kv = NULL;
	natsStatus s = f && text ? js_KeyValue(&kv, c->js, arg[0]) : NATS_INVALID_ARG;

	if (s == NATS_OK)
		s = kvStore_Put(NULL, kv, arg[1], text, (int)fread(text, 1, FILE_MAX, f));
	kvStore_Destroy(kv);
	return s == NATS_OK ? 0 : fail(s, 0);
}

static int get_key(struct client *c, char **arg)
{
	kvStore *kv = NULL;
	kvEntry *e = NULL;
	natsStatus s = js_KeyValue(&kv, c->js, arg[0]);

	if (s == NATS_OK)
		s = kvStore_Get(&e, kv, arg[1]);
	if (s == NATS_OK)
		(void)fwrite(kvEntry_Value(e), 1, (size_t)kvEntry_ValueLen(e), stdout);
	kvEntry_Destroy(e);
	kvStore_Destroy(kv);
	return s == NATS_OK ? 0 : fail(s, 0);
}

static const struct {
	const char *name;
	int args;
	int (*run)(struct client *c, char **arg);
} verbs[] = {
	{ "stream", 3, make_stream }, { "leader", 1, show_leader }, { "peers", 1, count_peers },
	{ "read", 1, read_stream },   { "publish", 3, publish },    { "send", 1, send_lines },
	{ "listen", 2, listen_to },   { "bucket", 2, make_bucket }, { "put", 3, put_key },
	{ "get", 2, get_key },        { "empty", 1, empty_stream }, { "drop", 1, drop_stream },
};

static struct pk_conf *configure(const char *servers, const char *dir, const char *user)
{
	struct pk_conf *c = pk_conf_new();
	char ca[300], cert[300], key[300];

	snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	snprintf(cert, sizeof(cert), "%s/%s.pem", dir, user);
	snprintf(key, sizeof(key), "%s/%s.key", dir, user);
	if (!c || pk_conf_set(c, "nats.servers", servers, NULL) < 0 ||
	    pk_conf_set(c, "nats.ca", ca, NULL) < 0 ||
	    pk_conf_set(c, "nats.cert", cert, NULL) < 0 ||
	    pk_conf_set(c, "nats.key", key, NULL) < 0 ||
	    pk_conf_set(c, "nats.host", user, NULL) < 0) {
		pk_conf_free(c);
		return NULL;
	}
	return c;
}

static int run(struct client *c, const char *verb, int args, char **arg)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, verb) == 0 && verbs[i].args == args)
			return verbs[i].run(c, arg);
	fprintf(stderr, "nats: no such verb: %s\n", verb);
	return 2;
}

int main(int argc, char **argv)
{
	_cleanup_(pk_conf_freep) struct pk_conf *conf =
		argc > 4 ? configure(argv[1], argv[2], argv[3]) : NULL;
	const struct pk_nats_opts o = { .conf = conf, .name = "test", .on_error = on_error };
	struct client c = { NULL, NULL };
	char why[256] = "usage: nats SERVERS DIR USER VERB [ARG...]";
	jsOptions js;
	int r;

	if (!conf || pk_nats_connect(&o, &c.conn, why, sizeof(why)) < 0) {
		fprintf(stderr, "nats: %s\n", why);
		return 2;
	}
	(void)jsOptions_Init(&js);
	js.Wait = ANSWER_MS;
	if (natsConnection_JetStream(&c.js, c.conn, &js) != NATS_OK)
		return 2;
	r = run(&c, argv[4], argc - 5, argv + 5);
	jsCtx_Destroy(c.js);
	natsConnection_Destroy(c.conn);
	/* its threads lock what is freed at exit */
	(void)nats_CloseAndWait(ANSWER_MS); /* late: then it is as it was without */
	return r;
}
