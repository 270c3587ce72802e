/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/record.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const struct {
	uint16_t type;
	size_t size;
} kinds[] = {
	{ PK_EV_EXEC, sizeof(struct pk_exec) }, { PK_EV_FORK, sizeof(struct pk_fork) },
	{ PK_EV_EXIT, sizeof(struct pk_exit) }, { PK_EV_ACT, sizeof(struct pk_act) },
	{ PK_EV_SOCK, sizeof(struct pk_sock) }, { PK_EV_FLOW, sizeof(struct pk_flow_report) },
};

union any {
	struct pk_hdr hdr;
	struct pk_exec exec;
	struct pk_fork fork;
	struct pk_act act;
	struct pk_sock sock;
	struct pk_flow_report flow;
	struct pk_sample sample;
	char bytes[8192];
};

/* A record that is right, of each type. */
static size_t fill(union any *r, uint16_t type)
{
	memset(r, 0, sizeof(*r));
	r->hdr.type = type;
	for (size_t i = 0; i < PK_ARRAY_SIZE(kinds); i++)
		if (kinds[i].type == type)
			r->hdr.size = kinds[i].size;
	if (type != PK_EV_FLOW)
		r->fork.task.id.tgid = 42;
	if (type == PK_EV_ACT)
		r->act.kind = PK_ACT_MEMFD;
	if (type == PK_EV_SOCK) {
		r->sock.family = AF_INET6;
		r->sock.op = PK_SOCK_CONNECT;
	}
	if (type == PK_EV_FLOW)
		r->flow.why = PK_REPORT_END;
	return r->hdr.size;
}

static int decode(const union any *r)
{
	struct pk_event ev;

	return pk_record_decode(&ev, r, r->hdr.size);
}

static void test_each_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(kinds); i++) {
		struct pk_event ev = { 0 };
		union any r;

		assert_int_equal(fill(&r, kinds[i].type), kinds[i].size);
		assert_int_equal(pk_record_decode(&ev, &r, kinds[i].size), 0);
		assert_int_equal(ev.type, kinds[i].type);
		assert_ptr_equal(ev.hdr, &r);
		if (ev.type == PK_EV_FLOW)
			assert_null(ev.task);
		else
			assert_int_equal(ev.task->id.tgid, 42);
	}
}

static void test_every_wrong_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(kinds); i++) {
		struct pk_event ev;
		union any r;

		fill(&r, kinds[i].type);
		for (size_t size = 0; size <= sizeof(r); size++)
			if (size != kinds[i].size)
				assert_int_equal(pk_record_decode(&ev, &r, size),
						 size < kinds[i].size ? -ENODATA : -EBADMSG);
		for (uint32_t lie = 0; lie < sizeof(r); lie++) {
			r.hdr.size = lie;
			if (lie != kinds[i].size)
				assert_int_equal(pk_record_decode(&ev, &r, kinds[i].size),
						 -EBADMSG);
		}
	}
}

static void test_unknown_type(void **state)
{
	struct pk_event ev = { .type = 99 };
	union any r;

	(void)state;
	fill(&r, PK_EV_FORK);
	for (uint32_t type = 0; type <= UINT16_MAX; type++) {
		r.hdr.type = type;
		if (type == 0 || (type > PK_EV_SAMPLE && type != PK_EV_QUERY))
			assert_int_equal(pk_record_decode(&ev, &r, r.hdr.size), -ENOTSUP);
	}
	assert_int_equal(ev.type, 99);
	assert_int_equal(pk_record_decode(&ev, r.bytes + 4, sizeof(struct pk_fork)), -EFAULT);
}

static void test_exec_lengths(void **state)
{
	union any r;

	(void)state;
	fill(&r, PK_EV_EXEC);
	memset(r.exec.path, 'x', sizeof(r.exec.path));
	r.exec.path_len = 5;
	assert_int_equal(decode(&r), -EBADMSG);
	r.exec.path[4] = '\0';
	assert_int_equal(decode(&r), 0);
	r.exec.path_len = sizeof(r.exec.path) + 1;
	assert_int_equal(decode(&r), -EBADMSG);
	fill(&r, PK_EV_EXEC);
	memset(r.exec.filename, 'x', sizeof(r.exec.filename));
	assert_int_equal(decode(&r), -EBADMSG);
	fill(&r, PK_EV_EXEC);
	memset(r.exec.interp, 'x', sizeof(r.exec.interp));
	assert_int_equal(decode(&r), -EBADMSG);
	fill(&r, PK_EV_EXEC);
	r.exec.argv_len = 10;
	r.exec.argv_total = 9;
	assert_int_equal(decode(&r), -EBADMSG);
	r.exec.argv_total = UINT32_MAX;
	assert_int_equal(decode(&r), 0);
	r.exec.argv_tail_len = UINT32_MAX;
	assert_int_equal(decode(&r), -EBADMSG);
	fill(&r, PK_EV_EXEC);
	memset(r.exec.task.comm, 'x', sizeof(r.exec.task.comm));
	assert_int_equal(decode(&r), -EBADMSG);
}

