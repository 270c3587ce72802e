/* SPDX-License-Identifier: Apache-2.0 */
/* Rates over time as text: two samples a cell in braille, or one a letter. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pk_buf;

struct pk_top_plot {
	unsigned width, height; /* in cells */
	bool utf8;
	double max; /* that fills the height; 0: the greatest that is shown */
};

/* Samples that fit: the newest of them are at the right. */
size_t pk_top_plot_samples(const struct pk_top_plot *p);
/* The greatest of those that fit, 0 when there are none. */
double pk_top_plot_max(const struct pk_top_plot *p, const double *sample, size_t n);
/* Appends the cells of one line, 0 at the top; whatever is above 0 shows at least one dot. */
void pk_top_plot_line(struct pk_buf *out, const struct pk_top_plot *p, const double *sample,
		      size_t n, unsigned line);
