/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the open database and the answers to what was asked lately: a look-up takes some
 * microseconds, and hosts talk to the same few addresses. Addresses that are nobody's (private,
 * link-local, multicast) are not looked up.
 */
#include "name/geo.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

#ifdef PK_HAVE_LIBLOC

#include "base/hash.h"
#include "base/ip.h"

#include <libloc/as.h>
#include <libloc/database.h>
#include <libloc/libloc.h>
#include <libloc/network.h>

#define CACHED 2048

struct answer {
	uint8_t addr[16];
	bool used, found;
	struct pk_geo_place place;
};

struct pk_geo {
	struct loc_ctx *ctx;
	struct loc_database *db;
	struct pk_hash_key key;
	struct answer cache[CACHED]; /* by hash; the newer one stays */
};

void pk_geo_close(struct pk_geo *g)
{
	if (!g)
		return;
	if (g->db)
		loc_database_unref(g->db);
	if (g->ctx)
		loc_unref(g->ctx);
	free(g);
}

static void closep(struct pk_geo **g)
{
	pk_geo_close(*g);
}

/* What is wrong is told by the result. */
static void say_nothing(struct loc_ctx *ctx, int priority, const char *file, int line,
			const char *fn, const char *format, va_list args)
{
	(void)ctx;
	(void)priority;
	(void)file;
	(void)line;
	(void)fn;
	(void)format;
	(void)args;
}

int pk_geo_open(const char *file, struct pk_geo **ret_geo)
{
	_cleanup_fclose_ FILE *f = fopen(file, "re");
	_cleanup_(closep) struct pk_geo *g = NULL;

	if (!f)
		return -errno;
	g = calloc(1, sizeof(*g));
	if (!g || loc_new(&g->ctx) != 0)
		return -ENOMEM;
	loc_set_log_fn(g->ctx, say_nothing);
	pk_hash_key_init(&g->key);
	if (loc_database_new(g->ctx, &g->db, f) != 0) /* it keeps a descriptor of its own */
		return -EBADMSG;
	*ret_geo = PK_TAKE(g);
	return 0;
}

static void find_as(struct pk_geo *g, struct pk_geo_place *p)
{
	struct loc_as *as = NULL;
	const char *name;

	if (!p->asn || loc_database_get_as(g->db, &as, p->asn) != 0 || !as)
		return;
	name = loc_as_get_name(as);
	if (name)
		(void)snprintf(p->as_name, sizeof(p->as_name), "%s", name);
	loc_as_unref(as);
}

static bool look_up(struct pk_geo *g, const uint8_t addr[16], struct pk_geo_place *ret)
{
	struct pk_geo_place p = { 0 };
	struct loc_network *net = NULL;
	struct in6_addr in6;
	const char *code;

	memcpy(&in6, addr, sizeof(in6));
	if (loc_database_lookup(g->db, &in6, &net) != 0 || !net)
		return false;
	code = loc_network_get_country_code(net);
	/* X and digits are the database's own: anonymous, satellite, hostile */
	if (code && code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z' &&
	    code[0] != 'X')
		memcpy(p.country, code, 2);
	p.asn = loc_network_get_asn(net);
	p.anycast = loc_network_has_flag(net, LOC_NETWORK_FLAG_ANYCAST);
	loc_network_unref(net);
	find_as(g, &p);
	*ret = p;
	return p.asn || p.country[0];
}

/* IANA's special-purpose registries: what routes nowhere beyond its own network. */
static bool is_nobodys(const uint8_t addr[16])
{
	static const struct {
		const char *net;
		unsigned bits;
	} nets[] = { { "0.0.0.0", 104 },     { "10.0.0.0", 104 },    { "100.64.0.0", 106 },
		     { "127.0.0.0", 104 },   { "169.254.0.0", 112 }, { "172.16.0.0", 108 },
		     { "192.168.0.0", 112 }, { "224.0.0.0", 99 },    { "::", 96 },
		     { "fc00::", 7 },        { "fe80::", 10 },       { "ff00::", 8 } };
	static uint8_t parsed[PK_ARRAY_SIZE(nets)][16];
	static bool ready;

	for (size_t i = 0; i < PK_ARRAY_SIZE(nets) && !ready; i++)
		(void)pk_ip_parse(nets[i].net, parsed[i]); /* they are right */
	ready = true;
	for (size_t i = 0; i < PK_ARRAY_SIZE(nets); i++)
		if (pk_ip_in(addr, parsed[i], nets[i].bits))
			return true;
	return false;
}

bool pk_geo_find(struct pk_geo *g, const uint8_t addr[16], struct pk_geo_place *ret_place)
{
	struct answer *a;
	uint64_t w[2];

	if (is_nobodys(addr))
		return false;
	memcpy(w, addr, sizeof(w));
	a = &g->cache[pk_hash_words(&g->key, w, 2) % CACHED];
	if (!a->used || memcmp(a->addr, addr, sizeof(a->addr)) != 0) {
		a->used = true;
		memcpy(a->addr, addr, sizeof(a->addr));
		a->found = look_up(g, addr, &a->place);
	}
	if (a->found)
		*ret_place = a->place;
	return a->found;
}

const char *pk_geo_vendor(const struct pk_geo *g)
{
	return loc_database_get_vendor(g->db);
}

uint64_t pk_geo_created(const struct pk_geo *g)
{
	return (uint64_t)loc_database_created_at(g->db);
}

#else

int pk_geo_open(const char *file, struct pk_geo **ret_geo)
{
	(void)file;
	(void)ret_geo;
	return -ENOTSUP;
}

void pk_geo_close(struct pk_geo *g)
{
	(void)g; /* there is never one */
}

bool pk_geo_find(struct pk_geo *g, const uint8_t addr[16], struct pk_geo_place *ret_place)
{
	(void)g;
	(void)addr;
	(void)ret_place;
	return false;
}

const char *pk_geo_vendor(const struct pk_geo *g)
{
	(void)g;
	return NULL;
}

uint64_t pk_geo_created(const struct pk_geo *g)
{
	(void)g;
	return 0;
}

#endif
