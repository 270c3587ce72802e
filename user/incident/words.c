/* SPDX-License-Identifier: Apache-2.0 */
/* What an incident is, in three lengths. All of it comes from its alerts; nothing is guessed. */
#include "incident/incident.h"

#include "base/buf.h"
#include "base/ip.h"

#include <string.h>

#define NAMED 6 /* kinds of alerts that a sentence names */

/* The k-th is the first of its title. */
static bool is_first(const struct pk_incident *i, size_t k)
{
	for (size_t n = 0; n < k; n++)
		if (strcmp(i->alert[n].title, i->alert[k].title) == 0)
			return false;
	return true;
}

static size_t kinds_of(const struct pk_incident *i)
{
	size_t n = 0;

	for (size_t k = 0; k < i->alerts; k++)
		n += is_first(i, k);
	return n;
}

static const struct pk_incident_alert *gravest(const struct pk_incident *i)
{
	const struct pk_incident_alert *a = i->alerts ? &i->alert[0] : NULL;

	for (size_t k = 1; k < i->alerts; k++)
		if (i->alert[k].severity > a->severity)
			a = &i->alert[k];
	return a;
}

void pk_incident_title(const struct pk_incident *i, struct pk_buf *out)
{
	const struct pk_incident_alert *a = gravest(i);
	size_t others = kinds_of(i);

	pk_buf_str(out, a ? a->title : "Incident without alerts");
	if (others > 1)
		pk_buf_fmt(out, " and %zu other sign%s", others - 1, others > 2 ? "s" : "");
}

static void add_kinds(const struct pk_incident *i, struct pk_buf *out)
{
	size_t n = 0, all = kinds_of(i);

	for (size_t k = 0; k < i->alerts; k++) {
		if (!is_first(i, k))
			continue;
		if (n == NAMED) {
			pk_buf_fmt(out, " and %zu more", all - n);
			return;
		}
		pk_buf_str(out, n ? ", then " : "");
		pk_buf_char(out, n && i->alert[k].title[1] >= 'a' ? i->alert[k].title[0] | 0x20
								  : i->alert[k].title[0]);
		pk_buf_str(out, i->alert[k].title + 1);
		n++;
	}
}

static void add_remotes(const struct pk_incident *i, struct pk_buf *out)
{
	char ip[PK_IP_TEXT];
	size_t n = 0;

	for (size_t k = 0; k < i->remotes && n < 3; k++) {
		if (i->remote[k].spoofable && i->remotes > 1)
			continue;
		pk_buf_fmt(out, "%s%s",
			   n++ ? ", " : "; other side: ", pk_ip_format(i->remote[k].addr, ip));
		if (i->remote[k].spoofable)
			pk_buf_str(out, " (may be forged)");
	}
	if (i->remotes > 3)
		pk_buf_fmt(out, " and %zu more", i->remotes - 3);
}

void pk_incident_sentence(const struct pk_incident *i, struct pk_buf *out)
{
	if (!i->alerts) {
		pk_buf_str(out, "No alert is left of it.");
		return;
	}
	add_kinds(i, out);
	add_remotes(i, out);
	pk_buf_char(out, '.');
}

void pk_incident_paragraph(const struct pk_incident *i, struct pk_buf *out)
{
	for (size_t k = 0; k < i->alerts; k++) {
		const struct pk_incident_alert *a = &i->alert[k];

		if (!is_first(i, k))
			continue;
		pk_buf_fmt(out, "%s%s", k ? " " : "", a->plain);
	}
	if (i->alerts_lost)
		pk_buf_fmt(out, " %llu more alerts are not kept.",
			   (unsigned long long)i->alerts_lost);
	if (i->remotes_lost)
		pk_buf_fmt(out,
			   " It has more other sides than are kept (%d): %llu times there was no "
			   "room for one; block them by hand.",
			   PK_INCIDENT_REMOTES, (unsigned long long)i->remotes_lost);
}
