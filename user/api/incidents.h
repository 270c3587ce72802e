/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files about incidents share. */
#pragma once

struct pk_api_request;
struct pk_incident;

/* The one that the path names, by number or uid; NULL: a problem was answered. */
struct pk_incident *pk_incident_asked(struct pk_api_request *q);
/* Answers with the incident as it is now. */
void pk_incident_reply(struct pk_api_request *q, const struct pk_incident *i);
/* The same after somebody did something about it: once that is on the disk (api/kept.h). */
void pk_incident_reply_kept(struct pk_api_request *q, struct pk_incident *i);
