/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program loaded or attached BPF and is neither this sensor nor one of the tools that do so every
 * day. It keeps nothing. Programs attached before the sensor started are not seen.
 */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/registry.h"
#include "enrich/enrich.h"

#include <linux/bpf.h>
#include <string.h>

static const struct {
	uint64_t cmd;
	const char *what;
} commands[] = {
	{ BPF_PROG_LOAD, "loaded a program" },
	{ BPF_PROG_ATTACH, "attached a program" },
	{ BPF_RAW_TRACEPOINT_OPEN, "attached a program to a tracepoint" },
	{ BPF_LINK_CREATE, "attached a program" },
};

static const char *what_of(const struct pk_act *a)
{
	for (size_t i = 0; a->kind == PK_ACT_BPF && i < PK_ARRAY_SIZE(commands); i++)
		if (commands[i].cmd == a->arg[0])
			return commands[i].what;
	return NULL;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	const char *what = what_of(s->ev->act);
	struct pk_finding f = { .ts_ns = s->now_ns };
	const struct pk_process *p = s->proc;

	(void)state; /* none */
	if (!p || !what || pk_program_is_own(w->enrich, p) || pk_program_is_known(p, PK_PROG_BPF) ||
	    pk_program_is_listed(p, &w->conf->foreign_bpf_allow))
		return;
	pk_finding_proc(&f, &p->id);
	pk_finding_proc(&f, &p->parent);
	pk_finding_plain(&f,
			 "A program (%.64s) put code of its own into the core of the operating "
			 "system.",
			 pk_process_name(p));
	pk_finding_detail(&f, "%s (pid %u) %s with bpf(2): %s", pk_process_name(p), p->id.tgid,
			  what, pk_process_cmd_line(p));
	pk_finding_field(&f, "program", "%s", pk_process_path(p));
	pk_finding_field(&f, "what", "%s", what);
	pk_finding_fold(&f, pk_process_path(p), strlen(pk_process_path(p)));
	pk_detect_found(d, &pk_detect_foreign_bpf, &f);
}

const struct pk_detector pk_detect_foreign_bpf = {
	.name = "foreign_bpf",
	.title = "BPF program of an unknown tool",
	.technique = { "T1014", "T1205.002" },
	.severity = PK_MEDIUM,
	.confidence = 60,
	.doubt = "Tools for tracing, networking and security that are not in the built-in list.",
	.next = "List programs with `bpftool prog` and `bpftool link`; if the tool is wanted, put "
		"it "
		"into detect.foreign_bpf_allow.",
	.wants = 1u << PK_SEE_ACT,
	.see = see,
};
