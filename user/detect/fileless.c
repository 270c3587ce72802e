/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that runs from no file: from memory (memfd_create), from a file that is deleted, or
 * from /dev/shm. It keeps nothing: the kernel says it at exec.
 */
#include "base/cleanup.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/registry.h"
#include "enrich/process.h"

#include <string.h>

static const struct {
	uint32_t flag;
	const char *where, *how;
} kinds[] = {
	{ PK_EXEC_MEMFD, "memory", "an anonymous memory file (memfd_create)" },
	{ PK_EXEC_DELETED, "a file that was deleted", "a file with no name left (link count 0)" },
	{ PK_EXEC_SHM, "shared memory", "a file in /dev/shm" },
};

/* On a tmpfs only /dev/shm counts: /run and /tmp have detectors of their own. */
static bool applies(uint32_t flag, const char *path)
{
	return flag != PK_EXEC_SHM || strncmp(path, "/dev/shm/", 9) == 0;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const char *path = s->proc ? pk_process_path(s->proc) : "";

	(void)state; /* none */
	if (!s->proc || (s->ev->hdr->flags & PK_EVF_SNAPSHOT))
		return;
	for (size_t i = 0; i < PK_ARRAY_SIZE(kinds); i++) {
		struct pk_finding f = { .ts_ns = s->now_ns };

		if (!(s->ev->exec->exec_flags & kinds[i].flag) || !applies(kinds[i].flag, path))
			continue;
		pk_finding_proc(&f, &s->proc->id);
		pk_finding_proc(&f, &s->proc->parent);
		pk_finding_plain(&f,
				 "A program was started from %s, so nothing of it stays on disk.",
				 kinds[i].where);
		pk_finding_detail(&f, "%s (pid %u) was started from %s: %s",
				  pk_process_name(s->proc), s->proc->id.tgid, kinds[i].how,
				  pk_process_cmd_line(s->proc));
		pk_finding_field(&f, "path", "%s", path);
		pk_finding_fold(&f, path, strlen(path));
		pk_detect_found(d, &pk_detect_fileless, &f);
		return;
	}
}

const struct pk_detector pk_detect_fileless = {
	.name = "fileless",
	.title = "Program without a file",
	.technique = { "T1620", "T1027.011" },
	.severity = PK_HIGH,
	.confidence = 70,
	.doubt =
		"Container runtimes (runc) and some just-in-time launchers start themselves from a "
		"memory file.",
	.next = "Keep the program (/proc/PID/exe) before it ends, and look at what started it.",
	.wants = 1u << PK_SEE_EXEC,
	.see = see,
};
