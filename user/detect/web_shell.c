/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server starts a shell: a program that is known to serve, or that listens or accepted a
 * connection. How bad it is depends on what the shell is told to do. It keeps nothing: which
 * process accepts is the process table's.
 */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/registry.h"
#include "enrich/enrich.h"

#include <string.h>

#define LEVELS 3 /* shells between the command and the server */

/* What people type who look around on a host that is not theirs. */
static const char *const look_around[] = {
	"id",      "whoami",      "uname",   "hostname",    "ifconfig", "netstat",  "ss",
	"w",       "last",        "ps",      "wget",        "curl",     "nc",       "ncat",
	"socat",   "/etc/passwd", "base64",  "/etc/shadow", "nmap",     "telnet",   "/dev/shm",
	"crontab", "python",      "python3", "perl",        "sudo",     "/dev/tcp", NULL,
};

/* Web servers proper: a shell below them is rare. Others are often told to run commands. */
static const char *const web[] = { "nginx",   "apache2",  "httpd", "php-fpm",
				   "php-cgi", "lighttpd", "caddy", NULL };

static bool is_web(const struct pk_process *p)
{
	for (size_t i = 0; web[i]; i++)
		if (strncmp(pk_process_name(p), web[i], strlen(web[i])) == 0)
			return true;
	return false;
}

static bool is_server(const struct pk_world *w, const struct pk_process *p)
{
	const unsigned not_these =
		PK_PROG_LOGIN | PK_PROG_PACKAGE | PK_PROG_SHELL | PK_PROG_DEBUG | PK_PROG_RELAY;
	const struct pk_process *root = pk_program_root(w->enrich, p);
	uint32_t socks = p->socks | root->socks;

	if (pk_program_is(p, PK_PROG_SERVER))
		return true;
	return (socks & (1u << PK_SOCK_LISTEN | 1u << PK_SOCK_ACCEPT)) &&
	       !pk_program_is(p, not_these) && p->id.tgid != 1;
}

static const struct pk_process *server_above(const struct pk_world *w, const struct pk_process *p)
{
	p = pk_process_parent(&w->enrich->processes, p);
	for (unsigned i = 0; p && i < LEVELS && pk_program_is(p, PK_PROG_SHELL); i++)
		p = pk_process_parent(&w->enrich->processes, p);
	return p && is_server(w, p) ? p : NULL;
}

static bool is_bad(const struct pk_process *p)
{
	const char *line = pk_process_cmd_line(p);

	return pk_program_reads_stdin(p) || pk_program_line_has(line, look_around) ||
	       strstr(line, "/dev/tcp/");
}

static enum pk_severity severity_of(const struct pk_process *server, const struct pk_process *shell)
{
	if (is_web(server))
		return is_bad(shell) ? PK_HIGH : PK_MEDIUM;
	return is_bad(shell) ? PK_MEDIUM : PK_LOW;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_process *server, *p = s->proc;
	struct pk_finding f = { .ts_ns = s->now_ns };

	(void)state; /* none */
	if (!p || !w->enrich || (s->ev->hdr->flags & PK_EVF_SNAPSHOT) ||
	    !pk_program_is(p, PK_PROG_SHELL))
		return;
	server = server_above(w, p);
	if (!server || pk_program_is_listed(server, &w->conf->web_shell_allow))
		return;
	f.severity = severity_of(server, p);
	pk_finding_proc(&f, &p->id);
	pk_finding_proc(&f, &server->id);
	pk_finding_plain(&f,
			 "A program that answers requests from the network (%.64s) ran a "
			 "command on this computer.",
			 pk_process_name(server));
	pk_finding_detail(&f, "%s (pid %u), which serves, started %s (pid %u): %s",
			  pk_process_name(server), server->id.tgid, pk_process_name(p), p->id.tgid,
			  pk_process_cmd_line(p));
	pk_finding_field(&f, "server", "%s", pk_process_path(server));
	pk_finding_field(&f, "command", "%s", pk_process_cmd_line(p));
	pk_finding_fold(&f, pk_process_path(server), strlen(pk_process_path(server)));
	pk_finding_fold(&f, &f.severity, sizeof(f.severity));
	pk_detect_found(d, &pk_detect_web_shell, &f);
}

const struct pk_detector pk_detect_web_shell = {
	.name = "web_shell",
	.title = "Server started a shell",
	.technique = { "T1505.003", "T1190" },
	.severity = PK_MEDIUM,
	.confidence = 60,
	.doubt = "Applications that run other programs for a request (image conversion, mail, "
		 "builds).",
	.next = "Look at the requests of that moment in the server's log, and at files that "
		"changed "
		"below its root.",
	.wants = 1u << PK_SEE_EXEC,
	.see = see,
};
