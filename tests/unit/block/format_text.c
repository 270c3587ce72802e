/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real lists, counted by others: reference/cidr-lists-expected.derived.tsv of the corpora has what
 * Python's ipaddress makes of each.
 */
#include "list.h"

#include <stdlib.h>

#define COLUMNS 13

enum {
	FILE_NAME,
	ENTRIES,
	V4_HOSTS,
	V4_NETS,
	V6_HOSTS,
	V6_NETS,
	NOT_IP,
	DUPLICATES,
	HOST_BITS,
	SPACES,
	V4_COLLAPSED,
	V4_ADDRESSES,
	V6_COLLAPSED
};

/* Prefixes that are left when covered ones are gone and halves are joined, as
 * ipaddress.collapse_addresses() does it; and the addresses in them (IPv4). v is in order. */
static size_t collapsed(const struct pk_block_entry *v, size_t n, bool v4, uint64_t *ret_addresses)
{
	struct pk_block_entry *stack = calloc(n + 1, sizeof(*stack));
	size_t top = 0;

	assert_non_null(stack);
	*ret_addresses = 0;
	for (size_t i = 0; i < n; i++) {
		struct pk_block_entry e = v[i], *last = top ? &stack[top - 1] : NULL;

		if (e.v4 != v4 || e.port_hi)
			continue;
		if (last && last->bits <= e.bits) {
			uint8_t p[16];

			memcpy(p, e.prefix, 16);
			for (unsigned b = last->bits; b < 128; b++)
				p[b / 8] &= (uint8_t) ~(0x80 >> b % 8);
			if (memcmp(p, last->prefix, 16) == 0)
				continue;
		}
		stack[top++] = e;
		while (top > 1) {
			struct pk_block_entry *a = &stack[top - 2], *b = &stack[top - 1];
			unsigned bit = a->bits - 1u;
			uint8_t p[16];

			if (a->bits != b->bits || !a->bits)
				break;
			memcpy(p, b->prefix, 16);
			p[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			if (memcmp(p, a->prefix, 16) != 0 || a->prefix[bit / 8] & 0x80 >> bit % 8)
				break;
			a->bits--;
			top--;
		}
	}
	for (size_t i = 0; i < top && v4; i++)
		*ret_addresses += 1ull << (128 - stack[i].bits);
	free(stack);
	return top;
}

static void count(const struct pk_list_data *d, uint64_t got[COLUMNS])
{
	uint64_t unused;

	memset(got, 0, COLUMNS * sizeof(*got));
	for (size_t i = 0; i < d->n; i++) {
		const struct pk_block_entry *e = &d->v[i];

		if (!e->port_hi)
			got[(e->v4 ? V4_HOSTS : V6_HOSTS) + (e->bits != 128)]++;
	}
	got[HOST_BITS] = d->host_bits;
	got[DUPLICATES] = d->doubles;
	got[V4_COLLAPSED] = collapsed(d->v, d->n, true, &got[V4_ADDRESSES]);
	got[V6_COLLAPSED] = collapsed(d->v, d->n, false, &unused);
}

static char *bytes_of(const char *name, size_t *ret_len)
{
	static const char *const folders[] = { "blocklists", "misp-warninglists" };

	for (size_t i = 0; i < PK_ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = NULL;
		char *bytes;

		assert_true(asprintf(&path, "%s/%s", folders[i], name) > 0);
		bytes = corpus_file(path, ret_len);
		if (bytes)
			return bytes;
	}
	fail_msg("%s is in the table and in no folder", name);
	return NULL;
}

/* Doubles are in the table's counts of hosts and nets, and not in ours. */
static void check_row(const char *name, const uint64_t want[COLUMNS])
{
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);
	uint64_t got[COLUMNS], hosts_nets = 0, wanted = 0;
	size_t len = 0;
	_cleanup_free_ char *bytes = bytes_of(name, &len);
	bool has_others = strstr(name, "crypto_mining"); /* addresses with ports, names, a URL */
	struct pk_list_data d;

	o.skip_bad = has_others;
	if (pk_list_read(bytes, len, &o, &d) < 0)
		fail_msg("%s: line %d: %s", name, d.n_bad ? (int)d.bad[0].line : -1,
			 d.n_bad ? d.bad[0].reason : "?");
	count(&d, got);
	for (int i = V4_HOSTS; i <= V6_NETS; i++) {
		hosts_nets += got[i];
		wanted += want[i];
	}
	if (has_others) {
		assert_int_equal(hosts_nets, wanted);
	} else {
		assert_int_equal(d.read, wanted);
		assert_int_equal(hosts_nets, wanted - want[DUPLICATES]);
		assert_int_equal(got[DUPLICATES], want[DUPLICATES]);
		assert_int_equal(d.bad_total, 0);
	}
	for (int i = 0; i < COLUMNS; i++)
		if ((i == HOST_BITS || i >= V4_COLLAPSED) && got[i] != want[i])
			fail_msg("%s, column %d: %llu, expected %llu", name, i + 1,
				 (unsigned long long)got[i], (unsigned long long)want[i]);
	pk_list_data_done(&d);
}

