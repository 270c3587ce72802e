/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Acts: one record for a thing that the current task did. Process context only. */
#ifndef PICKET_ACT_H
#define PICKET_ACT_H

#include "emit.h"
#include "proc.h"

/* What an act is made of, apart from who did it. */
struct pk_act_args {
	__u32 kind; /* enum pk_act_kind */
	__s32 ret;
	__u64 arg[4];
	struct pk_proc_id target;
	__u16 flags; /* PK_EVF_* */
};

static __always_inline void pk_act_emit(__u32 hook, struct task_struct *task,
					const struct pk_act_args *a)
{
	struct pk_act *r;

	r = pk_reserve(pk_rb_proc, PK_RING_PROC, hook, PK_EV_ACT, struct pk_act);
	if (!r)
		return;
	r->hdr.flags = a->flags;
	pk_task_fill(&r->task, task);
	r->target = a->target;
	r->kind = a->kind;
	r->ret = a->ret;
	for (int i = 0; i < 4; i++)
		r->arg[i] = a->arg[i];
	pk_submit(pk_rb_proc, hook, r);
}

#endif
