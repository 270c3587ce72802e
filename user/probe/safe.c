/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the sources, found by a hash of what they are, and the administrators with their time. */
#include "probe/safe.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "base/log.h"
#include "conf/conf.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In place of a namespace: no cookie is that large. */
#define FROM_EARLIER (UINT64_MAX - 1) /* an earlier process */
#define FROM_CONF    UINT64_MAX

#define SET_MAX 4096 /* of bpf/maps.h */

struct pk_safe_node {
	struct pk_safe_node *next;
	struct pk_safe_source src;
	uint32_t round;
};

static struct pk_safe_node **bucket_of(struct pk_safe *s, const struct pk_safe_source *src)
{
	uint64_t h = src->netns * 31 + src->ifindex;

	h = (h * 31 + src->kind) * 31 + src->key.bits;
	for (int i = 0; i < 16; i++)
		h = (h ^ src->key.addr[i]) * 0x100000001b3ULL;
	return &s->bucket[(h ^ h >> 32) % PK_SAFE_BUCKETS];
}

static bool is_same(const struct pk_safe_source *a, const struct pk_safe_source *b)
{
	return a->netns == b->netns && a->ifindex == b->ifindex && a->kind == b->kind &&
	       a->key.bits == b->key.bits && !memcmp(a->key.addr, b->key.addr, 16);
}

static struct pk_safe_node **find(struct pk_safe *s, const struct pk_safe_source *src)
{
	struct pk_safe_node **n = bucket_of(s, src);

	while (*n && !is_same(&(*n)->src, src))
		n = &(*n)->next;
	return n;
}

static void tell_once(struct pk_safe *s, bool *told, const char *what)
{
	if (!*told)
		s->notice(s->arg, PK_LOG_WARN, "%s", what);
	*told = true;
}

void pk_safe_add(struct pk_safe *s, const struct pk_safe_source *src)
{
	struct pk_safe_node **at = find(s, src), *n;

	if (*at) {
		(*at)->round = s->round;
		return;
	}
	n = s->sources < PK_SAFE_SOURCES ? calloc(1, sizeof(*n)) : NULL;
	if (!n || pk_safeset_add(&s->set, &src->key, src->kind) < 0) {
		free(n);
		tell_once(s, &s->sources_told,
			  "too many own addresses, gateways and networks: some can be blocked");
		return;
	}
	n->src = *src;
	n->round = s->round;
	*at = n;
	s->sources++;
	if (s->set.missing)
		tell_once(s, &s->full_told,
			  "the safe set is full: further addresses are only guarded when a list is "
			  "loaded");
}

static void drop(struct pk_safe *s, struct pk_safe_node **at)
{
	struct pk_safe_node *n = *at;

	*at = n->next;
	pk_safeset_remove(&s->set, &n->src.key, n->src.kind);
	free(n);
	s->sources--;
}

void pk_safe_remove(struct pk_safe *s, const struct pk_safe_source *src)
{
	struct pk_safe_node **at = find(s, src);

	if (*at)
		drop(s, at);
}

void pk_safe_begin(struct pk_safe *s)
{
	s->round++;
}

/* like: namespace, interface (0 any) and kinds. stale: only what this round did not name. */
static void drop_where(struct pk_safe *s, const struct pk_safe_source *like, bool stale)
{
	for (size_t i = 0; i < PK_SAFE_BUCKETS; i++) {
		struct pk_safe_node **at = &s->bucket[i];

		while (*at) {
			const struct pk_safe_source *src = &(*at)->src;

			if (src->netns == like->netns && src->kind & like->kind &&
			    (!like->ifindex || src->ifindex == like->ifindex) &&
			    !(stale && (*at)->round == s->round))
				drop(s, at);
			else
				at = &(*at)->next;
		}
	}
}

void pk_safe_end(struct pk_safe *s, uint64_t netns, uint32_t kinds)
{
	struct pk_safe_source like = { .netns = netns, .kind = kinds };

	drop_where(s, &like, true);
}

void pk_safe_link_down(struct pk_safe *s, uint64_t netns, uint32_t ifindex)
{
	struct pk_safe_source like = { netns, ifindex, .kind = PK_BLK_SAFE_GATEWAY };

	drop_where(s, &like, false);
}

