/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /metrics: what the status says as numbers, for Prometheus. All of it is read at the moment it is
 * asked; nothing is kept.
 */
#include "api/metrics.h"

#include "api/health.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/state.h"
#include "api/status.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/prom.h"

#include <stdio.h>

#define BODY_MAX (16u << 20)

static void write_self(struct pk_prom *p, const struct pk_view *v)
{
	const char *reasons[PK_HEALTH_REASONS];
	char abi[16];

	snprintf(abi, sizeof(abi), "%u", PK_ABI);
	pk_prom_gauge(p, "picket_build_info", "Version of the agent and of its kernel interface.");
	pk_prom_label(p, "version", PK_VERSION);
	pk_prom_label(p, "abi", abi);
	pk_prom_u64(p, 1);
	pk_prom_level(p, "picket_healthy", "1 when /healthz answers 200.",
		      !pk_health_reasons(v, reasons));
	pk_prom_gauge(p, "picket_start_time_seconds", "Start of the agent since the epoch.");
	pk_prom_dbl(p, (double)pk_clock_wall_ms(v->state->started_ns) / 1e3);
	pk_prom_counter(p, "picket_cpu_seconds_total",
			"Processor time of the unprivileged process.");
	pk_prom_dbl(p, pk_status_cpu_s());
	pk_prom_level(p, "picket_resident_memory_bytes",
		      "Resident memory of the unprivileged process.", pk_status_rss_bytes());
	pk_prom_level(p, "picket_broker_gone", "1 when the privileged process has gone.",
		      v->state->broker_gone);
	pk_prom_count(p, "picket_broker_messages_total", "Messages of the privileged process.",
		      v->state->msgs);
	pk_prom_count(p, "picket_broker_messages_refused_total",
		      "Messages of the privileged process that were none.", v->state->msgs_bad);
}

int pk_metrics_get(struct pk_api_request *q)
{
	struct pk_view *v = q->view;
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_prom p = { .out = &body };

	if (v->refresh)
		v->refresh(v->arg);
	write_self(&p, v);
	pk_metrics_kernel(&p, v);
	pk_metrics_tables(&p, v);
	pk_metrics_lists(&p, v);
	pk_metrics_alerts(&p, v);
	pk_metrics_queues(&p, v);
	pk_metrics_gate(&p, v, q->api);
	pk_metrics_pull(&p, v, q->api);
	pk_api_reply(q, 200, PK_PROM_TYPE, &body);
	return 0;
}
