/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the counter maps. It keeps nothing and changes nothing but what agg_remove removes. */
#include "probe/counters.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define BATCH 1024

static int read_percpu(int fd, uint32_t keys, size_t words, unsigned cpus, uint64_t *out)
{
	_cleanup_free_ uint64_t *v = calloc(cpus, words * sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (uint32_t k = 0; k < keys; k++) {
		if (bpf_map_lookup_elem(fd, &k, v) < 0)
			return -errno;
		for (size_t w = 0; w < words; w++) {
			uint64_t sum = 0;

			for (unsigned c = 0; c < cpus; c++)
				sum += v[c * words + w];
			out[k * words + w] = sum;
		}
	}
	return 0;
}

int pk_counters_read(int pkt_fd, int ev_fd, int use_fd, unsigned cpus, struct pk_counters *c)
{
	uint32_t zero = 0;
	int r, e = 0;

	r = read_percpu(pkt_fd, PK_HOOK_PKT_MAX, PK_PKT_COUNT_MAX, cpus, &c->pkt[0][0]);
	e = r < 0 ? r : e;
	r = read_percpu(ev_fd, PK_EH_MAX, sizeof(struct pk_event_count) / 8, cpus,
			(uint64_t *)c->ev);
	e = r < 0 ? r : e;
	return bpf_map_lookup_elem(use_fd, &zero, &c->use) < 0 ? -errno : e;
}

int pk_counters_samples(int fd, unsigned cpus, struct pk_sample_count out[PK_ROW_MAX])
{
	return read_percpu(fd, PK_ROW_MAX, sizeof(*out) / 8, cpus, (uint64_t *)out);
}

/* Copies everything first: fn may take its time, and a batch must not grow old. */
int pk_counters_aggs(int fd, pk_agg_fn fn, void *arg)
{
	_cleanup_free_ struct pk_agg_key *key = malloc(BATCH * sizeof(*key));
	_cleanup_free_ struct pk_agg *agg = malloc(BATCH * sizeof(*agg));
	uint64_t in = 0, out = 0;
	bool first = true;
	int total = 0, r;

	if (!key || !agg)
		return -ENOMEM;
	do {
		uint32_t n = BATCH;

		r = bpf_map_lookup_batch(fd, first ? NULL : &in, &out, key, agg, &n, NULL);
		if (r < 0 && errno != ENOENT)
			return -errno;
		for (uint32_t i = 0; i < n; i++)
			fn(arg, &key[i], &agg[i]);
		total += n;
		in = out;
		first = false;
	} while (r == 0 && total < 1 << 20);
	return total;
}

int pk_counters_agg_remove(int fd, const struct pk_agg_key *key, struct pk_agg *ret_last)
{
	return bpf_map_lookup_and_delete_elem(fd, key, ret_last) < 0 ? -errno : 0;
}

int pk_counters_agg_rest(int fd, struct pk_agg ret_sums[256])
{
	for (uint32_t k = 0; k < 256; k++)
		if (bpf_map_lookup_elem(fd, &k, &ret_sums[k]) < 0)
			return -errno;
	return 0;
}

int pk_counters_knobs(int fd, struct pk_knobs *ret_knobs)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(fd, &zero, ret_knobs) < 0 ? -errno : 0;
}
