/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a DNS message of each kind, and as a TCP stream of them: what comes out stays within
 * the input and the struct's room, and is printable. The first byte chooses.
 * fuzz-links: user/decode/dns.c user/decode/dns_rdata.c user/decode/dns_text.c
 * fuzz-links: user/base/buf.c user/base/ip.c
 */
#include "decode/dns.h"

#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		require((uint8_t)s[i] > 0x1f && (uint8_t)s[i] < 0x7f);
}

static void check_name(const struct pk_dns *d, const char *name, size_t len)
{
	require(len && len <= 1004 && strlen(name) == len);
	require((name >= d->text && name + len < d->text + d->text_len) || !strcmp(name, "."));
	check_text(name, len);
	for (size_t i = 0; i < len; i++)
		require(name[i] > 0x20 && !(name[i] >= 'A' && name[i] <= 'Z'));
}

static void check_slice(struct pk_slice s, const uint8_t *data, size_t size)
{
	const uint8_t *p = (const uint8_t *)s.s;

	require(!s.len || (p >= data && s.len <= size && p <= data + (size - s.len)));
}

static void check_rr(const struct pk_dns *d, const struct pk_dns_rr *rr, const uint8_t *msg,
		     size_t len)
{
	struct pk_buf b = { .max = 1 << 20 };
	struct pk_slice list, id;

	check_name(d, rr->name, rr->name_len);
	check_slice(rr->rdata, msg, len);
	require(rr->ttl <= INT32_MAX && rr->section <= PK_DNS_ADDITIONAL);
	require(pk_dns_why_name(rr->why));
	if (rr->why == PK_DNS_OK && (rr->type == PK_DNS_SVCB || rr->type == PK_DNS_HTTPS)) {
		for (list = rr->svc.alpn; list.len && pk_dns_alpn_next(&list, &id);)
			check_slice(id, msg, len);
		require(!list.len);
	}
	pk_dns_rdata_text(&b, rr);
	require(!b.error);
	check_text(b.data, b.len);
	pk_buf_done(&b);
}

static void check_message(enum pk_dns_kind kind, const uint8_t *msg, size_t len)
{
	static struct pk_dns d;
	int r = pk_dns_decode(&d, kind, msg, len);
	unsigned bad = 0;

	require(r == 0 || r == -EBADMSG || r == -ENODATA);
	require((r == -ENODATA) == (len < 12));
	if (r == -ENODATA)
		return;
	require((r == 0) == (d.why == PK_DNS_OK) && pk_dns_why_name(d.why) && d.why_at <= len);
	require(d.n_questions <= d.total[0] && d.n_questions <= PK_DNS_QUESTIONS_MAX);
	require(d.n_rrs <= PK_DNS_RRS_MAX && d.text_len <= sizeof(d.text));
	for (unsigned i = 0; i < d.n_questions; i++)
		check_name(&d, d.questions[i].name, d.questions[i].name_len);
	for (unsigned i = 0; i < d.n_rrs; i++) {
		check_rr(&d, &d.rrs[i], msg, len);
		bad += d.rrs[i].why > PK_DNS_RAW;
	}
	require(d.bad_rdata >= bad && d.bad_rdata <= bad + d.edns.seen);
	(void)pk_dns_is(msg, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_cursor c;
	struct pk_slice msg;
	size_t missing;

	if (!size)
		return 0;
	if (data[0] & 4) {
		c = pk_cursor_of(data + 1, size - 1);
		while (pk_dns_tcp_next(&c, &msg, &missing)) {
			check_slice(msg, data, size);
			check_message(data[0] & 1, (const uint8_t *)msg.s, msg.len);
		}
		require(missing > 0);
		check_slice(msg, data, size);
	} else {
		check_message(data[0] % 4 % 3, data + 1, size - 1);
	}
	return 0;
}
