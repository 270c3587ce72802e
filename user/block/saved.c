/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes lists to memory files, in slices, and reads them back. A file tells by its last line
 * whether it is whole, so that one cut short or with a bit turned is never taken for a list.
 */
#include "block/saved.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/json.h"
#include "block/journal.h"
#include "block/who.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAGIC       "picket-list 1\n"
#define TRAILER     "#sha256 "
#define TRAILER_LEN (sizeof(TRAILER) - 1 + 64 + 1)
#define PIECE       65536
#define RETRY_NS    5000000000ull

struct pk_saver {
	struct pk_block_list *l;
	struct pk_block_entry last; /* written so far */
	bool begun;
	size_t name; /* place of the next */
	uint64_t serial;
	EVP_MD_CTX *sha;
	struct pk_buf buf;
	int fd;
};

static void close_saver(struct pk_block *b)
{
	struct pk_saver *s = b->saver;

	if (!s)
		return;
	EVP_MD_CTX_free(s->sha);
	pk_buf_done(&s->buf);
	pk_closep(&s->fd);
	free(s);
	b->saver = NULL;
}

void pk_saver_free(struct pk_block *b)
{
	close_saver(b);
}

void pk_saver_drop(struct pk_block *b, const struct pk_block_list *l)
{
	if (b->saver && b->saver->l == l)
		close_saver(b);
}

void pk_saved_write_process(struct pk_json *j, const struct pk_who_rule *w)
{
	_cleanup_(pk_buf_done) struct pk_buf line = { 0 };

	pk_list_write_line(&line, &w->e, "", w->reason);
	pk_json_obj(j, NULL);
	pk_json_u64(j, "kind", w->proc.kind);
	pk_json_str(j, "name", w->proc.name);
	if (line.data && line.len)
		pk_json_strn(j, "entry", line.data, line.len - 1);
	pk_json_end(j);
}

static void write_head(struct pk_block *b, const struct pk_block_list *l, struct pk_buf *out)
{
	static const char *const modes[] = { "off", "observe", "enforce" };
	const struct pk_who_rule *w;
	char addr[PK_IP_TEXT];
	struct pk_json j;
	size_t at = 0;

	pk_json_init(&j, out);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "name", l->name);
	pk_json_str(&j, "kind", l->allow ? "allow" : "block");
	pk_json_str(&j, "mode", modes[l->mode]);
	pk_json_i64(&j, "created", l->created_ms);
	pk_json_i64(&j, "changed", l->now.changed_ms);
	pk_json_u64(&j, "serial", l->serial);
	pk_json_str(&j, "source", l->now.source);
	pk_json_str(&j, "who", l->now.who);
	pk_json_u64(&j, "entries", pk_version_entries(&l->now));
	pk_json_arr(&j, "force");
	for (size_t i = 0; i < l->n_force; i++)
		pk_json_str(&j, NULL, pk_ip_format(l->force[i], addr));
	pk_json_end(&j);
	pk_json_arr(&j, "processes");
	while ((w = pk_who_next(b, l, &at)))
		pk_saved_write_process(&j, w);
	pk_json_end(&j);
	pk_json_end(&j);
	pk_buf_char(out, '\n');
}

static int flush(struct pk_saver *s, bool hash)
{
	const char *p = s->buf.data;

	if (s->buf.error)
		return s->buf.error;
	if (hash && !EVP_DigestUpdate(s->sha, s->buf.data, s->buf.len))
		return -EIO;
	for (size_t left = s->buf.len; left;) {
		ssize_t n = write(s->fd, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		left -= (size_t)n;
	}
	pk_buf_reset(&s->buf);
	return 0;
}

static int begin(struct pk_block *b, struct pk_block_list *l)
{
	struct pk_saver *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	b->saver = s;
	s->l = l;
	s->serial = l->serial;
	s->fd = memfd_create("picket-list", MFD_CLOEXEC);
	s->sha = EVP_MD_CTX_new();
	if (s->fd < 0 || !s->sha || !EVP_DigestInit_ex(s->sha, EVP_sha256(), NULL))
		return -ENOMEM;
	pk_buf_str(&s->buf, MAGIC);
	write_head(b, l, &s->buf);
	return 0;
}

static int finish(struct pk_block *b, struct pk_saver *s)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	int r = flush(s, true);

	if (r < 0 || !EVP_DigestFinal_ex(s->sha, hash, NULL))
		return r < 0 ? r : -EIO;
	pk_buf_str(&s->buf, TRAILER);
	for (int i = 0; i < 32; i++)
		pk_buf_fmt(&s->buf, "%02x", hash[i]);
	pk_buf_char(&s->buf, '\n');
	r = flush(s, false);
	if (r < 0)
		return r;
	s->l->asked = s->serial;
	s->l->in_file = true;
	if (s->l->serial == s->serial)
		s->l->dirty = false;
	else
		s->l->due_ns = b->boot_ns + 500000000;
	return b->ops.save(b->ops.arg, s->l->name, s->serial, s->fd);
}

