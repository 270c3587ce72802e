/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/statement.h"

#include "place.h"

#include <errno.h>

#define SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define TEXT                                                                                       \
	"{\"count\":1,\"created\":\"2027-01-15T07:59:00Z\",\"expires\":\"2027-01-16T08:00:00Z\","  \
	"\"list\":\"drop\",\"options\":{\"kind\":\"block\",\"mode\":\"enforce\"},\"schema\":1,"    \
	"\"sha256\":\"" SHA "\",\"size\":3,\"version\":7}"

static struct pk_statement sample(void)
{
	struct pk_statement s = statement_of("drop", 7, "abc");

	assert_int_equal(pk_statement_set_option(&s, "mode", "observe"), 0);
	assert_int_equal(pk_statement_set_option(&s, "kind", "block"), 0);
	assert_int_equal(pk_statement_set_option(&s, "mode", "enforce"), 0);
	return s;
}

static void it_is_written_and_read_the_same(void **state)
{
	struct pk_statement s = sample(), back;
	struct pk_buf text = { 0 };

	(void)state;
	assert_int_equal(pk_statement_write(&s, &text), 0);
	assert_string_equal(text.data, TEXT);
	assert_int_equal(pk_statement_read(text.data, text.len, &back), PK_SIGNED_OK);
	assert_string_equal(back.list, "drop");
	assert_int_equal(back.version, 7);
	assert_int_equal(back.created_s, s.created_s);
	assert_int_equal(back.expires_s, s.expires_s);
	assert_int_equal(back.options, 2);
	assert_string_equal(pk_statement_option(&back, "mode"), "enforce");
	assert_null(pk_statement_option(&back, "ttl"));
	assert_int_equal(pk_statement_fits(&back, "abc", 3), PK_SIGNED_OK);
	assert_int_equal(pk_statement_fits(&back, "abd", 3), PK_REFUSED_DIGEST);
	assert_int_equal(pk_statement_fits(&back, "abcd", 4), PK_REFUSED_DIGEST);
	pk_buf_done(&text);
}

/* TEXT with one piece of it changed. */
static enum pk_refusal with(const char *was, const char *is)
{
	struct pk_statement s;
	struct pk_buf b = { 0 };
	const char *at = strstr(TEXT, was);
	enum pk_refusal r;

	assert_non_null(at);
	pk_buf_add(&b, TEXT, (size_t)(at - TEXT));
	pk_buf_str(&b, is);
	pk_buf_str(&b, at + strlen(was));
	r = pk_statement_read(b.data, b.len, &s);
	pk_buf_done(&b);
	return r;
}

static void only_what_is_exactly_such_an_object_is_read(void **state)
{
	static const struct {
		const char *was, *is;
	} bad[] = {
		{ "\"version\":7", "\"version\":0" },
		{ "\"version\":7", "\"version\":-1" },
		{ "\"version\":7", "\"version\":7.0" },
		{ "\"version\":7", "\"version\":\"7\"" },
		{ "\"version\":7", "\"version\":9007199254740992" },
		{ "\"version\":7", "\"version\":7,\"version\":8" },
		{ "\"version\":7", "\"version\":7,\"more\":1" },
		{ ",\"version\":7", "" },
		{ "\"schema\":1", "\"schema\":2" },
		{ "\"list\":\"drop\"", "\"list\":\"../drop\"" },
		{ "\"list\":\"drop\"", "\"list\":\".drop\"" },
		{ "\"list\":\"drop\"", "\"list\":\"\"" },
		{ "07:59:00Z", "07:59:00+00:00" },
		{ "07:59:00Z", "7:59:00Z" },
		{ "2027-01-15", "2027-02-31" },
		{ "2027-01-16", "2027-01-14" },
		{ "\"size\":3", "\"size\":null" },
		{ SHA, "ba78" },
		{ "ba78", "BA78" },
		{ "\"options\":{\"kind\":\"block\",\"mode\":\"enforce\"}", "\"options\":[]" },
		{ "\"mode\":\"enforce\"", "\"mode\":1" },
		{ "}", "" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_int_equal(with(bad[i].was, bad[i].is), PK_REFUSED_MALFORMED);
	assert_int_equal(with("\"mode\":\"enforce\"", "\"moed\":\"enforce\""), PK_REFUSED_OPTION);
	assert_int_equal(with("\"mode\":\"enforce\"", "\"mode\":\"\""), PK_REFUSED_OPTION);
	assert_int_equal(with("\"mode\":\"enforce\"", "\"mode\":\"a\\nb\""), PK_REFUSED_OPTION);
	assert_int_equal(with("\"size\":3", "\"size\":3"), PK_SIGNED_OK);
}

static void what_would_not_be_read_is_not_written(void **state)
{
	struct pk_statement s = sample();
	struct pk_buf text = { 0 };

	(void)state;
	s.version = 0;
	assert_int_equal(pk_statement_write(&s, &text), -EINVAL);
	s = sample();
	s.expires_s = s.created_s;
	assert_int_equal(pk_statement_write(&s, &text), -EINVAL);
	s = sample();
	strcpy(s.list, "a b");
	assert_int_equal(pk_statement_write(&s, &text), -EINVAL);
	assert_int_equal(pk_statement_set_option(&s, "confirm", "60"), -EINVAL);
	assert_int_equal(pk_statement_set_option(&s, "mode", "\x80"), -EINVAL);
	pk_buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_written_and_read_the_same),
		cmocka_unit_test(only_what_is_exactly_such_an_object_is_read),
		cmocka_unit_test(what_would_not_be_read_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
