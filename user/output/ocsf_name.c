/* SPDX-License-Identifier: Apache-2.0 */
/* Facts as JSON. It writes what it is given and keeps nothing. */
#include "output/ocsf_name.h"

#include "base/json.h"
#include "decode/app.h"
#include "decode/dns.h"
#include "decode/icmp.h"
#include "decode/quic.h"
#include "decode/tls.h"
#include "flow/filter.h"
#include "name/name.h"

#include <stdio.h>
#include <string.h>

void pk_ocsf_fact_endpoint(struct pk_json *j, const struct pk_fact *f, unsigned d)
{
	const struct pk_place *p;

	if (!f)
		return;
	p = &f->place[d];
	pk_json_str(j, "hostname", f->dns[d]);
	if (p->country[0]) {
		pk_json_obj(j, "location");
		pk_json_str(j, "country", p->country);
		pk_json_end(j);
	}
	if (!p->asn)
		return;
	pk_json_obj(j, "autonomous_system");
	pk_json_u64(j, "number", p->asn);
	pk_json_str(j, "name", p->as_name);
	pk_json_end(j);
}

/* By IANA's name, or as a number that has none. */
static void write_version(struct pk_json *j, const char *key, uint16_t version)
{
	const char *name = pk_tls_version_name(version);
	char text[8];

	(void)snprintf(text, sizeof(text), "0x%04x", version);
	if (version)
		pk_json_str(j, key, name ? name : text);
}

static void write_cipher(struct pk_json *j, uint16_t cipher)
{
	const char *name = pk_tls_cipher_name(cipher);
	char text[8];

	(void)snprintf(text, sizeof(text), "0x%04x", cipher);
	if (cipher)
		pk_json_str(j, "cipher", name ? name : text);
}

static void write_tls(struct pk_json *j, const struct pk_fact *f)
{
	pk_json_obj(j, "tls");
	pk_json_str(j, "sni", f->sni);
	write_version(j, "version", f->tls_chosen ? f->tls_chosen : f->tls_offered);
	write_cipher(j, f->cipher);
	if (f->ja3) {
		pk_json_obj(j, "ja3_hash");
		pk_json_i64(j, "algorithm_id", 1);
		pk_json_str(j, "algorithm", "MD5");
		pk_json_str(j, "value", f->ja3);
		pk_json_end(j);
	}
	pk_json_end(j);
}

/* "t13d1516h2_8daaf6152771_e5627efa2ab1" and its three sections. */
static void write_ja4(struct pk_json *j, const char *ja4)
{
	static const char *const keys[] = { "section_a", "section_b", "section_c" };
	const char *s = ja4;

	pk_json_arr(j, "ja4_fingerprint_list");
	pk_json_obj(j, NULL);
	pk_json_i64(j, "type_id", 1);
	pk_json_str(j, "type", "JA4");
	for (int i = 0; i < 3 && *s; i++) {
		size_t n = strcspn(s, "_");

		pk_json_strn(j, keys[i], s, n);
		s += n + (s[n] == '_');
	}
	pk_json_str(j, "value", ja4);
	pk_json_end(j);
	pk_json_end(j);
}

static void write_http(struct pk_json *j, const struct pk_fact *f)
{
	if (f->http_method) {
		pk_json_obj(j, "http_request");
		pk_json_str(j, "http_method", f->http_method);
		pk_json_str(j, "user_agent", f->http_agent);
		if (f->http_host || f->http_path) {
			pk_json_obj(j, "url");
			pk_json_str(j, "hostname", f->http_host);
			pk_json_str(j, "path", f->http_path);
			pk_json_end(j);
		}
		pk_json_end(j);
	}
	if (f->http_status) {
		pk_json_obj(j, "http_response");
		pk_json_u64(j, "code", f->http_status);
		pk_json_end(j);
	}
}