/* Some hundred entries; 1: there are more. */
static int write_some(struct pk_block *b, struct pk_saver *s)
{
	const struct pk_version *v = &s->l->now;
	struct pk_entries_at at = { 0 };
	const struct pk_block_entry *e;
	const struct pk_block_name *n;

	if (s->begun) {
		at = pk_entries_from(&v->entries, &s->last);
		e = pk_entries_get(&v->entries, at);
		if (e && pk_block_entry_compare(e, &s->last) == 0)
			pk_entries_next(&v->entries, &at);
	}
	for (; s->buf.len < PIECE && (e = pk_entries_get(&v->entries, at));
	     pk_entries_next(&v->entries, &at)) {
		pk_list_write_line(&s->buf, e, pk_iface_name(b, e),
				   pk_block_text_at(&v->texts, e->reason));
		s->last = *e;
		s->begun = true;
	}
	if (pk_entries_get(&v->entries, at))
		return flush(s, true) < 0 ? -EIO : 1;
	while (s->buf.len < PIECE && (n = pk_domains_next(&v->names, &s->name)))
		pk_list_write_name(&s->buf, n, pk_block_text_at(&v->texts, n->text),
				   pk_block_text_at(&v->texts, n->reason));
	if (s->name >= v->names.n)
		return 0;
	return flush(s, true) < 0 ? -EIO : 1;
}

static void failed(struct pk_block *b, struct pk_block_list *l, int r)
{
	close_saver(b);
	pk_list_fault(b, l, "its file can not be written: %s; trying again", strerror(-r));
	l->dirty = true;
	l->due_ns = b->boot_ns + RETRY_NS;
	pk_load_saved(b, l, l->serial, r);
}

static struct pk_block_list *due(struct pk_block *b)
{
	for (size_t i = 0; i < b->n_lists; i++) {
		struct pk_block_list *l = b->list[b->order[i]];

		if (l->dirty && l->due_ns <= b->boot_ns && !l->load)
			return l;
	}
	return NULL;
}

bool pk_saver_step(struct pk_block *b, uint64_t until_ns)
{
	while (pk_clock_boot_ns() < until_ns) {
		struct pk_block_list *l = b->saver ? b->saver->l : due(b);
		int r = 0;

		if (!l)
			return false;
		if (!b->saver)
			r = begin(b, l);
		if (r == 0)
			r = write_some(b, b->saver);
		if (r == 0)
			r = finish(b, b->saver);
		if (r < 0)
			failed(b, l, r);
		else if (r == 0)
			close_saver(b);
	}
	return true;
}

uint64_t pk_saver_due_ns(const struct pk_block *b)
{
	uint64_t next = 0;

	for (size_t i = 0; i < b->n_lists; i++) {
		const struct pk_block_list *l = b->list[b->order[i]];

		if (l->dirty && !l->load && (!next || l->due_ns < next))
			next = l->due_ns;
	}
	return next;
}

void pk_block_saved(struct pk_block *b, const char *list, uint64_t serial, int result)
{
	struct pk_block_list *l = pk_list_find(b, list);

	if (pk_load_unsaved(b, serial, result)) {
		pk_journal_settle(b);
		return; /* it was a removal; the name may be another list's by now */
	}
	if (l && result == 0 && serial > l->kept)
		l->kept = serial;
	pk_journal_settle(b);
	if (l && result < 0) {
		pk_list_fault(b, l, "its file can not be written: %s; trying again",
			      strerror(-result));
		l->dirty = true;
		l->due_ns = b->boot_ns + RETRY_NS;
	} else if (l && l->fault && !l->dirty) {
		free(l->fault);
		l->fault = NULL;
	}
	pk_load_saved(b, l, serial, result);
}

void pk_saved_free(struct pk_saved *s)
{
	if (!s)
		return;
	free(s->source);
	free(s->who);
	pk_list_data_done(&s->data);
	json_decref(s->processes);
	free(s);
}

static void saved_freep(struct pk_saved **s)
{
	pk_saved_free(*s);
}

