/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeping costs: the pipeline's part (a put into the queue), and how much a second gets to the
 * disk, synced: alerts with their records of the chain, and flows. Then the same alerts verified,
 * and one at a time, as a person waits for it. Prints "name value unit" lines; exits 1 when
 * something was lost.
 */
#include "store/store.h"
#include "store/verify.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ALERTS     50000u
#define FLOWS      500000u
#define ONE_BY_ONE 200u
#define JSON_BYTES 2048u

static double clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static struct pk_store_row alert(unsigned n, char uid[32], char json[JSON_BYTES + 64])
{
	int len = sprintf(json, "{\"n\":%u,\"x\":\"", n);

	memset(json + len, 'x', JSON_BYTES - (size_t)len);
	strcpy(json + JSON_BYTES, "\"}");
	sprintf(uid, "bench-a-%u", n);
	return (struct pk_store_row){ .kind = PK_STORE_ALERT,
				      .time_ns = n,
				      .uid = uid,
				      .technique = "T1046",
				      .severity = 4,
				      .json = json,
				      .len = JSON_BYTES + 2 };
}

static void wait_done(const struct pk_store *s, uint64_t ticket)
{
	struct pollfd p = { .fd = pk_store_fd(s), .events = POLLIN };
	uint64_t n;

	while (pk_store_done(s) < ticket)
		if (poll(&p, 1, -1) == 1)
			(void)!read(p.fd, &n, sizeof(n)); /* only a wake */
}

/* Puts all of them; what finds no room is put again, which the pipeline would not do. */
static void put_alerts(struct pk_store *s, double *ret_put_ns)
{
	char uid[32], json[JSON_BYTES + 64];
	uint64_t ticket = 0;
	double spent = 0;

	for (unsigned n = 0; n < ALERTS; n++) {
		struct pk_store_row row = alert(n, uid, json);
		double t = clock_ns(CLOCK_THREAD_CPUTIME_ID);

		while (pk_store_put(s, &row, &ticket) < 0) {
			usleep(1000);
			t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		}
		spent += clock_ns(CLOCK_THREAD_CPUTIME_ID) - t;
	}
	wait_done(s, ticket);
	*ret_put_ns = spent / ALERTS;
}

static void put_flows(struct pk_store *s, double *ret_put_ns)
{
	struct pk_store_flow f = { .proto = 6,
				   .port = { 40000, 443 },
				   .bytes = { 1, 2 },
				   .exe = "/usr/bin/curl",
				   .name = "www.example.org" };
	uint64_t before = pk_store_done(s);
	double spent = 0;

	for (unsigned n = 0; n < FLOWS; n++) {
		double t = clock_ns(CLOCK_THREAD_CPUTIME_ID);

		f.end_ns = n;
		while (pk_store_put_flow(s, &f) < 0) {
			usleep(1000);
			t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		}
		spent += clock_ns(CLOCK_THREAD_CPUTIME_ID) - t;
	}
	wait_done(s, before + FLOWS);
	*ret_put_ns = spent / FLOWS;
}

static double wait_each(struct pk_store *s)
{
	char uid[32], json[JSON_BYTES + 64];
	double t = clock_ns(CLOCK_MONOTONIC);

	for (unsigned n = 0; n < ONE_BY_ONE; n++) {
		struct pk_store_row row = alert(ALERTS + n, uid, json);
		uint64_t ticket = 0;

		(void)pk_store_put(s, &row, &ticket);
		wait_done(s, ticket);
	}
	return (clock_ns(CLOCK_MONOTONIC) - t) / ONE_BY_ONE;
}

static double verify(const char *dir)
{
	static struct pk_verify v;
	char db[96], checkpoints[96], key[96];
	double t = clock_ns(CLOCK_MONOTONIC);

	snprintf(db, sizeof(db), "%s/" PK_STORE_FILE, dir);
	snprintf(checkpoints, sizeof(checkpoints), "%s/" PK_STORE_CHECKPOINTS, dir);
	snprintf(key, sizeof(key), "%s/" PK_STORE_PUB, dir);
	if (pk_verify_run(db, checkpoints, key, &v) < 0 || v.code != PK_VERIFY_OK) {
		fprintf(stderr, "store: %s\n", v.error[0] ? v.error : v.fault[0].text);
		exit(1);
	}
	return v.records / ((clock_ns(CLOCK_MONOTONIC) - t) / 1e9);
}

int main(void)
{
	char dir[] = "/var/tmp/picket-bench-XXXXXX", command[64];
	struct pk_store_opts o = { .checkpoints_fd = -1,
				   .queue_bytes = 4 << 20,
				   .checkpoint_ns = 60000000000ull };
	struct pk_store_counts c;
	struct pk_store *s;
	double t, put;

	if (!mkdtemp(dir) || (o.dir_fd = open(dir, O_RDONLY | O_DIRECTORY)) < 0 ||
	    pk_store_new(&o, &s) < 0)
		return 1;
	t = clock_ns(CLOCK_MONOTONIC);
	put_alerts(s, &put);
	printf("store_put_alert %.0f ns\n", put);
	printf("store_alerts %.0f 1/s\n", ALERTS / ((clock_ns(CLOCK_MONOTONIC) - t) / 1e9));
	t = clock_ns(CLOCK_MONOTONIC);
	put_flows(s, &put);
	printf("store_put_flow %.0f ns\n", put);
	printf("store_flows %.0f 1/s\n", FLOWS / ((clock_ns(CLOCK_MONOTONIC) - t) / 1e9));
	printf("store_acknowledge %.1f ms\n", wait_each(s) / 1e6);
	pk_store_counts(s, &c);
	printf("store_bytes_per_flow_and_alert %.0f bytes\n", (double)c.bytes / (ALERTS + FLOWS));
	pk_store_free(s);
	printf("store_verify %.0f records/s\n", verify(dir));
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return c.rows < ALERTS || c.flows < FLOWS || system(command) != 0;
}
