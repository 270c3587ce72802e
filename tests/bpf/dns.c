/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries for listed names, as they leave: which are refused, what the answer is made of (sums
 * too), and what is left alone.
 */
#include "load.h"

#include <arpa/inet.h>
#include <picket/block.h>

#define LIST     3u
#define ALLOW    4u
#define PASS     (-1)
#define REDIRECT 7
#define SHOT     2

static struct bed bed;
static struct pk_dns_ctl *ctl;
static struct pk_blk_list *lists;
static uint8_t out[FRAME_MAX];
static uint32_t out_len;

/* ---- the lists */

static struct pk_dns_key key_of(const char *name)
{
	struct pk_dns_key k = ctl->seed;

	for (size_t i = strlen(name); i; i--)
		k = pk_dns_step(k, (uint8_t)name[i - 1]);
	return k;
}

static void put(const char *name, unsigned block, unsigned allow)
{
	struct pk_dns_name v = { .block = (uint16_t)block, .allow = (uint16_t)allow };
	struct pk_dns_key k = key_of(name);

	assert_int_equal(bpf_map_update_elem(pk_object_map_fd(bed.o, "pk_dns_names"), &k, &v, 0),
			 0);
	ctl->names++;
}

static uint64_t queries(const char *name)
{
	struct pk_dns_key k = key_of(name);
	struct pk_dns_name v = { 0 };

	assert_int_equal(bpf_map_lookup_elem(pk_object_map_fd(bed.o, "pk_dns_names"), &k, &v), 0);
	return v.queries;
}

static void set_mode(unsigned list, enum pk_blk_mode mode)
{
	lists[list].word = PK_BLK_LIST_USED | (list == ALLOW ? PK_BLK_LIST_ALLOW : 0) |
			   (uint32_t)mode << PK_BLK_MODE_SHIFT;
}

/* ---- packets */

static void put_name(struct frame *f, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		frame_8(f, (uint8_t)n);
		frame_put(f, name, (uint32_t)n);
		name += n + (name[n] == '.');
	}
	frame_8(f, 0);
}

static uint32_t fold(const uint8_t *p, uint32_t n, uint32_t sum)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Sum of pseudo header and UDP, as it must be 0xffff when the checksum is right. */
static uint32_t udp_sum(const uint8_t *b, uint32_t l3, uint32_t l4, uint32_t end)
{
	bool v6 = b[l3] >> 4 == 6;
	uint32_t sum = 17 + end - l4;

	sum = fold(b + l3 + (v6 ? 8 : 12), v6 ? 32 : 8, sum);
	return fold(b + l4, end - l4, sum);
}

struct query {
	struct frame f;
	uint32_t l3, l4, dns;
};

enum form { V4, V6, VLAN, QINQ };

static void begin(struct query *q, enum form form, uint16_t dport, uint16_t flags)
{
	memset(q, 0, sizeof(*q));
	frame_eth(&q->f, form == V6 ? 0x86dd : form == V4 ? 0x0800 : 0x8100);
	if (form == QINQ)
		frame_tag(&q->f, 5, 0x8100);
	if (form == VLAN || form == QINQ)
		frame_tag(&q->f, 7, 0x0800);
	q->l3 = q->f.n;
	if (form == V6)
		(void)frame_ip6(&q->f, 17, 1, 2);
	else
		(void)frame_ip4(&q->f, 17, 0xc0000201, 0xc6336435);
	q->l4 = q->f.n;
	(void)frame_udp(&q->f, 40000, dport);
	q->dns = q->f.n;
	frame_16(&q->f, 0x1234);
	frame_16(&q->f, flags);
	frame_16(&q->f, 1);
	frame_16(&q->f, 0);
	frame_16(&q->f, 0);
	frame_16(&q->f, 0);
}

static void end(struct query *q)
{
	uint32_t sum;

	frame_end(&q->f);
	frame_set16(&q->f, q->l4 + 6, 0);
	sum = 0xffff ^ udp_sum(q->f.b, q->l3, q->l4, q->f.n);
	frame_set16(&q->f, q->l4 + 6, sum ? (uint16_t)sum : 0xffff);
}

