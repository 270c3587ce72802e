/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block lists by size: ns per packet of Picket's program and of what else could hold the entries,
 * load time and memory, for misses and hits from random sources (block_mix.h). Rounds alternate
 * between all cases, each on addresses of its own; the median counts, quartiles are beside it.
 * ROUNDS in the environment sets how many, SIZES and CASES (a bit for each) which.
 */
#include "../bpf/frame.h"
#include "block_fill.h"
#include "block_mix.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#define ROUNDS_MAX 64

static struct size {
	const char *name;
	size_t n;
	bool v6;
	struct mix mix;
	struct fill fill;
	struct bpf_object *aid;
	struct bb_state *state;
	struct bb_addr *row;
	struct frame frame;
	bool on;
} sizes[] = {
	{ .name = "10", .n = 10 },        { .name = "1k", .n = 1000 },
	{ .name = "100k", .n = 100000 },  { .name = "1M", .n = 1000000 },
	{ .name = "10M", .n = 10000000 }, { .name = "1M IPv6", .n = 1000000, .v6 = true },
};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))
enum { SIZE_10 = 0, SIZE_1M = 3 };

/* What runs behind the wrapper. BARE is what the wrapper costs, with a bare XDP_PASS. */
enum kase { BARE, UNLISTED, PICKET, LOOKUP, FLOOR, LPM, HASH, HOSTS, KASES };
static const struct {
	const char *name;
	uint32_t target;
	uint32_t packets; /* fewer for what takes microseconds */
} kases[KASES] = {
	[BARE] = { "wrapper and bare XDP_PASS", BB_TO_PASS, BB_ROW },
	[UNLISTED] = { "Picket without lists", BB_TO_PICKET, BB_ROW },
	[PICKET] = { "Picket", BB_TO_PICKET, BB_ROW },
	[LOOKUP] = { "its lookup, small parser", BB_TO_LOOKUP, BB_ROW },
	[FLOOR] = { "one line an entry, read alone", BB_TO_FLOOR, BB_ROW },
	[LPM] = { "LPM trie, small parser", BB_TO_LPM, BB_ROW / 4 },
	[HASH] = { "hash map, all lengths", BB_TO_HASH, BB_ROW / 8 },
	[HOSTS] = { "hash map, hosts only", BB_TO_HOSTS, BB_ROW },
};
enum { MISS, HIT, KINDS };
static const char *const kinds[KINDS] = { "miss", "hit" };
static unsigned on = ~0u; /* cases */
static double ns[SIZES][KINDS][KASES][ROUNDS_MAX];

static int fd_of(const struct size *s, const char *map)
{
	return bpf_object__find_map_fd_by_name(s->aid, map);
}

static int prog_of(const struct size *s, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(s->aid, name));
}

static void aim(const struct size *s, uint32_t target, int fd)
{
	if (fd < 0 || bpf_map_update_elem(fd_of(s, "targets"), &target, &fd, BPF_ANY))
		fill_die("tail call", -errno);
}

static void make_frame(struct size *s)
{
	struct frame *f = &s->frame;

	frame_eth(f, s->v6 ? 0x86dd : 0x0800);
	if (s->v6)
		frame_ip6(f, 17, 1, 2);
	else
		frame_ip4(f, 17, 0x0a000001, 0xc0000201);
	frame_udp(f, 1024, 443);
	frame_fill(f, 12);
	frame_end(f);
}

static void set_size(const struct size *s, const char *name, size_t n)
{
	struct bpf_map *m = bpf_object__find_map_by_name(s->aid, name);
	int r = bpf_map__set_max_entries(m, n ? (uint32_t)n : 1);

	if (r < 0)
		fill_die(name, r);
}

static void reuse(const struct size *s, const char *name)
{
	int r = bpf_map__reuse_fd(bpf_object__find_map_by_name(s->aid, name),
				  pk_object_map_fd(s->fill.o, name));

	if (r < 0)
		fill_die(name, r);
}

