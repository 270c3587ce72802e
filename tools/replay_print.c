/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders the flows of one capture and writes them as table, JSON lines or CSV; and the account of
 * its packets. The order and every byte depend on the capture alone, not on this host or on hashes.
 */
#include "replay_print.h"

#include "api/state.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/ip.h"
#include "base/json.h"
#include "decode/app.h"
#include "flow/community.h"
#include "flow/filter.h"
#include "flow/table.h"
#include "name/name.h"
#include "output/ocsf.h"
#include "output/ocsf_dns.h"
#include "output/ocsf_name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

/* What the flow is printed from, in the words of its initiator. */
struct row {
	const struct pk_flow_entry *e;
	const struct pk_flow_dir *out, *in;
	char src[PK_IP_TEXT + 8], dst[PK_IP_TEXT + 8]; /* with port */
	char src_ip[PK_IP_TEXT], dst_ip[PK_IP_TEXT];
	char proto[16], start[32], end[32], state[64], layers[64];
	const struct pk_fact *fact; /* NULL: nothing is known of its content */
	struct pk_name_best best;
	char community[PK_COMMUNITY_LEN];
	bool ports;
};

/* Does it tell more of packets that are counted elsewhere? */
static bool is_note(int c)
{
	return c != PK_PKT_SEEN && c != PK_PKT_SEEN_BYTES && c != PK_PKT_FLOW &&
	       c != PK_PKT_AGGREGATE && !pk_state_pkt_refuses((enum pk_pkt_count)c);
}

int pk_print_format(const char *name, enum pk_print_format *ret_format)
{
	static const char *const names[] = { "table", "json", "csv" };

	for (size_t i = 0; i < PK_ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i])) {
			*ret_format = (enum pk_print_format)i;
			return 0;
		}
	return -EINVAL;
}

bool pk_sum_is_even(const struct pk_replay_sum *s)
{
	uint64_t known = s->count[PK_PKT_FLOW] + s->count[PK_PKT_AGGREGATE];

	for (int c = 0; c < PK_PKT_COUNT_MAX; c++)
		if (pk_state_pkt_refuses((enum pk_pkt_count)c))
			known += s->count[c];
	return s->packets == s->unsupported_link + s->truncated_link + s->count[PK_PKT_SEEN] &&
	       s->count[PK_PKT_SEEN] == known;
}

static int by_start(const void *x, const void *y)
{
	const struct pk_flow *a = &(*(struct pk_flow_entry *const *)x)->flow;
	const struct pk_flow *b = &(*(struct pk_flow_entry *const *)y)->flow;
	int r;

	if (a->meta.start_ns != b->meta.start_ns)
		return a->meta.start_ns < b->meta.start_ns ? -1 : 1;
	r = memcmp(&a->key, &b->key, sizeof(a->key));
	if (r)
		return r;
	return a->meta.id < b->meta.id ? -1 : a->meta.id > b->meta.id;
}

/* "2014-01-13 15:01:13.848", UTC */
static void format_time(char *out, size_t size, uint64_t ns)
{
	int64_t ms = pk_clock_wall_ms(ns);
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	n = gmtime_r(&s, &tm) ? strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm) : 0;
	snprintf(out + n, size - n, ".%03d", (int)(ms % 1000));
}

static bool has_ports(unsigned proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	       proto == IPPROTO_DCCP || proto == IPPROTO_UDPLITE;
}

static void format_end(const struct pk_flow_key *k, unsigned d, char ip[PK_IP_TEXT], char *out,
		       size_t size)
{
	pk_ip_format(k->addr[d], ip);
	if (!has_ports(k->proto))
		snprintf(out, size, "%s", ip);
	else
		snprintf(out, size, strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip, ntohs(k->port[d]));
}

static void format_state(struct row *r)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ PK_FLOW_HALF_OPEN, "half_open" },
		{ PK_FLOW_MIDSTREAM, "midstream" },
		{ PK_FLOW_FIN0 | PK_FLOW_FIN1, "fin" },
		{ PK_FLOW_RST, "reset" },
	};
	size_t n = 0;

	for (size_t i = 0; i < PK_ARRAY_SIZE(names); i++)
		if (r->e->flow.meta.state & names[i].bit)
			n += (size_t)snprintf(r->state + n, sizeof(r->state) - n, "%s%s",
					      n ? "," : "", names[i].name);
}

