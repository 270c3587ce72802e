/* SPDX-License-Identifier: Apache-2.0 */
/* Streams as server-sent events and NDJSON, and how readers go on in them, over HTTP. */
#include "served.h"

#include "api/resume.h"
#include "api/stream.h"
#include "attack.h"

#define ALERTS 3000

static void feed_much(struct pk_pipeline *p)
{
	char file[32];

	for (uint32_t i = 1; i <= ALERTS; i++) {
		snprintf(file, sizeof(file), "memfd:%u", i);
		feed_exec_of(p, 4000000 + i, PK_EXEC_MEMFD, file);
	}
	pk_pipeline_tick(p, pk_clock_boot_ns());
}

static void numbers_of_records(void **state)
{
	static const struct {
		const char *json;
		uint64_t want;
	} rows[] = { { "{\"metadata\":{\"log_name\":\"alert\",\"sequence\":311},\"a\":1}", 311 },
		     { "{\"metadata\":{\"log_name\":\"alert\"},\"a\":1}", 0 },
		     { "{\"a\":\",\\\"sequence\\\":5\"}", 0 }, /* within a text */
		     { "{\"metadata\":{\"a\":1,\"sequence\":", 0 },
		     { "", 0 } };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++)
		assert_int_equal(pk_resume_sequence(rows[i].json, strlen(rows[i].json)),
				 rows[i].want);
}

struct reader {
	FILE *f;
	int status;
	char type[64];
};

static struct reader come(const char *path, const char *heads)
{
	struct reader r = { .f = fdopen(dial(), "r+") };
	char line[256];

	assert_non_null(r.f);
	fprintf(r.f, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, heads);
	fflush(r.f);
	assert_non_null(fgets(line, sizeof(line), r.f));
	assert_int_equal(sscanf(line, "HTTP/1.1 %d", &r.status), 1);
	while (fgets(line, sizeof(line), r.f) && strcmp(line, "\r\n") != 0)
		(void)sscanf(line, "Content-Type: %63s", r.type);
	return r;
}

/* The next line of the body without its end: chunks end where records do. */
static char *next(struct reader *r)
{
	static char line[1 << 20];

	for (;;) {
		size_t n;

		assert_non_null(fgets(line, sizeof(line), r->f));
		n = strcspn(line, "\r\n");
		/* a chunk's size, and the end of one */
		if (line[n] == '\r')
			continue;
		line[n] = '\0';
		return line;
	}
}

/* One event: its id (0 none), and what it says. */
static json_t *event(struct reader *r, unsigned long long *ret_id, char name[32])
{
	json_t *j = NULL;
	char *line;

	*ret_id = 0;
	name[0] = '\0';
	while (*(line = next(r))) {
		(void)sscanf(line, "id: %llu", ret_id);
		(void)sscanf(line, "event: %31s", name);
		if (strncmp(line, "data: ", 6) == 0)
			j = json_loads(line + 6, 0, NULL);
	}
	assert_non_null(j);
	return j;
}

static void leave(struct reader *r)
{
	fclose(r->f);
}

/* Reads n alerts on from `from`: each number once, none left out. */
static void read_alerts(const char *path, const char *heads, unsigned from, unsigned n)
{
	struct reader r = come(path, heads);
	unsigned long long id;
	char name[32];

	assert_int_equal(r.status, 200);
	assert_string_equal(r.type, "text/event-stream");
	for (unsigned i = 1; i <= n; i++) {
		json_t *j = event(&r, &id, name);

		if (id != from + i || num(j, "metadata.sequence") != from + i)
			fail_msg("%s: %llu instead of %u", name, id, from + i);
		json_decref(j);
	}
	leave(&r);
}

static void alerts_go_on(void **state)
{
	struct reader r;

	(void)state;
	/* much more than a reader may be behind, and nothing is lost */
	read_alerts("/v1/alerts/stream?after=0", "Accept: text/event-stream\r\n", 0, ALERTS);
	read_alerts("/v1/alerts/stream?after=100", "Accept: text/event-stream\r\n", 100, 50);
	/* who comes back says where it left off, and the address it began with */
	read_alerts("/v1/alerts/stream?after=100",
		    "Accept: text/event-stream\r\nLast-Event-ID: 2000\r\n", 2000, ALERTS - 2000);
	r = come("/v1/alerts/stream?after=2990", "");
	assert_string_equal(r.type, "application/x-ndjson");
	for (int i = 2991; i <= ALERTS; i++) {
		json_t *j = json_loads(next(&r), 0, NULL);

		assert_int_equal(num(j, "metadata.sequence"), i);
		json_decref(j);
	}
	leave(&r);
}

