/* SPDX-License-Identifier: Apache-2.0 */
/* The maps of block lists that are not mapped, as the pipeline uses them by descriptor. */
#pragma once

#include <picket/block.h>

#include <stdint.h>

/* CPUs a per-CPU value has, -errno. */
int pk_verdicts_cpus(void);
/* Sum over the CPUs; scratch: one element for each of them. */
int pk_verdicts_count(int fd, unsigned list, struct pk_blk_count *scratch, int cpus,
		      struct pk_blk_count *ret);
/* What is counted from now on is another list's. scratch as above. */
int pk_verdicts_count_anew(int fd, unsigned list, struct pk_blk_count *scratch, int cpus);
/*
 * What pk_drain does, on each of these CPUs. That of a CPU that is off stays pending until it is on
 * again: 0. -EBUSY: one was never found between two packets.
 */
int pk_verdicts_drain(int prog_fd, int cpus);
/* line 0: removes it; that it is not there is fine. */
int pk_verdicts_set_who(int fd, const struct pk_blk_who_key *key, uint32_t line);
/* Names whose queries are refused. value NULL: removes it. */
int pk_verdicts_set_name(int fd, const struct pk_dns_key *key, const struct pk_dns_name *value);
int pk_verdicts_get_name(int fd, const struct pk_dns_key *key, struct pk_dns_name *ret);
int pk_verdicts_each_name(int fd, void (*each)(void *arg, const struct pk_dns_key *key), void *arg);
/* Calls back for each element. */
int pk_verdicts_each_who(int fd,
			 void (*each)(void *arg, const struct pk_blk_who_key *key, uint32_t line),
			 void *arg);