static void clear_host(struct pk_blk_safe_key *key)
{
	for (uint32_t i = key->bits; i < 128; i++)
		key->addr[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static bool add_net(struct pk_safe *s, uint64_t from, uint32_t kind, const char *net)
{
	struct pk_safe_source src = { .netns = from, .kind = kind };
	unsigned bits;

	if (pk_ip_parse_cidr(net, src.key.addr, &bits) < 0)
		return false;
	src.key.bits = bits;
	clear_host(&src.key);
	pk_safe_add(s, &src);
	return true;
}

void pk_safe_management(struct pk_safe *s, const struct pk_conf_list *nets)
{
	pk_safe_begin(s);
	for (size_t i = 0; i < nets->n; i++)
		if (!add_net(s, FROM_CONF, PK_BLK_SAFE_MANAGEMENT, nets->v[i]))
			s->notice(s->arg, PK_LOG_WARN, "block.management: %s is not a network",
				  nets->v[i]);
	pk_safe_end(s, FROM_CONF, PK_BLK_SAFE_MANAGEMENT);
}

static void inherit_one(struct pk_safe *s, const struct pk_blk_safe_key *key, uint32_t kinds,
			uint64_t now_ns)
{
	struct pk_safe_source src = { .netns = FROM_EARLIER, .key = *key };

	for (int k = 0; k < PK_SAFE_KINDS; k++) {
		src.kind = kinds & 1u << k;
		if (src.kind == PK_BLK_SAFE_ADMIN && key->bits == 128)
			(void)pk_safe_admin(s, key->addr, now_ns);
		else if (src.kind)
			pk_safe_add(s, &src);
	}
}

/*
 * What is in the set stays there until we know better: a packet may come right now. Exceptions are
 * told anew by the pipeline.
 */
static void inherit(struct pk_safe *s, uint64_t now_ns)
{
	_cleanup_free_ struct pk_blk_safe_key *keys = calloc(SET_MAX, sizeof(*keys));
	struct pk_blk_safe_key *last = NULL;
	struct pk_blk_safe value;
	uint32_t zero = 0;
	size_t n = 0;

	(void)bpf_map_lookup_elem(s->set.map_fd, &zero, &s->set.map);
	while (keys && n < SET_MAX && !bpf_map_get_next_key(s->set.set_fd, last, &keys[n]))
		last = &keys[n++];
	for (size_t i = 0; i < n; i++) {
		if (bpf_map_lookup_elem(s->set.set_fd, &keys[i], &value) < 0)
			continue;
		if (value.kinds)
			inherit_one(s, &keys[i], value.kinds, now_ns);
		else
			(void)bpf_map_delete_elem(s->set.set_fd, &keys[i]);
	}
}

int pk_safe_open(struct pk_safe *s, uint64_t now_ns)
{
	/*
	 * Link-local unicast and multicast have zeros after their first bits wherever they are in
	 * use; the longer prefixes leave the kernel's bits of other IPv6 addresses clear.
	 */
	static const char *const protocol[] = { "127.0.0.0/8", "::1",        "fe80::/64",
						"ff02::/32",   "0.0.0.0/32", "255.255.255.255/32" };

	inherit(s, now_ns);
	for (size_t i = 0; i < PK_ARRAY_SIZE(protocol); i++)
		(void)add_net(s, FROM_CONF, PK_BLK_SAFE_PROTOCOL, protocol[i]);
	return s->sources_told ? -ENOMEM : 0;
}

void pk_safe_settle(struct pk_safe *s)
{
	pk_safe_begin(s);
	pk_safe_end(s, FROM_EARLIER, UINT32_MAX);
}

static void key_of(struct pk_blk_safe_key *key, const uint8_t addr[16])
{
	key->bits = 128;
	memcpy(key->addr, addr, 16);
}

int pk_safe_admin(struct pk_safe *s, const uint8_t addr[16], uint64_t now_ns)
{
	static const uint8_t nobody[16], nobody4[16] = { [10] = 0xff, [11] = 0xff };
	struct pk_blk_safe_key key;
	size_t i;

	if (!memcmp(addr, nobody, 16) || !memcmp(addr, nobody4, 16))
		return -EINVAL;
	for (i = 0; i < s->admins; i++)
		if (!memcmp(s->admin[i].addr, addr, 16))
			break;
	if (i == s->admins) {
		if (i == PK_SAFE_ADMINS) {
			tell_once(s, &s->admins_told,
				  "more than 64 addresses of administrators: the others can be "
				  "blocked");
			return -ENOSPC;
		}
		key_of(&key, addr);
		if (pk_safeset_add(&s->set, &key, PK_BLK_SAFE_ADMIN) < 0)
			return -ENOMEM;
		memcpy(s->admin[s->admins++].addr, addr, 16);
	}
	s->admin[i].until_ns = now_ns + PK_SAFE_ADMIN_NS;
	return 0;
}

int pk_safe_except(struct pk_safe *s, const uint8_t addr[16], bool on)
{
	size_t n = 0;

	for (size_t i = 0; on && i < s->set.n; i++)
		n += s->set.v[i].except;
	return n < PK_SAFE_EXCEPTS ? pk_safeset_except(&s->set, addr, on) : -ENOSPC;
}

void pk_safe_tick(struct pk_safe *s, uint64_t now_ns)
{
	struct pk_blk_safe_key key;

	for (size_t i = s->admins; i-- > 0;) {
		if (now_ns < s->admin[i].until_ns)
			continue;
		key_of(&key, s->admin[i].addr);
		pk_safeset_remove(&s->set, &key, PK_BLK_SAFE_ADMIN);
		s->admin[i] = s->admin[--s->admins];
		s->admins_told = false;
	}
	pk_safeset_retry(&s->set);
	if (!s->set.missing)
		s->full_told = false;
}

void pk_safe_close(struct pk_safe *s)
{
	for (size_t i = 0; i < PK_SAFE_BUCKETS; i++)
		while (s->bucket[i]) {
			struct pk_safe_node *n = s->bucket[i];

			s->bucket[i] = n->next;
			free(n);
		}
	pk_safeset_done(&s->set);
}
