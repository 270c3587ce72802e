/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts one program many times: burst COUNT PARALLEL LOG PROGRAM [ARG...]
 * In each ARG, {} becomes the number of the run, from 0. The log has one line a process: "PID
 * NUMBER STATUS MICROSECONDS"; it is the ground truth of which processes there were. Ends 0 if all
 * did.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGS_MAX     32
#define PARALLEL_MAX 64

extern char **environ;

struct run {
	pid_t pid;
	long number;
	double start;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static pid_t start(char **argv, int argc, long number)
{
	static char text[ARGS_MAX][512];
	char *args[ARGS_MAX + 1] = {}, *hole;
	pid_t pid;
	int i, r;

	for (i = 0; i < argc; i++) {
		hole = strstr(argv[i], "{}");
		if (hole)
			snprintf(text[i], sizeof(text[i]), "%.*s%ld%s", (int)(hole - argv[i]),
				 argv[i], number, hole + 2);
		args[i] = hole ? text[i] : argv[i];
	}
	r = posix_spawnp(&pid, args[0], NULL, NULL, args, environ);
	if (r) {
		fprintf(stderr, "%s: %s\n", args[0], strerror(r));
		exit(1);
	}
	return pid;
}

/* Waits for one child and notes it; 1 if it failed. */
static int reap(struct run *runs, long parallel, FILE *log)
{
	int status, code;
	pid_t pid = waitpid(-1, &status, 0);
	long i;

	if (pid < 0) {
		perror("waitpid");
		exit(1);
	}
	for (i = 0; i < parallel && runs[i].pid != pid; i++)
		;
	if (i == parallel)
		return 0;
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fprintf(log, "%d %ld %d %.0f\n", pid, runs[i].number, code, now() - runs[i].start);
	runs[i].pid = 0;
	return code != 0;
}

int main(int argc, char **argv)
{
	struct run runs[PARALLEL_MAX] = {};
	long count, parallel, next = 0, running = 0, failed = 0, i;
	FILE *log;

	if (argc < 5 || argc - 4 > ARGS_MAX || !(log = fopen(argv[3], "we"))) {
		fprintf(stderr, "usage: burst COUNT PARALLEL LOG PROGRAM [ARG...]\n");
		return 2;
	}
	count = atol(argv[1]);
	parallel = atol(argv[2]);
	if (parallel < 1 || parallel > PARALLEL_MAX)
		parallel = 1;
	while (next < count || running) {
		if (next < count && running < parallel) {
			for (i = 0; runs[i].pid; i++)
				;
			runs[i].number = next++;
			runs[i].start = now();
			runs[i].pid = start(argv + 4, argc - 4, runs[i].number);
			running++;
		} else {
			failed += reap(runs, parallel, log);
			running--;
		}
	}
	fclose(log);
	return failed ? 1 : 0;
}
