/* SPDX-License-Identifier: Apache-2.0 */
/* Goes the steps in their order. */
#include "sign/signing.h"

#include "base/cleanup.h"
#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>

void pk_signing_free(struct pk_signing *s)
{
	if (!s)
		return;
	pk_keys_done(&s->keys);
	pk_versions_free(s->versions);
	free(s);
}

int pk_signing_reload(struct pk_signing *s, struct pk_buf *errors)
{
	struct pk_keys fresh = { 0 };
	int r = pk_keys_load(s->conf->sign_keys, errors, &fresh);

	if (r < 0)
		return r;
	pk_keys_done(&s->keys);
	s->keys = fresh;
	return 0;
}

int pk_signing_new(const struct pk_conf *conf, int dir_fd, struct pk_buf *errors,
		   struct pk_signing **ret_signing)
{
	struct pk_signing *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->conf = conf;
	r = pk_versions_new(dir_fd, &s->versions);
	if (r < 0) {
		pk_signing_free(s);
		return r;
	}
	(void)pk_signing_reload(s, errors); /* without keys all is refused; errors says why */
	*ret_signing = s;
	return 0;
}

enum pk_refusal pk_signing_open(struct pk_signing *s, const void *envelope, size_t len,
				const char *list, int64_t now_s, struct pk_envelope *ret_envelope,
				struct pk_signed *ret)
{
	struct pk_envelope e;
	enum pk_refusal r = pk_envelope_read(envelope, len, &e);

	if (r != PK_SIGNED_OK)
		return r;
	r = pk_envelope_open(&e, &s->keys, s->conf, ret);
	if (r == PK_SIGNED_OK)
		r = pk_statement_check(&ret->statement, list, now_s);
	if (r == PK_SIGNED_OK)
		r = pk_versions_check(s->versions, &e, &ret->statement);
	if (r != PK_SIGNED_OK) {
		pk_envelope_done(&e);
		return r;
	}
	*ret_envelope = e;
	return PK_SIGNED_OK;
}
