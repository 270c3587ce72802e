/* SPDX-License-Identifier: Apache-2.0 */
/* `picket record`: packets of matching flows into pcapng files, with their process as comment. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "block_args.h"
#include "client.h"
#include "command.h"
#include "record_file.h"
#include "table.h"

#include <errno.h>
#include <getopt.h>
#include <picket/api.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROTATE_SIZE = 256, ROTATE_TIME, FILES, DURATION, BEFORE, FORCE, MEMORY };

static const struct option options[] = {
	{ "write", required_argument, NULL, 'w' },
	{ "before", required_argument, NULL, BEFORE },
	{ "memory", no_argument, NULL, MEMORY },
	{ "packets", required_argument, NULL, 'c' },
	{ "duration", required_argument, NULL, DURATION },
	{ "snaplen", required_argument, NULL, 's' },
	{ "rotate-size", required_argument, NULL, ROTATE_SIZE },
	{ "rotate-time", required_argument, NULL, ROTATE_TIME },
	{ "files", required_argument, NULL, FILES },
	{ "force", no_argument, NULL, FORCE },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct wish {
	struct pk_record_wish file;
	const char *before, *packets, *duration, *snaplen;
	struct pk_buf filter;
	enum pk_format format;
	bool memory;
};

struct recording {
	struct pk_client client;
	struct pk_record_files *files;
	char id[24];
	int error;         /* of the files */
	bool asked;        /* the daemon to end it */
	const char *ended; /* what is known without the stream's own word */
	bool shows;        /* how far it is, on a terminal */
	time_t shown;      /* last */
};

static volatile sig_atomic_t stops;

static void on_signal(int sig)
{
	(void)sig;
	stops++;
}

/* "100M", "1Gi" as in filters: 1000s, or 1024s with an i. */
static int parse_size(const char *s, uint64_t *ret_bytes)
{
	static const char units[] = "KMGT";
	size_t n = strspn(s, "0123456789");
	uint64_t v = strtoull(s, NULL, 10);
	const char *unit = s[n] ? strchr(units, s[n]) : NULL;
	unsigned base;

	if (!n || n > 9)
		return -EINVAL;
	s += n + (unit != NULL);
	base = unit && *s == 'i' ? 1024 : 1000;
	if (s[base == 1024] || !v)
		return -EINVAL;
	for (; unit && unit >= units; unit--)
		v *= base;
	*ret_bytes = v;
	return 0;
}

static int wrong(const char *option, const char *wants, const char *got)
{
	_cleanup_(pk_buf_done) struct pk_buf text = {};

	pk_escape_text(&text, got, strlen(got));
	fprintf(stderr, "picket: %s takes %s, not %s\n", option, wants,
		text.data ? text.data : "that");
	return 2;
}

static bool is_number(const char *s)
{
	return *s && strlen(s) <= 15 && strspn(s, "0123456789") == strlen(s);
}

static int read_number(const char *option, const char **ret)
{
	if (!is_number(optarg))
		return wrong(option, "a number", optarg);
	*ret = optarg;
	return 0;
}

static int read_files(struct wish *w)
{
	if (!is_number(optarg) || !strtoull(optarg, NULL, 10))
		return wrong("--files", "a number above 0", optarg);
	w->file.files_max = strtoull(optarg, NULL, 10);
	return 0;
}

