/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process takes over another one or writes into its memory, and is not its parent. Debuggers that
 * people use do that, too: told lower when they look at processes of the same user. It keeps
 * nothing. Writes through /proc/PID/mem are not seen.
 */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/registry.h"
#include "enrich/enrich.h"

#include <string.h>
#include <sys/ptrace.h>

static const struct {
	uint64_t request;
	const char *what;
} requests[] = {
	{ PTRACE_ATTACH, "took over" },
	{ PTRACE_SEIZE, "took over" },
	{ PTRACE_POKETEXT, "wrote into the code of" },
	{ PTRACE_POKEDATA, "wrote into the memory of" },
	{ PTRACE_SETREGS, "changed the registers of" },
	{ 0x4205 /* PTRACE_SETREGSET */, "changed the registers of" },
};

static const char *what_of(const struct pk_act *a)
{
	if (a->kind == PK_ACT_VM_WRITE)
		return "wrote into the memory of";
	for (size_t i = 0; a->kind == PK_ACT_PTRACE && i < PK_ARRAY_SIZE(requests); i++)
		if (requests[i].request == a->arg[0])
			return requests[i].what;
	return NULL;
}

static bool is_ancestor(const struct pk_world *w, const struct pk_process *p,
			const struct pk_process *of)
{
	const struct pk_process *up[PK_ANCESTORS_MAX];
	size_t n = of ? pk_process_ancestors(&w->enrich->processes, of, up) : 0;

	for (size_t i = 0; i < n; i++)
		if (up[i] == p)
			return true;
	/* A fork of the same program that looks at its parent: sanitizers and crash handlers. */
	return of == p || (of && of->image[0] && of->image[0] == p->image[0]);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_act *a = s->ev->act;
	const char *what = what_of(a), *name;
	struct pk_finding f = { .ts_ns = s->now_ns };
	const struct pk_process *p = s->proc, *target;

	(void)state; /* none */
	if (!p || !what || !w->enrich)
		return;
	target = pk_process_get(&w->enrich->processes, a->target.tgid, a->target.start_ns);
	if (is_ancestor(w, p, target) || a->target.tgid == p->id.tgid ||
	    pk_program_is_listed(p, &w->conf->ptrace_inject_allow))
		return;
	if (pk_program_is_known(p, PK_PROG_DEBUG))
		f.severity = a->target.uid == p->uid ? PK_LOW : PK_MEDIUM;
	name = target ? pk_process_name(target) : "a process";
	pk_finding_proc(&f, &p->id);
	pk_finding_proc(&f, &a->target);
	pk_finding_proc(&f, &p->parent);
	pk_finding_plain(&f, "A program (%.64s) reached into another running program (%.64s).",
			 pk_process_name(p), name);
	pk_finding_detail(&f, "%s (pid %u) %s %s (pid %u) by %s: %s", pk_process_name(p),
			  p->id.tgid, what, name, a->target.tgid,
			  a->kind == PK_ACT_PTRACE ? "ptrace" : "process_vm_writev",
			  pk_process_cmd_line(p));
	pk_finding_field(&f, "program", "%s", pk_process_path(p));
	pk_finding_field(&f, "target", "%s", target ? pk_process_cmd_line(target) : "");
	pk_finding_fold(&f, pk_process_path(p), strlen(pk_process_path(p)));
	pk_finding_fold(&f, name, strlen(name));
	pk_detect_found(d, &pk_detect_ptrace_inject, &f);
}

const struct pk_detector pk_detect_ptrace_inject = {
	.name = "ptrace_inject",
	.title = "Another process taken over",
	.technique = { "T1055.008", "T1055" },
	.severity = PK_HIGH,
	.confidence = 75,
	.doubt = "Debuggers and profilers that are not in the built-in list, Wine, sandboxes.",
	.next = "Keep the memory of the target (gcore) and of the program that did it.",
	.wants = 1u << PK_SEE_ACT,
	.see = see,
};
