/* SPDX-License-Identifier: Apache-2.0 */
/* Runs against a pretended world: what is only advised, done, refused, waited for, proven, taken
 * back; nothing is done twice, and nothing to an address that may be forged. */
#include "respond/respond.h"

#include "at_work.h"
#include "respond/run.h"
#include "respond/shelf.h"

#include <errno.h>

#define PARALLEL "parallel--00000000-0000-4000-8000-0000000000%02u"
#define LEAF     "action--00000000-0000-4000-8000-0000000001%02u"

static void test_advises(void **state)
{
	struct pk_respond *r = begin(false, 60);
	struct pk_incident *i = shell(false);

	(void)state;
	pk_respond_look(r, i, w.now_ns);
	pass(r, 400);
	assert_int_equal(did.calls[PK_VERB_BLOCK] + did.calls[PK_VERB_SUSPEND] +
				 did.calls[PK_VERB_SNAPSHOT] + did.calls[PK_VERB_CUT],
			 0);
	assert_int_equal(acts(i, "block 198.51.100.7", PK_DEED_ADVISED), 1);
	assert_int_equal(acts(i, "suspend pid 14", PK_DEED_ADVISED), 1);
	assert_int_equal(did.calls[PK_VERB_TELL], 1);
	assert_int_equal(i->state, PK_INCIDENT_NEW);
	/* and says so once */
	(void)shell(false);
	pk_respond_look(r, i, w.now_ns);
	pass(r, 400);
	assert_int_equal(acts(i, "block 198.51.100.7", PK_DEED_ADVISED), 1);
	assert_int_equal(did.calls[PK_VERB_TELL], 1);
	end(r);
}

static void test_acts_and_proves(void **state)
{
	struct pk_respond *r = begin(true, 60);
	struct pk_incident *i = shell(false);
	struct pk_incident_by by = { "alice", "a test", 0 };

	(void)state;
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(acts(i, "block 198.51.100.7", PK_DEED_DONE), 1);
	assert_int_equal(i->at_ms[PK_CLOCK_CONTAINED], 0); /* ordered is not proven */
	pass(r, 3);
	assert_int_equal(i->at_ms[PK_CLOCK_CONTAINED], 0);
	did.proven = true;
	pass(r, 1);
	assert_int_equal(i->state, PK_INCIDENT_CONTAINED);
	assert_int_equal(acts(i, "suspend pid 14", PK_DEED_DONE), 1);
	assert_int_equal(acts(i, "snapshot", PK_DEED_DONE), 1);
	assert_int_equal(i->act[0].class_uid, 7004);
	assert_non_null(strstr(i->act[0].who, "picket: playbook"));
	/* more of the same brings no second block */
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 1);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 1);
	/* taken back, and not done again by itself */
	assert_int_equal(pk_respond_revert(r, i, &by), 3); /* a step for a person, too */
	assert_int_equal(did.unblocked, 1);
	assert_int_equal(did.resumed, 1);
	assert_int_equal(pk_respond_revert(r, i, &by), 0);
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 1);
	/* but by a person */
	assert_int_equal(pk_respond_contain(r, i, NULL, &by, w.now_ns), 0);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 2);
	end(r);
}

static void test_forged(void **state)
{
	struct pk_respond *r = begin(true, 60);
	struct pk_incident *i = shell(true);
	struct pk_incident_by by = { "alice", "I believe it", 0 };

	(void)state;
	pk_respond_look(r, i, w.now_ns);
	pass(r, 400);
	assert_int_equal(pk_respond_contain(r, i, NULL, &by, w.now_ns), 0);
	pass(r, 400);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 0);
	assert_int_equal(acts(i, "block 198.51.100.7", PK_DEED_REFUSED), 1);
	end(r);
}

