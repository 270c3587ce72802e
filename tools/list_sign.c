/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `picket list sign` and `picket list verify`: the envelope of a list, in a file beside it. They
 * ask no daemon. The list is read as the agent will read it, so that a list that would be refused
 * for its lines is not signed.
 */
#include "list_sign.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "block/treat.h"
#include "block_args.h"
#include "command.h"
#include "key_dir.h"
#include "list_name.h"
#include "outcome.h"
#include "sign/envelope.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define KEYS_MAX     PK_ENVELOPE_SIGS
#define EXPIRES_S    (30 * 86400ull)
#define UNPACKED_MAX (2ull << 30)

enum { NAME = 256, VERSION, NEXT, EXPIRES, KEY, OUT, WHOLE, ADD, DIR_OWN, KEYS, SIGNATURE, TREAT };

struct wish {
	struct pk_statement s;
	const char *file, *out, *whole, *trusted;
	char *own;
	const char *key[KEYS_MAX];
	size_t keys;
	uint64_t expires_s;
	bool next, add;
	enum pk_format format;
};

char *pk_list_signature_path(const char *file)
{
	char *path;

	return asprintf(&path, "%s" PK_LIST_SIGNATURE, file) < 0 ? NULL : path;
}

int pk_list_map(const char *file, struct pk_list_bytes *ret)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		return pk_outcome_complain(file, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return pk_outcome_complain(file, "is no file that stays as it is");
	*ret = (struct pk_list_bytes){ .bytes = "" };
	if (!st.st_size)
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return pk_outcome_complain(file, strerror(errno));
	*ret = (struct pk_list_bytes){ p, (size_t)st.st_size };
	return 0;
}

void pk_list_unmap(struct pk_list_bytes *b)
{
	if (b->len)
		munmap((char *)b->bytes, b->len);
	*b = (struct pk_list_bytes){ 0 };
}

int pk_list_read_envelope(const char *file, struct pk_envelope *ret)
{
	_cleanup_(pk_list_unmap) struct pk_list_bytes b = {};
	enum pk_refusal r;
	size_t len;

	if (pk_list_map(file, &b))
		return 1;
	len = b.len && b.bytes[b.len - 1] == '\n' ? b.len - 1 : b.len;
	r = pk_envelope_read(b.bytes, len, ret);
	return r == PK_SIGNED_OK ? 0 : pk_outcome_complain(file, pk_refusal_text(r));
}

static int set_number(const char *option, uint64_t *ret)
{
	char *end;

	*ret = strtoull(optarg, &end, 10);
	if (*optarg >= '0' && *optarg <= '9' && !*end && *ret)
		return 0;
	fprintf(stderr, "picket: --%s takes a number from 1 on, not %s\n", option, optarg);
	return 2;
}

/* What the statement says of how the list is to be treated; --ttl is a time for people. */
static int set_treat(struct wish *w, const char *option)
{
	char name[32], text[24];
	const char *value = optarg ? optarg : "1";
	struct pk_list_treat t;
	const char *wrong;
	uint64_t s;

	snprintf(name, sizeof(name), "%s", option);
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	if (!strcmp(name, "allow")) {
		strcpy(name, "kind");
		value = "allow";
	}
	if (!strcmp(name, "ttl") && pk_args_seconds(value, &s) == 0) {
		snprintf(text, sizeof(text), "%" PRIu64, s);
		value = text;
	}
	pk_list_treat_init(&t);
	wrong = pk_list_treat_set(&t, name, value);
	if (!wrong && pk_statement_set_option(&w->s, name, value) < 0)
		wrong = "at most 255 printable characters";
	if (wrong)
		fprintf(stderr, "picket: --%s: %s\n", option, wrong);
	return wrong ? 2 : 0;
}

static int take(struct wish *w, int c, const char *option)
{
	switch (c) {
	case NAME:
		if (!pk_list_name_is_right(optarg))
			return 2;
		snprintf(w->s.list, sizeof(w->s.list), "%s", optarg);
		return 0;
	case VERSION:
		return set_number(option, &w->s.version);
	case NEXT:
		w->next = true;
		return 0;
	case EXPIRES:
		return pk_args_seconds(optarg, &w->expires_s) < 0 ? 2 : 0;
	case KEY:
		if (w->keys == KEYS_MAX)
			return 2;
		w->key[w->keys++] = optarg;
		return 0;
	case OUT:
		w->out = optarg;
		return 0;
	case WHOLE:
		w->whole = optarg;
		return 0;
	case ADD:
		w->add = true;
		return 0;
	case DIR_OWN:
		free(w->own);
		w->own = strdup(optarg);
		return 0;
	case KEYS:
		w->trusted = optarg;
		return 0;
	case TREAT:
		return set_treat(w, option);
	case 'o':
		return pk_format_parse(optarg, &w->format) < 0 ? 2 : 0;
	default:
		return 2;
	}
}

