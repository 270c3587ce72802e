/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects from names and back. It talks to nobody. */
#include "nats/subject.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "picket."

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

int pk_nats_token(const char *text, char *ret_token, size_t size)
{
	char out[3 * PK_NATS_TOKEN_MAX];
	size_t len = strlen(text), n = 0;

	if (!len)
		return -EINVAL;
	if (len >= PK_NATS_TOKEN_MAX)
		return -ENAMETOOLONG;
	for (; *text; text++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, is_plain(*text) ? "%c" : "%%%02X",
				      (unsigned char)*text);
	if (n >= size)
		return -ENAMETOOLONG;
	memcpy(ret_token, out, n + 1);
	return 0;
}

int pk_nats_subject(const char *tenant, const char *host, const char *what,
		    char ret_subject[PK_NATS_SUBJECT_MAX])
{
	char t[3 * PK_NATS_TOKEN_MAX], h[3 * PK_NATS_TOKEN_MAX], out[PK_NATS_SUBJECT_MAX];
	int r = pk_nats_token(tenant, t, sizeof(t)), n;

	if (!r)
		r = pk_nats_token(host, h, sizeof(h));
	if (r < 0)
		return r;
	n = snprintf(out, sizeof(out), PREFIX "%s.%s.%s", t, h, what);
	if (n < 0 || (size_t)n >= sizeof(out))
		return -ENAMETOOLONG;
	memcpy(ret_subject, out, (size_t)n + 1);
	return 0;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Only what pk_nats_token() writes: two tokens are never one name. */
static int read_token(const char *s, size_t len, char ret[PK_NATS_TOKEN_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (c == '%' && i + 2 < len && digit(s[i + 1]) >= 0 && digit(s[i + 2]) >= 0) {
			c = (char)(digit(s[i + 1]) << 4 | digit(s[i + 2]));
			if (is_plain(c) || !c)
				return -EINVAL;
			i += 2;
		} else if (!is_plain(c)) {
			return -EINVAL;
		}
		if (n + 1 >= PK_NATS_TOKEN_MAX)
			return -EINVAL;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return n ? 0 : -EINVAL;
}

int pk_nats_subject_read(const char *subject, const char *what, char ret_tenant[PK_NATS_TOKEN_MAX],
			 char ret_host[PK_NATS_TOKEN_MAX])
{
	char tenant[PK_NATS_TOKEN_MAX], host[PK_NATS_TOKEN_MAX];
	const char *p = subject + strlen(PREFIX);
	size_t t, h;

	if (strncmp(subject, PREFIX, strlen(PREFIX)) != 0)
		return -EINVAL;
	t = strcspn(p, ".");
	h = p[t] ? strcspn(p + t + 1, ".") : 0;
	if (!p[t] || !p[t + 1 + h] || strcmp(p + t + 1 + h + 1, what) != 0 ||
	    read_token(p, t, tenant) < 0 || read_token(p + t + 1, h, host) < 0)
		return -EINVAL;
	strcpy(ret_tenant, tenant);
	strcpy(ret_host, host);
	return 0;
}
