/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/envelope.h"

#include "conf/conf.h"
#include "place.h"

#include <errno.h>

struct world {
	struct place p;
	struct pk_key a, b, retired, stranger;
	struct pk_keys keys;
};

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	place_make(&w->p);
	make_key(&w->p, "a", &w->a);
	make_key(&w->p, "b", &w->b);
	make_key(&w->p, "r", &w->retired);
	make_key(&w->p, "s", &w->stranger);
	assert_int_equal(renameat(w->p.fd, "r.pub", w->p.fd, "r.retired"), 0);
	assert_int_equal(unlinkat(w->p.fd, "s.pub", 0), 0);
	load_keys(&w->p, &w->keys);
	*state = w;
	return 0;
}

static int clean_world(void **state)
{
	struct world *w = *state;

	pk_keys_done(&w->keys);
	pk_key_done(&w->a);
	pk_key_done(&w->b);
	pk_key_done(&w->retired);
	pk_key_done(&w->stranger);
	place_clean(&w->p);
	free(w);
	return 0;
}

/* Written, read and judged. */
static enum pk_refusal judged(const struct world *w, const struct pk_envelope *e,
			      const struct pk_conf *conf, struct pk_signed *ret)
{
	struct pk_buf line = { 0 };
	struct pk_envelope back;
	enum pk_refusal r;

	assert_int_equal(pk_envelope_write(e, &line), 0);
	assert_int_equal(pk_envelope_read(line.data, line.len, &back), PK_SIGNED_OK);
	r = pk_envelope_open(&back, &w->keys, conf, ret);
	pk_envelope_done(&back);
	pk_buf_done(&line);
	return r;
}

static void signed_by(const struct world *w, const struct pk_key *one, const struct pk_key *two,
		      struct pk_envelope *ret)
{
	struct pk_statement s = statement_of("drop", 7, "abc");

	(void)w;
	sign(&s, one, ret);
	if (two)
		assert_int_equal(pk_envelope_sign(ret, two), 0);
}

static void each_wrong_key_has_its_own_answer(void **state)
{
	const struct world *w = *state;
	const struct {
		const struct pk_key *one, *two;
		enum pk_refusal want;
	} rows[] = {
		{ &w->a, NULL, PK_SIGNED_OK },
		{ &w->a, &w->b, PK_SIGNED_OK },
		{ &w->a, &w->stranger, PK_SIGNED_OK },
		{ &w->stranger, NULL, PK_REFUSED_UNKNOWN_KEY },
		{ &w->retired, NULL, PK_REFUSED_RETIRED_KEY },
		{ &w->retired, &w->stranger, PK_REFUSED_RETIRED_KEY },
		{ &w->retired, &w->b, PK_SIGNED_OK },
	};
	struct pk_envelope e;
	struct pk_signed s;

	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		signed_by(w, rows[i].one, rows[i].two, &e);
		assert_int_equal(judged(w, &e, NULL, &s), rows[i].want);
		pk_envelope_done(&e);
	}
}

static void an_altered_byte_anywhere_is_found(void **state)
{
	const struct world *w = *state;
	struct pk_envelope e;
	struct pk_signed s;

	signed_by(w, &w->a, NULL, &e);
	for (size_t i = 0; i < e.len; i++) {
		e.payload[i] ^= 1;
		assert_int_equal(judged(w, &e, NULL, &s), PK_REFUSED_SIGNATURE);
		e.payload[i] ^= 1;
	}
	for (size_t i = 0; i < PK_SIG_SIZE; i++) {
		e.sig[0].sig[i] ^= 0x10;
		assert_int_equal(judged(w, &e, NULL, &s), PK_REFUSED_SIGNATURE);
		e.sig[0].sig[i] ^= 0x10;
	}
	/* a right one beside it does not make up for it */
	assert_int_equal(pk_envelope_sign(&e, &w->b), 0);
	e.sig[0].sig[5] ^= 1;
	assert_int_equal(judged(w, &e, NULL, &s), PK_REFUSED_SIGNATURE);
	/* nor one key under the name of another */
	e.sig[0].sig[5] ^= 1;
	memcpy(e.sig[1].sig, e.sig[0].sig, PK_SIG_SIZE);
	assert_int_equal(judged(w, &e, NULL, &s), PK_REFUSED_SIGNATURE);
	pk_envelope_done(&e);
}

static void a_critical_list_needs_its_keys(void **state)
{
	const struct world *w = *state;
	struct pk_conf *c = pk_conf_new();
	struct pk_buf errors = { 0 };
	struct pk_envelope e;
	struct pk_signed s;
	char item[128];

	assert_int_equal(pk_conf_set(c, "sign.lists", "drop=2,*=1", &errors), 0);
	signed_by(w, &w->a, NULL, &e);
	assert_int_equal(judged(w, &e, c, &s), PK_REFUSED_THRESHOLD);
	assert_int_equal(pk_envelope_sign(&e, &w->a), 0); /* again is not twice */
	assert_int_equal(judged(w, &e, c, &s), PK_REFUSED_THRESHOLD);
	assert_int_equal(pk_envelope_sign(&e, &w->retired), 0);
	assert_int_equal(judged(w, &e, c, &s), PK_REFUSED_THRESHOLD);
	assert_int_equal(pk_envelope_sign(&e, &w->b), 0);
	assert_int_equal(judged(w, &e, c, &s), PK_SIGNED_OK);
	assert_int_equal(s.keys, 2);
	/* of these two, one does not count */
	snprintf(item, sizeof(item), "drop=2:%s+%s", w->a.id, w->stranger.id);
	assert_int_equal(pk_conf_set(c, "sign.lists", item, &errors), 0);
	assert_int_equal(judged(w, &e, c, &s), PK_REFUSED_THRESHOLD);
	assert_int_equal(pk_conf_set(c, "sign.lists", "other=2", &errors), 0);
	assert_int_equal(judged(w, &e, c, &s), PK_SIGNED_OK);
	pk_envelope_done(&e);
	pk_buf_done(&errors);
	pk_conf_free(c);
}

