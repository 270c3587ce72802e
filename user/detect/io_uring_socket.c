/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program uses sockets through io_uring, which tools that watch system calls do not see, and it
 * was not seen to before. It remembers programs by file. Every such program is new once after each
 * start, so it is told low unless it lies outside of the system's directories. A flood of programs
 * washes others out, which are told again then: nothing is hidden by that, so the table need not
 * hold on (memo.h), which would refuse newcomers.
 */
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/recent.h"
#include "detect/registry.h"
#include "enrich/enrich.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct exe {
	uint64_t ino, dev;
};

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_process *p = s->proc;
	struct pk_finding f = { .ts_ns = s->now_ns };
	struct exe exe;
	bool is_new;

	if (!p || !p->image[0] || s->ev->act->kind != PK_ACT_IO_URING_SOCKET)
		return;
	exe = (struct exe){ .ino = p->image[0]->exe_ino, .dev = p->image[0]->exe_dev };
	(void)pk_recent_take(state, &exe, &is_new);
	if (!is_new)
		return;
	if (!pk_program_path_is_system(pk_process_path(p)))
		f.severity = PK_MEDIUM;
	pk_finding_proc(&f, &p->id);
	pk_finding_proc(&f, &p->parent);
	pk_finding_plain(&f,
			 "A program (%.64s) used the network in a way that many security tools "
			 "can not see.",
			 pk_process_name(p));
	pk_finding_detail(&f,
			  "%s (pid %u) used a socket through io_uring (operation %llu) for the "
			  "first time: %s",
			  pk_process_name(p), p->id.tgid, (unsigned long long)s->ev->act->arg[0],
			  pk_process_cmd_line(p));
	pk_finding_field(&f, "program", "%s", pk_process_path(p));
	pk_finding_fold(&f, pk_process_path(p), strlen(pk_process_path(p)));
	pk_detect_found(d, &pk_detect_io_uring_socket, &f);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	return pk_recent_bytes_max(conf->io_uring_socket_programs, sizeof(struct exe),
				   sizeof(uint64_t));
}

static void memory(const void *state, struct pk_memory *sum)
{
	pk_recent_memory(state, sum);
}

static void done(void *state)
{
	pk_recent_free(state);
}

static int init(const struct pk_world *w, void **ret_state)
{
	*ret_state = pk_recent_new(w->conf->io_uring_socket_programs, sizeof(struct exe),
				   sizeof(uint64_t));
	return *ret_state ? 0 : -ENOMEM;
}

const struct pk_detector pk_detect_io_uring_socket = {
	.name = "io_uring_socket",
	.title = "Sockets through io_uring",
	.technique = { "T1106" },
	.severity = PK_LOW,
	.confidence = 40,
	.doubt = "Servers and databases that use io_uring for speed, the first time they run.",
	.next = "If the program is not known to use io_uring, look at its file and its "
		"connections.",
	.wants = 1u << PK_SEE_ACT,
	.bytes_max = bytes_max,
	.init = init,
	.done = done,
	.see = see,
	.memory = memory,
};
