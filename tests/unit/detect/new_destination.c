/* SPDX-License-Identifier: Apache-2.0 */
/* A service that calls where it never did; not while it learns, not programs that serve nobody. */
#include "see.h"

#include "flows.h"
#include "hidden.h"

#include "flow/local.h"
#include "name/fact.h"

#define DAY  (86400 * SEC)
#define HERE IP(10, 0, 0, 5)

static struct pk_local *local;

static void begin(void)
{
	uint8_t own[16];

	local = pk_local_new(16, false);
	put_addr(own, HERE);
	pk_local_add(local, 1, own, 128);
	seen.world.local = local;
	see_begin("new_destination");
}

static void end(void)
{
	see_end();
	pk_local_free(local);
}

static void serve(const char *program, uint64_t at_ns)
{
	see_flow((struct talk){ .how = SESSION,
				.src = IP(198, 51, 100, 1),
				.dst = HERE,
				.dport = 80,
				.pid = 7,
				.program = program,
				.accepted = true,
				.at_ns = at_ns });
}

static void call(const char *program, uint32_t dst, uint16_t port, uint64_t at_ns, uint32_t asn)
{
	struct talk t = { .how = SESSION,
			  .src = HERE,
			  .dst = dst,
			  .dport = port,
			  .pid = 7,
			  .program = program,
			  .at_ns = at_ns };
	struct pk_flow_entry e = entry_of(&t);
	struct pk_fact fact = { 0 };

	fact.place[!e.flow.meta.initiator].asn = asn;
	pk_detect_see(seen.detect, &(struct pk_see){ .kind = PK_SEE_FLOW,
						     .now_ns = at_ns,
						     .flow = &e,
						     .fact = asn ? &fact : NULL });
}

static void test_new(void **state)
{
	(void)state;
	begin();
	serve("web", SEC);
	call("web", IP(203, 0, 113, 1), 443, 2 * SEC, 64500);
	call("web", IP(10, 1, 2, 3), 5432, 2 * SEC, 0);
	call("web", IP(203, 0, 113, 9), 443, 2 * DAY, 64500); /* the same network */
	call("web", IP(10, 1, 9, 9), 5432, 2 * DAY, 0);
	assert_int_equal(seen.n, 0);
	call("web", IP(192, 0, 2, 1), 443, 2 * DAY, 64501);
	assert_int_equal(seen.n, 1);
	assert_true(is_remote(&seen.finding[0], IP(192, 0, 2, 1)));
	check_words(&seen.finding[0]);
	call("web", IP(192, 0, 2, 1), 443, 3 * DAY, 64501); /* known now */
	assert_int_equal(seen.n, 1);
	call("web", IP(203, 0, 113, 1), 4444, 3 * DAY, 64500); /* another kind of port */
	assert_int_equal(seen.n, 2);
	end();
}

static void test_benign(void **state)
{
	(void)state;
	begin();
	serve("web", 2 * DAY);
	for (unsigned i = 0; i < 1000; i++) {
		call("curl", i * 2654435761u, 443, SEC + i * 600 * SEC, 0); /* serves nobody */
		call("web", IP(203, 0, 113, 1), 53, 4 * DAY + i * SEC, 0);
	}
	serve("proxy", SEC);
	for (unsigned i = 0; i < 100; i++)
		call("proxy", IP(50 + i, 0, 0, 1), 443, SEC + i * SEC, 0);
	call("proxy", IP(203, 0, 113, 1), 443, 3 * DAY, 0); /* calls anybody */
	assert_int_equal(seen.n, 0);
	end();
}

static void test_bytes(void **state)
{
	char name[12];

	(void)state;
	begin();
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		serve(name, SEC);
	}
	check_bytes("new_destination");
	end();
}

/* Programs made up serve and call anybody. */
static void noise(uint64_t now_ns)
{
	char name[16];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "p%08x", hidden_random());
		serve(name, now_ns);
		call(name, hidden_random(), 443, now_ns, 0);
	}
}

/* Each ten seconds two servers call where they always do; in the eighth minute one goes elsewhere.
 */
static void play(uint64_t now_ns, unsigned second)
{
	if (second % 10)
		return;
	serve("web", now_ns);
	call("web", IP(203, 0, 113, 1), 443, now_ns, 64500);
	serve("mail", now_ns);
	call("mail", IP(203, 0, 113, 2), 25, now_ns, 64502);
	if (second == 480)
		call("web", IP(192, 0, 2, 1), 443, now_ns, 64501);
}

static bool is_new(const struct pk_finding *f)
{
	return is_remote(f, IP(192, 0, 2, 1));
}

static bool is_usual(const struct pk_finding *f)
{
	return is_remote(f, IP(203, 0, 113, 1)) || is_remote(f, IP(203, 0, 113, 2));
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "new_destination", noise, play, is_new, is_usual };

	(void)state;
	begin();
	set("detect.learning_time", "3m");
	hidden_judge(&flood);
	end();
}

RUN(cmocka_unit_test(test_new), cmocka_unit_test(test_benign), cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_hidden_in_flood))
