/* SPDX-License-Identifier: Apache-2.0 */
/* `picket key`: keys that sign lists, and those whose signatures this host believes. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "command.h"
#include "key_dir.h"
#include "outcome.h"
#include "sign/keys.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <string.h>

struct wish {
	char *own;           /* of private keys */
	const char *trusted; /* of public ones */
	enum pk_format format;
};

static void wish_done(struct wish *w)
{
	free(w->own);
}

static int fail(const char *what, const char *why)
{
	_cleanup_(pk_buf_done) struct pk_buf text = {};

	pk_buf_fmt(&text, "%s: %s", what, why);
	pk_outcome_say(text.data ? text.data : why);
	return 1;
}

static int no_memory(void)
{
	pk_outcome_say("out of memory, or $HOME is not set");
	return 1;
}

/* 0; 1: help was printed; 2: misused. */
static int read_wish(const struct pk_command *self, struct wish *w, int argc, char **argv)
{
	int c;

	*w = (struct wish){ .own = pk_key_own_dir(), .trusted = PK_KEYS_TRUSTED };
	optind = 1;
	while ((c = getopt_long(argc, argv, "d:k:o:h", self->options, NULL)) >= 0) {
		switch (c) {
		case 'd':
			free(w->own);
			w->own = strdup(optarg);
			break;
		case 'k':
			w->trusted = optarg;
			break;
		case 'o':
			if (pk_format_parse(optarg, &w->format) == 0)
				break;
			fprintf(stderr, "picket: -o takes table, json or csv, not %s\n", optarg);
			return 2;
		case 'h':
			pk_command_usage(self, stdout);
			return 1;
		default:
			return 2;
		}
	}
	return 0;
}

static int misused(const struct pk_command *self, int r)
{
	return r == 1 ? 0 : pk_command_misused(self);
}

static int make(const struct wish *w, const char *name)
{
	char private_name[PK_KEY_NAME_MAX + 8], public_name[PK_KEY_NAME_MAX + 8];
	_cleanup_close_ int fd = pk_key_open_dir(w->own, 0700);
	struct pk_key k;
	int r;

	if (fd < 0)
		return fail(w->own, strerror(-fd));
	snprintf(private_name, sizeof(private_name), "%s.key", name);
	snprintf(public_name, sizeof(public_name), "%s.pub", name);
	if (faccessat(fd, private_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return fail(name, "there is a key of this name, which stays as it is");
	r = pk_key_make_at(fd, private_name, public_name, &k);
	if (r < 0)
		return fail(name, strerror(-r));
	printf("%s: %s/%s signs, %s/%s is for hosts: picket key trust\n", k.id, w->own,
	       private_name, w->own, public_name);
	pk_key_done(&k);
	return 0;
}

static int run_new(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(wish_done) struct wish w;
	int r = read_wish(self, &w, argc, argv);
	const char *name;

	if (r || argc - optind > 1)
		return misused(self, r);
	name = argc > optind ? argv[optind] : "default";
	if (!w.own)
		return no_memory();
	if (!pk_key_name_is_right(name)) {
		fprintf(stderr, "picket: a key's name has letters, digits and ._@-, %d at most\n",
			PK_KEY_NAME_MAX);
		return 2;
	}
	return make(&w, name);
}

static int trust(int dir_fd, const char *file)
{
	char name[PK_KEY_ID + sizeof(PK_KEYS_RETIRED)];
	struct pk_key k;
	int r = pk_key_load(file, &k);

	if (r < 0)
		return fail(file, r == -EINVAL ? "is no Ed25519 key in PEM" : strerror(-r));
	snprintf(name, sizeof(name), "%s" PK_KEYS_RETIRED, k.id);
	if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		r = fail(k.id, "was retired here; make another key");
	} else {
		snprintf(name, sizeof(name), "%s" PK_KEYS_PUB, k.id);
		r = pk_key_save_public_at(dir_fd, name, &k);
		if (r < 0)
			r = fail(name, strerror(-r));
		else
			printf("%s is trusted, once the configuration is read again: systemctl "
			       "reload picketd\n",
			       k.id);
	}
	pk_key_done(&k);
	return r;
}

static int run_trust(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(wish_done) struct wish w;
	_cleanup_close_ int fd = -1;
	int r = read_wish(self, &w, argc, argv);

	if (r || optind >= argc)
		return misused(self, r);
	fd = pk_key_open_dir(w.trusted, 0755);
	if (fd < 0)
		return fail(w.trusted, strerror(-fd));
	for (int i = optind; i < argc && !r; i++)
		r = trust(fd, argv[i]);
	return r;
}

/* The file that holds the key, whatever its name. */
static int retire(int dir_fd, const char *id)
{
	char from[PK_KEY_ID + sizeof(PK_KEYS_PUB)], to[PK_KEY_ID + sizeof(PK_KEYS_RETIRED)];

	if (strlen(id) != PK_KEY_ID - 1 || strspn(id, "0123456789abcdef") != strlen(id))
		return fail(id, "is no key's id: 16 hex digits, as `picket key ls` shows them");
	snprintf(from, sizeof(from), "%s" PK_KEYS_PUB, id);
	snprintf(to, sizeof(to), "%s" PK_KEYS_RETIRED, id);
	if (renameat(dir_fd, from, dir_fd, to) < 0)
		return fail(id, errno == ENOENT ? "is not trusted here" : strerror(errno));
	if (fsync(dir_fd) < 0)
		return fail(id, strerror(errno));
	printf("%s is retired, once the configuration is read again: systemctl reload picketd\n",
	       id);
	return 0;
}

static int run_retire(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(wish_done) struct wish w;
	_cleanup_close_ int fd = -1;
	int r = read_wish(self, &w, argc, argv);

	if (r || optind >= argc)
		return misused(self, r);
	fd = open(w.trusted, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(w.trusted, strerror(errno));
	for (int i = optind; i < argc && !r; i++)
		r = retire(fd, argv[i]);
	return r;
}

static void v_id(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(o, "id"));
}

static void v_state(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(o, "state"));
}