/* The same program calls another address while the first block waits for its proof. */
static void test_another_address(void **state)
{
	struct pk_respond *r = begin(true, 60);
	struct pk_incident *i = shell(false);
	struct pk_finding f = finding("reverse_shell", "T1059.004", PK_HIGH);

	(void)state;
	pk_respond_look(r, i, w.now_ns);
	pass(r, 3);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 1);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 0); /* nothing is proven yet */
	about(&f, 14);
	with(&f, "198.51.100.8");
	assert_ptr_equal(say(&f), i);
	did.result[PK_VERB_BLOCK] = -EINPROGRESS; /* its handshake is not known yet */
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 2);
	assert_int_equal(acts(i, "block 198.51.100.8", PK_DEED_DONE), 0);
	did.result[PK_VERB_BLOCK] = 0;
	assert_true(pk_respond_hurry(r, w.now_ns));
	assert_int_equal(acts(i, "block 198.51.100.8", PK_DEED_DONE), 1);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 0); /* the rest has its order */
	pk_respond_look(r, i, w.now_ns);
	pass(r, 3);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 3);
	did.proven = true;
	pass(r, 1);
	assert_int_equal(i->state, PK_INCIDENT_CONTAINED);
	end(r);
}

static void test_no_handshake(void **state)
{
	struct pk_respond *r = begin(true, 60);
	struct pk_incident *i = shell(false);

	(void)state;
	did.result[PK_VERB_BLOCK] = -EINPROGRESS;
	pk_respond_look(r, i, w.now_ns);
	pass(r, 500);
	assert_true(did.calls[PK_VERB_BLOCK] > 10); /* it may still be seen */
	assert_int_equal(acts(i, "block", PK_DEED_DONE), 0);
	assert_int_equal(acts(i, "block", PK_DEED_REFUSED), 1);
	end(r);
}

static void test_rate(void **state)
{
	struct pk_respond *r = begin(true, 2);
	struct pk_respond_count n;
	char ip[32];

	(void)state;
	for (int k = 0; k < 10; k++) {
		struct pk_finding f = finding("scan", "T1046", PK_MEDIUM);

		snprintf(ip, sizeof(ip), "198.51.100.%d", k + 1);
		with(&f, ip);
		pk_respond_look(r, say(&f), w.now_ns);
	}
	pk_respond_counts(r, &n);
	assert_int_equal(n.runs, 2);
	assert_int_equal(n.refused_rate, 8);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 2);
	end(r);
}

static void test_ends_by_itself(void **state)
{
	struct pk_respond *r = begin(true, 60);
	struct pk_finding f = finding("scan", "T1046", PK_MEDIUM);
	struct pk_incident *i;

	(void)state;
	with(&f, "198.51.100.9");
	i = say(&f);
	pk_respond_look(r, i, w.now_ns);
	assert_string_equal(i->act[0].undo, "unblock");
	w.now_ns += 3601 * SEC;
	pass(r, 1);
	assert_string_equal(i->act[0].undo, "");
	assert_int_equal(acts(i, "end of block 198.51.100.9", PK_DEED_DONE), 1);
	end(r);
}

/* Who was stopped goes on after a while, and he alone: the gravest alert may be about another by
 * then. The broker answers late, and has no time at first. */
static void test_goes_on_by_itself(void **state)
{
	struct pk_respond *r = begin(true, 60);
	struct pk_incident *i = shell(false);
	uint64_t start_ns;

	(void)state;
	did.proven = true;
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(acts(i, "suspend pid 14", PK_DEED_DONE), 1);
	start_ns = did.start_ns;
	assert_true(start_ns > 0);
	i->suspect = (struct pk_proc_id){ .tgid = 15, .start_ns = 1 };
	w.now_ns += 3590 * SEC;
	pass(r, 1);
	assert_int_equal(did.resumed, 0);
	w.now_ns += 10 * SEC;
	did.result[PK_VERB_SUSPEND] = -EINPROGRESS;
	pass(r, 10);
	did.result[PK_VERB_SUSPEND] = -EAGAIN;
	pass(r, 10);
	assert_true(did.resumed > 0);
	assert_int_equal(acts(i, "end of suspend", PK_DEED_DONE), 0);
	did.result[PK_VERB_SUSPEND] = 0;
	pass(r, 10);
	assert_int_equal(did.start_ns, start_ns);
	assert_int_equal(acts(i, "end of suspend pid 14", PK_DEED_DONE), 1);
	did.resumed = 0;
	pass(r, 10); /* once */
	assert_int_equal(did.resumed, 0);
	end(r);
}

