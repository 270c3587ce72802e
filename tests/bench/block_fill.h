/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One list, read from its text, in a loaded instance of Picket, in an LPM trie and in a hash map:
 * how long that takes and what memory it is.
 */
#pragma once

#include "block_mix.h"

#include "block/format.h"
#include "block/grace.h"
#include "block/trie.h"
#include "probe/object.h"
#include "probe/verdicts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FILL_BATCH 65536u

struct fill {
	struct pk_object *o;
	struct pk_trie *trie;
	struct pk_blk_ctl *ctl;
	struct pk_blk_list *lists;
	uint32_t chunks;
	double read_ms, picket_ms, hosts_ms, lpm_ms, hash_ms;
	double picket_mib, lpm_mib, hash_mib;
};

struct fill_list {
	struct pk_list_data data;
	bool v6;
};

static inline void fill_die(const char *what, int r)
{
	fprintf(stderr, "bench block: %s: %s\n", what, strerror(-r));
	exit(1);
}

static inline double fill_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* What the kernel charges for a map. */
static inline double fill_mib(int fd)
{
	char path[64], line[256];
	unsigned long long bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		fill_die(path, -errno);
	while (fgets(line, sizeof(line), f))
		(void)sscanf(line, "memlock: %llu", &bytes);
	fclose(f);
	return (double)bytes / (1 << 20);
}

static inline void *fill_map(const struct fill *f, const char *name, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, pk_object_map_fd(f->o, name),
		       0);

	if (p == MAP_FAILED)
		fill_die(name, -errno);
	return p;
}

static inline void fill_open(struct fill *f)
{
	static const char *const progs[] = { PK_PROG_XDP, PK_PROG_SWEEP, PK_PROG_DRAIN, NULL };
	struct pk_object_opts opts = { .slots = 65536, .netns = 1, .progs = progs };
	struct pk_trie_memory mem = { .wait = pk_grace_wait };
	struct pk_knobs knobs;
	int r = pk_object_open(&opts, &f->o);

	if (!r)
		r = pk_object_load(f->o);
	if (r < 0)
		fill_die("load", r);
	/* What passes is beyond the quota of unanswered flows from the start, as in a flood. */
	pk_knobs_default(&knobs, 65536);
	knobs.half_open_max = 0;
	r = pk_object_set_knobs(f->o, &knobs);
	if (r < 0)
		fill_die("knobs", r);
	mem.roots = fill_map(f, "pk_blk_roots", PK_BLK_ROOT_WORDS * sizeof(uint64_t));
	mem.ctl = f->ctl = fill_map(f, "pk_blk_ctl", sizeof(*f->ctl));
	f->lists = fill_map(f, "pk_blk_lists", PK_BLK_LISTS * sizeof(*f->lists));
	r = pk_trie_new(&mem, &f->trie);
	if (r < 0)
		fill_die("trie", r);
}

static inline void fill_switch(struct fill *f, bool on)
{
	f->ctl->have = on ? PK_BLK_HAVE_V4 | PK_BLK_HAVE_V6 : 0;
}

static inline uint64_t fill_dropped(const struct fill *f)
{
	static struct pk_blk_count n[1024]; /* per possible CPU */
	uint32_t list = 0;
	uint64_t sum = 0;
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 1 || cpus > 1024 ||
	    pk_verdicts_drain(pk_object_prog_fd(f->o, PK_PROG_DRAIN), cpus) < 0 ||
	    bpf_map_lookup_elem(pk_object_map_fd(f->o, "pk_blk_cnt"), &list, n))
		fill_die("count", -errno);
	for (int i = 0; i < cpus; i++)
		sum += n[i].in_packets;
	return sum;
}

static inline void fill_read(struct fill *f, const struct mix *m, struct fill_list *ret)
{
	struct pk_list_opts opts = { .max_bytes = 1ull << 32,
				     .max_entries = 1ull << 28,
				     .defaults = { .dir = PK_BLK_IN | PK_BLK_OUT } };
	size_t size = m->n * 50 + 1, len = 0;
	char *text = malloc(size);
	double start;
	int r;

	if (!text)
		fill_die("text", -ENOMEM);
	for (size_t i = 0; i < m->n; i++) {
		mix_text(m, &m->v[i], text + len, size - len);
		len += strlen(text + len);
		text[len++] = '\n';
	}
	start = fill_now_ms();
	r = pk_list_read(text, len, &opts, &ret->data);
	f->read_ms = fill_now_ms() - start;
	if (r < 0 || ret->data.n != m->n)
		fill_die("read", r < 0 ? r : -EINVAL);
	ret->v6 = m->v6;
	free(text);
}

static inline void fill_list_done(struct fill_list *l)
{
	pk_list_data_done(&l->data);
}

static inline void fill_grow(struct fill *f)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	size_t bytes = PK_BLK_CHUNK_LINES * sizeof(union pk_blk_line);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pk_blk_chunk", 4, sizeof(union pk_blk_line),
				PK_BLK_CHUNK_LINES, &opts);
	uint32_t index = f->chunks++;
	void *p;

	if (fd < 0)
		fill_die("chunk", -errno);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED ||
	    bpf_map_update_elem(pk_object_map_fd(f->o, "pk_blk_pool"), &index, &fd, BPF_ANY) ||
	    pk_trie_add_chunk(f->trie, index, p, true))
		fill_die("chunk", -errno);
	f->picket_mib += fill_mib(fd);
	close(fd);
}

