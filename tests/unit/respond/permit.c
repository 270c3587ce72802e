/* SPDX-License-Identifier: Apache-2.0 */
/* What of a playbook with a large impact is done before a person did a step of it, after it, and
 * when one has it run. What is not enabled, and the rate: respond.c. */
#include "respond/respond.h"

#include "at_work.h"

/* The same playbook, as its author rates what it does to who owns the host. */
static struct pk_respond *begin_rated(const char *json, unsigned impact)
{
	char text[8192];

	snprintf(text, sizeof(text), "{\"impact\":%u,%s", impact, json + 1);
	return begin_with(text);
}

/* block; a snapshot if that was done */
static const char if_blocked[] =
	WHOLE(START(ID("action", "1"))
		      STEP("1", BASH("block __remote__:value"),
			   TO("on_success", ID("action", "2")) TO("on_failure", ID("end", "1")))
			      STEP("2", BASH("snapshot __incident__:value"),
				   TO("on_completion", ID("end", "1"))));

/* What is advised is not done, however often the playbook comes to it. */
static void test_advised_again(void **state)
{
	struct pk_respond *r = begin_rated(if_blocked, 51);
	struct pk_incident *i;

	(void)state;
	for (int n = 0; n < 3; n++) {
		i = shell(false);
		pk_respond_look(r, i, w.now_ns);
		pass(r, 5);
		assert_int_equal(acts(i, "block 198.51.100.7", PK_DEED_ADVISED), 1);
		assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 0);
	}
	assert_int_equal(pk_respond_contain(r, i, NULL, &alice, w.now_ns), 0);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 1);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 1);
	end(r);
}

static void test_impact(void **state)
{
	struct pk_respond *r = begin_rated(decision, 51);
	struct pk_incident *i = shell(false);

	(void)state;
	/* enabled or not: nothing before a person did his step */
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 0);
	assert_int_equal(acts(i, "block 198.51.100.7", PK_DEED_ADVISED), 1);
	for (size_t k = 0; k < i->acts; k++)
		if (strncmp(i->act[k].what, "block", 5) == 0)
			assert_non_null(strstr(i->act[k].why, "impact"));
	assert_int_equal(i->waits, 1);
	assert_int_equal(pk_respond_answer(r, i, 0, true, &alice, w.now_ns), 0);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 1);
	/* what was only advised for that reason is done when it comes up again */
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 1);
	end(r);

	/* what nobody did opens nothing; evidence harms nobody */
	r = begin_rated(decision, 100);
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(pk_respond_answer(r, i, 0, false, &alice, w.now_ns), 0);
	pass(r, 5);
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK] + did.calls[PK_VERB_SUSPEND], 0);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 1);
	/* who has it run has decided */
	assert_int_equal(pk_respond_contain(r, i, NULL, &alice, w.now_ns), 0);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 1);
	end(r);

	/* what the agent does itself is no person's step, whatever it is called */
	r = begin_rated(decision, 80);
	i = shell(false);
	(void)pk_incident_note(i, &(struct pk_incident_by){ "picket: playbook n", "", 1 },
			       PK_DEED_MITIGATION, "reimage the host");
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK] + did.calls[PK_VERB_SUSPEND], 0);
	end(r);

	r = begin_rated(decision, 50);
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 1);
	end(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_impact),
					    cmocka_unit_test(test_advised_again) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
