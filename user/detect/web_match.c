/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the table of literals and the database made of it. What a hit means is the detector's. */
#include "detect/web_match.h"

#include "base/cleanup.h"

#include <errno.h>
#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>

/* Where a literal counts, and what it needs besides. */
#define T      0x01 /* the target */
#define F      0x02 /* the header fields */
#define B      0x04 /* the body */
#define ANY    (T | F | B)
#define QUERY  0x08 /* in the target behind its '?' */
#define SHELL  0x10 /* begins a command: behind ; | ` & or $( */
#define STORES 0x20 /* the request is to be stored there (PUT) */
#define ENDS   0x40 /* the path ends behind it */

const struct pk_web_attack pk_web_attacks[PK_WEB_KINDS] = {
	[PK_WEB_LOG4SHELL] = { "log4shell", "a flaw of Log4j (Log4Shell)", "T1190", PK_MEDIUM, 90 },
	[PK_WEB_SHELLSHOCK] = { "shellshock", "a flaw of bash (Shellshock)", "T1190", PK_MEDIUM,
				90 },
	[PK_WEB_SPRING] = { "spring", "a flaw of Spring", "T1190", PK_MEDIUM, 85 },
	[PK_WEB_OGNL] = { "expression", "an expression that Struts, Confluence or the like runs",
			  "T1190", PK_MEDIUM, 80 },
	[PK_WEB_THINKPHP] = { "thinkphp", "a flaw of ThinkPHP", "T1190", PK_MEDIUM, 90 },
	[PK_WEB_PHP] = { "php", "options or code for PHP", "T1190", PK_MEDIUM, 75 },
	[PK_WEB_COMMAND] = { "command", "a command in a parameter", "T1190", PK_MEDIUM, 75 },
	[PK_WEB_TRAVERSAL] = { "traversal", "a path to files of the system", "T1190", PK_MEDIUM,
			       75 },
	[PK_WEB_SQL] = { "sql", "database commands in a parameter", "T1190", PK_MEDIUM, 70 },
	[PK_WEB_DEVICE] = { "device", "a flaw of routers, cameras or recorders", "T1190", PK_MEDIUM,
			    80 },
	[PK_WEB_PRODUCT] = { "product", "a known flaw of a product", "T1190", PK_MEDIUM, 75 },
	[PK_WEB_UPLOAD] = { "upload", "a program left on the server", "T1505.003", PK_MEDIUM, 65 },
	[PK_WEB_SCRIPT] = { "script", "a script for other visitors' browsers", "T1190", PK_LOW,
			    60 },
};