static int read_option(struct wish *w, int c)
{
	switch (c) {
	case 'w':
		w->file.path = optarg;
		return 0;
	case BEFORE:
		w->before = optarg;
		return 0;
	case MEMORY:
		w->memory = true;
		return 0;
	case 'c':
		return read_number("--packets", &w->packets);
	case 's':
		return read_number("--snaplen", &w->snaplen);
	case DURATION:
		w->duration = optarg;
		return 0;
	case ROTATE_SIZE:
		return parse_size(optarg, &w->file.rotate_bytes) < 0
			       ? wrong("--rotate-size", "a size as in 500K, 100M, 1Gi", optarg)
			       : 0;
	case ROTATE_TIME:
		return pk_args_seconds(optarg, &w->file.rotate_s) < 0 || !w->file.rotate_s
			       ? wrong("--rotate-time", "a time as in 30s, 5m, 1h", optarg)
			       : 0;
	case FILES:
		return read_files(w);
	case FORCE:
		w->file.force = true;
		return 0;
	case 'o':
		return pk_format_parse(optarg, &w->format) < 0 || w->format == PK_FORMAT_CSV
			       ? wrong("-o", "table or json", optarg)
			       : 0;
	default:
		return 2;
	}
}

static int check_wish(const struct wish *w)
{
	bool rotates = w->file.rotate_bytes || w->file.rotate_s;

	if (!w->file.path || !*w->file.path) {
		fprintf(stderr, "picket: -w says where the packets go; -w - is standard output\n");
		return 2;
	}
	if (rotates && !strcmp(w->file.path, "-")) {
		fprintf(stderr, "picket: standard output can not be rotated\n");
		return 2;
	}
	if (w->memory && (w->packets || w->duration || w->snaplen)) {
		fprintf(stderr, "picket: --memory ends at once; it goes with --before alone\n");
		return 2;
	}
	if (!strcmp(w->file.path, "-") && isatty(STDOUT_FILENO)) {
		fprintf(stderr, "picket: packets are nothing for a terminal; -w FILE, or a pipe as "
				"in: picket record -w - | tshark -r -\n");
		return 2;
	}
	return 0;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
			return true;
	return false;
}

/* 0, or the exit status. */
static int read_wish(struct wish *w, int argc, char **argv)
{
	int c, r;

	w->file.files_max = 10;
	/* options and words of the filter may be mixed; "not -w" is no filter */
	while ((c = getopt_long(argc, argv, "w:c:s:o:h", options, NULL)) != -1) {
		r = read_option(w, c);
		if (r)
			return r;
	}
	for (int i = optind; i < argc; i++)
		pk_buf_fmt(&w->filter, "%s%s", i > optind ? " " : "", argv[i]);
	return check_wish(w);
}

static void show(struct recording *r)
{
	const struct pk_record_sum *s = pk_record_files_sum(r->files);
	_cleanup_(pk_buf_done) struct pk_buf text = {};
	time_t now = time(NULL);

	if (!r->shows || now == r->shown)
		return;
	r->shown = now;
	pk_buf_fmt(&text, "%llu packets, ", (unsigned long long)s->packets);
	pk_human_bytes(&text, (double)s->bytes);
	pk_buf_fmt(&text, "B, %llu dropped; ", (unsigned long long)s->dropped);
	if (s->files > 1)
		pk_buf_fmt(&text, "file %llu; ", (unsigned long long)s->files);
	pk_buf_str(&text, "Ctrl-C ends");
	fprintf(stderr, "\r%.78s\x1b[K", text.data ? text.data : "");
}

static void unshow(struct recording *r)
{
	if (r->shows && r->shown)
		fputs("\r\x1b[K", stderr);
}

static bool on_data(void *arg, const void *data, size_t len)
{
	struct recording *r = arg;

	r->error = pk_record_files_add(r->files, data, len);
	return r->error == 0;
}

static void on_id(void *arg, const char *value)
{
	struct recording *r = arg;

	if (is_number(value))
		snprintf(r->id, sizeof(r->id), "%s", value);
}

/* The daemon writes what it knows at the end, and then the stream ends by itself. */
static bool ask_end(struct recording *r)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	struct pk_client_ask ask = { .method = "DELETE" };
	char path[64];
	json_t *body = NULL;
	bool ok;

	if (!r->id[0])
		return false;
	snprintf(path, sizeof(path), PK_API_RECORD "/%s", r->id);
	ask.path = path;
	ok = pk_client_send(&r->client, &ask, &body, NULL, &error) == 0;
	json_decref(body);
	return ok;
}

