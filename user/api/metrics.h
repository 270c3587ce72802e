/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of /metrics. The number of series is bounded: labels take values of the program, of
 * block lists (PK_BLK_LISTS) and of sinks, and of PK_METRICS_IFACES interfaces.
 */
#pragma once

struct pk_api;
struct pk_prom;
struct pk_view;

#define PK_METRICS_IFACES 128

void pk_metrics_kernel(struct pk_prom *p, const struct pk_view *v); /* coverage, packets, events */
void pk_metrics_tables(struct pk_prom *p, const struct pk_view *v); /* flows, tables, names */
void pk_metrics_lists(struct pk_prom *p, const struct pk_view *v);
void pk_metrics_alerts(struct pk_prom *p, const struct pk_view *v); /* alerts, incidents, acts */
void pk_metrics_queues(struct pk_prom *p, const struct pk_view *v); /* store, sinks, readers */
void pk_metrics_gate(struct pk_prom *p, const struct pk_view *v, const struct pk_api *api);
void pk_metrics_pull(struct pk_prom *p, const struct pk_view *v, const struct pk_api *api);
