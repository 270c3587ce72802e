/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that come packed, over HTTP: taken, or refused with the right status and nothing changed.
 */
#include "served.h"

#include "api/coding.h"

#include <zlib.h>
#include <zstd.h>

static size_t gzip(const char *text, size_t len, char *out, size_t room)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)text,
		       .avail_in = (uInt)len,
		       .next_out = (Bytef *)out,
		       .avail_out = (uInt)room };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&z), Z_OK);
	return room - z.avail_out;
}

/* The status; *ret (NULL: not wanted) is the whole answer with its head, to be freed. */
static int put(const char *method, const char *path, const char *coding, const char *body,
	       size_t len, char **ret)
{
	static char buf[65536];
	char heads[96];
	int fd = dial(), status = 0;
	size_t n = 0;
	ssize_t got;

	snprintf(heads, sizeof(heads), "Content-Encoding: %s\r\n", coding);
	send_request(fd, method, path, heads, body, len);
	while (n < sizeof(buf) - 1 && (got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	buf[n] = '\0';
	assert_int_equal(sscanf(buf, "HTTP/1.1 %d", &status), 1);
	if (ret)
		*ret = strdup(buf);
	return status;
}

static long long entries(void)
{
	json_t *j = ask("GET", "/v1/lists/packed", "", 200);
	long long n = num(j, "list.entries");

	json_decref(j);
	return n;
}

static size_t pack(bool zstd, const char *text, size_t len, char *out, size_t room)
{
	return zstd ? ZSTD_compress(out, room, text, len, 3) : gzip(text, len, out, room);
}

static void packed_bodies_are_taken(void **state)
{
	static const char list[] = "10.1.0.0/16\n10.2.0.0/16\n10.3.0.0/16\n";
	static const char block[] = "{\"targets\":[\"198.51.100.77\"]}";
	static const char *const name[] = { "gzip", "zstd" };
	char once[4096], twice[4096];

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t n = pack(i, list, sizeof(list) - 1, once, sizeof(once)), m;

		assert_int_equal(put("PUT", "/v1/lists/packed", name[i], once, n, NULL), 200);
		assert_int_equal(entries(), 3);
		/* a list that is a packed file is another thing, and both may be */
		m = pack(!i, once, n, twice, sizeof(twice));
		assert_int_equal(put("PUT", "/v1/lists/packed", name[!i], twice, m, NULL), 200);
		assert_int_equal(put("PUT", "/v1/lists/packed", "identity", once, n, NULL), 200);
		assert_int_equal(entries(), 3);
		assert_int_equal(put("POST", "/v1/lists/packed/diff", name[i], once, n, NULL), 200);
		/* of any other request, too */
		n = pack(i, block, sizeof(block) - 1, once, sizeof(once));
		assert_int_equal(put("POST", "/v1/blocks", name[i], once, n, NULL), 200);
		verdict_is("ip=198.51.100.77", "drop");
		assert_int_equal(put("DELETE", "/v1/blocks", name[i], once, n, NULL), 200);
		verdict_is("ip=198.51.100.77", "pass");
	}
	/* without a body there is nothing to open */
	assert_int_equal(put("GET", "/v1/lists/packed", "gzip", "", 0, NULL), 200);
}

static void others_are_refused(void **state)
{
	static char large[2 << 20], packed[64 << 10];
	static const char list[] = "10.9.0.0/16\n";
	_cleanup_free_ char *text = NULL;
	char good[256];
	size_t n;

	(void)state;
	ask_ok("PUT", "/v1/lists/packed", "10.1.0.0/16\n10.2.0.0/16\n");
	assert_int_equal(put("PUT", "/v1/lists/packed", "br", list, sizeof(list) - 1, &text), 415);
	assert_non_null(strstr(text, "\r\nAccept-Encoding: gzip, zstd\r\n"));
	assert_non_null(strstr(text, "\"status\":415"));
	n = gzip(list, sizeof(list) - 1, good, sizeof(good));
	assert_int_equal(put("PUT", "/v1/lists/packed", "gzip, zstd", good, n, NULL), 415);
	assert_int_equal(put("PUT", "/v1/lists/packed", "zstd", good, n, NULL), 400);
	assert_int_equal(put("PUT", "/v1/lists/packed", "gzip", good, n - 1, NULL), 400);
	assert_int_equal(put("PUT", "/v1/lists/packed", "gzip", list, sizeof(list) - 1, NULL), 400);
	good[n / 2] = (char)(good[n / 2] ^ 0x55);
	assert_int_equal(put("PUT", "/v1/lists/packed", "gzip", good, n, NULL), 400);
	/* two megabytes of what would be taken, in a few kilobytes: upload_max is one here */
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = '\n';
	for (int zstd = 0; zstd < 2; zstd++) {
		n = pack(zstd, large, sizeof(large), packed, sizeof(packed));
		assert_int_equal(
			put("PUT", "/v1/lists/packed", zstd ? "zstd" : "gzip", packed, n, NULL),
			413);
		n = pack(zstd, large, PK_API_BODY_MAX + 1, packed, sizeof(packed));
		assert_int_equal(put("POST", "/v1/blocks", zstd ? "zstd" : "gzip", packed, n, NULL),
				 413);
	}
	/* neither path nor parameters are looked at after the body */
	assert_int_equal(put("POST", "/v1/nothing", "gzip", good, n, NULL), 404);
	assert_int_equal(put("POST", "/v1/blocks?x=1", "gzip", good, n, NULL), 400);
	assert_int_equal(entries(), 2);
	ask_ok("DELETE", "/v1/lists/packed", "");
}

/* Many at once: each is answered, a busy one says when to come again. */
static void many_at_once(void **state)
{
	enum { N = 24 };
	static char text[512 << 10], packed[256 << 10];
	int fd[N], taken = 0;
	size_t n = 0;

	(void)state;
	for (int i = 0; n + 32 < sizeof(text); i++)
		n += (size_t)snprintf(text + n, 32, "10.%d.%d.%d\n", i / 65536 % 100, i / 256 % 256,
				      i % 256);
	n = gzip(text, n, packed, sizeof(packed));
	for (int i = 0; i < N; i++) {
		fd[i] = dial();
		send_request(fd[i], "POST", "/v1/lists/packed/diff", "Content-Encoding: gzip\r\n",
			     packed, n);
	}
	for (int i = 0; i < N; i++) {
		char answer[2048] = "";
		ssize_t got = recv(fd[i], answer, sizeof(answer) - 1, MSG_WAITALL);
		int status = 0;

		assert_true(got > 0);
		assert_int_equal(sscanf(answer, "HTTP/1.1 %d", &status), 1);
		taken += status == 200;
		if (status != 200) {
			assert_int_equal(status, 503);
			assert_non_null(strstr(answer, "\r\nRetry-After: 1\r\n"));
		}
		close(fd[i]);
	}
	assert_true(taken > 0);
}

/* An asker who leaves while the body is opened changes nothing and is waited for by nobody. */
static void who_leaves_is_not_served(void **state)
{
	static char text[512 << 10], packed[64 << 10];
	size_t n;

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text, "10.66.0.0/16\n", 13);
	n = gzip(text, sizeof(text), packed, sizeof(packed));
	for (int i = 0; i < 8; i++) {
		int fd = dial();

		send_request(fd, "PUT", "/v1/lists/left", "Content-Encoding: gzip\r\n", packed, n);
		close(fd);
	}
	ask_ok("GET", "/v1/lists", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_bodies_are_taken),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(who_leaves_is_not_served),
	};

	return cmocka_run_group_tests_name("api/coding", tests, setup, teardown);
}
