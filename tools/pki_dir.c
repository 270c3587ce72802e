/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the names and modes of the authority's files, and the index: a line with the number of the
 * last list of revoked certificates, then one for each certificate, "SERIAL ENDS REVOKED ROLE
 * NAME".
 */
#include "pki_dir.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define INDEX    "index"
#define ROWS_MAX 1000000

static void file_name(char out[PK_PKI_NAME_MAX + 16], const char *name, const char *end)
{
	snprintf(out, PK_PKI_NAME_MAX + 16, "%.*s%s", PK_PKI_NAME_MAX, name, end);
}

static int read_row(const char *line, struct pk_pki_row *row)
{
	int n = 0;

	*row = (struct pk_pki_row){};
	if (sscanf(line, "%40[0-9A-F] %" SCNd64 " %" SCNd64 " %15[a-z] %64[A-Za-z0-9._@-]%n",
		   row->serial, &row->ends_s, &row->revoked_s, row->role, row->name, &n) != 5 ||
	    line[n] != '\n')
		return -EBADMSG;
	return 0;
}

static int read_index(struct pk_pki_dir *d)
{
	_cleanup_close_ int fd = openat(d->fd, INDEX, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_fclose_ FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	struct pk_pki_row row;
	char line[256];
	int r = 0;

	if (!f)
		return -errno;
	fd = -1; /* f has it */
	if (!fgets(line, sizeof(line), f) || sscanf(line, "crl %" SCNu64, &d->crl) != 1)
		return -EBADMSG;
	while (!r && fgets(line, sizeof(line), f)) {
		r = read_row(line, &row);
		if (!r)
			r = pk_pki_dir_add(d, &row);
	}
	return r;
}

int pk_pki_dir_open(const char *path, bool make, struct pk_pki_dir *ret_dir)
{
	struct pk_pki_dir d = { .fd = -1 };
	int r;

	if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	d.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d.fd < 0)
		return -errno;
	r = flock(d.fd, LOCK_EX) < 0 ? -errno : read_index(&d);
	if (make)
		r = r == -ENOENT && !pk_pki_dir_has(&d, "ca") ? 0 : r ? r : -EEXIST;
	if (r < 0) {
		pk_pki_dir_done(&d);
		return r == -ENOENT && make ? -EEXIST : r;
	}
	*ret_dir = d;
	return 0;
}

void pk_pki_dir_done(struct pk_pki_dir *d)
{
	pk_closep(&d->fd);
	free(d->rows);
	*d = (struct pk_pki_dir){ .fd = -1 };
}

static FILE *open_file(const struct pk_pki_dir *d, const char *name, const char *end)
{
	char file[PK_PKI_NAME_MAX + 16];
	FILE *f;
	int fd;

	file_name(file, name, end);
	fd = openat(d->fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f)
		pk_closep(&fd);
	return f;
}

int pk_pki_dir_load_ca(const struct pk_pki_dir *d, X509 **ret_cert, EVP_PKEY **ret_key)
{
	_cleanup_fclose_ FILE *c = open_file(d, "ca", ".crt");
	_cleanup_fclose_ FILE *k = c ? open_file(d, "ca", ".key") : NULL;
	X509 *cert;
	EVP_PKEY *key;

	if (!k)
		return -errno;
	cert = PEM_read_X509(c, NULL, NULL, NULL);
	key = PEM_read_PrivateKey(k, NULL, NULL, NULL);
	if (!cert || !key || X509_check_private_key(cert, key) != 1) {
		X509_free(cert);
		EVP_PKEY_free(key);
		return -EBADMSG;
	}
	*ret_cert = cert;
	*ret_key = key;
	return 0;
}

bool pk_pki_dir_has(const struct pk_pki_dir *d, const char *name)
{
	char crt[PK_PKI_NAME_MAX + 16], key[PK_PKI_NAME_MAX + 16];

	file_name(crt, name, ".crt");
	file_name(key, name, ".key");
	return !faccessat(d->fd, crt, F_OK, AT_SYMLINK_NOFOLLOW) ||
	       !faccessat(d->fd, key, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* Writes what is in mem (taken) to a new file, and gives it the name when all is on disk. */
static int write_file(const struct pk_pki_dir *d, const char *file, mode_t mode, BIO *mem)
{
	_cleanup_close_ int fd = -1;
	char *data = NULL;
	long len = mem ? BIO_get_mem_data(mem, &data) : -1;
	int r = 0;

	(void)unlinkat(d->fd, ".new", 0); /* of somebody who was interrupted */
	fd = openat(d->fd, ".new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		r = -errno;
	else if (len < 0)
		r = -ENOMEM;
	else if (fchmod(fd, mode) < 0 || write(fd, data, (size_t)len) != len || fsync(fd) < 0 ||
		 renameat(d->fd, ".new", d->fd, file) < 0)
		r = errno ? -errno : -EIO;
	BIO_free(mem);
	return r;
}

static BIO *mem_of(int (*put)(BIO *mem, void *what), void *what)
{
	/* secure: wiped when freed, for it may hold a key */
	BIO *mem = BIO_new(BIO_s_secmem());

	if (mem && put(mem, what) == 1)
		return mem;
	BIO_free(mem);
	return NULL;
}

static int put_key(BIO *mem, void *key)
{
	return PEM_write_bio_PKCS8PrivateKey(mem, key, NULL, NULL, 0, NULL, NULL);
}

static int put_cert(BIO *mem, void *cert)
{
	return PEM_write_bio_X509(mem, cert);
}

static int put_crl(BIO *mem, void *crl)
{
	return PEM_write_bio_X509_CRL(mem, crl);
}

int pk_pki_dir_put(const struct pk_pki_dir *d, const char *name, X509 *cert, EVP_PKEY *key)
{
	char file[PK_PKI_NAME_MAX + 16];
	int r = 0;

	file_name(file, name, ".key");
	if (key)
		r = write_file(d, file, 0600, mem_of(put_key, key));
	file_name(file, name, ".crt");
	if (!r && cert)
		r = write_file(d, file, 0644, mem_of(put_cert, cert));
	return r;
}

int pk_pki_dir_put_crl(const struct pk_pki_dir *d, X509_CRL *crl)
{
	return write_file(d, "ca.crl", 0644, mem_of(put_crl, crl));
}

int pk_pki_dir_add(struct pk_pki_dir *d, const struct pk_pki_row *row)
{
	struct pk_pki_row *rows;

	if (d->n >= ROWS_MAX)
		return -ENOSPC;
	rows = reallocarray(d->rows, d->n + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	d->rows = rows;
	d->rows[d->n++] = *row;
	return 0;
}

static int put_index(BIO *mem, void *dir)
{
	const struct pk_pki_dir *d = dir;
	bool ok = BIO_printf(mem, "crl %" PRIu64 "\n", d->crl) > 0;

	for (size_t i = 0; ok && i < d->n; i++) {
		const struct pk_pki_row *r = &d->rows[i];

		ok = BIO_printf(mem, "%s %" PRId64 " %" PRId64 " %s %s\n", r->serial, r->ends_s,
				r->revoked_s, r->role, r->name) > 0;
	}
	return ok;
}

int pk_pki_dir_save(const struct pk_pki_dir *d)
{
	return write_file(d, INDEX, 0600, mem_of(put_index, (void *)d));
}
