/* SPDX-License-Identifier: Apache-2.0 */
/* What senders hide comes out plain, what is plain stays, and nothing grows or leaves its bounds.
 */
#include "detect/web_text.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct pk_web_text text;

static struct pk_slice of(const char *s)
{
	return (struct pk_slice){ s, (uint32_t)strlen(s) };
}

static const char *target(const char *s)
{
	const struct pk_slice part[PK_WEB_PARTS] = { of(s) };

	pk_web_text_make(&text, part);
	text.s[text.end[PK_WEB_TARGET]] = '\0';
	return text.s;
}

static void test_forms(void **state)
{
	static const struct {
		const char *sent, *read;
	} forms[] = {
		{ "/a/b?c=d", "/a/b?c=d" },
		{ "/A/%2e%2E/Etc/PASSWD", "/a/../etc/passwd" },
		{ "/%252e%252e%252fetc", "/../etc" },
		{ "/%25252e", "/%2e" }, /* twice is enough */
		{ "/..%c0%afetc", "/../etc" },
		{ "/..\\..\\windows", "/../../windows" },
		{ "/%u0041%zz%4", "/a%zz%4" },
		{ "/a/././b//c", "/a/b/c" },
		{ "?q=1+UNION/**/ALL%0d%20%09SELECT", "?q=1 union all select" },
		{ "?q=/*open", "?q=/*open" },
		{ "${jndi:ldap://x/a}", "${jndi:ldap:/x/a}" },
		{ "${${lower:J}ndi:${lower:L}dap://x}", "${jndi:ldap:/x}" },
		{ "${${::-j}${::-n}${::-d}${::-i}:rmi://x}", "${jndi:rmi:/x}" },
		{ "${${env:NaN:-j}ndi${env:NaN:-:}ldap:", "${jndi:ldap:" },
		{ "%24%7Bjndi:dns://x/:-y}", "${jndi:dns:/x/:-y}" },
		{ "\\u0024{jndi:x}", "${jndi:x}" },
		{ "${${upper:${lower:j}}ndi:", "${jndi:" },
		{ "}}${a", "}}${a" },
		{ "$", "$" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(forms); i++)
		assert_string_equal(target(forms[i].sent), forms[i].read);
}

static void test_parts(void **state)
{
	const struct pk_slice part[PK_WEB_PARTS] = { of("/a+b"), of("X: a+b\r\nY:  c\r\n"),
						     of("q=a+b") };
	static const char want[] = "/a b\nx: a+b\ny: c\n\nq=a b";

	(void)state;
	pk_web_text_make(&text, part);
	assert_int_equal(text.len, sizeof(want) - 1);
	assert_memory_equal(text.s, want, sizeof(want) - 1);
	assert_int_equal(pk_web_text_part(&text, 0), PK_WEB_TARGET);
	assert_int_equal(pk_web_text_part(&text, 5), PK_WEB_FIELDS);
	assert_int_equal(pk_web_text_part(&text, text.len - 1), PK_WEB_BODY);
	for (size_t i = 0; i < PK_WEB_TEXT_PAD; i++)
		assert_int_equal(text.s[text.len + i], 0);
}

static void test_long(void **state)
{
	static char much[3 * PK_WEB_TEXT_MAX];
	struct pk_slice part[PK_WEB_PARTS];

	(void)state;
	memset(much, '{', sizeof(much));
	for (size_t i = 0; i + 1 < sizeof(much); i += 2)
		much[i] = '$';
	for (unsigned p = 0; p < PK_WEB_PARTS; p++)
		part[p] = (struct pk_slice){ much, sizeof(much) };
	pk_web_text_make(&text, part);
	assert_int_equal(text.len, PK_WEB_TEXT_MAX);
	assert_int_equal(text.end[PK_WEB_BODY], PK_WEB_TEXT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