/* 0; 1: help was printed; 2: misused. */
static int read_wish(const struct pk_command *self, struct wish *w, int argc, char **argv)
{
	int c, at = -1, r = 0;

	*w = (struct wish){ .own = pk_key_own_dir(),
			    .trusted = PK_KEYS_TRUSTED,
			    .expires_s = EXPIRES_S };
	optind = 1;
	while (!r && (c = getopt_long(argc, argv, "o:h", self->options, &at)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 1;
		}
		r = take(w, c, at >= 0 ? self->options[at].name : "");
	}
	if (r || optind + 1 != argc)
		return 2;
	w->file = argv[optind];
	return 0;
}

/* Reads the list as an agent would; the number of its entries, -1 after a complaint. */
static int64_t count_entries(const struct pk_statement *s, const char *file,
			     const struct pk_list_bytes *b)
{
	struct pk_list_data d = {};
	struct pk_list_treat t;
	const char *wrong = NULL;
	int64_t n = -1;
	int r;

	pk_list_treat_init(&t);
	for (size_t i = 0; i < s->options && !wrong; i++)
		wrong = pk_list_treat_set(&t, s->option[i].name, s->option[i].value);
	t.opts.now_ms = s->created_s * 1000;
	t.opts.max_bytes = UNPACKED_MAX;
	t.opts.max_entries = UINT32_MAX;
	if (!wrong)
		wrong = pk_list_treat_end(&t);
	if (wrong) {
		pk_outcome_complain(file, wrong);
		return -1;
	}
	r = pk_list_read(b->bytes, b->len, &t.opts, &d);
	for (size_t i = 0; i < d.n_bad && r == -EBADMSG; i++)
		fprintf(stderr, "picket: %s:%" PRIu64 ": %s\n", file, d.bad[i].line,
			d.bad[i].reason);
	if (r < 0)
		pk_outcome_complain(file, r == -EBADMSG ? "has bad lines; it was not signed"
							: strerror(-r));
	else
		n = (int64_t)(d.n + d.n_names);
	pk_list_data_done(&d);
	return n;
}

/* One more than what the envelope there says. */
static int next_version(struct wish *w, const char *out)
{
	struct pk_envelope e;
	struct pk_statement was;
	int r;

	w->s.version = 1;
	if (access(out, F_OK) < 0)
		return 0;
	if (pk_list_read_envelope(out, &e))
		return 1;
	r = pk_statement_read(e.payload, e.len, &was) == PK_SIGNED_OK ? 0 : 1;
	pk_envelope_done(&e);
	if (r)
		return pk_outcome_complain(out, "is no envelope of a list");
	w->s.version = was.version + 1;
	return 0;
}

/* A new envelope, not signed yet. */
static int state(struct wish *w, const char *out, const struct pk_list_bytes *b,
		 struct pk_envelope *ret)
{
	char name[PK_LIST_NAME_MAX + 1];
	int64_t n;

	if (!*w->s.list && pk_list_name_of_file(w->file, name) < 0)
		return pk_outcome_complain(w->file, "give the list a name by --name");
	if (!*w->s.list)
		snprintf(w->s.list, sizeof(w->s.list), "%s", name);
	if (w->next && next_version(w, out))
		return 1;
	w->s.created_s = pk_clock_wall_ms(pk_clock_boot_ns()) / 1000;
	w->s.expires_s = w->s.created_s + (int64_t)w->expires_s;
	n = count_entries(&w->s, w->file, b);
	if (n < 0)
		return 1;
	w->s.count = (uint64_t)n;
	pk_statement_set_content(&w->s, b->bytes, b->len);
	return pk_envelope_new(&w->s, ret) < 0 ? pk_outcome_complain(w->file, "can not be stated")
					       : 0;
}

/* The envelope that is there, which must be of this very list. */
static int join(struct wish *w, const char *out, const struct pk_list_bytes *b,
		struct pk_envelope *ret)
{
	if (pk_list_read_envelope(out, ret))
		return 1;
	if (pk_statement_read(ret->payload, ret->len, &w->s) != PK_SIGNED_OK)
		return pk_outcome_complain(out, "is no envelope of a list");
	if (pk_statement_fits(&w->s, b->bytes, b->len) == PK_SIGNED_OK)
		return 0;
	return pk_outcome_complain(out,
				   "is of another content: look at what changed before you sign");
}

