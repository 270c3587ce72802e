/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tenant's alerts from the stream, by a durable consumer: what was taken is acknowledged once
 * it is on the disk, and comes again if that failed. It waits in its calls.
 */
#pragma once

#include <stddef.h>

struct pk_conf;
struct pk_hub;
struct pk_hub_feed;

/* Makes the stream (with so many replicas, kept for so many days), if it is not there. -errno, why
 * says it in words, as below. */
int pk_hub_feed_make(const struct pk_conf *conf, const char *hostname, unsigned replicas,
		     unsigned days, char *why, size_t size);

int pk_hub_feed_open(const struct pk_conf *conf, const char *hostname,
		     struct pk_hub_feed **ret_feed, char *why, size_t size);
void pk_hub_feed_close(struct pk_hub_feed *f);

/* Takes what comes within a second. After -errno the feed is of no more use. */
int pk_hub_feed_take(struct pk_hub_feed *f, struct pk_hub *hub, char *why, size_t size);
