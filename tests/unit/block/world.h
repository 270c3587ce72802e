/* SPDX-License-Identifier: Apache-2.0 */
/* What surrounds the block lists: maps in memory that a killed process leaves behind, files, time.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ip.h"
#include "block/block.h"
#include "block/change.h"
#include "block/show.h"
#include "conf/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORLD_CHUNKS 24
#define WORLD_FILE   (256 * 1024)
#define WORLD_KEYS   32
#define WORLD_NAMES  4096

struct world_file {
	size_t len;
	char bytes[WORLD_FILE];
};

/* What is shared with the kernel, or on disk. */
struct world_map {
	uint64_t roots[PK_BLK_ROOT_WORDS];
	struct pk_blk_ctl ctl;
	struct pk_blk_list lists[PK_BLK_LISTS];
	uint32_t chunks;
	struct world_file file[2];
	int file_now; /* of both, the one that counts; -1 none */
	struct world_file changes[2];
	struct {
		struct pk_blk_who_key key;
		uint32_t line;
	} who[WORLD_KEYS];
	_Alignas(64) union pk_blk_line chunk[WORLD_CHUNKS][PK_BLK_CHUNK_LINES];
};

struct world {
	struct world_map *map;
	struct pk_block *block;
	struct pk_conf *conf;
	int64_t now_ms;
	uint64_t boot_ns;
	uint32_t asked; /* chunks */
	uint32_t chunks_max;
	uint64_t save_serial; /* not answered yet; 0 none */
	char save_name[64];
	int save_result, note_result;
	bool held;
	int notices, held_told, excepts;
	char notice[256];
	/* names whose queries are refused */
	struct pk_dns_ctl dns;
	struct {
		struct pk_dns_key key;
		struct pk_dns_name value;
		bool used;
	} refused[WORLD_NAMES];
	size_t n_refused;
	uint64_t container[4], user, cgroup;
	size_t containers;
	bool told;
	struct pk_block_done done;
};

static inline int world_grow(void *arg, uint32_t n)
{
	struct world *w = arg;

	w->asked += n;
	return 0;
}

/* A file is the new one or the old one, never half of it. */
static inline int world_save(void *arg, const char *list, uint64_t serial, int fd)
{
	struct world *w = arg;
	int other = w->map->file_now == 0 ? 1 : 0;
	struct world_file *f = &w->map->file[other];
	ssize_t n = 0;

	w->save_serial = serial;
	(void)snprintf(w->save_name, sizeof(w->save_name), "%s", list);
	if (w->save_result < 0)
		return 0;
	if (fd >= 0) {
		n = pread(fd, f->bytes, sizeof(f->bytes), 0);
		assert_true(n > 0 && n < (ssize_t)sizeof(f->bytes));
		f->len = (size_t)n;
	}
	__atomic_store_n(&w->map->file_now, fd < 0 ? -1 : other, __ATOMIC_RELEASE);
	return 0;
}

static inline int world_journal(void *arg, unsigned file, const void *bytes, size_t n)
{
	struct world *w = arg;
	struct world_file *f = &w->map->changes[file];

	if (w->note_result < 0)
		return w->note_result;
	if (n >= sizeof(f->bytes) - f->len)
		return -ENOSPC;
	if (n)
		memcpy(f->bytes + f->len, bytes, n);
	f->len = n ? f->len + n : 0;
	return 0;
}

static inline void world_hold(void *arg, bool on)
{
	((struct world *)arg)->held = on;
	((struct world *)arg)->held_told++;
}

static inline int world_except(void *arg, const uint8_t addr[16], bool on)
{
	(void)addr;
	((struct world *)arg)->excepts += on ? 1 : -1;
	return 0;
}

static inline uint32_t world_ifindex(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "eth0") == 0 ? 2 : 0;
}

static inline void world_ifname(void *arg, uint32_t ifindex, char ret[16])
{
	(void)arg;
	(void)snprintf(ret, 16, "%s", ifindex == 2 ? "eth0" : "");
}

