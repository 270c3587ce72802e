/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel side counted: packets, events, samples by fate, and what it costs there. */
#include "api/metrics.h"
#include "api/state.h"
#include "api/view.h"
#include "base/cleanup.h"
#include "base/prom.h"
#include "flow/link.h"

static void write_iface(struct pk_prom *p, const struct pk_link *k, const char *direction, bool on)
{
	pk_prom_label(p, "netns", k->netns_name);
	pk_prom_label(p, "iface", k->name);
	pk_prom_label(p, "direction", direction);
	pk_prom_u64(p, on);
}

static void write_coverage(struct pk_prom *p, const struct pk_view *v)
{
	static const char *const name[] = { "none", "partial", "full", "not_wanted" };
	uint64_t n[PK_ARRAY_SIZE(name)] = { 0 };
	const struct pk_link *k;

	for (size_t i = 0; (k = pk_links_at(v->ocsf.links, i)); i++)
		n[k->wanted ? k->in_covered + k->out_covered : 3]++;
	pk_prom_gauge(p, "picket_interfaces", "Interfaces by how they are covered.");
	for (size_t i = 0; i < PK_ARRAY_SIZE(name); i++) {
		pk_prom_label(p, "coverage", name[i]);
		pk_prom_u64(p, n[i]);
	}
	pk_prom_count(p, "picket_interfaces_refused_total", "Interfaces beyond the table's room.",
		      pk_links_refused(v->ocsf.links));
	pk_prom_gauge(
		p, "picket_interface_covered",
		"1 where a direction of a wanted interface is covered; the first 128 of them.");
	for (size_t i = 0, shown = 0;
	     shown < PK_METRICS_IFACES && (k = pk_links_at(v->ocsf.links, i)); i++) {
		if (!k->wanted)
			continue;
		write_iface(p, k, "ingress", k->in_covered);
		write_iface(p, k, "egress", k->out_covered);
		shown++;
	}
}

static void write_packets(struct pk_prom *p, const struct pk_state *s)
{
	static const struct {
		enum pk_pkt_count c;
		const char *name, *help;
	} plain[] = {
		{ PK_PKT_SEEN, "picket_packets_seen_total", "Packets that passed a hook." },
		{ PK_PKT_SEEN_BYTES, "picket_packets_seen_bytes_total", "Bytes of them." },
	};

	for (size_t i = 0; i < PK_ARRAY_SIZE(plain); i++) {
		pk_prom_counter(p, plain[i].name, plain[i].help);
		for (int h = 0; h < PK_HOOK_PKT_MAX; h++) {
			pk_prom_label(p, "hook", pk_state_hook_name(h));
			pk_prom_u64(p, s->pkt[h][plain[i].c]);
		}
	}
	pk_prom_counter(p, "picket_packets_total",
			"Packets by fate; over all fates as many as were seen.");
	for (int h = 0; h < PK_HOOK_PKT_MAX; h++)
		for (int c = PK_PKT_FLOW; c < PK_PKT_COUNT_MAX; c++) {
			if (c != PK_PKT_FLOW && c != PK_PKT_AGGREGATE && !pk_state_pkt_refuses(c))
				continue;
			pk_prom_label(p, "hook", pk_state_hook_name(h));
			pk_prom_label(p, "fate", pk_state_pkt_name(c));
			pk_prom_u64(p, s->pkt[h][c]);
		}
	pk_prom_counter(p, "picket_packets_noted_total", "Packets with something odd about them.");
	for (int h = 0; h < PK_HOOK_PKT_MAX; h++)
		for (int c = PK_PKT_AGGREGATE + 1; c < PK_PKT_COUNT_MAX; c++) {
			if (pk_state_pkt_refuses(c))
				continue;
			pk_prom_label(p, "hook", pk_state_hook_name(h));
			pk_prom_label(p, "what", pk_state_pkt_name(c));
			pk_prom_u64(p, s->pkt[h][c]);
		}
}

static void write_event(struct pk_prom *p, int h, const char *fate, uint64_t n)
{
	pk_prom_label(p, "hook", pk_state_event_name(h));
	if (fate)
		pk_prom_label(p, "fate", fate);
	pk_prom_u64(p, n);
}

static void write_events(struct pk_prom *p, const struct pk_state *s)
{
	pk_prom_counter(p, "picket_kernel_events_seen_total", "Times a hook was run.");
	for (int h = 0; h < PK_EH_MAX; h++)
		write_event(p, h, NULL, s->ev[h].seen);
	pk_prom_counter(p, "picket_kernel_events_total",
			"The same by fate; ring_full, map_full and oversized were lost.");
	for (int h = 0; h < PK_EH_MAX; h++) {
		const struct pk_event_count *c = &s->ev[h];

		write_event(p, h, "submitted", c->submitted);
		write_event(p, h, "filtered", c->filtered);
		write_event(p, h, "ring_full", c->ring_full);
		write_event(p, h, "map_full", c->map_full);
		write_event(p, h, "oversized", c->oversized);
	}
}

