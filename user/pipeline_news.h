/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of DNS transactions and of hellos. News come before anybody knows whose flow it is: a
 * record waits until the flow was reported, a moment at most, and is then written once, for the
 * journal and for every reader who wants it. Part of the pipeline.
 */
#pragma once

#include <stdint.h>

struct pk_news;
struct pk_pipeline_news;
struct pk_view;

/* view: borrowed, with its journals and streams. */
int pk_pipeline_news_new(struct pk_view *view, struct pk_pipeline_news **ret_news);
void pk_pipeline_news_free(struct pk_pipeline_news *n);

void pk_pipeline_news_take(struct pk_pipeline_news *n, const struct pk_news *news);
/* Writes what waited long enough by now_ns; UINT64_MAX: all. */
void pk_pipeline_news_tick(struct pk_pipeline_news *n, uint64_t now_ns);
