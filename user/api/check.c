/* SPDX-License-Identifier: Apache-2.0 */
/* Would this address be blocked: the lists' own answer, with all that speaks about it. */
#include "api/answer.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/ip.h"
#include "base/json.h"
#include "block/answers.h"
#include "block/limits.h"
#include "block/treat.h"

#include <picket/api.h>

#include <stdlib.h>
#include <string.h>

/* What is blocked at this moment because of a listed name. */
static void write_addresses(struct pk_json *j, struct pk_block *b, const struct pk_block_match *m)
{
	char text[PK_IP_TEXT];
	const uint8_t *addr;
	int64_t expires_ms;
	size_t at = 0;

	pk_json_arr(j, "addresses");
	while ((addr = pk_block_answer_next(b, m->list, m->row.name, &at, &expires_ms))) {
		pk_json_obj(j, NULL);
		pk_json_str(j, "ip", pk_ip_format(addr, text));
		pk_json_i64(j, "expires", expires_ms);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_match(struct pk_json *j, struct pk_block *b, const char *key,
			const struct pk_block_match *m)
{
	struct pk_block_info info;

	pk_json_obj(j, key);
	pk_json_str(j, "list", m->list);
	pk_json_str(j, "kind", m->allow ? "allow" : "block");
	pk_json_str(j, "mode", pk_list_mode_name(m->mode));
	if (pk_block_list_get(b, m->list, &info)) {
		pk_json_i64(j, "since", info.changed_ms);
		if (*info.source)
			pk_json_str(j, "source", info.source);
	}
	pk_answer_row(j, &m->row);
	if (m->row.name && !m->allow)
		write_addresses(j, b, m);
	pk_json_end(j);
}

static void write_answer(struct pk_json *j, struct pk_block *b, const struct pk_block_answer *a)
{
	static const char *const verdict[] = {
		[PK_BLOCK_PASS] = "pass", [PK_BLOCK_ALLOWED] = "allow",
		[PK_BLOCK_DROP] = "drop", [PK_BLOCK_OBSERVE] = "observe",
		[PK_BLOCK_SAFE] = "safe",
	};
	const struct pk_block_match *decides = NULL;

	for (size_t i = 0; i < a->n && !decides; i++)
		if (a->v[i].decides)
			decides = &a->v[i];
	pk_json_str(j, "verdict", verdict[a->verdict]);
	if (decides)
		write_match(j, b, "entry", decides);
	pk_json_arr(j, "others");
	for (size_t i = 0; i < a->n; i++)
		if (&a->v[i] != decides)
			write_match(j, b, NULL, &a->v[i]);
	pk_json_end(j);
	pk_json_u64(j, "more", a->more);
	pk_answer_safe(j, "safe", a->safe);
}

static int check_name(struct pk_api_request *q, struct pk_block *b, const char *written)
{
	struct pk_buf body = { 0 };
	char name[PK_DOMAIN_MAX];
	struct pk_block_answer *a;
	struct pk_json j;
	const char *why;

	if (pk_domain_normalise(written, strlen(written), name, &why) < 0)
		return pk_api_problem(q, 400, why);
	a = calloc(1, sizeof(*a)); /* too much for the stack */
	if (!a)
		return pk_api_problem(q, 507, "no memory");
	pk_block_check_name(b, name, a);
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "name", name);
	write_answer(&j, b, a);
	pk_json_end(&j);
	free(a);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

int pk_check_get(struct pk_api_request *q)
{
	const char *ip = pk_api_param(q, "ip"), *dir = pk_api_param(q, "dir");
	const char *proto = pk_api_param(q, "proto");
	struct pk_block_query ask = { .dir = PK_BLK_IN | PK_BLK_OUT };
	struct pk_block *b = pk_answer_block(q);
	struct pk_block_answer *a;
	struct pk_buf body = { 0 };
	char text[PK_IP_TEXT];
	uint64_t port = 0;
	struct pk_json j;

	if (!b || pk_api_param_u64(q, "port", 65535, &port) < 0)
		return 0;
	if (pk_api_param(q, "name"))
		return check_name(q, b, pk_api_param(q, "name"));
	if (!ip || pk_ip_parse(ip, ask.addr) < 0)
		return pk_api_problem(q, 400, "ip must be an IPv4 or IPv6 address");
	if (dir && pk_limits_dir(dir, &ask.dir) < 0)
		return pk_api_problem(q, 400, "dir must be in, out or both");
	if (proto && pk_limits_proto(proto, &ask.proto) < 0)
		return pk_api_problem(q, 400, "proto must be a protocol's name or its number");
	ask.port = (uint16_t)port;
	a = calloc(1, sizeof(*a)); /* too much for the stack */
	if (!a)
		return pk_api_problem(q, 507, "no memory");
	pk_block_check(b, &ask, a);
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "ip", pk_ip_format(ask.addr, text));
	write_answer(&j, b, a);
	pk_json_end(&j);
	free(a);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
