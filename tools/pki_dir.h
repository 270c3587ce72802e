/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a certificate authority in one directory (0700): ca.crt, ca.key, ca.crl, NAME.crt,
 * NAME.key and the index of all that was ever issued. Keys are 0600; every file is whole at any
 * moment, as a new one takes the place of the old.
 */
#pragma once

#include "pki_cert.h"

#define PK_PKI_DIR "/etc/picket/pki"

struct pk_pki_row {
	char serial[PK_PKI_SERIAL];
	int64_t ends_s, revoked_s; /* revoked_s 0: it is not */
	char role[16];             /* "host", or a role */
	char name[PK_PKI_NAME_MAX + 1];
};

struct pk_pki_dir {
	int fd;       /* the directory, locked against others who change it */
	uint64_t crl; /* number of the last list of revoked ones */
	struct pk_pki_row *rows;
	size_t n;
};

/* make: it may be new, and holds no authority yet (-EEXIST). Else -ENOENT when there is none;
 * -EBADMSG: its index is damaged. */
int pk_pki_dir_open(const char *path, bool make, struct pk_pki_dir *ret_dir);
void pk_pki_dir_done(struct pk_pki_dir *d);

int pk_pki_dir_load_ca(const struct pk_pki_dir *d, X509 **ret_cert, EVP_PKEY **ret_key);
bool pk_pki_dir_has(const struct pk_pki_dir *d, const char *name); /* NAME.crt or NAME.key */
/* NAME.key first, then NAME.crt: a certificate that is there has its key. cert or key may be NULL.
 */
int pk_pki_dir_put(const struct pk_pki_dir *d, const char *name, X509 *cert, EVP_PKEY *key);
int pk_pki_dir_put_crl(const struct pk_pki_dir *d, X509_CRL *crl);
/* Adds to the index in memory; the row is copied. */
int pk_pki_dir_add(struct pk_pki_dir *d, const struct pk_pki_row *row);
int pk_pki_dir_save(const struct pk_pki_dir *d); /* the index to its file */
