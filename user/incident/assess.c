/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the names and choices of what people say. It concludes nothing from them. */
#include "incident/assess.h"

#include "base/cleanup.h"
#include "incident/incident.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char impact[] = "none low medium high";

static const struct {
	const char *name, *choices;
} kinds[PK_ASSESS_KINDS] = {
	[PK_ASSESS_CONFIDENTIALITY] = { "confidentiality", impact },
	[PK_ASSESS_INTEGRITY] = { "integrity", impact },
	[PK_ASSESS_AVAILABILITY] = { "availability", impact },
	[PK_ASSESS_SERVICES] = { "services", NULL },
	[PK_ASSESS_ASSETS] = { "assets", NULL },
	[PK_ASSESS_PERSONAL_DATA] = { "personal_data", "yes no" },
	[PK_ASSESS_ROOT_CAUSE] = { "root_cause", NULL },
	[PK_ASSESS_CAUSE] = { "cause", NULL },
	[PK_ASSESS_WORKED] = { "worked", NULL },
	[PK_ASSESS_IMPROVEMENTS] = { "improvements", NULL },
};

const char *pk_assess_name(enum pk_assess k)
{
	return k < PK_ASSESS_KINDS ? kinds[k].name : "";
}

const char *pk_assess_choices(enum pk_assess k)
{
	return k < PK_ASSESS_KINDS ? kinds[k].choices : NULL;
}

/* Its place among them, from 0; -1: it is none. */
static int place_of(const char *choices, const char *value)
{
	size_t n = strlen(value);
	int k = 0;

	if (strchr(value, ' '))
		return -1;
	for (const char *at = choices; n && at; k++) {
		if (strncmp(at, value, n) == 0 && (!at[n] || at[n] == ' '))
			return k;
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return -1;
}

const char *pk_incident_assessed(const struct pk_incident *i, enum pk_assess k)
{
	return i->assessed && k < PK_ASSESS_KINDS ? i->assessed[k] : "";
}

int pk_incident_assess_set(struct pk_incident *i, enum pk_assess k, const char *value)
{
	if (kinds[k].choices && *value && place_of(kinds[k].choices, value) < 0)
		return -EINVAL;
	if (strlen(value) >= PK_ASSESS_TEXT)
		return -EMSGSIZE;
	if (!i->assessed && *value)
		i->assessed = calloc(PK_ASSESS_KINDS, sizeof(*i->assessed));
	if (!i->assessed)
		return *value ? -ENOMEM : 0;
	(void)snprintf(i->assessed[k], sizeof(i->assessed[k]), "%s", value);
	return 0;
}

int pk_incident_assess(struct pk_incident *i, enum pk_assess k, const char *value,
		       const struct pk_incident_by *by)
{
	char was[PK_ASSESS_TEXT];
	int r;

	(void)snprintf(was, sizeof(was), "%s", pk_incident_assessed(i, k));
	r = strcmp(was, value) != 0 ? pk_incident_assess_set(i, k, value) : 0;
	if (r < 0 || strcmp(was, value) == 0)
		return r;
	(void)pk_incident_note(i, by, PK_DEED_OBSERVATION, "%s: %.80s%s%.80s", kinds[k].name,
			       *value ? value : "nothing", *was ? ", was " : "", was);
	return 0;
}

int pk_incident_impact_id(const struct pk_incident *i)
{
	static const enum pk_assess of[] = { PK_ASSESS_CONFIDENTIALITY, PK_ASSESS_INTEGRITY,
					     PK_ASSESS_AVAILABILITY };
	int most = 0;

	for (size_t k = 0; k < PK_ARRAY_SIZE(of); k++) {
		int is = place_of(impact, pk_incident_assessed(i, of[k]));

		most = is > most ? is : most; /* OCSF has no none: that is told by the text */
	}
	return most;
}

void pk_incident_assess_merge(struct pk_incident *into, const struct pk_incident *from)
{
	for (int k = 0; k < PK_ASSESS_KINDS; k++) {
		const char *value = pk_incident_assessed(from, (enum pk_assess)k);

		if (*value && !*pk_incident_assessed(into, (enum pk_assess)k))
			(void)pk_incident_assess_set(into, (enum pk_assess)k, value); /* no room */
	}
}
