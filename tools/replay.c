/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `picket replay`: sends the packets of capture files through the kernel's packet program and shows
 * the flows as if live. Reading files is capture.c, the kernel replay_kernel.c, printing
 * replay_print.c.
 */
#include "replay.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"
#include "capture.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/indicators.h"
#include "flow/filter.h"
#include "flow/table.h"
#include "intel/intel.h"
#include "name/name.h"
#include "replay_alerts.h"
#include "replay_kernel.h"
#include "replay_print.h"
#include "rule_judge.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S       1000000000ULL
#define SLOTS_MIN      8192u
#define SLOTS_MAX      (1u << 19)
#define FLOWS_MAX      (1u << 20) /* shown of one capture; more are counted */
#define BYTES_A_FLOW   32         /* of the file: no flow takes less than a packet */
#define ADDRESSES_MAX  (1u << 20) /* that have names */
#define TEXT_BYTES     (512u << 20)
#define INDICATORS_MAX 10000000
#define PROGRESS_SIZE  (16 << 20) /* files below are read before anybody looks */

struct options {
	enum pk_print_format format;
	bool progress, alerts;
	const char *rules; /* only these Sigma rules; NULL: what the configuration says */
	struct pk_rule_judged judged; /* which of them a capture can answer */
	struct pk_conf *conf;         /* thresholds of detectors */
	struct pk_indicators *intel;  /* NULL: none */
	struct pk_filter *filter;
	char **file;
	size_t files;
};

/* One capture on its way through the kernel. */
struct run {
	const struct options *opt;
	struct pk_replay *kernel;
	struct pk_flow_table *flows;
	struct pk_names *names;
	struct pk_replay_alerts *alerts; /* NULL: flows are printed */
	struct pk_replay_sum sum;
	uint64_t now_ns, swept_ns; /* on the clock of the kernel program */
	int64_t offset_ns;         /* epoch minus that clock */
	time_t shown;
};

static void table_freep(struct pk_flow_table **t)
{
	pk_flow_table_free(*t);
}

static void names_freep(struct pk_names **n)
{
	pk_names_free(*n);
}

static void on_forgot(void *arg, uint64_t flow)
{
	pk_names_forget(arg, flow);
}

static void detect(struct run *run, struct pk_see see)
{
	if (!run->alerts)
		return;
	see.now_ns = run->now_ns;
	pk_replay_alerts_see(run->alerts, &see);
}

/* DNS transactions are printed as they end, before the flows. */
static void on_news(void *arg, const struct pk_news *news)
{
	struct run *run = arg;

	detect(run, (struct pk_see){ .kind = PK_SEE_NEWS, .news = news, .fact = news->fact });
	if (run->alerts)
		return;
	if (news->kind == PK_NEWS_DNS)
		run->sum.output_error = pk_print_dns(stdout, run->opt->format, run->opt->filter,
						     run->names, news, &run->sum);
}

static int make_names(struct run *run)
{
	struct pk_names_opts opts = { .facts_max = pk_replay_slots(run->kernel) + FLOWS_MAX,
				      .addresses_max = ADDRESSES_MAX,
				      .text_bytes = TEXT_BYTES,
				      .news = on_news,
				      .arg = run };
	int r = pk_names_new(&opts, &run->names);

	if (r == 0)
		pk_flow_table_on_forget(run->flows, on_forgot, run->names);
	return r;
}

/* Aligned and without what the ring has behind it; the interface is none of the capture's. */
static int take_sample(struct run *run, const struct pk_sample *s)
{
	_cleanup_free_ struct pk_sample *copy = NULL;

	if (!(s->why & PK_SAMPLE_PAYLOAD))
		return 0;
	copy = malloc(s->hdr.size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, s, s->hdr.size);
	copy->key.ifindex = 0;
	(void)pk_names_feed(run->names, copy); /* what can't be read is counted */
	detect(run, (struct pk_see){ .kind = PK_SEE_SAMPLE,
				     .sample = copy,
				     .fact = pk_names_fact(run->names, copy->flow) });
	return run->sum.output_error;
}

