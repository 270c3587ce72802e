/* SPDX-License-Identifier: Apache-2.0 */
/* The data of DNS records, by type, and the options of EDNS. */
#include "base/cleanup.h"
#include "decode/dns_own.h"

#include <string.h>

#define CLASS_IN 1

/* SvcParamKeys (RFC 9460 14.3.2). */
enum svc_key {
	SVC_ALPN = 1,
	SVC_NO_DEFAULT_ALPN = 2,
	SVC_PORT = 3,
	SVC_V4 = 4,
	SVC_ECH = 5,
	SVC_V6 = 6
};

/* EDNS options. */
enum opt_code { OPT_CLIENT_SUBNET = 8, OPT_COOKIE = 10, OPT_PADDING = 12, OPT_ERROR = 15 };

static void put_v4(uint8_t out[16], const uint8_t *v4)
{
	memset(out, 0, 10);
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, v4, 4);
}

static size_t end_of(const struct dns_reader *r, const struct pk_dns_rr *rr)
{
	return (size_t)((const uint8_t *)rr->rdata.s - r->msg) + rr->rdata.len;
}

/* A name that is the last of the data. */
static enum pk_dns_why last_name(struct dns_reader *r, const struct pk_dns_rr *rr, const char **ret)
{
	size_t end = end_of(r, rr);
	struct dns_name name;
	enum pk_dns_why why = pk_dns_name_read(r, end, &name);

	if (why)
		return why;
	*ret = name.s;
	return r->at == end ? PK_DNS_OK : PK_DNS_RDATA;
}

static enum pk_dns_why read_a(struct dns_reader *r, struct pk_dns_rr *rr)
{
	if (rr->rdata.len != 4)
		return PK_DNS_RDATA;
	put_v4(rr->addr, r->msg + r->at);
	return PK_DNS_OK;
}

static enum pk_dns_why read_aaaa(struct dns_reader *r, struct pk_dns_rr *rr)
{
	if (rr->rdata.len != 16)
		return PK_DNS_RDATA;
	memcpy(rr->addr, r->msg + r->at, 16);
	return PK_DNS_OK;
}

static enum pk_dns_why read_target(struct dns_reader *r, struct pk_dns_rr *rr)
{
	return last_name(r, rr, &rr->target);
}

static enum pk_dns_why read_mx(struct dns_reader *r, struct pk_dns_rr *rr)
{
	struct pk_cursor c = pk_cursor_of(rr->rdata.s, rr->rdata.len);

	rr->mx.preference = pk_cursor_u16(&c);
	if (c.short_)
		return PK_DNS_RDATA;
	r->at += c.at;
	return last_name(r, rr, &rr->mx.target);
}

static enum pk_dns_why read_srv(struct dns_reader *r, struct pk_dns_rr *rr)
{
	struct pk_cursor c = pk_cursor_of(rr->rdata.s, rr->rdata.len);

	rr->srv.priority = pk_cursor_u16(&c);
	rr->srv.weight = pk_cursor_u16(&c);
	rr->srv.port = pk_cursor_u16(&c);
	if (c.short_)
		return PK_DNS_RDATA;
	r->at += c.at;
	return last_name(r, rr, &rr->srv.target);
}

static enum pk_dns_why read_txt(struct dns_reader *r, struct pk_dns_rr *rr)
{
	struct pk_cursor c = pk_cursor_of(rr->rdata.s, rr->rdata.len);

	(void)r;
	if (!pk_cursor_left(&c))
		return PK_DNS_RDATA; /* at least one string (RFC 1035 3.3.14) */
	while (pk_cursor_left(&c)) {
		size_t n = pk_cursor_u8(&c);

		if (!pk_cursor_take(&c, n))
			return PK_DNS_RDATA;
		rr->txt.strings++;
		rr->txt.bytes += n;
	}
	return PK_DNS_OK;
}

static enum pk_dns_why read_soa(struct dns_reader *r, struct pk_dns_rr *rr)
{
	size_t end = end_of(r, rr);
	struct dns_name mname, rname;
	struct pk_cursor c;
	enum pk_dns_why why = pk_dns_name_read(r, end, &mname);

	if (!why)
		why = pk_dns_name_read(r, end, &rname);
	if (why)
		return why;
	c = pk_cursor_of(r->msg + r->at, end - r->at);
	rr->soa.mname = mname.s;
	rr->soa.rname = rname.s;
	rr->soa.serial = pk_cursor_u32(&c);
	rr->soa.refresh = pk_cursor_u32(&c);
	rr->soa.retry = pk_cursor_u32(&c);
	rr->soa.expire = pk_cursor_u32(&c);
	rr->soa.minimum = pk_cursor_u32(&c);
	return c.short_ || pk_cursor_left(&c) ? PK_DNS_RDATA : PK_DNS_OK;
}

