/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something downloaded is run: a download program, or a script with a connection, and after it from
 * the same shell a program or script of the name it fetched, or a file that did not exist before;
 * or a shell that reads what a download program writes (curl | sh). It remembers shells by process
 * and of what they fetched only hashes of names.
 */
#include "base/cleanup.h"
#include "base/clock.h"
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

#define NOTES_MAX 4096
#define NAMES     6
#define LEVELS    4 /* from what runs up to the shell that fetched */
#define PAIR_NS   2000000000ull

/* Of a process whose child fetched something. */
struct note {
	uint64_t fetch_ns, shell_ns; /* shell_ns: a child read a script from a pipe */
	uint64_t name[NAMES];        /* of what was fetched; 0: free */
	struct pk_proc_id fetch, shell;
	unsigned names;
};

struct state {
	struct pk_recent *notes;
};

enum way { NAMED, NEW_FILE, PIPED };

static const char *const ways[] = {
	"it has the name of what was downloaded",
	"its file is newer than the download",
	"it reads from a pipe while the download runs",
};

static void tell(struct pk_detect *d, const struct pk_see *s, const struct pk_process *p,
		 const struct pk_proc_id *fetch, enum way way)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_process *by =
		pk_process_get(&w->enrich->processes, fetch->tgid, fetch->start_ns);
	const char *path = pk_process_path(p), *how = by ? pk_process_cmd_line(by) : "";
	struct pk_finding f = { .ts_ns = s->now_ns };

	if (way == NEW_FILE) {
		f.severity = PK_LOW; /* what is unpacked and built is new, too */
		f.confidence = 35;
	}
	pk_finding_proc(&f, &p->id);
	pk_finding_proc(&f, fetch);
	pk_finding_proc(&f, &p->parent);
	pk_finding_plain(&f, "Something was downloaded from the network and run right away.");
	pk_finding_detail(&f,
			  "%s (pid %u) was run after a download from the same shell: %s. "
			  "Run: %s. Download: %s",
			  pk_process_name(p), p->id.tgid, ways[way], pk_process_cmd_line(p), how);
	pk_finding_field(&f, "why", "%s", ways[way]);
	pk_finding_field(&f, "run", "%s", pk_process_cmd_line(p));
	pk_finding_field(&f, "path", "%s", path);
	pk_finding_field(&f, "download", "%s", how);
	pk_finding_fold(&f, &fetch->start_ns, sizeof(fetch->start_ns));
	pk_finding_fold(&f, &way, sizeof(way));
	pk_detect_found(d, &pk_detect_fetch_run, &f);
}

/* Of the last part of a path or URL, without its query; 0: there is none. */
static uint64_t name_hash(const char *s, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull;
	const char *end = memchr(s, '?', len), *start;

	end = end ? end : s + len;
	for (start = end; start > s && start[-1] != '/';)
		start--;
	if (end - start < 2)
		return 0;
	for (; start < end; start++)
		h = (h ^ (uint8_t)*start) * 0x100000001b3ull;
	return h;
}

static struct note *note_put(struct state *st, const struct pk_process *p)
{
	struct pk_program_key key = pk_program_key(p);
	bool is_new;

	return pk_recent_take(st->notes, &key, &is_new);
}

/* Every word that is no option may be a name: the URL, the argument of -o. */
static void learn_names(struct note *n, const char *line)
{
	const char *at = line, *w;
	unsigned len;

	(void)pk_program_word(&at, &len); /* the program itself */
	while ((w = pk_program_word(&at, &len))) {
		uint64_t h = *w == '-' ? 0 : name_hash(w, len);

		if (h)
			n->name[n->names++ % NAMES] = h;
	}
}

static bool has_name(const struct note *n, const char *s, size_t len)
{
	uint64_t h = name_hash(s, len);

	for (unsigned i = 0; h && i < NAMES; i++)
		if (n->name[i] == h)
			return true;
	return false;
}

static const struct pk_process *caller_of(const struct pk_world *w, const struct pk_process *p)
{
	const struct pk_process *up = pk_process_parent(&w->enrich->processes, p);

	return up ? pk_program_root(w->enrich, up) : NULL;
}

static void learn_fetch(struct pk_detect *d, struct state *st, const struct pk_see *s,
			const struct pk_process *p)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_process *up = caller_of(w, p), *shell;
	struct note *n;

	if (!up || pk_program_is_below(w->enrich, up, LEVELS, PK_PROG_PACKAGE))
		return;
	n = note_put(st, up);
	n->fetch_ns = s->now_ns;
	n->fetch = p->id;
	if (pk_program_is(p, PK_PROG_FETCH)) /* the words of a script are no names of files */
		learn_names(n, pk_process_cmd_line(p));
	if (!n->shell_ns || n->shell_ns + PAIR_NS < s->now_ns)
		return;
	n->shell_ns = 0; /* the shell of this pipe came first */
	shell = pk_process_get(&w->enrich->processes, n->shell.tgid, n->shell.start_ns);
	if (shell && pk_program_is(p, PK_PROG_FETCH))
		tell(d, s, shell, &p->id, PIPED);
}

static bool is_newer(const struct note *n, const struct pk_process *p)
{
	uint64_t fetched_s = (uint64_t)pk_clock_wall_ms(n->fetch_ns) / 1000;

	return p->image[0]->exe_ctime_s >= fetched_s && fetched_s;
}

/* Is a script that it runs, or the program itself, one of those names? A program of the system that
 * was there before is only named so: ssh, of rsync -e ssh. */
