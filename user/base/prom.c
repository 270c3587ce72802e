/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the syntax of samples and their escaping. It does not know what they mean. */
#include "base/prom.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"

#include <math.h>
#include <string.h>

static void family(struct pk_prom *p, const char *name, const char *help, const char *type)
{
	p->name = name;
	p->labelled = false;
	pk_buf_fmt(p->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void pk_prom_counter(struct pk_prom *p, const char *name, const char *help)
{
	family(p, name, help, "counter");
}

void pk_prom_gauge(struct pk_prom *p, const char *name, const char *help)
{
	family(p, name, help, "gauge");
}

void pk_prom_label(struct pk_prom *p, const char *key, const char *value)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };

	if (!p->labelled)
		pk_buf_str(p->out, p->name);
	pk_buf_fmt(p->out, "%s%s=\"", p->labelled ? "," : "{", key);
	p->labelled = true;
	pk_escape_text(&text, value ? value : "", value ? strlen(value) : 0);
	if (text.error)
		p->out->error = text.error;
	/* what is not printable is printed by now; the format knows no escapes but these */
	for (const char *s = text.data; s && *s; s++) {
		if (*s == '\\' || *s == '"')
			pk_buf_char(p->out, '\\');
		pk_buf_char(p->out, *s);
	}
	pk_buf_char(p->out, '"');
}

static void begin_value(struct pk_prom *p)
{
	pk_buf_str(p->out, p->labelled ? "} " : p->name);
	if (!p->labelled)
		pk_buf_char(p->out, ' ');
	p->labelled = false;
}

void pk_prom_u64(struct pk_prom *p, uint64_t value)
{
	begin_value(p);
	pk_buf_fmt(p->out, "%llu\n", (unsigned long long)value);
}

void pk_prom_dbl(struct pk_prom *p, double value)
{
	begin_value(p);
	if (isnan(value))
		pk_buf_str(p->out, "NaN\n");
	else if (isinf(value))
		pk_buf_str(p->out, value > 0 ? "+Inf\n" : "-Inf\n");
	else
		pk_buf_fmt(p->out, "%.15g\n", value);
}

void pk_prom_count(struct pk_prom *p, const char *name, const char *help, uint64_t value)
{
	pk_prom_counter(p, name, help);
	pk_prom_u64(p, value);
}

void pk_prom_level(struct pk_prom *p, const char *name, const char *help, uint64_t value)
{
	pk_prom_gauge(p, name, help);
	pk_prom_u64(p, value);
}
