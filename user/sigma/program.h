/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as small boolean programs over tests, all of a set in one array. */
#pragma once

#include "sigma/rule.h"
#include "sigma/test.h"

enum pk_sigma_op_kind {
	PK_SIGMA_OP_TEST,
	PK_SIGMA_OP_ALL, /* of its children, which follow it up to end */
	PK_SIGMA_OP_ANY,
	PK_SIGMA_OP_NOT,
	PK_SIGMA_OP_COUNT, /* at least arg of them */
	PK_SIGMA_OP_GATE,  /* of both its children: the first is only what the second can't do
			      without */
};

struct pk_sigma_op {
	uint32_t kind; /* enum pk_sigma_op_kind */
	uint32_t end;  /* the op behind this one and its children */
	uint32_t arg;  /* TEST: its index; COUNT: how many */
};

struct pk_sigma_program {
	struct pk_sigma_op *op;
	uint32_t n, cap;
};

void pk_sigma_program_done(struct pk_sigma_program *p);

/*
 * Compiles an ordinary rule: finds its log source and fields, and adds its program and tests. What
 * is wrong is complained of at the rule, and nothing of its program stays. -ENOMEM; 0 else.
 */
int pk_sigma_compile(struct pk_arena *a, struct pk_sigma_rule *rule,
		     const struct pk_sigma_rules *places, struct pk_sigma_tests *tests,
		     struct pk_sigma_program *program);
