/* SPDX-License-Identifier: Apache-2.0 */
/* Exec, exit and acts as process_activity. It writes JSON and keeps nothing. */
#include "output/ocsf.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "decode/record.h"
#include "enrich/enrich.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct act {
	const char *name; /* of unmapped.picket.act */
	int activity;
	const char *activity_name;
	const char *arg[4]; /* names of arguments, NULL: none */
};

static const struct act acts[PK_ACT_MAX] = {
	[PK_ACT_STDIO_SOCKET] = { "stdio_socket", 99, "Socket on stdio", { "fd", "socket" } },
	[PK_ACT_MEMFD] = { "memfd", 99, "Memory file", { "flags" } },
	[PK_ACT_PTRACE] = { "ptrace", 4, "Inject", { "request" } },
	[PK_ACT_VM_WRITE] = { "vm_write", 4, "Inject", { NULL } },
	[PK_ACT_MODULE] = { "module", 99, "Kernel module", { NULL } },
	[PK_ACT_BPF] = { "bpf", 99, "BPF", { "command" } },
	[PK_ACT_MOUNT] = { "mount", 99, "Mount", { NULL, NULL, NULL, "flags" } },
	[PK_ACT_SETNS] = { "setns", 99, "Enter namespace", { NULL, "nstype" } },
	[PK_ACT_UNSHARE] = { "unshare", 99, "Unshare", { "flags" } },
	[PK_ACT_PIVOT_ROOT] = { "pivot_root", 99, "Pivot root", { NULL } },
	[PK_ACT_UID_ZERO] = { "uid_zero", 5, "Set User ID", { "uid_before" } },
	[PK_ACT_IO_URING] = { "io_uring", 99, "io_uring", { "flags", "entries" } },
	[PK_ACT_IO_URING_SOCKET] = { "io_uring_socket", 99, "io_uring socket", { "opcode" } },
	[PK_ACT_RAW_SOCKET] = { "raw_socket", 99, "Raw socket", { "family", "type", "protocol" } },
	[PK_ACT_PACKET_SOCKET] = { "packet_socket",
				   99,
				   "Packet socket",
				   { NULL, "type", "protocol" } },
	[PK_ACT_XDP_SOCKET] = { "xdp_socket", 99, "AF_XDP socket", { NULL } },
	[PK_ACT_QDISC_BYPASS] = { "qdisc_bypass", 99, "Queueing bypass", { NULL } },
	[PK_ACT_XDP_UMEM] = { "xdp_umem", 99, "AF_XDP memory", { NULL } },
	[PK_ACT_KILL] = { "kill", 99, "Signal", { "signal" } },
};

static const struct act *act_of(const struct pk_act *a)
{
	static const struct act other = { "other", 99, "Other", { NULL } };

	return a->kind < PK_ACT_MAX && acts[a->kind].name ? &acts[a->kind] : &other;
}

static void write_task(struct pk_json *j, const char *key, const struct pk_ocsf *o,
		       const struct pk_process *p, const struct pk_task *t)
{
	if (p)
		pk_ocsf_process(j, key, o, p);
	else
		pk_ocsf_identity(j, key, o, &t->id, t->comm, sizeof(t->comm));
}

static const struct pk_process *find(const struct pk_ocsf *o, const struct pk_proc_id *id)
{
	return o->enrich && id->tgid ? pk_process_get(&o->enrich->processes, id->tgid, id->start_ns)
				     : NULL;
}

static void write_actor(struct pk_json *j, const struct pk_ocsf *o, const struct pk_proc_id *id,
			const struct pk_task *fallback)
{
	const struct pk_process *p = find(o, id);

	pk_json_obj(j, "actor");
	if (p)
		pk_ocsf_process_brief(j, "process", o, p);
	else if (id->tgid)
		pk_ocsf_identity(j, "process", o, id, NULL, 0);
	else
		pk_ocsf_identity(j, "process", o, &fallback->id, fallback->comm,
				 sizeof(fallback->comm));
	pk_json_end(j);
}

static void open_own(struct pk_json *j, const char *kind, const struct pk_event *ev)
{
	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_str(j, "kind", kind);
	pk_json_bool(j, "snapshot", ev->hdr->flags & PK_EVF_SNAPSHOT);
	pk_json_bool(j, "truncated", ev->hdr->flags & PK_EVF_TRUNCATED);
}

static void close_own(struct pk_json *j)
{
	pk_json_end(j);
	pk_json_end(j);
}

