/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long from an event in the kernel to its alert at a reader of the API, while other events keep
 * the agent busy; and from the request for a block until the kernel refuses. For a running agent.
 * Usage: alert SOCKET SECONDS EVENTS_A_SECOND
 */
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MARKERS_MAX 10000
#define GAP_NS      20000000ll /* between markers */
#define BLOCKS      200
#define LATE_MAX    3  /* blocks that are not enforced: no more are tried */
#define LOOK_US     50 /* between two looks whether a block is in force */
#define BATCH       50 /* events without looking at the clock */
#define PROGRAM     "/dev/shm/pk-bench-alert"

static struct {
	const char *socket;
	char mark[48]; /* of a program's name, before its number: another run has others */
	long rate;
	atomic_bool end;
	atomic_long events;
	double latency_ms[MARKERS_MAX];
	bool got[MARKERS_MAX];
	long received;
	char *line; /* of the stream, so far */
	size_t len;
} bench;

static long long now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* Makes memory files at the rate asked for: each is an act that the kernel reports. */
static void *load(void *arg)
{
	long long start = now_ns(CLOCK_MONOTONIC);

	(void)arg;
	for (long n = 0; bench.rate && !bench.end; n += BATCH) {
		long long due = start + n * 1000000000ll / bench.rate;

		for (int i = 0; i < BATCH; i++)
			close(memfd_create("bench", 0));
		bench.events += BATCH;
		while (now_ns(CLOCK_MONOTONIC) < due && !bench.end)
			usleep(100);
	}
	return NULL;
}

/* An alert of one of our programs: its event's time is in it, now is when it is here. */
static void take_line(const char *line, size_t len)
{
	double here = (double)now_ns(CLOCK_REALTIME) / 1e6;
	json_t *o = json_loadb(line, len, 0, NULL);
	const char *desc =
		json_string_value(json_object_get(json_object_get(o, "finding_info"), "desc"));
	const char *at = desc ? strstr(desc, bench.mark) : NULL;
	long i = at ? atol(at + strlen(bench.mark)) : MARKERS_MAX;

	if (i < MARKERS_MAX && !bench.got[i]) {
		bench.got[i] = true;
		bench.latency_ms[bench.received++] =
			here - (double)json_integer_value(json_object_get(o, "time"));
	}
	json_decref(o);
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	size_t all = size * n;
	char *more = realloc(bench.line, bench.len + all), *end;

	(void)arg;
	if (!more)
		return 0;
	bench.line = more;
	memcpy(bench.line + bench.len, data, all);
	bench.len += all;
	while ((end = memchr(bench.line, '\n', bench.len))) {
		size_t used = (size_t)(end - bench.line) + 1;

		take_line(bench.line, used - 1);
		memmove(bench.line, bench.line + used, bench.len - used);
		bench.len -= used;
	}
	return bench.end ? 0 : all;
}

static CURL *request(const char *path)
{
	CURL *c = curl_easy_init();

	curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, bench.socket);
	curl_easy_setopt(c, CURLOPT_URL, path);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	return c;
}

static int stop_when_over(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)arg, (void)a, (void)b, (void)c, (void)d;
	return bench.end;
}

static void *read_stream(void *arg)
{
	CURL *c = request("http://picket/v1/alerts/stream");

	(void)arg;
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, stop_when_over);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_perform(c); /* ends when we say so */
	curl_easy_cleanup(c);
	return NULL;
}

/* A program of its own name runs from shared memory. */
static bool marker(long i)
{
	char path[64], *argv[] = { path, NULL };
	pid_t pid;

	snprintf(path, sizeof(path), "/dev/shm/%s%ld", bench.mark, i);
	if (link(PROGRAM, path) < 0 || posix_spawn(&pid, path, NULL, NULL, argv, argv + 1) != 0)
		return false;
	(void)waitpid(pid, NULL, 0);
	return unlink(path) == 0;
}