/* A reader that takes its time is waited for, where it reads what was. */
static void slowly(void **state)
{
	struct reader r = come("/v1/alerts/stream?after=0", "Accept: text/event-stream\r\n");
	unsigned long long id;
	char name[32];

	(void)state;
	for (unsigned i = 1; i <= ALERTS; i++) {
		if (i % 1000 == 1)
			usleep(300000);
		json_decref(event(&r, &id, name));
		assert_int_equal(id, i);
	}
	leave(&r);
}

static void incidents_and_flows_go_on(void **state)
{
	unsigned long long id, before = 0, second = 0;
	struct reader r = come("/v1/incidents/stream?after=0", "Accept: text/event-stream\r\n");
	char name[32], heads[96];
	json_t *j = event(&r, &id, name);

	(void)state;
	assert_true(id > 0);
	assert_int_equal(num(j, "class_uid"), 2005);
	json_decref(j);
	leave(&r);
	r = come("/v1/flows/stream?after=0", "Accept: text/event-stream\r\n");
	for (int i = 0; i < 4; i++) {
		j = event(&r, &id, name);
		assert_int_equal(num(j, "class_uid"), 4001);
		assert_true(id > before);
		assert_int_equal(num(j, "metadata.sequence"), id);
		before = id;
		second = i == 1 ? id : second;
		json_decref(j);
	}
	leave(&r);
	snprintf(heads, sizeof(heads), "Accept: text/event-stream\r\nLast-Event-ID: %llu\r\n",
		 second);
	r = come("/v1/flows/stream", heads);
	j = event(&r, &id, name);
	assert_int_equal(id, second + 1);
	assert_string_equal(name, "");
	json_decref(j);
	leave(&r);
	/* with a filter, only what it takes */
	r = come("/v1/flows/stream?after=0&filter=port+53", "Accept: text/event-stream\r\n");
	j = event(&r, &id, name);
	assert_int_equal(num(j, "dst_endpoint.port"), 53);
	json_decref(j);
	leave(&r);
}

/* Told by another agent: what it said after that is not known, and that is said. */
static void another_agent(void **state)
{
	static const char *const paths[] = { "/v1/alerts/stream", "/v1/flows/stream",
					     "/v1/incidents/stream" };
	unsigned long long id;
	char name[32];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(paths); i++) {
		struct reader r = come(paths[i], "Accept: text/event-stream\r\n"
						 "Last-Event-ID: 0123456789abcdef-7\r\n");
		json_t *j = event(&r, &id, name);

		assert_string_equal(name, "lost");
		assert_int_equal(num(j, "lost"), 0);
		assert_true(json_is_true(at(j, "restarted")));
		json_decref(j);
		j = event(&r, &id, name);
		assert_int_equal(id, 1); /* from its first on */
		json_decref(j);
		leave(&r);
	}
}

static void wrong_ids(void **state)
{
	static const char *const wrong[] = { "x", "-1", "1.5", "1e9", "99999999999999999999" };
	char path[96], heads[96];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(wrong); i++) {
		struct reader r;

		snprintf(path, sizeof(path), "/v1/alerts/stream?after=%s", wrong[i]);
		r = come(path, "");
		assert_int_equal(r.status, 400);
		leave(&r);
		snprintf(heads, sizeof(heads), "Last-Event-ID: %s\r\n", wrong[i]);
		r = come("/v1/flows/stream", heads);
		assert_int_equal(r.status, 400);
		leave(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_records),
		cmocka_unit_test(alerts_go_on),
		cmocka_unit_test(slowly),
		cmocka_unit_test(incidents_and_flows_go_on),
		cmocka_unit_test(another_agent),
		cmocka_unit_test(wrong_ids),
	};

	feed_more = feed_much;
	return cmocka_run_group_tests_name("api/resume", tests, setup, teardown);
}
