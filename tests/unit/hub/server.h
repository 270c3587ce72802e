/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PostgreSQL server of the test's own: in a new directory, on a unix socket there, as a user who
 * is not root (it refuses root). It ends with the test.
 */
#pragma once

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct server {
	char dir[64], where[256];
	pid_t pid;
};

static inline const char *server_bin(void)
{
	static char bin[256];
	glob_t g;

	if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &g) == 0)
		snprintf(bin, sizeof(bin), "%.*s",
			 (int)(strrchr(g.gl_pathv[g.gl_pathc - 1], '/') -
			       g.gl_pathv[g.gl_pathc - 1]),
			 g.gl_pathv[g.gl_pathc - 1]);
	globfree(&g);
	return *bin ? bin : NULL;
}

/* Not root: postgres's own user, or nobody. */
static inline void server_become(void)
{
	const struct passwd *pw = getpwnam("postgres");

	if (!pw)
		pw = getpwnam("nobody");
	if (getuid() == 0 &&
	    (!pw || setgroups(0, NULL) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0))
		_exit(126);
}

static inline pid_t server_spawn(const struct server *s, char *const *argv)
{
	pid_t pid = fork();
	char log[128];
	int fd;

	if (pid)
		return pid;
	server_become();
	(void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
	snprintf(log, sizeof(log), "%s/log", s->dir);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (fd < 0 || chdir(s->dir) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execv(argv[0], argv);
	_exit(127);
}

static inline int server_wait(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* One that was killed leaves its file. */
static inline bool server_listens(const struct server *s)
{
	char file[128], line[512];
	bool ready = false, ours = false;
	FILE *f;

	snprintf(file, sizeof(file), "%s/data/postmaster.pid", s->dir);
	f = fopen(file, "re");
	for (int i = 0; f && fgets(line, sizeof(line), f); i++) {
		ours |= i == 0 && atoi(line) == s->pid;
		ready |= strncmp(line, "ready", 5) == 0;
	}
	if (f)
		fclose(f);
	return ready && ours;
}

/* Again while processes of one that was killed have its memory. */
static inline bool server_up(struct server *s)
{
	char postgres[300], data[96];
	char *argv[] = { postgres, "-D",        data, "-k", s->dir, "-c", "listen_addresses=",
			 "-c",     "fsync=off", /* it is killed, not the machine */
			 NULL };

	snprintf(postgres, sizeof(postgres), "%s/postgres", server_bin());
	snprintf(data, sizeof(data), "%s/data", s->dir);
	s->pid = 0;
	for (int i = 0; i < 600; i++) {
		if (s->pid && waitpid(s->pid, NULL, WNOHANG) != 0)
			s->pid = 0;
		if (!s->pid)
			s->pid = server_spawn(s, argv);
		usleep(100000);
		if (server_listens(s))
			return true;
	}
	return false;
}

static inline void server_kill(struct server *s, int sig)
{
	if (s->pid <= 0)
		return;
	kill(s->pid, sig);
	(void)server_wait(s->pid);
	s->pid = 0;
}

static inline bool server_start(struct server *s)
{
	char initdb[300], data[96];
	char *argv[] = { initdb,      "-D",     data, "-A",   "trust",
			 "-U",        "picket", "-E", "UTF8", "--locale=C.UTF-8",
			 "--no-sync", NULL };

	*s = (struct server){ .dir = "/tmp/picket-pg-XXXXXX" };
	if (!mkdtemp(s->dir))
		return false;
	if (getuid() == 0 && chmod(s->dir, 0777) < 0)
		return false;
	snprintf(initdb, sizeof(initdb), "%s/initdb", server_bin());
	snprintf(data, sizeof(data), "%s/data", s->dir);
	if (server_wait(server_spawn(s, argv)) != 0 || !server_up(s))
		return false;
	snprintf(s->where, sizeof(s->where), "host=%s user=picket dbname=postgres", s->dir);
	return true;
}

static inline void server_stop(struct server *s)
{
	pid_t pid;

	server_kill(s, SIGQUIT);
	pid = fork();
	if (!pid) {
		execlp("rm", "rm", "-rf", s->dir, NULL);
		_exit(127);
	}
	(void)server_wait(pid);
}
