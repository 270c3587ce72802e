/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from files to findings: programs, connections, DNS; reloads that fail; correlations. */
#include "detect/rules.h"

#include "hidden.h"

#include "base/ip.h"
#include "decode/dns.h"
#include "decode/record.h"
#include "enrich/enrich.h"
#include "flow/table.h"
#include "name/news.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define S 1000000000ull

static char dir[64];

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pk-rules-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, i ? "b.yml" : "a.yml");
		(void)unlink(path); /* not all are there in each test */
	}
	return rmdir(dir);
}

/* As see_begin(), with the rules of dir. */
static void begin(void)
{
	see_begin("rules");
	pk_detect_free(seen.detect);
	assert_int_equal(pk_conf_set(seen.conf, "detect.rules_dir", dir, NULL), 0);
	assert_int_equal(pk_detect_new(&seen.world, seen_found, NULL, &seen.detect), 0);
}

static void run(const char *path, const char *argv, size_t argv_len, const char *line, uint32_t uid,
		uint64_t t)
{
	static union {
		struct pk_image image;
		char bytes[1024];
	} u;
	static struct pk_exec x;
	struct pk_process p = { .id = { 1, 100, uid },
				.parent = { 1, 99, 0 },
				.uid = uid,
				.comm = "x",
				.image = { &u.image } };
	struct pk_event ev = { .type = PK_EV_EXEC, .exec = &x, .task = &x.task };
	struct pk_see s = { .kind = PK_SEE_EXEC, .now_ns = t, .ev = &ev, .proc = &p };

	u.image = (struct pk_image){
		.path = path, .cwd = "/", .filename = path, .interp = "", .cmd_line = line
	};
	x = (struct pk_exec){ .uid = uid, .euid = uid, .argv_len = argv_len };
	memcpy(x.argv, argv, argv_len);
	pk_detect_see(seen.detect, &s);
}

#define PROCESS                                                                                    \
	"title: Odd tool\nid: 11111111-2222\nauthor: Somebody\nlevel: high\n"                      \
	"tags: [attack.t1059.004]\nfalsepositives: [Tests]\n"                                      \
	"logsource: {category: process_creation, product: linux}\n"                                \
	"detection:\n  s:\n    Image|endswith: /odd\n    CommandLine|contains: evil\n"             \
	"    User: '4242'\n  condition: s\n"

static void test_process(void **state)
{
	const struct pk_finding *f = &seen.finding[0];
	struct pk_rules_row row;

	(void)state;
	put("a.yml", PROCESS);
	begin();
	assert_true(pk_rules_has(seen.detect, "11111111-2222"));
	assert_false(pk_rules_has(seen.detect, "Odd tool")); /* it has an id */
	assert_true(pk_rules_at(seen.detect, 0, &row));
	assert_int_equal(row.hits, 0);
	assert_false(pk_rules_at(seen.detect, 1, &row));
	run("/usr/bin/odd", "odd\0fine", 9, "odd fine", 4242, S);
	run("/usr/bin/odd", "odd\0evil", 9, "odd evil", 0, S);
	assert_int_equal(seen.n, 0);
	run("/usr/bin/odd", "odd\0evil", 9, "odd evil", 4242, 2 * S);
	assert_int_equal(seen.n, 1);
	assert_true(f->is_rule);
	assert_string_equal(f->rule, "11111111-2222");
	assert_string_equal(f->title, "Odd tool");
	assert_string_equal(f->author, "Somebody");
	assert_string_equal(f->technique[0], "T1059.004");
	assert_null(f->technique[1]);
	assert_string_equal(f->doubt, "Tests");
	assert_int_equal(f->severity, PK_HIGH);
	assert_int_equal(f->proc[0].tgid, 100);
	assert_int_equal(f->ts_ns, 2 * S);
	assert_string_equal(f->field[0].name, "Image");
	assert_string_equal(f->field[0].value, "/usr/bin/odd");
	assert_true(pk_rules_at(seen.detect, 0, &row));
	assert_int_equal(row.hits, 1);
	assert_int_equal(row.last_ns, 2 * S);
	see_end();
}