void pk_ocsf_fact(struct pk_json *j, const struct pk_fact *f)
{
	if (!f)
		return;
	pk_json_str(j, "app_name", pk_app_name(f->app));
	if (f->flags & (PK_FACT_HELLO | PK_FACT_SERVER))
		write_tls(j, f);
	if (f->ja4)
		write_ja4(j, f->ja4);
	write_http(j, f);
}

static void write_names(struct pk_json *j, const struct pk_fact *f)
{
	struct pk_name_best best;

	if (pk_fact_best(f, &best)) {
		pk_json_str(j, "name", best.name);
		pk_json_str(j, "name_source", pk_name_source_name(best.source));
	}
	pk_json_str(j, "name_conflict", pk_conflict_name(f->conflict));
	if (!f->dns[0] && !f->dns[1] && !f->sni && !f->http_host)
		return;
	pk_json_obj(j, "names");
	pk_json_str(j, "dns", f->dns[!f->client]);
	pk_json_str(j, "client_dns", f->dns[f->client]);
	pk_json_str(j, "sni", f->sni);
	pk_json_str(j, "http", f->http_host);
	pk_json_end(j);
}

static void write_alpn(struct pk_json *j, const char *list)
{
	pk_json_arr(j, "alpn");
	while (*list) {
		size_t n = strcspn(list, ",");

		pk_json_strn(j, NULL, list, n);
		list += n + (list[n] == ',');
	}
	pk_json_end(j);
}

static void write_own_tls(struct pk_json *j, const struct pk_fact *f)
{
	pk_json_obj(j, "tls");
	write_version(j, "offered", f->tls_offered);
	write_version(j, "chosen", f->tls_chosen);
	if (f->alpn)
		write_alpn(j, f->alpn);
	pk_json_str(j, "alpn_chosen", f->alpn_chosen);
	pk_json_bool(j, "ech", f->flags & PK_FACT_ECH);
	pk_json_bool(j, "retried", f->flags & PK_FACT_RETRIED);
	if (f->flags & PK_FACT_UPGRADED)
		pk_json_bool(j, "upgraded", true); /* STARTTLS, CONNECT */
	if (f->flags & PK_FACT_QUIC)
		pk_json_u64(j, "quic_version",
			    f->quic_version == PK_QUIC_V2   ? 2
			    : f->quic_version == PK_QUIC_V1 ? 1
							    : f->quic_version);
	pk_json_end(j);
}

