/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows when packets carry names that lists speak about: the pipeline hands over the news of
 * names and the kernel's records of refused queries. Joins names, lists, marks on flows and the
 * journal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pk_buf;
struct pk_event;
struct pk_news;
struct pk_view;

/*
 * One news: addresses of believed answers go to the lists; a flow whose hello carries a listed name
 * is cut. True: text is a record of it, for whoever reads.
 */
bool pk_listed_news(struct pk_view *v, const struct pk_news *news, struct pk_buf *text);

/* A record of a refused query, in words. */
void pk_listed_query(struct pk_view *v, const struct pk_event *ev, struct pk_buf *text);