static const struct literal {
	const char *s;
	uint8_t kind; /* enum pk_web_kind */
	uint8_t needs;
} literals[] = {
	/* CVE-2021-44228; the last ones where the lookup is hidden in a way that is not resolved */
	{ "${jndi:", PK_WEB_LOG4SHELL, ANY },
	{ "${base64:", PK_WEB_LOG4SHELL, ANY },
	{ "jndi:ldap:/", PK_WEB_LOG4SHELL, ANY },
	{ "jndi:ldaps:/", PK_WEB_LOG4SHELL, ANY },
	{ "jndi:rmi:/", PK_WEB_LOG4SHELL, ANY },
	{ "jndi:dns:/", PK_WEB_LOG4SHELL, ANY },
	{ "jndi:iiop:/", PK_WEB_LOG4SHELL, ANY },
	/* CVE-2014-6271: a value that begins so */
	{ ": () {", PK_WEB_SHELLSHOCK, F },
	{ ":() {", PK_WEB_SHELLSHOCK, F },
	{ "?() {", PK_WEB_SHELLSHOCK, T },
	{ "=() { :", PK_WEB_SHELLSHOCK, ANY },
	/* CVE-2022-22965, CVE-2022-22963, CVE-2022-22947 */
	{ "class.module.classloader", PK_WEB_SPRING, T | B },
	{ "class.classloader.", PK_WEB_SPRING, T | B },
	{ "class['module']", PK_WEB_SPRING, T | B },
	{ "spring.cloud.function.routing-expression:", PK_WEB_SPRING, F },
	{ "t(java.lang.runtime)", PK_WEB_SPRING, ANY },
	{ "/actuator/gateway/routes/", PK_WEB_SPRING, T },
	/* Struts S2-045 and others, CVE-2022-26134, CVE-2021-26084 */
	{ "%{(#", PK_WEB_OGNL, ANY },
	{ "%{#", PK_WEB_OGNL, ANY },
	{ "${(#", PK_WEB_OGNL, ANY },
	{ "${#", PK_WEB_OGNL, T },
	{ "${@java", PK_WEB_OGNL, ANY },
	{ "${class.forname(", PK_WEB_OGNL, ANY },
	{ "ognl.ognlcontext", PK_WEB_OGNL, ANY },
	{ "#_memberaccess", PK_WEB_OGNL, ANY },
	{ "xwork.methodaccessor", PK_WEB_OGNL, ANY },
	{ "@java.lang.runtime@", PK_WEB_OGNL, ANY },
	{ "java.lang.processbuilder", PK_WEB_OGNL, T | F },
	{ "template.utility.execute", PK_WEB_OGNL, T },
	{ "redirect:${", PK_WEB_OGNL, T },
	{ "/pages/doenterpagevariables.action", PK_WEB_OGNL, T },
	/* CVE-2018-20062 */
	{ "invokefunction&function=call_user_func", PK_WEB_THINKPHP, T },
	{ "think/app/invokefunction", PK_WEB_THINKPHP, T },
	{ "think/container/invokefunction", PK_WEB_THINKPHP, T },
	{ "_method=__construct&filter", PK_WEB_THINKPHP, T | B },
	/* CVE-2012-1823, CVE-2024-4577, CVE-2017-9841 */
	{ "allow_url_include", PK_WEB_PHP, T },
	{ "auto_prepend_file", PK_WEB_PHP, T },
	{ "php:/input", PK_WEB_PHP, QUERY },
	{ "php:/filter/", PK_WEB_PHP, QUERY },
	{ "expect:/", PK_WEB_PHP, QUERY },
	{ "?\xad", PK_WEB_PHP, T },
	{ "?-d ", PK_WEB_PHP, T },
	{ "<?php ", PK_WEB_PHP, T | F },
	{ "<?=", PK_WEB_PHP, T | F },
	{ "phpunit/src/util/php/eval-stdin.php", PK_WEB_PHP, T },
	{ "eval(base64_decode(", PK_WEB_PHP, T | B },
	{ "shell_exec(", PK_WEB_PHP, QUERY },
	{ "passthru(", PK_WEB_PHP, QUERY },
	{ "system($_", PK_WEB_PHP, T | B },
	{ "eval($_", PK_WEB_PHP, T | B },
	/* commands */
	{ "wget ", PK_WEB_COMMAND, T | B | SHELL },
	{ "curl ", PK_WEB_COMMAND, T | B | SHELL },
	{ "tftp ", PK_WEB_COMMAND, T | B | SHELL },
	{ "ftpget ", PK_WEB_COMMAND, T | B | SHELL },
	{ "busybox ", PK_WEB_COMMAND, T | B | SHELL },
	{ "cat /", PK_WEB_COMMAND, T | B | SHELL },
	{ "chmod ", PK_WEB_COMMAND, T | B | SHELL },
	{ "nslookup ", PK_WEB_COMMAND, T | B | SHELL },
	{ "ping -", PK_WEB_COMMAND, T | B | SHELL },
	{ "nc -", PK_WEB_COMMAND, T | B | SHELL },
	{ "sh -", PK_WEB_COMMAND, T | B | SHELL },
	{ "bash -", PK_WEB_COMMAND, T | B | SHELL },
	{ "rm -", PK_WEB_COMMAND, T | B | SHELL },
	{ "uname -", PK_WEB_COMMAND, T | B | SHELL },
	{ "cd /", PK_WEB_COMMAND, T | B | SHELL },
	{ "/bin/", PK_WEB_COMMAND, T | B | SHELL },
	{ "id;", PK_WEB_COMMAND, T | SHELL },
	{ "id|", PK_WEB_COMMAND, T | SHELL },
	{ "id`", PK_WEB_COMMAND, T | SHELL },
	{ "whoami", PK_WEB_COMMAND, T | SHELL },
	{ "|sh", PK_WEB_COMMAND, QUERY | ENDS },
	{ "|bash", PK_WEB_COMMAND, QUERY | ENDS },
	{ "=wget http", PK_WEB_COMMAND, T | B },
	{ "=curl http", PK_WEB_COMMAND, T | B },
	{ "/dev/tcp/", PK_WEB_COMMAND, T | B },
	{ "${ifs}", PK_WEB_COMMAND, ANY },
	{ "cmd.exe?/c", PK_WEB_COMMAND, T },
	{ "cmd.exe /c", PK_WEB_COMMAND, T | B },
	{ "powershell -", PK_WEB_COMMAND, T },
	/* paths, also CVE-2021-41773 and CVE-2020-5902 */
	{ "../etc/", PK_WEB_TRAVERSAL, T },
	{ "../../../", PK_WEB_TRAVERSAL, T },
	{ "../../windows/", PK_WEB_TRAVERSAL, T },
	{ "..;/", PK_WEB_TRAVERSAL, T },
	{ "/etc/passwd", PK_WEB_TRAVERSAL, QUERY },
	{ "/etc/shadow", PK_WEB_TRAVERSAL, QUERY },
	{ "file:/etc/", PK_WEB_TRAVERSAL, T | B },
	{ "/proc/self/", PK_WEB_TRAVERSAL, QUERY },
	{ "../../winnt/", PK_WEB_TRAVERSAL, T },
	{ "/windows/win.ini", PK_WEB_TRAVERSAL, T },
	{ "/boot.ini", PK_WEB_TRAVERSAL, T },
	{ "web-inf/web.xml", PK_WEB_TRAVERSAL, T },
	/* SQL */
	{ "union select ", PK_WEB_SQL, QUERY | B },
	{ "union select(", PK_WEB_SQL, QUERY | B },
	{ "union all select ", PK_WEB_SQL, QUERY | B },
	{ "union all select(", PK_WEB_SQL, QUERY | B },
	{ "union distinct select ", PK_WEB_SQL, QUERY | B },
	{ "union distinct select(", PK_WEB_SQL, QUERY | B },
	{ "xp_cmdshell", PK_WEB_SQL, T | B },
	{ "information_schema.", PK_WEB_SQL, QUERY | B },
	{ "waitfor delay", PK_WEB_SQL, QUERY | B },
	{ "pg_sleep(", PK_WEB_SQL, QUERY | B },
	{ "and sleep(", PK_WEB_SQL, QUERY | B },
	{ "or sleep(", PK_WEB_SQL, QUERY | B },
	{ "(select(sleep(", PK_WEB_SQL, QUERY | B },
	{ "(select sleep(", PK_WEB_SQL, QUERY | B },
	{ "benchmark(", PK_WEB_SQL, QUERY },
	{ "extractvalue(", PK_WEB_SQL, QUERY },
	{ "updatexml(", PK_WEB_SQL, QUERY },
	{ "dbms_pipe.receive_message", PK_WEB_SQL, T | B },
	{ "load_file(", PK_WEB_SQL, QUERY },
	{ "into outfile ", PK_WEB_SQL, QUERY | B },
	{ "into dumpfile ", PK_WEB_SQL, QUERY | B },
	{ "' or 1=1", PK_WEB_SQL, QUERY | B },
	{ "' or '1'='1", PK_WEB_SQL, QUERY | B },
	{ "\" or \"1\"=\"1", PK_WEB_SQL, QUERY | B },
	{ "' and 1=1", PK_WEB_SQL, QUERY | B },
	{ ";drop table ", PK_WEB_SQL, QUERY | B },
	{ "; drop table ", PK_WEB_SQL, QUERY | B },
	/* devices: Netgear, GPON, Huawei, Realtek, MVPower, Vacron, TP-Link, D-Link, TBK */
	{ "setup.cgi?next_file=netgear.cfg&todo=syscmd", PK_WEB_DEVICE, T },
	{ "/gponform/diag_form", PK_WEB_DEVICE, T },
	{ "/ctrlt/deviceupgrade_1", PK_WEB_DEVICE, T },
	{ "/picsdesc.xml", PK_WEB_DEVICE, T },
	{ "/shell?cd ", PK_WEB_DEVICE, T },
	{ "/board.cgi?cmd=", PK_WEB_DEVICE, T },
	{ "/cgi-bin/luci/;stok=/locale", PK_WEB_DEVICE, T },
	{ "/tmunblock.cgi", PK_WEB_DEVICE, T },
	{ "/set_ftp.cgi?", PK_WEB_DEVICE, T },
	{ "/cgi-bin/nas_sharing.cgi?", PK_WEB_DEVICE, T },
	{ "/device.rsp?opt=sys&cmd=", PK_WEB_DEVICE, T },
	{ "/boaform/admin/formping", PK_WEB_DEVICE, T },
	/* F5, Citrix, Fortinet, Pulse, Exchange, Laravel, OFBiz, WebLogic, JBoss, Confluence */
	{ "/mgmt/tm/util/bash", PK_WEB_PRODUCT, T },
	{ "/vpn/../vpns/", PK_WEB_PRODUCT, T },
	{ "/remote/fgt_lang?lang=/../", PK_WEB_PRODUCT, T },
	{ "/dana-na/../dana", PK_WEB_PRODUCT, T },
	{ "/autodiscover/autodiscover.json?@", PK_WEB_PRODUCT, T },
	{ "/_ignition/execute-solution", PK_WEB_PRODUCT, T },
	{ "/webtools/control/xmlrpc", PK_WEB_PRODUCT, T },
	{ "/wls-wsat/coordinatorporttype", PK_WEB_PRODUCT, T },
	{ "/_async/asyncresponseservice", PK_WEB_PRODUCT, T },
	{ "/console/images/../console.portal", PK_WEB_PRODUCT, T },
	{ "/console/css/../console.portal", PK_WEB_PRODUCT, T },
	{ "/invoker/jmxinvokerservlet", PK_WEB_PRODUCT, T },
	{ "/setup/setupadministrator.action", PK_WEB_PRODUCT, T },
	/* programs to be left there, also CVE-2017-12615 */
	{ ".jsp", PK_WEB_UPLOAD, T | STORES },
	{ ".php", PK_WEB_UPLOAD, T | STORES },
	{ ".asp", PK_WEB_UPLOAD, T | STORES },
	{ "/c99.php", PK_WEB_UPLOAD, T },
	{ "/r57.php", PK_WEB_UPLOAD, T },
	{ "/wso.php", PK_WEB_UPLOAD, T },
	{ "/b374k", PK_WEB_UPLOAD, T },
	/* cross-site scripting */
	{ "<script", PK_WEB_SCRIPT, T },
	{ "<svg/onload", PK_WEB_SCRIPT, T },
	{ "<svg onload", PK_WEB_SCRIPT, T },
	{ "<img src=x onerror", PK_WEB_SCRIPT, T },
	{ "alert(document.", PK_WEB_SCRIPT, T },
};