static void write_exec(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		       const struct pk_process *p)
{
	static const char *const flag[] = {
		"memfd", "deleted", "script", "setid", "shm", "overlay"
	};
	static const char *const stdio[] = { "none",   "file", "pipe",  "tty",
					     "device", "inet", "socket" };
	const struct pk_exec *e = ev->exec;
	char text[32];

	pk_json_i64(j, "launch_type_id", 3);
	pk_json_str(j, "launch_type", "Exec");
	write_task(j, "process", o, p, &e->task);
	write_actor(j, o, &e->parent, &e->task);
	open_own(j, "exec", ev);
	pk_json_arr(j, "flags");
	for (unsigned i = 0; i < PK_ARRAY_SIZE(flag); i++)
		if (e->exec_flags & (1u << i))
			pk_json_str(j, NULL, flag[i]);
	pk_json_end(j);
	pk_json_strn(j, "filename", e->filename, strnlen(e->filename, sizeof(e->filename)));
	pk_json_strn(j, "interp", e->interp, strnlen(e->interp, sizeof(e->interp)));
	pk_json_u64(j, "inode", e->exe_ino);
	snprintf(text, sizeof(text), "%u:%u", e->exe_dev >> 20, e->exe_dev & 0xfffff);
	pk_json_str(j, "device", text);
	pk_json_u64(j, "arguments_bytes", e->argv_total);
	if (e->stdio[0] || e->stdio[1] || e->stdio[2]) {
		pk_json_arr(j, "stdio");
		for (unsigned i = 0; i < 3; i++)
			pk_json_str(j, NULL, stdio[e->stdio[i]]);
		pk_json_end(j);
	}
	if (e->loginuid != UINT32_MAX)
		pk_json_u64(j, "loginuid", e->loginuid);
	snprintf(text, sizeof(text), "%016" PRIx64, (uint64_t)e->cap_effective);
	pk_json_str(j, "cap_effective", text);
	close_own(j);
}

static void write_exit(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		       const struct pk_process *p)
{
	int code = ev->exit->code;

	pk_json_i64(j, "exit_code", WIFEXITED(code) ? WEXITSTATUS(code) : 128 + WTERMSIG(code));
	write_task(j, "process", o, p, &ev->exit->task);
	write_actor(j, o, &ev->exit->task.id, &ev->exit->task);
	open_own(j, "exit", ev);
	if (WIFSIGNALED(code))
		pk_json_i64(j, "signal", WTERMSIG(code));
	close_own(j);
}

static void write_act(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		      const struct pk_process *p)
{
	const struct pk_act *a = ev->act;
	const struct act *act = act_of(a);
	const struct pk_process *target = find(o, &a->target);

	if (act->activity == 4) {
		pk_json_i64(j, "injection_type_id", 99);
		pk_json_str(j, "injection_type", act->name);
	}
	if (act->activity == 5) {
		pk_json_obj(j, "user");
		pk_json_str(j, "uid", "0");
		pk_json_end(j);
	}
	if (act->activity == 4 && a->target.tgid && target)
		pk_ocsf_process(j, "process", o, target);
	else if (act->activity == 4 && a->target.tgid)
		pk_ocsf_identity(j, "process", o, &a->target, NULL, 0);
	else
		write_task(j, "process", o, p, &a->task);
	pk_json_obj(j, "actor");
	write_task(j, "process", o, p, &a->task);
	pk_json_end(j);
	open_own(j, "act", ev);
	pk_json_str(j, "act", act->name);
	pk_json_i64(j, "result", a->ret);
	for (int i = 0; i < 4; i++)
		if (act->arg[i])
			pk_json_i64(j, act->arg[i], (int64_t)a->arg[i]);
	close_own(j);
}

void pk_ocsf_event(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		   const struct pk_process *p, uint64_t sequence)
{
	char uid[48];

	snprintf(uid, sizeof(uid), "%s-e-%" PRIu64, o->boot, sequence);
	pk_json_obj(j, NULL);
	if (ev->type == PK_EV_EXEC) {
		pk_ocsf_head(j, 1007, 1, "Launch", uid, sequence, ev->hdr->ts);
		pk_ocsf_device(j, o);
		write_exec(j, o, ev, p);
	} else if (ev->type == PK_EV_EXIT) {
		pk_ocsf_head(j, 1007, 2, "Terminate", uid, sequence, ev->hdr->ts);
		pk_ocsf_device(j, o);
		write_exit(j, o, ev, p);
	} else {
		const struct act *act = act_of(ev->act);

		pk_ocsf_head(j, 1007, act->activity, act->activity_name, uid, sequence,
			     ev->hdr->ts);
		pk_ocsf_device(j, o);
		write_act(j, o, ev, p);
	}
	pk_json_end(j);
}
