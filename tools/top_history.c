/* SPDX-License-Identifier: Apache-2.0 */
/* Rings of samples in a fixed number of places; a JSON object of ids finds them. */
#include "top_history.h"

#include "base/cleanup.h"

#include <jansson.h>

struct ring {
	float out[PK_TOP_SAMPLES], in[PK_TOP_SAMPLES];
	uint64_t n; /* ever added; the latest are kept */
	uint64_t snapshot;
};

struct pk_top_history {
	json_t *place; /* id: index */
	size_t hint;   /* where a free place was found last */
	struct ring *ring[PK_TOP_KEPT_MAX];
};

struct pk_top_history *pk_top_history_new(void)
{
	struct pk_top_history *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->place = json_object();
	if (h->place)
		return h;
	free(h);
	return NULL;
}

void pk_top_history_free(struct pk_top_history *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < PK_TOP_KEPT_MAX; i++)
		free(h->ring[i]);
	json_decref(h->place);
	free(h);
}

static struct ring *find(const struct pk_top_history *h, const char *id)
{
	json_t *at = json_object_get(h->place, id);

	return at ? h->ring[json_integer_value(at)] : NULL;
}

static struct ring *make(struct pk_top_history *h, const char *id)
{
	size_t i = h->hint;

	if (json_object_size(h->place) >= PK_TOP_KEPT_MAX)
		return NULL;
	while (h->ring[i])
		i = (i + 1) % PK_TOP_KEPT_MAX;
	h->hint = i;
	h->ring[i] = calloc(1, sizeof(*h->ring[i]));
	if (h->ring[i] && json_object_set_new(h->place, id, json_integer((json_int_t)i)) < 0) {
		free(h->ring[i]);
		h->ring[i] = NULL;
	}
	return h->ring[i];
}

static void put(struct ring *r, double out, double in)
{
	r->out[r->n % PK_TOP_SAMPLES] = (float)out;
	r->in[r->n % PK_TOP_SAMPLES] = (float)in;
	r->n++;
}

void pk_top_history_add(struct pk_top_history *h, const char *id, uint64_t snapshot, double out,
			double in)
{
	struct ring *r = find(h, id);
	uint64_t missed;

	if (r && r->snapshot >= snapshot)
		return;
	if (!r)
		r = make(h, id);
	if (!r)
		return;
	missed = r->n ? snapshot - r->snapshot - 1 : 0;
	for (uint64_t i = 0; i < missed && i < PK_TOP_SAMPLES; i++)
		put(r, 0, 0);
	put(r, out, in);
	r->snapshot = snapshot;
}

void pk_top_history_sweep(struct pk_top_history *h, uint64_t snapshot)
{
	const char *id;
	void *next;
	json_t *at;

	json_object_foreach_safe(h->place, next, id, at)
	{
		struct ring **r = &h->ring[json_integer_value(at)];

		if (snapshot - (*r)->snapshot <= PK_TOP_FORGET)
			continue;
		free(*r);
		*r = NULL;
		json_object_del(h->place, id);
	}
}

size_t pk_top_history_get(const struct pk_top_history *h, const char *id,
			  double ret_out[PK_TOP_SAMPLES], double ret_in[PK_TOP_SAMPLES])
{
	const struct ring *r = find(h, id);
	uint64_t n = !r ? 0 : r->n < PK_TOP_SAMPLES ? r->n : PK_TOP_SAMPLES;

	for (uint64_t i = 0; i < n; i++) {
		ret_out[i] = (double)r->out[(r->n - n + i) % PK_TOP_SAMPLES];
		ret_in[i] = (double)r->in[(r->n - n + i) % PK_TOP_SAMPLES];
	}
	return n;
}
