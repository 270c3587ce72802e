/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes envelopes and judges their signatures. The order of the checks is fixed, so that
 * the same envelope always gets the same answer; what is in the statement counts only once somebody
 * who is trusted has signed it.
 */
#include "sign/envelope.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "conf/threshold.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SKEW_S 300

static void json_freep(json_t **j)
{
	json_decref(*j);
}

void pk_envelope_done(struct pk_envelope *e)
{
	free(e->payload);
	*e = (struct pk_envelope){ 0 };
}

/* Both alphabets of RFC 4648, padded, nothing else. Returns the length, -EINVAL. */
static int unbase64(const char *s, size_t n, uint8_t **ret)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	_cleanup_free_ char *copy = strndup(s, n);
	_cleanup_free_ uint8_t *out = malloc(n / 4 * 3 + 1);
	size_t pad = 0;

	if (!copy || !out)
		return -ENOMEM;
	if (strlen(copy) != n)
		return -EINVAL;
	while (pad < 2 && pad < n && copy[n - 1 - pad] == '=')
		pad++;
	if (!n || n % 4)
		return -EINVAL;
	for (size_t i = 0; i < n - pad; i++) {
		if (copy[i] == '-')
			copy[i] = '+';
		else if (copy[i] == '_')
			copy[i] = '/';
		if (!strchr(digits, copy[i]))
			return -EINVAL;
	}
	if (EVP_DecodeBlock(out, (const unsigned char *)copy, (int)n) != (int)(n / 4 * 3))
		return -EINVAL;
	*ret = PK_TAKE(out);
	return (int)(n / 4 * 3 - pad);
}

static int read_sig(const json_t *o, struct pk_envelope *e)
{
	const char *key = json_string_value(json_object_get(o, "keyid"));
	const json_t *sig = json_object_get(o, "sig");
	struct pk_envelope_sig *to = &e->sig[e->sigs];
	_cleanup_free_ uint8_t *raw = NULL;

	if (json_object_size(o) != 2 || !key || !*key || strlen(key) >= PK_ENVELOPE_ID ||
	    !json_is_string(sig) || e->sigs == PK_ENVELOPE_SIGS ||
	    unbase64(json_string_value(sig), json_string_length(sig), &raw) != PK_SIG_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < e->sigs; i++)
		if (strcmp(e->sig[i].key, key) == 0)
			return -EINVAL;
	snprintf(to->key, sizeof(to->key), "%s", key);
	memcpy(to->sig, raw, PK_SIG_SIZE);
	e->sigs++;
	return 0;
}

static int read_members(const json_t *o, struct pk_envelope *e)
{
	const char *type = json_string_value(json_object_get(o, "payloadType"));
	const json_t *payload = json_object_get(o, "payload");
	const json_t *sigs = json_object_get(o, "signatures");
	uint8_t *text;
	int n;

	if (json_object_size(o) != 3 || !type || strcmp(type, PK_ENVELOPE_TYPE) != 0 ||
	    !json_is_string(payload) || !json_array_size(sigs))
		return -EINVAL;
	n = unbase64(json_string_value(payload), json_string_length(payload), &text);
	if (n < 0)
		return n;
	e->payload = (char *)text;
	e->len = (size_t)n;
	for (size_t i = 0; i < json_array_size(sigs); i++)
		if (read_sig(json_array_get(sigs, i), e) < 0)
			return -EINVAL;
	return 0;
}

enum pk_refusal pk_envelope_read(const void *text, size_t len, struct pk_envelope *ret)
{
	_cleanup_(json_freep) json_t *o = NULL;
	struct pk_envelope e = { 0 };

	if (len > PK_ENVELOPE_MAX)
		return PK_REFUSED_TOO_LARGE;
	o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!o || read_members(o, &e) < 0) {
		pk_envelope_done(&e);
		return PK_REFUSED_MALFORMED;
	}
	*ret = e;
	return PK_SIGNED_OK;
}

int pk_envelope_new(const struct pk_statement *s, struct pk_envelope *ret)
{
	struct pk_buf text = { .max = PK_STATEMENT_MAX };
	int r = pk_statement_write(s, &text);

	if (r < 0) {
		pk_buf_done(&text);
		return r;
	}
	*ret = (struct pk_envelope){ .payload = text.data, .len = text.len };
	return 0;
}

/* What is signed: DSSE's PAE(type, payload). */
static int authenticated(const struct pk_envelope *e, struct pk_buf *out)
{
	pk_buf_fmt(out, "DSSEv1 %zu %s %zu ", strlen(PK_ENVELOPE_TYPE), PK_ENVELOPE_TYPE, e->len);
	pk_buf_add(out, e->payload, e->len);
	return out->error;
}

