/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody works against this sensor: hooks or pins were taken away (the broker puts them back and
 * says so), its processes are stopped or killed, its files are removed, BPF objects are detached or
 * opened by number. It keeps nothing. What ends the sensor at once it can not tell any more: an
 * outside watcher has to miss it.
 */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/registry.h"
#include "enrich/enrich.h"

#include <linux/bpf.h>
#include <signal.h>
#include <string.h>

#define CONFIG_DIR "/etc/picket"
#define LEVELS     4

static void tell(struct pk_detect *d, const struct pk_see *s, enum pk_severity severity,
		 const char *what)
{
	struct pk_finding f = { .ts_ns = s->now_ns, .severity = severity };
	const struct pk_process *p = s->proc;

	if (p) {
		pk_finding_proc(&f, &p->id);
		pk_finding_proc(&f, &p->parent);
	}
	pk_finding_plain(&f,
			 "Somebody tries to switch off or change the security monitoring of this "
			 "computer.");
	pk_finding_detail(&f, "%s", what);
	if (p) {
		pk_finding_detail(&f, "%s by %s (pid %u): %s", what, pk_process_name(p), p->id.tgid,
				  pk_process_cmd_line(p));
		pk_finding_field(&f, "program", "%s", pk_process_path(p));
	}
	pk_finding_field(&f, "what", "%s", what);
	pk_finding_fold(&f, what, strlen(what));
	pk_finding_fold(&f, &severity, sizeof(severity));
	pk_detect_found(d, &pk_detect_tamper, &f);
}

/* The system's start and stop of services. */
static bool is_init(const struct pk_process *p)
{
	return p->id.tgid == 1 || strcmp(pk_process_path(p), "/usr/lib/systemd/systemd") == 0;
}

static void see_kill(struct pk_detect *d, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_act *a = s->ev->act;
	const struct pk_process *to =
		pk_process_get(&w->enrich->processes, a->target.tgid, a->target.start_ns);

	if (!to || !pk_program_is_own(w->enrich, to) || is_init(s->proc))
		return;
	tell(d, s, a->arg[0] == SIGTERM ? PK_MEDIUM : PK_HIGH,
	     a->arg[0] == SIGSTOP   ? "the sensor was stopped by a signal"
	     : a->arg[0] == SIGKILL ? "a process of the sensor was killed"
				    : "the sensor was asked to end");
}

static const struct {
	uint64_t cmd;
	enum pk_severity severity;
	const char *what;
} commands[] = {
	/* Whose it was the record does not say; ours are told as notices. */
	{ BPF_LINK_DETACH, PK_LOW, "a BPF link was detached" },
	{ BPF_LINK_UPDATE, PK_LOW, "the program of a BPF link was replaced" },
	{ BPF_PROG_DETACH, PK_LOW, "a BPF program was detached" },
	{ BPF_LINK_GET_FD_BY_ID, PK_LOW, "a BPF link of somebody was opened" },
	{ BPF_MAP_GET_FD_BY_ID, PK_LOW, "a BPF map of somebody was opened" },
};

static void see_bpf(struct pk_detect *d, const struct pk_see *s)
{
	if (pk_program_is_known(s->proc, PK_PROG_BPF) &&
	    strcmp(pk_process_name(s->proc), "bpftool") != 0)
		return;
	for (size_t i = 0; i < PK_ARRAY_SIZE(commands); i++)
		if (commands[i].cmd == s->ev->act->arg[0])
			tell(d, s, commands[i].severity, commands[i].what);
}

static bool names_ours(const struct pk_conf *c, const char *line)
{
	const char *const dirs[] = { CONFIG_DIR, c->pins_dir, c->state_dir, c->run_dir };

	for (size_t i = 0; i < PK_ARRAY_SIZE(dirs); i++)
		if (dirs[i] && dirs[i][0] && strstr(line, dirs[i]))
			return true;
	return false;
}

/* Without -i (also among others, as in -ni) sed and perl only read what they are given. */
static bool is_in_place(const char *line)
{
	for (const char *w = line; (w = strstr(w, " -"));) {
		w += 2;
		if (strncmp(w, "-in-place", 9) == 0 || w[strspn(w, "EFalnprsuwz")] == 'i')
			return true;
	}
	return false;
}

/* What it would do to our files or processes by its command line; PK_INFORMATIONAL: nothing. */
static enum pk_severity worst_of(const struct pk_conf *c, const struct pk_process *p)
{
	static const char *const removers[] = { "rm",     "unlink", "shred", "truncate",
						"umount", "mv",     NULL };
	static const char *const changers[] = { "chmod", "chown", "chattr", "tee", "dd", NULL };
	static const char *const editors[] = { "sed", "perl", NULL };
	static const char *const enders[] = { "killall", "pkill", NULL };
	static const char *const stops[] = { "stop", "disable", "mask", "kill", NULL };
	static const char *const us[] = { "picketd", "picket", "picket.service", NULL };
	const char *line = pk_process_cmd_line(p), *name = pk_process_name(p);

	if (pk_program_line_has(name, removers) && names_ours(c, line))
		return PK_HIGH;
	if ((pk_program_line_has(name, changers) ||
	     (pk_program_line_has(name, editors) && is_in_place(line))) &&
	    names_ours(c, line))
		return PK_MEDIUM;
	if (pk_program_line_has(name, enders) && pk_program_line_has(line, us))
		return PK_HIGH;
	if ((strcmp(name, "systemctl") == 0 || strcmp(name, "service") == 0) &&
	    pk_program_line_has(line, us) && pk_program_line_has(line, stops))
		return PK_MEDIUM;
	return PK_INFORMATIONAL;
}

static void see_exec(struct pk_detect *d, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	enum pk_severity worst = worst_of(w->conf, s->proc);

	if (worst > PK_INFORMATIONAL &&
	    !pk_program_is_below(w->enrich, s->proc, LEVELS, PK_PROG_PACKAGE))
		tell(d, s, worst, "the sensor's files or its service are being changed");
}

typedef void (*look_fn)(struct pk_detect *d, const struct pk_see *s);

/* What is none of its business is most of what there is, and costs no more than this. */
static look_fn look_of(const struct pk_see *s)
{
	if (s->kind == PK_SEE_EXEC)
		return see_exec;
	return s->ev->act->kind == PK_ACT_KILL  ? see_kill
	       : s->ev->act->kind == PK_ACT_BPF ? see_bpf
						: NULL;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	look_fn look;

	(void)state; /* none */
	if (s->kind == PK_SEE_NOTICE) {
		/* Its texts for what others took away: "hook X was removed by somebody". */
		if (strstr(s->notice, "removed by somebody"))
			tell(d, s, PK_HIGH, s->notice);
		return;
	}
	look = look_of(s);
	if (look && s->proc && w->enrich && !(s->ev->hdr->flags & PK_EVF_SNAPSHOT) &&
	    !pk_program_is_own(w->enrich, s->proc))
		look(d, s);
}

const struct pk_detector pk_detect_tamper = {
	.name = "tamper",
	.title = "Working against the sensor",
	.technique = { "T1685" },
	.severity = PK_HIGH,
	.confidence = 75,
	.doubt = "An administrator who maintains the sensor, and tools that list BPF objects.",
	.next = "Ask who maintains this host; if it was nobody, treat the host as taken over.",
	.wants = 1u << PK_SEE_EXEC | 1u << PK_SEE_ACT | 1u << PK_SEE_NOTICE,
	.see = see,
};
