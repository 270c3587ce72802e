/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code was loaded into the kernel: by whom, and was it one of the programs whose task that is? What
 * the kernel asks for itself (modprobe started by a kernel thread) and the system's own services
 * are not told. It keeps nothing.
 */
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/registry.h"
#include "enrich/enrich.h"

#include <string.h>

/* By the kernel itself, by the system's start or by a package. */
static bool is_ordinary(const struct pk_world *w, const struct pk_process *p)
{
	const struct pk_process *up =
		w->enrich ? pk_process_parent(&w->enrich->processes, p) : NULL;

	if (!pk_program_is_known(p, PK_PROG_MODULE))
		return false;
	if (strcmp(pk_process_name(p), "systemd-modules-load") == 0 ||
	    strcmp(pk_process_name(p), "systemd-udevd") == 0)
		return true;
	return up && ((up->flags & PK_TASK_KTHREAD) ||
		      pk_program_is_below(w->enrich, up, 3, PK_PROG_PACKAGE));
}

/* insmod with a file that is not the distribution's. */
static bool is_own_file(const struct pk_process *p)
{
	const char *line = pk_process_cmd_line(p);

	return strstr(line, ".ko") && !strstr(line, "/lib/modules/");
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	struct pk_finding f = { .ts_ns = s->now_ns };
	const struct pk_process *p = s->proc;

	(void)state; /* none */
	if (!p || s->ev->act->kind != PK_ACT_MODULE || is_ordinary(w, p) ||
	    pk_program_is_listed(p, &w->conf->kernel_module_allow))
		return;
	if (pk_program_is_known(p, PK_PROG_MODULE))
		f.severity = is_own_file(p) ? PK_HIGH : PK_LOW;
	pk_finding_proc(&f, &p->id);
	pk_finding_proc(&f, &p->parent);
	pk_finding_plain(&f, "Code was added to the core of the operating system by %.64s.",
			 pk_process_name(p));
	pk_finding_detail(&f, "%s (pid %u) loaded a kernel module: %s", pk_process_name(p),
			  p->id.tgid, pk_process_cmd_line(p));
	pk_finding_field(&f, "program", "%s", pk_process_path(p));
	pk_finding_field(&f, "command", "%s", pk_process_cmd_line(p));
	pk_finding_fold(&f, pk_process_cmd_line(p), strlen(pk_process_cmd_line(p)));
	pk_detect_found(d, &pk_detect_kernel_module, &f);
}

const struct pk_detector pk_detect_kernel_module = {
	.name = "kernel_module",
	.title = "Kernel module loaded",
	.technique = { "T1547.006", "T1014" },
	.severity = PK_HIGH,
	.confidence = 75,
	.doubt = "An administrator who loads a driver by hand, or a vendor's installer.",
	.next = "Compare lsmod with the packages of the kernel, and keep the module's file.",
	.wants = 1u << PK_SEE_ACT,
	.see = see,
};
