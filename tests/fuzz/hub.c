/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message of a host that was taken over: its subject in the first line, behind it the record.
 * What is taken is bounded and printable, and a subject that is read is the one that would be
 * written. fuzz-links: user/hub/record.c user/nats/subject.c user/base/ip.c
 */
#include "hub/record.h"
#include "nats/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int ok)
{
	if (!ok)
		abort();
}

static void check_word(const char *s, size_t size)
{
	require(*s && strnlen(s, size) < size);
	for (; *s; s++)
		require(*s > ' ' && *s <= '~');
}

static void check_subject(const char *subject)
{
	char tenant[PK_NATS_TOKEN_MAX], host[PK_NATS_TOKEN_MAX], again[PK_NATS_SUBJECT_MAX];

	if (pk_nats_subject_read(subject, "alerts", tenant, host) < 0)
		return;
	require(pk_nats_subject(tenant, host, "alerts", again) == 0);
	require(strcmp(again, subject) == 0);
}

static void check_record(const char *json, size_t len)
{
	struct pk_hub_record r;
	enum pk_hub_refusal why = pk_hub_record_read(json, len, &r);

	require(pk_hub_refusal_name(why) != NULL);
	if (why != PK_HUB_TAKEN)
		return;
	check_word(r.uid, sizeof(r.uid));
	check_word(r.rule, sizeof(r.rule));
	require(r.time_ms > 0 && r.severity <= 6 && r.values <= PK_HUB_VALUES_MAX);
	require(!r.inbound || (*r.remote && *r.own));
	for (size_t i = 0; i < r.values; i++) {
		require(r.value[i].kind < PK_HUB_KINDS);
		check_word(r.value[i].text, sizeof(r.value[i].text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	size_t n = line ? (size_t)(line - data) : size;
	char *subject = strndup((const char *)data, n);

	require(subject != NULL);
	check_subject(subject);
	free(subject);
	if (line)
		check_record((const char *)line + 1, size - n - 1);
	return 0;
}
