/* SPDX-License-Identifier: Apache-2.0 */
/* Fills a finding. It decides nothing and keeps nothing. */
#include "detect/finding.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const severities[] = {
	[PK_INFORMATIONAL] = "Informational",
	[PK_LOW] = "Low",
	[PK_MEDIUM] = "Medium",
	[PK_HIGH] = "High",
	[PK_CRITICAL] = "Critical",
};

const char *pk_severity_name(enum pk_severity s)
{
	return s < PK_ARRAY_SIZE(severities) && severities[s] ? severities[s] : "Unknown";
}

int pk_severity_parse(const char *s, enum pk_severity *ret)
{
	for (size_t i = PK_INFORMATIONAL; i < PK_ARRAY_SIZE(severities); i++)
		if (strcasecmp(s, severities[i]) == 0) {
			*ret = (enum pk_severity)i;
			return 0;
		}
	return -EINVAL;
}

void pk_finding_plain(struct pk_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(f->plain, sizeof(f->plain), fmt, ap);
	va_end(ap);
}

void pk_finding_detail(struct pk_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
	va_end(ap);
}

void pk_finding_field(struct pk_finding *f, const char *name, const char *fmt, ...)
{
	struct pk_finding_field *to = &f->field[f->fields];
	va_list ap;

	if (f->fields >= PK_FINDING_FIELDS)
		return;
	f->fields++;
	snprintf(to->name, sizeof(to->name), "%s", name);
	va_start(ap, fmt);
	(void)vsnprintf(to->value, sizeof(to->value), fmt, ap);
	va_end(ap);
}

void pk_finding_proc(struct pk_finding *f, const struct pk_proc_id *id)
{
	if (!id->tgid)
		return;
	for (size_t i = 0; i < f->procs; i++)
		if (f->proc[i].tgid == id->tgid && f->proc[i].start_ns == id->start_ns)
			return;
	if (f->procs < PK_FINDING_PROCS)
		f->proc[f->procs++] = *id;
}

void pk_finding_remote(struct pk_finding *f, const uint8_t addr[16])
{
	memcpy(f->remote, addr, sizeof(f->remote));
	f->has_remote = true;
}

void pk_finding_flow(struct pk_finding *f, const struct pk_flow_key *key, uint64_t flow,
		     uint8_t initiator, unsigned far)
{
	f->key = *key;
	f->has_key = true;
	f->flow = flow;
	f->initiator = initiator & 1;
	f->netns = key->netns;
	pk_finding_remote(f, key->addr[far & 1]);
}

void pk_finding_fold(struct pk_finding *f, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = f->fold ? f->fold : 0xcbf29ce484222325ull; /* FNV-1a; collisions only fold */

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	f->fold = h;
}