static int run(struct query *q, const char *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = q->f.b, .data_size_in = q->f.n,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(pk_object_prog_fd(bed.o, prog), &opts), 0);
	out_len = opts.data_size_out;
	return (int)opts.retval;
}

static int ask(enum form form, const char *name)
{
	struct query q;

	begin(&q, form, 53, 0x0120);
	put_name(&q.f, name);
	frame_16(&q.f, 1);
	frame_16(&q.f, 1);
	end(&q);
	return run(&q, PK_PROG_TC_OUT);
}

/* ---- tests */

static void test_answer(void **state)
{
	static const enum form forms[] = { V4, V6, VLAN, QINQ };

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct query q;
		bool v6 = forms[i] == V6;

		begin(&q, forms[i], 53, 0x0130); /* RD, AD, CD */
		put_name(&q.f, "wWw.EviL.example");
		frame_16(&q.f, 28);
		frame_16(&q.f, 1);
		frame_set16(&q.f, q.dns + 10, 1); /* EDNS: an OPT record behind it */
		frame_8(&q.f, 0);
		frame_16(&q.f, 41);
		frame_16(&q.f, 1232);
		frame_32(&q.f, 0);
		frame_16(&q.f, 0);
		end(&q);
		assert_int_equal(run(&q, PK_PROG_TC_OUT), REDIRECT);
		assert_int_equal(out_len, q.f.n);
		assert_memory_equal(out, q.f.b + 6, 6);
		assert_memory_equal(out + 6, q.f.b, 6);
		if (v6) {
			assert_memory_equal(out + q.l3 + 8, q.f.b + q.l3 + 24, 16);
			assert_memory_equal(out + q.l3 + 24, q.f.b + q.l3 + 8, 16);
		} else {
			assert_memory_equal(out + q.l3 + 12, q.f.b + q.l3 + 16, 4);
			assert_memory_equal(out + q.l3 + 16, q.f.b + q.l3 + 12, 4);
			assert_int_equal(fold(out + q.l3, 20, 0), fold(q.f.b + q.l3, 20, 0));
		}
		assert_int_equal(out[q.l4] << 8 | out[q.l4 + 1], 53);
		assert_int_equal(out[q.l4 + 2] << 8 | out[q.l4 + 3], 40000);
		assert_int_equal(out[q.dns + 2] << 8 | out[q.dns + 3], 0x8195); /* RD RA CD, 5 */
		assert_memory_equal(out + q.dns + 4, q.f.b + q.dns + 4, q.f.n - q.dns - 4);
		assert_int_equal(udp_sum(out, q.l3, q.l4, out_len), 0xffff);
	}
	assert_int_equal(queries("evil.example"), 4);
}

static void test_names(void **state)
{
	char label[64], most[254];

	(void)state;
	assert_int_equal(ask(V4, "evil.example"), REDIRECT);
	assert_int_equal(ask(V4, "a.b.c.EVIL.EXAMPLE"), REDIRECT);
	assert_int_equal(ask(V4, "notevil.example"), PASS);
	assert_int_equal(ask(V4, "evil.example.net"), PASS);
	assert_int_equal(ask(V4, "example"), PASS);
	assert_int_equal(ask(V4, ""), PASS); /* the root */
	/* an allow list wins, whichever is nearer */
	assert_int_equal(ask(V4, "good.evil.example"), PASS);
	assert_int_equal(ask(V4, "www.good.evil.example"), PASS);
	/* the longest name there can be, and the one with most labels */
	memset(label, 'a', 63);
	label[63] = '\0';
	(void)snprintf(most, sizeof(most), "%.63s.%.63s.%.63s.%.48s.evil.example", label, label,
		       label, label);
	assert_int_equal(strlen(most), 253);
	assert_int_equal(ask(V4, most), REDIRECT);
	for (int i = 0; i < 240; i++)
		most[i] = i % 2 ? '.' : 'x';
	(void)snprintf(most + 240, sizeof(most) - 240, "evil.example");
	assert_int_equal(ask(V4, most), REDIRECT);
	for (int i = 0; i < 253; i++)
		most[i] = i % 2 ? '.' : 'x';
	most[253] = '\0';
	assert_int_equal(ask(V4, most), PASS);
}

