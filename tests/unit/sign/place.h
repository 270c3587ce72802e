/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of one's own with keys in it, for the tests of this folder. */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"
#include "sign/envelope.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_S 1800000000

struct place {
	char dir[64];
	int fd;
};

static inline void place_make(struct place *p)
{
	strcpy(p->dir, "/tmp/picket-sign-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(chmod(p->dir, 0700), 0);
	p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->fd >= 0);
}

static inline void place_clean(struct place *p)
{
	char command[128];

	close(p->fd);
	snprintf(command, sizeof(command), "rm -rf %s", p->dir);
	assert_int_equal(system(command), 0);
}

static inline void make_key(const struct place *p, const char *name, struct pk_key *ret)
{
	char key[64], pub[64];

	snprintf(key, sizeof(key), "%s.key", name);
	snprintf(pub, sizeof(pub), "%s.pub", name);
	assert_int_equal(pk_key_make_at(p->fd, key, pub, ret), 0);
}

static inline void load_keys(const struct place *p, struct pk_keys *ret)
{
	struct pk_buf errors = { 0 };

	assert_int_equal(pk_keys_load(p->dir, &errors, ret), 0);
	assert_int_equal(errors.len, 0);
}

static inline struct pk_statement statement_of(const char *list, uint64_t version,
					       const char *content)
{
	struct pk_statement s = {
		.version = version, .created_s = NOW_S - 60, .expires_s = NOW_S + 86400, .count = 1
	};

	snprintf(s.list, sizeof(s.list), "%s", list);
	pk_statement_set_content(&s, content, strlen(content));
	return s;
}

static inline void sign(const struct pk_statement *s, const struct pk_key *key,
			struct pk_envelope *ret)
{
	assert_int_equal(pk_envelope_new(s, ret), 0);
	assert_int_equal(pk_envelope_sign(ret, key), 0);
}