static void name_and_times(void **state)
{
	struct pk_statement s = statement_of("drop", 7, "abc");

	(void)state;
	assert_int_equal(pk_statement_check(&s, "drop", NOW_S), PK_SIGNED_OK);
	assert_int_equal(pk_statement_check(&s, NULL, NOW_S), PK_SIGNED_OK);
	assert_int_equal(pk_statement_check(&s, "dro", NOW_S), PK_REFUSED_NAME);
	assert_int_equal(pk_statement_check(&s, "drop", s.expires_s - 1), PK_SIGNED_OK);
	assert_int_equal(pk_statement_check(&s, "drop", s.expires_s), PK_REFUSED_EXPIRED);
	assert_int_equal(pk_statement_check(&s, "drop", s.created_s - 300), PK_SIGNED_OK);
	assert_int_equal(pk_statement_check(&s, "drop", s.created_s - 301), PK_REFUSED_FUTURE);
}

#define SIG                                                                                        \
	"{\"keyid\":\"k\",\"sig\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"  \
	"AAAAAAAAAAAAAAAAAAAAAAAAAA==\"}"
#define ENVELOPE(payload, sigs)                                                                    \
	"{\"payload\":\"" payload "\",\"payloadType\":\"" PK_ENVELOPE_TYPE                         \
	"\",\"signatures\":[" sigs "]}"

static void what_is_no_envelope_is_told(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		ENVELOPE("e30=", ""),
		ENVELOPE("", SIG),
		ENVELOPE("e30", SIG),
		ENVELOPE("e3 =", SIG),
		ENVELOPE("e30=", SIG "," SIG),
		ENVELOPE("e30=", "{\"keyid\":\"\",\"sig\":\"AAAA\"}"),
		ENVELOPE("e30=", "{\"keyid\":\"k\",\"sig\":\"AAAA\"}"),
		ENVELOPE("e30=", "{\"sig\":\"AAAA\"}"),
		"{\"payload\":\"e30=\",\"payloadType\":\"text/plain\",\"signatures\":[" SIG "]}",
		"{\"payload\":\"e30=\",\"payload\":\"e30=\",\"payloadType\":\"" PK_ENVELOPE_TYPE
		"\",\"signatures\":[" SIG "]}",
		ENVELOPE("e30=", SIG) "x",
	};
	_cleanup_free_ char *large = malloc(PK_ENVELOPE_MAX + 1);
	struct pk_envelope e;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_int_equal(pk_envelope_read(bad[i], strlen(bad[i]), &e),
				 PK_REFUSED_MALFORMED);
	assert_int_equal(pk_envelope_read(ENVELOPE("e30=", SIG), strlen(ENVELOPE("e30=", SIG)), &e),
			 PK_SIGNED_OK);
	assert_int_equal(e.len, 2);
	pk_envelope_done(&e);
	/* the other alphabet of base64 is fine too */
	assert_int_equal(pk_envelope_read(ENVELOPE("-_-_", SIG), strlen(ENVELOPE("-_-_", SIG)), &e),
			 PK_SIGNED_OK);
	assert_memory_equal(e.payload, "\xfb\xff\xbf", 3);
	pk_envelope_done(&e);
	memset(large, ' ', PK_ENVELOPE_MAX + 1);
	assert_int_equal(pk_envelope_read(large, PK_ENVELOPE_MAX + 1, &e), PK_REFUSED_TOO_LARGE);
	assert_int_equal(pk_envelope_ends("{}\nabc", 6), 2);
	assert_int_equal(pk_envelope_ends("192.0.2.1\n", 10), 0);
	assert_int_equal(pk_envelope_ends("{}", 2), 0);
	assert_int_equal(pk_envelope_ends("", 0), 0);
}

/* DSSE's own example of what is signed (protocol.md), with our type. */
static void the_signature_is_over_dsse_text(void **state)
{
	static const char text[] = "DSSEv1 32 " PK_ENVELOPE_TYPE " 2 {}";
	const struct world *w = *state;
	struct pk_envelope e = { .payload = strdup("{}"), .len = 2 };
	struct pk_signed s;

	assert_int_equal(pk_envelope_sign(&e, &w->a), 0);
	assert_true(pk_key_verify(&w->a, text, sizeof(text) - 1, e.sig[0].sig));
	/* rightly signed, but no statement */
	assert_int_equal(pk_envelope_open(&e, &w->keys, NULL, &s), PK_REFUSED_MALFORMED);
	pk_envelope_done(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_key_has_its_own_answer),
		cmocka_unit_test(an_altered_byte_anywhere_is_found),
		cmocka_unit_test(a_critical_list_needs_its_keys),
		cmocka_unit_test(name_and_times),
		cmocka_unit_test(what_is_no_envelope_is_told),
		cmocka_unit_test(the_signature_is_over_dsse_text),
	};

	return cmocka_run_group_tests(tests, make_world, clean_world);
}