static void v_file(struct pk_buf *out, json_t *o, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(o, "dir"));
}

static const struct pk_column columns[] = {
	{ "KEY", 16, false, false, v_id },
	{ "STATE", 8, false, false, v_state },
	{ "DIRECTORY", 20, false, true, v_file },
};

struct rows {
	struct pk_table table;
	struct pk_buf out;
	size_t n;
};

static void add(struct rows *r, const char *id, const char *state, const char *dir)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "id", id, "state", state, "dir", dir);

	pk_table_row(&r->table, &r->out, o);
	json_decref(o);
	r->n++;
}

/* 0, also when there is no such directory. complain: not of those that may not be looked into. */
static int list_dir(struct rows *rows, const char *dir, bool own)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = {};
	struct pk_keys k = {};
	int r = pk_keys_load(dir, &errors, &k);

	for (size_t i = 0; i < k.n; i++)
		add(rows, k.v[i].key.id, k.v[i].retired ? "retired" : own ? "own" : "trusted", dir);
	pk_keys_done(&k);
	if (errors.len)
		fprintf(stderr, "picket: %s", errors.data);
	return r < 0;
}

static int run_ls(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(wish_done) struct wish w;
	struct rows rows = {};
	int r = read_wish(self, &w, argc, argv);

	if (r || optind < argc)
		return misused(self, r);
	if (!w.own)
		return no_memory();
	pk_table_init(&rows.table, columns, PK_ARRAY_SIZE(columns), w.format);
	r = list_dir(&rows, w.own, true);
	r |= list_dir(&rows, w.trusted, false);
	if (!rows.n && w.format != PK_FORMAT_JSON)
		pk_table_row(&rows.table, &rows.out, NULL);
	pk_outcome_flush(&rows.out);
	pk_buf_done(&rows.out);
	return r;
}

#define DIR_OPTION                                                                                 \
	{                                                                                          \
		"dir", required_argument, NULL, 'd'                                                \
	}
#define KEYS_OPTION                                                                                \
	{                                                                                          \
		"keys", required_argument, NULL, 'k'                                               \
	}
#define HELP_OPTION                                                                                \
	{                                                                                          \
		"help", no_argument, NULL, 'h'                                                     \
	}
#define DIR_HELP                                                                                   \
	"      --dir DIR        of private keys (root: /etc/picket/keys, others:\n"                \
	"                       ~/.config/picket/keys)\n"
#define KEYS_HELP "      --keys DIR       of keys that this host trusts (" PK_KEYS_TRUSTED ")\n"
#define HELP_HELP "  -h, --help           this text\n\n"

static const struct option new_options[] = { DIR_OPTION, HELP_OPTION, { NULL, 0, NULL, 0 } };
static const struct option trust_options[] = { KEYS_OPTION, HELP_OPTION, { NULL, 0, NULL, 0 } };
static const struct option ls_options[] = {
	DIR_OPTION,  KEYS_OPTION,          { "output", required_argument, NULL, 'o' },
	HELP_OPTION, { NULL, 0, NULL, 0 },
};

static const struct pk_command cmd_new = {
	.name = "key new",
	.what = "make a key that signs lists",
	.usage = "key new [--dir DIR] [NAME]",
	.options = new_options,
	.run = run_new,
	.help = DIR_HELP HELP_HELP
	"Ed25519, in PEM: NAME.key (default.key) is private and has no passphrase, NAME.pub is\n"
	"what hosts get.\n\n"
	"Examples:\n"
	"  picket key new\n"
	"  picket key new --dir /media/stick/keys second\n",
};
static const struct pk_command cmd_trust = {
	.name = "key trust",
	.what = "believe lists that are signed with these keys",
	.usage = "key trust [--keys DIR] FILE...",
	.options = trust_options,
	.run = run_trust,
	.help = KEYS_HELP HELP_HELP "Examples:\n"
				    "  picket key trust alice.pub && systemctl reload picketd\n",
};
static const struct pk_command cmd_retire = {
	.name = "key retire",
	.what = "believe a key no more; lists that are in force stay",
	.usage = "key retire [--keys DIR] KEY...",
	.options = trust_options,
	.run = run_retire,
	.help = KEYS_HELP HELP_HELP "It stays known as retired, and can't be trusted again.\n\n"
				    "Examples:\n"
				    "  picket key retire 0123456789abcdef\n",
};
static const struct pk_command cmd_ls = {
	.name = "key ls",
	.what = "the keys that there are",
	.usage = "key ls [--dir DIR] [--keys DIR] [-o table|json|csv]",
	.options = ls_options,
	.run = run_ls,
	.help = DIR_HELP KEYS_HELP "  -o, --output F       table, json or csv\n" HELP_HELP
				   "Examples:\n"
				   "  picket key ls\n",
};

static const struct pk_command *const subs[] = { &cmd_new, &cmd_ls, &cmd_trust, &cmd_retire, NULL };

const struct pk_command pk_cmd_key = {
	.name = "key",
	.what = "keys that sign lists, and which of them this host believes",
	.usage = "key new|ls|trust|retire [ARGUMENT]...",
	.run = pk_command_sub,
	.sub = subs,
	.help = "Examples:\n"
		"  picket key new && picket key trust /etc/picket/keys/default.pub\n"
		"  picket list sign drop.txt --expires 30d\n",
};