static void open_aid(struct size *s)
{
	const char *dir = getenv("PICKET_BUILD");
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%s/tests/bench/block.bpf.o", dir ? dir : "build");
	s->aid = bpf_object__open(path);
	if (!s->aid)
		fill_die(path, -errno);
	set_size(s, s->v6 ? "lpm6" : "lpm4", s->n);
	set_size(s, s->v6 ? "hash6" : "hash4", s->n);
	set_size(s, "lines", s->n);
	reuse(s, "pk_blk_pool");
	reuse(s, "pk_blk_roots");
	reuse(s, "pk_blk_ctl");
	r = bpf_object__load(s->aid);
	if (r < 0)
		fill_die("load block.bpf.o", r);
	s->row = mmap(NULL, BB_ROW * sizeof(*s->row), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd_of(s, "row"), 0);
	s->state = mmap(NULL, sizeof(*s->state), PROT_READ | PROT_WRITE, MAP_SHARED,
			fd_of(s, ".data"), 0);
	if (s->row == MAP_FAILED || s->state == MAP_FAILED)
		fill_die("mmap", -errno);
	aim(s, BB_TO_PASS, prog_of(s, "bb_pass"));
	aim(s, BB_TO_PICKET, pk_object_prog_fd(s->fill.o, PK_PROG_XDP));
	aim(s, BB_TO_LOOKUP, prog_of(s, "bb_lookup"));
	aim(s, BB_TO_FLOOR, prog_of(s, "bb_floor"));
	aim(s, BB_TO_LPM, prog_of(s, "bb_lpm"));
	aim(s, BB_TO_HASH, prog_of(s, "bb_hash"));
	aim(s, BB_TO_HOSTS, prog_of(s, "bb_hosts"));
}

static void set_lengths(struct size *s)
{
	bool there[129] = { false };

	for (size_t i = 0; i < s->mix.n; i++)
		there[s->mix.v[i].bits] = true;
	s->state->v6 = s->v6;
	s->state->n_lines = (uint32_t)s->n;
	for (int bits = 128; bits >= 0; bits--)
		if (there[bits])
			s->state->length[s->state->n_lengths++] = (uint8_t)bits;
}

static void setup(struct size *s)
{
	struct fill_list list;

	mix_make(&s->mix, s->n, s->v6);
	fill_open(&s->fill);
	open_aid(s);
	set_lengths(s);
	make_frame(s);
	fill_read(&s->fill, &s->mix, &list);
	fill_picket(&s->fill, &list);
	fill_lpm(&s->fill, fd_of(s, s->v6 ? "lpm6" : "lpm4"), &list);
	fill_hash(&s->fill, fd_of(s, s->v6 ? "hash6" : "hash4"), &list);
	fill_list_done(&list);
}

/* Every structure must say the same of every address. */
static void check(const struct size *s, int kind, enum kase k, uint64_t hits)
{
	uint64_t want =
		kind == HIT && k != BARE && k != UNLISTED && k != FLOOR ? kases[k].packets : 0;

	if (k == HOSTS ? hits <= want : hits == want)
		return;
	fprintf(stderr, "bench block: %s, %s, %s: %llu of %u dropped\n", s->name, kinds[kind],
		kases[k].name, (unsigned long long)hits, kases[k].packets);
	exit(1);
}

static double run(struct size *s, enum kase k, uint32_t packets)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = s->frame.b, .data_size_in = s->frame.n,
		    .repeat = (int)packets);
	int r;

	s->state->target = kases[k].target;
	fill_switch(&s->fill, k != UNLISTED);
	r = bpf_prog_test_run_opts(prog_of(s, "bb_wrap"), &o);
	if (r < 0 || !o.retval)
		fill_die("run", r < 0 ? r : -EINVAL);
	return o.duration;
}

/*
 * The first packets of a row are not timed: of the first thousand rules that are hit in a second
 * Picket tells, which a round of 20 ms would pay for as if that were each packet's part.
 */
static double measure(struct size *s, int kind, enum kase k)
{
	uint64_t before = fill_dropped(&s->fill);
	double each;

	s->state->at = 0;
	s->state->hits = 0;
	(void)run(s, k, BB_FIRST);
	each = run(s, k, kases[k].packets - BB_FIRST);
	check(s, kind, k,
	      kases[k].target == BB_TO_PICKET ? fill_dropped(&s->fill) - before : s->state->hits);
	return each;
}