static void test_expected_counts(void **state)
{
	size_t len, rows = 0;
	_cleanup_free_ char *table = corpus_file("reference/cidr-lists-expected.derived.tsv", &len);
	char *line, *rest = table;

	(void)state;
	if (!table)
		skip();
	(void)strsep(&rest, "\n"); /* the header */
	while ((line = strsep(&rest, "\n")) && *line) {
		uint64_t want[COLUMNS] = { 0 };
		const char *name = strsep(&line, "\t"), *field;

		for (int i = 1; (field = strsep(&line, "\t")) && i < COLUMNS; i++)
			want[i] = strtoull(field, NULL, 10);
		check_row(name, want);
		rows++;
	}
	printf("# %zu lists\n", rows);
	assert_in_range(rows, 10, 1000);
}

/* Lists without addresses: names, hashes, URLs. */
static void test_lists_without_addresses(void **state)
{
	static const struct {
		const char *name;
		size_t names;
		uint64_t ignored;
	} lists[] = {
		{ "cps__abuse-ch-malware.intel", 0, 828 },
		{ "cps__abuse-ch-urlhaus.intel", 0, 0 },
		{ "cps__doh-domains.intel", 1425, 0 },
		{ "cps__drb_ra_domain.intel", 61, 0 },
		{ "cps__openphish.intel", 0, 300 },
		{ "maltrail__trails__static__suspicious__dynamic_domain.txt", 2035, 0 },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(lists); i++) {
		struct pk_list_opts o = list_opts(PK_LIST_AUTO);
		_cleanup_free_ char *bytes = NULL, *path = NULL;
		struct pk_list_data d;
		size_t len;

		assert_true(asprintf(&path, "blocklists/%s", lists[i].name) > 0);
		bytes = corpus_file(path, &len);
		if (!bytes)
			skip();
		assert_int_equal(pk_list_read(bytes, len, &o, &d), 0);
		assert_int_equal(d.n, 0);
		assert_int_equal(d.n_names, lists[i].names);
		assert_int_equal(d.ignored, lists[i].ignored);
		pk_list_data_done(&d);
	}
}

static void test_trailing_comment_is_reason(void **state)
{
	static const char text[] = "192.0.2.1 # ----\n192.0.2.2 ;; two words \n192.0.2.3#x\n";
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);
	_cleanup_free_ char *shown = NULL;
	struct pk_list_data d;

	(void)state;
	assert_int_equal(pk_list_read(text, strlen(text), &o, &d), 0);
	shown = list_shown(&d);
	assert_string_equal(shown, "192.0.2.1\n192.0.2.2 reason=\"two words\"\n"
				   "192.0.2.3 reason=\"x\"\n");
	pk_list_data_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expected_counts),
		cmocka_unit_test(test_lists_without_addresses),
		cmocka_unit_test(test_trailing_comment_is_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
