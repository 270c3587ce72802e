/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate's own counts, as it told them within the last second, for the status and the metrics. It
 * is another process, with no rights: they are shown and nothing is decided by them.
 */
#include "api/status_gate.h"

#include "api/metrics.h"
#include "api/server.h"
#include "api/view.h"
#include "base/json.h"
#include "base/prom.h"
#include "conf/conf.h"
#include "gate/counts.h"

#include <time.h>

#define SOON_S (14 * 86400)

void pk_status_gate(struct pk_json *j, const struct pk_view *v, const struct pk_api *api)
{
	struct pk_gate_counts c;
	bool there;

	if (!*v->conf->gate_listen)
		return;
	there = pk_api_gate_counts(api, &c);
	pk_json_obj(j, "gate");
	pk_json_str(j, "address", v->conf->gate_listen);
	pk_json_bool(j, "running", there);
	pk_json_bool(j, "listening", c.listening);
	if (c.cert_to_s) {
		pk_json_obj(j, "certificate");
		pk_json_i64(j, "from", c.cert_from_s * 1000);
		pk_json_i64(j, "to", c.cert_to_s * 1000);
		pk_json_end(j);
	}
	pk_json_u64(j, "connections", c.open);
	pk_json_u64(j, "accepted", c.n[PK_GATE_ACCEPTED]);
	pk_json_u64(j, "handshakes", c.n[PK_GATE_SHAKEN]);
	pk_json_u64(j, "requests", c.n[PK_GATE_ASKED]);
	pk_json_obj(j, "refused");
	for (int i = PK_GATE_REFUSED; i < PK_GATE_COUNTERS; i++)
		pk_json_u64(j, pk_gate_count_name(i), c.n[i]);
	pk_json_end(j);
	pk_json_end(j);
}

void pk_status_gate_degraded(struct pk_json *j, const struct pk_view *v, const struct pk_api *api)
{
	struct pk_gate_counts c;

	if (!*v->conf->gate_listen)
		return;
	if (!pk_api_gate_counts(api, &c))
		pk_json_str(j, NULL, "the gate is not running: there is no API over the network");
	else if (!c.listening)
		pk_json_str(j, NULL,
			    "the gate does not listen: it has no certificate to show "
			    "(gate.cert, gate.key, gate.ca, gate.crl)");
	else if (c.cert_to_s && c.cert_to_s < time(NULL))
		pk_json_str(j, NULL, "the gate's certificate has expired (gate.cert)");
	else if (c.cert_to_s && c.cert_to_s < time(NULL) + SOON_S)
		pk_json_str(j, NULL, "the gate's certificate expires within 14 days (gate.cert)");
}

void pk_metrics_gate(struct pk_prom *p, const struct pk_view *v, const struct pk_api *api)
{
	struct pk_gate_counts c;
	bool there;

	if (!*v->conf->gate_listen)
		return;
	there = pk_api_gate_counts(api, &c);
	pk_prom_level(p, "picket_gate_running", "1 while the gate's process is there.", there);
	pk_prom_level(p, "picket_gate_listening", "1 while it takes connections.", c.listening);
	pk_prom_level(p, "picket_gate_connections", "Connections at this moment.", c.open);
	pk_prom_count(p, "picket_gate_connections_total", "Connections that came.",
		      c.n[PK_GATE_ACCEPTED]);
	pk_prom_count(p, "picket_gate_handshakes_total", "TLS handshakes that succeeded.",
		      c.n[PK_GATE_SHAKEN]);
	pk_prom_count(p, "picket_gate_requests_total", "Requests that went to the core.",
		      c.n[PK_GATE_ASKED]);
	pk_prom_counter(p, "picket_gate_refused_total",
			"Handshakes, requests and connections that were refused or cut, by cause.");
	for (int i = PK_GATE_REFUSED; i < PK_GATE_COUNTERS; i++) {
		pk_prom_label(p, "cause", pk_gate_count_name(i));
		pk_prom_u64(p, c.n[i]);
	}
	if (!c.cert_to_s)
		return;
	pk_prom_gauge(p, "picket_gate_certificate_expiry_timestamp_seconds",
		      "When the gate's own certificate ends, since the epoch.");
	pk_prom_dbl(p, (double)c.cert_to_s);
}
