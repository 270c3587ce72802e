/* SPDX-License-Identifier: Apache-2.0 */
/* Opens files and hands what is in them on. Formats are block/format.c's, the table is detect's. */
#include "intel/intel.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "base/unpack.h"
#include "block/address.h"
#include "block/format.h"
#include "detect/indicators.h"
#include "intel/prints.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES (64u << 20)
#define HEADER         "indicator\n" /* room for it is left before what a file holds */
#define HEADER_LEN     (sizeof(HEADER) - 1)

/* What is being read, and where it goes. */
struct load {
	struct pk_indicators *table;
	struct pk_intel_sum *sum;
	const char *source; /* name of the file */
};

static void tablep(struct pk_indicators **t)
{
	pk_indicators_free(*t);
}

static int read_file(const char *path, char **ret_bytes, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *bytes = NULL;
	size_t len = 0;
	struct stat st;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > FILE_MAX_BYTES)
		return -EFBIG;
	bytes = malloc(HEADER_LEN + (size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, HEADER, HEADER_LEN);
	while (len < (size_t)st.st_size &&
	       (n = read(fd, bytes + HEADER_LEN + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return -errno;
	bytes[HEADER_LEN + len] = '\0';
	*ret_bytes = PK_TAKE(bytes);
	*ret_len = len;
	return 0;
}

/* gzip and zstd are opened here: hashes in them are taken, too. */
static int unpack(char **bytes, size_t *len)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { .max = FILE_MAX_BYTES };
	enum pk_packed how = pk_packed_of(*bytes + HEADER_LEN, *len);
	const char *why;
	int r;

	if (how == PK_PACKED_NOT)
		return 0;
	pk_buf_str(&out, HEADER);
	r = pk_unpack(how, *bytes + HEADER_LEN, *len, PK_UNPACK_WINDOW, &out, &why);
	if (r < 0) /* the reader says what is wrong with it */
		return r == -ENOMEM ? r : 0;
	*len = out.len - HEADER_LEN;
	free(*bytes);
	*bytes = PK_TAKE(out.data);
	return 0;
}

static void complain(struct load *l, uint64_t line, const char *text, const char *reason)
{
	if (l->sum->bad[0])
		return;
	snprintf(l->sum->bad, sizeof(l->sum->bad), "%s:%llu: %.80s: %s", l->source,
		 (unsigned long long)line, text ? text : "", reason);
}

/*
 * This host itself, nobody, a group. Feeds have them, from programs that were caught with the
 * configuration of a test, and all that a host says to itself would be told.
 */
static bool is_no_host(const struct pk_block_entry *e)
{
	static const struct {
		uint8_t addr[16];
		unsigned bits;
	} nets[] = {
		{ { [10] = 0xff, 0xff, 0 }, 104 },
		{ { [10] = 0xff, 0xff, 127 }, 104 },
		{ { [10] = 0xff, 0xff, 224 }, 99 },
		{ { 0 }, 128 },
		{ { [15] = 1 }, 128 },
		{ { 0xff }, 8 },
	};

	for (size_t i = 0; i < PK_ARRAY_SIZE(nets); i++)
		if (e->bits >= nets[i].bits && pk_ip_in(e->prefix, nets[i].addr, nets[i].bits))
			return true;
	return false;
}

static int take_entries(struct load *l, const struct pk_list_data *d)
{
	int r = 0;

	for (size_t k = 0; k < d->n && r != -ENOMEM; k++) {
		const struct pk_block_entry *e = &d->v[k];
		struct pk_indicator i = { .kind = PK_INDICATOR_ADDR,
					  .source = l->source,
					  .reason = pk_block_text_at(&d->texts, e->reason),
					  .expires_ms = e->expires_ms,
					  .port = e->port_lo == e->port_hi ? e->port_lo : 0 };

		if (is_no_host(e)) {
			l->sum->ignored++;
			continue;
		}
		r = pk_indicators_add_addr(l->table, &i, e->prefix, e->bits);
	}
	for (size_t k = 0; k < d->n_names && r != -ENOMEM; k++) {
		const struct pk_block_name *n = &d->names[k];
		const char *name = pk_block_text_at(&d->texts, n->text);
		struct pk_indicator i = { .kind = PK_INDICATOR_NAME,
					  .source = l->source,
					  .reason = pk_block_text_at(&d->texts, n->reason),
					  .expires_ms = n->expires_ms };

		r = pk_indicators_add_text(l->table, &i, name, strlen(name));
	}
	for (size_t k = 0; k < d->n_hashes && r != -ENOMEM; k++) {
		const struct pk_list_hash *h = &d->hashes[k];
		struct pk_indicator i = { .kind = PK_INDICATOR_SHA256,
					  .source = l->source,
					  .reason = pk_block_text_at(&d->texts, h->reason),
					  .expires_ms = h->expires_ms };

		r = pk_indicators_add_text(l->table, &i, pk_block_text_at(&d->texts, h->text), 64);
	}
	return r == -ENOMEM ? r : 0; /* full: counted by the table */
}

/*
 * A table whose first row already begins with a name: readers of tables would take it for the
 * header, and of names alone would not know which column is meant. Zeek's have said it.
 */
static bool has_no_header(const char *bytes, size_t len)
{
	const char *p = bytes, *end = bytes + len;
	size_t n;

	while (p < end && strchr("#\r\n \t", *p)) {
		const char *nl = *p == '#' ? memchr(p, '\n', (size_t)(end - p)) : p;

		if ((size_t)(end - p) > 8 && memcmp(p, "#fields\t", 8) == 0)
			return false;
		p = nl ? nl + 1 : end;
	}
	n = strcspn(p, ",;\t\r\n ");
	return p + n < end && strchr(",;\t", p[n]) && memchr(p, '.', n) &&
	       !pk_name_check(p, n, false);
}

/* bytes: behind the room for a header. */
static int take_list(struct load *l, const char *bytes, size_t len, int64_t now_ms)
{
	struct pk_list_opts opts = { .skip_bad = true,
				     .now_ms = now_ms,
				     .max_bytes = FILE_MAX_BYTES,
				     .max_entries = 10000000,
				     .hashes = true,
				     .max_complaints = 1 };
	_cleanup_(pk_list_data_done) struct pk_list_data d = { 0 };
	size_t more = has_no_header(bytes, len) ? HEADER_LEN : 0;
	int r;

	opts.column = more ? "1" : NULL;
	r = pk_list_read(bytes - more, len + more, &opts, &d);

	l->sum->bad_lines += d.bad_total;
	l->sum->ignored += d.ignored;
	if (d.n_bad)
		complain(l, d.bad[0].line - (more && d.bad[0].line), d.bad[0].text,
			 d.bad[0].reason);
	return r < 0 ? r : take_entries(l, &d);
}

int pk_intel_load_file(struct pk_indicators *t, const char *path, int64_t now_ms,
		       struct pk_intel_sum *sum)
{
	const char *slash = strrchr(path, '/');
	struct load l = { .table = t, .sum = sum, .source = slash ? slash + 1 : path };
	_cleanup_free_ char *bytes = NULL;
	size_t len = 0;
	int r = read_file(path, &bytes, &len);

	sum->files++;
	if (r == 0)
		r = unpack(&bytes, &len);
	if (r == 0)
		r = pk_intel_prints(t, l.source, bytes + HEADER_LEN, len, sum);
	if (r == 0)
		r = take_list(&l, bytes + HEADER_LEN, len, now_ms);
	if (r < 0) {
		sum->bad_files++;
		complain(&l, 0, "", strerror(-r));
	}
	return r;
}

static int is_listed(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int pk_intel_load(const char *dir, size_t max, int64_t now_ms, struct pk_indicators **ret_table,
		  struct pk_intel_sum *ret_sum)
{
	_cleanup_(tablep) struct pk_indicators *t = pk_indicators_new(max);
	struct dirent **names = NULL;
	int n, r = 0;

	*ret_sum = (struct pk_intel_sum){ 0 };
	if (!t)
		return -ENOMEM;
	n = scandir(dir, &names, is_listed, alphasort);
	if (n < 0 && errno != ENOENT)
		return -errno;
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = NULL;

		if (r != -ENOMEM && asprintf(&path, "%s/%s", dir, names[i]->d_name) < 0)
			r = -ENOMEM;
		if (r != -ENOMEM) /* one bad file does not keep the others out */
			r = pk_intel_load_file(t, path, now_ms, ret_sum);
		free(names[i]);
	}
	free(names);
	r = r == -ENOMEM ? r : pk_indicators_seal(t);
	if (r < 0)
		return r;
	*ret_table = PK_TAKE(t);
	return 0;
}
