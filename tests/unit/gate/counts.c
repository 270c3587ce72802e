/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/counts.h"

#include "base/cleanup.h"

#include <openssl/x509_vfy.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void each_cause_has_a_name(void **state)
{
	(void)state;
	for (int i = PK_GATE_REFUSED; i < PK_GATE_COUNTERS; i++) {
		assert_string_not_equal(pk_gate_count_name(i), "unknown");
		for (int k = PK_GATE_REFUSED; k < i; k++)
			assert_string_not_equal(pk_gate_count_name(i), pk_gate_count_name(k));
	}
	assert_string_equal(pk_gate_count_name(PK_GATE_COUNTERS), "unknown");
}

static void certificates_are_refused_for_what_they_are(void **state)
{
	(void)state;
	assert_int_equal(pk_gate_count_of_verify(X509_V_ERR_CERT_REVOKED), PK_GATE_REVOKED);
	assert_int_equal(pk_gate_count_of_verify(X509_V_ERR_CERT_HAS_EXPIRED), PK_GATE_EXPIRED);
	assert_int_equal(pk_gate_count_of_verify(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY),
			 PK_GATE_UNKNOWN_CA);
	assert_int_equal(pk_gate_count_of_verify(X509_V_ERR_CERT_SIGNATURE_FAILURE),
			 PK_GATE_UNKNOWN_CA);
	assert_int_equal(pk_gate_count_of_verify(X509_V_ERR_INVALID_PURPOSE), PK_GATE_BAD_CERT);
}

static size_t lines_in(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, word)); p++)
		n++;
	return n;
}

/* A flood of refusals is counted whole, and does not fill the log. */
static void a_flood_is_told_in_few_lines(void **state)
{
	struct pk_gate_counts counts = { 0 };
	struct pk_gate_audit audit = { .counts = &counts };
	static char text[65536];
	int kept = dup(2), fds[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], 2);
	pk_gate_refused(&audit, PK_GATE_REVOKED, "192.0.2.1", "CN=mallory");
	for (int i = 0; i < 5000; i++)
		pk_gate_refused(&audit, PK_GATE_LATE, "192.0.2.2", NULL);
	audit.second = 0; /* a second later */
	pk_gate_refused(&audit, PK_GATE_LIMITED, "192.0.2.3", NULL);
	fflush(stderr);
	dup2(kept, 2);
	close(kept);
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	close(fds[0]);
	assert_true(n > 0);
	text[n] = '\0';
	assert_int_equal(counts.n[PK_GATE_LATE], 5000);
	assert_non_null(strstr(text, "audit: 192.0.2.1 (CN=mallory) was refused: its certificate "
				     "is revoked"));
	/* ten a second, and the clock may have gone on by one */
	assert_in_range(lines_in(text, "192.0.2.2"), 9, 19);
	assert_true(lines_in(text, " more were refused, ") >= 1);
	assert_non_null(strstr(text, "audit: 192.0.2.3 was refused: it asks too often"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cause_has_a_name),
		cmocka_unit_test(certificates_are_refused_for_what_they_are),
		cmocka_unit_test(a_flood_is_told_in_few_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
