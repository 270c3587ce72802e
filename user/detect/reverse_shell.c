/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shell whose keyboard is a connection, in four forms: its standard streams are a socket; it runs
 * on a pseudo terminal or pipes below a program whose streams are one; a relay (nc, socat) or a
 * script with a connection is its parent, or stands beside it in a pipe; a shell opened the
 * connection itself (/dev/tcp) and its commands read from it and write to it. What is not seen: a
 * program of unknown name that copies between its connection and a shell's pipes.
 */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/owner.h"
#include "detect/program.h"
#include "detect/recent.h"
#include "detect/registry.h"
#include "enrich/enrich.h"
#include "flow/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NOTES_MAX 8192
#define LEVELS    3 /* from a shell up to whoever holds the connection */

#define READS  0x1
#define WRITES 0x2

/* Of one process (a shell with its subshells is one). */
struct note {
	uint64_t cookie;
	uint64_t shell_ns, relay_ns; /* a child was one that could be half of a pair */
	struct pk_proc_id shell, relay;
	uint8_t stdio; /* its own standard streams that became a socket: set of 1 << fd */
	uint8_t child; /* READS, WRITES: its children did, from and to sockets */
	bool excused;  /* a program whose task it is made the socket its standard stream */
	bool wait;     /* a script started a shell at shell_ns: has it a connection? */
};

struct state {
	struct pk_recent *notes;
};

static const char *const ways[] = {
	"its standard streams are a socket",
	"its standard streams lead to a program whose own are a socket",
	"it was started by a program that relays a connection",
	"it stands in a pipe beside a program that relays a connection",
	"it opened a connection itself, and its commands read from it and write to it",
};
enum way { ON_SOCKET, BELOW_SOCKET, BELOW_RELAY, BESIDE_RELAY, OWN_CONNECTION };

static void tell(struct pk_detect *d, const struct pk_see *s, const struct pk_process *shell,
		 const struct pk_process *holder, uint64_t cookie, enum way way)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_sock_entry *sock =
		w->socks && cookie ? pk_sock_table_find(w->socks, cookie) : NULL;
	bool bound = sock && (sock->owner.flags & PK_OWNER_ACCEPTED);
	struct pk_finding f = { .ts_ns = s->now_ns };

	if (way == BELOW_RELAY && !pk_program_is(holder, PK_PROG_RELAY)) {
		f.severity = PK_MEDIUM; /* notebooks and web terminals do it, too */
		f.confidence = 55;
	} else if (way == OWN_CONNECTION) {
		f.severity = PK_MEDIUM;
		f.confidence = 60;
	}
	pk_finding_proc(&f, &shell->id);
	pk_finding_proc(&f, &holder->id);
	pk_finding_proc(&f, &shell->parent);
	(void)pk_finding_socket(&f, w, cookie); /* the alert stands without it */
	pk_finding_plain(
		&f, bound ? "Somebody who connected to this computer can type commands on it."
			  : "This computer called another one and lets it type commands here.");
	pk_finding_detail(&f, "%s (pid %u) is a %s shell: %s. Command: %s. Held by %s (pid %u): %s",
			  pk_process_name(shell), shell->id.tgid, bound ? "bind" : "reverse",
			  ways[way], pk_process_cmd_line(shell), pk_process_name(holder),
			  holder->id.tgid, pk_process_cmd_line(holder));
	pk_finding_field(&f, "way", "%s", ways[way]);
	pk_finding_field(&f, "shell", "%s", pk_process_cmd_line(shell));
	pk_finding_field(&f, "holder", "%s", pk_process_cmd_line(holder));
	pk_finding_fold(&f, &holder->id.start_ns, sizeof(holder->id.start_ns));
	pk_finding_fold(&f, &holder->id.tgid, sizeof(holder->id.tgid));
	pk_detect_found(d, &pk_detect_reverse_shell, &f);
}

static struct note *note_of(struct state *st, const struct pk_process *p)
{
	struct pk_program_key key = pk_program_key(p);

	return pk_recent_find(st->notes, &key);
}

static struct note *note_put(struct state *st, const struct pk_process *p)
{
	struct pk_program_key key = pk_program_key(p);
	bool is_new;

	return pk_recent_take(st->notes, &key, &is_new);
}

static bool is_excused(const struct pk_world *w, const struct pk_process *p)
{
	return pk_program_is_known(p, PK_PROG_LOGIN) ||
	       pk_program_is_listed(p, &w->conf->reverse_shell_allow);
}

/* Who gave it its streams: the program it was before, or its parent. */
static bool is_started_by_excused(const struct pk_world *w, const struct pk_process *p)
{
	const struct pk_process *up = pk_process_parent(&w->enrich->processes, p);

	return (pk_image_is(p->image[1], PK_PROG_LOGIN) &&
		pk_program_path_is_system(p->image[1]->path)) ||
	       (up && is_excused(w, up));
}

static bool talks(const struct note *n)
{
	return (n->stdio & 1) && (n->stdio & 6);
}