/* What could be listed of it in time is taken back: nobody would know of it. */
static void test_isolates_whole_or_not(void **state)
{
	struct pk_respond *r = begin(false, 60);
	struct pk_incident *i = shell(false);
	struct pk_incident_by by = { "alice", "a test", 0 };
	const struct pk_playbook *p = NULL;

	(void)state;
	for (size_t k = 0; k < playbooks_n; k++)
		if (strcmp(playbooks[k].word, "isolate") == 0)
			p = &playbooks[k];
	assert_non_null(p);
	did.result[PK_VERB_ISOLATE] = -EINPROGRESS;
	assert_int_equal(pk_respond_contain(r, i, p, &by, w.now_ns), 0);
	pass(r, 50);
	assert_int_equal(did.rejoined, 0);
	pass(r, 100);
	assert_int_equal(did.rejoined, 1);
	assert_int_equal(acts(i, "isolate", PK_DEED_FAILED), 1);
	did.result[PK_VERB_ISOLATE] = 0;
	assert_int_equal(pk_respond_contain(r, i, p, &by, w.now_ns), 0);
	assert_int_equal(acts(i, "isolate this host", PK_DEED_DONE), 1);
	assert_int_equal(pk_respond_revert(r, i, &by), 2); /* and what its own playbook asks for */
	assert_int_equal(did.rejoined, 2);
	end(r);
}

/* a person in the first of two branches, a block in the second, a snapshot behind both */
static const char branches[] = WHOLE(START(ID("parallel", "1")) "\"" ID(
	"parallel", "1") "\":{\"type\":\"parallel\","
			 "\"next_steps\":[\"" ID("action", "1") "\",\"" ID("action", "2") "\"]" TO(
				 "on_completion",
				 ID("action", "3")) "}," STEP("1", PERSON("reimage the host"),
							      TO("on_completion", ID("end", "1")))
					     STEP("2", BASH("block __remote__:value"),
						  TO("on_completion", ID("end", "1")))
						     STEP("3", BASH("snapshot __incident__:value"),
							  TO("on_completion", ID("end", "1"))));

/* a block, a person, and isolation with a suspend behind it; a snapshot behind all */
static const char slow[] = WHOLE(START(ID("parallel", "1")) "\"" ID(
	"parallel",
	"1") "\":{\"type\":\"parallel\","
	     "\"next_steps\":[\"" ID("action", "1") "\",\"" ID("action", "2") "\",\"" ID(
		     "action",
		     "4") "\"]" TO("on_completion",
				   ID("action",
				      "3")) "}"
					    "," STEP("1", BASH("block __remote__:value"),
						     TO("on_completion", ID("end", "1")))
						    STEP("2", PERSON("reimage the host"),
							 TO("on_completion",
							    ID("end",
							       "1"))) STEP("4", BASH("isolate"),
									   TO("on_completion",
									      ID("action", "5")))
							    STEP("5", BASH("suspend __pid__:value"),
								 TO("on_completion",
								    ID("end", "1")))
								    STEP("3",
									 BASH("snapshot "
									      "__incident__:value"),
									 TO("on_completion",
									    ID("end", "1"))));

static struct pk_respond_count counts(const struct pk_respond *r)
{
	struct pk_respond_count n;

	pk_respond_counts(r, &n);
	return n;
}