struct pk_web_match {
	hs_database_t *db;
	hs_scratch_t *scratch;
	uint8_t len[PK_ARRAY_SIZE(literals)];
	size_t bytes;
};

/* A request being searched. */
struct search {
	const struct pk_web_match *m;
	const struct pk_web_text *t;
	bool put;
	unsigned found; /* set of kinds */
	size_t query;   /* where the target's begins */
	struct pk_web_hit hit[PK_WEB_KINDS];
};

static void match_freep(struct pk_web_match **m)
{
	pk_web_match_free(*m);
}

static int build(struct pk_web_match *m)
{
	const char *s[PK_ARRAY_SIZE(literals)];
	unsigned flags[PK_ARRAY_SIZE(literals)] = { 0 }, id[PK_ARRAY_SIZE(literals)];
	size_t len[PK_ARRAY_SIZE(literals)];
	hs_compile_error_t *error = NULL;
	hs_error_t r;

	for (unsigned i = 0; i < PK_ARRAY_SIZE(literals); i++) {
		s[i] = literals[i].s;
		id[i] = i;
		len[i] = strlen(s[i]);
		m->len[i] = (uint8_t)len[i];
	}
	r = hs_compile_lit_multi(s, flags, id, len, PK_ARRAY_SIZE(literals), HS_MODE_BLOCK, NULL,
				 &m->db, &error);
	hs_free_compile_error(error);
	return r == HS_SUCCESS ? 0 : r == HS_NOMEM ? -ENOMEM : -EINVAL;
}