static void format_layers(struct row *r)
{
	static const char *const encap[] = { "", "vxlan", "geneve", "gre", "ipip", "6in4" };
	const struct pk_flow_key *k = &r->e->flow.key;
	int n = 0;

	if (k->vlan[1])
		n = snprintf(r->layers, sizeof(r->layers), "vlan %u.%u", k->vlan[0], k->vlan[1]);
	else if (k->vlan[0])
		n = snprintf(r->layers, sizeof(r->layers), "vlan %u", k->vlan[0]);
	if (!k->encap || k->encap >= PK_ARRAY_SIZE(encap))
		return;
	n += snprintf(r->layers + n, sizeof(r->layers) - (size_t)n, "%s%s", n ? " " : "",
		      encap[k->encap]);
	if (k->vni)
		snprintf(r->layers + n, sizeof(r->layers) - (size_t)n, " %u", k->vni);
}

static void make_row(const struct pk_flow_entry *e, const struct pk_fact *fact, struct row *r)
{
	const struct pk_flow *f = &e->flow;
	unsigned from = f->meta.initiator & 1;
	const char *proto = f->key.proto == 0x0806 ? "arp" : pk_ip_proto_name(f->key.proto);

	*r = (struct row){ .e = e, .out = &f->dir[from], .in = &f->dir[!from], .fact = fact };
	(void)pk_fact_best(fact, &r->best); /* none: it is empty */
	if (proto)
		snprintf(r->proto, sizeof(r->proto), "%s", proto);
	else
		snprintf(r->proto, sizeof(r->proto), "%u", f->key.proto);
	r->ports = has_ports(f->key.proto);
	format_end(&f->key, from, r->src_ip, r->src, sizeof(r->src));
	format_end(&f->key, !from, r->dst_ip, r->dst, sizeof(r->dst));
	format_time(r->start, sizeof(r->start), f->meta.start_ns);
	format_time(r->end, sizeof(r->end),
		    r->out->last_ns > r->in->last_ns ? r->out->last_ns : r->in->last_ns);
	format_state(r);
	format_layers(r);
	pk_community_id(f, r->community);
}

static void table_head(struct pk_buf *b)
{
	pk_buf_fmt(b, "%-23s %-8s %-24s %-24s %8s %10s %8s %10s %8s %6s  %s\n", "START (UTC)",
		   "PROTO", "SOURCE", "DESTINATION", "PACKETS>", "BYTES>", "<PACKETS", "<BYTES",
		   "RTT ms", "RETRANS", "NOTES");
}

static void table_row(struct pk_buf *b, const struct row *r)
{
	const struct pk_flow_meta *m = &r->e->flow.meta;
	const char *app = r->fact ? pk_app_name(r->fact->app) : NULL;
	char rtt[24] = "-";

	if (m->rtt_us)
		snprintf(rtt, sizeof(rtt), "%.3f", m->rtt_us / 1000.0);
	pk_buf_fmt(b,
		   "%-23s %-8s %-24s %-24s %8" PRIu64 " %10" PRIu64 " %8" PRIu64 " %10" PRIu64
		   " %8s %7u  %s%s%s",
		   r->start, r->proto, r->src, r->dst, (uint64_t)r->out->packets,
		   (uint64_t)r->out->bytes, (uint64_t)r->in->packets, (uint64_t)r->in->bytes, rtt,
		   r->out->retransmits + r->in->retransmits, r->layers,
		   r->layers[0] && r->state[0] ? " " : "", r->state);
	if (app)
		pk_buf_fmt(b, "%s%s", r->layers[0] || r->state[0] ? " " : "", app);
	if (r->best.name) {
		pk_buf_char(b, ' ');
		pk_escape_text(b, r->best.name, strlen(r->best.name));
	}
	pk_buf_char(b, '\n');
}

static void csv_head(struct pk_buf *b)
{
	pk_buf_str(b,
		   "file,start,end,protocol,src_ip,src_port,dst_ip,dst_port,packets_out,bytes_out,"
		   "packets_in,bytes_in,tcp_flags_out,tcp_flags_in,rtt_us,retransmits_out,"
		   "retransmits_in,fragments_out,fragments_in,layers,state,community_id,app,name,"
		   "name_source,ja4\n");
}

static void csv_text(struct pk_buf *b, const char *s, char after)
{
	if (s)
		pk_escape_csv(b, s, strlen(s));
	pk_buf_char(b, after);
}

