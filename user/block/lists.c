/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the table of lists: their names, their word in the kernel, and whether there is anything to
 * enforce at all. What is in them is load.c's and change.c's.
 */
#include "block/lists.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool pk_list_name_ok(const char *name)
{
	size_t n =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return n && n < PK_LIST_NAME && !name[n] && name[0] != '.';
}

uint32_t pk_list_name_hash(const char *name)
{
	uint32_t h = 0x811c9dc5;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x01000193;
	return h ? h : 1;
}

/* Place of the name in the order, and whether it is there. */
static size_t place(const struct pk_block *b, const char *name, bool *ret_there)
{
	size_t i = 0;
	int r = 1;

	while (i < b->n_lists && (r = strcmp(b->list[b->order[i]]->name, name)) < 0)
		i++;
	*ret_there = i < b->n_lists && r == 0;
	return i;
}

struct pk_block_list *pk_list_find(struct pk_block *b, const char *name)
{
	bool there;
	size_t i = place(b, name, &there);

	return there ? b->list[b->order[i]] : NULL;
}

/* 0 is not used: a record that was never filled names no list. */
static int free_index(const struct pk_block *b)
{
	for (unsigned i = 1; i < PK_BLK_LISTS; i++)
		if (!b->list[i] && !(b->kernel[i].word & PK_BLK_LIST_USED))
			return (int)i;
	return -ENOSPC;
}

int pk_list_new(struct pk_block *b, const char *name, int index, struct pk_block_list **ret)
{
	struct pk_block_list *l;
	bool there;
	size_t at = place(b, name, &there);

	if (there)
		return -EEXIST;
	if (index < 0) {
		index = free_index(b);
		if (index < 0)
			return index;
		/* what packets counted for a list that had this place before is not ours */
		b->ops.drain(b->ops.arg);
		(void)b->ops.count(b->ops.arg, (unsigned)index, true, &(struct pk_blk_count){ 0 });
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	l->index = (unsigned)index;
	l->next_id = 1;
	l->mode = PK_BLK_ENFORCE;
	l->created_ms = b->now_ms;
	memmove(b->order + at + 1, b->order + at, b->n_lists - at);
	b->order[at] = (uint8_t)index;
	b->list[index] = l;
	b->n_lists++;
	*ret = l;
	return 0;
}

void pk_list_forget(struct pk_block *b, struct pk_block_list *l)
{
	bool there;
	size_t at = place(b, l->name, &there);

	l->leaving = true;
	if (!there || b->list[b->order[at]] != l)
		return;
	b->n_lists--;
	memmove(b->order + at, b->order + at + 1, b->n_lists - at);
}

void pk_list_free(struct pk_block *b, struct pk_block_list *l)
{
	if (!l)
		return;
	if (!l->leaving)
		pk_list_forget(b, l);
	b->list[l->index] = NULL;
	pk_version_done(&l->now);
	pk_name_hits_done(&l->hits);
	free(l->fault);
	free(l);
}

void pk_list_hold(struct pk_block *b)
{
	bool on = false;

	for (size_t i = 0; i < b->n_lists && !on; i++) {
		const struct pk_block_list *l = b->list[b->order[i]];

		on = !l->allow && l->mode == PK_BLK_ENFORCE &&
		     (pk_version_entries(&l->now) || l->processes);
	}
	/* what the kernel holds from before counts until the files have been read */
	if (!b->ready || b->held == on)
		return;
	b->held = on;
	b->ops.hold(b->ops.arg, on);
}

void pk_list_edited(struct pk_block *b, struct pk_block_list *l)
{
	l->edition = ++b->editions;
}

/* Packet programs look for what allows before a list that does is in force, and after it is not. */
static void have_allow(struct pk_block *b)
{
	bool allow = false;

	for (unsigned i = 0; i < PK_BLK_LISTS && !allow; i++)
		allow = b->kernel[i].word & PK_BLK_LIST_ALLOW;
	pk_rule_have(b, PK_BLK_HAVE_ALLOW, allow);
}

void pk_list_publish(struct pk_block *b, struct pk_block_list *l)
{
	uint32_t word = PK_BLK_LIST_USED | (uint32_t)l->mode << PK_BLK_MODE_SHIFT;

	if (l->allow) {
		word |= PK_BLK_LIST_ALLOW;
		pk_rule_have(b, PK_BLK_HAVE_ALLOW, true);
	}
	if (l->parity)
		word |= PK_BLK_LIST_PARITY;
	pk_list_edited(b, l);
	b->kernel[l->index].name_hash = pk_list_name_hash(l->name);
	__atomic_store_n(&b->kernel[l->index].word, l->leaving ? 0 : word, __ATOMIC_RELEASE);
	pk_trie_changed(b->ctl);
	have_allow(b);
	pk_list_hold(b);
}

void pk_list_changed(struct pk_block *b, struct pk_block_list *l, uint64_t in_ns)
{
	uint64_t due = b->boot_ns + in_ns;

	if (!l->dirty || due < l->due_ns)
		l->due_ns = due;
	l->dirty = true;
	l->serial = ++b->serial;
	pk_list_edited(b, l);
	pk_list_hold(b);
	b->ops.work(b->ops.arg);
}

void pk_block_notice(struct pk_block *b, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	b->ops.notice(b->ops.arg, text);
}

void pk_list_fault(struct pk_block *b, struct pk_block_list *l, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || (l->fault && strcmp(l->fault, text) == 0)) {
		free(text); /* told already */
		return;
	}
	free(l->fault);
	l->fault = text;
	pk_block_notice(b, "list %s: %s", l->name, text);
}

