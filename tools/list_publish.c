/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `picket list publish`: a signed list into a bucket of NATS JetStream, from which hosts take it
 * (pull.lists). Its parts are there before its name says so; those of the version before go last.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "command.h"
#include "conf/conf.h"
#include "list_sign.h"
#include "nats/connect.h"
#include "nats/lists.h"
#include "outcome.h"
#include "sign/statement.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define ANSWER_MS 10000

enum { SERVER = 256, CA, CERT, KEY, BUCKET, SIGNATURE };

struct wish {
	const char *file, *signature;
	struct pk_conf *conf;
};

struct place {
	natsConnection *conn;
	jsCtx *js;
	kvStore *kv;
};

static int set(struct wish *w, const char *key)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = {};

	if (pk_conf_set(w->conf, key, optarg, &errors) == 0)
		return 0;
	fprintf(stderr, "picket: %s", errors.data ? errors.data : "out of memory\n");
	return 2;
}

static int take(struct wish *w, int c)
{
	switch (c) {
	case SERVER:
		return set(w, "nats.servers");
	case CA:
		return set(w, "nats.ca");
	case CERT:
		return set(w, "nats.cert");
	case KEY:
		return set(w, "nats.key");
	case BUCKET:
		return set(w, "nats.bucket");
	case SIGNATURE:
		w->signature = optarg;
		return 0;
	default:
		return 2;
	}
}