static bool on_idle(void *arg)
{
	struct recording *r = arg;

	if (stops > 1)
		return false;
	if (stops && !r->asked) {
		r->asked = true;
		if (!ask_end(r))
			return false;
	}
	if (time(NULL) != r->shown || !r->shows) {
		r->error = pk_record_files_flush(r->files);
		if (r->error < 0)
			return false;
	}
	show(r);
	return true;
}

static void print_json(const struct recording *r, FILE *to)
{
	const struct pk_record_sum *s = pk_record_files_sum(r->files);
	json_t *names = json_array();
	_cleanup_free_ char *text = NULL;
	json_t *o;

	for (size_t i = 0; pk_record_files_at(r->files, i); i++) {
		_cleanup_(pk_buf_done) struct pk_buf safe = {};
		const char *name = pk_record_files_at(r->files, i);
		json_t *plain = json_string(name);

		if (!plain) { /* not UTF-8 */
			pk_escape_text(&safe, name, strlen(name));
			plain = json_string(safe.data ? safe.data : "");
		}
		json_array_append_new(names, plain);
	}
	o = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:o}", "packets",
		      (json_int_t)s->packets, "bytes", (json_int_t)s->bytes, "cut",
		      (json_int_t)s->cut, "dropped", (json_int_t)s->dropped, "missed",
		      (json_int_t)s->missed, "flows", (json_int_t)s->flows, "files_made",
		      (json_int_t)s->files, "files_removed", (json_int_t)s->removed, "ended",
		      s->ended[0] ? s->ended : r->ended, "files", names);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	fprintf(to, "%s\n", text ? text : "{}");
	json_decref(o);
}

static void print_text(const struct recording *r)
{
	const struct pk_record_sum *s = pk_record_files_sum(r->files);
	_cleanup_(pk_buf_done) struct pk_buf text = {};
	const char *name = pk_record_files_name(r->files);

	pk_buf_fmt(&text, "picket: %llu packets", (unsigned long long)s->packets);
	if (s->flows)
		pk_buf_fmt(&text, " of %llu flows", (unsigned long long)s->flows);
	pk_buf_str(&text, ", ");
	pk_human_bytes(&text, (double)s->bytes);
	pk_buf_char(&text, 'B');
	if (s->files > 1)
		pk_buf_fmt(&text, " in %llu files (%llu removed), the last is",
			   (unsigned long long)s->files, (unsigned long long)s->removed);
	else if (s->files)
		pk_buf_str(&text, " in");
	if (s->files) {
		pk_buf_char(&text, ' ');
		pk_escape_text(&text, name, strlen(name));
	}
	if (s->cut)
		pk_buf_fmt(&text, "; %llu without their whole frame", (unsigned long long)s->cut);
	if (s->dropped)
		pk_buf_fmt(&text, "; %llu dropped: too slow", (unsigned long long)s->dropped);
	if (s->missed)
		pk_buf_fmt(&text, "; %llu missed", (unsigned long long)s->missed);
	fprintf(stderr, "%s\n", text.data ? text.data : "");
}

static int complain(const struct recording *r, const char *path)
{
	_cleanup_(pk_buf_done) struct pk_buf text = {};
	const char *name = r->files ? pk_record_files_name(r->files) : path;

	pk_escape_text(&text, name, strlen(name));
	fprintf(stderr, "picket: %s: %s%s\n", text.data ? text.data : "",
		r->error == -EBADMSG ? "what the daemon sent is not pcapng" : strerror(-r->error),
		r->files ? "; what was written before is kept" : "");
	return 1;
}

static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGINT, &a, NULL);
	(void)sigaction(SIGTERM, &a, NULL);
	(void)sigaction(SIGHUP, &a, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL); /* the reader of -w - has seen enough */
}