static void test_waits_for_a_person(void **state)
{
	struct pk_respond *r = begin_with(decision);
	struct pk_incident *i = shell(false);

	(void)state;
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 1);
	assert_int_equal(did.calls[PK_VERB_SUSPEND] + did.calls[PK_VERB_SNAPSHOT], 0);
	assert_int_equal(i->waits, 1);
	assert_string_equal(i->wait[0].text, "reimage the host");
	assert_string_equal(i->wait[0].whom, "who is on call");
	assert_int_equal(i->wait[0].until_ms - i->wait[0].since_ms, MANUAL_MS);
	assert_int_equal(acts(i, "reimage the host", PK_DEED_ADVISED), 1);
	assert_int_equal(i->act[i->acts - 1].number, i->wait[0].number);
	assert_int_equal(i->act[i->acts - 1].class_uid, 0);
	assert_int_equal(counts(r).active, 0); /* it takes no place from others */
	assert_int_equal(counts(r).waiting, 1);
	/* the same again asks nothing again */
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(i->waits, 1);
	assert_int_equal(acts(i, "reimage the host", PK_DEED_ADVISED), 1);

	assert_int_equal(pk_respond_answer(r, i, 99, true, &alice, w.now_ns), -ENOENT);
	assert_int_equal(pk_respond_answer(r, i, 0, true, &alice, w.now_ns), 0);
	pass(r, 5);
	assert_int_equal(i->waits, 0);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 1);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 0);
	assert_int_equal(acts(i, "reimage the host", PK_DEED_DONE), 1);
	for (size_t k = 0; k < i->acts; k++)
		if (i->act[k].result == PK_DEED_DONE && strstr(i->act[k].what, "reimage")) {
			assert_string_equal(i->act[k].who, "alice");
			assert_string_equal(i->act[k].why, "I looked at it");
			assert_int_equal(i->act[k].time_ms, 1234);
		}
	assert_int_equal(pk_respond_answer(r, i, 0, true, &alice, w.now_ns), -ENOENT);
	/* what was decided is not asked again, but by a person who begins anew */
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5);
	assert_int_equal(i->waits, 0);
	assert_int_equal(pk_respond_contain(r, i, NULL, &alice, w.now_ns), 0);
	pass(r, 5);
	assert_int_equal(i->waits, 1);
	assert_true(i->wait[0].human);
	end(r);
}

static void test_nobody_does_it(void **state)
{
	struct pk_respond *r = begin_with(decision);
	struct pk_incident *i = shell(false);

	(void)state;
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(pk_respond_answer(r, i, i->wait[0].number, false, &alice, w.now_ns), 0);
	pass(r, 5);
	assert_int_equal(acts(i, "reimage the host", PK_DEED_REFUSED), 1);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 1);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 0);
	end(r);

	r = begin_with(decision);
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	w.now_ns += (MANUAL_MS - 1000) * 1000000;
	pass(r, 1);
	assert_int_equal(i->waits, 1);
	w.now_ns += SEC;
	pass(r, 5);
	assert_int_equal(i->waits, 0);
	assert_int_equal(acts(i, "reimage the host", PK_DEED_FAILED), 1);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 1);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 0);
	end(r);
}

/* Decided while its playbook is at work anew: written down at once, and goes on behind that. */
static void test_answered_meanwhile(void **state)
{
	struct pk_respond *r = begin_with(decision);
	struct pk_incident *i = shell(false);
	struct pk_finding f = finding("reverse_shell", "T1059.004", PK_HIGH);

	(void)state;
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(i->waits, 1);
	about(&f, 14);
	with(&f, "198.51.100.8");
	assert_ptr_equal(say(&f), i);
	did.result[PK_VERB_BLOCK] = -EINPROGRESS;
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(counts(r).active, 1);
	assert_int_equal(pk_respond_answer(r, i, 0, true, &alice, w.now_ns), 0);
	assert_int_equal(acts(i, "reimage the host", PK_DEED_DONE), 1);
	assert_int_equal(counts(r).waiting, 0);
	assert_int_equal(pk_respond_answer(r, i, 0, true, &alice, w.now_ns), -ENOENT);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 0);
	did.result[PK_VERB_BLOCK] = 0;
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 1);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 0);
	assert_int_equal(i->waits, 0);
	assert_int_equal(acts(i, "reimage the host", PK_DEED_ADVISED), 1);
	end(r);
}

/* More incidents wait than may be at work at once. */
static void test_many_wait(void **state)
{
	struct pk_respond *r = begin_with(decision);
	struct pk_incident *last = NULL;
	char ip[32];

	(void)state;
	for (int k = 0; k < 16; k++) { /* as many as there is room for incidents */
		struct pk_finding f = finding("scan", "T1046", PK_MEDIUM);

		snprintf(ip, sizeof(ip), "198.51.100.%d", k + 1);
		with(&f, ip);
		last = say(&f);
		pk_respond_look(r, last, w.now_ns);
		assert_int_equal(last->waits, 1);
	}
	assert_int_equal(counts(r).waiting, 16);
	assert_int_equal(counts(r).active, 0);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 16);
	assert_int_equal(pk_respond_answer(r, last, 0, false, &alice, w.now_ns), 0);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 1);
	end(r);
}

