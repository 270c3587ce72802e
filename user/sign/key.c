/* SPDX-License-Identifier: Apache-2.0 */
/* Owns keys and what is done with them; OpenSSL does the mathematics. What is signed is others'. */
#include "sign/key.h"

#include "base/cleanup.h"
#include "base/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#define RAW_SIZE 32

void pk_key_done(struct pk_key *k)
{
	EVP_PKEY_free(k->pkey);
	*k = (struct pk_key){ 0 };
}

/* Takes pkey. */
static int take_key(EVP_PKEY *pkey, bool is_private, struct pk_key *ret_key)
{
	uint8_t raw[RAW_SIZE], hash[EVP_MAX_MD_SIZE];
	size_t n = sizeof(raw);

	if (!pkey || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_public_key(pkey, raw, &n) != 1 ||
	    EVP_Digest(raw, n, hash, NULL, EVP_sha256(), NULL) != 1) {
		EVP_PKEY_free(pkey);
		return -EINVAL;
	}
	ret_key->pkey = pkey;
	ret_key->is_private = is_private;
	pk_hex(hash, (PK_KEY_ID - 1) / 2, ret_key->id);
	return 0;
}

/* An encrypted key is none of ours: nobody is asked for a password. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing, (void)arg;
	return -1;
}

int pk_key_read(FILE *f, struct pk_key *ret_key)
{
	EVP_PKEY *pkey = PEM_read_PrivateKey(f, NULL, no_password, NULL);
	bool is_private = pkey;

	if (!pkey) {
		rewind(f);
		pkey = PEM_read_PUBKEY(f, NULL, no_password, NULL);
	}
	return take_key(pkey, is_private, ret_key);
}

int pk_key_load(const char *file, struct pk_key *ret_key)
{
	_cleanup_fclose_ FILE *f = fopen(file, "re");

	return f ? pk_key_read(f, ret_key) : -errno;
}

int pk_key_load_at(int dir_fd, const char *name, struct pk_key *ret_key)
{
	_cleanup_fclose_ FILE *f = NULL;
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	return pk_key_read(f, ret_key);
}

/* A file that is whole or not there. */
static int save(int dir_fd, const char *name, mode_t mode, EVP_PKEY *pkey, bool is_private)
{
	_cleanup_fclose_ FILE *f = NULL;
	char temp[280];
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
	ok = is_private ? PEM_write_PKCS8PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL)
			: PEM_write_PUBKEY(f, pkey);
	/* the mode whatever the umask is */
	if (ok != 1 || fchmod(fd, mode) < 0 || fflush(f) || fsync(fd) < 0)
		return errno ? -errno : -EIO;
	return renameat(dir_fd, temp, dir_fd, name) < 0 ? -errno : 0;
}

int pk_key_make_at(int dir_fd, const char *private_name, const char *public_name,
		   struct pk_key *ret_key)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int r;

	if (!pkey)
		return -EIO;
	r = save(dir_fd, private_name, 0600, pkey, true);
	if (!r)
		r = save(dir_fd, public_name, 0644, pkey, false);
	if (r < 0) {
		EVP_PKEY_free(pkey);
		return r;
	}
	return take_key(pkey, true, ret_key);
}

int pk_key_save_public_at(int dir_fd, const char *name, const struct pk_key *k)
{
	return save(dir_fd, name, 0644, k->pkey, false);
}

int pk_key_sign(const struct pk_key *k, const void *data, size_t len, uint8_t ret_sig[PK_SIG_SIZE])
{
	EVP_MD_CTX *ctx;
	size_t n = PK_SIG_SIZE;
	bool ok;

	if (!k->is_private)
		return -EINVAL;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
	     EVP_DigestSign(ctx, ret_sig, &n, data, len) == 1 && n == PK_SIG_SIZE;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -EIO;
}

bool pk_key_verify(const struct pk_key *k, const void *data, size_t len,
		   const uint8_t sig[PK_SIG_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
		  EVP_DigestVerify(ctx, sig, PK_SIG_SIZE, data, len) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}