/* A standard stream became a socket. */
static void see_act(struct pk_detect *d, struct state *st, const struct pk_see *s)
{
	const struct pk_act *a = s->ev->act;
	struct note *n;

	if (a->kind != PK_ACT_STDIO_SOCKET || (a->arg[2] != AF_INET && a->arg[2] != AF_INET6))
		return;
	n = note_put(st, s->proc);
	n->stdio |= 1u << (a->arg[0] & 3);
	n->cookie = a->arg[1];
	n->excused = is_excused(pk_detect_world(d), s->proc);
	/* Two of three are also what a script does that fetches a page by hand. */
	if (n->stdio == 7 && !n->excused && pk_program_is(s->proc, PK_PROG_SHELL | PK_PROG_SCRIPT))
		tell(d, s, s->proc, s->proc, n->cookie, ON_SOCKET);
}

/* Streams that a program was started with count for it as if it had put them there. */
static void learn_streams(struct pk_detect *d, struct state *st, const struct pk_process *p)
{
	const struct pk_image *i = p->image[0];
	struct note *n = note_of(st, p);
	uint8_t set = 0;

	for (unsigned fd = 0; fd < 3; fd++)
		set |= (i->stdio[fd] == PK_STDIO_INET) << fd;
	if (!set) {
		if (n)
			n->stdio = 0; /* it has others now */
		return;
	}
	if (!n) {
		n = note_put(st, p);
		n->excused = is_started_by_excused(pk_detect_world(d), p);
	}
	n->stdio = set;
	if (i->stdio_cookie)
		n->cookie = i->stdio_cookie;
}

/* The first process on this socket: what a shell starts has the same, and is the same alert. */
static const struct pk_process *first_on(struct pk_detect *d, struct state *st,
					 const struct pk_process *p, uint64_t cookie)
{
	const struct pk_processes *all = &pk_detect_world(d)->enrich->processes;
	const struct pk_process *up = p;

	for (unsigned i = 0; i < PK_ANCESTORS_MAX && (up = pk_process_parent(all, up)); i++) {
		const struct note *n = note_of(st, up);

		if (n && talks(n) && n->cookie == cookie)
			p = up;
	}
	return p;
}

/* Its own streams, or those of the nearest one above that has any. */
static bool check_socket(struct pk_detect *d, struct state *st, const struct pk_see *s)
{
	const struct pk_processes *all = &pk_detect_world(d)->enrich->processes;
	const struct pk_process *p = s->proc;
	bool on_terminal =
		p->image[0]->stdio[0] == PK_STDIO_TTY || p->image[0]->stdio[0] == PK_STDIO_PIPE;

	for (unsigned i = 0; p && i <= LEVELS; i++, p = pk_process_parent(all, p)) {
		const struct note *n = note_of(st, p);

		if (!n || !talks(n))
			continue;
		if (n->excused)
			return true;
		if (i == 0 || p->image[0] == s->proc->image[0]) {
			tell(d, s, s->proc, first_on(d, st, p, n->cookie), n->cookie, ON_SOCKET);
			return true;
		}
		if (on_terminal && pk_program_reads_stdin(s->proc)) {
			tell(d, s, s->proc, p, n->cookie, BELOW_SOCKET);
			return true;
		}
	}
	return false;
}

/* The nearest one above that is no shell. */
static const struct pk_process *above_shells(const struct pk_world *w, const struct pk_process *p)
{
	p = pk_process_parent(&w->enrich->processes, p);
	for (unsigned i = 0; p && i < LEVELS && pk_program_is(p, PK_PROG_SHELL); i++)
		p = pk_process_parent(&w->enrich->processes, p);
	return p;
}

static bool is_connected(const struct pk_process *p)
{
	return p->socks & (1u << PK_SOCK_ESTABLISHED | 1u << PK_SOCK_ACCEPT);
}

static bool check_parent(struct pk_detect *d, struct state *st, const struct pk_see *s)
{
	const struct pk_process *up = above_shells(pk_detect_world(d), s->proc);
	struct note *n;

	if (!up || !pk_program_reads_stdin(s->proc) || is_excused(pk_detect_world(d), up))
		return false;
	if (s->proc->image[0]->stdio[0] == PK_STDIO_FILE ||
	    s->proc->image[0]->stdio[0] == PK_STDIO_DEVICE)
		return false;
	if (pk_program_is(up, PK_PROG_RELAY)) {
		tell(d, s, s->proc, up, 0, BELOW_RELAY);
		return true;
	}
	if (!pk_program_is(up, PK_PROG_SCRIPT))
		return false;
	if (is_connected(up)) {
		tell(d, s, s->proc, up, 0, BELOW_RELAY);
		return true;
	}
	n = note_put(st, up); /* its connection may be told only after its child's start */
	n->wait = true;
	n->shell_ns = s->now_ns;
	n->shell = s->proc->id;
	return false;
}

/* Both halves of a pipe are children of one shell and start at about the same time, in any order.
 */
