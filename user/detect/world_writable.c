/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program runs from where anybody can put files (/tmp, /var/tmp, /dev/shm and the like), from a
 * directory with a hidden name, or from a file that others may write. It keeps nothing.
 */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/registry.h"
#include "enrich/enrich.h"

#include <string.h>

#define LEVELS 6

/* Directories where everybody may write. */
static const char *const places[] = { "/tmp/",      "/var/tmp/",   "/dev/shm/",   "/run/lock/",
				      "/var/lock/", "/var/crash/", "/dev/mqueue/" };

/* The place that the path begins with, or NULL. */
static const char *place_of(const char *path)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(places); i++)
		if (strncmp(path, places[i], strlen(places[i])) == 0)
			return places[i];
	return NULL;
}

static bool is_allowed(const struct pk_conf *c, const char *path)
{
	const struct pk_conf_list *l = &c->world_writable_allow;

	for (size_t i = 0; i < l->n; i++)
		if (strncmp(path, l->v[i], strlen(l->v[i])) == 0)
			return true;
	return false;
}

/* Why it is odd, with how odd it is; NULL: it is not. */
static const char *why_of(const struct pk_process *p, enum pk_severity *ret_severity)
{
	const char *path = pk_process_path(p), *place = place_of(path);
	const char *below = place ? path + strlen(place) : NULL;

	*ret_severity = PK_MEDIUM;
	if (p->image[0]->exe_mode & 0002)
		return "everybody may change its file";
	if (below && (*below == '.' || strstr(below, "/.")))
		return "it lies in a hidden place where everybody may write";
	if (strstr(path, "/.../") || strstr(path, "/.. /") || strstr(path, "/ /"))
		return "its directory has a name that is made to be overlooked";
	if (below && !strchr(below, '/'))
		return "it lies in a directory where everybody may write";
	*ret_severity = PK_LOW; /* builds and tests work there */
	return below ? "it lies below a directory where everybody may write" : NULL;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	struct pk_finding f = { .ts_ns = s->now_ns };
	const struct pk_process *p = s->proc;
	const char *path, *why, *slash;

	(void)state; /* none */
	if (!p || !p->image[0] || (s->ev->hdr->flags & PK_EVF_SNAPSHOT) ||
	    (p->image[0]->exec_flags & PK_EXEC_MEMFD)) /* has a detector of its own */
		return;
	path = pk_process_path(p);
	why = why_of(p, &f.severity);
	if (!why || is_allowed(w->conf, path))
		return;
	if (w->enrich && pk_program_is_below(w->enrich, p, LEVELS, PK_PROG_PACKAGE))
		f.severity = PK_LOW; /* they unpack programs there and build them */
	pk_finding_proc(&f, &p->id);
	pk_finding_proc(&f, &p->parent);
	pk_finding_plain(&f, "A program was started from a place where anybody can put files.");
	pk_finding_detail(&f, "%s (pid %u) was started from %s: %s. Command: %s",
			  pk_process_name(p), p->id.tgid, path, why, pk_process_cmd_line(p));
	pk_finding_field(&f, "path", "%s", path);
	pk_finding_field(&f, "why", "%s", why);
	pk_finding_field(&f, "mode", "%o", p->image[0]->exe_mode & 07777);
	/* A build runs many programs of one directory: one alert. */
	slash = strrchr(path, '/');
	pk_finding_fold(&f, path,
			f.severity == PK_LOW && slash ? (size_t)(slash - path) : strlen(path));
	pk_finding_fold(&f, &f.severity, sizeof(f.severity));
	pk_detect_found(d, &pk_detect_world_writable, &f);
}

const struct pk_detector pk_detect_world_writable = {
	.name = "world_writable",
	.title = "Program in a place for everybody",
	.technique = { "T1036.005", "T1059" },
	.severity = PK_MEDIUM,
	.confidence = 50,
	.doubt = "Builds, tests and installers that work in /tmp.",
	.next = "Look at who wrote the file and what started it; remove it if nobody knows it.",
	.wants = 1u << PK_SEE_EXEC,
	.see = see,
};