static void round_of(struct size *s, int kind, int round)
{
	for (uint32_t i = 0; i < BB_ROW; i++)
		s->row[i] = kind == HIT ? mix_hit(&s->mix) : mix_miss(&s->mix);
	for (int k = 0; k < KASES; k++)
		if (on >> k & 1)
			ns[s - sizes][kind][k][round] = measure(s, kind, k);
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* A case of a round without the wrapper of that round: what the program adds to a bare pass. */
static void above_bare(int rounds)
{
	for (size_t s = 0; s < SIZES; s++)
		for (int kind = 0; kind < KINDS; kind++)
			for (int k = KASES - 1; k >= 0; k--) {
				double *v = ns[s][kind][k];

				for (int i = 0; i < rounds && k != BARE; i++)
					v[i] -= ns[s][kind][BARE][i];
				if (k != BARE)
					qsort(v, (size_t)rounds, sizeof(*v), by_size);
			}
}

static double mid(size_t s, int kind, enum kase k, int rounds)
{
	return ns[s][kind][k][rounds / 2];
}

static void head(const char *what)
{
	printf("\n%-32s", what);
	for (size_t s = 0; s < SIZES; s++)
		if (sizes[s].on)
			printf(" %16s", sizes[s].name);
	printf("\n");
}

static void print_ns(int rounds)
{
	char cell[64];

	for (int kind = 0; kind < KINDS; kind++) {
		snprintf(cell, sizeof(cell), "ns per packet, %s", kinds[kind]);
		head(cell);
		for (int k = UNLISTED; k < KASES; k++) {
			if (!(on >> k & 1))
				continue;
			printf("%-32s", kases[k].name);
			for (size_t s = 0; s < SIZES; s++) {
				const double *v = ns[s][kind][k];

				snprintf(cell, sizeof(cell), "%.0f (%.0f-%.0f)", v[rounds / 2],
					 v[rounds / 4], v[rounds * 3 / 4]);
				if (sizes[s].on)
					printf(" %16s", cell);
			}
			printf("\n");
		}
	}
}

static void print_row(const char *name, double (*get)(const struct fill *f))
{
	printf("%-32s", name);
	for (size_t s = 0; s < SIZES; s++)
		if (sizes[s].on)
			printf(" %16.*f", get(&sizes[s].fill) < 10 ? 2 : 0, get(&sizes[s].fill));
	printf("\n");
}

static double read_ms(const struct fill *f)
{
	return f->read_ms;
}
static double picket_ms(const struct fill *f)
{
	return f->picket_ms;
}
static double hosts_ms(const struct fill *f)
{
	return f->hosts_ms;
}
static double lpm_ms(const struct fill *f)
{
	return f->lpm_ms;
}
static double hash_ms(const struct fill *f)
{
	return f->hash_ms;
}
static double picket_mib(const struct fill *f)
{
	return f->picket_mib;
}
static double lpm_mib(const struct fill *f)
{
	return f->lpm_mib;
}
static double hash_mib(const struct fill *f)
{
	return f->hash_mib;
}

static void print_load(void)
{
	head("load, ms");
	print_row("reading the file (all of them)", read_ms);
	print_row("then into Picket's trie", picket_ms);
	print_row("in force, then into its table", hosts_ms);
	print_row("then into an LPM trie, batches", lpm_ms);
	print_row("then into a hash map, batches", hash_ms);
	head("memory, MiB, as the kernel says");
	print_row("Picket, all its block maps", picket_mib);
	print_row("LPM trie (inner nodes not told)", lpm_mib);
	print_row("hash map", hash_mib);
}

/* The bare XDP_PASS alone: what all programs have in common. */
static double bare_ns(const struct size *s)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = s->frame.b, .data_size_in = s->frame.n,
		    .repeat = 1000000);
	double best = 1e9;

	for (int i = 0; i < 5; i++) {
		if (bpf_prog_test_run_opts(prog_of(s, "bb_pass"), &o))
			fill_die("run", -errno);
		best = o.duration < best ? o.duration : best;
	}
	return best;
}

/* They compare two sizes: said only of what was measured. */
static void print_goals(int rounds)
{
	static const enum kase whole[] = { PICKET, LOOKUP };
	double bare;

	if (!sizes[SIZE_10].on || !sizes[SIZE_1M].on)
		return;
	bare = bare_ns(&sizes[SIZE_10]);
	printf("\n");
	for (size_t i = 0; i < 2; i++)
		for (int kind = 0; kind < KINDS && on >> whole[i] & 1; kind++)
			printf("%s, %s, 1M : 10 entries: %.2f, and with the bare XDP_PASS in both "
			       "%.2f%s\n",
			       kases[whole[i]].name, kinds[kind],
			       mid(SIZE_1M, kind, whole[i], rounds) /
				       mid(SIZE_10, kind, whole[i], rounds),
			       (mid(SIZE_1M, kind, whole[i], rounds) + bare) /
				       (mid(SIZE_10, kind, whole[i], rounds) + bare),
			       i ? "" : " (goal: at most 1.5)");
}

int main(void)
{
	const char *env = getenv("ROUNDS"), *which = getenv("SIZES"), *what = getenv("CASES");
	int rounds = env ? atoi(env) : 7;
	unsigned mask = which ? (unsigned)strtoul(which, NULL, 0) : ~0u;

	on = what ? (unsigned)strtoul(what, NULL, 0) | 1u << BARE : ~0u;
	if (rounds < 1 || rounds > ROUNDS_MAX)
		fill_die("ROUNDS", -EINVAL);
	for (size_t s = 0; s < SIZES; s++) {
		sizes[s].on = mask >> s & 1;
		if (sizes[s].on)
			setup(&sizes[s]);
	}
	for (int i = 0; i < rounds; i++)
		for (size_t s = 0; s < SIZES; s++)
			for (int kind = 0; kind < KINDS && sizes[s].on; kind++)
				round_of(&sizes[s], kind, i);
	above_bare(rounds);
	print_ns(rounds);
	print_load();
	print_goals(rounds);
	return 0;
}
