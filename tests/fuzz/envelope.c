/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An envelope of any bytes, and a statement of any bytes in one that is rightly signed: refused, or
 * read so that it is written again as the same. The first byte chooses.
 * fuzz-links: user/sign/envelope.c user/sign/key.c user/sign/keys.c user/sign/refusal.c
 * fuzz-links: user/sign/statement.c user/conf/threshold.c user/base/buf.c user/base/escape.c
 * fuzz-links: user/base/hex.c user/base/json.c
 */
#include "sign/envelope.h"
#include "base/buf.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int ok)
{
	if (!ok)
		abort();
}

static struct pk_trusted *key(void)
{
	static struct pk_trusted t;
	static const uint8_t secret[32] = { 1 };

	if (!t.key.pkey) {
		t.key.pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
		t.key.is_private = true;
		memcpy(t.key.id, "0123456789abcdef", PK_KEY_ID);
	}
	return &t;
}

static void check_statement(const struct pk_statement *s)
{
	struct pk_statement again;
	struct pk_buf text = { 0 };

	require(pk_statement_write(s, &text) == 0);
	require(pk_statement_read(text.data, text.len, &again) == PK_SIGNED_OK);
	require(again.version == s->version && again.created_s == s->created_s &&
		again.expires_s == s->expires_s && again.count == s->count &&
		again.options == s->options && !strcmp(again.list, s->list));
	for (size_t i = 0; i < s->options; i++)
		require(!strcmp(again.option[i].name, s->option[i].name) &&
			!strcmp(again.option[i].value, s->option[i].value));
	pk_buf_done(&text);
}

static void as_envelope(const uint8_t *data, size_t size, const struct pk_keys *keys)
{
	struct pk_buf line = { 0 };
	struct pk_envelope e, again;
	struct pk_signed s;
	enum pk_refusal r = pk_envelope_read(data, size, &e);

	require(pk_envelope_ends(data, size) <= PK_ENVELOPE_MAX);
	if (r != PK_SIGNED_OK) {
		require(r == PK_REFUSED_MALFORMED || r == PK_REFUSED_TOO_LARGE);
		return;
	}
	require(e.sigs && e.sigs <= PK_ENVELOPE_SIGS);
	require(pk_envelope_write(&e, &line) == 0);
	r = pk_envelope_read(line.data, line.len, &again);
	/* escapes and padding may make it longer than it was */
	require(r == PK_SIGNED_OK || line.len > PK_ENVELOPE_MAX);
	if (r == PK_SIGNED_OK) {
		require(again.len == e.len && !memcmp(again.payload, e.payload, e.len));
		pk_envelope_done(&again);
	}
	if (pk_envelope_open(&e, keys, NULL, &s) == PK_SIGNED_OK)
		check_statement(&s.statement);
	pk_buf_done(&line);
	pk_envelope_done(&e);
}

static void as_statement(const uint8_t *data, size_t size, const struct pk_keys *keys)
{
	struct pk_envelope e = { .payload = malloc(size ? size : 1), .len = size };
	struct pk_signed s;
	enum pk_refusal r;

	memcpy(e.payload, data, size);
	require(pk_envelope_sign(&e, &keys->v[0].key) == 0);
	r = pk_envelope_open(&e, keys, NULL, &s);
	require(r == PK_SIGNED_OK || r == PK_REFUSED_MALFORMED || r == PK_REFUSED_OPTION ||
		r == PK_REFUSED_TOO_LARGE);
	if (r == PK_SIGNED_OK)
		check_statement(&s.statement);
	pk_envelope_done(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pk_keys keys = { key(), 1 };

	if (!size)
		return 0;
	if (data[0] & 1)
		as_statement(data + 1, size - 1, &keys);
	else
		as_envelope(data + 1, size - 1, &keys);
	return 0;
}