static void test_audit(void **state)
{
	(void)state;
	put("a.yml", "title: Args\nlogsource: {product: linux, service: auditd}\ndetection:\n"
		     "  s: {type: EXECVE, a0: odd, a2|startswith: -x}\n  condition: s\n---\n"
		     "title: Call\nlogsource: {product: linux, service: auditd}\ndetection:\n"
		     "  s: {type: SYSCALL, SYSCALL: execve, exe|startswith: /tmp/, euid: 33}\n"
		     "  condition: s\n");
	begin();
	run("/usr/bin/odd", "odd\0-x\0-y", 9, "odd -x -y", 0, S);
	assert_int_equal(seen.n, 0);
	run("/usr/bin/odd", "odd\0-y\0-xz", 10, "odd -y -xz", 0, S);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.finding[0].title, "Args");
	run("/tmp/a", "a", 2, "a", 33, S);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.finding[1].title, "Call");
	see_end();
}

static struct pk_flow_entry flow_to(const char *ip, uint16_t port)
{
	struct pk_flow_entry e = { .is_new = true };
	struct pk_flow_key *k = &e.flow.key;

	assert_int_equal(pk_ip_parse("10.0.0.1", k->addr[0]), 0);
	assert_int_equal(pk_ip_parse(ip, k->addr[1]), 0);
	k->port[0] = htons(40000);
	k->port[1] = htons(port);
	k->proto = IPPROTO_TCP;
	e.flow.meta.id = 7;
	return e;
}

static void test_connection(void **state)
{
	struct pk_flow_entry e = flow_to("203.0.113.9", 4444);
	struct pk_see s = { .kind = PK_SEE_FLOW, .now_ns = S, .flow = &e };

	(void)state;
	put("a.yml", "title: Port\nlogsource: {category: network_connection, product: linux}\n"
		     "detection:\n  s: {Initiated: 'true', DestinationPort: [4444, 5555]}\n"
		     "  f:\n    DestinationIp|cidr: 10.0.0.0/8\n  condition: s and not f\n---\n"
		     "title: Clear\nlogsource: {category: firewall}\n"
		     "detection:\n  s: {dst_port: 23, action: accept}\n  condition: s\n");
	begin();
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 1);
	assert_true(seen.finding[0].has_remote);
	assert_int_equal(seen.finding[0].flow, 7);
	e.is_new = false; /* told once of each flow */
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 1);
	e = flow_to("10.9.9.9", 4444);
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 1);
	e = flow_to("10.9.9.9", 23);
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.finding[1].title, "Clear");
	see_end();
}

static void test_dns(void **state)
{
	struct pk_flow_key key = { .proto = IPPROTO_UDP };
	struct pk_news_dns dns = { .name = "a.b.evil.example", .qtype = PK_DNS_TXT, .qclass = 1 };
	struct pk_news news = { .kind = PK_NEWS_DNS, .key = &key, .dns = &dns };
	struct pk_see s = { .kind = PK_SEE_NEWS, .now_ns = S, .news = &news };

	(void)state;
	put("a.yml", "title: Name\nlogsource: {category: dns}\ndetection:\n"
		     "  s: {query|endswith: .evil.example, record_type: TXT}\n  condition: s\n");
	begin();
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 1);
	assert_false(seen.finding[0].has_remote); /* nobody blocks the resolver for it */
	dns.name = "evil.example";
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 1);
	see_end();
}

static void notice(const char *text)
{
	struct pk_see s = { .kind = PK_SEE_NOTICE, .now_ns = S, .notice = text };

	pk_detect_see(seen.detect, &s);
}

