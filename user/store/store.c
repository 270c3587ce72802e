/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store as its users see it: putting into the queue, the ticket up to which all is on the disk,
 * the counts. What the writing thread does is work.c's, reading is query.c's.
 */
#include "base/cleanup.h"
#include "base/json.h"
#include "base/queue.h"
#include "store/row.h"
#include "store/store_own.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>

int pk_store_new(const struct pk_store_opts *opts, struct pk_store **ret_store)
{
	struct pk_store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->opts = *opts;
	s->retain =
		(struct pk_retain){ .retain_ns = opts->retain_ns, .bytes_max = opts->bytes_max };
	s->writer.db = &s->db;
	pthread_mutex_init(&s->lock, NULL);
	s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = s->event_fd < 0 ? -errno : pk_queue_new(opts->queue_bytes, &s->queue);
	if (!r)
		r = -pthread_create(&s->thread, NULL, pk_store_work, s);
	s->running = r == 0;
	if (r < 0) {
		pk_store_free(s);
		return r;
	}
	*ret_store = s;
	return 0;
}

void pk_store_free(struct pk_store *s)
{
	if (!s)
		return;
	if (s->running) {
		atomic_store(&s->stop, true);
		pk_queue_wake(s->queue);
		pthread_join(s->thread, NULL);
	}
	pk_store_close_reader(s);
	pk_queue_free(s->queue);
	pk_buf_done(&s->writer.text);
	pk_closep(&s->event_fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static int count_put(struct pk_store *s, int r, enum pk_store_count full)
{
	if (r == 0)
		s->put++;
	else
		pk_store_add(s, r == -ENOBUFS ? full : PK_SC_BAD, 1);
	return r;
}

int pk_store_put(struct pk_store *s, const struct pk_store_row *row, uint64_t *ret_ticket)
{
	int r = count_put(s, pk_row_put(s->queue, row), PK_SC_FULL);

	if (r == 0)
		pk_queue_wake(s->queue); /* somebody may wait for it; flows wait for their turn */
	if (r == 0 && ret_ticket)
		*ret_ticket = s->put;
	return r;
}

int pk_store_put_flow(struct pk_store *s, const struct pk_store_flow *flow)
{
	return count_put(s, pk_row_put_flow(s->queue, flow), PK_SC_FLOW_FULL);
}

uint64_t pk_store_done(const struct pk_store *s)
{
	return atomic_load(&s->done);
}

int pk_store_fd(const struct pk_store *s)
{
	return s->event_fd;
}

void pk_store_trouble(struct pk_store *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->trouble, sizeof(s->trouble), "%s", text ? text : "");
	pthread_mutex_unlock(&s->lock);
}

void pk_store_counts(struct pk_store *s, struct pk_store_counts *ret_counts)
{
	uint64_t n[PK_SC_MAX];

	for (int i = 0; i < PK_SC_MAX; i++)
		n[i] = atomic_load_explicit(&s->count[i], memory_order_relaxed);
	*ret_counts = (struct pk_store_counts){ .rows = n[PK_SC_ROWS],
						.flows = n[PK_SC_FLOWS],
						.lost_full = n[PK_SC_FULL],
						.lost_flow_full = n[PK_SC_FLOW_FULL],
						.lost_bad = n[PK_SC_BAD],
						.lost_end = n[PK_SC_END],
						.failed = n[PK_SC_FAILED],
						.checkpoints = n[PK_SC_CHECKPOINTS],
						.checkpoints_failed = n[PK_SC_CHECKPOINTS_FAILED],
						.pruned_rows = n[PK_SC_PRUNED_ROWS],
						.pruned_flows = n[PK_SC_PRUNED_FLOWS],
						.broken = n[PK_SC_BROKEN],
						.chain = n[PK_SC_CHAIN],
						.bytes = n[PK_SC_BYTES],
						.queued_bytes = pk_queue_used(s->queue) };
	pthread_mutex_lock(&s->lock);
	memcpy(ret_counts->trouble, s->trouble, sizeof(s->trouble));
	memcpy(ret_counts->kept, s->kept, sizeof(s->kept));
	pthread_mutex_unlock(&s->lock);
}

bool pk_store_status(struct pk_store *s, struct pk_json *j, const char *key)
{
	struct pk_store_counts c;

	pk_store_counts(s, &c);
	pk_json_obj(j, key);
	pk_json_u64(j, "written", c.rows);
	pk_json_u64(j, "flows", c.flows);
	pk_json_u64(j, "queued_bytes", c.queued_bytes);
	pk_json_u64(j, "bytes", c.bytes);
	pk_json_obj(j, "lost");
	pk_json_u64(j, "queue_full", c.lost_full);
	pk_json_u64(j, "flow_queue_full", c.lost_flow_full);
	pk_json_u64(j, "refused", c.lost_bad);
	pk_json_end(j);
	pk_json_u64(j, "tried_again", c.failed);
	pk_json_obj(j, "pruned");
	pk_json_u64(j, "records", c.pruned_rows);
	pk_json_u64(j, "flows", c.pruned_flows);
	pk_json_end(j);
	pk_json_obj(j, "chain");
	pk_json_u64(j, "records", c.chain);
	pk_json_u64(j, "checkpoints", c.checkpoints);
	pk_json_u64(j, "checkpoints_failed", c.checkpoints_failed);
	pk_json_end(j);
	pk_json_u64(j, "broken", c.broken);
	pk_json_str(j, "kept", c.kept[0] ? c.kept : NULL);
	pk_json_str(j, "trouble", c.trouble[0] ? c.trouble : NULL);
	pk_json_end(j);
	return !c.trouble[0];
}