/* 0; 1: help was printed; 2: misused. */
static int read_wish(const struct pk_command *self, struct wish *w, int argc, char **argv)
{
	int c, r = 0;

	optind = 1;
	while (!r && (c = getopt_long(argc, argv, "h", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 1;
		}
		r = take(w, c);
	}
	if (r || optind + 1 != argc)
		return 2;
	if (!w->conf->nats_servers.n) {
		fputs("picket: --server says where to\n", stderr);
		return 2;
	}
	w->file = argv[optind];
	return 0;
}

static void close_place(struct place *p)
{
	kvStore_Destroy(p->kv);
	jsCtx_Destroy(p->js);
	natsConnection_Destroy(p->conn);
}

static int open_place(const struct wish *w, struct place *p)
{
	const struct pk_nats_opts o = { .conf = w->conf, .host = "publisher", .name = "picket" };
	char why[256];
	jsOptions js;
	natsStatus s;

	if (pk_nats_connect(&o, &p->conn, why, sizeof(why)) < 0)
		return pk_outcome_complain("NATS", why);
	s = jsOptions_Init(&js);
	js.Wait = ANSWER_MS;
	if (s == NATS_OK)
		s = natsConnection_JetStream(&p->js, p->conn, &js);
	if (s == NATS_OK)
		s = js_KeyValue(&p->kv, p->js, w->conf->nats_bucket);
	if (s == NATS_OK)
		return 0;
	pk_nats_why(s, "can not be opened", why, sizeof(why));
	return pk_outcome_complain(w->conf->nats_bucket, why);
}

/* Envelope, line feed, list: what an agent takes. */
static int read_whole(const struct wish *w, struct pk_statement *s, struct pk_buf *whole)
{
	_cleanup_free_ char *beside = pk_list_signature_path(w->file);
	const char *signature = w->signature ? w->signature : beside;
	struct pk_list_bytes b;
	struct pk_envelope e;
	int r;

	if (!signature || pk_list_read_envelope(signature, &e))
		return 1;
	r = pk_statement_read(e.payload, e.len, s) == PK_SIGNED_OK ? 0 : 1;
	if (r)
		(void)pk_outcome_complain(signature, "is no envelope of a list"); /* always 1 */
	else
		r = pk_list_map(w->file, &b);
	if (!r && pk_statement_fits(s, b.bytes, b.len) != PK_SIGNED_OK)
		r = pk_outcome_complain(w->file, "is not the list that was signed");
	if (!r) {
		(void)pk_envelope_write(&e, whole); /* what fails stays in it */
		pk_buf_char(whole, '\n');
		pk_buf_add(whole, b.bytes, b.len);
		pk_list_unmap(&b);
		r = whole->error ? pk_outcome_complain(w->file, strerror(-whole->error)) : 0;
	}
	pk_envelope_done(&e);
	return r;
}

static natsStatus put_parts(struct place *p, const char *list, const struct pk_nats_head *h,
			    const char *bytes)
{
	natsStatus s = NATS_OK;

	for (unsigned i = 0; s == NATS_OK && i < pk_nats_parts(h); i++) {
		uint64_t at = (uint64_t)i * PK_NATS_PART, len = h->size - at;
		char key[PK_NATS_KEY];

		pk_nats_part_key(list, h, i, key);
		s = kvStore_Put(NULL, p->kv, key, bytes + at,
				(int)(len > PK_NATS_PART ? PK_NATS_PART : len));
	}
	return s;
}

/* What the name says now, if it says anything. */
static bool had(struct place *p, const char *list, struct pk_nats_head *h)
{
	kvEntry *e = NULL;
	bool there = kvStore_Get(&e, p->kv, list) == NATS_OK &&
		     pk_nats_head_read(kvEntry_Value(e), (size_t)kvEntry_ValueLen(e), h) == 0;

	kvEntry_Destroy(e);
	return there;
}

/* Those who read them at this moment find the new ones. */
static void purge_parts(struct place *p, const char *list, const struct pk_nats_head *h)
{
	for (unsigned i = 0; i < pk_nats_parts(h); i++) {
		char key[PK_NATS_KEY];

		pk_nats_part_key(list, h, i, key);
		if (kvStore_Purge(p->kv, key, NULL) != NATS_OK)
			fprintf(stderr, "picket: %s stays in the bucket\n", key);
	}
}

static int put(struct place *p, const char *list, const struct pk_buf *whole)
{
	struct pk_nats_head h = { .size = whole->len }, before;
	bool again = had(p, list, &before);
	char head[PK_NATS_HEAD], why[256];
	natsStatus s;

	if (whole->len > PK_NATS_LIST_MAX)
		return pk_outcome_complain(list, "is too large");
	if (EVP_Digest(whole->data, whole->len, h.sha256, NULL, EVP_sha256(), NULL) != 1)
		return pk_outcome_complain(list, "out of memory");
	pk_nats_head_write(&h, head);
	s = put_parts(p, list, &h, whole->data);
	if (s == NATS_OK)
		s = kvStore_PutString(NULL, p->kv, list, head);
	if (s != NATS_OK) {
		pk_nats_why(s, "was not published", why, sizeof(why));
		return pk_outcome_complain(list, why);
	}
	if (again && memcmp(before.sha256, h.sha256, sizeof(h.sha256)) != 0)
		purge_parts(p, list, &before);
	return 0;
}

static int publish(const struct wish *w)
{
	_cleanup_(close_place) struct place p = {};
	_cleanup_(pk_buf_done) struct pk_buf whole = {};
	struct pk_statement s;
	int r = read_whole(w, &s, &whole);

	if (!r)
		r = open_place(w, &p);
	if (!r)
		r = put(&p, s.list, &whole);
	if (!r)
		printf("%s: version %" PRIu64 ", %" PRIu64 " entries, %zu bytes, in bucket %s\n",
		       s.list, s.version, s.count, whole.len, w->conf->nats_bucket);
	return r;
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_conf_freep) struct pk_conf *conf = pk_conf_new();
	struct wish w = { .conf = conf };
	int r = conf ? read_wish(self, &w, argc, argv) : 1;

	/* libnats 3.4 frees at exit what OpenSSL would free after it once more */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); /* can't fail with this flag */
	if (r)
		return r == 1 && conf ? 0 : pk_command_misused(self);
	r = publish(&w);
	/* its threads lock what is freed at exit */
	(void)nats_CloseAndWait(ANSWER_MS); /* late: then it is as it was without */
	return r;
}

#define OPTION(name, arg, val)                                                                     \
	{                                                                                          \
		name, arg, NULL, val                                                               \
	}

static const struct option options[] = {
	OPTION("server", required_argument, SERVER),
	OPTION("ca", required_argument, CA),
	OPTION("cert", required_argument, CERT),
	OPTION("key", required_argument, KEY),
	OPTION("bucket", required_argument, BUCKET),
	OPTION("signature", required_argument, SIGNATURE),
	OPTION("help", no_argument, 'h'),
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_list_publish = {
	.name = "list publish",
	.what = "put a signed list into a bucket of NATS, for all hosts that watch it",
	.usage = "list publish --server URL[,URL]... [OPTION]... FILE",
	.options = options,
	.run = run,
	.help = "      --server URL,... servers of NATS, as tls://HOST:4222\n"
		"      --ca FILE        certificates they are checked against (the system's)\n"
		"      --cert FILE, --key FILE\n"
		"                       who publishes\n"
		"      --bucket NAME    of keys and values (picket_lists), which must be there\n"
		"      --signature FILE the envelope (FILE" PK_LIST_SIGNATURE ")\n"
		"  -h, --help           this text\n\n"
		"Examples:\n"
		"  picket list publish --server tls://nats1.example:4222 --ca ca.pem --cert me.pem "
		"\\\n"
		"      --key me.key drop.txt\n",
};