static void test_impossible_values(void **state)
{
	union any r;

	(void)state;
	fill(&r, PK_EV_ACT);
	r.act.kind = PK_ACT_MAX;
	assert_int_equal(decode(&r), -EBADMSG);
	fill(&r, PK_EV_SOCK);
	r.sock.family = AF_UNIX;
	assert_int_equal(decode(&r), -EBADMSG);
	fill(&r, PK_EV_SOCK);
	r.sock.owner.comm_len = 13;
	assert_int_equal(decode(&r), -EBADMSG);
	fill(&r, PK_EV_FLOW);
	r.flow.flow.meta.initiator = 2;
	assert_int_equal(decode(&r), -EBADMSG);
	fill(&r, PK_EV_FLOW);
	r.flow.flow.meta.app[1] = PK_APP_MAX;
	assert_int_equal(decode(&r), -EBADMSG);
	fill(&r, PK_EV_FLOW);
	r.flow.flow.own[1].comm_len = 200;
	assert_int_equal(decode(&r), -EBADMSG);
}

/* A frame of 60 bytes with 6 of payload behind 54 of headers, of which `taken` came. */
static void fill_sample(union any *r, uint32_t taken)
{
	memset(r, 0, sizeof(*r));
	r->hdr.type = PK_EV_SAMPLE;
	r->hdr.size = (sizeof(r->sample) + taken + 7) / 8 * 8;
	r->sample.why = PK_SAMPLE_PAYLOAD;
	r->sample.app = PK_APP_TLS;
	r->sample.where = PK_AT_EGRESS;
	r->sample.frame_len = 60;
	r->sample.data_len = taken;
	r->sample.l3_off = 14;
	r->sample.payload_off = 54;
	r->sample.payload_len = 6;
	for (uint32_t i = 0; i < taken; i++)
		r->bytes[sizeof(r->sample) + i] = (char)i;
}

static void test_sample_sizes(void **state)
{
	struct pk_event ev;
	union any r;

	(void)state;
	for (uint32_t taken = 0; taken <= 60; taken++) {
		fill_sample(&r, taken);
		for (size_t size = 0; size <= 400; size++) /* the ring may have more behind it */
			assert_int_equal(pk_record_decode(&ev, &r, size),
					 size < r.hdr.size ? -ENODATA : 0);
		assert_null(ev.task);
		for (uint32_t lie = 0; lie < 400; lie++) {
			if (lie == r.hdr.size)
				continue;
			r.hdr.size = lie;
			assert_int_equal(pk_record_decode(&ev, &r, sizeof(r)), -EBADMSG);
			fill_sample(&r, taken);
		}
	}
	r.sample.data_len = UINT32_MAX;
	r.hdr.size = sizeof(r.sample) - 1;
	assert_int_equal(pk_record_decode(&ev, &r, sizeof(r)), -EBADMSG);
}

static void test_sample_payload(void **state)
{
	const uint8_t *p;
	union any r;
	size_t len;

	(void)state;
	fill_sample(&r, 60);
	p = pk_sample_payload(&r.sample, &len);
	assert_int_equal(len, 6);
	assert_int_equal(*p, 54);
	assert_ptr_equal(p, pk_sample_data(&r.sample) + 54);
	r.sample.payload_len = 4; /* two bytes of padding */
	(void)pk_sample_payload(&r.sample, &len);
	assert_int_equal(len, 4);
	fill_sample(&r, 57);
	(void)pk_sample_payload(&r.sample, &len);
	assert_int_equal(len, 3);
	fill_sample(&r, 20); /* not even all headers */
	p = pk_sample_payload(&r.sample, &len);
	assert_int_equal(len, 0);
	assert_ptr_equal(p, pk_sample_data(&r.sample) + 20);
}

