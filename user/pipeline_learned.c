/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the file and the thread that writes it. What the bytes mean is detect/kept.c's. A file is
 * whole or not there: it is written beside the old one and takes its name.
 */
#include "pipeline_learned.h"

#include "api/state.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "conf/conf.h"
#include "detect/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME  "detectors"
#define ASIDE NAME ".damaged"

struct pk_pipeline_learned {
	struct pk_view *view;
	struct pk_detect *detect;
	int dir_fd;
	uint64_t host_netns, next_ns;
	/* of the thread, while there is one */
	pthread_t writer;
	bool writing;
	struct pk_buf bytes;
	int result;
	atomic_bool written;
};

static struct pk_kept_at at_now(const struct pk_pipeline_learned *l)
{
	uint64_t now_ns = pk_clock_boot_ns();
	struct pk_kept_at at = { .now_ns = (int64_t)now_ns,
				 .wall_ms = pk_clock_wall_ms(now_ns),
				 .host_netns = l->host_netns };

	(void)snprintf(at.boot, sizeof(at.boot), "%s", l->view->ocsf.boot);
	return at;
}

static void notice(const struct pk_pipeline_learned *l, const char *text)
{
	pk_warn("%s", text);
	pk_state_notice(l->view->state, l->view->now_ns, PK_LOG_WARN, text);
}

static void *write_it(void *arg)
{
	struct pk_pipeline_learned *l = arg;

	l->result = pk_file_write_at(l->dir_fd, NAME, l->bytes.data, l->bytes.len, true);
	atomic_store(&l->written, true);
	return NULL;
}

/* How a save ended: counted each time, told when it begins to fail and when that is over. */
static void note(struct pk_pipeline_learned *l, int r)
{
	struct pk_state_learned *s = &l->view->state->learned;
	char text[160];

	if (r < 0) {
		s->failed++;
		snprintf(text, sizeof(text),
			 "what detectors learned can not be kept: %s, trying again", strerror(-r));
		if (!s->trouble)
			notice(l, text);
	} else {
		s->saves++;
		s->bytes = l->bytes.len;
		if (s->trouble)
			notice(l, "what detectors learned is kept again");
	}
	s->trouble = r;
}

static void wait_for_writer(struct pk_pipeline_learned *l)
{
	if (!l->writing)
		return;
	(void)pthread_join(l->writer, NULL); /* it is ours, and joined once */
	l->writing = false;
	note(l, l->result);
}

/* Bytes of now, for whoever writes them. */
static int gather(struct pk_pipeline_learned *l)
{
	struct pk_state_learned *s = &l->view->state->learned;
	struct pk_kept_at at = at_now(l);
	struct pk_kept_sum sum;
	int r;

	pk_buf_reset(&l->bytes);
	l->bytes.max = PK_KEPT_MAX;
	r = pk_kept_save(l->detect, &at, &l->bytes, &sum);
	if (r < 0)
		return r;
	s->tables = sum.tables;
	s->rows = sum.rows;
	s->left_out = sum.left_out;
	s->saved_ms = at.wall_ms;
	return 0;
}

static int begin_writer(struct pk_pipeline_learned *l)
{
	int r = gather(l);

	if (r < 0)
		return r;
	atomic_store(&l->written, false);
	r = -pthread_create(&l->writer, NULL, write_it, l);
	l->writing = r == 0;
	return r;
}

void pk_pipeline_learned_tick(struct pk_pipeline_learned *l)
{
	uint64_t now_ns = l->view->now_ns;
	int r;

	if (l->writing && atomic_load(&l->written))
		wait_for_writer(l);
	if (l->writing || now_ns < l->next_ns)
		return;
	l->next_ns = now_ns + l->view->conf->learned_every_ns;
	r = begin_writer(l);
	if (r < 0)
		note(l, r);
}

/* What is wrong is kept for whoever wants to know why, one of them; detectors learn anew. */
static void set_aside(struct pk_pipeline_learned *l, int why)
{
	bool kept = renameat(l->dir_fd, NAME, l->dir_fd, ASIDE) == 0;
	char text[240];

	l->view->state->learned.damaged++;
	snprintf(text, sizeof(text),
		 "what detectors learned can not be read: %s; %s, and they learn anew",
		 why == -EBADMSG ? "it is damaged" : strerror(-why),
		 kept ? "it is kept as learned/" ASIDE : "it is left where it is");
	notice(l, text);
}

static void load(struct pk_pipeline_learned *l)
{
	struct pk_state_learned *s = &l->view->state->learned;
	_cleanup_free_ void *data = NULL;
	struct pk_kept_at at = at_now(l);
	struct pk_kept_sum sum = { 0 };
	size_t len = 0;
	int r = pk_file_read_at(l->dir_fd, NAME, PK_KEPT_MAX, &data, &len);

	if (r == -ENOENT)
		return; /* the first start */
	if (r == 0)
		r = pk_kept_load(l->detect, &at, data, len, &sum);
	if (r < 0) {
		set_aside(l, r);
		return;
	}
	s->loaded = sum.rows;
	s->loaded_ms = sum.wall_ms;
	s->not_loaded = sum.left_out;
	s->unread = sum.unread;
	if (sum.unread)
		notice(l, "some of what detectors learned is of another version or of detectors "
			  "that are off: these learn anew");
}

struct pk_pipeline_learned *pk_pipeline_learned_new(struct pk_view *view, struct pk_detect *d,
						    int dir_fd, uint64_t host_netns)
{
	struct pk_pipeline_learned *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->view = view;
	l->detect = d;
	l->dir_fd = dir_fd;
	l->host_netns = host_netns;
	l->next_ns = pk_clock_boot_ns() + view->conf->learned_every_ns;
	view->state->learned.on = true;
	load(l);
	return l;
}

void pk_pipeline_learned_free(struct pk_pipeline_learned *l)
{
	int r;

	if (!l)
		return;
	wait_for_writer(l);
	r = gather(l);
	note(l, r < 0 ? r : pk_file_write_at(l->dir_fd, NAME, l->bytes.data, l->bytes.len, true));
	pk_buf_done(&l->bytes);
	free(l);
}