static inline int world_who(void *arg, const struct pk_blk_who_key *key, uint32_t line)
{
	struct world *w = arg;
	int place = -1;

	for (int i = 0; i < WORLD_KEYS; i++) {
		if (w->map->who[i].line && memcmp(&w->map->who[i].key, key, sizeof(*key)) == 0) {
			w->map->who[i].line = line;
			return 0;
		}
		if (!w->map->who[i].line && place < 0)
			place = i;
	}
	if (!line)
		return 0;
	assert_true(place >= 0);
	w->map->who[place].key = *key;
	w->map->who[place].line = line;
	return 0;
}

static inline int world_refuse(void *arg, const struct pk_dns_key *key,
			       const struct pk_dns_name *value)
{
	struct world *w = arg;
	int place = -1;

	for (int i = 0; i < WORLD_NAMES; i++) {
		if (w->refused[i].used && memcmp(&w->refused[i].key, key, sizeof(*key)) == 0) {
			if (value)
				w->refused[i].value = *value;
			w->refused[i].used = value;
			w->n_refused -= !value;
			return 0;
		}
		if (!w->refused[i].used && place < 0)
			place = i;
	}
	if (!value)
		return -ENOENT;
	assert_true(place >= 0);
	w->refused[place].key = *key;
	w->refused[place].value = *value;
	w->refused[place].used = true;
	w->n_refused++;
	return 0;
}

static inline int world_refused(void *arg, const struct pk_dns_key *key, struct pk_dns_name *ret)
{
	const struct world *w = arg;

	for (int i = 0; i < WORLD_NAMES; i++)
		if (w->refused[i].used && memcmp(&w->refused[i].key, key, sizeof(*key)) == 0) {
			*ret = w->refused[i].value;
			return 0;
		}
	return -ENOENT;
}

static inline void world_drain(void *arg)
{
	(void)arg;
}

static inline int world_count(void *arg, unsigned list, bool reset, struct pk_blk_count *ret)
{
	(void)arg, (void)list, (void)reset;
	memset(ret, 0, sizeof(*ret));
	return 0;
}

static inline int world_container(void *arg, const char *name, uint64_t *ret, size_t max)
{
	const struct world *w = arg;

	if (strcmp(name, "web") != 0 || !w->containers)
		return -ENOENT;
	assert_true(max >= w->containers);
	memcpy(ret, w->container, w->containers * sizeof(*ret));
	return (int)w->containers;
}

static inline int world_cgroup(void *arg, const char *path, uint64_t *ret)
{
	const struct world *w = arg;

	(void)path;
	*ret = w->cgroup;
	return w->cgroup ? 0 : -ENOENT;
}

static inline int world_user(void *arg, const char *name, uint64_t *ret)
{
	const struct world *w = arg;

	(void)name;
	*ret = w->user;
	return 0;
}

static inline void world_notice(void *arg, const char *text)
{
	struct world *w = arg;

	w->notices++;
	(void)snprintf(w->notice, sizeof(w->notice), "%s", text);
}

static inline void world_work(void *arg)
{
	(void)arg;
}

static inline bool world_wait(void *arg)
{
	(void)arg; /* nobody reads */
	return true;
}

static inline void world_done(void *arg, struct pk_block_done *d)
{
	struct world *w = arg;

	pk_block_done_done(&w->done);
	w->done = *d;
	*d = (struct pk_block_done){ 0 };
	w->told = true;
}

static inline struct pk_trie_memory world_memory(struct world *w)
{
	return (struct pk_trie_memory){
		.roots = w->map->roots, .ctl = &w->map->ctl, .wait = world_wait, .arg = w
	};
}

