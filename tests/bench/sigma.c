/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Sigma rules cost by their number: 10 and 1,000 process_creation rules on the same events,
 * the programs that tests of Atomic Red Team ran, in turns. The 1,000 are the corpora's rules and
 * variants of them, in which one letter of each value is another. Prints "name value unit" lines;
 * exits 1 below the rate, or above the ratio, that the project asks for. PICKET_CORPORA names the
 * corpora; without them it says so.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "sigma/match.h"
#include "sigma/set.h"

#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RATIO_GOAL 3.0
#define RATE_MIN   500000.0 /* events a second, with 1,000 rules */
#define EVENTS_MAX 8192
#define RULES_MAX  256
#define ROUNDS     400
#define TURNS      5

static char *rule[RULES_MAX]; /* texts of rule files */
static size_t rules;
static struct pk_sigma_event event[EVENTS_MAX];
static size_t events;
static volatile unsigned long hits; /* results are used */

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int on_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	_cleanup_fclose_ FILE *f = NULL;
	char *text;

	(void)at;
	if (type != FTW_F || rules == RULES_MAX || !strstr(path, ".yml") ||
	    !(f = fopen(path, "re")))
		return 0;
	text = calloc(1, st->st_size + 1);
	if (text && fread(text, 1, st->st_size, f) == (size_t)st->st_size &&
	    strstr(text, "category: process_creation"))
		rule[rules++] = text;
	else
		free(text);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In each quoted value of the detection one letter is replaced; an id is made different. */
static void vary(struct pk_buf *out, const char *text, unsigned variant)
{
	const char *s = strstr(text, "\ndetection:"), *end = strstr(text, "\ncondition");
	size_t from = out->len;
	unsigned quoted = 0, letters = 0;

	pk_buf_str(out, text);
	pk_buf_str(out, "\n---\n");
	for (char *c = strstr(out->data + from, "\nid: "); c && variant;) {
		snprintf(c + 5, 9, "%08x", variant);
		c[13] = '-';
		break;
	}
	if (!variant || !s)
		return;
	for (char *c = out->data + from + (s - text); *c && (!end || c < out->data + out->len);
	     c++) {
		if (*c == '\n' && strncmp(c, "\n    condition", 14) == 0)
			break;
		if (*c == '\'') {
			quoted = !quoted;
			letters = 0;
		}
		if (quoted && *c >= 'a' && *c <= 'z' && letters++ == 1 + variant % 2)
			*c = 'a' + (*c - 'a' + variant) % 26;
	}
}

static struct pk_sigma_set *make(size_t n, size_t *ret_running)
{
	struct pk_sigma_set *set = NULL;
	struct pk_buf text = { 0 };

	/* fewer than there are: every so many, of all kinds */
	for (size_t i = 0; i < n; i++)
		vary(&text, rule[n < rules ? i * rules / n : i % rules], i / rules);
	if (pk_sigma_set_text("bench", text.data, text.len, &set) < 0)
		return NULL;
	for (size_t i = 0, told = 0; i < set->rules.n && told < 3; i++)
		if (set->rules.v[i]->problem && ++told)
			fprintf(stderr, "sigma: %s\n", set->rules.v[i]->problem->text);
	*ret_running = set->n_running;
	pk_buf_done(&text);
	return set;
}

static struct pk_sigma_text keep(const char *s)
{
	return (struct pk_sigma_text){ strdup(s), strlen(s) };
}

