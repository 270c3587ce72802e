/* SPDX-License-Identifier: Apache-2.0 */
/* The gate takes connections on the socket it was given; it can make none and open no file. */
#include "gate/sandbox.h"

#include "base/cleanup.h"
#include "base/sandbox.h"

static const struct pk_sandbox_call calls[] = {
	{ .call = SCMP_SYS(listen) },
	{ .call = SCMP_SYS(accept) },
	{ .call = SCMP_SYS(accept4) },
};

int pk_gate_sandbox(void)
{
	return pk_sandbox_enter(
		&(struct pk_sandbox){ .who = "gate", .calls = calls, .n = PK_ARRAY_SIZE(calls) });
}