static int record(struct recording *r, const struct wish *w)
{
	const char *const query[] = { "filter",   w->filter.data, "before",  w->before,
				      "packets",  w->packets,     "snaplen", w->snaplen,
				      "duration", w->duration,    NULL };
	const char *const frozen[] = { "filter", w->filter.data, "before", w->before, NULL };
	struct pk_client_taker taker = {
		.data = on_data, .idle = on_idle, .head = PK_API_RECORDING, .value = on_id, .arg = r
	};
	int status, e;

	catch_signals();
	status = pk_client_take(&r->client, w->memory ? PK_API_CAPTURE : PK_API_RECORD,
				w->memory ? frozen : query, &taker);
	unshow(r);
	r->ended = status || r->error || stops > 1 ? "cut off"
		   : w->memory                     ? "memory"
		   : r->asked                      ? "user"
			      : "duration"; /* a limit that no packet reached */
	e = pk_record_files_end(r->files);
	if (r->error == 0)
		r->error = e;
	if (r->error == -EPIPE)
		r->error = 0;
	if (r->error < 0)
		status = complain(r, w->file.path);
	return status;
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	bool to_stdout;
	struct recording r = {};
	struct wish w = {};
	int status;

	if (wants_help(argc, argv)) {
		pk_command_usage(self, stdout);
		return 0;
	}
	status = read_wish(&w, argc, argv);
	if (status) {
		pk_buf_done(&w.filter);
		return pk_command_misused(self);
	}
	to_stdout = !strcmp(w.file.path, "-");
	pk_client_init(&r.client, NULL);
	r.shows = isatty(STDERR_FILENO) && !w.memory;
	r.error = pk_record_files_open(&w.file, &r.files);
	if (r.error == -EEXIST) {
		fprintf(stderr, "picket: the file is there already; --force replaces it\n");
		status = 1;
	} else if (r.error < 0) {
		status = complain(&r, w.file.path);
	} else {
		status = record(&r, &w);
		if (pk_record_files_sum(r.files)->bytes && w.format == PK_FORMAT_JSON)
			print_json(&r, to_stdout ? stderr : stdout);
		else if (pk_record_files_sum(r.files)->bytes)
			print_text(&r);
	}
	pk_record_files_free(r.files);
	pk_buf_done(&w.filter);
	return status;
}

const struct pk_command pk_cmd_record = {
	.name = "record",
	.what = "write packets of matching flows to pcapng files",
	.usage = "record [OPTION]... -w FILE [FILTER]",
	.options = options,
	.run = run,
	.help = "  -w, --write FILE      where the packets go; - is standard output\n"
		"      --before TIME     begin with what memory holds of the last TIME (30s, 5m), "
		"also\n"
		"                        of flows that have ended; else with what it holds of "
		"flows\n"
		"                        that go on\n"
		"      --memory          write what memory holds, and end\n"
		"  -c, --packets N       end after N packets\n"
		"      --duration TIME   end after TIME\n"
		"  -s, --snaplen N       at most N bytes of each packet\n"
		"      --rotate-size S   a new file when this one would be larger than S (100M)\n"
		"      --rotate-time T   a new file after T (1h)\n"
		"      --files N         keep the last N files (10)\n"
		"      --force           replace FILE when it is there\n"
		"  -o, --output F        how the closing summary is written: table or json\n"
		"  -h, --help            this text\n\n"
		"Each packet has its process as comment, each interface its name. Flows are there\n"
		"from their first packet on, also when the filter is about their process. Ctrl-C\n"
		"ends. Files are readable by their owner alone.\n\n"
		"Examples:\n"
		"  picket record -w curl.pcapng proc curl\n"
		"  picket record -w web.pcapng --duration 60s container web and port 443\n"
		"  picket record -w all.pcapng --rotate-size 100M --files 20\n"
		"  picket record -w - user alice | tshark -r - -T fields -e frame.comment\n"
		"  picket record -w last.pcapng --memory --before 30s\n",
};
