/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every program of the object is accepted by this kernel's verifier, each loaded alone, so that a
 * refusal names its program. Those whose tracepoint this kernel lacks are left out, as the agent
 * does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "picket.skel.h"
#include "probe/hooks.h"
#include "probe/object.h"

#define PROGRAMS_MAX 64
#define SLOTS        1024

/* The verifier gives up at a million; what comes near it will not load somewhere else. */
#define INSNS_MAX 500000

static char names[PROGRAMS_MAX][32];

static struct pk_object *open_with(const char *const *progs)
{
	struct pk_object_opts opts = { .slots = SLOTS, .progs = progs };
	struct pk_object *o = NULL;

	assert_int_equal(pk_object_open(&opts, &o), 0);
	assert_int_equal(pk_hooks_prepare(pk_object_skel(o)), 0);
	return o;
}

/* Names of the programs that this kernel can have. */
static int list_programs(void)
{
	struct pk_object_opts opts = { .slots = SLOTS };
	struct pk_object *o = NULL;
	struct bpf_program *p;
	int n = 0;

	if (pk_object_open(&opts, &o) || pk_hooks_prepare(pk_object_skel(o)))
		return -1;
	bpf_object__for_each_program(p, pk_object_bpf(o))
	{
		if (bpf_program__autoload(p) && n < PROGRAMS_MAX)
			snprintf(names[n++], sizeof(names[0]), "%s", bpf_program__name(p));
	}
	pk_object_free(o);
	return n;
}

static void loads(void **state)
{
	const char *name = *state, *only[] = { name, NULL };
	struct pk_object *o = open_with(only);
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	struct bpf_program *p;

	bpf_object__for_each_program(p, pk_object_bpf(o))
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), name));
	assert_int_equal(pk_object_load(o), 0);
	assert_int_equal(bpf_obj_get_info_by_fd(pk_object_prog_fd(o, name), &info, &size), 0);
	printf("# %s: %u instructions verified\n", name, info.verified_insns);
	assert_in_range(info.verified_insns, 1, INSNS_MAX);
	pk_object_free(o);
}

/* All of them together, as the agent loads them. */
static void load_together(void **state)
{
	struct pk_object *o = open_with(NULL);

	(void)state;
	assert_int_equal(pk_object_load(o), 0);
	pk_object_free(o);
}

int main(void)
{
	struct CMUnitTest tests[PROGRAMS_MAX + 1] = { { .name = "all together",
							.test_func = load_together } };
	int n, i;

	if (geteuid() != 0) {
		printf("1..0 # SKIP loading BPF programs needs root\n");
		return 0;
	}
	n = list_programs();
	if (n <= 0) {
		fprintf(stderr, "the object can not be opened\n");
		return 1;
	}
	for (i = 0; i < n; i++)
		tests[i + 1] = (struct CMUnitTest){ .name = names[i],
						    .test_func = loads,
						    .initial_state = names[i] };
	return _cmocka_run_group_tests("programs", tests, (size_t)n + 1, NULL, NULL);
}
