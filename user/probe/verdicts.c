/* SPDX-License-Identifier: Apache-2.0 */
/* Looks into and writes to maps by descriptor: no capability is needed for that. */
#include "probe/verdicts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define DRAIN_TRIES 1000 /* a packet is counted in less time than it takes to ask */

int pk_verdicts_cpus(void)
{
	return libbpf_num_possible_cpus();
}

int pk_verdicts_count(int fd, unsigned list, struct pk_blk_count *scratch, int cpus,
		      struct pk_blk_count *ret)
{
	uint32_t key = list;
	int r = bpf_map_lookup_elem(fd, &key, scratch);

	memset(ret, 0, sizeof(*ret));
	for (int i = 0; r == 0 && i < cpus; i++)
		for (size_t k = 0; k < sizeof(*ret) / sizeof(uint64_t); k++)
			((uint64_t *)ret)[k] += ((const uint64_t *)&scratch[i])[k];
	return r;
}

int pk_verdicts_count_anew(int fd, unsigned list, struct pk_blk_count *scratch, int cpus)
{
	uint32_t key = list;

	memset(scratch, 0, (size_t)cpus * sizeof(*scratch));
	return bpf_map_update_elem(fd, &key, scratch, BPF_ANY);
}

static int drain_one(int prog_fd, int cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = (uint32_t)cpu);

	for (int i = 0; i < DRAIN_TRIES; i++) {
		int r = bpf_prog_test_run_opts(prog_fd, &o);

		if (r < 0)
			return r;
		if (!o.retval)
			return 0;
	}
	return -EBUSY;
}

int pk_verdicts_drain(int prog_fd, int cpus)
{
	int r = 0;

	for (int i = 0; i < cpus; i++) {
		int one = drain_one(prog_fd, i);

		if (one < 0 && one != -ENXIO && r != -EBUSY)
			r = one;
	}
	return r;
}

int pk_verdicts_set_who(int fd, const struct pk_blk_who_key *key, uint32_t line)
{
	struct pk_blk_who w = { .line = line };
	int r = line ? bpf_map_update_elem(fd, key, &w, BPF_ANY) : bpf_map_delete_elem(fd, key);

	return r == -ENOENT && !line ? 0 : r;
}

int pk_verdicts_each_who(int fd,
			 void (*each)(void *arg, const struct pk_blk_who_key *key, uint32_t line),
			 void *arg)
{
	struct pk_blk_who_key key, next, *last = NULL;
	struct pk_blk_who w;

	while (bpf_map_get_next_key(fd, last, &next) == 0) {
		key = next;
		last = &key;
		if (bpf_map_lookup_elem(fd, &key, &w) == 0)
			each(arg, &key, w.line);
	}
	return 0;
}

int pk_verdicts_set_name(int fd, const struct pk_dns_key *key, const struct pk_dns_name *value)
{
	int r = value ? bpf_map_update_elem(fd, key, value, BPF_ANY) : bpf_map_delete_elem(fd, key);

	return r == -ENOENT && !value ? 0 : r;
}

int pk_verdicts_get_name(int fd, const struct pk_dns_key *key, struct pk_dns_name *ret)
{
	return bpf_map_lookup_elem(fd, key, ret);
}

int pk_verdicts_each_name(int fd, void (*each)(void *arg, const struct pk_dns_key *key), void *arg)
{
	struct pk_dns_key key, next, *last = NULL;

	while (bpf_map_get_next_key(fd, last, &next) == 0) {
		key = next;
		last = &key;
		each(arg, &key);
	}
	return 0;
}
