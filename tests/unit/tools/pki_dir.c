/* SPDX-License-Identifier: Apache-2.0 */
#include "../../../tools/pki_dir.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define NOW 1800000000

static char root[] = "/tmp/picket-pki-XXXXXX", path[64];

static mode_t mode_of(const char *name)
{
	char file[128];
	struct stat st;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	assert_int_equal(stat(file, &st), 0);
	return st.st_mode & 0777;
}

static void write_index(const char *text)
{
	char file[128];
	FILE *f;

	snprintf(file, sizeof(file), "%s/index", path);
	f = fopen(file, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void make_ca(struct pk_pki_dir *d)
{
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;

	assert_int_equal(pk_pki_dir_open(path, true, d), 0);
	assert_int_equal(pk_pki_key_new(PK_PKI_P256, &key), 0);
	assert_int_equal(pk_pki_ca_new(key, "Test", NOW, 10, &cert), 0);
	assert_int_equal(pk_pki_dir_put(d, "ca", cert, key), 0);
	assert_int_equal(pk_pki_dir_save(d), 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void keeps_what_was_put(void **state)
{
	const struct pk_pki_row row = { "0A1B", NOW, 7, "operator", "alice@example.org" };
	struct pk_pki_dir d = { .fd = -1 };
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;

	(void)state;
	umask(0); /* modes are not the caller's luck */
	make_ca(&d);
	assert_int_equal(pk_pki_dir_add(&d, &row), 0);
	d.crl = 41;
	assert_int_equal(pk_pki_dir_save(&d), 0);
	pk_pki_dir_done(&d);

	assert_int_equal(mode_of(""), 0700);
	assert_int_equal(mode_of("ca.key"), 0600);
	assert_int_equal(mode_of("index"), 0600);
	assert_int_equal(mode_of("ca.crt"), 0644);

	assert_int_equal(pk_pki_dir_open(path, false, &d), 0);
	assert_int_equal(d.crl, 41);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.rows[0].serial, row.serial);
	assert_int_equal(d.rows[0].ends_s, row.ends_s);
	assert_int_equal(d.rows[0].revoked_s, row.revoked_s);
	assert_string_equal(d.rows[0].role, row.role);
	assert_string_equal(d.rows[0].name, row.name);
	assert_int_equal(pk_pki_dir_load_ca(&d, &cert, &key), 0);
	X509_free(cert);
	EVP_PKEY_free(key);
	pk_pki_dir_done(&d);
}

static void never_replaces_an_authority(void **state)
{
	struct pk_pki_dir d = { .fd = -1 };
	char file[128];

	(void)state;
	assert_int_equal(pk_pki_dir_open(path, true, &d), -EEXIST);
	snprintf(file, sizeof(file), "%s/index", path); /* also when the index is gone */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(pk_pki_dir_open(path, true, &d), -EEXIST);
	assert_int_equal(pk_pki_dir_open(path, false, &d), -ENOENT);
	assert_int_equal(d.fd, -1);
}

static void damaged_index_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"hello\n",
		"crl 1\n0A 1 0 operator alice more\n",
		"crl 1\n0A 1 0 operator ../ca\n",
		"crl 1\n0A 1 operator alice\n",
		"crl 1\n0A 1 0 operator alice", /* cut */
	};
	struct pk_pki_dir d = { .fd = -1 };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++) {
		write_index(bad[i]);
		assert_int_equal(pk_pki_dir_open(path, false, &d), -EBADMSG);
	}
	write_index("crl 1\n0A 1 0 operator alice\n");
	assert_int_equal(pk_pki_dir_open(path, false, &d), 0);
	pk_pki_dir_done(&d);
}

/* A key that is not the certificate's, as a half copied backup has it. */
static void key_belongs_to_certificate(void **state)
{
	struct pk_pki_dir d = { .fd = -1 };
	EVP_PKEY *key = NULL, *got = NULL;
	X509 *cert = NULL;

	(void)state;
	assert_int_equal(pk_pki_dir_open(path, false, &d), 0);
	assert_int_equal(pk_pki_key_new(PK_PKI_P256, &key), 0);
	assert_int_equal(pk_pki_dir_put(&d, "ca", NULL, key), 0);
	assert_int_equal(pk_pki_dir_load_ca(&d, &cert, &got), -EBADMSG);
	EVP_PKEY_free(key);
	pk_pki_dir_done(&d);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	snprintf(path, sizeof(path), "%s/pki", root);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "index", "ca.crt", "ca.key" };
	char file[128];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(names); i++) {
		snprintf(file, sizeof(file), "%s/%s", path, names[i]);
		(void)unlink(file);
	}
	return rmdir(path) || rmdir(root); /* fails if anything else was left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_was_put),
		cmocka_unit_test(never_replaces_an_authority),
		cmocka_unit_test(damaged_index_is_refused),
		cmocka_unit_test(key_belongs_to_certificate),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