static bool read_hints(struct pk_cursor *v, size_t size, uint8_t (*hints)[16], uint8_t *n)
{
	if (!v->len || v->len % size)
		return false;
	for (size_t i = 0; i < v->len / size; i++) {
		const uint8_t *p = pk_cursor_take(v, size);

		if (*n == PK_DNS_HINTS_MAX)
			break;
		if (size == 4)
			put_v4(hints[*n], p);
		else
			memcpy(hints[*n], p, 16);
		(*n)++;
	}
	return true;
}

/* Non-empty ids that fill the value (RFC 9460 7.1.1). */
static bool alpn_ok(struct pk_slice list)
{
	struct pk_slice id;

	if (!list.len)
		return false;
	while (list.len)
		if (!pk_dns_alpn_next(&list, &id))
			return false;
	return true;
}

static bool read_param(struct pk_dns_svc *svc, uint16_t key, struct pk_cursor v)
{
	switch (key) {
	case SVC_ALPN:
		svc->alpn = (struct pk_slice){ (const char *)v.data, (uint32_t)v.len };
		return alpn_ok(svc->alpn);
	case SVC_NO_DEFAULT_ALPN:
		svc->no_default_alpn = true;
		return !v.len;
	case SVC_PORT:
		svc->port = pk_cursor_u16(&v);
		return v.len == 2;
	case SVC_V4:
		return read_hints(&v, 4, svc->v4, &svc->n_v4);
	case SVC_V6:
		return read_hints(&v, 16, svc->v6, &svc->n_v6);
	case SVC_ECH:
		svc->ech = true;
		return true;
	default:
		return true;
	}
}

/* RFC 9460 2.2: a target that is not compressed, then parameters with keys that rise. */
static enum pk_dns_why read_svc(struct dns_reader *r, struct pk_dns_rr *rr)
{
	size_t end = end_of(r, rr);
	struct dns_name target;
	struct pk_cursor c;
	enum pk_dns_why why;
	int32_t last = -1;

	if (rr->rdata.len < 2)
		return PK_DNS_RDATA;
	rr->svc.priority = (uint16_t)(r->msg[r->at] << 8 | r->msg[r->at + 1]);
	r->at += 2;
	why = pk_dns_name_read(r, end, &target);
	if (why)
		return why;
	rr->svc.target = target.s;
	c = pk_cursor_of(r->msg + r->at, end - r->at);
	while (pk_cursor_left(&c)) {
		uint16_t key = pk_cursor_u16(&c);
		struct pk_cursor v = pk_cursor_sub(&c, pk_cursor_u16(&c));

		if (c.short_ || key <= last || !read_param(&rr->svc, key, v))
			return PK_DNS_RDATA;
		last = key;
	}
	return PK_DNS_OK;
}

static const struct {
	uint16_t type;
	bool in_only; /* the data has this form in class IN alone */
	enum pk_dns_why (*read)(struct dns_reader *r, struct pk_dns_rr *rr);
} readers[] = {
	{ PK_DNS_A, true, read_a },           { PK_DNS_AAAA, true, read_aaaa },
	{ PK_DNS_CNAME, false, read_target }, { PK_DNS_PTR, false, read_target },
	{ PK_DNS_NS, false, read_target },    { PK_DNS_DNAME, false, read_target },
	{ PK_DNS_SOA, false, read_soa },      { PK_DNS_MX, false, read_mx },
	{ PK_DNS_TXT, false, read_txt },      { PK_DNS_SRV, true, read_srv },
	{ PK_DNS_SVCB, true, read_svc },      { PK_DNS_HTTPS, true, read_svc },
};

#define OPCODE_UPDATE 5
#define CLASS_NONE    254
#define CLASS_ANY     255

enum pk_dns_why pk_dns_rdata_read(struct dns_reader *r, struct pk_dns_rr *rr)
{
	/* RFC 2136 2.4, 2.5: these classes stand for "delete" and "exists"; data may be missing. */
	bool update = r->out->opcode == OPCODE_UPDATE &&
		      (rr->class == CLASS_NONE || rr->class == CLASS_ANY || !rr->rdata.len);

	for (unsigned i = 0; i < PK_ARRAY_SIZE(readers) && !update; i++)
		if (readers[i].type == rr->type) {
			if (readers[i].in_only && rr->class != CLASS_IN)
				return PK_DNS_RAW;
			return readers[i].read(r, rr);
		}
	return PK_DNS_RAW;
}

enum pk_dns_why pk_dns_options_read(struct dns_reader *r, struct pk_slice options)
{
	struct pk_cursor c = pk_cursor_of(options.s, options.len);
	struct pk_dns_edns *e = &r->out->edns;

	while (pk_cursor_left(&c)) {
		uint16_t code = pk_cursor_u16(&c);
		struct pk_cursor v = pk_cursor_sub(&c, pk_cursor_u16(&c));

		if (c.short_)
			return PK_DNS_RDATA;
		e->options++;
		e->client_subnet |= code == OPT_CLIENT_SUBNET;
		e->cookie |= code == OPT_COOKIE;
		e->padding |= code == OPT_PADDING;
		if (code == OPT_ERROR && !e->extended_error) {
			e->extended_error = true;
			e->error_code = pk_cursor_u16(&v);
		}
	}
	return PK_DNS_OK;
}