static bool is_whole(const char *bytes, size_t len)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	const char *end;
	char hex[65];

	if (len < sizeof(MAGIC) - 1 + TRAILER_LEN)
		return false;
	end = bytes + len - TRAILER_LEN;
	if (memcmp(end, TRAILER, sizeof(TRAILER) - 1) != 0 || bytes[len - 1] != '\n' ||
	    !EVP_Digest(bytes, len - TRAILER_LEN, hash, NULL, EVP_sha256(), NULL))
		return false;
	for (int i = 0; i < 32; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	return memcmp(end + sizeof(TRAILER) - 1, hex, 64) == 0;
}

static int read_head(struct pk_saved *s, json_t *head)
{
	const char *kind = json_string_value(json_object_get(head, "kind"));
	const char *mode = json_string_value(json_object_get(head, "mode"));
	const char *source = json_string_value(json_object_get(head, "source"));
	const char *who = json_string_value(json_object_get(head, "who"));
	json_t *force = json_object_get(head, "force");

	if (!kind || !mode)
		return -EBADMSG;
	s->allow = strcmp(kind, "allow") == 0;
	s->mode = strcmp(mode, "enforce") == 0   ? PK_BLK_ENFORCE
		  : strcmp(mode, "observe") == 0 ? PK_BLK_OBSERVE
						 : PK_BLK_OFF;
	s->created_ms = json_integer_value(json_object_get(head, "created"));
	s->changed_ms = json_integer_value(json_object_get(head, "changed"));
	s->serial = (uint64_t)json_integer_value(json_object_get(head, "serial"));
	s->source = source ? strdup(source) : NULL;
	s->who = who ? strdup(who) : NULL;
	for (size_t i = 0; i < json_array_size(force) && s->n_force < PK_LIST_FORCE; i++) {
		const char *a = json_string_value(json_array_get(force, i));

		if (a && pk_ip_parse(a, s->force[s->n_force]) == 0)
			s->n_force++;
	}
	s->processes = json_incref(json_object_get(head, "processes"));
	return 0;
}

int pk_saved_read(const char *name, const void *bytes, size_t len, struct pk_saved **ret,
		  const char **ret_why)
{
	_cleanup_(saved_freep) struct pk_saved *s = calloc(1, sizeof(*s));
	struct pk_list_opts opts = { .format = PK_LIST_PICKET,
				     .max_bytes = 1ull << 34,
				     .max_entries = UINT32_MAX };
	const char *head_at, *head_end;
	json_t *head;
	int r;

	if (!s)
		return -ENOMEM;
	opts.defaults.dir = PK_BLK_IN | PK_BLK_OUT;
	*ret_why = "it is damaged: its checksum does not fit";
	if (!is_whole(bytes, len) || memcmp(bytes, MAGIC, sizeof(MAGIC) - 1) != 0)
		return -EBADMSG;
	*ret_why = "its head is not understood";
	head_at = (const char *)bytes + sizeof(MAGIC) - 1;
	head_end = memchr(head_at, '\n', len - (sizeof(MAGIC) - 1));
	head = head_end ? json_loadb(head_at, (size_t)(head_end - head_at), 0, NULL) : NULL;
	r = head ? read_head(s, head) : -EBADMSG;
	json_decref(head);
	if (r < 0)
		return r;
	*ret_why = "its entries are not understood";
	r = pk_list_read(bytes, len - TRAILER_LEN, &opts, &s->data);
	if (r < 0)
		return r;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	*ret = PK_TAKE(s);
	return 0;
}

void pk_saved_restore_processes(struct pk_block *b, struct pk_block_list *l,
				const struct pk_saved *s)
{
	struct pk_list_opts opts = { .format = PK_LIST_PICKET,
				     .max_bytes = 65536,
				     .max_entries = 16 };

	opts.defaults.dir = PK_BLK_IN | PK_BLK_OUT;
	for (size_t i = 0; i < json_array_size(s->processes); i++) {
		json_t *o = json_array_get(s->processes, i);
		const char *name = json_string_value(json_object_get(o, "name"));
		const char *line = json_string_value(json_object_get(o, "entry"));
		int kind = (int)json_integer_value(json_object_get(o, "kind"));
		_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
		struct pk_block_proc p = { (enum pk_block_proc_kind)kind, name };
		struct pk_list_data d = { 0 };

		pk_buf_fmt(&text, MAGIC "%s\n", line ? line : "");
		if (name && !text.error && kind >= PK_BLOCK_EXE && kind <= PK_BLOCK_CGROUP &&
		    pk_list_read(text.data, text.len, &opts, &d) == 0 && d.n == 1)
			(void)pk_who_restore(b, l, &p, &d.v[0],
					     pk_block_text_at(&d.texts, d.v[0].reason));
		pk_list_data_done(&d);
	}
}
