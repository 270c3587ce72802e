/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the items of incident.deadlines and counts their time. Which of them apply a person says.
 */
#include "conf/deadline.h"

#include "base/cleanup.h"
#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR_MS 3600000ll
#define AFTER   " after "

static bool take_name(const char *s, size_t n, char out[PK_CONF_DEADLINE_NAME])
{
	if (!n || n >= PK_CONF_DEADLINE_NAME || s[0] == ' ' || s[n - 1] == ' ')
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	memcpy(out, s, n);
	out[n] = '\0';
	return true;
}

static bool take_time(const char *s, size_t n, struct pk_conf_deadline *d)
{
	static const struct {
		const char *unit;
		int64_t ms; /* 0: a month */
		unsigned long max;
	} units[] = { { "h", HOUR_MS, 9999 }, { "d", 24 * HOUR_MS, 999 }, { "mo", 0, 24 } };
	unsigned long v;
	char *end;

	if (!n || *s < '1' || *s > '9')
		return false;
	v = strtoul(s, &end, 10);
	for (size_t i = 0; i < PK_ARRAY_SIZE(units); i++)
		if (strlen(units[i].unit) == n - (size_t)(end - s) &&
		    strncmp(end, units[i].unit, strlen(units[i].unit)) == 0) {
			if (v > units[i].max)
				return false;
			d->ms = (int64_t)v * units[i].ms;
			d->months = units[i].ms ? 0 : (unsigned)v;
			return true;
		}
	return false;
}

int pk_conf_deadline_parse(const char *s, struct pk_conf_deadline *ret)
{
	struct pk_conf_deadline d = { 0 };
	size_t n = strcspn(s, "=");
	const char *time = s[n] ? s + n + 1 : "", *after = strstr(time, AFTER);

	if (!take_name(s, n, d.name) ||
	    !take_time(time, after ? (size_t)(after - time) : strlen(time), &d))
		return -EINVAL;
	if (after && !take_name(after + strlen(AFTER), strlen(after + strlen(AFTER)), d.after))
		return -EINVAL;
	*ret = d;
	return 0;
}

bool pk_conf_deadline_fits(const struct pk_conf_list *list, const struct pk_conf_deadline *d)
{
	bool found = !*d->after;

	for (size_t i = 0; i < list->n; i++) {
		struct pk_conf_deadline o;

		if (pk_conf_deadline_parse(list->v[i], &o) < 0)
			continue; /* refused when it was read */
		if (strcmp(o.name, d->name) == 0)
			return false;
		found |= strcmp(o.name, d->after) == 0;
	}
	return found;
}

static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month] + (month == 1 && leap);
}

int64_t pk_conf_deadline_due(const struct pk_conf_deadline *d, int64_t from_ms)
{
	time_t s = (time_t)(from_ms / 1000);
	struct tm tm;
	int last;

	if (!d->months || !gmtime_r(&s, &tm))
		return from_ms + d->ms;
	tm.tm_year += (tm.tm_mon + (int)d->months) / 12;
	tm.tm_mon = (tm.tm_mon + (int)d->months) % 12;
	last = days_of(tm.tm_year + 1900, tm.tm_mon);
	if (tm.tm_mday > last)
		tm.tm_mday = last;
	return (int64_t)timegm(&tm) * 1000 + from_ms % 1000;
}
