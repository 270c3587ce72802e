/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `picket pki`: certificates for people who have no authority of their own. It asks no daemon and
 * touches one directory. What is in a certificate is pki_cert.c's, the files are pki_dir.c's.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "command.h"
#include "pki_dir.h"
#include "table.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define CA_DAYS   3650
#define CERT_DAYS 365
#define DAYS_MAX  825 /* more than that is a certificate that nobody remembers */
#define CRL_DAYS                                                                                   \
	400 /* longer than the usual certificate: each issue and revoke makes a new one            \
	     */

struct wish {
	const char *dir, *name;
	const char *san[PK_PKI_SANS_MAX];
	size_t n_san;
	unsigned days;
	enum pk_pki_kind kind;
	enum pk_format format;
	bool renew;
};

/* An authority at work. */
struct ca {
	struct pk_pki_dir dir;
	X509 *cert;
	EVP_PKEY *key;
	int64_t now_s;
};

static void ca_done(struct ca *c)
{
	pk_pki_dir_done(&c->dir);
	X509_free(c->cert);
	EVP_PKEY_free(c->key);
}

static void cert_freep(X509 **c)
{
	X509_free(*c);
}

static void key_freep(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

static int64_t now_s(void)
{
	return pk_clock_wall_ms(pk_clock_boot_ns()) / 1000;
}

static int fail(const char *what, int r)
{
	fprintf(stderr, "picket: %s: %s\n", what, strerror(-r));
	return 1;
}

static int read_days(const char *s, unsigned *ret)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end || !n || n > DAYS_MAX) {
		fprintf(stderr, "picket: --days takes a number from 1 to %d\n", DAYS_MAX);
		return -EINVAL;
	}
	*ret = (unsigned)n;
	return 0;
}

static int read_kind(const char *s, enum pk_pki_kind *ret)
{
	if (strcmp(s, "p256") != 0 && strcmp(s, "ed25519") != 0) {
		fputs("picket: --key takes p256 or ed25519\n", stderr);
		return -EINVAL;
	}
	*ret = *s == 'p' ? PK_PKI_P256 : PK_PKI_ED25519;
	return 0;
}

static int add_san(struct wish *w, const char *s)
{
	if (!pk_pki_is_host(s) || w->n_san == PK_PKI_SANS_MAX) {
		fprintf(stderr, "picket: --san takes a DNS name or an address, %d times at most\n",
			PK_PKI_SANS_MAX);
		return -EINVAL;
	}
	w->san[w->n_san++] = s;
	return 0;
}

static int read_option(struct wish *w, int c)
{
	switch (c) {
	case 'd':
		w->dir = optarg;
		return 0;
	case 'n':
		w->name = optarg;
		return 0;
	case 's':
		return add_san(w, optarg);
	case 't':
		return read_days(optarg, &w->days);
	case 'k':
		return read_kind(optarg, &w->kind);
	case 'r':
		w->renew = true;
		return 0;
	case 'o':
		return pk_format_parse(optarg, &w->format);
	default:
		return -EINVAL;
	}
}

/* 0, 1: help was printed, 2: misused. words: how many follow the options, at least and at most. */
static int read_wish(const struct pk_command *self, struct wish *w, int argc, char **argv,
		     int words_min, int words_max)
{
	int c;

	*w = (struct wish){ .dir = PK_PKI_DIR, .days = CERT_DAYS };
	optind = 1;
	while ((c = getopt_long(argc, argv, "d:n:s:t:k:ro:h", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 1;
		}
		if (read_option(w, c) < 0)
			return 2;
	}
	return argc - optind < words_min || argc - optind > words_max ? 2 : 0;
}

static int open_ca(const char *path, struct ca *c)
{
	int r = pk_pki_dir_open(path, false, &c->dir);

	if (!r)
		r = pk_pki_dir_load_ca(&c->dir, &c->cert, &c->key);
	c->now_s = now_s();
	if (r == -ENOENT)
		fprintf(stderr, "picket: %s has no authority; `picket pki init` makes one\n", path);
	else if (r == -EBADMSG)
		fprintf(stderr, "picket: %s: the authority's files are damaged\n", path);
	else if (r < 0)
		(void)fail(path, r); /* always 1 */
	return r;
}

/* A new list of what is revoked and would still count. The index is saved with its number first. */
static int renew_crl(struct ca *c)
{
	_cleanup_free_ struct pk_pki_revoked *v = calloc(c->dir.n + 1, sizeof(*v));
	X509_CRL *crl = NULL;
	size_t n = 0;
	int r;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < c->dir.n; i++) {
		const struct pk_pki_row *row = &c->dir.rows[i];

		if (!row->revoked_s || row->ends_s < c->now_s)
			continue;
		memcpy(v[n].serial, row->serial, sizeof(v[n].serial));
		v[n++].at_s = row->revoked_s;
	}
	c->dir.crl++;
	r = pk_pki_dir_save(&c->dir);
	if (!r)
		r = pk_pki_crl_new(c->cert, c->key, v, n, c->dir.crl, c->now_s, CRL_DAYS, &crl);
	if (!r)
		r = pk_pki_dir_put_crl(&c->dir, crl);
	X509_CRL_free(crl);
	return r;
}