int pk_web_match_new(struct pk_web_match **ret_match)
{
	_cleanup_(match_freep) struct pk_web_match *m = calloc(1, sizeof(*m));
	size_t db = 0, scratch = 0;
	int r = m ? build(m) : -ENOMEM;

	if (r < 0)
		return r;
	if (hs_alloc_scratch(m->db, &m->scratch) != HS_SUCCESS)
		return -ENOMEM;
	(void)hs_database_size(m->db, &db); /* else not counted */
	(void)hs_scratch_size(m->scratch, &scratch);
	m->bytes = sizeof(*m) + db + scratch;
	*ret_match = PK_TAKE(m);
	return 0;
}

void pk_web_match_free(struct pk_web_match *m)
{
	if (!m)
		return;
	hs_free_scratch(m->scratch);
	hs_free_database(m->db);
	free(m);
}

size_t pk_web_match_bytes(const struct pk_web_match *m)
{
	return m->bytes;
}

/* Is at where a shell begins a command? Of '&' it takes two, one parts parameters. Lines of a body
 * are no commands. */
static bool begins_command(const struct pk_web_text *t, size_t at)
{
	const char *parts = at < t->end[PK_WEB_TARGET] ? ";|`\n" : ";|`";

	while (at && t->s[at - 1] == ' ')
		at--;
	if (!at)
		return false;
	if (strchr(parts, t->s[at - 1]))
		return true;
	return at > 1 && (!memcmp(t->s + at - 2, "$(", 2) || !memcmp(t->s + at - 2, "&&", 2));
}

