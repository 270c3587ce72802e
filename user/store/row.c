/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row in the queue: a fixed head, then its texts, each NUL ended so that the other side borrows
 * them. Both sides are this process, so nothing is checked on the way out.
 */
#include "store/row.h"

#include "base/cleanup.h"
#include "base/queue.h"

#include <errno.h>
#include <string.h>

const char *const pk_row_kind_name[PK_STORE_KINDS] = {
	"", "alert", "incident", "act", "", "mute",
};

#define TEXTS      5
#define ALL        256
#define FLOW_SHARE 128

struct head {
	uint32_t kind; /* first in both heads: tells which it is */
	uint32_t pid;
	uint64_t time_ns;
	uint32_t severity, json_len;
	uint32_t text[TEXTS]; /* bytes with their NUL; 0: NULL */
	uint32_t has_remote;
	uint8_t remote[16];
};

struct flow_head {
	uint32_t kind;
	uint32_t exe, name; /* as above */
	struct pk_store_flow flow;
};

static struct iovec text_of(const char *s, uint32_t *ret_len)
{
	*ret_len = s ? (uint32_t)strlen(s) + 1 : 0;
	return (struct iovec){ (void *)s, *ret_len };
}

int pk_row_put(struct pk_queue *q, const struct pk_store_row *row)
{
	const char *const text[TEXTS] = { row->uid, row->incident_uid, row->technique, row->actor,
					  row->act };
	struct head h = { .time_ns = row->time_ns,
			  .kind = row->kind,
			  .pid = row->pid,
			  .severity = row->severity,
			  .json_len = (uint32_t)row->len,
			  .has_remote = row->remote != NULL };
	struct iovec part[TEXTS + 2] = { { &h, sizeof(h) } };

	if (row->kind < PK_STORE_ALERT || row->kind >= PK_STORE_KINDS ||
	    row->kind == PK_STORE_FLOW || !row->uid || !row->uid[0] || !row->json || !row->len)
		return -EINVAL;
	if (row->len > PK_STORE_JSON_MAX)
		return -EMSGSIZE;
	if (row->remote)
		memcpy(h.remote, row->remote, sizeof(h.remote));
	for (int i = 0; i < TEXTS; i++) {
		part[1 + i] = text_of(text[i], &h.text[i]);
		if (h.text[i] > PK_STORE_UID_MAX)
			return -EMSGSIZE;
	}
	part[TEXTS + 1] = (struct iovec){ (void *)row->json, row->len };
	return pk_queue_put(q, part, PK_ARRAY_SIZE(part), ALL);
}

int pk_row_put_flow(struct pk_queue *q, const struct pk_store_flow *flow)
{
	struct flow_head h = { .kind = PK_STORE_FLOW, .flow = *flow };
	struct iovec part[3] = { { &h, sizeof(h) } };

	part[1] = text_of(flow->exe, &h.exe);
	part[2] = text_of(flow->name, &h.name);
	if (h.exe > 4096 || h.name > 4096)
		return -EMSGSIZE;
	return pk_queue_put(q, part, PK_ARRAY_SIZE(part), FLOW_SHARE);
}

static const char *next_text(const char **at, uint32_t len)
{
	const char *s = len ? *at : NULL;

	*at += len;
	return s;
}

void pk_row_take(const void *rec, size_t len, struct pk_row_taken *ret_taken)
{
	const struct flow_head *f = rec;
	const struct head *h = rec;
	struct pk_store_row *r = &ret_taken->row;
	const char *at;

	(void)len;
	*ret_taken = (struct pk_row_taken){ 0 };
	if (f->kind == PK_STORE_FLOW) {
		at = (const char *)(f + 1);
		r->kind = PK_STORE_FLOW;
		ret_taken->flow = f->flow;
		ret_taken->flow.exe = next_text(&at, f->exe);
		ret_taken->flow.name = next_text(&at, f->name);
		return;
	}
	at = (const char *)(h + 1);
	*r = (struct pk_store_row){ .kind = h->kind,
				    .time_ns = h->time_ns,
				    .pid = h->pid,
				    .severity = (uint8_t)h->severity,
				    .remote = h->has_remote ? h->remote : NULL,
				    .len = h->json_len };
	r->uid = next_text(&at, h->text[0]);
	r->incident_uid = next_text(&at, h->text[1]);
	r->technique = next_text(&at, h->text[2]);
	r->actor = next_text(&at, h->text[3]);
	r->act = next_text(&at, h->text[4]);
	r->json = at;
}