/* What is in a label is no dot, and no letter of another case by chance. */
static void test_labels(void **state)
{
	struct query q;

	(void)state;
	begin(&q, V4, 53, 0x0100);
	frame_8(&q.f, 12);
	frame_put(&q.f, "evil.example", 12); /* one label */
	frame_8(&q.f, 0);
	frame_32(&q.f, 0x00010001);
	end(&q);
	assert_int_equal(run(&q, PK_PROG_TC_OUT), PASS);
	begin(&q, V4, 53, 0x0100);
	frame_8(&q.f, 3);
	frame_put(&q.f, "\0.\xff", 3); /* odd bytes below a listed name */
	put_name(&q.f, "evil.example");
	frame_32(&q.f, 0x00010001);
	end(&q);
	assert_int_equal(run(&q, PK_PROG_TC_OUT), REDIRECT);
}

/* A name that we can't read is no way past us. */
static void test_unreadable(void **state)
{
	struct query q;

	(void)state;
	begin(&q, V4, 53, 0x0100); /* compressed: the name is behind */
	frame_16(&q.f, 0xc012);
	frame_32(&q.f, 0x00010001);
	put_name(&q.f, "evil.example");
	end(&q);
	assert_int_equal(run(&q, PK_PROG_TC_OUT), REDIRECT);
	assert_int_equal(udp_sum(out, q.l3, q.l4, out_len), 0xffff);
	begin(&q, V4, 53, 0x0100); /* it never ends */
	frame_8(&q.f, 63);
	end(&q);
	assert_int_equal(run(&q, PK_PROG_TC_OUT), REDIRECT);
	begin(&q, V4, 53, 0x0100); /* longer than a name can be */
	for (int i = 0; i < 130; i++) {
		frame_8(&q.f, 1);
		frame_8(&q.f, 'a');
	}
	frame_8(&q.f, 0);
	frame_32(&q.f, 0x00010001);
	end(&q);
	assert_int_equal(run(&q, PK_PROG_TC_OUT), REDIRECT);
	/* no DNS at all */
	begin(&q, V4, 53, 0x0100);
	q.f.n = q.dns + 8;
	end(&q);
	assert_int_equal(run(&q, PK_PROG_TC_OUT), PASS);
}

static void test_left_alone(void **state)
{
	struct query q;

	(void)state;
	begin(&q, V4, 54, 0x0100); /* another port */
	put_name(&q.f, "evil.example");
	frame_32(&q.f, 0x00010001);
	end(&q);
	assert_int_equal(run(&q, PK_PROG_TC_OUT), PASS);
	begin(&q, V4, 53, 0x8180); /* an answer */
	put_name(&q.f, "evil.example");
	frame_32(&q.f, 0x00010001);
	end(&q);
	assert_int_equal(run(&q, PK_PROG_TC_OUT), PASS);
	begin(&q, V4, 53, 0x0100); /* what arrives: a resolver's clients are asked elsewhere */
	put_name(&q.f, "evil.example");
	frame_32(&q.f, 0x00010001);
	end(&q);
	assert_int_equal(run(&q, PK_PROG_TC_IN), PASS);
	ctl->names = 0;
	assert_int_equal(run(&q, PK_PROG_TC_OUT), PASS);
	ctl->names = 2;
	assert_int_equal(run(&q, PK_PROG_TC_OUT), REDIRECT);
}

static void test_modes(void **state)
{
	uint64_t before = queries("evil.example");

	(void)state;
	set_mode(LIST, PK_BLK_OBSERVE);
	assert_int_equal(ask(V4, "evil.example"), PASS);
	assert_int_equal(queries("evil.example"), before + 1);
	set_mode(LIST, PK_BLK_OFF);
	assert_int_equal(ask(V4, "evil.example"), PASS);
	assert_int_equal(queries("evil.example"), before + 1);
	set_mode(LIST, PK_BLK_ENFORCE);
	set_mode(ALLOW, PK_BLK_OFF);
	assert_int_equal(ask(V4, "good.evil.example"), REDIRECT);
	set_mode(ALLOW, PK_BLK_ENFORCE);
	ctl->rcode = PK_DNS_NXDOMAIN;
	assert_int_equal(ask(V4, "evil.example"), REDIRECT);
	ctl->rcode = PK_DNS_SILENT;
	assert_int_equal(ask(V4, "evil.example"), SHOT);
	ctl->rcode = PK_DNS_REFUSED;
}

