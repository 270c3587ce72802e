/* SPDX-License-Identifier: Apache-2.0 */
/* A pretended world in which playbooks are run: each op counts, and fails as it is told. */
#pragma once

#include "respond/respond.h"

#include "../incident/world.h"
#include "base/buf.h"

#include <errno.h>

static struct {
	int result[PK_VERBS]; /* of each op */
	unsigned calls[PK_VERBS], unblocked, resumed, rejoined;
	uint64_t start_ns; /* of whom was signalled last */
	bool proven;
} did;

static inline int op_block(void *arg, const struct pk_incident *i, const uint8_t addr[16],
			   const struct pk_command_step *c, char *why, size_t size)
{
	(void)arg, (void)i, (void)addr;
	assert_true(c->ttl_ns > 0);
	did.calls[PK_VERB_BLOCK]++;
	snprintf(why, size, "%s", did.result[PK_VERB_BLOCK] ? "no handshake" : "");
	return did.result[PK_VERB_BLOCK];
}

static inline int op_unblock(void *arg, const uint8_t addr[16], char *why, size_t size)
{
	(void)arg, (void)addr, (void)why, (void)size;
	did.unblocked++;
	return 0;
}

static inline int op_cut(void *arg, const uint8_t addr[16], char *why, size_t size)
{
	(void)arg, (void)addr, (void)why, (void)size;
	did.calls[PK_VERB_CUT]++;
	return did.result[PK_VERB_CUT];
}

static inline int op_suspend(void *arg, const struct pk_proc_id *id, bool stop, char *why,
			     size_t size)
{
	(void)arg, (void)why, (void)size;
	assert_int_equal(id->tgid, 14);
	did.start_ns = id->start_ns;
	did.calls[PK_VERB_SUSPEND] += stop;
	did.resumed += !stop;
	return did.result[PK_VERB_SUSPEND];
}

static inline int op_snapshot(void *arg, const struct pk_incident *i, char *why, size_t size)
{
	(void)arg, (void)i, (void)why, (void)size;
	did.calls[PK_VERB_SNAPSHOT]++;
	return did.result[PK_VERB_SNAPSHOT];
}

static inline int op_isolate(void *arg, bool on, uint64_t ttl_ns, char *why, size_t size)
{
	(void)arg, (void)ttl_ns, (void)why, (void)size;
	did.calls[PK_VERB_ISOLATE] += on;
	did.rejoined += !on;
	return on ? did.result[PK_VERB_ISOLATE] : 0;
}

static inline int op_tell(void *arg, const struct pk_incident *i, char *why, size_t size)
{
	(void)arg, (void)i, (void)why, (void)size;
	did.calls[PK_VERB_TELL]++;
	return 0;
}

static inline int op_proof(void *arg, enum pk_verb verb, const uint8_t addr[16],
			   const struct pk_proc_id *id, uint64_t since_ns, char *why, size_t size)
{
	(void)arg, (void)verb, (void)addr, (void)id, (void)since_ns, (void)why, (void)size;
	return did.proven ? 0 : -EAGAIN;
}

static struct pk_playbook *playbooks;
static size_t playbooks_n;

static inline struct pk_respond *begin(bool enabled, uint64_t rate)
{
	struct pk_respond_conf conf = { .ttl_ns = 3600 * SEC, .rate = rate };
	struct pk_respond_ops ops = { op_block,   op_unblock, op_cut,   op_suspend, op_snapshot,
				      op_isolate, op_tell,    op_proof, NULL };
	struct pk_respond *r;

	memset(&did, 0, sizeof(did));
	world_begin(16);
	process(1, 0, "systemd/bin/", 0);
	process(12, 1, "bash/bin/", 0);
	process(14, 12, "nc/bin/", 0);
	for (int v = 0; v < PK_VERBS; v++)
		conf.enabled[v] = enabled || v == PK_VERB_VERIFY || v == PK_VERB_TELL;
	r = pk_respond_new(&conf, &ops, w.incidents, playbooks, playbooks_n);
	assert_non_null(r);
	return r;
}

static inline void end(struct pk_respond *r)
{
	pk_respond_free(r);
	world_end();
}

