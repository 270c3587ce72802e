/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody became root in an unusual way: by a set-id program outside of those that distributions
 * bring, by setuid(0) without one (a file capability), or without any system call that could
 * explain it, as exploits of the kernel do. It keeps nothing: ids are the process table's.
 */
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/registry.h"
#include "enrich/enrich.h"

#include <string.h>

enum way { SET_ID, CAPABILITY, NOWHERE };

static const struct {
	enum pk_severity severity;
	const char *technique, *what;
} ways[] = {
	[SET_ID] = { PK_HIGH, "T1548.001", "a set-id program that is none of the usual ones" },
	[CAPABILITY] = { PK_HIGH, "T1548.001", "a capability, not a set-id program" },
	[NOWHERE] = { PK_CRITICAL, "T1068", "no system call that could explain it" },
};

static void tell(struct pk_detect *d, const struct pk_see *s, enum way way)
{
	struct pk_finding f = { .ts_ns = s->now_ns,
				.severity = ways[way].severity,
				.technique = { ways[way].technique } };
	const struct pk_process *p = s->proc;

	if (pk_program_is_listed(p, &pk_detect_world(d)->conf->privilege_allow))
		return;
	pk_finding_proc(&f, &p->id);
	pk_finding_proc(&f, &p->parent);
	pk_finding_plain(&f,
			 "An ordinary user's program (%.64s) got the rights of the "
			 "administrator in an unusual way.",
			 pk_process_name(p));
	pk_finding_detail(
		&f, "%s (pid %u) became root through %s. Real uid %u, file %s mode %o: %s",
		pk_process_name(p), p->id.tgid, ways[way].what, p->uid, pk_process_path(p),
		p->image[0]->exe_mode & 07777, pk_process_cmd_line(p));
	pk_finding_field(&f, "program", "%s", pk_process_path(p));
	pk_finding_field(&f, "through", "%s", ways[way].what);
	pk_finding_fold(&f, pk_process_path(p), strlen(pk_process_path(p)));
	pk_finding_fold(&f, &way, sizeof(way));
	pk_detect_found(d, &pk_detect_privilege, &f);
}

static bool set_id(const struct pk_process *p)
{
	return p->image[0] && (p->image[0]->exec_flags & PK_EXEC_SETID);
}

static void see_exec(struct pk_detect *d, const struct pk_see *s)
{
	const struct pk_process *p = s->proc, *up;
	const struct pk_exec *e = s->ev->exec;

	if (e->exec_flags & PK_EXEC_SETID) {
		if (e->euid == 0 && e->uid != 0 && !pk_program_is_known(p, PK_PROG_SETID))
			tell(d, s, SET_ID);
		return;
	}
	/* Root by its own past or its parent's? The parent still is who it was, never set-id. */
	up = pk_process_parent(&pk_detect_world(d)->enrich->processes, p);
	if (e->uid != 0 || e->euid != 0 || !up || !up->image[0] || up->uid == 0 ||
	    up->id.uid == 0 || set_id(up) || (up->acts & 1u << PK_ACT_UID_ZERO) ||
	    (p->acts & 1u << PK_ACT_UID_ZERO))
		return;
	for (size_t i = 1; i < PK_EXEC_HISTORY && p->image[i]; i++)
		if (p->image[i]->exec_flags & PK_EXEC_SETID)
			return; /* as sudo does, it became root and then this */
	if (up->image[0]->snapshot || p->execs >= PK_EXEC_HISTORY)
		return; /* its past is not known */
	tell(d, s, NOWHERE);
}

static void see_act(struct pk_detect *d, const struct pk_see *s)
{
	const struct pk_process *p = s->proc;

	/* Its newest exec was as an ordinary user, whose real id the table keeps. */
	if (s->ev->act->kind == PK_ACT_UID_ZERO && p->image[0] && p->uid != 0 && !set_id(p) &&
	    !pk_program_is_known(p, PK_PROG_LOGIN | PK_PROG_SETID))
		tell(d, s, CAPABILITY);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	(void)state; /* none */
	if (!s->proc || !s->proc->image[0] || !pk_detect_world(d)->enrich ||
	    (s->ev->hdr->flags & PK_EVF_SNAPSHOT))
		return;
	if (s->kind == PK_SEE_EXEC)
		see_exec(d, s);
	else
		see_act(d, s);
}

const struct pk_detector pk_detect_privilege = {
	.name = "privilege",
	.title = "Root in an unusual way",
	.technique = { "T1548.001", "T1068" },
	.severity = PK_HIGH,
	.confidence = 70,
	.doubt = "Set-id programs that an administrator or a vendor installed.",
	.next = "Look at the program's file and who put it there; if nobody did, the host is lost: "
		"isolate it.",
	.wants = 1u << PK_SEE_EXEC | 1u << PK_SEE_ACT,
	.see = see,
};
