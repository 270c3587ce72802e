/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins signed lists to their surroundings. A list in force whose signature has expired is told
 * once a version, as a notice that detect/stale_list.c makes an alert of: somebody may be keeping
 * newer ones away.
 */
#include "agent_sign.h"

#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "block/show.h"
#include "conf/conf.h"
#include "pipeline.h"
#include "sign/signing.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct pk_agent_sign {
	const struct pk_conf *conf;
	struct pk_pipeline *pipeline;
	struct pk_view *view;
	struct pk_signing *signing;
	struct {
		char list[PK_SIGNED_NAME];
		uint64_t version;
	} * told; /* as expired */
	size_t n_told;
};

static void tell_keys(struct pk_buf *errors)
{
	char *rest = errors->data, *line;

	while (errors->len && (line = strsep(&rest, "\n")))
		if (*line)
			pk_warn("sign.keys: %s", line);
	pk_buf_done(errors);
}

int pk_agent_sign_new(const struct pk_conf *conf, int dir_fd, struct pk_pipeline *pipeline,
		      struct pk_agent_sign **ret)
{
	struct pk_agent_sign *a = calloc(1, sizeof(*a));
	struct pk_buf errors = { 0 };
	int r;

	if (!a)
		return -ENOMEM;
	a->conf = conf;
	a->pipeline = pipeline;
	a->view = pk_pipeline_view(pipeline);
	r = pk_signing_new(conf, dir_fd, &errors, &a->signing);
	tell_keys(&errors);
	if (r < 0) {
		free(a);
		return r;
	}
	a->view->signing = a->signing;
	*ret = a;
	return 0;
}

void pk_agent_sign_free(struct pk_agent_sign *a)
{
	if (!a)
		return;
	a->view->signing = NULL;
	pk_signing_free(a->signing);
	free(a->told);
	free(a);
}

void pk_agent_sign_reload(struct pk_agent_sign *a)
{
	struct pk_buf errors = { 0 };
	int r = pk_signing_reload(a->signing, &errors);

	tell_keys(&errors);
	if (r < 0)
		pk_error("sign.keys: %s, continuing with the keys of before", strerror(-r));
}

/* Once a version. When it can't be remembered it is told again. */
static bool was_told(struct pk_agent_sign *a, const struct pk_statement *s)
{
	void *more;
	size_t i = 0;

	while (i < a->n_told && strcmp(a->told[i].list, s->list) != 0)
		i++;
	if (i < a->n_told && a->told[i].version == s->version)
		return true;
	more = i < a->n_told ? a->told : reallocarray(a->told, i + 1, sizeof(*a->told));
	if (!more)
		return false;
	a->told = more;
	a->n_told += i == a->n_told;
	memcpy(a->told[i].list, s->list, sizeof(a->told[i].list));
	a->told[i].version = s->version;
	return false;
}

/* Turns it off if that is the policy; in words. */
static const char *end_force(struct pk_agent_sign *a, const struct pk_block_info *info)
{
	struct pk_block_done d = { 0 };
	unsigned was = info->mode;
	char list[PK_SIGNED_NAME];
	int r;

	if (a->conf->sign_expired == PK_SIGN_KEEP)
		return "it stays in force (sign.expired)";
	snprintf(list, sizeof(list), "%s", info->name); /* the change may move it */
	r = pk_block_set_mode(a->view->block, list, PK_BLK_OFF, &d);
	pk_block_done_done(&d);
	if (r < 0)
		return "it could not be turned off, so it stays in force";
	pk_versions_dropped(a->signing->versions, list, was);
	return "it is turned off (sign.expired)";
}

static void expire(struct pk_agent_sign *a, const struct pk_accepted *v)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	struct pk_block_info info;
	const char *now;

	if (!pk_block_list_get(a->view->block, v->statement.list, &info) ||
	    info.mode == PK_BLK_OFF || info.loading || was_told(a, &v->statement))
		return;
	now = end_force(a, &info);
	pk_buf_fmt(&text, "signed list %s: the signature of version %" PRIu64 " has expired, %s",
		   v->statement.list, v->statement.version, now);
	if (text.error)
		return;
	pk_warn("%s", text.data);
	pk_pipeline_notice(a->pipeline, pk_clock_boot_ns(), PK_LOG_WARN, text.data);
}

void pk_agent_sign_tick(struct pk_agent_sign *a)
{
	int64_t now_s = pk_clock_wall_ms(pk_clock_boot_ns()) / 1000;
	struct pk_accepted v;

	if (!a->view->block || !pk_block_is_ready(a->view->block))
		return;
	for (size_t i = 0; pk_versions_at(a->signing->versions, i, &v); i++)
		if (!v.damaged && !v.replaced && v.statement.expires_s <= now_s)
			expire(a, &v);
}