static int by_size(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static void print(const char *what, double *ms, long n)
{
	qsort(ms, (size_t)n, sizeof(*ms), by_size);
	if (n)
		printf("%-30s %6ld: p50 %.1f, p99 %.1f, max %.1f ms\n", what, n, ms[n / 2],
		       ms[n * 99 / 100], ms[n - 1]);
	else
		printf("%-30s none\n", what);
}

static long run_markers(int seconds)
{
	long long end = now_ns(CLOCK_MONOTONIC) + seconds * 1000000000ll;
	struct timespec gap = { .tv_nsec = GAP_NS };
	long n = 0;

	while (n < MARKERS_MAX && now_ns(CLOCK_MONOTONIC) < end) {
		if (!marker(n++))
			return -1;
		nanosleep(&gap, NULL);
	}
	return n;
}

static size_t no_data(char *data, size_t size, size_t n, void *arg)
{
	(void)data, (void)arg;
	return size * n;
}

static void *ask(void *arg)
{
	(void)curl_easy_perform(arg); /* a block that was not made is refused nothing */
	return NULL;
}

/* From the request to the first call that is refused; the answer waits for the disk, the block does
 * not. -1: not within a second. */
static double block_ms(int i)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	char body[128];
	long long start;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	CURL *c = request("http://picket/v1/blocks");
	pthread_t asker;
	double ms = -1;

	snprintf(body, sizeof(body), "{\"targets\":[\"198.51.100.%d\"],\"ttl\":60}", i);
	inet_pton(AF_INET, "198.51.100.0", &to.sin_addr);
	to.sin_addr.s_addr |= htonl((uint32_t)i);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, no_data);
	start = now_ns(CLOCK_MONOTONIC);
	pthread_create(&asker, NULL, ask, c);
	while (ms < 0 && now_ns(CLOCK_MONOTONIC) < start + 1000000000ll) {
		if (sendto(fd, "", 0, 0, (void *)&to, sizeof(to)) < 0 && errno == EPERM)
			ms = (double)(now_ns(CLOCK_MONOTONIC) - start) / 1e6;
		usleep(LOOK_US);
	}
	pthread_join(asker, NULL);
	curl_easy_cleanup(c);
	close(fd);
	return ms;
}

static void run_blocks(void)
{
	double ms[BLOCKS];
	long n = 0, late = 0;

	for (int i = 0; i < BLOCKS && late < LATE_MAX; i++) {
		ms[n] = block_ms(i + 1);
		*(ms[n] < 0 ? &late : &n) += 1;
	}
	print("block asked for to enforced", ms, n);
	if (late)
		printf("%ld blocks were not enforced within a second\n", late);
}

int main(int argc, char **argv)
{
	pthread_t loader, reader;
	long long start;
	double rate;
	long sent;

	if (argc != 4) {
		fputs("Usage: alert SOCKET SECONDS EVENTS_A_SECOND\n", stderr);
		return 2;
	}
	bench.socket = argv[1];
	bench.rate = atol(argv[3]);
	snprintf(bench.mark, sizeof(bench.mark), "pk-bench-alert-%ld-", bench.rate);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	pthread_create(&reader, NULL, read_stream, NULL);
	sleep(1);
	start = now_ns(CLOCK_MONOTONIC);
	pthread_create(&loader, NULL, load, NULL);
	sent = run_markers(atoi(argv[2]));
	rate = (double)bench.events * 1e9 / (double)(now_ns(CLOCK_MONOTONIC) - start);
	run_blocks();
	bench.end = true;
	pthread_join(loader, NULL);
	pthread_join(reader, NULL);
	printf("%ld events/s beside; %ld programs started, %ld alerts here\n", (long)rate, sent,
	       bench.received);
	print("event to alert at a reader", bench.latency_ms, bench.received);
	free(bench.line);
	return sent < 0 || bench.received < sent;
}
