/* SPDX-License-Identifier: Apache-2.0 */
/* Braille (U+2800, Unicode 15.1 ch. 21.1): dots 7-3-2-1 are the left column from below, 8-6-5-4 the
 * right one. */
#include "top_plot.h"

#include "base/buf.h"

#include <math.h>

#define LEVELS 4 /* of a cell */

size_t pk_top_plot_samples(const struct pk_top_plot *p)
{
	return p->utf8 ? 2 * (size_t)p->width : p->width;
}

double pk_top_plot_max(const struct pk_top_plot *p, const double *sample, size_t n)
{
	size_t want = pk_top_plot_samples(p);
	double max = 0;

	for (size_t i = n > want ? n - want : 0; i < n; i++)
		max = fmax(max, sample[i]);
	return max;
}

/* Of LEVELS, how many are filled in this line. */
static unsigned level(const struct pk_top_plot *p, double max, double v, unsigned line)
{
	unsigned all = LEVELS * p->height, below = LEVELS * (p->height - 1 - line), dots;

	if (!(max > 0) || !(v > 0))
		return 0;
	dots = 1 + (unsigned)fmin(all - 1, (all - 0.01) * v / max);
	return dots <= below ? 0 : dots - below > LEVELS ? LEVELS : dots - below;
}

void pk_top_plot_line(struct pk_buf *out, const struct pk_top_plot *p, const double *sample,
		      size_t n, unsigned line)
{
	static const unsigned char left[] = { 0, 0x40, 0x44, 0x46, 0x47 };
	static const unsigned char right[] = { 0, 0x80, 0xa0, 0xb0, 0xb8 };
	static const char ascii[] = " .:|#";
	double max = p->max > 0 ? p->max : pk_top_plot_max(p, sample, n);
	size_t want = pk_top_plot_samples(p), per = p->utf8 ? 2 : 1;

	for (size_t c = 0; c < p->width; c++) {
		unsigned l[2] = { 0, 0 };

		for (size_t k = 0; k < per; k++)
			if (per * c + k + n >= want)
				l[k] = level(p, max, sample[per * c + k + n - want], line);
		if (!p->utf8) {
			pk_buf_char(out, ascii[l[0]]);
			continue;
		}
		unsigned code = 0x2800u | left[l[0]] | right[l[1]];

		pk_buf_char(out, (char)(0xe0 | code >> 12));
		pk_buf_char(out, (char)(0x80 | (code >> 6 & 63)));
		pk_buf_char(out, (char)(0x80 | (code & 63)));
	}
}