static bool runs_named(const struct note *n, const struct pk_process *p)
{
	const char *at = pk_process_cmd_line(p), *path = pk_process_path(p), *w;
	unsigned len;

	if (has_name(n, path, strlen(path)) && (is_newer(n, p) || !pk_program_path_is_system(path)))
		return true;
	if (!pk_program_is(p, PK_PROG_SHELL | PK_PROG_SCRIPT))
		return false;
	(void)pk_program_word(&at, &len);
	while ((w = pk_program_word(&at, &len)) && *w == '-')
		if (len > 1 && w[1] != '-' && memchr(w, 'c', len))
			return false; /* a command, in which names are only words */
	return w && has_name(n, w, len);
}

static bool is_new_file(const struct note *n, const struct pk_process *p)
{
	return is_newer(n, p) && !pk_program_path_is_system(pk_process_path(p));
}

static bool reads_pipe(const struct pk_process *p)
{
	const char *line = pk_process_cmd_line(p);

	if (!pk_program_is(p, PK_PROG_SHELL | PK_PROG_SCRIPT))
		return false;
	return strstr(line, " /dev/fd/") || strstr(line, " /proc/self/fd/") ||
	       (p->image[0]->stdio[0] == PK_STDIO_PIPE && p->image[0]->stdio[1] != PK_STDIO_PIPE &&
		pk_program_reads_stdin(p));
}

static bool check(struct pk_detect *d, const struct pk_see *s, const struct note *n)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_process *p = s->proc;

	if (!n->fetch_ns || n->fetch_ns + w->conf->fetch_run_window_ns < s->now_ns ||
	    n->fetch.tgid == p->id.tgid)
		return false;
	if (n->fetch_ns + PAIR_NS >= s->now_ns && reads_pipe(p))
		tell(d, s, p, &n->fetch, PIPED);
	else if (runs_named(n, p))
		tell(d, s, p, &n->fetch, NAMED);
	else if (is_new_file(n, p))
		tell(d, s, p, &n->fetch, NEW_FILE);
	else
		return false;
	return true;
}

static void see_exec(struct pk_detect *d, struct state *st, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_process *up = caller_of(w, s->proc), *first = up;
	struct note *n;

	if (pk_program_is(s->proc, PK_PROG_FETCH)) {
		learn_fetch(d, st, s, s->proc);
		return;
	}
	if (pk_program_is_below(w->enrich, s->proc, LEVELS, PK_PROG_PACKAGE))
		return;
	for (unsigned i = 0; up && i < LEVELS; i++, up = caller_of(w, up)) {
		struct pk_program_key key = pk_program_key(up);

		n = pk_recent_find(st->notes, &key);
		if (n && check(d, s, n))
			return;
	}
	if (!first || !reads_pipe(s->proc))
		return;
	n = note_put(st, first);
	n->shell_ns = s->now_ns;
	n->shell = s->proc->id;
}

/* A script that opened a connection of its own may have fetched anything. */
static void see_sock(struct pk_detect *d, struct state *st, const struct pk_see *s)
{
	const struct pk_proc_id *id = &s->ev->sock->owner.user;
	const struct pk_process *p;

	if (s->ev->sock->op != PK_SOCK_ESTABLISHED)
		return;
	p = pk_process_get(&pk_detect_world(d)->enrich->processes, id->tgid, id->start_ns);
	if (p && pk_program_is(p, PK_PROG_SCRIPT))
		learn_fetch(d, st, s, p);
}

/* What is over makes room first: who starts many programs washes out none that still run. */
static void see_exit(struct state *st, const struct pk_process *p)
{
	struct pk_program_key key = pk_program_key(p);
	struct note *n = pk_recent_find(st->notes, &key);

	if (n)
		pk_recent_retire(st->notes, n);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	if (!pk_detect_world(d)->enrich || (s->ev->hdr->flags & PK_EVF_SNAPSHOT))
		return;
	if (s->kind == PK_SEE_SOCK)
		see_sock(d, state, s);
	else if (s->proc && s->kind == PK_SEE_EXIT)
		see_exit(state, s->proc);
	else if (s->proc && s->proc->image[0])
		see_exec(d, state, s);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	(void)conf; /* none of its keys is a size */
	return pk_recent_bytes_max(NOTES_MAX, sizeof(struct pk_program_key), sizeof(struct note));
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *st = state;

	pk_recent_memory(st->notes, sum);
}

static void done(void *state)
{
	struct state *st = state;

	pk_recent_free(st->notes);
	free(st);
}

static int init(const struct pk_world *w, void **ret_state)
{
	struct state *st = calloc(1, sizeof(*st));

	(void)w; /* all that it needs it asks for later */
	if (!st)
		return -ENOMEM;
	st->notes = pk_recent_new(NOTES_MAX, sizeof(struct pk_program_key), sizeof(struct note));
	if (!st->notes) {
		free(st);
		return -ENOMEM;
	}
	*ret_state = st;
	return 0;
}

const struct pk_detector pk_detect_fetch_run = {
	.name = "fetch_run",
	.title = "Download that was run",
	.technique = { "T1105", "T1059.004" },
	.severity = PK_MEDIUM,
	.confidence = 65,
	.doubt =
		"Installers that people fetch and run by hand (curl | sh), and scripts that set up "
		"a machine.",
	.next = "Look at what was downloaded and from where, and whether somebody meant to run it.",
	.wants = 1u << PK_SEE_EXEC | 1u << PK_SEE_EXIT | 1u << PK_SEE_SOCK,
	.bytes_max = bytes_max,
	.init = init,
	.done = done,
	.see = see,
	.memory = memory,
};