static void test_reload(void **state)
{
	(void)state;
	put("a.yml", PROCESS);
	begin();
	put("b.yml", "title: [\n");
	notice("configuration read again");
	assert_int_equal(seen.n, 1);
	assert_non_null(strstr(seen.finding[0].plain, "the old ones stay"));
	assert_non_null(strstr(seen.finding[0].detail, "b.yml:2:1"));
	run("/usr/bin/odd", "odd", 4, "odd evil", 4242, S); /* they do */
	assert_int_equal(seen.n, 2);
	put("b.yml", "title: Other\nlogsource: {category: process_creation}\n"
		     "detection:\n  s: {Image: /other}\n  condition: s\n");
	notice("something else");
	run("/other", "o", 2, "o", 0, S);
	assert_int_equal(seen.n, 2);
	notice("configuration read again");
	run("/other", "o", 2, "o", 0, S);
	assert_int_equal(seen.n, 3);
	assert_string_equal(seen.finding[1].title, "Odd tool"); /* of the set that is gone */
	see_end();
}

/* A correlation goes on counting over a reload that did not change it. */
static void test_correlation(void **state)
{
	(void)state;
	put("a.yml", "title: One\nname: one\nlogsource: {category: process_creation}\n"
		     "detection:\n  s: {Image: /one}\n  condition: s\n---\n"
		     "title: Many\nlevel: critical\ncorrelation:\n  type: event_count\n"
		     "  rules: [one]\n  group-by: [User]\n  timespan: 1m\n"
		     "  condition: {gte: 3}\n");
	begin();
	run("/one", "o", 2, "o", 5, S);
	run("/one", "o", 2, "o", 5, 2 * S);
	notice("configuration read again");
	assert_int_equal(seen.n, 0);
	run("/one", "o", 2, "o", 5, 3 * S);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.finding[0].title, "Many");
	assert_int_equal(seen.finding[0].severity, PK_CRITICAL);
	assert_int_equal(seen.finding[0].first_ns, S);
	see_end();
}

static void run_one(uint32_t uid, const char *line, uint64_t now_ns)
{
	run("/one", "o", 2, line, uid, now_ns);
}

/* Users made up run it once. */
static void noise(uint64_t now_ns)
{
	for (unsigned i = 0; i < 3000; i++)
		run_one(1u << 20 | hidden_random(), "o", now_ns);
}

/* Each five seconds: one user with what is new each time, and twins that are too slow, or say the
 * same. */
static void play(uint64_t now_ns, unsigned second)
{
	char line[16];

	snprintf(line, sizeof(line), "o %u", second);
	if (second % 5 == 0) {
		run_one(5, line, now_ns);
		run_one(7, "o", now_ns);
	}
	if (second % 30 == 0)
		run_one(6, line, now_ns);
}

static bool is_group(const struct pk_finding *f, const char *group)
{
	return strncmp(f->field[f->fields - 2].value, group, strlen(group)) == 0;
}

static bool is_busy(const struct pk_finding *f)
{
	return is_group(f, "User=5");
}

static bool is_any_other(const struct pk_finding *f)
{
	return !is_busy(f);
}

static bool is_slow(const struct pk_finding *f)
{
	return !is_busy(f) && !is_group(f, "User=7");
}

#define COUNTED(type, condition)                                                                   \
	"title: One\nname: one\nlogsource: {category: process_creation}\n"                         \
	"detection:\n  s: {Image: /one}\n  condition: s\n---\n"                                    \
	"title: Many\ncorrelation:\n  type: " type                                                 \
	"\n  rules: [one]\n  group-by: [User]\n  timespan: 1m\n  condition: " condition "\n"

static void flood_of(const char *rules, bool (*is_twin)(const struct pk_finding *f))
{
	const struct hidden flood = { "rules", noise, play, is_busy, is_twin };

	put("a.yml", rules);
	begin();
	hidden_judge(&flood);
	see_end();
}

static void test_hidden_in_flood(void **state)
{
	(void)state;
	flood_of(COUNTED("value_count", "{field: CommandLine, gte: 8}"), is_any_other);
	flood_of(COUNTED("event_count", "{gte: 8}"), is_slow);
}

static void test_no_directory(void **state)
{
	(void)state;
	see_begin("rules"); /* of the default, which is not there */
	run("/one", "o", 2, "o", 5, S);
	pk_detect_tick(seen.detect, S);
	assert_int_equal(seen.n, 0);
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_audit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_correlation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hidden_in_flood, setup, teardown),
		cmocka_unit_test(test_no_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