static int run_init(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(ca_done) struct ca c = { .dir.fd = -1, .now_s = now_s() };
	struct wish w;
	int r = read_wish(self, &w, argc, argv, 0, 0);

	if (r)
		return r == 1 ? 0 : pk_command_misused(self);
	r = pk_pki_dir_open(w.dir, true, &c.dir);
	if (r == -EEXIST) {
		fprintf(stderr, "picket: %s has an authority already, which stays as it is\n",
			w.dir);
		return 1;
	}
	if (!r)
		r = pk_pki_key_new(w.kind, &c.key);
	if (!r)
		r = pk_pki_ca_new(c.key, w.name ? w.name : "Picket CA", c.now_s, CA_DAYS, &c.cert);
	if (!r)
		r = pk_pki_dir_put(&c.dir, "ca", c.cert, c.key);
	if (!r)
		r = renew_crl(&c);
	if (r < 0)
		return fail(w.dir, r);
	printf("%s: ca.crt is for all hosts and users, ca.crl for all hosts.\n"
	       "Who has ca.key can make any certificate: keep it on no host that others reach.\n",
	       w.dir);
	return 0;
}

static int check_names(const struct wish *w, const char *who, const char *name)
{
	bool role = pk_pki_is_role(who);

	if (!pk_pki_is_name(name) || !strcmp(name, "ca") || (!role && !pk_pki_is_host(name))) {
		fprintf(stderr,
			"picket: a certificate can not be issued to this name: letters, digits and "
			"%s, %d at most\n",
			role ? "._@-" : ".-_", PK_PKI_NAME_MAX);
		return -EINVAL;
	}
	if (role ? w->n_san > 0 : w->name != NULL) {
		fprintf(stderr, "picket: --%s is for %s\n", role ? "san" : "name",
			role ? "hosts" : "roles");
		return -EINVAL;
	}
	return 0;
}

/* Index first: what was issued is known, whatever happens after. */
static int issue_to(struct ca *c, const struct wish *w, const char *role, const char *name)
{
	const struct pk_pki_wish ask = {
		.name = name,
		.role = role,
		.san = w->san,
		.n_san = w->n_san,
		.days = w->days,
		.now_s = c->now_s,
	};
	_cleanup_(key_freep) EVP_PKEY *key = NULL;
	_cleanup_(cert_freep) X509 *cert = NULL;
	struct pk_pki_row row = {};
	int r = pk_pki_key_new(w->kind, &key);

	if (!r)
		r = pk_pki_cert_new(c->cert, c->key, key, &ask, &cert);
	if (!r)
		r = pk_pki_serial(cert, row.serial);
	if (r < 0)
		return r;
	row.ends_s = pk_pki_ends_s(cert);
	snprintf(row.role, sizeof(row.role), "%s", role ? role : "host");
	snprintf(row.name, sizeof(row.name), "%s", name);
	r = pk_pki_dir_add(&c->dir, &row);
	if (!r)
		r = renew_crl(c);
	if (!r)
		r = pk_pki_dir_put(&c->dir, name, cert, key);
	return r;
}