int pk_envelope_sign(struct pk_envelope *e, const struct pk_key *key)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	struct pk_envelope_sig *to;
	uint8_t sig[PK_SIG_SIZE];
	size_t at = 0;
	int r = authenticated(e, &text);

	if (r == 0)
		r = pk_key_sign(key, text.data, text.len, sig);
	if (r < 0)
		return r;
	while (at < e->sigs && strcmp(e->sig[at].key, key->id) != 0)
		at++;
	if (at == PK_ENVELOPE_SIGS)
		return -E2BIG;
	to = &e->sig[at];
	snprintf(to->key, sizeof(to->key), "%s", key->id);
	memcpy(to->sig, sig, sizeof(sig));
	e->sigs += at == e->sigs;
	return 0;
}

static void write_base64(struct pk_json *j, const char *key, const void *data, size_t len)
{
	_cleanup_free_ unsigned char *text = malloc((len + 2) / 3 * 4 + 1);

	if (!text) {
		j->out->error = -ENOMEM;
		return;
	}
	EVP_EncodeBlock(text, data, (int)len);
	pk_json_str(j, key, (const char *)text);
}

int pk_envelope_write(const struct pk_envelope *e, struct pk_buf *out)
{
	struct pk_json j;

	pk_json_init(&j, out);
	pk_json_obj(&j, NULL);
	write_base64(&j, "payload", e->payload, e->len);
	pk_json_str(&j, "payloadType", PK_ENVELOPE_TYPE);
	pk_json_arr(&j, "signatures");
	for (size_t i = 0; i < e->sigs; i++) {
		pk_json_obj(&j, NULL);
		pk_json_str(&j, "keyid", e->sig[i].key);
		write_base64(&j, "sig", e->sig[i].sig, PK_SIG_SIZE);
		pk_json_end(&j);
	}
	pk_json_end(&j);
	pk_json_end(&j);
	return out->error;
}

/* All signatures; the keys that are trusted and right are in ret. */
static enum pk_refusal judge(const struct pk_envelope *e, const struct pk_keys *keys,
			     struct pk_signed *ret)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	bool retired = false;

	if (authenticated(e, &text) < 0)
		return PK_REFUSED_TOO_LARGE;
	for (size_t i = 0; i < e->sigs; i++) {
		const struct pk_trusted *t = pk_keys_find(keys, e->sig[i].key);

		if (!t)
			continue;
		if (!pk_key_verify(&t->key, text.data, text.len, e->sig[i].sig))
			return PK_REFUSED_SIGNATURE;
		retired |= t->retired;
		if (!t->retired)
			memcpy(ret->key[ret->keys++], t->key.id, PK_KEY_ID);
	}
	if (ret->keys)
		return PK_SIGNED_OK;
	return retired ? PK_REFUSED_RETIRED_KEY : PK_REFUSED_UNKNOWN_KEY;
}

static bool is_enough(const struct pk_signed *s, const struct pk_conf_threshold *t)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->keys; i++) {
		bool counts = !t->keys;

		for (size_t k = 0; k < t->keys && !counts; k++)
			counts = strcmp(t->key[k], s->key[i]) == 0;
		n += counts;
	}
	return n >= t->need;
}

enum pk_refusal pk_envelope_open(const struct pk_envelope *e, const struct pk_keys *keys,
				 const struct pk_conf *conf, struct pk_signed *ret)
{
	struct pk_conf_threshold t = { .need = 1 };
	struct pk_signed s = { .keys = 0 };
	enum pk_refusal r = judge(e, keys, &s);

	if (r == PK_SIGNED_OK)
		r = pk_statement_read(e->payload, e->len, &s.statement);
	if (r != PK_SIGNED_OK)
		return r;
	if (conf)
		pk_conf_threshold(conf, s.statement.list, &t);
	if (!is_enough(&s, &t))
		return PK_REFUSED_THRESHOLD;
	*ret = s;
	return PK_SIGNED_OK;
}

enum pk_refusal pk_statement_check(const struct pk_statement *s, const char *list, int64_t now_s)
{
	if (list && strcmp(s->list, list) != 0)
		return PK_REFUSED_NAME;
	if (s->created_s > now_s + SKEW_S)
		return PK_REFUSED_FUTURE;
	return s->expires_s <= now_s ? PK_REFUSED_EXPIRED : PK_SIGNED_OK;
}

size_t pk_envelope_ends(const void *bytes, size_t len)
{
	const char *p = bytes;
	const char *end = memchr(p, '\n', len < PK_ENVELOPE_MAX + 1 ? len : PK_ENVELOPE_MAX + 1);

	return end && *p == '{' ? (size_t)(end - p) : 0;
}