/* The interface that BPF_PROG_RUN makes up is none of the capture's. */
static int on_report(void *arg, const void *record, size_t size)
{
	struct run *run = arg;
	struct pk_flow_report report;
	const struct pk_flow_entry *e;
	struct pk_event ev;
	int r;

	r = pk_record_decode(&ev, record, size);
	if (r < 0)
		return r;
	if (ev.type == PK_EV_SAMPLE)
		return take_sample(run, ev.sample);
	if (ev.type != PK_EV_FLOW)
		return -EBADMSG;
	report = *ev.flow;
	report.flow.key.ifindex = 0;
	e = pk_flow_table_update(run->flows, &report); /* full: counted by the table */
	if (!e)
		return 0;
	pk_names_flow(run->names, &e->flow, e->ended);
	detect(run, (struct pk_see){ .kind = PK_SEE_FLOW,
				     .flow = e,
				     .fact = pk_names_fact(run->names, e->flow.meta.id) });
	return 0;
}

/* The kernel's clock begins shortly before the capture and never goes back. */
static void set_clock(struct run *run, uint64_t ts_ns)
{
	uint64_t now;

	if (!run->now_ns) {
		run->offset_ns = (int64_t)ts_ns - (int64_t)NS_PER_S;
		if (!run->offset_ns)
			run->offset_ns = 1; /* 0 would mean the real clock */
		pk_clock_fix_offset(run->offset_ns);
		run->now_ns = run->swept_ns = ts_ns - (uint64_t)run->offset_ns;
		run->sum.first_ns = run->now_ns;
	}
	now = ts_ns - (uint64_t)run->offset_ns;
	if ((int64_t)(now - run->now_ns) < 0)
		run->sum.back_in_time++;
	else
		run->now_ns = now;
	run->sum.last_ns = run->now_ns;
}

static int take_packet(struct run *run, const struct pk_frame *f)
{
	int r;

	run->sum.packets++;
	run->sum.bytes += f->wire_bytes;
	if (f->skip == -ENOTSUP)
		run->sum.unsupported_link++;
	else if (f->skip)
		run->sum.truncated_link++;
	if (f->skip)
		return 0;
	set_clock(run, f->ts_ns);
	if (run->now_ns - run->swept_ns >= NS_PER_S) {
		r = pk_replay_sweep(run->kernel, run->now_ns, false);
		if (r < 0)
			return r;
		run->swept_ns = run->now_ns;
		pk_names_tick(run->names, run->now_ns);
		if (run->alerts)
			pk_replay_alerts_tick(run->alerts, run->now_ns);
	}
	return pk_replay_packet(run->kernel, f->data, f->len, run->now_ns, f->frame_bytes,
				f->wire_bytes);
}

static void show_progress(struct run *run, const struct pk_capture *c)
{
	time_t now;

	if (!run->opt->progress || run->sum.packets % 4096)
		return;
	now = time(NULL);
	if (now == run->shown)
		return;
	run->shown = now;
	fprintf(stderr, "\r%3.0f %%  %" PRIu64 " packets ", pk_capture_share(c) * 100,
		run->sum.packets);
	fflush(stderr);
}

/* All packets, then the end of all flows. A file that breaks off is shown as far as it goes. */
static int read_capture(struct run *run, struct pk_capture *c)
{
	struct pk_frame f;
	int r, end;

	while ((end = pk_capture_next(c, &f)) == 1) {
		r = take_packet(run, &f);
		if (r < 0)
			return r;
		show_progress(run, c);
	}
	if (run->shown)
		fputs("\r\033[K", stderr);
	r = pk_replay_sweep(run->kernel, run->now_ns ? run->now_ns : 1, true);
	if (r == 0)
		r = pk_replay_counts(run->kernel, run->sum.count);
	pk_names_tick(run->names, run->now_ns + PK_QUESTION_WAIT_NS); /* no more answers come */
	if (run->alerts)
		pk_replay_alerts_tick(run->alerts, run->now_ns + NS_PER_S);
	r = r < 0 ? r : run->sum.output_error;
	return r < 0 ? r : end;
}

static void complain(const char *file, uint64_t packet, const char *text)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };

	pk_escape_text(&b, file, strlen(file));
	if (packet)
		pk_buf_fmt(&b, ": packet %" PRIu64, packet);
	pk_buf_str(&b, ": ");
	pk_escape_text(&b, text, strlen(text));
	fprintf(stderr, "picket replay: %s\n", b.error ? strerror(-b.error) : b.data);
}

static int print(const struct options *opt, struct run *run)
{
	static const enum pk_format formats[] = {
		[PK_PRINT_TABLE] = PK_FORMAT_TABLE,
		[PK_PRINT_JSON] = PK_FORMAT_JSON,
		[PK_PRINT_CSV] = PK_FORMAT_CSV,
	};

	run->sum.flows = pk_flow_table_totals(run->flows)->flows;
	if (run->alerts)
		return pk_replay_alerts_print(run->alerts, stdout, formats[opt->format],
					      opt->filter, run->sum.file, &run->sum.alerts);
	return pk_print_flows(stdout, opt->format, opt->files > 1, opt->filter, run->flows,
			      run->names, &run->sum);
}

