/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the options that load, diff and test share, and the file, and sends it to the daemon. */
#include "list_file.h"

#include "base/cleanup.h"
#include "block_args.h"
#include "client.h"
#include "outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <picket/api.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define STDIN_MAX (2048ull << 20)

static void set(struct pk_list_file *l, const char *name, const char *value)
{
	l->query[l->n++] = name;
	l->query[l->n++] = value;
}

static int set_seconds(struct pk_list_file *l, const char *name, const char *option, char text[24])
{
	uint64_t s;

	if (pk_args_seconds(optarg, &s) < 0) {
		fprintf(stderr, "picket: --%s takes a time as in 90s, 30m, 1h or 7d, not %s\n",
			option, optarg);
		return 2;
	}
	if (!*text)
		set(l, name, text);
	snprintf(text, 24, "%llu", (unsigned long long)s);
	return 0;
}

static int take(struct pk_list_file *l, int c, const char *option)
{
	switch (c) {
	case PK_LF_NAME:
		l->name = optarg;
		return 0;
	case PK_LF_ALLOW:
		set(l, "kind", "allow");
		return 0;
	case PK_LF_SKIP_BAD:
		set(l, "skip_bad", "1");
		return 0;
	case PK_LF_WIDE:
		set(l, "wide", "1");
		return 0;
	case PK_LF_SNI_ONLY:
		set(l, "sni_only", "1");
		return 0;
	case PK_LF_REFUSE_QUERY:
		set(l, "refuse_query", "1");
		return 0;
	case PK_LF_FORCE:
		pk_buf_fmt(&l->force, "%s%s", l->force.len ? "," : "", optarg);
		return 0;
	case PK_LF_IF_MATCH:
		l->if_match = optarg;
		return pk_list_tag_is_right(optarg) ? 0 : 2;
	case PK_LF_CONFIRM:
		return set_seconds(l, "confirm", option, l->number[0]);
	case PK_LF_TTL:
		return set_seconds(l, "ttl", option, l->number[1]);
	case PK_LF_AGAINST:
		return set_seconds(l, "against", option, l->number[2]);
	case 'o':
		if (pk_format_parse(optarg, &l->format) == 0)
			return 0;
		fprintf(stderr, "picket: -o takes table, json or csv, not %s\n", optarg);
		return 2;
	case 'h':
		l->help = true;
		return 0;
	case '?':
		return 2;
	default: /* format, column, mode, dir, proto, port: the daemon knows what is right */
		set(l, option, optarg);
		return 0;
	}
}

/* 0; 2: misused. */
int pk_list_file_args(const struct pk_command *self, struct pk_list_file *l, int argc, char **argv)
{
	int c, at = -1, r = 0;

	optind = 1;
	while (!r && !l->help && (c = getopt_long(argc, argv, "o:h", self->options, &at)) >= 0) {
		if (l->n + 8 > PK_ARRAY_SIZE(l->query)) {
			fputs("picket: too many options\n", stderr);
			return 2;
		}
		r = take(l, c, at >= 0 ? self->options[at].name : "");
	}
	if (r || l->help)
		return r;
	if (optind + 1 != argc)
		return 2;
	l->file = argv[optind];
	if (l->force.len)
		set(l, "force_cover", l->force.data);
	return 0;
}

static int cannot_read(const char *file, int error)
{
	_cleanup_(pk_buf_done) struct pk_buf text = {};

	pk_buf_fmt(&text, "cannot read %s: %s", file, strerror(error));
	pk_outcome_say(text.data ? text.data : "cannot read it");
	return 1;
}

static int read_stream(struct pk_list_file *l, int fd)
{
	_cleanup_free_ char *piece = malloc(1 << 20);
	ssize_t got = piece ? 1 : -1;

	l->in.max = STDIN_MAX;
	while (piece && (got = read(fd, piece, 1 << 20)) > 0)
		pk_buf_add(&l->in, piece, (size_t)got);
	if (got < 0 || l->in.error)
		return cannot_read(l->file, got < 0 ? errno : -l->in.error);
	l->bytes = l->in.data;
	l->len = l->in.len;
	return 0;
}

static int open_list(struct pk_list_file *l)
{
	bool is_stdin = !strcmp(l->file, "-");
	_cleanup_close_ int fd = is_stdin ? dup(STDIN_FILENO) : open(l->file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot_read(l->file, errno);
	if (S_ISDIR(st.st_mode))
		return cannot_read(l->file, EISDIR);
	if (!S_ISREG(st.st_mode) || is_stdin || !st.st_size)
		return read_stream(l, fd);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return read_stream(l, fd);
	l->bytes = p;
	l->len = (size_t)st.st_size;
	return 0;
}

void pk_list_file_done(struct pk_list_file *l)
{
	if (l->bytes && l->bytes != l->in.data)
		munmap((char *)l->bytes, l->len);
	pk_buf_done(&l->in);
	pk_buf_done(&l->force);
}

const char *pk_list_file_shown(const struct pk_list_file *l)
{
	return strcmp(l->file, "-") ? l->file : "standard input";
}

/* Sends the list; 0 and the answer, or the exit status after the complaint. */
int pk_list_file_send(struct pk_list_file *l, const char *method, const char *path, json_t **ret)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	struct pk_client_ask ask = {
		.method = method, .path = path, .query = l->query, .progress = pk_list_file_shown(l)
	};
	json_t *problem = NULL;
	struct pk_client client;
	int r = open_list(l);

	if (r)
		return r;
	ask.body = l->bytes;
	ask.len = l->len;
	ask.if_match = l->if_match;
	pk_client_init(&client, NULL);
	r = pk_client_send(&client, &ask, ret, &problem, &error);
	if (r)
		pk_outcome_problem(error.data, pk_list_file_shown(l), problem);
	json_decref(problem);
	return r;
}

/* The path of the list: by --name, or by the file's. */
char *pk_list_file_path(struct pk_list_file *l, char name[PK_LIST_NAME_MAX + 1], const char *what)
{
	char *path = NULL;

	if (!l->name && !strcmp(l->file, "-")) {
		fputs("picket: which list is it? Standard input needs --name NAME\n", stderr);
		return NULL;
	}
	if (!l->name && pk_list_name_of_file(l->file, name) == 0)
		l->name = name;
	if (!l->name || !pk_list_name_is_right(l->name)) {
		fputs("picket: the name of a list has letters, digits, dot, dash and underscore, "
		      "63 at "
		      "most; give one with --name\n",
		      stderr);
		return NULL;
	}
	return asprintf(&path, "%s/%s%s", PK_API_LISTS, l->name, what) < 0 ? NULL : path;
}

/* Base name, for the list's record. */
void pk_list_file_set_source(struct pk_list_file *l)
{
	const char *slash = strrchr(l->file, '/');

	if (strcmp(l->file, "-") != 0)
		set(l, "source", slash && slash[1] ? slash + 1 : l->file);
}

void pk_list_file_print_json(json_t *a)
{
	_cleanup_free_ char *text = json_dumps(a, JSON_COMPACT | JSON_ENSURE_ASCII);

	printf("%s\n", text ? text : "{}");
}
