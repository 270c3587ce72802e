/* SPDX-License-Identifier: Apache-2.0 */
/* Frames between gate and core: sizes, ranges and printable text. Knows nobody's state. */
#include "gate/msg.h"

#include "base/cleanup.h"

#include <picket/api.h>

#include <errno.h>
#include <event2/buffer.h>
#include <stdbool.h>
#include <string.h>

#define BODY_MAX (1ull << 40) /* only so that sums can not wrap */

#define ASK_TEXTS_MAX                                                                              \
	(PK_GATE_PATH_MAX + PK_GATE_QUERY_MAX + PK_GATE_NAME_MAX + PK_GATE_SAIDS * PK_GATE_HEAD_MAX)

const char *const pk_gate_said[PK_GATE_SAIDS] = {
	[PK_GATE_IF_MATCH] = "If-Match",
	[PK_GATE_IF_NONE_MATCH] = "If-None-Match",
	[PK_GATE_ACCEPT] = "Accept",
	[PK_GATE_CONTENT_ENCODING] = "Content-Encoding",
	[PK_GATE_LAST_EVENT_ID] = "Last-Event-ID",
};
const char *const pk_gate_told[PK_GATE_TOLDS] = {
	[PK_GATE_CONTENT_TYPE] = "Content-Type", [PK_GATE_ALLOW] = "Allow",
	[PK_GATE_RECORDING] = PK_API_RECORDING,  [PK_GATE_ETAG] = "ETag",
	[PK_GATE_RETRY_AFTER] = "Retry-After",   [PK_GATE_ACCEPT_ENCODING] = "Accept-Encoding",
};

struct shape {
	bool from_gate;
	size_t min, max;   /* of the payload */
	bool known, alone; /* alone: about no request */
};

static const struct shape shapes[] = {
	[PK_GATE_ASK] = { true, sizeof(struct pk_gate_ask),
			  sizeof(struct pk_gate_ask) + ASK_TEXTS_MAX, true, false },
	[PK_GATE_BODY] = { true, 1, PK_GATE_DATA_MAX, true, false },
	[PK_GATE_TAKEN] = { true, sizeof(struct pk_gate_taken), sizeof(struct pk_gate_taken), true,
			    false },
	[PK_GATE_GONE] = { true, 0, 0, true, false },
	[PK_GATE_COUNTS] = { true, sizeof(struct pk_gate_counts), sizeof(struct pk_gate_counts),
			     true, true },
	[PK_GATE_PULL] = { true, sizeof(struct pk_pull_news), sizeof(struct pk_pull_news), true,
			   true },
	[PK_GATE_ANSWER] = { false, sizeof(struct pk_gate_answer), sizeof(struct pk_gate_answer),
			     true, false },
	[PK_GATE_DATA] = { false, 1, PK_GATE_DATA_MAX, true, false },
	[PK_GATE_END] = { false, 0, 0, true, false },
	[PK_GATE_CUT] = { false, 0, 0, true, false },
};

static bool is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return true;
}

static bool are_texts(const struct pk_gate_ask *a, size_t len)
{
	size_t all = a->path_len + a->query_len + a->name_len;

	for (int i = 0; i < PK_GATE_SAIDS; i++) {
		if (a->said_len[i] > PK_GATE_HEAD_MAX)
			return false;
		all += a->said_len[i];
	}
	return a->path_len && a->path_len <= PK_GATE_PATH_MAX &&
	       a->query_len <= PK_GATE_QUERY_MAX && a->name_len <= PK_GATE_NAME_MAX &&
	       a->has_query <= 1 && (!a->query_len || a->has_query) && all == len;
}

static int read_ask(const char *p, size_t len, struct pk_gate_msg *m)
{
	const struct pk_gate_ask *a = &m->ask;
	const char *text = p + sizeof(*a);

	memcpy(&m->ask, p, sizeof(m->ask));
	if (!are_texts(a, len - sizeof(*a)) || a->role <= PK_ROLE_NONE || a->role >= PK_ROLES ||
	    a->body_bytes > BODY_MAX)
		return -EBADMSG;
	if (*text != '/' || !is_printable(text, len - sizeof(*a)))
		return -EBADMSG;
	m->path = text;
	m->query = text + a->path_len;
	m->name = m->query + a->query_len;
	text = m->name + a->name_len;
	for (int i = 0; i < PK_GATE_SAIDS; text += a->said_len[i++])
		m->said[i] = text;
	return 0;
}

static bool is_text(const char *s, size_t size)
{
	const char *end = memchr(s, 0, size);

	return end && is_printable(s, (size_t)(end - s));
}