static int sign_by(struct wish *w, struct pk_envelope *e, const char *word)
{
	struct pk_key k;
	int r = pk_key_of(w->own, word, &k);

	if (r < 0)
		return pk_outcome_complain(word, r == -EPERM ? "others may read this key: chmod 600"
						 : r == -ENOENT
							 ? "there is no such key; `picket key new` "
							   "makes one"
						 : r == -EINVAL ? "is no private Ed25519 key in PEM"
								: strerror(-r));
	r = pk_envelope_sign(e, &k);
	pk_key_done(&k);
	return r < 0 ? pk_outcome_complain(word, strerror(-r)) : 0;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	ssize_t n = 0;

	for (; len && n >= 0; bytes += n, len -= (size_t)n)
		n = write(fd, bytes, len);
	return n >= 0;
}

/* The envelope, and what is in it behind; the file is there whole or as it was. */
static int write_out(const char *out, const struct pk_envelope *e, const struct pk_list_bytes *list)
{
	_cleanup_(pk_buf_done) struct pk_buf line = {};
	_cleanup_free_ char *temp = NULL;
	_cleanup_close_ int fd = -1;

	if (pk_envelope_write(e, &line) < 0 || asprintf(&temp, "%s.new", out) < 0)
		return pk_outcome_complain(out, "out of memory");
	pk_buf_char(&line, '\n');
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || !write_all(fd, line.data, line.len) ||
	    !write_all(fd, list->bytes, list->len) || fsync(fd) < 0 || rename(temp, out) < 0)
		return pk_outcome_complain(out, strerror(errno));
	return 0;
}

static json_t *shown(const struct pk_statement *s, size_t keys)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "list", s->list, "version",
			 (json_int_t)s->version, "created", (json_int_t)s->created_s * 1000,
			 "expires", (json_int_t)s->expires_s * 1000, "entries",
			 (json_int_t)s->count, "keys", (json_int_t)keys);
}

static void print(const struct wish *w, const char *what, const struct pk_statement *s, size_t keys)
{
	json_t *o = shown(s, keys);
	_cleanup_free_ char *text = json_dumps(o, JSON_COMPACT);
	time_t t = (time_t)s->expires_s;
	char until[32];
	struct tm tm;

	strftime(until, sizeof(until), "%F %R", localtime_r(&t, &tm));
	if (w->format == PK_FORMAT_JSON)
		printf("%s\n", text ? text : "{}");
	else
		printf("%s: %s version %" PRIu64 ", %" PRIu64 " entries, until %s, %zu key%s\n",
		       what, s->list, s->version, s->count, until, keys, keys == 1 ? "" : "s");
	json_decref(o);
}

static void envelope_donep(struct pk_envelope *e)
{
	pk_envelope_done(e);
}

static void wish_done(struct wish *w)
{
	free(w->own);
}

static int run_sign(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_list_unmap) struct pk_list_bytes b = {};
	_cleanup_(envelope_donep) struct pk_envelope e = {};
	_cleanup_(wish_done) struct wish w;
	_cleanup_free_ char *beside = NULL;
	const struct pk_list_bytes nothing = {};
	int r = read_wish(self, &w, argc, argv);

	if (r)
		return r == 1 ? 0 : pk_command_misused(self);
	if (w.add + w.next + (w.s.version != 0) > 1) {
		fputs("picket: one of --version, --next and --add\n", stderr);
		return 2;
	}
	w.next |= !w.add && !w.s.version;
	beside = pk_list_signature_path(w.file);
	if (!w.out)
		w.out = beside;
	if (!w.out || !w.own)
		return pk_outcome_complain(w.file, "out of memory, or $HOME is not set");
	if (!w.keys)
		w.key[w.keys++] = "default";
	r = pk_list_map(w.file, &b);
	if (!r)
		r = w.add ? join(&w, w.out, &b, &e) : state(&w, w.out, &b, &e);
	for (size_t i = 0; i < w.keys && !r; i++)
		r = sign_by(&w, &e, w.key[i]);
	if (!r)
		r = write_out(w.out, &e, &nothing);
	if (!r && w.whole)
		r = write_out(w.whole, &e, &b);
	if (!r)
		print(&w, w.out, &w.s, e.sigs);
	return r;
}

static int refused(const struct wish *w, enum pk_refusal r)
{
	if (w->format == PK_FORMAT_JSON)
		printf("{\"code\":\"%s\"}\n", pk_refusal_code(r));
	return pk_outcome_complain(w->file, pk_refusal_text(r));
}