static void test_impossible_samples(void **state)
{
	union any r;

	(void)state;
#define REFUSE(field, value)                                                                       \
	do {                                                                                       \
		fill_sample(&r, 60);                                                               \
		assert_int_equal(decode(&r), 0);                                                   \
		r.sample.field = value;                                                            \
		assert_int_equal(decode(&r), -EBADMSG);                                            \
	} while (0)
	REFUSE(why, 0);
	REFUSE(why, 8);
	REFUSE(app, PK_APP_MAX);
	REFUSE(dir, 2);
	REFUSE(initiator, 2);
	REFUSE(where, 0);
	REFUSE(where, 3);
	REFUSE(raw, 2);
	REFUSE(frag, 2);
	REFUSE(key.depth, 2);
	REFUSE(key.encap, PK_ENCAP_SIXIN4 + 1);
	REFUSE(l3_off, 61);
	REFUSE(payload_off, 13);
	REFUSE(frame_len, 59);
#undef REFUSE
}

static void test_softirq_has_no_task(void **state)
{
	struct pk_event ev;
	union any r;

	(void)state;
	fill(&r, PK_EV_SOCK);
	r.sock.task.id.tgid = 0;
	assert_int_equal(pk_record_decode(&ev, &r, r.hdr.size), 0);
	assert_null(ev.task);
}

static void test_paths(void **state)
{
	static const struct {
		const char *parts;
		size_t len;
		bool cut;
		const char *path;
	} t[] = {
		{ "curl\0bin\0usr", 13, false, "/usr/bin/curl" },
		{ "", 0, false, "/" },
		{ "a", 2, false, "/a" },
		{ "curl\0bin", 9, true, ".../bin/curl" },
		{ "", 0, true, ".../" },
		{ "a\xff\nb", 5, false, "/a\xff\nb" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(t); i++) {
		assert_int_equal(pk_path_join(t[i].parts, t[i].len, t[i].cut, out, sizeof(out)),
				 strlen(t[i].path));
		assert_string_equal(out, t[i].path);
	}
	/* What does not fit loses its start, never its end. */
	pk_path_join("curl\0bin\0usr", 13, false, out, 17);
	assert_string_equal(out, "/usr/bin/curl");
	pk_path_join("curl\0bin\0usr", 13, false, out, 16);
	assert_string_equal(out, ".../bin/curl");
	pk_path_join("curl\0bin\0usr", 13, false, out, 8);
	assert_string_equal(out, ".../");
	for (size_t cap = 8; cap < sizeof(out); cap++)
		assert_true(pk_path_join("curl\0bin\0usr", 13, cap & 1, out, cap) < cap);
}

static void test_arguments(void **state)
{
	struct pk_exec e = { .argv_len = 14, .argv_total = 14, .argv = "curl\0-s\0a b\0c" };
	char out[64];

	(void)state;
	assert_int_equal(pk_argv_join(&e, out, sizeof(out)), 13);
	assert_string_equal(out, "curl -s a b c");
	e.argv_total = 100;
	pk_argv_join(&e, out, sizeof(out));
	assert_string_equal(out, "curl -s a b c  [...]");
	memcpy(e.argv_tail, "y\0z", 4);
	e.argv_tail_len = 4;
	pk_argv_join(&e, out, sizeof(out));
	assert_string_equal(out, "curl -s a b c  [...] y z");
	/* Head and tail touch or overlap: nothing is missing and nothing is there twice. */
	e.argv_total = 18;
	pk_argv_join(&e, out, sizeof(out));
	assert_string_equal(out, "curl -s a b c y z");
	e.argv_total = 16;
	pk_argv_join(&e, out, sizeof(out));
	assert_string_equal(out, "curl -s a b c z");
	pk_argv_join(&e, out, 6);
	assert_string_equal(out, "curl");
	e = (struct pk_exec){ 0 };
	assert_int_equal(pk_argv_join(&e, out, sizeof(out)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_type),
		cmocka_unit_test(test_every_wrong_size),
		cmocka_unit_test(test_unknown_type),
		cmocka_unit_test(test_exec_lengths),
		cmocka_unit_test(test_impossible_values),
		cmocka_unit_test(test_sample_sizes),
		cmocka_unit_test(test_sample_payload),
		cmocka_unit_test(test_impossible_samples),
		cmocka_unit_test(test_softirq_has_no_task),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_arguments),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
