/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /metrics by the rules of the format and of its naming (what promtool checks), numbers that a test
 * knows, and /healthz.
 */
#include "served.h"

#include <ctype.h>
#include <regex.h>

#define NAME   "^[a-z_][a-z0-9_]*$"
#define SAMPLE "^([a-z_][a-z0-9_]*)(\\{.*\\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$"
#define LABELS                                                                                     \
	"^\\{([a-z_]+=\"([^\"\\\\]|\\\\[\\\\n\"])*\")(,[a-z_]+=\"([^\"\\\\]|\\\\[\\\\n\"])*\")*"   \
	"\\}$"

static bool fits(const char *pattern, const char *s)
{
	regex_t re;
	int r;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	r = regexec(&re, s, 0, NULL, 0);
	regfree(&re);
	return r == 0;
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), m = strlen(with);

	return n >= m && strcmp(s + n - m, with) == 0;
}

/* The state of somebody who reads it line by line. */
struct reader {
	char family[128], type[16], series[512][256];
	char seen[256][128];
	size_t n_seen, n_series, samples;
	bool helped;
};

static void take_help(struct reader *r, char *line)
{
	char *name = line + strlen("# HELP "), *help = strchr(name, ' ');

	assert_non_null(help);
	*help++ = '\0';
	if (!fits(NAME, name) || !*help || strchr(help, '\\'))
		fail_msg("HELP %s %s", name, help);
	for (size_t i = 0; i < r->n_seen; i++)
		if (strcmp(r->seen[i], name) == 0)
			fail_msg("%s comes twice", name);
	assert_true(r->n_seen < PK_ARRAY_SIZE(r->seen));
	snprintf(r->seen[r->n_seen++], sizeof(r->seen[0]), "%s", name);
	snprintf(r->family, sizeof(r->family), "%s", name);
	r->n_series = 0;
	r->helped = true;
}

static void take_type(struct reader *r, char *line)
{
	char name[128];
	bool counts;

	assert_int_equal(sscanf(line, "# TYPE %127s %15s", name, r->type), 2);
	assert_string_equal(name, r->family);
	assert_true(r->helped);
	r->helped = false;
	counts = strcmp(r->type, "counter") == 0;
	if (!counts && strcmp(r->type, "gauge") != 0)
		fail_msg("%s: %s", name, r->type);
	if (counts != ends(name, "_total"))
		fail_msg("%s is a %s", name, r->type);
	/* base units only */
	if (strncmp(name, "picket_", 7) != 0 || fits("_(ms|us|ns|kb|mb|percent|bits)(_|$)", name))
		fail_msg("%s", name);
}

static void take_sample(struct reader *r, char *line)
{
	size_t n = strcspn(line, "{ ");
	char *value = strrchr(line, ' ');

	if (!fits(SAMPLE, line) || strlen(r->family) != n || strncmp(line, r->family, n) != 0)
		fail_msg("in %s: %s", r->family, line);
	*value = '\0';
	if (line[n] == '{' && !fits(LABELS, line + n))
		fail_msg("labels: %s", line + n);
	for (size_t i = 0; i < r->n_series; i++)
		if (strcmp(r->series[i], line) == 0)
			fail_msg("%s comes twice", line);
	assert_true(r->n_series < PK_ARRAY_SIZE(r->series));
	snprintf(r->series[r->n_series++], sizeof(r->series[0]), "%s", line);
	r->samples++;
}

static void read_metrics(char *text, struct reader *r)
{
	assert_true(ends(text, "\n"));
	for (char *next, *line = text; *line; line = next) {
		next = strchr(line, '\n');
		*next++ = '\0';
		if (strncmp(line, "# HELP ", 7) == 0)
			take_help(r, line);
		else if (strncmp(line, "# TYPE ", 7) == 0)
			take_type(r, line);
		else
			take_sample(r, line);
	}
	assert_false(r->helped);
}

static char *get_metrics(void)
{
	char *text;

	assert_int_equal(ask_text("GET", PK_API_METRICS, "", "", 0, &text), 200);
	return text;
}

static void it_is_what_prometheus_reads(void **state)
{
	static struct reader r;
	_cleanup_free_ char *text = NULL;

	(void)state;
	ask_ok("PUT", "/v1/lists/spam?format=plain", "198.51.100.0/24\n203.0.113.7\n");
	ask_ok("PUT", "/v1/lists/good?format=plain&kind=allow", "198.51.100.9\n");
	text = get_metrics();
	read_metrics(text, &r);
	assert_true(r.n_seen > 60 && r.samples > 300);
}

static void numbers_are_those_of_the_agent(void **state)
{
	static const char *const lines[] = {
		"picket_build_info{version=\"" PK_VERSION "\",abi=\"",
		"\npicket_flows_total 4\n",
		"\npicket_lists 2\n",
		"\npicket_list_entries{list=\"spam\",kind=\"block\",mode=\"enforce\"} 2\n",
		"\npicket_list_entries{list=\"good\",kind=\"allow\",mode=\"enforce\"} 1\n",
		"\npicket_list_dropped_packets_total{list=\"spam\",direction=\"in\"} 7\n",
		"\npicket_list_dropped_bytes_total{list=\"spam\",direction=\"in\"} 700\n",
		"\npicket_list_refused_calls_total{list=\"spam\"} 3\n",
		"\npicket_table_entries{table=\"ended_flows\"} 4\n",
		"\npicket_packets_total{hook=\"xdp\",fate=\"flow\"} 0\n",
		"\npicket_kernel_events_total{hook=\"exec\",fate=\"ring_full\"} 0\n",
		"\npicket_samples_total{app=\"tls\",fate=\"limited\"} 0\n",
		"\npicket_detector_findings_total{detector=\"port_scan\"} 0\n",
		"\npicket_incidents_open 0\n",
		"\npicket_healthy 0\n",
	};
	_cleanup_free_ char *text = get_metrics();

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(lines); i++)
		if (!strstr(text, lines[i]))
			fail_msg("no \"%s\" in\n%s", lines[i], text);
}

/* Nobody ticks here, and there is no kernel side: it answers, but is not well, and says why. */
static void health_says_why(void **state)
{
	json_t *j = ask("GET", PK_API_READY, "", 503);

	(void)state;
	assert_int_equal(num(j, "status"), 503);
	assert_string_equal(text_at(j, "reasons.0"), "the loop has not turned for five seconds");
	assert_string_equal(text_at(j, "reasons.1"), "the kernel's counters can not be read");
	assert_int_equal(json_array_size(at(j, "reasons")), 3);
	json_decref(j);
	json_decref(ask("GET", PK_API_HEALTH, "", 200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_prometheus_reads),
		cmocka_unit_test(numbers_are_those_of_the_agent),
		cmocka_unit_test(health_says_why),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