static int run_issue(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(ca_done) struct ca c = { .dir.fd = -1 };
	const char *who, *name;
	struct wish w;
	int r = read_wish(self, &w, argc, argv, 1, 1);

	if (r)
		return r == 1 ? 0 : pk_command_misused(self);
	who = argv[optind];
	name = w.name ? w.name : who;
	if (check_names(&w, who, name) < 0)
		return 2;
	if (open_ca(w.dir, &c) < 0)
		return 1;
	if (!w.renew && pk_pki_dir_has(&c.dir, name)) {
		fprintf(stderr, "picket: %s has a certificate already; --renew makes a new one\n",
			name);
		return 1;
	}
	r = issue_to(&c, &w, pk_pki_is_role(who) ? who : NULL, name);
	if (r < 0)
		return fail(name, r);
	printf("%s/%s.crt and %s.key, for %u days\n", w.dir, name, name, w.days);
	return 0;
}

static size_t mark_revoked(struct ca *c, const char *what)
{
	size_t n = 0;

	for (size_t i = 0; i < c->dir.n; i++) {
		struct pk_pki_row *row = &c->dir.rows[i];

		if (row->revoked_s || row->ends_s < c->now_s ||
		    (strcmp(row->name, what) != 0 && strcasecmp(row->serial, what) != 0))
			continue;
		row->revoked_s = c->now_s;
		n++;
	}
	return n;
}

static int run_revoke(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(ca_done) struct ca c = { .dir.fd = -1 };
	struct wish w;
	size_t n;
	int r = read_wish(self, &w, argc, argv, 1, 1);

	if (r)
		return r == 1 ? 0 : pk_command_misused(self);
	if (open_ca(w.dir, &c) < 0)
		return 1;
	n = mark_revoked(&c, argv[optind]);
	if (!n) {
		fputs("picket: no certificate of this name or serial counts any more\n", stderr);
		return 1;
	}
	r = renew_crl(&c);
	if (r < 0)
		return fail(w.dir, r);
	printf("revoked %zu; it counts for servers that read the new %s/ca.crl\n", n, w.dir);
	return 0;
}

static void v_name(struct pk_buf *out, json_t *c, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(c, "name"));
}

static void v_role(struct pk_buf *out, json_t *c, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(c, "role"));
}

static void v_state(struct pk_buf *out, json_t *c, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(c, "state"));
}

static void v_ends(struct pk_buf *out, json_t *c, bool human)
{
	time_t t = (time_t)(pk_json_num(c, "ends") / 1000);
	struct tm tm;

	if (!human)
		pk_buf_fmt(out, "%.0f", pk_json_num(c, "ends"));
	else if (gmtime_r(&t, &tm))
		pk_buf_fmt(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void v_serial(struct pk_buf *out, json_t *c, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(c, "serial"));
}

static const struct pk_column columns[] = {
	{ "NAME", 16, false, false, v_name },     { "ROLE", 8, false, false, v_role },
	{ "STATE", 7, false, false, v_state },    { "ENDS", 10, false, false, v_ends },
	{ "SERIAL", 32, false, false, v_serial },
};

static json_t *row_json(const struct pk_pki_row *row, int64_t at_s)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:I}", "name", row->name, "role", row->role,
			      "state",
			      row->revoked_s       ? "revoked"
			      : row->ends_s < at_s ? "expired"
						   : "valid",
			      "serial", row->serial, "ends", (json_int_t)row->ends_s * 1000);

	if (o && row->revoked_s)
		(void)json_object_set_new(o, "revoked",
					  json_integer((json_int_t)row->revoked_s * 1000));
	return o;
}

static int run_ls(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(ca_done) struct ca c = { .dir.fd = -1, .now_s = now_s() };
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	struct pk_table table;
	struct wish w;
	int r = read_wish(self, &w, argc, argv, 0, 0);

	if (r)
		return r == 1 ? 0 : pk_command_misused(self);
	r = pk_pki_dir_open(w.dir, false, &c.dir);
	if (r < 0)
		return fail(w.dir, r);
	pk_table_init(&table, columns, PK_ARRAY_SIZE(columns), w.format);
	for (size_t i = 0; i < c.dir.n; i++) {
		json_t *o = row_json(&c.dir.rows[i], c.now_s);

		pk_table_row(&table, &out, o);
		json_decref(o);
	}
	if (!c.dir.n && w.format != PK_FORMAT_JSON)
		pk_table_row(&table, &out, NULL);
	return fwrite(out.data ? out.data : "", 1, out.len, stdout) != out.len || out.error;
}