static bool is_meant(const struct search *s, uint8_t needs, size_t from, size_t to)
{
	enum pk_web_part part = pk_web_text_part(s->t, from);
	bool query = part == PK_WEB_TARGET && needs & QUERY && from >= s->query;

	if (!query && !(needs & 1u << part))
		return false;
	if (needs & STORES && !s->put)
		return false;
	if (needs & ENDS && to != s->t->end[part] && !strchr("&;) ", s->t->s[to]))
		return false;
	return !(needs & SHELL) || begins_command(s->t, from);
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		    void *arg)
{
	struct search *s = arg;
	const struct literal *l = &literals[id];
	size_t at = (size_t)to - s->m->len[id];

	(void)from; /* vectorscan does not know it of literals */
	(void)flags;
	if (s->found & 1u << l->kind || !is_meant(s, l->needs, at, (size_t)to))
		return 0;
	s->found |= 1u << l->kind;
	s->hit[l->kind] = (struct pk_web_hit){ .kind = (enum pk_web_kind)l->kind,
					       .literal = l->s,
					       .from = at };
	return 0;
}

size_t pk_web_match_find(struct pk_web_match *m, const struct pk_web_text *t, bool put,
			 struct pk_web_hit ret_hit[PK_WEB_KINDS])
{
	struct search s = { .m = m, .t = t, .put = put };
	const char *query = memchr(t->s, '?', t->end[PK_WEB_TARGET]);
	size_t n = 0;

	s.query = query ? (size_t)(query - t->s) : t->end[PK_WEB_TARGET];
	if (hs_scan(m->db, t->s, (unsigned)(t->len + PK_WEB_TEXT_PAD), 0, m->scratch, on_match,
		    &s) != HS_SUCCESS)
		return 0;
	for (unsigned k = 0; k < PK_WEB_KINDS; k++)
		if (s.found & 1u << k)
			ret_hit[n++] = s.hit[k];
	return n;
}
