/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one spelling of what people and packets write, and says what a name covers. */
#include "block/domain.h"

#include "base/cleanup.h"
#include "block/address.h"

#include <errno.h>
#include <idn2.h>
#include <libpsl.h>
#include <string.h>

#define FNV_BASIS 0x811c9dc5u
#define FNV_PRIME 0x01000193u

static void free_idn(char **s)
{
	idn2_free(*s);
}

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s |= 0x20;
}

/* In place. Without it the last label, and so the name, would have several spellings. */
static int to_ascii(char name[PK_DOMAIN_MAX], size_t *len, const char **ret_why)
{
	_cleanup_(free_idn) char *out = NULL;
	int r = idn2_to_ascii_8z(name, &out, IDN2_NONTRANSITIONAL);

	if (r != IDN2_OK) {
		*ret_why = idn2_strerror(r); /* a constant */
		return -EINVAL;
	}
	*len = strlen(out);
	if (*len >= PK_DOMAIN_MAX) {
		*ret_why = "not a name: longer than 253 bytes";
		return -EINVAL;
	}
	memcpy(name, out, *len + 1);
	return 0;
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if (*s & 0x80)
			return false;
	return true;
}

int pk_domain_normalise(const char *s, size_t len, char ret[PK_DOMAIN_MAX], const char **ret_why)
{
	ret[0] = '\0';
	if (len > 2 && s[0] == '*' && s[1] == '.') {
		s += 2;
		len -= 2;
	} else if (len > 1 && s[0] == '.') {
		s++;
		len--;
	}
	if (len > 1 && s[len - 1] == '.')
		len--;
	*ret_why = "not a name: longer than 253 bytes";
	if (len >= PK_DOMAIN_MAX)
		return -EINVAL;
	*ret_why = "not a name: a byte 0";
	if (memchr(s, 0, len))
		return -EINVAL;
	memcpy(ret, s, len);
	ret[len] = '\0';
	if (!is_ascii(ret)) {
		if (to_ascii(ret, &len, ret_why) < 0)
			return -EINVAL;
		/* an ideographic full stop at the end has become one of ours */
		if (len > 1 && ret[len - 1] == '.')
			ret[--len] = '\0';
	}
	*ret_why = pk_name_check(ret, len, true);
	if (*ret_why)
		return -EINVAL;
	lower(ret);
	return (int)len;
}

const char *pk_domain_wide(const char *name)
{
	const psl_ctx_t *psl = psl_builtin();

	if (!strchr(name, '.'))
		return "a name of one label";
	/* without the rule that a label nobody listed is a suffix: "local" is told above */
	if (psl && psl_is_public_suffix2(psl, name, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE))
		return "a public suffix, under which others have their names";
	return NULL;
}

/* From the end, so that one pass has the hash of every name that covers this one. */
static uint32_t step(uint32_t h, char c)
{
	return (h ^ (uint8_t)c) * FNV_PRIME;
}

uint32_t pk_domain_hash(const char *name, size_t len)
{
	uint32_t h = FNV_BASIS;

	while (len)
		h = step(h, name[--len]);
	return h;
}

size_t pk_domain_suffixes(const char *name, size_t len,
			  struct pk_domain_suffix ret[PK_DOMAIN_LABELS])
{
	struct pk_domain_suffix found[PK_DOMAIN_LABELS];
	uint32_t h = FNV_BASIS;
	size_t n = 0;

	if (!len || len >= PK_DOMAIN_MAX)
		return 0;
	for (size_t i = len; i; i--) {
		h = step(h, name[i - 1]);
		if ((i == 1 || name[i - 2] == '.') && n < PK_DOMAIN_LABELS)
			found[n++] = (struct pk_domain_suffix){ h, (uint16_t)(i - 1),
								(uint16_t)(len - i + 1) };
	}
	for (size_t i = 0; i < n; i++)
		ret[i] = found[n - 1 - i];
	return n;
}

bool pk_domain_is_below(const char *name, const char *above)
{
	size_t n = strlen(name), m = strlen(above);

	return n >= m && strcmp(name + n - m, above) == 0 && (n == m || name[n - m - 1] == '.');
}