static int replay_file(const struct options *opt, struct pk_replay *kernel, struct run **current,
		       const char *file)
{
	_cleanup_(pk_capture_freep) struct pk_capture *c = NULL;
	_cleanup_(table_freep) struct pk_flow_table *flows = NULL;
	_cleanup_(names_freep) struct pk_names *names = NULL; /* after the flows that it is of */
	_cleanup_(pk_replay_alerts_freep) struct pk_replay_alerts *alerts = NULL;
	struct run run = { .opt = opt, .kernel = kernel };
	int r, end;

	r = pk_capture_open(file, &c);
	if (r < 0) {
		complain(file, 0, c ? pk_capture_error(c) : strerror(-r));
		return r;
	}
	flows = pk_flow_table_new(pk_replay_slots(kernel), FLOWS_MAX);
	if (!flows)
		return -ENOMEM;
	run.flows = flows;
	r = make_names(&run);
	names = run.names;
	if (r == 0 && opt->alerts)
		r = pk_replay_alerts_new(
			&(struct pk_replay_world){ .hostname = "capture",
						   .conf = opt->conf,
						   .intel = opt->intel,
						   .flows = flows,
						   .names = names,
						   .wanted =
							   opt->rules ? pk_rule_judge_wanted : NULL,
						   .arg = (void *)&opt->judged },
			&run.alerts);
	alerts = run.alerts;
	if (r < 0)
		return r;
	run.sum.file = file;
	run.sum.link = pk_capture_link(c);
	*current = &run;
	r = pk_replay_reset(kernel);
	end = r < 0 ? r : read_capture(&run, c);
	*current = NULL;
	if (end < 0 && !pk_capture_error(c)[0]) {
		complain(file, run.sum.packets, strerror(-end));
		return end;
	}
	run.sum.error = pk_capture_error(c);
	r = print(opt, &run);
	if (fflush(stdout) != 0 && r == 0)
		r = -errno;
	pk_print_sum(stderr, &run.sum);
	if (end < 0)
		complain(file, run.sum.packets + 1, run.sum.error);
	return r < 0 ? r : end;
}

/* A table that the flows of the largest file fit in whatever their hashes are. */
static uint32_t slots_for(const struct options *opt)
{
	uint64_t most = 0, bytes;
	struct stat st;

	for (size_t i = 0; i < opt->files; i++) {
		if (stat(opt->file[i], &st) < 0)
			continue;
		bytes = (uint64_t)st.st_size;
		if (strlen(opt->file[i]) > 3 &&
		    !strcmp(opt->file[i] + strlen(opt->file[i]) - 3, ".gz"))
			bytes *= 8;
		most = bytes > most ? bytes : most;
	}
	most /= BYTES_A_FLOW;
	return most < SLOTS_MIN ? SLOTS_MIN : most > SLOTS_MAX ? SLOTS_MAX : (uint32_t)most;
}

/* The report of a sweep belongs to the capture that is being read. */
static int forward(void *arg, const void *record, size_t size)
{
	struct run **current = arg;

	return *current ? on_report(*current, record, size) : 0;
}

/* Captures are written by strangers: what reads them may run the loaded program and open files. */
static int drop_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct set[2] = { 0 }, have[2];

	set[0].permitted = CAP_TO_MASK(CAP_DAC_READ_SEARCH);
	set[1].permitted = CAP_TO_MASK(CAP_BPF); /* before 5.19 every bpf() call wants it */
	if (syscall(SYS_capget, &head, have) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		set[i].permitted &= have[i].permitted;
		set[i].effective = set[i].permitted;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &head, set) < 0)
		return -errno;
	return 0;
}

static int replay_all(const struct options *opt)
{
	_cleanup_(pk_replay_freep) struct pk_replay *kernel = NULL;
	struct run *current = NULL;
	int r, status = 0;

	r = pk_replay_new(slots_for(opt), forward, &current, &kernel);
	if (r == -EPERM || r == -EACCES) {
		fputs("picket replay: the kernel program may not be loaded: run this as root\n",
		      stderr);
		return 1;
	}
	if (r < 0) {
		fprintf(stderr, "picket replay: the kernel program does not load: %s\n",
			strerror(-r));
		return 1;
	}
	r = drop_privileges();
	if (r < 0) {
		fprintf(stderr, "picket replay: privileges can't be dropped: %s\n", strerror(-r));
		return 1;
	}
	for (size_t i = 0; i < opt->files; i++)
		if (replay_file(opt, kernel, &current, opt->file[i]) < 0)
			status = 1;
	return status;
}

