/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts and measures. It keeps nothing; what counts as regular is its callers' threshold. */
#include "detect/regular.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define BYTES_MAX 65535.0 /* sends that large are no beacons */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* v is sorted. */
static double quantile(const double *v, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t i = (size_t)at;

	return i + 1 < n ? v[i] + (at - (double)i) * (v[i + 1] - v[i]) : v[n - 1];
}

static double balance(const double *v, size_t n)
{
	double low = quantile(v, n, 0.25), mid = quantile(v, n, 0.5), high = quantile(v, n, 0.75);

	if (high - low <= 0 || mid <= low || mid >= high)
		return 1;
	return 1 - fabs((low + high - 2 * mid) / (high - low));
}

/* 0: they are typically off by the median itself. */
static double closeness(const double *v, size_t n, double median)
{
	double off[PK_REGULAR_MAX], mad;

	if (median <= 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		off[i] = fabs(v[i] - median);
	qsort(off, n, sizeof(*off), compare);
	mad = quantile(off, n, 0.5);
	return mad < median ? 1 - mad / median : 0;
}

static void sort(const uint32_t *from, size_t n, double *to)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[i];
	qsort(to, n, sizeof(*to), compare);
}

void pk_regular_score(const uint32_t *at_ms, const uint32_t *bytes, size_t n,
		      struct pk_regular *ret_score)
{
	double at[PK_REGULAR_MAX], gap[PK_REGULAR_MAX], size[PK_REGULAR_MAX];
	struct pk_regular s;

	assert(n >= PK_REGULAR_MIN && n <= PK_REGULAR_MAX);
	sort(at_ms, n, at);
	for (size_t i = 0; i + 1 < n; i++)
		gap[i] = at[i + 1] - at[i];
	qsort(gap, n - 1, sizeof(*gap), compare);
	sort(bytes, n, size);
	s.span_ms = at[n - 1] - at[0];
	s.median_ms = quantile(gap, n - 1, 0.5);
	s.median_bytes = quantile(size, n, 0.5);
	s.time_skew = balance(gap, n - 1);
	s.time_spread = closeness(gap, n - 1, s.median_ms);
	s.time_share = s.span_ms > 0 ? fmin(1, (double)(n - 1) * s.median_ms / s.span_ms) : 0;
	s.size_skew = balance(size, n);
	s.size_spread = closeness(size, n, s.median_bytes);
	s.size_small = fmax(0, 1 - s.median_bytes / BYTES_MAX);
	s.all = (s.time_skew + s.time_spread + s.time_share + s.size_skew + s.size_spread +
		 s.size_small) /
		6;
	*ret_score = s;
}
