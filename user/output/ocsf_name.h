/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a flow by its content, in the members that OCSF 1.8.0 has for it, and the rest
 * under unmapped.picket. fact may be NULL everywhere: nothing is written then.
 */
#pragma once

#include <stdint.h>

struct pk_fact;
struct pk_filter_subject;
struct pk_json;
struct pk_names_count;

/* Of end d, into its endpoint: hostname, location, autonomous_system. */
void pk_ocsf_fact_endpoint(struct pk_json *j, const struct pk_fact *fact, unsigned d);
/* Into the record: app_name, tls, ja4_fingerprint_list, http_request, http_response. */
void pk_ocsf_fact(struct pk_json *j, const struct pk_fact *fact);
/* Into unmapped.picket: name, names, name_conflict, and one object by application. from: the end
 * that the record calls src. */
void pk_ocsf_fact_own(struct pk_json *j, const struct pk_fact *fact, unsigned from);
/* Members "samples", "dns_answers" and "streams": what was read, what not and why. */
void pk_ocsf_name_counts(struct pk_json *j, const struct pk_names_count *c);
/* Names, app, fingerprints and places for a filter; borrowed. */
void pk_ocsf_fact_subject(const struct pk_fact *fact, struct pk_filter_subject *s);