static inline struct pk_incident *shell(bool spoofable)
{
	struct pk_finding f = finding("reverse_shell", "T1059.004", PK_HIGH);

	about(&f, 14);
	with(&f, "198.51.100.7");
	f.spoofable = spoofable;
	return say(&f);
}

static inline size_t acts(const struct pk_incident *i, const char *what, enum pk_deed_result result)
{
	size_t n = 0;

	for (size_t k = 0; k < i->acts; k++)
		n += i->act[k].result == result && strncmp(i->act[k].what, what, strlen(what)) == 0;
	return n;
}

/* Ticks of a tenth of a second. */
static inline void pass(struct pk_respond *r, unsigned tenths)
{
	while (tenths--) {
		w.now_ns += SEC / 10;
		pk_respond_tick(r, w.now_ns);
	}
}

#define ID(type, n) type "--00000000-0000-4000-8000-00000000000" n
#define MANUAL_MS   14400000ull
#define STEP(n, kind, more)                                                                        \
	"\"" ID("action", n) "\":{\"type\":\"action\",\"agent\":\"" ID(                            \
		"individual", "9") "\",\"timeout\":14400000,\"commands\":[{\"type\":" kind         \
				   "}]" more "},"
#define BASH(command)  "\"bash\",\"command\":\"picket " command "\""
#define PERSON(text)   "\"manual\",\"command\":\"" text "\""
#define TO(what, step) ",\"" what "\":\"" step "\""
#define WHOLE(workflow)                                                                                            \
	"{\"type\":\"playbook\",\"spec_version\":\"cacao-2.0\",\"id\":\"" ID(                                      \
		"playbook",                                                                                        \
		"1") "\",\"name\":\"n\",\"created_by\":\"" ID("identity",                                          \
							      "1") "\",\"created\":\"2026-01-"                     \
								   "15T09:00:00.000Z\","                           \
								   "\"modified\":"                                 \
								   "\"2026-01-15T09:00:00.000Z\","                 \
								   "\"labels\":[\"rule:reverse_"                   \
								   "shell\",\"rule:scan\"],"                       \
								   "\"workflow_start\":\"" ID(                     \
									   "start",                                \
									   "1") "\",\"workflow\":"                 \
										"{" workflow                       \
										"\"" ID("end",                     \
											"1") "\":"                 \
											     "{\""                 \
											     "typ"                 \
											     "e\""                 \
											     ":\""                 \
											     "end"                 \
											     "\"}"                 \
											     "},"                  \
											     "\"a"                 \
											     "gen"                 \
											     "t_"                  \
											     "def"                 \
											     "ini"                 \
											     "tio"                 \
											     "ns"                  \
											     "\":"                 \
											     "{"                   \
											     "\"" ID("individual", \
												     "9") "\":{\"type\":\"individual\",\"name\":\"who is on call\"}}}"
#define START(first)                                                                               \
	"\"" ID("start", "1") "\":{\"type\":\"start\",\"on_completion\":\"" first "\"},"

/* block, then a person decides: suspend, or a snapshot */
static const char decision[] =
	WHOLE(START(ID("action", "1")) STEP("1", BASH("block __remote__:value"),
					    TO("on_completion", ID("action", "2")))
		      STEP("2", PERSON("reimage the host"),
			   TO("on_success", ID("action", "3")) TO("on_failure", ID("action", "4")))
			      STEP("3", BASH("suspend __pid__:value"),
				   TO("on_completion", ID("end", "1")))
				      STEP("4", BASH("snapshot __incident__:value"),
					   TO("on_completion", ID("end", "1"))));
/* Another shelf, with this one alone. */
static inline struct pk_respond *begin_with(const char *json)
{
	static struct pk_playbook one;
	struct pk_playbook *shelf = playbooks;
	struct pk_buf e = { 0 };
	size_t n = playbooks_n;
	struct pk_respond *r;

	if (pk_playbook_read(json, strlen(json), &one, &e) < 0)
		fail_msg("%s", e.data);
	playbooks = &one;
	playbooks_n = 1;
	r = begin(true, 3600);
	playbooks = shelf;
	playbooks_n = n;
	return r;
}

static const struct pk_incident_by alice = { "alice", "I looked at it", 1234 };
