/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of a TLS stream and the handshake messages in them, plain ones only (RFC 8446, 5.1). It
 * does not look into a message beyond its head.
 */
#include "decode/tls.h"

#include <errno.h>

#define RECORD_HEAD        5
#define MESSAGE_HEAD       4
#define CHANGE_CIPHER_SPEC 20
#define ALERT              21
#define HANDSHAKE          22
#define APPLICATION_DATA   23

/* How many bytes of the stream there must be, for -EAGAIN. */
static int wants(const struct pk_tls_reader *r, size_t more, size_t *ret_need)
{
	*ret_need = r->at + more;
	return -EAGAIN;
}

/* The record that begins at r->at becomes the current one; *ret_type its content type. */
static int open_record(struct pk_tls_reader *r, uint8_t *ret_type, size_t *ret_need)
{
	size_t have = r->len - r->at;
	const uint8_t *p;
	size_t len;

	if (!have)
		return wants(r, RECORD_HEAD, ret_need);
	p = r->data + r->at;
	if (p[0] < CHANGE_CIPHER_SPEC || p[0] > APPLICATION_DATA || (have > 1 && p[1] != 3))
		return -EBADMSG;
	if (have < RECORD_HEAD)
		return wants(r, RECORD_HEAD, ret_need);
	len = (size_t)p[3] << 8 | p[4];
	if (p[0] == ALERT || p[0] == APPLICATION_DATA)
		return -ENOMSG;
	/* "Implementations MUST NOT send zero-length fragments of Handshake types" */
	if (!len || len > PK_TLS_RECORD_MAX)
		return -EBADMSG;
	r->at += RECORD_HEAD;
	r->left = len;
	*ret_type = p[0];
	return 0;
}

/* Makes r stand before bytes of a handshake record. */
static int find_handshake(struct pk_tls_reader *r, bool inside, size_t *ret_need)
{
	uint8_t type;
	int k;

	while (!r->left) {
		k = open_record(r, &type, ret_need);
		if (k < 0)
			return k;
		if (type == HANDSHAKE)
			return 0;
		/* "Handshake messages MUST NOT be interleaved with other record types" */
		if (inside || r->left != 1)
			return -EBADMSG;
		if (r->len == r->at)
			return wants(r, 1, ret_need);
		r->at++;
		r->left = 0;
	}
	return 0;
}

/* Reads n bytes that may lie in several records to out, or only over them where out is NULL. */
static int gather(struct pk_tls_reader *r, uint8_t *out, size_t n, bool inside, size_t *ret_need)
{
	size_t part;
	int k;

	while (n) {
		k = find_handshake(r, inside, ret_need);
		if (k < 0)
			return k;
		part = n < r->left ? n : r->left;
		if (part > r->len - r->at)
			return wants(r, part, ret_need);
		if (out) {
			memcpy(out, r->data + r->at, part);
			out += part;
		}
		r->at += part;
		r->left -= part;
		n -= part;
		inside = true;
	}
	return 0;
}

int pk_tls_next(struct pk_tls_reader *r, struct pk_tls_msg *ret_msg, size_t *ret_need)
{
	struct pk_tls_reader at = *r;
	uint8_t head[MESSAGE_HEAD];
	const uint8_t *body;
	size_t len;
	int k;

	k = gather(&at, head, sizeof(head), false, ret_need);
	if (k < 0)
		return k;
	len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	if (len > PK_TLS_HELLO_MAX - MESSAGE_HEAD)
		return -EMSGSIZE;
	body = at.data + at.at;
	if (len > at.left) {
		if (len > at.room_len)
			return -EMSGSIZE;
		body = at.room;
		k = gather(&at, at.room, len, true, ret_need);
	} else {
		k = gather(&at, NULL, len, true, ret_need);
	}
	if (k < 0)
		return k;
	ret_msg->type = head[0];
	ret_msg->body = (struct pk_slice){ .s = (const char *)body, .len = (uint32_t)len };
	*r = at;
	return 0;
}