static int add_file(struct options *opt, const char *name)
{
	char **more = reallocarray(opt->file, opt->files + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	opt->file = more;
	opt->file[opt->files] = strdup(name);
	return opt->file[opt->files] ? (int)opt->files++ : -ENOMEM;
}

static int read_list(struct options *opt, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;
	int r = 0;

	if (!f) {
		r = -errno;
		complain(path, 0, strerror(-r));
		return r;
	}
	while (r >= 0 && getline(&line, &cap, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			r = add_file(opt, line);
	}
	return r < 0 ? r : 0;
}

static int set_filter(struct options *opt, int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 }, why = { 0 };
	struct pk_filter_error e = { 0 };
	int r;

	for (int i = 0; i < argc; i++)
		pk_buf_fmt(&text, "%s%s", i ? " " : "", argv[i]);
	if (!text.len || text.error)
		return text.error;
	r = pk_filter_new(text.data, &opt->filter, &e);
	if (r < 0) {
		pk_filter_explain(&why, text.data, &e);
		fprintf(stderr, "picket replay: wrong filter: %s\n%s\n", e.text,
			why.error ? "" : why.data);
	}
	return r;
}

/* A file, or a directory of them, for --alerts. */
static int read_intel(struct options *opt, const char *path)
{
	struct pk_intel_sum sum = { 0 };
	struct stat st;
	int r = stat(path, &st) < 0 ? -errno : 0;

	if (r == 0 && opt->intel)
		r = -EEXIST;
	if (r == 0 && S_ISDIR(st.st_mode)) {
		r = pk_intel_load(path, INDICATORS_MAX, 0, &opt->intel, &sum);
	} else if (r == 0) {
		opt->intel = pk_indicators_new(INDICATORS_MAX);
		r = opt->intel ? pk_intel_load_file(opt->intel, path, 0, &sum) : -ENOMEM;
		if (r == 0)
			r = pk_indicators_seal(opt->intel);
	}
	if (r < 0)
		complain(path, 0, r == -EEXIST ? "--intel is given twice" : strerror(-r));
	else if (sum.bad[0])
		complain(path, 0, sum.bad);
	if (r == 0 && sum.other_hashes)
		complain(path, 0, "hashes of files other than SHA-256 are not looked for");
	return r;
}

static int read_conf(struct options *opt, const char *path)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = { 0 };
	int r;

	if (!path) {
		opt->conf = pk_conf_new();
		return opt->conf ? 0 : -ENOMEM;
	}
	pk_conf_freep(&opt->conf);
	r = pk_conf_load(path, &errors, &opt->conf);
	if (r < 0)
		fprintf(stderr, "picket replay: %s", errors.len ? errors.data : strerror(-r));
	return r;
}

static void usage(FILE *f)
{
	fputs("Usage: picket replay [-o table|json|csv] FILE [FILTER...]\n"
	      "       picket replay [-o table|json|csv] --files-from LIST [FILTER...]\n"
	      "\n"
	      "Sends the packets of a capture (pcap, pcapng, also gzipped) through the kernel "
	      "program\n"
	      "that counts live traffic, on the capture's own clock, and prints the flows. Needs "
	      "root;\n"
	      "touches no network. JSON has a DNS Activity record (4003) for each DNS "
	      "transaction, then\n"
	      "the flows (4001), with names, TLS, HTTP and SSH as the daemon would show "
	      "them.\n"
	      "\n"
	      "  -o, --output FORMAT    table (default), json (one object a line), csv\n"
	      "      --files-from LIST  captures named in a file, one a line, each by itself\n"
	      "      --alerts           what the detectors say instead of flows: OCSF Detection "
	      "Findings\n"
	      "                         (2004); what needs processes stays silent\n"
	      "      --intel PATH       threat intelligence for --alerts: a file, or a directory "
	      "of them\n"
	      "      --rules PATH       only Sigma rules, these: a file, or a directory of them; "
	      "one that\n"
	      "                         needs what a capture has not is named, and not tested\n"
	      "  -c, --config FILE      thresholds of detectors (default: the program's own)\n"
	      "  -q, --quiet            no progress\n"
	      "  -h, --help             this text\n"
	      "\n"
	      "Examples:\n"
	      "  sudo picket replay capture.pcapng\n"
	      "  sudo picket replay -o json capture.pcap.gz 'udp and port 53' | jq .traffic\n"
	      "  sudo picket replay --alerts capture.pcap\n"
	      "\n"
	      "Exit status: 0, 1 when a file could not be read to its end, or no rule could be "
	      "tested,\n"
	      "2 wrong usage, 3 when some rules could not (--rules).\n",
	      f);
}

