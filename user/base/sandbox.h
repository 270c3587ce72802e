/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process that reads strangers' bytes may still do: a list of system calls (seccomp) and,
 * where the kernel has it, a list of files (Landlock). Each such process has its own lists beside
 * what all of them need.
 */
#pragma once

#include <seccomp.h>
#include <stddef.h>

#define PK_SANDBOX_ARGS 2

/* A call, if its arguments are so. */
struct pk_sandbox_call {
	int call;  /* SCMP_SYS() */
	int error; /* 0: it is let through; else it fails with this in place of EPERM */
	unsigned args;
	struct scmp_arg_cmp arg[PK_SANDBOX_ARGS];
};

struct pk_sandbox {
	const char *who; /* for the log */
	const struct pk_sandbox_call *calls;
	size_t n;
	const char *const *files; /* that may be read, if they are there; NULL ended. NULL: none */
};

/*
 * For good, for this process and what it would start: no file is opened but those, no program
 * executed, no memory made executable, no BPF, no other process touched. What is open already
 * stays usable. -errno: it must not go on.
 */
int pk_sandbox_enter(const struct pk_sandbox *s);
