/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stratum: one JSON-RPC object a line, between miners and pools. Version 1 of Bitcoin's kin
 * ("mining.subscribe"), the dialect of CryptoNote ("login", "job") and that of Ethereum's
 * ("eth_submitLogin"). JSON is read by its library, which allocates; lines are bounded before.
 */
#include "base/cleanup.h"
#include "decode/text_own.h"

#include <jansson.h>
#include <stdio.h>

/* What the parameters of a method hold. */
enum params {
	NOTHING, /* that records show */
	AGENT,   /* first of the array: the miner's program */
	ACCOUNT, /* first of the array; who it is for */
	LOGIN,   /* the same, and a password behind it */
	OBJECT,  /* members login, pass, agent */
};

static const struct {
	const char *method;
	bool server;
	enum params params;
} methods[] = {
	{ "mining.subscribe", false, AGENT },
	{ "mining.authorize", false, LOGIN },
	{ "mining.configure", false, NOTHING },
	{ "mining.submit", false, ACCOUNT },
	{ "mining.extranonce.subscribe", false, NOTHING },
	{ "mining.notify", true, NOTHING },
	{ "mining.set_difficulty", true, NOTHING },
	{ "mining.set_target", true, NOTHING },
	{ "mining.set_extranonce", true, NOTHING },
	{ "login", false, OBJECT },
	{ "job", true, NOTHING },
	{ "eth_submitLogin", false, LOGIN },
	{ "eth_login", false, LOGIN },
};

static void keep(char *out, size_t cap, const json_t *v)
{
	if (!*out && json_is_string(v))
		snprintf(out, cap, "%s", json_string_value(v));
}

/* These words alone mean something else elsewhere: params must be a miner's. */
static bool is_cryptonote(const char *method, const json_t *params)
{
	if (strcmp(method, "login") == 0)
		return json_is_string(json_object_get(params, "login")) &&
		       json_object_get(params, "pass");
	if (strcmp(method, "job") == 0)
		return json_is_string(json_object_get(params, "blob"));
	return true;
}

static void on_params(struct pk_text *out, enum params kind, const json_t *params)
{
	switch (kind) {
	case AGENT:
		keep(out->agent, sizeof(out->agent), json_array_get(params, 0));
		break;
	case LOGIN:
		out->password |= json_array_size(params) > 1;
		keep(out->login, sizeof(out->login), json_array_get(params, 0));
		break;
	case ACCOUNT:
		keep(out->login, sizeof(out->login), json_array_get(params, 0));
		break;
	case OBJECT:
		out->password = true;
		keep(out->login, sizeof(out->login), json_object_get(params, "login"));
		keep(out->agent, sizeof(out->agent), json_object_get(params, "agent"));
		break;
	case NOTHING:
		break;
	}
}

static void on_call(struct pk_text *out, struct pk_slice line, const char *method,
		    const json_t *params)
{
	const char *at;

	for (unsigned i = 0; i < PK_ARRAY_SIZE(methods); i++) {
		if (strcmp(methods[i].method, method) != 0 || !is_cryptonote(method, params))
			continue;
		if (!out->proto)
			out->server = methods[i].server;
		out->proto = PK_TEXT_STRATUM;
		/* As it stands in the line; written with escapes, it is not found. */
		at = memmem(line.s, line.len, method, strlen(method));
		if (!out->command.len && !out->server && at)
			out->command = (struct pk_slice){ at, (uint32_t)strlen(method) };
		on_params(out, methods[i].params, params);
		return;
	}
}

/* A pool's answer to subscribe (RPC "mining.notify" in its result) or to login (a job). */
static void on_result(struct pk_text *out, const json_t *result)
{
	const json_t *v = json_array_get(json_array_get(result, 0), 0);

	if (json_is_array(v))
		v = json_array_get(v, 0);
	if ((json_is_string(v) && !strncmp(json_string_value(v), "mining.", 7)) ||
	    json_is_string(json_object_get(json_object_get(result, "job"), "blob"))) {
		if (!out->proto)
			out->server = true;
		out->proto = PK_TEXT_STRATUM;
	}
}

void pk_text_stratum(struct pk_text *out, struct pk_slice line)
{
	json_t *doc = json_loadb(line.s, line.len, 0, NULL);
	const json_t *method = json_object_get(doc, "method");

	if (json_is_string(method))
		on_call(out, line, json_string_value(method), json_object_get(doc, "params"));
	else if (doc)
		on_result(out, json_object_get(doc, "result"));
	json_decref(doc);
}
