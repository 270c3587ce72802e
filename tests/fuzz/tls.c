/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the beginning of a TLS stream: what comes out stays inside, in one piece or in two,
 * and has a fingerprint.
 * fuzz-links: user/decode/tls.c user/decode/tls_record.c user/decode/tls_name.c user/decode/ja4.c
 */
#include "decode/tls.h"

#include "decode/ja4.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pk_ja4 *ja4;

static void check(int good)
{
	if (!good)
		abort();
}

static void check_inside(struct pk_slice whole, struct pk_slice s)
{
	if (s.len)
		check(s.s >= whole.s && s.s + s.len <= whole.s + whole.len);
}

static void read_names(struct pk_slice whole, struct pk_slice list)
{
	struct pk_slice name;

	while (pk_tls_alpn_next(&list, &name))
		check_inside(whole, name);
	check(!list.len);
}

static void read_client(struct pk_slice body)
{
	char text[PK_JA4_LEN + 1], hash[PK_JA3_LEN + 1], ja3[64];
	struct pk_tls_client h;

	if (pk_tls_client_parse((const uint8_t *)body.s, body.len, &h) < 0)
		return;
	check_inside(body, h.session_id);
	check_inside(body, h.ciphers);
	check_inside(body, h.extensions);
	check_inside(body, h.versions);
	check_inside(body, h.groups);
	check_inside(body, h.points);
	check_inside(body, h.sigalgs);
	check_inside(body, h.sni);
	read_names(body, h.alpn);
	check(!((h.ciphers.len | h.versions.len | h.groups.len | h.sigalgs.len) & 1));
	check(pk_ja4_client(ja4, &h, PK_JA4_TCP, text) == 0 && strlen(text) == PK_JA4_LEN);
	check(pk_ja3_client(ja4, &h, hash) == 0 && strlen(hash) == PK_JA3_LEN);
	check(pk_ja3_text(&h, ja3, sizeof(ja3)) >= strlen(ja3));
}

static void read_server(struct pk_slice body)
{
	struct pk_tls_server h;

	if (pk_tls_server_parse((const uint8_t *)body.s, body.len, &h) < 0)
		return;
	check_inside(body, h.session_id);
	check_inside(body, h.extensions);
	read_names(body, h.alpn);
	(void)pk_tls_cipher_name(h.cipher);
	(void)pk_tls_version_name(h.version);
	(void)pk_tls_group_name(h.group);
}

/* The first message; returns what pk_tls_next() says. */
static int first(const uint8_t *data, size_t size, struct pk_tls_msg *m)
{
	static uint8_t room[PK_TLS_HELLO_MAX];
	struct pk_tls_reader r = {
		.data = data, .len = size, .room = room, .room_len = sizeof(room)
	};
	size_t need = 0;
	int k = pk_tls_next(&r, m, &need);

	check(k != -EAGAIN || need > size);
	check(k == 0 || r.at == 0);
	return k;
}

/* A part of a stream asks for more, or says what the whole says. */
static void compare(const uint8_t *data, size_t size, size_t part)
{
	uint8_t *exact = malloc(part + 1);
	struct pk_tls_msg m = { 0 }, n = { 0 };
	int whole = first(data, size, &m), k;

	check(exact != NULL);
	memcpy(exact + 1, data, part);
	k = first(exact + 1, part, &n);
	check(k == -EAGAIN || k == whole);
	if (!k)
		check(m.type == n.type && m.body.len == n.body.len);
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[PK_TLS_HELLO_MAX];
	struct pk_tls_reader r = { .room = room, .room_len = sizeof(room) };
	struct pk_tls_msg m;
	size_t need;

	if (!ja4 && pk_ja4_new(&ja4) < 0)
		abort();
	if (size < 2)
		return 0;
	r.data = data + 2; /* the first two say where to cut */
	r.len = size - 2;
	compare(r.data, r.len, (size_t)(data[0] << 8 | data[1]) % (r.len + 1));
	while (pk_tls_next(&r, &m, &need) == 0) {
		read_client(m.body); /* whatever its type: more of them are read so */
		read_server(m.body);
	}
	return 0;
}