static void write_sample(struct pk_prom *p, unsigned row, const char *fate, uint64_t n)
{
	pk_prom_label(p, "app", pk_state_row_name(row));
	if (fate)
		pk_prom_label(p, "fate", fate);
	pk_prom_u64(p, n);
}

static void write_samples(struct pk_prom *p, const struct pk_state *s)
{
	pk_prom_counter(p, "picket_samples_seen_total", "Packets that were to be sampled.");
	for (unsigned i = 0; i < PK_ROW_MAX; i++)
		write_sample(p, i, NULL, s->sample[i].seen);
	pk_prom_counter(p, "picket_samples_total",
			"The same by fate; limited, ring_full and unread were lost.");
	for (unsigned i = 0; i < PK_ROW_MAX; i++) {
		const struct pk_sample_count *c = &s->sample[i];

		write_sample(p, i, "sampled", c->sampled);
		write_sample(p, i, "off", c->off);
		write_sample(p, i, "limited", c->limited);
		write_sample(p, i, "ring_full", c->ring_full);
		write_sample(p, i, "unread", c->unread);
	}
}

static void write_rings(struct pk_prom *p, const struct pk_state *s)
{
	static const struct {
		size_t at;
		const char *name, *help;
	} rows[] = {
		{ offsetof(struct pk_state_ring, records), "picket_ring_records_total",
		  "Records read from a ring." },
		{ offsetof(struct pk_state_ring, bytes), "picket_ring_bytes_total",
		  "Bytes read from a ring." },
		{ offsetof(struct pk_state_ring, lost), "picket_ring_records_lost_total",
		  "Records missing by their sequence numbers." },
	};

	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		pk_prom_counter(p, rows[i].name, rows[i].help);
		for (int k = 0; k < PK_STATE_RINGS; k++) {
			pk_prom_label(p, "ring", s->ring[k].name);
			pk_prom_u64(p, *(const uint64_t *)((const char *)&s->ring[k] + rows[i].at));
		}
	}
	pk_prom_count(p, "picket_records_decoded_total", "Records that were checked and read.",
		      s->decoded);
	pk_prom_counter(p, "picket_records_refused_total", "Records that were none, by cause.");
	for (int i = 0; i < PK_STATE_REFUSED; i++) {
		pk_prom_label(p, "cause", s->refused[i].why);
		pk_prom_u64(p, s->refused[i].n);
	}
}

static void write_kernel_table(struct pk_prom *p, const struct pk_state *s)
{
	pk_prom_level(p, "picket_kernel_flow_slots", "Room of the kernel's flow table.", s->slots);
	pk_prom_level(p, "picket_kernel_flows", "Flows in the kernel's table.", s->use.used);
	pk_prom_level(p, "picket_kernel_flows_half_open", "Of them, those that are half open.",
		      s->use.half_open);
	pk_prom_count(p, "picket_kernel_flows_created_total", "Flows that the kernel began.",
		      s->use.created);
	pk_prom_count(p, "picket_kernel_flows_refused_total",
		      "Flows for which the kernel's table had no room: summed up only.",
		      s->use.refused);
}

static void write_programs(struct pk_prom *p, const struct pk_state *s)
{
	uint64_t runs = 0, ns = 0, off = 0;

	for (size_t i = 0; i < s->progs; i++) {
		runs += s->prog[i].runs;
		ns += s->prog[i].run_ns;
		off += s->prog[i].attached != 1;
	}
	pk_prom_level(p, "picket_bpf_programs", "Kernel programs that are known.", s->progs);
	pk_prom_level(p, "picket_bpf_programs_missing", "Of them, those that are not attached.",
		      off);
	pk_prom_count(p, "picket_bpf_runs_total",
		      "Runs of kernel programs, while the kernel counts them.", runs);
	pk_prom_counter(p, "picket_bpf_run_seconds_total", "Time spent in kernel programs.");
	pk_prom_dbl(p, (double)ns / 1e9);
}

void pk_metrics_kernel(struct pk_prom *p, const struct pk_view *v)
{
	const struct pk_state *s = v->state;

	write_coverage(p, v);
	write_packets(p, s);
	write_events(p, s);
	write_samples(p, s);
	write_rings(p, s);
	write_kernel_table(p, s);
	write_programs(p, s);
}