static void csv_row(struct pk_buf *b, const struct row *r, const char *file)
{
	const struct pk_flow *f = &r->e->flow;
	unsigned from = f->meta.initiator & 1;
	char sport[8] = "", dport[8] = "";

	if (r->ports) {
		snprintf(sport, sizeof(sport), "%u", ntohs(f->key.port[from]));
		snprintf(dport, sizeof(dport), "%u", ntohs(f->key.port[!from]));
	}
	pk_escape_csv(b, file, strlen(file));
	pk_buf_fmt(b, ",%s,%s,%s,%s,%s,%s,%s,", r->start, r->end, r->proto, r->src_ip, sport,
		   r->dst_ip, dport);
	pk_buf_fmt(b, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%u,%u,%u,%u,%u,%u,%u,",
		   (uint64_t)r->out->packets, (uint64_t)r->out->bytes, (uint64_t)r->in->packets,
		   (uint64_t)r->in->bytes, r->out->tcp_flags, r->in->tcp_flags, f->meta.rtt_us,
		   r->out->retransmits, r->in->retransmits, r->out->fragments, r->in->fragments);
	pk_escape_csv(b, r->layers, strlen(r->layers));
	pk_buf_char(b, ',');
	pk_escape_csv(b, r->state, strlen(r->state));
	pk_buf_fmt(b, ",%s,", r->community);
	csv_text(b, r->fact ? pk_app_name(r->fact->app) : NULL, ',');
	csv_text(b, r->best.name, ',');
	csv_text(b, pk_name_source_name(r->best.source), ',');
	csv_text(b, r->fact ? r->fact->ja4 : NULL, '\n');
}

static void json_counts(struct pk_json *j, const char *key, bool note,
			const struct pk_replay_sum *s)
{
	pk_json_obj(j, key);
	for (int c = 0; c < PK_PKT_COUNT_MAX; c++)
		if (note ? is_note(c) : pk_state_pkt_refuses((enum pk_pkt_count)c))
			pk_json_u64(j, pk_state_pkt_name((enum pk_pkt_count)c), s->count[c]);
	pk_json_end(j);
}

/* The last line of JSON output. */
static void json_sum(struct pk_buf *b, const struct pk_names *names, const struct pk_replay_sum *s)
{
	struct pk_names_count named;
	struct pk_json j;

	pk_json_init(&j, b);
	pk_json_obj(&j, NULL);
	pk_json_obj(&j, "replay");
	pk_json_str(&j, "file", s->file);
	pk_json_str(&j, "link", s->link);
	pk_json_u64(&j, "packets", s->packets);
	pk_json_u64(&j, "bytes", s->bytes);
	pk_json_u64(&j, "unsupported_link", s->unsupported_link);
	pk_json_u64(&j, "truncated_link", s->truncated_link);
	pk_json_u64(&j, "seen", s->count[PK_PKT_SEEN]);
	pk_json_u64(&j, "seen_bytes", s->count[PK_PKT_SEEN_BYTES]);
	pk_json_u64(&j, "flow", s->count[PK_PKT_FLOW]);
	pk_json_u64(&j, "aggregate", s->count[PK_PKT_AGGREGATE]);
	json_counts(&j, "refused", false, s);
	json_counts(&j, "noted", true, s);
	pk_json_bool(&j, "balanced", pk_sum_is_even(s));
	pk_json_u64(&j, "back_in_time", s->back_in_time);
	pk_json_u64(&j, "flows", s->flows);
	pk_json_u64(&j, "flows_shown", s->shown);
	pk_json_u64(&j, "flows_lost", s->lost);
	pk_json_u64(&j, "dns_shown", s->dns);
	pk_names_counts(names, &named);
	pk_ocsf_name_counts(&j, &named);
	if (s->error[0])
		pk_json_str(&j, "error", s->error);
	pk_json_end(&j);
	pk_json_end(&j);
	pk_buf_char(b, '\n');
}

static int flush(FILE *out, struct pk_buf *b)
{
	int r = b->error;

	if (r == 0 && b->len && fwrite(b->data, 1, b->len, out) != b->len)
		r = -EIO;
	pk_buf_reset(b);
	return r;
}

static void heading(struct pk_buf *b, enum pk_print_format format, bool titles,
		    const struct pk_replay_sum *sum)
{
	static bool csv_done;

	if (format == PK_PRINT_TABLE) {
		if (titles) {
			pk_buf_str(b, "==> ");
			pk_escape_text(b, sum->file, strlen(sum->file));
			pk_buf_str(b, " <==\n");
		}
		table_head(b);
	} else if (format == PK_PRINT_CSV && !csv_done) {
		csv_head(b);
		csv_done = true;
	}
}

static void print_flow(struct pk_buf *b, enum pk_print_format format, const struct pk_ocsf *ocsf,
		       struct pk_flow_entry *e, struct pk_replay_sum *sum)
{
	struct pk_json j;
	struct row r;

