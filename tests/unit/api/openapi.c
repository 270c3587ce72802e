/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's document against the table of routes, both ways; its own structure, by the rules of
 * OpenAPI 3.1; and calls made from it (tests/e2e/openapi.py), which must find nothing.
 */
#include "served.h"

#include "attack.h"
#include "gate/role.h"

#include <event2/http.h>

static json_t *doc;

/* So that there are alerts and an incident to ask for. */
static void feed_attack(struct pk_pipeline *p)
{
	for (uint32_t pid = 4000001; pid < 4000020; pid++)
		feed_exec(p, pid, PK_EXEC_MEMFD);
	pk_pipeline_tick(p, pk_clock_boot_ns());
}

static int load(void **state)
{
	char *text;
	int r = setup(state);

	if (r)
		return r;
	assert_int_equal(ask_text("GET", PK_API_OPENAPI, "", "", 0, &text), 200);
	doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return doc ? 0 : -1;
}

static int unload(void **state)
{
	json_decref(doc);
	return teardown(state);
}

static const char *method_of(const struct pk_route *r)
{
	switch (r->method) {
	case EVHTTP_REQ_POST:
		return "post";
	case EVHTTP_REQ_PUT:
		return "put";
	case EVHTTP_REQ_DELETE:
		return "delete";
	default:
		return "get";
	}
}

/* Is this path of the document the route's? "{...}" stands for PK_ROUTE_REST. */
static bool is_path_of(const struct pk_route *r, const char *path)
{
	size_t n = strlen(r->path);

	if (strncmp(path, r->path, n) != 0)
		return false;
	path += n;
	if (!(r->flags & PK_ROUTE_REST))
		return !*path;
	if (path[0] != '/' || path[1] != '{' || !strchr(path, '}'))
		return false;
	path = strchr(path, '}') + 1;
	return r->behind ? *path == '/' && strcmp(path + 1, r->behind) == 0 : !*path;
}

static json_t *resolve(json_t *o)
{
	const char *ref = json_string_value(json_object_get(o, "$ref"));
	json_t *at = doc;
	char key[64];

	if (!ref)
		return o;
	if (strncmp(ref, "#/", 2) != 0)
		fail_msg("%s", ref);
	for (const char *p = ref + 1; at && *p == '/';) {
		size_t n = strcspn(++p, "/");

		assert_true(n < sizeof(key));
		memcpy(key, p, n);
		key[n] = '\0';
		at = json_object_get(at, key);
		p += n;
	}
	if (!at)
		fail_msg("%s leads nowhere", ref);
	return at;
}

/* Names of the operation's parameters of a kind, in the order of the document. */
static void params_of(json_t *op, const char *in, char *out, size_t size)
{
	json_t *p;
	size_t i;

	*out = '\0';
	json_array_foreach(json_object_get(op, "parameters"), i, p)
	{
		const char *name = json_string_value(json_object_get(resolve(p), "name"));

		if (strcmp(json_string_value(json_object_get(resolve(p), "in")), in) != 0)
			continue;
		snprintf(out + strlen(out), size - strlen(out), "%s%s", *out ? " " : "", name);
	}
}

static size_t words(const char *s)
{
	size_t n = *s != '\0';

	for (; *s; s++)
		n += *s == ' ';
	return n;
}

static bool has_word(const char *all, const char *word, size_t len)
{
	for (const char *p = all; (p = strstr(p, word)); p++)
		if ((p == all || p[-1] == ' ') && (p[len] == ' ' || !p[len]))
			return true;
	return false;
}

static void same_words(const char *where, const char *a, const char *b)
{
	char word[64];

	for (const char *p = a; *p; p += *p == ' ') {
		size_t n = strcspn(p, " ");

		snprintf(word, sizeof(word), "%.*s", (int)n, p);
		if (!has_word(b, word, n))
			fail_msg("%s: \"%s\" is not in \"%s\"", where, word, b);
		p += n;
	}
	if (words(a) != words(b))
		fail_msg("%s: \"%s\" is not \"%s\"", where, a, b);
}

static json_t *operation_of(const struct pk_route *r)
{
	const char *path;
	json_t *item;

	json_object_foreach(json_object_get(doc, "paths"), path, item)
	{
		if (is_path_of(r, path) && json_object_get(item, method_of(r)))
			return json_object_get(item, method_of(r));
	}
	fail_msg("%s %s/%s is not in the document", method_of(r), r->path,
		 r->behind ? r->behind : "");
	return NULL;
}