static void add_event(json_t *e)
{
	struct pk_sigma_event *ev = &event[events++];
	json_t *argv = json_object_get(e, "argv"), *word;
	struct pk_buf line = { 0 };
	size_t i;

	json_array_foreach(argv, i, word)
	{
		pk_buf_str(&line, i ? " " : "");
		pk_buf_str(&line, json_string_value(word));
	}
	ev->source = PK_SIGMA_PROCESS;
	ev->field[PK_SIGMA_F_IMAGE] = keep(json_string_value(json_object_get(e, "path")));
	ev->field[PK_SIGMA_F_COMMAND_LINE] = keep(line.data ? line.data : "");
	ev->field[PK_SIGMA_F_CURRENT_DIRECTORY] = keep("/root");
	ev->field[PK_SIGMA_F_USER] = keep("root");
	ev->field[PK_SIGMA_F_LOGON_ID] = keep("1000");
	ev->field[PK_SIGMA_F_PROCESS_ID] = keep("4711");
	ev->field[PK_SIGMA_F_PARENT_IMAGE] = keep("/usr/bin/bash");
	ev->field[PK_SIGMA_F_PARENT_COMMAND_LINE] = keep("bash /tmp/run.sh");
	ev->field[PK_SIGMA_F_PARENT_PROCESS_ID] = keep("4710");
	pk_buf_done(&line);
}

static void read_events(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0, i;

	while (f && getline(&line, &size, f) > 0) {
		json_t *o = json_loads(line, 0, NULL), *e;

		json_array_foreach(json_object_get(o, "exec"), i, e) if (events < EVENTS_MAX)
			add_event(e);
		json_decref(o);
	}
	free(line);
}

static void on_hit(void *arg, const struct pk_sigma_hit *hit)
{
	(void)arg;
	(void)hit;
	hits++;
}

/* ns per event, over all events. */
static double measure(const struct pk_sigma_set *set, struct pk_sigma_scratch *s)
{
	double start = now_ns();

	for (int i = 0; i < ROUNDS; i++)
		for (size_t e = 0; e < events; e++)
			pk_sigma_match(set, s, &event[e], on_hit, NULL);
	return (now_ns() - start) / ROUNDS / (double)events;
}

static void report(size_t n, double ns, const struct pk_sigma_scratch *s, size_t running)
{
	const struct pk_sigma_counts *c = pk_sigma_scratch_counts(s);

	printf("sigma_%zu_rules %.0f ns per event (%.0f events a second; %zu rules run, %.2f tried "
	       "and %.3f hit per event)\n",
	       n, ns, 1e9 / ns, running, (double)c->tried / c->events, (double)c->hits / c->events);
}

/* The lesser of several turns of each, taken one after the other. */
static int compare(void)
{
	static const size_t numbers[] = { 10, 1000 };
	double best[] = { 1e12, 1e12 };
	struct pk_sigma_scratch *s[2];
	struct pk_sigma_set *set[2];
	size_t running[2];

	for (int i = 0; i < 2; i++) {
		double start = now_ns();

		set[i] = make(numbers[i], &running[i]);
		if (!set[i] || pk_sigma_scratch_new(set[i], &s[i]) < 0)
			return 1;
		printf("sigma_compile_%zu %.0f ms\n", numbers[i], (now_ns() - start) / 1e6);
	}
	for (int turn = 0; turn < TURNS; turn++)
		for (int i = 0; i < 2; i++) {
			double ns = measure(set[i], s[i]);

			best[i] = ns < best[i] ? ns : best[i];
		}
	for (int i = 0; i < 2; i++) {
		report(numbers[i], best[i], s[i], running[i]);
		pk_sigma_scratch_free(s[i]);
		pk_sigma_set_free(set[i]);
	}
	printf("sigma_ratio %.2f (goal: at most %.0f)\n", best[1] / best[0], RATIO_GOAL);
	return 1e9 / best[1] < RATE_MIN || best[1] / best[0] > RATIO_GOAL;
}

int main(void)
{
	const char *corpora = getenv("PICKET_CORPORA");
	char path[4096];

	snprintf(path, sizeof(path), "%s/sigma", corpora ? corpora : "../shared/corpora");
	(void)nftw(path, on_file, 16, FTW_PHYS);
	snprintf(path, sizeof(path), "%s/atomic-red-team/observed-debian12.derived.jsonl",
		 corpora ? corpora : "../shared/corpora");
	read_events(path);
	if (rules < 10 || !events) {
		printf("sigma: skipped, there are no corpora of rules and programs that ran\n");
		return 0;
	}
	qsort(rule, rules, sizeof(*rule), by_text);
	printf("sigma_events %zu\n", events);
	return compare();
}
