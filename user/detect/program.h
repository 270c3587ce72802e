/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kind of program a process runs, by the name of its file. Names are guesses: what excuses
 * something is asked with pk_program_is_known(), which also looks at where the file lies.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pk_conf_list;
struct pk_enrich;
struct pk_image;
struct pk_process;

enum pk_program {
	PK_PROG_SHELL = 1 << 0,
	PK_PROG_SCRIPT = 1 << 1,  /* interpreters of other languages */
	PK_PROG_RELAY = 1 << 2,   /* joins a connection to a program or to standard streams */
	PK_PROG_FETCH = 1 << 3,   /* downloads files */
	PK_PROG_LOGIN = 1 << 4,   /* gives people shells on connections: that is its task */
	PK_PROG_SERVER = 1 << 5,  /* serves the web or a database */
	PK_PROG_PACKAGE = 1 << 6, /* installs or builds software */
	PK_PROG_DEBUG = 1 << 7,
	PK_PROG_BPF = 1 << 8,    /* loads BPF programs in its ordinary work */
	PK_PROG_SNIFF = 1 << 9,  /* opens raw or packet sockets in its ordinary work */
	PK_PROG_PROBE = 1 << 10, /* the same, for a person who looks at the network */
	PK_PROG_CLOUD = 1 << 11, /* agents of clouds */
	PK_PROG_MODULE = 1 << 12,
	PK_PROG_SETID = 1 << 13, /* set-id in common distributions */
};

/* Of tables about processes: a pid may come back, this does not. */
struct pk_program_key {
	uint64_t start_ns, tgid;
};
struct pk_program_key pk_program_key(const struct pk_process *p);

/* Set of enum pk_program by the last part of a path; versions behind the name do not count. */
unsigned pk_program_of(const char *name);
bool pk_program_is(const struct pk_process *p, unsigned kinds);
bool pk_image_is(const struct pk_image *i, unsigned kinds);
/* The same, and its file lies where only root puts programs. */
bool pk_program_is_known(const struct pk_process *p, unsigned kinds);
/* Below /usr, /bin, /opt and the like. */
bool pk_program_path_is_system(const char *path);
/* Is its path, or the last part of it, in the list? */
bool pk_program_is_listed(const struct pk_process *p, const struct pk_conf_list *list);

/* A shell or interpreter that was given neither a script nor a command: it reads standard input. */
bool pk_program_reads_stdin(const struct pk_process *p);

/* Next word of a command line, NULL at the end. Start with *at = the line; not NUL ended. */
const char *pk_program_word(const char **at, unsigned *ret_len);
/* Is one word of it (between blanks, quotes, brackets, and ; | & ` $ < > =) in the NULL-ended
 * table? */
bool pk_program_line_has(const char *line, const char *const *words);

/*
 * The oldest ancestor, p included, that still runs the same exec: a shell and its subshells, a
 * server and its workers are one. Never NULL.
 */
const struct pk_process *pk_program_root(const struct pk_enrich *e, const struct pk_process *p);
/* Does it run the file that this agent runs? */
bool pk_program_is_own(const struct pk_enrich *e, const struct pk_process *p);
/* Is p or one of its next levels ancestors of these kinds, in a known place? */
bool pk_program_is_below(const struct pk_enrich *e, const struct pk_process *p, unsigned levels,
			 unsigned kinds);
