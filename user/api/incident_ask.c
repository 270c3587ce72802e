/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what is asked for, and who asks; a reason is required where somebody decides. */
#include "api/incident_ask.h"

#include "api/incidents.h"
#include "api/peer.h"
#include "api/server.h"
#include "base/clock.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

void pk_incident_ask_done(struct pk_incident_ask *a)
{
	json_decref(a->body);
	pk_buf_done(&a->who);
}

const char *pk_incident_ask_text(const struct pk_incident_ask *a, const char *key)
{
	return json_string_value(json_object_get(a->body, key));
}

static json_t *read_body(struct pk_api_request *q)
{
	struct evbuffer *in = pk_api_body(q);
	size_t len = evbuffer_get_length(in);
	const char *bytes = len ? (const char *)evbuffer_pullup(in, -1) : NULL;

	return bytes ? json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL) : json_object();
}

/* Is it one of the words, and not only a part of one? */
static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = n ? strstr(words, word) : NULL; at; at = strstr(at + n, word))
		if ((at == words || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

/* Members that the act does not know are an error: what is misspelt must not be lost. */
static bool knows_all(json_t *body, const char *known)
{
	const char *key;
	json_t *value;

	json_object_foreach(body, key, value)
	{
		if (!has_word(known, key))
			return false;
		if (!json_is_string(value) && !json_is_boolean(value))
			return false;
	}
	return true;
}

/* 0; -EINVAL: a problem was answered. known: members of the body, with blanks between. */
int pk_incident_ask_begin(struct pk_api_request *q, const char *known, bool reason,
			  struct pk_incident_ask *a)
{
	char detail[256];

	*a = (struct pk_incident_ask){ .incident = pk_incident_asked(q) };
	if (!a->incident)
		return -EINVAL;
	a->body = read_body(q);
	if (!json_is_object(a->body) || !knows_all(a->body, known)) {
		(void)snprintf(detail, sizeof(detail),
			       "the body must be a JSON object with, as texts, of: %s", known);
		(void)pk_api_problem(q, 400, detail); /* always 0 */
		return -EINVAL;
	}
	if (reason && (!pk_incident_ask_text(a, "reason") || !*pk_incident_ask_text(a, "reason"))) {
		(void)pk_api_problem(q, 400, "a reason is required: it stays with the incident");
		return -EINVAL;
	}
	pk_api_peer_actor(q, &a->who);
	a->by = (struct pk_incident_by){ a->who.data ? a->who.data : "",
					 pk_incident_ask_text(a, "reason"),
					 pk_clock_wall_ms(pk_clock_boot_ns()) };
	return 0;
}
