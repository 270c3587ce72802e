/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the counters, and who may fill the log: nobody. */
#include "gate/counts.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <openssl/x509_vfy.h>

#define LINES_A_SECOND 10
#define NS_PER_S       1000000000ull

static const struct {
	const char *name, *words;
} causes[PK_GATE_COUNTERS] = {
	[PK_GATE_NO_CERT] = { "no_certificate", "it shows no certificate" },
	[PK_GATE_UNKNOWN_CA] = { "unknown_authority", "its certificate is of another authority" },
	[PK_GATE_EXPIRED] = { "expired", "its certificate has expired" },
	[PK_GATE_REVOKED] = { "revoked", "its certificate is revoked" },
	[PK_GATE_BAD_CERT] = { "bad_certificate", "its certificate is not one for clients" },
	[PK_GATE_VERSION] = { "tls_version", "it does not speak TLS 1.3" },
	[PK_GATE_UNFINISHED] = { "unfinished", "its handshake did not end" },
	[PK_GATE_NO_ROLE] = { "no_role", "its certificate has no role here" },
	[PK_GATE_LIMITED] = { "rate", "it asks too often (gate.rate)" },
	[PK_GATE_TOO_LARGE] = { "too_large", "its request is too large" },
	[PK_GATE_MALFORMED] = { "malformed", "what it sent is no request" },
	[PK_GATE_NO_MEMORY] = { "no_memory", "there is no memory for its request" },
	[PK_GATE_LATE] = { "late", "it did not get on with it in time (gate.timeout)" },
	[PK_GATE_EVICTED] = { "evicted", "there are too many connections (gate.connections)" },
};

const char *pk_gate_count_name(enum pk_gate_count c)
{
	return (size_t)c < PK_ARRAY_SIZE(causes) && causes[c].name ? causes[c].name : "unknown";
}

enum pk_gate_count pk_gate_count_of_verify(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_REVOKED:
		return PK_GATE_REVOKED;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return PK_GATE_EXPIRED;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return PK_GATE_UNKNOWN_CA;
	default:
		return PK_GATE_BAD_CERT;
	}
}

void pk_gate_refused(struct pk_gate_audit *a, enum pk_gate_count why, const char *address,
		     const char *who)
{
	uint64_t second = pk_clock_boot_ns() / NS_PER_S;

	a->counts->n[why]++;
	if (second != a->second) {
		a->second = second;
		a->lines = 0;
	}
	if (a->lines++ >= LINES_A_SECOND) {
		a->hidden++;
		return;
	}
	if (a->hidden)
		pk_warn("audit: %llu more were refused, too many for a line each",
			(unsigned long long)a->hidden);
	a->hidden = 0;
	pk_warn("audit: %s%s%s%s was refused: %s", address, who ? " (" : "", who ? who : "",
		who ? ")" : "", causes[why].words);
}
