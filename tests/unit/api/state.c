/* SPDX-License-Identifier: Apache-2.0 */
/* The equations of the counters, and the bounded lists. */
#include "api/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_equations(void **state)
{
	static struct pk_state s;
	uint64_t *n = s.pkt[PK_HOOK_XDP];

	(void)state;
	assert_int_equal(pk_state_init(&s), 0);
	/* every counter has a name, and each reason moves the balance exactly when it refuses */
	n[PK_PKT_SEEN] = 100;
	for (int c = PK_PKT_FLOW; c < PK_PKT_COUNT_MAX; c++) {
		bool counts = pk_state_pkt_refuses(c) || c == PK_PKT_FLOW || c == PK_PKT_AGGREGATE;

		assert_string_not_equal(pk_state_pkt_name(c), "unknown");
		n[c] = 7;
		assert_int_equal(pk_state_pkt_balance(&s, PK_HOOK_XDP), counts ? 93 : 100);
		n[c] = 0;
	}
	n[PK_PKT_FLOW] = 60;
	n[PK_PKT_AGGREGATE] = 30;
	n[PK_PKT_BAD_IP_LENGTH] = 9;
	n[PK_PKT_FRAGMENT] = 50;
	pk_state_note_even(&s);
	assert_false(s.pkt_was_even[PK_HOOK_XDP]);
	assert_true(s.pkt_was_even[PK_HOOK_TC_EGRESS]);
	n[PK_PKT_UNSUPPORTED_L3] = 1;
	pk_state_note_even(&s);
	assert_true(s.pkt_was_even[PK_HOOK_XDP]);
	s.ev[PK_EH_EXEC] = (struct pk_event_count){ 10, 4, 1, 2, 1, 1 };
	assert_int_equal(pk_state_ev_balance(&s, PK_EH_EXEC), 1);
	s.ev[PK_EH_EXEC].filtered++;
	assert_int_equal(pk_state_ev_balance(&s, PK_EH_EXEC), 0);
	s.sample[PK_APP_TLS] = (struct pk_sample_count){ .seen = 16,
							 .sampled = 1,
							 .off = 2,
							 .limited = 3,
							 .ring_full = 4,
							 .unread = 5,
							 .bytes = 99,
							 .cut = 1 };
	assert_int_equal(pk_state_sample_balance(&s, PK_APP_TLS), 1);
	s.sample_was_even[PK_APP_TLS] = false;
	pk_state_note_even(&s);
	assert_false(s.sample_was_even[PK_APP_TLS]);
	assert_true(s.sample_was_even[PK_APP_DNS]);
	s.sample[PK_APP_TLS].limited++;
	assert_int_equal(pk_state_sample_balance(&s, PK_APP_TLS), 0);
	s.sample[PK_APP_NONE].seen = 7;
	assert_int_equal(pk_state_sample_balance(&s, PK_APP_NONE), 0);
	for (unsigned i = 0; i < PK_ROW_MAX; i++)
		assert_non_null(pk_state_row_name(i));
	pk_state_done(&s);
}

static void test_lists(void **state)
{
	static struct pk_state s;
	struct pk_state_prog p = { .id = 1, .name = "pk_xdp" };
	char text[32];

	(void)state;
	assert_int_equal(pk_state_init(&s), 0);
	pk_state_prog(&s, &p);
	p.runs = 5;
	pk_state_prog(&s, &p); /* the same, newer */
	assert_int_equal(s.progs, 1);
	assert_int_equal(s.prog[0].runs, 5);
	for (unsigned i = 0; i < 2 * PK_STATE_PROGS; i++) {
		p.netns = i;
		pk_state_prog(&s, &p);
	}
	assert_int_equal(s.progs, PK_STATE_PROGS);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "n%d", i);
		pk_state_notice(&s, i, 5, text);
	}
	assert_int_equal(s.notices, 100);
	assert_string_equal(s.notice[99 % PK_STATE_NOTICES].text, "n99");
	assert_string_equal(s.notice[36 % PK_STATE_NOTICES].text, "n36");
	pk_state_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equations),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests_name("api/state", tests, NULL, NULL);
}
