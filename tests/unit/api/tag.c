/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of lists and conditions about them, over HTTP. */
#include "served.h"

#include "api/tag.h"

#include <pwd.h>

struct heard {
	int status;
	char tag[PK_TAG_MAX]; /* "" none */
	size_t len;           /* of the body */
	char body[4096];
};

/* Sends; the answer is read later by hear(). */
static int say(const char *method, const char *path, const char *condition, const char *tag,
	       const char *body)
{
	char heads[160] = "";
	int fd = dial();

	if (condition)
		snprintf(heads, sizeof(heads), "%s: %s\r\n", condition, tag);
	send_request(fd, method, path, heads, body, strlen(body));
	return fd;
}

static struct heard hear(int fd)
{
	static char buf[65536];
	struct heard h = { 0 };
	const char *at;
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(buf) - 1 && (got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	buf[n] = '\0';
	assert_int_equal(sscanf(buf, "HTTP/1.1 %d", &h.status), 1);
	at = strstr(buf, "\r\nETag: ");
	if (at)
		assert_int_equal(sscanf(at, "\r\nETag: %47s", h.tag), 1);
	at = strstr(buf, "\r\n\r\n");
	assert_non_null(at);
	h.len = n - (size_t)(at + 4 - buf);
	snprintf(h.body, sizeof(h.body), "%s", at + 4);
	return h;
}

static struct heard tell(const char *method, const char *path, const char *condition,
			 const char *tag, const char *body)
{
	return hear(say(method, path, condition, tag, body));
}

static void is_tag(const char *tag)
{
	assert_true(strlen(tag) > 3);
	assert_int_equal(tag[0], '"');
	assert_int_equal(tag[strlen(tag) - 1], '"');
}

static struct heard get(void)
{
	struct heard h = tell("GET", "/v1/lists/tagged", NULL, NULL, "");