static void check_pair(struct pk_detect *d, struct state *st, const struct pk_see *s, bool is_shell)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_process *up = pk_process_parent(&w->enrich->processes, s->proc), *shell;
	const struct pk_process *relay;
	struct note *n;

	if (!up)
		return;
	n = note_put(st, pk_program_root(w->enrich, up));
	if (is_shell) {
		n->shell_ns = s->now_ns;
		n->shell = s->proc->id;
	} else {
		n->relay_ns = s->now_ns;
		n->relay = s->proc->id;
	}
	if (!n->shell_ns || !n->relay_ns || n->wait ||
	    n->shell_ns + w->conf->reverse_shell_window_ns < s->now_ns ||
	    n->relay_ns + w->conf->reverse_shell_window_ns < s->now_ns)
		return;
	shell = pk_process_get(&w->enrich->processes, n->shell.tgid, n->shell.start_ns);
	relay = pk_process_get(&w->enrich->processes, n->relay.tgid, n->relay.start_ns);
	if (shell && relay)
		tell(d, s, shell, relay, 0, BESIDE_RELAY);
}

/* A command of a shell that opened a connection: which way does it use it? */
static void check_children(struct pk_detect *d, struct state *st, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_image *i = s->proc->image[0];
	const struct pk_process *up = pk_process_parent(&w->enrich->processes, s->proc);
	struct note *n;

	if (!up || !pk_program_is(up, PK_PROG_SHELL))
		return;
	up = pk_program_root(w->enrich, up);
	n = note_put(st, up);
	if (n->excused || talks(n))
		return;
	n->child |= i->stdio[0] == PK_STDIO_INET ? READS : 0;
	n->child |= i->stdio[1] == PK_STDIO_INET || i->stdio[2] == PK_STDIO_INET ? WRITES : 0;
	if (n->child == (READS | WRITES))
		tell(d, s, up, up, i->stdio_cookie, OWN_CONNECTION);
}

static void see_exec(struct pk_detect *d, struct state *st, const struct pk_see *s)
{
	const struct pk_image *i = s->proc->image[0];
	bool is_shell = pk_program_is(s->proc, PK_PROG_SHELL);

	if (!i || (s->ev->hdr->flags & PK_EVF_SNAPSHOT))
		return;
	learn_streams(d, st, s->proc);
	if ((i->stdio[0] == PK_STDIO_INET) != (i->stdio[1] == PK_STDIO_INET))
		check_children(d, st, s);
	if (pk_program_is(s->proc, PK_PROG_RELAY))
		check_pair(d, st, s, false);
	if (!is_shell && !pk_program_is(s->proc, PK_PROG_SCRIPT))
		return;
	if (check_socket(d, st, s) || !is_shell || check_parent(d, st, s))
		return;
	if (i->stdio[0] == PK_STDIO_PIPE && i->stdio[1] == PK_STDIO_PIPE &&
	    pk_program_reads_stdin(s->proc))
		check_pair(d, st, s, true);
}

/* A script that has just started a shell turns out to have a connection. */
static void see_sock(struct pk_detect *d, struct state *st, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_proc_id *id = &s->ev->sock->owner.user;
	const struct pk_process *holder, *shell;
	struct note *n;

	if (s->ev->sock->op != PK_SOCK_ESTABLISHED && s->ev->sock->op != PK_SOCK_ACCEPT &&
	    s->ev->sock->op != PK_SOCK_USER)
		return;
	holder = pk_process_get(&w->enrich->processes, id->tgid, id->start_ns);
	n = holder ? note_of(st, holder) : NULL;
	if (!n || !n->wait)
		return;
	n->wait = false;
	shell = pk_process_get(&w->enrich->processes, n->shell.tgid, n->shell.start_ns);
	if (shell && n->shell_ns + w->conf->reverse_shell_window_ns >= s->now_ns)
		tell(d, s, shell, holder, s->ev->sock->owner.cookie, BELOW_RELAY);
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
	if (!pk_detect_world(d)->enrich)
		return;
	if (s->kind == PK_SEE_SOCK)
		see_sock(d, state, s);
	else if (s->proc && s->kind == PK_SEE_ACT)
		see_act(d, state, s);
	else if (s->proc && s->kind == PK_SEE_EXIT)
		see_exit(state, s->proc);
	else if (s->proc)
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

const struct pk_detector pk_detect_reverse_shell = {
	.name = "reverse_shell",
	.title = "Shell on a connection",
	.technique = { "T1059.004", "T1095" },
	.severity = PK_HIGH,
	.confidence = 85,
	.doubt = "Remote administration that is not sshd: web terminals, notebooks, own services "
		 "that "
		 "start a shell for each connection.",
	.next = "Cut the connection, keep the processes (stop them, do not kill), and find what "
		"started them.",
	.wants = 1u << PK_SEE_EXEC | 1u << PK_SEE_EXIT | 1u << PK_SEE_ACT | 1u << PK_SEE_SOCK,
	.bytes_max = bytes_max,
	.init = init,
	.done = done,
	.see = see,
	.memory = memory,
};