static int parse_options(struct options *opt, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "files-from", required_argument, NULL, 'F' },
		{ "alerts", no_argument, NULL, 'A' },
		{ "intel", required_argument, NULL, 'I' },
		{ "config", required_argument, NULL, 'c' },
		{ "rules", required_argument, NULL, 'R' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	bool list = false;
	int o;

	optind = 0;
	opt->progress = isatty(STDERR_FILENO);
	/* "+": a filter may hold words that look like options, "not -1" say. */
	while ((o = getopt_long(argc, argv, "+o:c:qh", longs, NULL)) >= 0) {
		if (o == 'h') {
			usage(stdout);
			return 1;
		}
		if (o == 'q')
			opt->progress = false;
		else if (o == 'A')
			opt->alerts = true;
		else if (o == 'R')
			opt->rules = optarg;
		else if (o == 'F' && read_list(opt, optarg) == 0)
			list = true;
		else if ((o == 'I' && read_intel(opt, optarg) == 0) ||
			 (o == 'c' && read_conf(opt, optarg) == 0))
			continue;
		else if (o != 'o' || pk_print_format(optarg, &opt->format) < 0) {
			if (o == 'o')
				fprintf(stderr, "picket replay: no such output format\n");
			return -EINVAL;
		}
	}
	if (!list && optind < argc && add_file(opt, argv[optind++]) < 0)
		return -ENOMEM;
	if (!list && !opt->files) {
		usage(stderr);
		return -EINVAL;
	}
	/* Options may stand between the file and the filter too. */
	if (!list && optind < argc && !strncmp(argv[optind], "-o", 2)) {
		const char *format = argv[optind][2]     ? argv[optind] + 2
				     : optind + 1 < argc ? argv[++optind]
							 : "";

		optind++;
		if (pk_print_format(format, &opt->format) < 0) {
			fprintf(stderr, "picket replay: no such output format\n");
			return -EINVAL;
		}
	}
	return set_filter(opt, argc - optind, argv + optind);
}

/* What a capture can't answer is said before it is read. */
static int only_rules(struct options *opt)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = { 0 };
	int r = pk_replay_only_rules(opt->conf, opt->rules);

	opt->alerts = true;
	if (r == 0)
		r = pk_rule_judge_load(&opt->judged, opt->rules, &errors);
	if (r < 0) {
		fputs(errors.len ? errors.data : "", stderr);
		fprintf(stderr, "picket replay: %s: %s\n", opt->rules,
			errors.len ? "no rules" : strerror(-r));
		return r;
	}
	pk_rule_judge(&opt->judged, &pk_rule_capture);
	pk_rule_judge_tell(&opt->judged);
	return 0;
}

/* The captures, with the exit status that rules which were not tested make of it. */
static int replay_judged(const struct options *opt)
{
	const struct pk_rule_judged *j = &opt->judged;
	int r;

	if (opt->rules && !j->asked) {
		fprintf(stderr, "picket replay: %s: none of its rules can be tested on a capture\n",
			opt->rules);
		return 1;
	}
	r = replay_all(opt);
	if (!j->not_asked)
		return r;
	fprintf(stderr, "picket replay: %zu rules were not tested, see above\n", j->not_asked);
	return r ? r : 3;
}

int pk_replay_main(int argc, char **argv)
{
	struct options opt = { 0 };
	int r;

	r = read_conf(&opt, NULL);
	if (r == 0)
		r = parse_options(&opt, argc, argv);
	if (r == 0 && opt.rules)
		r = only_rules(&opt);
	r = r < 0 ? 2 : r > 0 ? 0 : replay_judged(&opt);
	for (size_t i = 0; i < opt.files; i++)
		free(opt.file[i]);
	free(opt.file);
	pk_filter_free(opt.filter);
	pk_rule_judge_done(&opt.judged);
	pk_indicators_free(opt.intel);
	pk_conf_free(opt.conf);
	return r;
}