#define DIR_OPTION                                                                                 \
	{                                                                                          \
		"dir", required_argument, NULL, 'd'                                                \
	}
#define HELP_OPTION                                                                                \
	{                                                                                          \
		"help", no_argument, NULL, 'h'                                                     \
	}
#define DIR_HELP  "      --dir DIR          the authority's files (" PK_PKI_DIR ")\n"
#define KEY_HELP  "      --key p256|ed25519 kind of the key (p256)\n"
#define HELP_HELP "  -h, --help             this text\n\n"

static const struct option init_options[] = {
	DIR_OPTION,
	{ "name", required_argument, NULL, 'n' },
	{ "key", required_argument, NULL, 'k' },
	HELP_OPTION,
	{ NULL, 0, NULL, 0 },
};

static const struct pk_command cmd_init = {
	.name = "pki init",
	.what = "make a certificate authority",
	.usage = "pki init [OPTION]...",
	.options = init_options,
	.run = run_init,
	.help = DIR_HELP KEY_HELP
	"      --name NAME        of the authority (Picket CA)\n" HELP_HELP
	"It counts for ten years. There is no passphrase: protect the directory.\n\n"
	"Examples:\n"
	"  picket pki init --dir ~/picket-pki\n",
};

static const struct option issue_options[] = {
	DIR_OPTION,
	{ "name", required_argument, NULL, 'n' },
	{ "san", required_argument, NULL, 's' },
	{ "days", required_argument, NULL, 't' },
	{ "key", required_argument, NULL, 'k' },
	{ "renew", no_argument, NULL, 'r' },
	HELP_OPTION,
	{ NULL, 0, NULL, 0 },
};

static const struct pk_command cmd_issue = {
	.name = "pki issue",
	.what = "make a key and a certificate for a host or for who asks it",
	.usage = "pki issue [OPTION]... HOST|reader|analyst|operator|admin",
	.options = issue_options,
	.run = run_issue,
	.help = DIR_HELP KEY_HELP
	"      --san NAME         another DNS name or address of the host; may be repeated\n"
	"      --name NAME        who gets the role; also names the files\n"
	"      --days N           how long it counts (365, at most 825)\n"
	"      --renew            take the place of the files that are there\n" HELP_HELP
	"The certificate before a renewed one counts until it ends or is revoked.\n\n"
	"Examples:\n"
	"  picket pki issue web1.example.org --san 192.0.2.10\n"
	"  picket pki issue operator --name alice\n",
};

static const struct option revoke_options[] = { DIR_OPTION, HELP_OPTION, { NULL, 0, NULL, 0 } };

static const struct pk_command cmd_revoke = {
	.name = "pki revoke",
	.what = "take certificates back, all of a name or one by its serial",
	.usage = "pki revoke [OPTION]... NAME|SERIAL",
	.options = revoke_options,
	.run = run_revoke,
	.help = DIR_HELP HELP_HELP "Examples:\n"
				   "  picket pki revoke alice\n",
};

static const struct option ls_options[] = {
	DIR_OPTION,
	{ "output", required_argument, NULL, 'o' },
	HELP_OPTION,
	{ NULL, 0, NULL, 0 },
};

static const struct pk_command cmd_ls = {
	.name = "pki ls",
	.what = "list what was issued",
	.usage = "pki ls [OPTION]...",
	.options = ls_options,
	.run = run_ls,
	.help = DIR_HELP "  -o, --output FORMAT    table, json or csv\n" HELP_HELP "Examples:\n"
			 "  picket pki ls -o json\n",
};

static const struct pk_command *const subs[] = { &cmd_init, &cmd_issue, &cmd_revoke, &cmd_ls,
						 NULL };

const struct pk_command pk_cmd_pki = {
	.name = "pki",
	.what = "make certificates for hosts and for those who use them",
	.usage = "pki init|issue|revoke|ls [ARGUMENT]...",
	.run = pk_command_sub,
	.sub = subs,
	.help = "Who has another authority needs none of this.\n\n"
		"Examples:\n"
		"  picket pki init && picket pki issue web1.example.org\n",
};