/* An agent begins, on what was left. */
static inline void world_start(struct world *w)
{
	struct pk_block_ops ops = { .grow = world_grow,
				    .save = world_save,
				    .journal = world_journal,
				    .hold = world_hold,
				    .except = world_except,
				    .ifindex = world_ifindex,
				    .ifname = world_ifname,
				    .who = world_who,
				    .refuse = world_refuse,
				    .refused = world_refused,
				    .count = world_count,
				    .drain = world_drain,
				    .container = world_container,
				    .cgroup = world_cgroup,
				    .user = world_user,
				    .notice = world_notice,
				    .work = world_work,
				    .arg = w };
	struct pk_trie_memory m = world_memory(w);

	w->asked = 0;
	w->save_serial = 0;
	assert_int_equal(pk_block_new(w->conf, &ops, &m, w->map->lists, &w->block), 0);
	pk_block_set_dns(w->block, &w->dns);
	for (int i = 0; i < WORLD_NAMES; i++)
		if (w->refused[i].used)
			assert_int_equal(pk_block_add_refused(w->block, &w->refused[i].key), 0);
	for (uint32_t i = 0; i < w->map->chunks; i++)
		assert_int_equal(pk_block_add_chunk(w->block, i, w->map->chunk[i]), 0);
	if (w->map->file_now >= 0) {
		struct world_file *f = &w->map->file[w->map->file_now];

		(void)pk_block_add_saved(w->block, "feed", false, f->bytes, f->len);
	}
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pk_block_add_journal(w->block, i, w->map->changes[i].bytes,
						      w->map->changes[i].len),
				 0);
	for (int i = 0; i < WORLD_KEYS; i++)
		if (w->map->who[i].line)
			assert_int_equal(pk_block_add_who(w->block, &w->map->who[i].key,
							  w->map->who[i].line),
					 0);
	assert_int_equal(pk_block_start(w->block, w->now_ms, w->boot_ns), 0);
}

/* The broker's answers. */
static inline void world_answer(struct world *w)
{
	uint64_t serial = w->save_serial;

	for (; w->asked && w->map->chunks < w->chunks_max; w->asked--) {
		uint32_t i = w->map->chunks++;

		assert_int_equal(pk_block_add_chunk(w->block, i, w->map->chunk[i]), 0);
	}
	if (w->asked) {
		w->asked = 0;
		pk_block_grow_failed(w->block, -ENOSPC);
	}
	w->save_serial = 0;
	if (serial)
		pk_block_saved(w->block, w->save_name, serial, w->save_result);
}

static inline void world_pass(struct world *w, int64_t ms)
{
	w->now_ms += ms;
	w->boot_ns += (uint64_t)ms * 1000000;
	pk_block_tick(w->block, w->now_ms, w->boot_ns);
}

/* Until nothing is left to do now; what is to be saved soon is saved. */
static inline void world_settle(struct world *w)
{
	for (int i = 0; i < 400; i++) {
		bool more = pk_block_step(w->block, 50000000);

		more |= w->asked || w->save_serial;
		world_answer(w);
		if (!more && i > 120)
			return;
		if (!more)
			world_pass(w, 10);
	}
}

static inline void world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->map = mmap(NULL, sizeof(*w->map), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(w->map != MAP_FAILED);
	w->map->file_now = -1;
	w->conf = pk_conf_new();
	w->chunks_max = WORLD_CHUNKS;
	w->now_ms = 1700000000000;
	w->boot_ns = 1000000000000ull;
	w->user = 1000;
	assert_non_null(w->conf);
}

static inline void world_close(struct world *w)
{
	pk_block_free(w->block);
	pk_block_done_done(&w->done);
	pk_conf_free(w->conf);
	munmap(w->map, sizeof(*w->map));
}

static inline void world_restart(struct world *w)
{
	pk_block_free(w->block);
	world_start(w);
}

static inline void world_addr(const char *s, uint8_t ret[16])
{
	assert_int_equal(pk_ip_parse(s, ret), 0);
}