uint64_t pk_list_entries(const struct pk_block *b)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < PK_BLK_LISTS; i++)
		if (b->list[i])
			n += pk_version_entries(&b->list[i]->now);
	return n;
}

static bool has_force(const struct pk_block_list *l, const uint8_t addr[16])
{
	for (size_t i = 0; i < l->n_force; i++)
		if (memcmp(l->force[i], addr, 16) == 0)
			return true;
	return false;
}

static bool is_in(const uint8_t (*v)[16], size_t n, const uint8_t addr[16])
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(v[i], addr, 16) == 0)
			return true;
	return false;
}

int pk_list_force(struct pk_block *b, struct pk_block_list *l, const uint8_t (*v)[16], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (has_force(l, v[i]))
			continue;
		if (l->n_force == PK_LIST_FORCE)
			return -ENOSPC;
		memcpy(l->force[l->n_force++], v[i], 16);
		/* own addresses stay safe, whoever asks: the broker does not do it */
		(void)b->ops.except(b->ops.arg, v[i], true);
	}
	return 0;
}

/* What is in both is not put back in between. */
void pk_list_set_force(struct pk_block *b, struct pk_block_list *l, const uint8_t (*v)[16],
		       size_t n)
{
	for (size_t i = 0; i < l->n_force;) {
		uint8_t addr[16];
		bool other = is_in(v, n, l->force[i]);

		if (other) {
			i++;
			continue;
		}
		memcpy(addr, l->force[i], 16);
		memcpy(l->force[i], l->force[--l->n_force], 16);
		for (size_t k = 0; k < b->n_lists && !other; k++)
			other = has_force(b->list[b->order[k]], addr);
		if (!other)
			(void)b->ops.except(b->ops.arg, addr, false);
	}
	(void)pk_list_force(b, l, v, n); /* as many as a list has room for */
}

void pk_version_done(struct pk_version *v)
{
	pk_entries_done(&v->entries);
	pk_domains_done(&v->names);
	pk_block_texts_done(&v->texts);
	free(v->source);
	free(v->who);
	*v = (struct pk_version){ 0 };
}

uint64_t pk_version_entries(const struct pk_version *v)
{
	return v->entries.n + v->names.live;
}

void pk_version_count(struct pk_version *v, const struct pk_block_entry *e, int n)
{
	size_t one = (size_t)n; /* 1, or -1 as it wraps */

	v->expiring += e->expires_ms ? one : 0;
	v->with_iface += e->iface ? one : 0;
	v->with_cond += pk_block_entry_has_cond(e) ? one : 0;
	v->v6 += e->v4 ? 0 : one;
	if (e->v4)
		v->v4_space += (uint64_t)n << (128 - e->bits);
}

void pk_entry_text(const struct pk_block_entry *e, char out[56])
{
	char addr[PK_IP_TEXT];
	unsigned bits = e->v4 ? e->bits - 96u : e->bits;

	if (bits == (e->v4 ? 32 : 128))
		(void)snprintf(out, 56, "%s", pk_ip_format(e->prefix, addr));
	else
		(void)snprintf(out, 56, "%s/%u", pk_ip_format(e->prefix, addr), bits);
}

const char *pk_iface_name(const struct pk_block *b, const struct pk_block_entry *e)
{
	return e->iface ? pk_block_text_at(&b->ifaces, e->iface) : "";
}

int pk_done_set(struct pk_block_done *d, int result, const char *fmt, ...)
{
	va_list ap;

	d->result = result;
	free(d->detail);
	d->detail = NULL;
	if (!fmt)
		return result;
	va_start(ap, fmt);
	if (vasprintf(&d->detail, fmt, ap) < 0)
		d->detail = NULL;
	va_end(ap);
	return result;
}

int pk_done_fail(struct pk_block_done *d, int result)
{
	if (d->result < 0 && d->detail)
		return d->result;
	return pk_done_set(d, result, "%s", strerror(-result));
}

void pk_block_done_done(struct pk_block_done *d)
{
	free(d->detail);
	free(d->refused);
	pk_list_data_done(&d->data);
	*d = (struct pk_block_done){ 0 };
}
