/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key and what is signed with it. The key stays readable by the agent alone, so a signature
 * says "the agent of this host, or its root": the claim of a checkpoint rests on where it is kept.
 */
#include "store/checkpoint.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#define SIG_TEXT 89 /* base64 with its NUL */

static void json_freep(json_t **j)
{
	json_decref(*j);
}

int pk_checkpoint_key(int dir_fd, struct pk_key *ret_key)
{
	int r = pk_key_load_at(dir_fd, PK_STORE_KEY, ret_key);

	return r == -ENOENT ? pk_key_make_at(dir_fd, PK_STORE_KEY, PK_STORE_PUB, ret_key) : r;
}

/* What is signed; with a signature, the whole line. */
static void write_text(const struct pk_checkpoint *p, const char *signature, struct pk_buf *out)
{
	char head[2 * PK_HASH_SIZE + 1];

	pk_hex(p->head, PK_HASH_SIZE, head);
	pk_buf_fmt(out, "{\"authority_uid\":\"%s\",\"chain_uid\":\"%s\",\"head\":\"%s\"", p->key_id,
		   p->chain_uid, head);
	pk_buf_fmt(out, ",\"n\":%" PRIu64, p->n);
	if (signature)
		pk_buf_fmt(out, ",\"signature\":\"%s\"", signature);
	pk_buf_fmt(out, ",\"time\":%" PRIu64 "}", p->time_ms);
}

static int sign_text(const struct pk_key *k, const struct pk_buf *text, char ret_sig[SIG_TEXT])
{
	uint8_t sig[PK_SIG_SIZE];
	int r = pk_key_sign(k, text->data, text->len, sig);

	if (r == 0)
		EVP_EncodeBlock((unsigned char *)ret_sig, sig, PK_SIG_SIZE);
	return r;
}

int pk_checkpoint_sign(const struct pk_key *k, const struct pk_chain *c, uint64_t time_ms,
		       struct pk_buf *out)
{
	struct pk_checkpoint p = { .n = c->seq, .time_ms = time_ms };
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	char sig[SIG_TEXT];
	int r;

	memcpy(p.chain_uid, c->uid, sizeof(p.chain_uid));
	memcpy(p.key_id, k->id, sizeof(p.key_id));
	memcpy(p.head, c->head, sizeof(p.head));
	write_text(&p, NULL, &text);
	r = text.error ? text.error : sign_text(k, &text, sig);
	if (r < 0)
		return r;
	write_text(&p, sig, out);
	return out->error;
}

static int check_text(const struct pk_key *k, const struct pk_checkpoint *p, const char *signature)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	uint8_t sig[PK_SIG_SIZE + 3]; /* the decoder writes whole groups */

	if (strlen(signature) != SIG_TEXT - 1 ||
	    EVP_DecodeBlock(sig, (const unsigned char *)signature, SIG_TEXT - 1) < PK_SIG_SIZE)
		return -EBADMSG;
	write_text(p, NULL, &text);
	if (text.error)
		return text.error;
	return pk_key_verify(k, text.data, text.len, sig) ? 0 : -EBADMSG;
}

int pk_checkpoint_read(const struct pk_key *k, const char *line, size_t len,
		       struct pk_checkpoint *ret_checkpoint)
{
	_cleanup_(json_freep) json_t *j = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *uid, *head, *sig, *id;
	struct pk_checkpoint p = { 0 };
	json_int_t n, time;

	if (json_unpack(j, "{s:s, s:s, s:s, s:I, s:s, s:I}", "authority_uid", &id, "chain_uid",
			&uid, "head", &head, "n", &n, "signature", &sig, "time", &time) < 0)
		return -EINVAL;
	if (strlen(id) != PK_KEY_ID - 1 || strlen(uid) != sizeof(p.chain_uid) - 1 || n < 0 ||
	    time < 0 || pk_hex_parse(head, p.head, PK_HASH_SIZE) < 0)
		return -EINVAL;
	strcpy(p.key_id, id);
	strcpy(p.chain_uid, uid);
	p.n = (uint64_t)n;
	p.time_ms = (uint64_t)time;
	*ret_checkpoint = p;
	if (strcmp(p.key_id, k->id) != 0)
		return -ENOKEY;
	return check_text(k, &p, sig);
}
