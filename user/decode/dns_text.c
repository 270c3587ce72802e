/* SPDX-License-Identifier: Apache-2.0 */
/* Words for the numbers of DNS, as IANA's registries have them, and the data of records as text. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "decode/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#define RAW_MAX 32 /* bytes of data that are written when it is not decoded */

struct word {
	uint16_t number;
	const char *name;
};

/* Sorted by number. */
static const struct word types[] = {
	{ 1, "A" },          { 2, "NS" },        { 3, "MD" },          { 4, "MF" },
	{ 5, "CNAME" },      { 6, "SOA" },       { 7, "MB" },          { 8, "MG" },
	{ 9, "MR" },         { 10, "NULL" },     { 11, "WKS" },        { 12, "PTR" },
	{ 13, "HINFO" },     { 14, "MINFO" },    { 15, "MX" },         { 16, "TXT" },
	{ 17, "RP" },        { 18, "AFSDB" },    { 19, "X25" },        { 20, "ISDN" },
	{ 21, "RT" },        { 22, "NSAP" },     { 23, "NSAP-PTR" },   { 24, "SIG" },
	{ 25, "KEY" },       { 26, "PX" },       { 27, "GPOS" },       { 28, "AAAA" },
	{ 29, "LOC" },       { 30, "NXT" },      { 31, "EID" },        { 32, "NIMLOC" },
	{ 33, "SRV" },       { 34, "ATMA" },     { 35, "NAPTR" },      { 36, "KX" },
	{ 37, "CERT" },      { 38, "A6" },       { 39, "DNAME" },      { 40, "SINK" },
	{ 41, "OPT" },       { 42, "APL" },      { 43, "DS" },         { 44, "SSHFP" },
	{ 45, "IPSECKEY" },  { 46, "RRSIG" },    { 47, "NSEC" },       { 48, "DNSKEY" },
	{ 49, "DHCID" },     { 50, "NSEC3" },    { 51, "NSEC3PARAM" }, { 52, "TLSA" },
	{ 53, "SMIMEA" },    { 55, "HIP" },      { 56, "NINFO" },      { 57, "RKEY" },
	{ 58, "TALINK" },    { 59, "CDS" },      { 60, "CDNSKEY" },    { 61, "OPENPGPKEY" },
	{ 62, "CSYNC" },     { 63, "ZONEMD" },   { 64, "SVCB" },       { 65, "HTTPS" },
	{ 66, "DSYNC" },     { 99, "SPF" },      { 104, "NID" },       { 105, "L32" },
	{ 106, "L64" },      { 107, "LP" },      { 108, "EUI48" },     { 109, "EUI64" },
	{ 128, "NXNAME" },   { 249, "TKEY" },    { 250, "TSIG" },      { 251, "IXFR" },
	{ 252, "AXFR" },     { 253, "MAILB" },   { 254, "MAILA" },     { 255, "ANY" },
	{ 256, "URI" },      { 257, "CAA" },     { 258, "AVC" },       { 259, "DOA" },
	{ 260, "AMTRELAY" }, { 261, "RESINFO" }, { 262, "WALLET" },    { 32768, "TA" },
	{ 32769, "DLV" },
};

static const struct word rcodes[] = {
	{ 0, "NOERROR" },  { 1, "FORMERR" }, { 2, "SERVFAIL" },  { 3, "NXDOMAIN" },
	{ 4, "NOTIMP" },   { 5, "REFUSED" }, { 6, "YXDOMAIN" },  { 7, "YXRRSET" },
	{ 8, "NXRRSET" },  { 9, "NOTAUTH" }, { 10, "NOTZONE" },  { 11, "DSOTYPENI" },
	{ 16, "BADVERS" }, { 17, "BADKEY" }, { 18, "BADTIME" },  { 19, "BADMODE" },
	{ 20, "BADNAME" }, { 21, "BADALG" }, { 22, "BADTRUNC" }, { 23, "BADCOOKIE" },
};

static const struct word classes[] = {
	{ 1, "IN" }, { 2, "CS" }, { 3, "CH" }, { 4, "HS" }, { 254, "NONE" }, { 255, "ANY" },
};

static const struct word opcodes[] = {
	{ 0, "QUERY" },  { 1, "IQUERY" }, { 2, "STATUS" },
	{ 4, "NOTIFY" }, { 5, "UPDATE" }, { 6, "DSO" },
};

static int word_cmp(const void *key, const void *row)
{
	return (int)*(const uint16_t *)key - ((const struct word *)row)->number;
}

static const char *word_of(const struct word *v, size_t n, uint16_t number)
{
	const struct word *w = bsearch(&number, v, n, sizeof(*v), word_cmp);

	return w ? w->name : NULL;
}

const char *pk_dns_type_name(uint16_t type)
{
	return word_of(types, PK_ARRAY_SIZE(types), type);
}

const char *pk_dns_rcode_name(uint16_t rcode)
{
	return word_of(rcodes, PK_ARRAY_SIZE(rcodes), rcode);
}

const char *pk_dns_class_name(uint16_t class)
{
	return word_of(classes, PK_ARRAY_SIZE(classes), class);
}

const char *pk_dns_opcode_name(uint8_t opcode)
{
	return word_of(opcodes, PK_ARRAY_SIZE(opcodes), opcode);
}