static int read_answer(const char *p, struct pk_gate_msg *m)
{
	const struct pk_gate_answer *a = &m->answer;

	memcpy(&m->answer, p, sizeof(m->answer));
	if (a->status < 200 || a->status > 599 || a->stream > 1)
		return -EBADMSG;
	for (int i = 0; i < PK_GATE_TOLDS; i++)
		if (!is_text(a->told[i], sizeof(a->told[i])))
			return -EBADMSG;
	return 0;
}

static int read_payload(const char *p, size_t len, struct pk_gate_msg *m)
{
	switch (m->type) {
	case PK_GATE_ASK:
		return read_ask(p, len, m);
	case PK_GATE_ANSWER:
		return read_answer(p, m);
	case PK_GATE_TAKEN:
		memcpy(&m->taken, p, sizeof(m->taken));
		return 0;
	case PK_GATE_COUNTS:
		memcpy(&m->counts, p, sizeof(m->counts));
		return 0;
	case PK_GATE_PULL:
		memcpy(&m->pull, p, sizeof(m->pull));
		return pk_pull_news_is_valid(&m->pull) ? 0 : -EBADMSG;
	default:
		m->data = p;
		m->len = len;
		return 0;
	}
}

int pk_gate_msg_read(const void *bytes, size_t len, int from_gate, struct pk_gate_msg *ret_msg)
{
	struct pk_gate_msg m = { 0 };
	struct pk_gate_head head;
	const struct shape *s;

	if (len < sizeof(head))
		return 0;
	memcpy(&head, bytes, sizeof(head));
	if (head.type >= PK_ARRAY_SIZE(shapes) || head.size < sizeof(head))
		return -EBADMSG;
	s = &shapes[head.type];
	if (!s->known || s->alone != !head.id)
		return -EBADMSG;
	if (s->from_gate != (bool)from_gate || head.size - sizeof(head) < s->min ||
	    head.size - sizeof(head) > s->max)
		return -EBADMSG;
	if (len < head.size)
		return 0;
	m.type = head.type;
	m.id = head.id;
	if (read_payload((const char *)bytes + sizeof(head), head.size - sizeof(head), &m) < 0)
		return -EBADMSG;
	*ret_msg = m;
	return (int)head.size;
}

int pk_gate_msg_peek(struct evbuffer *in, int from_gate, struct pk_gate_msg *ret_msg)
{
	size_t len = evbuffer_get_length(in);
	struct pk_gate_head head;

	if (evbuffer_copyout(in, &head, sizeof(head)) < (ev_ssize_t)sizeof(head))
		return 0;
	/* no more in one piece than the frame; what its head says is looked at in there */
	if (len > head.size && head.size >= sizeof(head))
		len = head.size;
	if (len > PK_GATE_FRAME_MAX)
		len = PK_GATE_FRAME_MAX;
	return pk_gate_msg_read(evbuffer_pullup(in, (ev_ssize_t)len), len, from_gate, ret_msg);
}

int pk_gate_msg_put(struct evbuffer *out, uint32_t type, uint64_t id, const void *payload,
		    size_t len)
{
	struct pk_gate_head head = { (uint32_t)(sizeof(head) + len), type, id };

	if (evbuffer_expand(out, sizeof(head) + len) < 0)
		return -ENOMEM; /* a whole frame or nothing */
	return evbuffer_add(out, &head, sizeof(head)) < 0 ||
			       (len && evbuffer_add(out, payload, len) < 0)
		       ? -ENOMEM
		       : 0;
}

int pk_gate_msg_ask(struct evbuffer *out, uint64_t id, const struct pk_gate_ask *ask,
		    const char *path, const char *query, const char *name,
		    const char *const said[PK_GATE_SAIDS])
{
	char payload[sizeof(*ask) + ASK_TEXTS_MAX];
	char *p = payload;

	memcpy(p, ask, sizeof(*ask));
	p = mempcpy(p + sizeof(*ask), path, ask->path_len);
	p = mempcpy(p, query, ask->query_len);
	p = mempcpy(p, name, ask->name_len);
	for (int i = 0; i < PK_GATE_SAIDS; i++)
		p = mempcpy(p, said[i] ? said[i] : "", ask->said_len[i]);
	return pk_gate_msg_put(out, PK_GATE_ASK, id, payload, (size_t)(p - payload));
}

int pk_gate_msg_data(struct evbuffer *out, uint32_t type, uint64_t id, struct evbuffer *data)
{
	size_t n;

	while ((n = evbuffer_get_length(data))) {
		struct pk_gate_head head;

		if (n > PK_GATE_DATA_MAX)
			n = PK_GATE_DATA_MAX;
		head = (struct pk_gate_head){ (uint32_t)(sizeof(head) + n), type, id };
		if (evbuffer_add(out, &head, sizeof(head)) < 0 ||
		    evbuffer_remove_buffer(data, out, n) != (int)n)
			return -ENOMEM;
	}
	return 0;
}