	assert_int_equal(h.status, 200);
	is_tag(h.tag);
	return h;
}

/* A change as asked for with the tag of now; what was before is no longer what is. */
static void changes(const char *method, const char *path, const char *body)
{
	struct heard before = get(), after;

	assert_int_equal(tell(method, path, "If-Match", "\"x\"", body).status, 412);
	assert_string_equal(get().tag, before.tag);
	assert_int_equal(tell(method, path, "If-Match", before.tag, body).status, 200);
	after = get();
	assert_string_not_equal(after.tag, before.tag);
	after = tell(method, path, "If-Match", before.tag, body);
	assert_int_equal(after.status, 412);
	assert_non_null(strstr(after.body, "\"status\":412"));
	assert_string_equal(after.tag, get().tag); /* which one it is now */
}

static void each_change_has_its_tag(void **state)
{
	char before[PK_TAG_MAX];

	(void)state;
	assert_int_equal(tell("PUT", "/v1/lists/tagged", "If-Match", "*", "10.1.0.0/16\n").status,
			 412); /* there is none yet */
	assert_int_equal(
		tell("PUT", "/v1/lists/tagged", "If-None-Match", "*", "10.1.0.0/16\n").status, 200);
	assert_int_equal(
		tell("PUT", "/v1/lists/tagged", "If-None-Match", "*", "10.2.0.0/16\n").status, 412);
	assert_string_equal(get().tag, get().tag);
	changes("PUT", "/v1/lists/tagged", "10.2.0.0/16\n");
	changes("POST", "/v1/lists/tagged/mode?mode=observe", "");
	changes("PUT", "/v1/lists/tagged?confirm=60", "10.3.0.0/16\n");
	changes("POST", "/v1/lists/tagged/confirm", "");
	strcpy(before, get().tag);
	ask_ok("POST", "/v1/blocks", "{\"targets\":[\"10.4.0.1\"],\"list\":\"tagged\"}");
	assert_string_not_equal(get().tag, before);
	strcpy(before, get().tag);
	ask_ok("DELETE", "/v1/blocks", "{\"targets\":[\"10.4.0.1\"],\"list\":\"tagged\"}");
	assert_string_not_equal(get().tag, before);
	/* a list of the same name that begins anew is another one */
	strcpy(before, get().tag);
	assert_int_equal(tell("DELETE", "/v1/lists/tagged", "If-Match", "\"x\"", "").status, 412);
	assert_int_equal(tell("DELETE", "/v1/lists/tagged", "If-Match", before, "").status, 200);
	assert_int_equal(tell("DELETE", "/v1/lists/tagged", "If-Match", before, "").status, 404);
	ask_ok("PUT", "/v1/lists/tagged", "10.3.0.0/16\n");
	assert_string_not_equal(get().tag, before);
	ask_ok("DELETE", "/v1/lists/tagged", "");
}

static void what_is_the_same_is_not_sent(void **state)
{
	static const char *const paths[] = { "/v1/lists/tagged", "/v1/lists/tagged?limit=1",
					     "/v1/lists/tagged/export" };
	struct heard h;

	(void)state;
	ask_ok("PUT", "/v1/lists/tagged", "10.1.0.0/16\n10.2.0.0/16\n");
	for (size_t i = 0; i < PK_ARRAY_SIZE(paths); i++) {
		h = tell("GET", paths[i], NULL, NULL, "");
		assert_int_equal(h.status, 200);
		assert_string_equal(h.tag, get().tag);
		h = tell("GET", paths[i], "If-None-Match", get().tag, "");
		assert_int_equal(h.status, 304);
		assert_int_equal(h.len, 0);
		assert_string_equal(h.tag, get().tag);
		h = tell("GET", paths[i], "If-None-Match", "\"x\", W/\"y\"", "");
		assert_int_equal(h.status, 200);
		assert_true(h.len > 0);
		assert_int_equal(tell("GET", paths[i], "If-None-Match", "x", "").status, 400);
		assert_int_equal(tell("GET", paths[i], "If-Match", "\"x\"", "").status, 412);
	}
	h = tell("HEAD", "/v1/lists/tagged", "If-None-Match", get().tag, "");
	assert_int_equal(h.status, 304);
	ask_ok("DELETE", "/v1/lists/tagged", "");
}

static FILE *server_log;

/* The server's log is a file. */
static int setup_logged(void **state)
{
	int kept = dup(STDERR_FILENO), r;

	server_log = tmpfile();
	if (!server_log || kept < 0 || dup2(fileno(server_log), STDERR_FILENO) < 0)
		return -1;
	r = setup(state);
	(void)dup2(kept, STDERR_FILENO); /* else what follows is not seen */
	close(kept);
	return r;
}

/* One refused change, from the unix socket: it is told after the answer. */
static void is_written_down(const char *method, const char *path, const char *act)
{
	static char text[1 << 16];
	const struct passwd *me = getpwuid(getuid());
	off_t had = lseek(fileno(server_log), 0, SEEK_END); /* the server writes there, too */
	char want[128];

	assert_non_null(me);
	text[0] = '\0';
	snprintf(want, sizeof(want), "audit: %s tagged by %s: precondition\n", act, me->pw_name);
	assert_int_equal(tell(method, path, "If-Match", "\"x\"", "10.2.0.0/16\n").status, 412);
	for (int i = 0; i < 500 && !strstr(text, want); i++) {
		ssize_t n = pread(fileno(server_log), text, sizeof(text) - 1, had);

		text[n < 0 ? 0 : n] = '\0';
		usleep(10000);
	}
	assert_non_null(strstr(text, want));
}

static void what_is_refused_is_written_down(void **state)
{
	(void)state;
	is_written_down("PUT", "/v1/lists/tagged", "list push");
	ask_ok("PUT", "/v1/lists/tagged", "10.3.0.0/16\n");
	is_written_down("POST", "/v1/lists/tagged/mode?mode=off", "list mode");
	is_written_down("POST", "/v1/lists/tagged/confirm", "list confirm");
	is_written_down("DELETE", "/v1/lists/tagged", "list remove");
	ask_ok("DELETE", "/v1/lists/tagged", "");
}

/* Two that read the same list and write at once: one of them hears that it has changed. */
static void no_update_is_lost(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		char bodies[2][64], tag[PK_TAG_MAX];
		struct heard h[2];
		int fd[2], won;

		ask_ok("PUT", "/v1/lists/tagged", "10.1.0.0/16\n");
		strcpy(tag, get().tag);
		for (int i = 0; i < 2; i++) {
			snprintf(bodies[i], sizeof(bodies[i]), "10.%d.%d.0/24\n", 50 + i, round);
			fd[i] = say("PUT", "/v1/lists/tagged", "If-Match", tag, bodies[i]);
		}
		for (int i = 0; i < 2; i++)
			h[i] = hear(fd[i]);
		if (h[0].status + h[1].status != 200 + 412)
			fail_msg("%d and %d", h[0].status, h[1].status);
		won = h[1].status == 200;
		bodies[won][strlen(bodies[won]) - 4] = '\0'; /* without the last number */
		assert_non_null(strstr(get().body, bodies[won]));
	}
	ask_ok("DELETE", "/v1/lists/tagged", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_has_its_tag),
		cmocka_unit_test(what_is_the_same_is_not_sent),
		cmocka_unit_test(what_is_refused_is_written_down),
		cmocka_unit_test(no_update_is_lost),
	};

	return cmocka_run_group_tests_name("api/tag", tests, setup_logged, teardown);
}
