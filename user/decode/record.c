/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks records before anybody reads them, and puts their paths and arguments into words. Pure: no
 * state, no allocation, no logging. Losses are gap.c's.
 */
#include "decode/record.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define CUT_ROOT   "..."
#define CUT_MIDDLE " [...] "

static bool ends(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

/* Used bytes of an array of components: within it, and the last one closed. */
static bool parts_ok(const char *s, size_t size, uint32_t len)
{
	return len <= size && (len == 0 || s[len - 1] == '\0');
}

static bool exec_ok(const struct pk_exec *e)
{
	return e->filename_len <= sizeof(e->filename) && ends(e->filename, sizeof(e->filename)) &&
	       e->interp_len <= sizeof(e->interp) && ends(e->interp, sizeof(e->interp)) &&
	       parts_ok(e->path, sizeof(e->path), e->path_len) &&
	       parts_ok(e->cwd, sizeof(e->cwd), e->cwd_len) && e->argv_len <= sizeof(e->argv) &&
	       e->argv_tail_len <= sizeof(e->argv_tail) && e->argv_len <= e->argv_total &&
	       e->argv_tail_len <= e->argv_total && e->stdio[0] <= PK_STDIO_SOCKET &&
	       e->stdio[1] <= PK_STDIO_SOCKET && e->stdio[2] <= PK_STDIO_SOCKET;
}

static bool act_ok(const struct pk_act *a)
{
	return a->kind > 0 && a->kind < PK_ACT_MAX;
}

static bool owner_ok(const struct pk_owner *o)
{
	return o->comm_len <= sizeof(o->comm);
}

static bool sock_ok(const struct pk_sock *s)
{
	return (s->family == AF_INET || s->family == AF_INET6) && s->op >= PK_SOCK_CREATE &&
	       s->op <= PK_SOCK_CLOSE && owner_ok(&s->owner);
}

static bool flow_ok(const struct pk_flow_report *f)
{
	return f->why >= PK_REPORT_START && f->why <= PK_REPORT_STOP && f->final <= 1 &&
	       f->flow.key.encap <= PK_ENCAP_SIXIN4 && f->flow.key.depth <= 1 &&
	       f->flow.meta.initiator <= 1 && f->flow.meta.app[0] < PK_APP_MAX &&
	       f->flow.meta.app[1] < PK_APP_MAX && owner_ok(&f->flow.own[0]) &&
	       owner_ok(&f->flow.own[1]);
}

static bool verdict_ok(const struct pk_verdict *v)
{
	return v->where >= PK_VERDICT_INGRESS && v->where <= PK_VERDICT_SENDMSG &&
	       v->act >= PK_VERDICT_DROP && v->act <= PK_VERDICT_OBSERVE && v->bits <= 128 &&
	       v->list < PK_BLK_LISTS && v->depth <= 1;
}

/* What is behind the text is not looked at. */
static bool query_ok(const struct pk_query *q)
{
	return q->act >= PK_VERDICT_DROP && q->act <= PK_VERDICT_OBSERVE && q->answered <= 1 &&
	       (q->list < PK_BLK_LISTS || q->list == UINT16_MAX) && q->below <= q->name_len &&
	       !q->text[q->name_len] && owner_ok(&q->owner);
}

static bool sample_ok(const struct pk_sample *s)
{
	return s->why && !(s->why & ~(PK_SAMPLE_PAYLOAD | PK_SAMPLE_KEEP | PK_SAMPLE_RECORD)) &&
	       s->app < PK_APP_MAX && s->dir <= 1 && s->initiator <= 1 && s->raw <= 1 &&
	       s->frag <= 1 && s->where >= PK_AT_INGRESS && s->where <= PK_AT_EGRESS &&
	       s->key.encap <= PK_ENCAP_SIXIN4 && s->key.depth <= 1 && s->l3_off <= s->frame_len &&
	       s->payload_off >= s->l3_off && s->data_len <= s->frame_len;
}

/* As the kernel rounds; what the ring has behind it is of an older record and not looked at. */
static int sample_size(const struct pk_sample *s, size_t size)
{
	if (size < sizeof(*s))
		return -ENODATA;
	if (s->data_len > PK_SAMPLE_DATA_MAX ||
	    s->hdr.size != (sizeof(*s) + s->data_len + 7) / 8 * 8)
		return -EBADMSG;
	return size < s->hdr.size ? -ENODATA : 0;
}

const uint8_t *pk_sample_data(const struct pk_sample *s)
{
	return (const uint8_t *)(s + 1);
}

const uint8_t *pk_sample_payload(const struct pk_sample *s, size_t *ret_len)
{
	size_t off = s->payload_off < s->data_len ? s->payload_off : s->data_len;
	size_t len = s->data_len - off;

	*ret_len = len < s->payload_len ? len : s->payload_len; /* behind it is padding */
	return pk_sample_data(s) + off;
}

/* Size that a record of this type has, 0: unknown type. */
static size_t size_of(uint16_t type)
{
	switch (type) {
	case PK_EV_EXEC:
		return sizeof(struct pk_exec);
	case PK_EV_FORK:
		return sizeof(struct pk_fork);
	case PK_EV_EXIT:
		return sizeof(struct pk_exit);
	case PK_EV_ACT:
		return sizeof(struct pk_act);
	case PK_EV_SOCK:
		return sizeof(struct pk_sock);
	case PK_EV_FLOW:
		return sizeof(struct pk_flow_report);
	case PK_EV_VERDICT:
		return sizeof(struct pk_verdict);
	case PK_EV_QUERY:
		return sizeof(struct pk_query);
	default:
		return 0;
	}
}

static bool body_ok(const struct pk_event *ev)
{
	switch (ev->type) {
	case PK_EV_EXEC:
		return exec_ok(ev->exec);
	case PK_EV_ACT:
		return act_ok(ev->act);
	case PK_EV_SOCK:
		return sock_ok(ev->sock);
	case PK_EV_FLOW:
		return flow_ok(ev->flow);
	case PK_EV_VERDICT:
		return verdict_ok(ev->verdict);
	case PK_EV_QUERY:
		return query_ok(ev->query);
	case PK_EV_SAMPLE:
		return sample_ok(ev->sample);
	default:
		return true;
	}
}

static int check_size(const struct pk_event *ev, size_t size)
{
	size_t want;

	if (ev->hdr->type == PK_EV_SAMPLE)
		return sample_size(ev->sample, size);
	want = size_of(ev->hdr->type);
	if (!want)
		return -ENOTSUP;
	if (size < want)
		return -ENODATA;
	return size != want || ev->hdr->size != want ? -EBADMSG : 0;
}

int pk_record_decode(struct pk_event *ret_ev, const void *rec, size_t size)
{
	struct pk_event ev = { .hdr = rec };
	int r;

	if ((uintptr_t)rec % 8)
		return -EFAULT;
	if (size < sizeof(*ev.hdr))
		return -ENODATA;
	r = check_size(&ev, size);
	if (r < 0)
		return r;
	ev.type = ev.hdr->type;
	if (!body_ok(&ev))
		return -EBADMSG;
	/* Every record that has a task has it right after its head. */
	if (ev.type != PK_EV_FLOW && ev.type != PK_EV_SAMPLE && ev.type != PK_EV_QUERY) {
		const struct pk_task *task = (const void *)(ev.hdr + 1);

		if (!ends(task->comm, sizeof(task->comm)))
			return -EBADMSG;
		ev.task = task->id.tgid ? task : NULL;
	}
	*ret_ev = ev;
	return 0;
}

/* The text so far, as the end of out; what does not fit any more is cut off at the start. */
struct backward {
	char *out;
	size_t at;
	bool full;
};

static void put_before(struct backward *b, const char *s, size_t len)
{
	if (b->full || len > b->at) {
		b->full = true;
		return;
	}
	b->at -= len;
	memcpy(b->out + b->at, s, len);
}

size_t pk_path_join(const char *parts, size_t len, bool cut, char *out, size_t cap)
{
	struct backward b = { .out = out, .at = cap - 1 };
	size_t i = 0, n;

	out[cap - 1] = '\0';
	/* The innermost comes first in parts and last in the text. Room for the mark stays free. */
	b.out += sizeof(CUT_ROOT) - 1;
	b.at -= sizeof(CUT_ROOT) - 1;
	while (i < len && !b.full) {
		size_t part = strnlen(parts + i, len - i);

		if (part + 1 > b.at) {
			b.full = true;
			break;
		}
		put_before(&b, parts + i, part);
		put_before(&b, "/", 1);
		i += part + 1;
	}
	b.out = out;
	b.at += sizeof(CUT_ROOT) - 1;
	if (b.at == cap - 1)
		b.out[--b.at] = '/';
	if (b.full || cut) {
		b.full = false;
		put_before(&b, CUT_ROOT, sizeof(CUT_ROOT) - 1);
	}
	n = cap - 1 - b.at;
	memmove(out, out + b.at, n + 1);
	return n;
}

static size_t put_args(const char *s, size_t len, char *out, size_t at, size_t cap)
{
	for (size_t i = 0; i < len && at + 1 < cap; i++)
		out[at++] = s[i] ? s[i] : ' ';
	return at;
}

size_t pk_argv_join(const struct pk_exec *e, char *out, size_t cap)
{
	size_t n = put_args(e->argv, e->argv_len, out, 0, cap), both, skip = 0;

	if (e->argv_total > e->argv_len && e->argv_tail_len) {
		both = (size_t)e->argv_len + e->argv_tail_len;
		if (both >= e->argv_total)
			skip = both - e->argv_total; /* head and tail overlap */
		else
			n = put_args(CUT_MIDDLE, sizeof(CUT_MIDDLE) - 1, out, n, cap);
		n = put_args(e->argv_tail + skip, e->argv_tail_len - skip, out, n, cap);
	} else if (e->argv_total > e->argv_len) {
		n = put_args(CUT_MIDDLE, sizeof(CUT_MIDDLE) - 2, out, n, cap);
	}
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return n;
}
