/* SPDX-License-Identifier: Apache-2.0 */
#include "../../../tools/record_file.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "capture/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define PACKETS 100

static char dir[] = "/tmp/picket-record-XXXXXX";

/* Two interfaces, packets of growing times, statistics. */
static void stream(struct pk_buf *b)
{
	static const uint8_t data[500] = { 1, 2, 3 };
	struct pk_pcapng_section s = { .application = "test" };
	struct pk_pcapng_iface i = { .name = "eth0", .linktype = PK_LINKTYPE_ETHERNET };
	struct pk_pcapng_stats t = { .received = PACKETS,
				     .comment = "ended=duration flows=3 packets=100 cut=50 slow=9 "
						"missed=2 refused=0" };

	pk_pcapng_section(b, &s);
	pk_pcapng_iface(b, &i);
	for (uint64_t n = 0; n < PACKETS; n++) {
		struct pk_pcapng_packet p = { .iface = n >= 30 && n % 2,
					      .ts_ns = n + 1000,
					      .data = data,
					      .len = 500,
					      .wire_len = n % 2 ? 500 : 600,
					      .dropped = n == 40 ? 7 : 0 };

		if (n == 30)
			pk_pcapng_iface(b, &i);
		pk_pcapng_packet(b, &p);
	}
	pk_pcapng_stats(b, &t);
	t.iface = 1;
	t.comment = NULL;
	pk_pcapng_stats(b, &t);
	assert_int_equal(b->error, 0);
}

static struct pk_record_wish wish(char path[256], const char *name)
{
	snprintf(path, 256, "%s/%s", dir, name);
	return (struct pk_record_wish){ .path = path, .files_max = 10 };
}

static void load(struct pk_buf *b, const char *name)
{
	_cleanup_fclose_ FILE *f = fopen(name, "re");
	char piece[4096];
	size_t n;

	assert_non_null(f);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		pk_buf_add(b, piece, n);
}

/* A file is whole: one section first, its interfaces before they are used, statistics of each at
 * the end. Returns its packets; *next is the time that its first packet has, and then the next
 * one's. */
static size_t check(const char *name, uint64_t *next)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	size_t count[8] = { 0 }, sections = 0;
	struct stat st;

	load(&b, name);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	for (size_t at = 0; at < b.len;) {
		uint32_t type, len;

		assert_true(pk_pcapng_block(b.data + at, b.len - at, &type, &len));
		assert_true(len <= b.len - at);
		if (type == PK_PCAPNG_PACKET) {
			struct pk_pcapng_seen s;

			assert_true(pk_pcapng_read_packet(b.data + at, len, &s));
			assert_true(s.iface < count[PK_PCAPNG_INTERFACE]);
			*next = *next ? *next : s.ts_ns;
			assert_int_equal(s.ts_ns, (*next)++);
		}
		sections += type == PK_PCAPNG_SECTION;
		assert_int_equal(sections, 1);
		if (type < 8)
			count[type]++;
		at += len;
	}
	assert_int_equal(count[PK_PCAPNG_STATS], count[PK_PCAPNG_INTERFACE]);
	return count[PK_PCAPNG_PACKET];
}

/* However the stream is cut into pieces, the file is the stream. */
static void test_one_file(void **state)
{
	static const size_t pieces[] = { 1, 3, 7, 100, 4096, 1 << 20 };
	_cleanup_(pk_buf_done) struct pk_buf in = { 0 };
	char path[256];

	(void)state;
	stream(&in);
	for (size_t i = 0; i < PK_ARRAY_SIZE(pieces); i++) {
		_cleanup_(pk_buf_done) struct pk_buf out = { 0 };
		struct pk_record_wish w = wish(path, "one.pcapng");
		const struct pk_record_sum *s;
		struct pk_record_files *f;

		w.force = true;
		assert_int_equal(pk_record_files_open(&w, &f), 0);
		for (size_t at = 0; at < in.len; at += pieces[i]) {
			size_t n = in.len - at < pieces[i] ? in.len - at : pieces[i];

			assert_int_equal(pk_record_files_add(f, in.data + at, n), 0);
		}
		assert_int_equal(pk_record_files_end(f), 0);
		s = pk_record_files_sum(f);
		assert_int_equal(s->packets, PACKETS);
		assert_int_equal(s->bytes, in.len);
		assert_int_equal(s->cut, PACKETS / 2);
		assert_int_equal(s->dropped, 9);
		assert_int_equal(s->missed, 2);
		assert_int_equal(s->flows, 3);
		assert_string_equal(s->ended, "duration");
		pk_record_files_free(f);
		load(&out, path);
		assert_int_equal(out.len, in.len);
		assert_memory_equal(out.data, in.data, in.len);
	}
}

static void test_ring(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf in = { 0 };
	char path[256];
	struct pk_record_wish w = wish(path, "ring.tmp.pcapng");
	struct pk_record_files *f;
	uint64_t next = 0;
	size_t files = 0, packets = 0;
	const char *name;

	(void)state;
	stream(&in);
	w.rotate_bytes = 5000;
	w.files_max = 4;
	assert_int_equal(pk_record_files_open(&w, &f), 0);
	for (size_t at = 0; at < in.len; at += 100)
		assert_int_equal(
			pk_record_files_add(f, in.data + at, in.len - at < 100 ? in.len - at : 100),
			0);
	assert_int_equal(pk_record_files_end(f), 0);
	while ((name = pk_record_files_at(f, files))) {
		struct stat st;

		assert_non_null(strstr(name, "/ring.tmp_000"));
		assert_int_equal(stat(name, &st), 0);
		assert_true(st.st_size <= 5000 + 400); /* statistics come on top */
		packets += check(name, &next);
		files++;
	}
	assert_int_equal(files, 4);
	assert_int_equal(next, 1000 + PACKETS); /* the latest, without a gap */
	assert_true(packets > 20 && packets < PACKETS);
	assert_int_equal(pk_record_files_sum(f)->removed, pk_record_files_sum(f)->files - 4);
	assert_int_equal(pk_record_files_sum(f)->packets, PACKETS);
	pk_record_files_free(f);
}

