/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the kernel's BTF: every tracepoint is there as typedef btf_trace_NAME of a function. */
#include "hooks.h"

#include "base/cleanup.h"
#include "picket.skel.h"
#include "syscalls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

static void btf_freep(struct btf **btf)
{
	btf__free(*btf);
}

/* Number of arguments of a tracepoint, -ENOENT when the kernel has no such one. */
static int tracepoint_args(const struct btf *btf, const char *name)
{
	const struct btf_type *t;
	char type[80];
	int id;

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	id = btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF);
	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	if (t && btf_is_ptr(t))
		t = btf__type_by_id(btf, t->type);
	if (!t || !btf_is_func_proto(t))
		return -ENOENT;
	/* The first parameter is the tracer's own. */
	return btf_vlen(t) - 1;
}

/* The tracepoint of a tp_btf program that not every kernel has, or NULL. */
static const char *optional_tracepoint(const struct bpf_program *p)
{
	static const char *const optional[] = {
		"io_uring_create",  "io_uring_submit_req", "io_uring_submit_sqe",
		"sock_send_length", "sock_recv_length",
	};
	const char *section = bpf_program__section_name(p);

	if (strncmp(section, "tp_btf/", 7) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		if (strcmp(section + 7, optional[i]) == 0)
			return optional[i];
	return NULL;
}

int pk_hooks_prepare(struct picket_bpf *skel)
{
	_cleanup_(btf_freep) struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *p;

	if (!btf)
		return errno ? -errno : -ENOENT;
	bpf_object__for_each_program(p, skel->obj)
	{
		const char *name = optional_tracepoint(p);

		if (name)
			bpf_program__set_autoload(p, tracepoint_args(btf, name) >= 0);
	}
	skel->rodata->pk_exit_tells_last = tracepoint_args(btf, "sched_process_exit") >= 2;
	skel->rodata->pk_uring_ring_first = tracepoint_args(btf, "io_uring_submit_sqe") > 2;
	pk_syscalls_native((uint8_t *)skel->rodata->pk_sys_native);
	pk_syscalls_compat((uint8_t *)skel->rodata->pk_sys_compat);
	return 0;
}