static int run_verify(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_list_unmap) struct pk_list_bytes b = {};
	_cleanup_(envelope_donep) struct pk_envelope e = {};
	_cleanup_(pk_buf_done) struct pk_buf errors = {};
	_cleanup_(wish_done) struct wish w;
	_cleanup_free_ char *beside = NULL;
	struct pk_keys keys = {};
	struct pk_signed s;
	enum pk_refusal refusal;
	int r = read_wish(self, &w, argc, argv);

	if (r)
		return r == 1 ? 0 : pk_command_misused(self);
	beside = pk_list_signature_path(w.file);
	if (!w.out)
		w.out = beside;
	if (pk_list_map(w.file, &b) || !w.out || pk_list_read_envelope(w.out, &e))
		return 1;
	r = pk_keys_load(w.trusted, &errors, &keys);
	if (errors.len)
		fprintf(stderr, "picket: %s", errors.data);
	refusal = pk_envelope_open(&e, &keys, NULL, &s);
	pk_keys_done(&keys);
	if (refusal == PK_SIGNED_OK)
		refusal = pk_statement_check(&s.statement, *w.s.list ? w.s.list : NULL,
					     pk_clock_wall_ms(pk_clock_boot_ns()) / 1000);
	if (refusal == PK_SIGNED_OK)
		refusal = pk_statement_fits(&s.statement, b.bytes, b.len);
	if (refusal != PK_SIGNED_OK || r < 0)
		return refused(&w, refusal);
	if ((uint64_t)count_entries(&s.statement, w.file, &b) != s.statement.count)
		return refused(&w, PK_REFUSED_COUNT);
	print(&w, w.file, &s.statement, s.keys);
	return 0;
}

#define OPTION(name, arg, val)                                                                     \
	{                                                                                          \
		name, arg, NULL, val                                                               \
	}

static const struct option sign_options[] = {
	OPTION("name", required_argument, NAME),    OPTION("version", required_argument, VERSION),
	OPTION("next", no_argument, NEXT),          OPTION("expires", required_argument, EXPIRES),
	OPTION("key", required_argument, KEY),      OPTION("add", no_argument, ADD),
	OPTION("out", required_argument, OUT),      OPTION("whole", required_argument, WHOLE),
	OPTION("dir", required_argument, DIR_OWN),  OPTION("format", required_argument, TREAT),
	OPTION("column", required_argument, TREAT), OPTION("allow", no_argument, TREAT),
	OPTION("mode", required_argument, TREAT),   OPTION("skip-bad", no_argument, TREAT),
	OPTION("wide", no_argument, TREAT),         OPTION("force-cover", required_argument, TREAT),
	OPTION("ttl", required_argument, TREAT),    OPTION("proto", required_argument, TREAT),
	OPTION("port", required_argument, TREAT),   OPTION("sni-only", no_argument, TREAT),
	OPTION("refuse-query", no_argument, TREAT), OPTION("output", required_argument, 'o'),
	OPTION("help", no_argument, 'h'),           { NULL, 0, NULL, 0 },
};

static const struct option verify_options[] = {
	OPTION("name", required_argument, NAME), OPTION("signature", required_argument, OUT),
	OPTION("keys", required_argument, KEYS), OPTION("output", required_argument, 'o'),
	OPTION("help", no_argument, 'h'),        { NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_list_sign = {
	.name = "list sign",
	.what = "sign a list, so that hosts believe it whoever brings it",
	.usage = "list sign [OPTION]... FILE",
	.options = sign_options,
	.run = run_sign,
	.help = "      --name NAME      of the list; without it that of the file\n"
		"      --version N      which must be above all that hosts have accepted\n"
		"      --next           one above that of the envelope that is there (usual)\n"
		"      --expires TIME   so long it can be pushed, and is vouched for (30d)\n"
		"      --key KEY        name, id or file of the key (default); may be repeated\n"
		"      --add            one signature more on the envelope that is there\n"
		"      --out FILE       the envelope (FILE" PK_LIST_SIGNATURE ")\n"
		"      --whole FILE     envelope and list in one file, for a server that hosts "
		"fetch\n"
		"                       it from (pull.lists)\n"
		"      --dir DIR        of private keys\n"
		"      --mode MODE, --allow, --ttl TIME, --format F, --column C, --skip-bad,\n"
		"      --wide, --force-cover A, --proto P, --port N[-N], --sni-only,\n"
		"      --refuse-query   as for `picket list load`; they are signed, too\n"
		"  -o, --output F       table or json\n"
		"  -h, --help           this text\n\n"
		"Examples:\n"
		"  picket list sign drop.txt --expires 7d\n"
		"  picket list sign drop.txt --add --key second\n"
		"  picket list sign drop.txt --whole /srv/www/drop.signed\n",
};

const struct pk_command pk_cmd_list_verify = {
	.name = "list verify",
	.what = "would this host believe a signed list",
	.usage = "list verify [OPTION]... FILE",
	.options = verify_options,
	.run = run_verify,
	.help = "      --signature FILE the envelope (FILE" PK_LIST_SIGNATURE ")\n"
		"      --name NAME      it must be of this list\n"
		"      --keys DIR       of keys that are trusted (" PK_KEYS_TRUSTED ")\n"
		"  -o, --output F       table or json; of what is refused the code\n"
		"  -h, --help           this text\n\n"
		"Which versions a host has accepted before, and how many keys it wants, only it "
		"knows.\n\n"
		"Examples:\n"
		"  picket list verify drop.txt\n",
};