/* What somebody else put in the place of one of the ring's files stays. */
static void test_only_own_files_go(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf in = { 0 };
	char path[256], first[300];
	struct pk_record_wish w = wish(path, "own");
	struct pk_record_files *f;
	FILE *other;

	(void)state;
	stream(&in);
	w.rotate_bytes = 5000;
	w.files_max = 2;
	assert_int_equal(pk_record_files_open(&w, &f), 0);
	snprintf(first, sizeof(first), "%s", pk_record_files_name(f));
	snprintf(path + strlen(path), 10, "-keep");
	assert_int_equal(rename(first, path), 0);
	other = fopen(first, "we");
	assert_non_null(other);
	fclose(other);
	path[strlen(path) - 5] = '\0';
	assert_int_equal(pk_record_files_add(f, in.data, in.len), 0);
	assert_int_equal(pk_record_files_end(f), 0);
	assert_int_equal(access(first, F_OK), 0);
	assert_true(pk_record_files_sum(f)->removed < pk_record_files_sum(f)->files - 2);
	pk_record_files_free(f);
}

static void test_existing(void **state)
{
	char path[256], target[256], link_path[256];
	struct pk_record_wish w = wish(path, "there"), l = wish(link_path, "link");
	struct pk_record_files *f;
	FILE *there = fopen(path, "we");

	(void)state;
	assert_non_null(there);
	fclose(there);
	(void)wish(target, "target");
	assert_int_equal(symlink(target, link_path), 0);
	assert_int_equal(pk_record_files_open(&w, &f), -EEXIST);
	assert_int_equal(pk_record_files_open(&l, &f), -EEXIST);
	l.force = true;
	assert_int_equal(pk_record_files_open(&l, &f), -EEXIST);
	assert_int_not_equal(access(target, F_OK), 0);
	w.path = "/proc/nothing";
	assert_true(pk_record_files_open(&w, &f) < 0);
}

/* Nothing came (the daemon refused): no file is left. */
static void test_nothing(void **state)
{
	char path[256];
	struct pk_record_wish w = wish(path, "nothing");
	struct pk_record_files *f;

	(void)state;
	assert_int_equal(pk_record_files_open(&w, &f), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(pk_record_files_end(f), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	pk_record_files_free(f);
}

/* A stream that ends in the middle: the file ends with its last whole block, and has statistics. */
static void test_cut_off(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf in = { 0 };
	char path[256];
	struct pk_record_wish w = wish(path, "cut");
	struct pk_record_files *f;
	uint64_t next = 0;

	(void)state;
	stream(&in);
	assert_int_equal(pk_record_files_open(&w, &f), 0);
	assert_int_equal(pk_record_files_add(f, in.data, in.len / 2 + 1), 0);
	assert_int_equal(pk_record_files_end(f), 0);
	assert_true(check(path, &next) > 40);
	assert_string_equal(pk_record_files_sum(f)->ended, "");
	pk_record_files_free(f);
}

static void test_no_pcapng(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf in = { 0 };
	char path[256];
	struct pk_record_wish w = wish(path, "bad");
	struct pk_record_files *f;
	uint32_t v = 77;

	(void)state;
	stream(&in);
	w.force = true;
	assert_int_equal(pk_record_files_open(&w, &f), 0);
	assert_int_equal(pk_record_files_add(f, "{\"a\":\"problem\"}", 15), -EBADMSG);
	pk_record_files_free(f);
	assert_int_equal(pk_record_files_open(&w, &f), 0);
	assert_int_equal(pk_record_files_add(f, in.data, in.len), 0);
	assert_int_equal(pk_record_files_add(f, in.data, in.len), -EBADMSG); /* two sections */
	pk_record_files_free(f);
	memcpy(in.data + in.len - 700, &v, 4); /* wherever it hits: an error or none, no crash */
	assert_int_equal(pk_record_files_open(&w, &f), 0);
	(void)pk_record_files_add(f, in.data, in.len);
	pk_record_files_free(f);
}

/* /dev/full has no room for anything: it is told, and told again at the end. */
static void test_full(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf in = { 0 };
	int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct pk_record_wish w = { .path = "-" };
	struct pk_record_files *f;
	int r;

	(void)state;
	if (full < 0)
		skip();
	stream(&in);
	assert_int_equal(pk_record_files_open(&w, &f), 0);
	fflush(stdout);
	assert_true(dup2(full, STDOUT_FILENO) >= 0);
	r = pk_record_files_add(f, in.data, in.len);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	close(full);
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(pk_record_files_sum(f)->bytes, 0);
	assert_int_equal(pk_record_files_sum(f)->packets, 0);
	pk_record_files_free(f);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_file), cmocka_unit_test(test_ring),
		cmocka_unit_test(test_existing), cmocka_unit_test(test_only_own_files_go),
		cmocka_unit_test(test_nothing),  cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_full),     cmocka_unit_test(test_no_pcapng),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