static void each_route_is_documented(void **state)
{
	(void)state;
	for (size_t i = 0; i < pk_routes_n; i++) {
		const struct pk_route *r = &pk_routes[i];
		json_t *op = operation_of(r);
		char params[512];

		assert_string_equal(json_string_value(json_object_get(op, "x-role")),
				    pk_role_name(r->role));
		params_of(op, "query", params, sizeof(params));
		same_words(r->path, params, r->params);
		same_words(r->path, r->params, params);
		if (r->flags & PK_ROUTE_UPLOAD)
			assert_non_null(json_object_get(op, "requestBody"));
		if (r->method == EVHTTP_REQ_GET && json_object_get(op, "x-changes"))
			fail_msg("%s changes something", r->path);
	}
}

static void nothing_else_is_documented(void **state)
{
	const char *path, *method;
	json_t *item, *op;

	(void)state;
	json_object_foreach(json_object_get(doc, "paths"), path, item)
	{
		json_object_foreach(item, method, op)
		{
			bool found = false;

			for (size_t i = 0; i < pk_routes_n && !found; i++)
				found = strcmp(method_of(&pk_routes[i]), method) == 0 &&
					is_path_of(&pk_routes[i], path);
			if (!found)
				fail_msg("there is no route for %s %s", method, path);
		}
	}
}

/* References lead somewhere; keywords that every object of a kind needs are there. */
static void check_refs(json_t *v)
{
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_object(v)) {
		(void)resolve(v);
		json_object_foreach(v, key, member) check_refs(member);
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, member) check_refs(member);
	}
}

static void check_param(json_t *p, const char *path)
{
	const char *in = text_at(p, "in"), *name = text_at(p, "name");
	char braces[80];

	assert_non_null(json_object_get(p, "schema"));
	(void)text_at(p, "description");
	snprintf(braces, sizeof(braces), "{%s}", name);
	if (strcmp(in, "path") == 0) {
		assert_true(json_is_true(json_object_get(p, "required")));
		assert_non_null(strstr(path, braces));
	} else if (strcmp(in, "query") != 0 && strcmp(in, "header") != 0) {
		fail_msg("%s: in %s", name, in);
	}
}

static void check_responses(json_t *op, const char *path)
{
	json_t *all = json_object_get(op, "responses"), *one, *media;
	const char *status, *type;
	bool good = false;

	json_object_foreach(all, status, one)
	{
		json_t *r = resolve(one);

		(void)text_at(r, "description");
		good = good || status[0] == '2';
		if (strlen(status) != 3 || strspn(status, "0123456789") != 3)
			fail_msg("%s: %s", path, status);
		json_object_foreach(json_object_get(r, "content"), type, media)
		{
			assert_non_null(json_object_get(media, "schema"));
			if (status[0] >= '4')
				assert_string_equal(type, "application/problem+json");
		}
	}
	assert_true(good);
}

static void check_operation(json_t *op, const char *path, json_t *ids)
{
	json_t *p, *tag, *known;
	size_t i, k;

	assert_int_equal(json_object_set_new(ids, text_at(op, "operationId"), json_true()), 0);
	assert_true(strlen(text_at(op, "summary")) > 5);
	json_array_foreach(json_object_get(op, "parameters"), i, p) check_param(resolve(p), path);
	for (const char *b = path; (b = strchr(b, '{')); b++) {
		char params[512], name[64];

		params_of(op, "path", params, sizeof(params));
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(b + 1, "}"), b + 1);
		assert_true(has_word(params, name, strlen(name)));
	}
	json_array_foreach(json_object_get(op, "tags"), i, tag)
	{
		bool found = false;

		json_array_foreach(json_object_get(doc, "tags"), k, known) found =
			found || strcmp(text_at(known, "name"), json_string_value(tag)) == 0;
		assert_true(found);
	}
	check_responses(op, path);
}

static void it_is_an_openapi_document(void **state)
{
	json_t *ids = json_object(), *item, *op;
	const char *path, *method;
	size_t ops = 0;

	(void)state;
	assert_int_equal(strncmp(text_at(doc, "openapi"), "3.1.", 4), 0);
	(void)text_at(doc, "info.title");
	(void)text_at(doc, "info.version");
	(void)text_at(doc, "servers.0.url");
	check_refs(doc);
	json_object_foreach(json_object_get(doc, "paths"), path, item)
	{
		assert_int_equal(*path, '/');
		json_object_foreach(item, method, op)
		{
			check_operation(op, path, ids);
			ops++;
		}
	}
	assert_int_equal(json_object_size(ids), ops); /* each has an id of its own */
	json_decref(ids);
}

/* What a client made from the document could send, right and wrong. */
static void generated_calls_find_nothing(void **state)
{
	char command[256];

	(void)state;
	snprintf(command, sizeof(command), "python3 tests/e2e/openapi.py %s --seed 1 >&2",
		 agent.path);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_route_is_documented),
		cmocka_unit_test(nothing_else_is_documented),
		cmocka_unit_test(it_is_an_openapi_document),
		cmocka_unit_test(generated_calls_find_nothing),
	};

	feed_more = feed_attack;
	return cmocka_run_group_tests(tests, load, unload);
}