	if (format == PK_PRINT_JSON) {
		pk_json_init(&j, b);
		pk_ocsf_flow(&j, ocsf, e, sum->last_ns, sum->shown);
		pk_buf_char(b, '\n');
		return;
	}
	make_row(e, pk_names_fact(ocsf->names, e->flow.meta.id), &r);
	if (format == PK_PRINT_CSV)
		csv_row(b, &r, sum->file);
	else
		table_row(b, &r);
}

int pk_print_dns(FILE *out, enum pk_print_format format, struct pk_filter *filter,
		 struct pk_names *names, const struct pk_news *news, struct pk_replay_sum *sum)
{
	struct pk_ocsf ocsf = { .hostname = "capture", .boot = "00000000", .names = names };
	struct pk_ocsf_dns d = {
		.dns = news->dns, .key = news->key, .flow = news->flow, .client = news->client
	};
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	struct pk_filter_subject s;
	struct pk_flow flow;
	struct pk_json j;

	pk_ocsf_dns_subject(&ocsf, &d, &flow, &s);
	if (format != PK_PRINT_JSON || !pk_filter_match(filter, &s))
		return sum->output_error;
	pk_json_init(&j, &b);
	pk_ocsf_dns(&j, &ocsf, &d, ++sum->dns);
	pk_buf_char(&b, '\n');
	return sum->output_error ? sum->output_error : flush(out, &b);
}

int pk_print_flows(FILE *out, enum pk_print_format format, bool titles, struct pk_filter *filter,
		   struct pk_flow_table *flows, struct pk_names *names, struct pk_replay_sum *sum)
{
	struct pk_ocsf ocsf = { .hostname = "capture", .boot = "00000000", .names = names };
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	_cleanup_free_ struct pk_flow_entry **all = NULL;
	struct pk_table_use_count live, ended;
	struct pk_filter_subject subject;
	struct pk_flow_entry *e = NULL;
	int r;

	pk_flow_table_counts(flows, &live, &ended);
	sum->flows = pk_flow_table_totals(flows)->flows + live.refused;
	sum->lost = live.refused + ended.evicted;
	all = calloc(ended.used + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; (e = pk_flow_table_ended(flows, e)); i++)
		all[i] = e;
	qsort(all, ended.used, sizeof(*all), by_start);
	heading(&b, format, titles, sum);
	r = flush(out, &b);
	for (size_t i = 0; i < ended.used && r == 0; i++) {
		pk_ocsf_subject(&ocsf, all[i], pk_filter_needs(filter), sum->last_ns, &subject);
		if (!pk_filter_match(filter, &subject))
			continue;
		sum->shown++;
		print_flow(&b, format, &ocsf, all[i], sum);
		r = flush(out, &b);
	}
	if (r == 0 && format == PK_PRINT_JSON)
		json_sum(&b, names, sum);
	if (r == 0 && format == PK_PRINT_TABLE && titles)
		pk_buf_char(&b, '\n');
	return r == 0 ? flush(out, &b) : r;
}

void pk_print_sum(FILE *out, const struct pk_replay_sum *s)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };

	pk_escape_text(&b, s->file, strlen(s->file));
	pk_buf_fmt(&b, ": %" PRIu64 " packets, %" PRIu64 " bytes, %" PRIu64 " flows", s->packets,
		   s->bytes, s->flows);
	if (s->lost)
		pk_buf_fmt(&b, " (%" PRIu64 " of them not kept)", s->lost);
	pk_buf_fmt(&b, "; %" PRIu64 " packets in flows, %" PRIu64 " in aggregates",
		   s->count[PK_PKT_FLOW], s->count[PK_PKT_AGGREGATE]);
	if (s->alerts)
		pk_buf_fmt(&b, "; %" PRIu64 " alerts", s->alerts);
	for (int c = 0; c < PK_PKT_COUNT_MAX; c++)
		if (s->count[c] && pk_state_pkt_refuses((enum pk_pkt_count)c))
			pk_buf_fmt(&b, ", %" PRIu64 " %s", s->count[c],
				   pk_state_pkt_name((enum pk_pkt_count)c));
	if (s->unsupported_link)
		pk_buf_fmt(&b, ", %" PRIu64 " of link type %s (not supported)", s->unsupported_link,
			   s->link);
	if (s->truncated_link)
		pk_buf_fmt(&b, ", %" PRIu64 " cut in their link header", s->truncated_link);
	if (s->back_in_time)
		pk_buf_fmt(&b, "; %" PRIu64 " packets back in time", s->back_in_time);
	if (!pk_sum_is_even(s))
		pk_buf_str(&b, "; THE SUM DOES NOT MATCH");
	if (!b.error)
		fprintf(out, "%s\n", b.data);
}