const char *pk_dns_why_name(uint8_t why)
{
	static const char *const names[PK_DNS_WHYS] = {
		[PK_DNS_OK] = "ok",
		[PK_DNS_RAW] = "not decoded",
		[PK_DNS_SHORT] = "short",
		[PK_DNS_LOOP] = "pointer loop",
		[PK_DNS_POINTER] = "bad pointer",
		[PK_DNS_LABEL] = "reserved label type",
		[PK_DNS_NAME] = "name too long",
		[PK_DNS_TRAILING] = "trailing bytes",
		[PK_DNS_MANY] = "too many records",
		[PK_DNS_RDATA] = "bad record data",
		[PK_DNS_OPT] = "OPT out of place",
	};

	return why < PK_DNS_WHYS ? names[why] : NULL;
}

int pk_dns_type_parse(const char *s, uint16_t *ret_type)
{
	unsigned long n;
	char *end;

	for (unsigned i = 0; i < PK_ARRAY_SIZE(types); i++)
		if (!strcasecmp(types[i].name, s)) {
			*ret_type = types[i].number;
			return 0;
		}
	if (!strncasecmp(s, "TYPE", 4)) /* RFC 3597 5 */
		s += 4;
	if (*s < '0' || *s > '9')
		return -EINVAL;
	n = strtoul(s, &end, 10);
	if (*end || n > UINT16_MAX)
		return -EINVAL;
	*ret_type = (uint16_t)n;
	return 0;
}

static void put_ip(struct pk_buf *out, const uint8_t addr[16])
{
	char text[PK_IP_TEXT];

	pk_buf_str(out, pk_ip_format(addr, text));
}

/* Inside quotes; what is not printable as \DDD (RFC 1035 5.1). */
static void put_quoted(struct pk_buf *out, const uint8_t *s, size_t len)
{
	pk_buf_char(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\\')
			pk_buf_char(out, '\\');
		if (s[i] < 0x20 || s[i] >= 0x7f)
			pk_buf_fmt(out, "\\%03u", s[i]);
		else
			pk_buf_char(out, (char)s[i]);
	}
	pk_buf_char(out, '"');
}

static void put_txt(struct pk_buf *out, const struct pk_dns_rr *rr)
{
	struct pk_cursor c = pk_cursor_of(rr->rdata.s, rr->rdata.len);

	while (pk_cursor_left(&c)) {
		struct pk_slice s = pk_cursor_slice(&c, pk_cursor_u8(&c));

		if (c.short_)
			break;
		if (c.at > s.len + 1U)
			pk_buf_char(out, ' ');
		put_quoted(out, (const uint8_t *)s.s, s.len);
	}
}

static void put_hints(struct pk_buf *out, const char *key, const uint8_t (*v)[16], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pk_buf_str(out, i ? "," : key);
		put_ip(out, v[i]);
	}
}

static void put_svc(struct pk_buf *out, const struct pk_dns_svc *svc)
{
	struct pk_slice list = svc->alpn, id;
	bool first = true;

	pk_buf_fmt(out, "%u %s", svc->priority, svc->target);
	while (list.len && pk_dns_alpn_next(&list, &id)) {
		pk_buf_str(out, first ? " alpn=" : ",");
		put_quoted(out, (const uint8_t *)id.s, id.len);
		first = false;
	}
	if (svc->no_default_alpn)
		pk_buf_str(out, " no-default-alpn");
	if (svc->port)
		pk_buf_fmt(out, " port=%u", svc->port);
	put_hints(out, " ipv4hint=", svc->v4, svc->n_v4);
	if (svc->ech)
		pk_buf_str(out, " ech");
	put_hints(out, " ipv6hint=", svc->v6, svc->n_v6);
}

static void put_raw(struct pk_buf *out, struct pk_slice rdata)
{
	pk_buf_fmt(out, "\\# %u", rdata.len);
	for (uint32_t i = 0; i < rdata.len && i < RAW_MAX; i++)
		pk_buf_fmt(out, i ? "%02x" : " %02x", (uint8_t)rdata.s[i]);
	if (rdata.len > RAW_MAX)
		pk_buf_str(out, "...");
}

void pk_dns_rdata_text(struct pk_buf *out, const struct pk_dns_rr *rr)
{
	const struct pk_dns_soa *soa = &rr->soa;

	if (rr->why != PK_DNS_OK) {
		put_raw(out, rr->rdata);
		return;
	}
	switch (rr->type) {
	case PK_DNS_A:
	case PK_DNS_AAAA:
		put_ip(out, rr->addr);
		break;
	case PK_DNS_MX:
		pk_buf_fmt(out, "%u %s", rr->mx.preference, rr->mx.target);
		break;
	case PK_DNS_SRV:
		pk_buf_fmt(out, "%u %u %u %s", rr->srv.priority, rr->srv.weight, rr->srv.port,
			   rr->srv.target);
		break;
	case PK_DNS_TXT:
		put_txt(out, rr);
		break;
	case PK_DNS_SOA:
		pk_buf_fmt(out, "%s %s %u %u %u %u %u", soa->mname, soa->rname, soa->serial,
			   soa->refresh, soa->retry, soa->expire, soa->minimum);
		break;
	case PK_DNS_SVCB:
	case PK_DNS_HTTPS:
		put_svc(out, &rr->svc);
		break;
	default:
		pk_buf_str(out, rr->target);
	}
}
