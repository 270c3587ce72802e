/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key and what is signed with it. The key stays readable by the agent alone, so a signature
 * says "the agent of this host, or its root": the claim of a checkpoint rests on where it is kept.
 */
#include "store/checkpoint.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#define SIG_SIZE 64
#define SIG_TEXT 89 /* base64 with its NUL */

static void json_freep(json_t **j)
{
	json_decref(*j);
}

void pk_key_done(struct pk_key *k)
{
	EVP_PKEY_free(k->pkey);
	*k = (struct pk_key){ 0 };
}

/* Takes pkey. */
static int take_key(EVP_PKEY *pkey, struct pk_key *ret_key)
{
	uint8_t raw[32], hash[PK_HASH_SIZE];
	char hex[2 * PK_HASH_SIZE + 1];
	size_t n = sizeof(raw);

	if (!pkey || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_public_key(pkey, raw, &n) != 1) {
		EVP_PKEY_free(pkey);
		return -EINVAL;
	}
	pk_hash(raw, n, hash);
	pk_hash_hex(hash, hex);
	ret_key->pkey = pkey;
	memcpy(ret_key->id, hex, PK_KEY_ID - 1);
	ret_key->id[PK_KEY_ID - 1] = '\0';
	return 0;
}

static int load_key(FILE *f, struct pk_key *ret_key)
{
	EVP_PKEY *pkey = PEM_read_PrivateKey(f, NULL, NULL, NULL);

	if (!pkey) {
		rewind(f);
		pkey = PEM_read_PUBKEY(f, NULL, NULL, NULL);
	}
	return take_key(pkey, ret_key);
}

int pk_key_load(const char *file, struct pk_key *ret_key)
{
	_cleanup_fclose_ FILE *f = fopen(file, "re");

	return f ? load_key(f, ret_key) : -errno;
}

/* A file that is whole or not there. */
static int save_key(int dir_fd, const char *name, mode_t mode, EVP_PKEY *pkey, bool private)
{
	_cleanup_fclose_ FILE *f = NULL;
	char temp[64];
	int fd, ok;

	snprintf(temp, sizeof(temp), "%s.new", name);
	(void)unlinkat(dir_fd, temp, 0); /* of a start that was cut short */
	fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	ok = private ? PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL)
		     : PEM_write_PUBKEY(f, pkey);
	if (ok != 1 || fflush(f) || fsync(fileno(f)) < 0)
		return errno ? -errno : -EIO;
	return renameat(dir_fd, temp, dir_fd, name) < 0 ? -errno : 0;
}

static int make_key(int dir_fd, struct pk_key *ret_key)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int r;

	if (!pkey)
		return -EIO;
	r = save_key(dir_fd, PK_STORE_KEY, 0600, pkey, true);
	if (!r)
		r = save_key(dir_fd, PK_STORE_PUB, 0644, pkey, false);
	if (r < 0) {
		EVP_PKEY_free(pkey);
		return r;
	}
	return take_key(pkey, ret_key);
}

int pk_key_open(int dir_fd, struct pk_key *ret_key)
{
	_cleanup_fclose_ FILE *f = NULL;
	int fd = openat(dir_fd, PK_STORE_KEY, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT ? make_key(dir_fd, ret_key) : -errno;
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	return load_key(f, ret_key);
}

/* What is signed; with a signature, the whole line. */
static void write_text(const struct pk_checkpoint *p, const char *signature, struct pk_buf *out)
{
	char head[2 * PK_HASH_SIZE + 1];

	pk_hash_hex(p->head, head);
	pk_buf_fmt(out, "{\"authority_uid\":\"%s\",\"chain_uid\":\"%s\",\"head\":\"%s\"", p->key_id,
		   p->chain_uid, head);
	pk_buf_fmt(out, ",\"n\":%" PRIu64, p->n);
	if (signature)
		pk_buf_fmt(out, ",\"signature\":\"%s\"", signature);
	pk_buf_fmt(out, ",\"time\":%" PRIu64 "}", p->time_ms);
}

static int sign_text(const struct pk_key *k, const struct pk_buf *text, char ret_sig[SIG_TEXT])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[SIG_SIZE];
	size_t n = sizeof(sig);
	bool ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
		  EVP_DigestSign(ctx, sig, &n, (const uint8_t *)text->data, text->len) == 1;

	EVP_MD_CTX_free(ctx);
	if (!ok)
		return -EIO;
	EVP_EncodeBlock((unsigned char *)ret_sig, sig, SIG_SIZE);
	return 0;
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
	uint8_t sig[SIG_SIZE + 3]; /* the decoder writes whole groups */
	EVP_MD_CTX *ctx;
	int ok;

	if (strlen(signature) != SIG_TEXT - 1 ||
	    EVP_DecodeBlock(sig, (const unsigned char *)signature, SIG_TEXT - 1) < SIG_SIZE)
		return -EBADMSG;
	write_text(p, NULL, &text);
	if (text.error)
		return text.error;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
	     EVP_DigestVerify(ctx, sig, SIG_SIZE, (const uint8_t *)text.data, text.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -EBADMSG;
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
	    time < 0 || pk_hash_parse(head, p.head) < 0)
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