static int on_record(void *arg, void *data, size_t size)
{
	struct pk_query *q = arg;

	assert_true(size >= sizeof(*q));
	memcpy(q, data, sizeof(*q));
	return 0;
}

static void test_record(void **state)
{
	struct pk_dns_key k;
	struct pk_query q = { 0 };
	struct ring_buffer *rb =
		ring_buffer__new(pk_object_map_fd(bed.o, "pk_rb_block"), on_record, &q, NULL);

	(void)state;
	assert_non_null(rb);
	put("told.example", LIST, 0);
	k = key_of("told.example");
	assert_int_equal(ask(V4, "WWW.told.example"), REDIRECT);
	assert_true(ring_buffer__consume(rb) >= 1);
	assert_int_equal(q.hdr.type, PK_EV_QUERY);
	assert_int_equal(q.hdr.size, sizeof(q));
	assert_int_equal(q.list, LIST);
	assert_int_equal(q.qtype, 1);
	assert_int_equal(q.act, PK_VERDICT_DROP);
	assert_int_equal(q.answered, 1);
	assert_memory_equal(&q.name, &k, sizeof(k));
	assert_string_equal(q.text, "www.told.example");
	assert_int_equal(q.name_len, 16);
	assert_string_equal(q.text + q.below, "told.example");
	assert_int_equal(q.dport, htons(53));
	assert_int_equal(q.dst[12], 0xc6);
	q.hdr.type = 0;
	assert_int_equal(ask(V4, "told.example"), REDIRECT); /* within a second: only counted */
	assert_int_equal(ring_buffer__consume(rb), 0);
	assert_int_equal(queries("told.example"), 2);
	ring_buffer__free(rb);
}

/* What a query costs that is not listed, and everything else while there is something listed. */
static void test_cost(void **state)
{
	struct query q, other;

	(void)state;
	begin(&q, V4, 53, 0x0100);
	put_name(&q.f, "www.some-name.example.net");
	frame_32(&q.f, 0x00010001);
	end(&q);
	begin(&other, V4, 54, 0x0100);
	put_name(&other.f, "www.some-name.example.net");
	frame_32(&other.f, 0x00010001);
	end(&other);
	for (int i = 0; i < 4; i++) {
		struct query *of = i % 2 ? &q : &other;
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = of->f.b, .data_size_in = of->f.n,
			    .repeat = 100000);

		ctl->names = i < 2 ? 0 : 3;
		assert_int_equal(
			bpf_prog_test_run_opts(pk_object_prog_fd(bed.o, PK_PROG_TC_OUT), &opts), 0);
		printf("# %s, %s names: %u ns\n", i % 2 ? "query" : "no query",
		       i < 2 ? "without" : "with", opts.duration);
	}
}

static int setup(void **state)
{
	(void)state;
	bed_open_ring(&bed, 1024, false, 0, true);
	ctl = bed_map(&bed, "pk_dns_ctl", sizeof(*ctl));
	lists = bed_map(&bed, "pk_blk_lists", PK_BLK_LISTS * sizeof(*lists));
	*ctl = (struct pk_dns_ctl){ .seed = { 0x1234567, 0x89abcdef }, .rcode = PK_DNS_REFUSED };
	set_mode(LIST, PK_BLK_ENFORCE);
	set_mode(ALLOW, PK_BLK_ENFORCE);
	put("evil.example", LIST, 0);
	put("good.evil.example", 0, ALLOW);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bed_close(&bed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),     cmocka_unit_test(test_names),
		cmocka_unit_test(test_labels),     cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_left_alone), cmocka_unit_test(test_modes),
		cmocka_unit_test(test_record),     cmocka_unit_test(test_cost),
	};

	if (bed_skip())
		return 0;
	return cmocka_run_group_tests(tests, setup, teardown);
}