static void write_ssh(struct pk_json *j, const struct pk_fact *f, unsigned from)
{
	if (!f->ssh[0] && !f->ssh[1] && !f->hassh[0] && !f->hassh[1])
		return;
	pk_json_obj(j, "ssh");
	for (unsigned i = 0; i < 2; i++) {
		unsigned d = i ? !from : from;

		if (!f->ssh[d] && !f->hassh[d])
			continue;
		pk_json_obj(j, i ? "dst" : "src");
		pk_json_str(j, "software", f->ssh[d]);
		pk_json_str(j, "hassh", f->hassh[d]);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_dns(struct pk_json *j, const struct pk_fact *f)
{
	static const char *const others = "other";
	char number[8];

	if (!f->dns_questions && !f->dns_answers)
		return;
	pk_json_obj(j, "dns");
	pk_json_u64(j, "questions", f->dns_questions);
	pk_json_u64(j, "answers", f->dns_answers);
	if (f->dns_question) {
		const char *type = pk_dns_type_name(f->dns_qtype);

		(void)snprintf(number, sizeof(number), "%u", f->dns_qtype);
		pk_json_obj(j, "last");
		pk_json_str(j, "hostname", f->dns_question);
		pk_json_str(j, "type", type ? type : number);
		pk_json_end(j);
	}
	pk_json_obj(j, "rcodes");
	for (uint16_t r = 0; r < 6; r++)
		if (f->dns_rcode[r])
			pk_json_u64(j, r < 5 ? pk_dns_rcode_name(r) : others, f->dns_rcode[r]);
	pk_json_end(j);
	pk_json_end(j);
}

static void write_link(struct pk_json *j, const struct pk_fact *f)
{
	if (f->dhcp_hostname || f->dhcp_vendor) {
		pk_json_obj(j, "dhcp");
		pk_json_str(j, "hostname", f->dhcp_hostname);
		pk_json_str(j, "vendor", f->dhcp_vendor);
		pk_json_end(j);
	}
	if (f->flags & PK_FACT_ECHO) {
		pk_json_obj(j, "icmp_echo");
		pk_json_u64(j, "samples", f->echoes);
		pk_json_u64(j, "bytes_max", f->echo_bytes_max);
		pk_json_dbl(j, "entropy_max", f->echo_entropy_max / 100.0);
		pk_json_str(j, "fill", pk_icmp_fill_name(f->echo_fill));
		pk_json_end(j);
	}
}

void pk_ocsf_fact_own(struct pk_json *j, const struct pk_fact *f, unsigned from)
{
	if (!f)
		return;
	write_names(j, f);
	if (f->flags & PK_FACT_ODD) {
		pk_json_bool(j, "app_odd", true);
		pk_json_str(j, "app_of_port", pk_app_name(f->port_app));
	}
	if (f->flags & (PK_FACT_HELLO | PK_FACT_SERVER))
		write_own_tls(j, f);
	write_ssh(j, f, from);
	write_dns(j, f);
	pk_json_str(j, "banner", f->banner);
	pk_json_str(j, "server", f->http_server);
	pk_json_str(j, "user", f->user);
	if (f->flags & PK_FACT_CLEAR)
		pk_json_bool(j, "cleartext_password", true);
	if (f->flags & PK_FACT_PROXIED)
		pk_json_bool(j, "proxied", true);
	write_link(j, f);
}

static const char *const apps[PK_APP_MAX] = { "none", "short", "dns",  "tls", "quic", "http",
					      "ssh",  "text",  "dhcp", "arp", "icmp" };

static void write_apps(struct pk_json *j, const struct pk_names_count *c)
{
	pk_json_arr(j, "samples");
	for (unsigned a = PK_APP_SHORT; a < PK_APP_MAX; a++) {
		if (!c->samples[a])
			continue;
		pk_json_obj(j, NULL);
		pk_json_str(j, "app", apps[a]);
		pk_json_u64(j, "taken", c->samples[a]);
		pk_json_u64(j, "read", c->named[a]);
		pk_json_obj(j, "failed");
		for (unsigned w = 0; w < PK_NAMES_WHY; w++)
			if (c->failed[a][w])
				pk_json_u64(j, pk_names_why(w), c->failed[a][w]);
		pk_json_end(j);
		pk_json_end(j);
	}
	pk_json_end(j);
}

void pk_ocsf_name_counts(struct pk_json *j, const struct pk_names_count *c)
{
	write_apps(j, c);
	pk_json_obj(j, "dns_answers");
	pk_json_u64(j, "missing", c->unanswered);
	pk_json_u64(j, "unsolicited", c->unsolicited);
	pk_json_u64(j, "contradicted", c->contradicted);
	pk_json_u64(j, "names_learned", c->addresses.names);
	pk_json_end(j);
	pk_json_obj(j, "streams");
	pk_json_u64(j, "refused_segments", c->streams.refused);
	pk_json_u64(j, "differing_segments", c->streams.differ);
	pk_json_u64(j, "unfinished", c->unfinished);
	pk_json_end(j);
}

void pk_ocsf_fact_subject(const struct pk_fact *f, struct pk_filter_subject *s)
{
	const char *const names[] = { f ? f->sni : NULL, f ? f->http_host : NULL,
				      f ? f->dns[0] : NULL, f ? f->dns[1] : NULL };

	if (!f)
		return;
	memcpy(s->name, names, sizeof(names));
	s->sni = f->sni;
	s->ja4 = f->ja4;
	s->alpn = f->alpn;
	s->app = pk_app_name(f->app);
	for (int d = 0; d < 2; d++) {
		s->asn[d] = f->place[d].asn;
		s->as_name[d] = f->place[d].as_name;
		s->country[d] = f->place[d].country;
	}
}