static void test_waits_in_a_branch(void **state)
{
	struct pk_respond *r = begin_with(branches);
	struct pk_incident *i = shell(false);

	(void)state;
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(i->waits, 1);
	assert_int_equal(i->wait[0].depth, 1);
	assert_int_equal(did.calls[PK_VERB_BLOCK],
			 1); /* it holds up nobody but what follows both */
	pass(r, 20);
	assert_int_equal(counts(r).active, 0);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 0);
	assert_int_equal(pk_respond_answer(r, i, 0, true, &alice, w.now_ns), 0);
	pass(r, 2);
	assert_int_equal(did.calls[PK_VERB_BLOCK], 1);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 1);
	assert_int_equal(i->waits, 0);
	end(r);
}

/* The other branch is slow, fails, or both are decided in any order: what follows comes once. */
static void test_branches_at_once(void **state)
{
	struct pk_respond *r = begin_with(branches);
	struct pk_incident *i = shell(false);

	(void)state;
	did.result[PK_VERB_BLOCK] = -EINPROGRESS;
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(i->waits, 1);
	assert_int_equal(counts(r).active, 1);
	assert_int_equal(pk_respond_answer(r, i, 0, true, &alice, w.now_ns), 0);
	assert_int_equal(i->waits, 0); /* taken up beside the slow one */
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 0);
	did.result[PK_VERB_BLOCK] = 0;
	pass(r, 2);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 1);
	assert_int_equal(counts(r).active, 0);
	end(r);

	r = begin_with(branches);
	i = shell(false);
	did.result[PK_VERB_BLOCK] = -EIO;
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(i->waits, 1); /* it failed, which is none of the person's business */
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 0);
	assert_int_equal(pk_respond_answer(r, i, 0, false, &alice, w.now_ns), 0);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 1);
	assert_int_equal(counts(r).active, 0);
	end(r);
}

/* Two slow branches, and a person in a third: each goes on for itself. */
static void test_slow_branches(void **state)
{
	struct pk_respond *r = begin_with(slow);
	struct pk_incident *i = shell(false);

	(void)state;
	did.result[PK_VERB_BLOCK] = did.result[PK_VERB_ISOLATE] = -EINPROGRESS;
	pk_respond_look(r, i, w.now_ns);
	assert_true(did.calls[PK_VERB_BLOCK] > 0 && did.calls[PK_VERB_ISOLATE] > 0);
	assert_int_equal(i->waits, 1);
	did.result[PK_VERB_ISOLATE] = 0;
	pass(r, 2);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 1); /* behind isolate, in its branch */
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 0);
	did.result[PK_VERB_BLOCK] = 0;
	pass(r, 2);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 0);
	assert_int_equal(counts(r).active, 0);
	w.now_ns += MANUAL_MS * 1000000; /* nobody came */
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_SNAPSHOT], 1);
	assert_int_equal(did.calls[PK_VERB_SUSPEND], 1);
	end(r);
}

/* Nothing goes on that somebody took back, closed, or wrote anew meanwhile. */
/* Eight branches of three each: more ways than a run has. */
static size_t many_branches(char *out, size_t size)
{
	char leaves[6144] = "", inner[6144] = "", outer[1024] = "";
	size_t a = 0, b = 0, c = 0;

	for (unsigned k = 0; k < 8; k++) {
		c += (size_t)snprintf(outer + c, sizeof(outer) - c, "%s\"" PARALLEL "\"",
				      k ? "," : "", 10 + k);
		b += (size_t)snprintf(inner + b, sizeof(inner) - b,
				      "\"" PARALLEL "\":{\"type\":\"parallel\",\"next_steps\":["
				      "\"" LEAF "\",\"" LEAF "\",\"" LEAF
				      "\"],\"on_completion\":\"" ID("end", "1") "\"},",
				      10 + k, 3 * k, 3 * k + 1, 3 * k + 2);
	}
	for (unsigned k = 0; k < 24; k++)
		a += (size_t)snprintf(leaves + a, sizeof(leaves) - a,
				      "\"" LEAF "\":{\"type\":\"action\",\"commands\":[{\"type\":"
				      "\"bash\",\"command\":\"picket block __remote__:value\"}],"
				      "\"on_completion\":\"" ID("end", "1") "\"},",
				      k);
	return (size_t)snprintf(
		out, size,
		WHOLE(START(ID("parallel", "1")) "\"" ID(
			"parallel",
			"1") "\":{\"type\":\"parallel\","
			     "\"next_steps\":[%s]" TO(
				     "on_completion",
				     ID("action", "3")) "},%s%s" STEP("3", BASH("isolate"),
								      TO("on_completion",
									 ID("end", "1")))),
		outer, inner, leaves);
}