/* What the agent does when the list is in force already. */
static inline void fill_hosts(struct fill *f)
{
	double start = fill_now_ms();

	for (uint32_t want = pk_trie_want(f->trie); want; want = pk_trie_want(f->trie))
		for (uint32_t i = 0; i < want; i++)
			fill_grow(f);
	while (pk_trie_step(f->trie))
		;
	f->hosts_ms = fill_now_ms() - start;
}

/* As the agent does: rules that nobody sees yet, one store, then seen for good. */
static inline void fill_picket(struct fill *f, const struct fill_list *l)
{
	static const char *const maps[] = { "pk_blk_pool",  "pk_blk_roots",    "pk_blk_ctl",
					    "pk_blk_lists", "pk_blk_cnt",      "pk_blk_who",
					    "pk_blk_safe",  "pk_blk_safe_map", "pk_rb_block" };
	uint32_t *lines = calloc(l->data.n, sizeof(*lines));
	uint32_t word = PK_BLK_LIST_USED | PK_BLK_ENFORCE << PK_BLK_MODE_SHIFT;
	double start = fill_now_ms();
	int r;
	if (!lines)
		fill_die("lines", -ENOMEM);
	for (size_t i = 0; i < l->data.n; i++) {
		const struct pk_block_entry *e = &l->data.v[i];
		struct pk_trie_rule rule = { .bits = e->bits, .v4 = e->v4, .flags = PK_BLK_SEEN1 };

		memcpy(rule.prefix, e->prefix, sizeof(rule.prefix));
		while ((r = pk_trie_add(f->trie, &rule, &lines[i])) == -ENOSPC)
			fill_grow(f);
		if (r < 0)
			fill_die("add", r);
	}
	f->lists[0].word = word | PK_BLK_LIST_PARITY;
	fill_switch(f, true);
	f->picket_ms = fill_now_ms() - start;
	for (size_t i = 0; i < l->data.n; i++)
		pk_trie_set_flags(f->trie, lines[i], PK_BLK_SEEN0 | PK_BLK_SEEN1);
	free(lines);
	fill_hosts(f);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		f->picket_mib += fill_mib(pk_object_map_fd(f->o, maps[i]));
}

static inline void fill_batch(int fd, const void *keys, const uint32_t *values, uint32_t n)
{
	int r = bpf_map_update_batch(fd, keys, values, &n, NULL);

	if (r < 0)
		fill_die("batch", r);
}

static inline double fill_keys(const struct fill_list *l, int fd, size_t size,
			       void (*put)(void *key, const struct pk_block_entry *e))
{
	static uint32_t values[FILL_BATCH];
	uint8_t *keys = calloc(FILL_BATCH, size);
	double start = fill_now_ms();
	uint32_t n = 0;

	if (!keys)
		fill_die("keys", -ENOMEM);
	for (size_t i = 0; i < l->data.n; i++) {
		put(keys + n * size, &l->data.v[i]);
		values[n++] = (uint32_t)i;
		if (n < FILL_BATCH && i + 1 < l->data.n)
			continue;
		fill_batch(fd, keys, values, n);
		n = 0;
	}
	free(keys);
	return fill_now_ms() - start;
}

static inline void fill_put_lpm4(void *key, const struct pk_block_entry *e)
{
	struct bb_lpm4 *k = key;

	k->bits = e->bits - 96u;
	memcpy(&k->addr, e->prefix + 12, 4);
}
static inline void fill_put_lpm6(void *key, const struct pk_block_entry *e)
{
	struct bb_lpm6 *k = key;

	k->bits = e->bits;
	memcpy(k->addr, e->prefix, 16);
}
static inline void fill_put_hash4(void *key, const struct pk_block_entry *e)
{
	struct bb_hash4 *k = key;

	k->bits = e->bits - 96u;
	memcpy(&k->addr, e->prefix + 12, 4);
}
static inline void fill_put_hash6(void *key, const struct pk_block_entry *e)
{
	struct bb_hash6 *k = key;

	k->bits = e->bits;
	memcpy(k->addr, e->prefix, 16);
}

static inline void fill_lpm(struct fill *f, int fd, const struct fill_list *l)
{
	if (l->v6)
		f->lpm_ms = fill_keys(l, fd, sizeof(struct bb_lpm6), fill_put_lpm6);
	else
		f->lpm_ms = fill_keys(l, fd, sizeof(struct bb_lpm4), fill_put_lpm4);
	f->lpm_mib = fill_mib(fd);
}

static inline void fill_hash(struct fill *f, int fd, const struct fill_list *l)
{
	if (l->v6)
		f->hash_ms = fill_keys(l, fd, sizeof(struct bb_hash6), fill_put_hash6);
	else
		f->hash_ms = fill_keys(l, fd, sizeof(struct bb_hash4), fill_put_hash4);
	f->hash_mib = fill_mib(fd);
}