static inline struct pk_block_entry world_entry(const char *cidr)
{
	struct pk_block_entry e = { .dir = PK_BLK_IN | PK_BLK_OUT };
	unsigned bits = 0;

	assert_int_equal(pk_ip_parse_cidr(cidr, e.prefix, &bits), 0);
	e.bits = (uint8_t)bits;
	e.v4 = strchr(cidr, '.') != NULL;
	return e;
}

static inline void world_read(struct world *w, const char *text, struct pk_list_data *ret)
{
	struct pk_list_opts o = { .max_bytes = 1 << 26,
				  .max_entries = 10000000,
				  .format = strncmp(text, "picket-list", 11) == 0 ? PK_LIST_PICKET
										  : PK_LIST_AUTO,
				  .now_ms = w->now_ms };

	o.defaults.dir = PK_BLK_IN | PK_BLK_OUT;
	assert_int_equal(pk_list_read(text, strlen(text), &o, ret), 0);
}

static inline void world_ask_load(struct world *w, const struct pk_block_ask *ask, const char *text)
{
	struct pk_list_data d = { 0 };

	world_read(w, text, &d);
	w->told = false;
	pk_block_load(w->block, ask, &d, world_done, w);
}

/* What it does when it looks at the brief of the first rule alone; false: it looks further. */
static inline bool world_drops_at_once(const struct world *w, uint32_t line)
{
	const uint8_t *briefs = (const uint8_t *)w->map->chunk[line >> PK_BLK_CHUNK_SHIFT];
	uint8_t brief = briefs[line & (PK_BLK_CHUNK_LINES - 1)];
	uint32_t list = (brief & 0x7fu) - 1, word;

	if (!line || list >= 126)
		return false;
	word = w->map->lists[list].word & ~PK_BLK_LIST_PARITY;
	return word == (PK_BLK_LIST_USED | PK_BLK_ENFORCE << PK_BLK_MODE_SHIFT) &&
	       (!(brief & 0x80) || !(w->map->ctl.have & PK_BLK_HAVE_ALLOW));
}

/* What the kernel does with a packet from there: by what lies in the maps, and nothing else. */
static inline bool world_drops(const struct world *w, const struct pk_trie *t,
			       const uint8_t addr[16])
{
	uint32_t line = pk_trie_lookup(t, addr);
	bool at_once = world_drops_at_once(w, line);

	for (int n = 0; line && n < (int)PK_BLK_CHAIN_MAX; n++) {
		const struct pk_blk_rule *r = pk_trie_rule(t, line);
		uint32_t word = w->map->lists[r->list].word;
		const struct pk_blk_cond *c = pk_trie_cond(t, line);

		if (!(r->flags & PK_BLK_EMPTY) && word & PK_BLK_LIST_USED &&
		    r->flags & (word & PK_BLK_LIST_PARITY ? PK_BLK_SEEN1 : PK_BLK_SEEN0) &&
		    !(word & PK_BLK_LIST_ALLOW) &&
		    (word & PK_BLK_LIST_MODE) == PK_BLK_ENFORCE << PK_BLK_MODE_SHIFT &&
		    (!c || !c->expires_ns || c->expires_ns > w->boot_ns))
			return true;
		line = r->next;
	}
	assert_false(at_once); /* the brief promised what no rule holds */
	return false;
}

static inline enum pk_block_verdict world_verdict(struct world *w, const char *addr)
{
	struct pk_block_query q = { .dir = PK_BLK_IN };
	struct pk_block_answer a;

	world_addr(addr, q.addr);
	pk_block_check(w->block, &q, &a);
	return a.verdict;
}

static inline void world_safe(struct world *w, const char *cidr, uint32_t kinds)
{
	struct pk_blk_safe_key k = { 0 };
	unsigned bits = 0;

	assert_int_equal(pk_ip_parse_cidr(cidr, k.addr, &bits), 0);
	k.bits = bits;
	assert_int_equal(pk_block_safe(w->block, &k, kinds), 0);
}