static void test_too_many_branches(void **state)
{
	char json[16384];
	struct pk_respond *r;
	struct pk_incident *i;
	size_t leaves = 0;

	(void)state;
	assert_in_range(many_branches(json, sizeof(json)), 1, sizeof(json) - 1);
	r = begin_with(json);
	i = shell(false);
	did.result[PK_VERB_BLOCK] = did.result[PK_VERB_ISOLATE] = -EINPROGRESS;
	pk_respond_look(r, i, w.now_ns);
	pass(r, 5); /* all places are taken by ways that wait for the block */
	assert_int_equal(did.calls[PK_VERB_ISOLATE], 0);
	did.result[PK_VERB_BLOCK] = 0;
	pass(r, 5);
	/* each branch was gone, and what follows them came once, behind the last */
	for (size_t k = 0; k < r->run[0].p->steps; k++)
		leaves += r->run[0].passed[k] && r->run[0].p->step[k].type == PK_STEP_ACTION;
	assert_int_equal(leaves, 24);
	assert_true(did.calls[PK_VERB_ISOLATE] > 0); /* asked, until it is done */
	assert_int_equal(counts(r).active, 1);
	did.result[PK_VERB_ISOLATE] = 0;
	pass(r, 2);
	assert_int_equal(acts(i, "isolate this host", PK_DEED_DONE), 1);
	assert_int_equal(acts(i, "block 198.51.100.7", PK_DEED_DONE), 1);
	assert_int_equal(counts(r).active, 0);
	end(r);
}

static void test_waits_no_more(void **state)
{
	struct pk_respond *r = begin_with(decision);
	struct pk_incident *i = shell(false);

	(void)state;
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(pk_respond_revert(r, i, &alice), 2); /* the block, and the step */
	assert_int_equal(i->waits, 0);
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(i->waits, 0);
	end(r);

	r = begin_with(decision);
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	assert_int_equal(pk_incident_move(i, PK_INCIDENT_DISMISSED, &alice), 0);
	pass(r, 1);
	assert_int_equal(i->waits, 0);
	end(r);

	r = begin_with(decision);
	i = shell(false);
	pk_respond_look(r, i, w.now_ns);
	strcpy(i->wait[0].text, "something else");
	assert_int_equal(pk_respond_answer(r, i, 0, true, &alice, w.now_ns), -ESTALE);
	pass(r, 5);
	assert_int_equal(did.calls[PK_VERB_SUSPEND] + did.calls[PK_VERB_SNAPSHOT], 0);
	assert_int_equal(acts(i, "its playbook is another one now", PK_DEED_FAILED), 1);
	end(r);
}

static int read_playbooks(void **state)
{
	struct pk_buf e = { 0 };

	(void)state;
	return pk_shelf_read("user/share/playbooks", &playbooks, &playbooks_n, &e);
}

static int free_playbooks(void **state)
{
	(void)state;
	free(playbooks);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_advises),
		cmocka_unit_test(test_acts_and_proves),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_another_address),
		cmocka_unit_test(test_no_handshake),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_ends_by_itself),
		cmocka_unit_test(test_goes_on_by_itself),
		cmocka_unit_test(test_isolates_whole_or_not),
		cmocka_unit_test(test_waits_for_a_person),
		cmocka_unit_test(test_nobody_does_it),
		cmocka_unit_test(test_answered_meanwhile),
		cmocka_unit_test(test_many_wait),
		cmocka_unit_test(test_waits_in_a_branch),
		cmocka_unit_test(test_branches_at_once),
		cmocka_unit_test(test_slow_branches),
		cmocka_unit_test(test_too_many_branches),
		cmocka_unit_test(test_waits_no_more),
	};

	return cmocka_run_group_tests(tests, read_playbooks, free_playbooks);
}
