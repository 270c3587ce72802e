/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules of the given files each event of a JSON lines file fits, for comparison with another
 * evaluation: "NUMBER FILE LINE" for each hit. An event is {"category", "product", "service", "ts",
 * "fields"}, its fields named as that log source does; a value that is a list has several. With -c
 * the hits of correlations are printed, too, as "NUMBER + FILE LINE".
 * Usage: sigma [-c] EVENTS RULES...
 */
#include "base/buf.h"
#include "sigma/correlation.h"
#include "sigma/field.h"
#include "sigma/set.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
	struct pk_sigma_set *set;
	struct pk_sigma_scratch *scratch;
	struct pk_sigma_state *state;
	unsigned long number;
};

static void on_correlation(void *arg, const struct pk_sigma_hit *hit)
{
	const struct run *run = arg;

	printf("%lu + %s %u\n", run->number, hit->rule->file, hit->rule->at.line);
}

static void on_hit(void *arg, const struct pk_sigma_hit *hit)
{
	struct run *run = arg;

	printf("%lu %s %u\n", run->number, hit->rule->file, hit->rule->at.line);
	if (run->state)
		pk_sigma_state_feed(run->state, run->set, hit, on_correlation, run);
}

static struct pk_sigma_text text_of(json_t *v, struct pk_buf *buf)
{
	size_t from = buf->len, n = json_is_array(v) ? json_array_size(v) : 1;

	for (size_t i = 0; i < n; i++) {
		json_t *s = json_is_array(v) ? json_array_get(v, i) : v;

		if (i)
			pk_buf_char(buf, '\0');
		pk_buf_add(buf, json_string_value(s), json_string_length(s));
	}
	return (struct pk_sigma_text){ (const char *)from, buf->len - from }; /* an offset still */
}

static void feed(struct run *run, json_t *o)
{
	struct pk_sigma_rule as = { .category = json_string_value(json_object_get(o, "category")),
				    .product = json_string_value(json_object_get(o, "product")),
				    .service = json_string_value(json_object_get(o, "service")) };
	struct pk_sigma_event ev = { .ts_ns = json_integer_value(json_object_get(o, "ts")) };
	struct pk_buf buf = { 0 };
	const char *reason, *name;
	uint64_t have = 0;
	json_t *v;
	int row = pk_sigma_logsource(&as, &reason);

	if (row < 0) {
		fprintf(stderr, "event %lu: %s\n", run->number, reason);
		exit(2);
	}
	ev.source = pk_sigma_row_source(row);
	pk_buf_str(&buf, ""); /* empty texts, too, are not NULL */
	json_object_foreach(json_object_get(o, "fields"), name, v)
	{
		int field = pk_sigma_field_find(row, name);

		if (field < 0) {
			fprintf(stderr, "event %lu: no field %s\n", run->number, name);
			exit(2);
		}
		have |= 1ull << field;
		ev.field[field] = text_of(v, &buf);
	}
	for (unsigned f = 0; f < PK_SIGMA_FIELDS; f++)
		ev.field[f].s = have >> f & 1 ? buf.data + (size_t)ev.field[f].s : NULL;
	if (run->state)
		pk_sigma_state_tick(run->state, run->set, ev.ts_ns, on_correlation, run);
	pk_sigma_match(run->set, run->scratch, &ev, on_hit, run);
	pk_buf_done(&buf);
}

int main(int argc, char **argv)
{
	int first = argc > 1 && !strcmp(argv[1], "-c") ? 2 : 1;
	struct run run = { .number = 1 };
	struct pk_buf errors = { 0 };
	char *line = NULL;
	size_t size = 0;
	FILE *events;

	if (argc < first + 2 || !(events = fopen(argv[first], "re")))
		return 2;
	if (pk_sigma_set_load((const char *const *)argv + first + 1, argc - first - 1, &errors,
			      &run.set) < 0 ||
	    pk_sigma_scratch_new(run.set, &run.scratch) < 0) {
		fprintf(stderr, "%s\n", errors.data ? errors.data : "out of memory");
		return 1;
	}
	run.state = first == 2 ? pk_sigma_state_new(4096, 65536) : NULL;
	for (; getline(&line, &size, events) > 0; run.number++) {
		json_t *o = json_loads(line, 0, NULL);

		if (!o)
			return 2;
		feed(&run, o);
		json_decref(o);
	}
	free(line);
	fclose(events);
	pk_sigma_state_free(run.state);
	pk_sigma_scratch_free(run.scratch);
	pk_sigma_set_free(run.set);
	pk_buf_done(&errors);
	return 0;
}
