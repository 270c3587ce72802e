/* SPDX-License-Identifier: Apache-2.0 */
/* Turns run-time statistics on (BPF_ENABLE_STATS, 5.8) and reads them. Attaches nothing. */
#include "probe/costs.h"

#include "base/log.h"
#include "probe/object.h"

#include <bpf/bpf.h>
#include <string.h>
#include <unistd.h>

#define EVERY_NS 30000000000ULL

static void begin(struct pk_costs *c)
{
	c->fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (c->fd >= 0)
		return;
	pk_warn("run-time statistics: %m; continuing without costs");
	c->on = false;
}

void pk_costs_open(struct pk_costs *c, bool on)
{
	*c = (struct pk_costs){ .on = on, .fd = -1 };
}

void pk_costs_close(struct pk_costs *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

bool pk_costs_tick(struct pk_costs *c, uint64_t now_ns)
{
	if (c->fd >= 0) {
		pk_costs_close(c);
		return true;
	}
	if (c->on && (!c->began_ns || now_ns - c->began_ns >= EVERY_NS)) {
		c->began_ns = now_ns;
		begin(c);
	}
	return false;
}

void pk_costs_read(const struct pk_costs *c, int prog_fd, struct pk_msg_prog *m)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len) < 0)
		return;
	m->id = info.id;
	if (c->on) {
		m->run_time_ns = info.run_time_ns;
		m->run_count = info.run_cnt;
	}
}

void pk_costs_tell_packet(const struct pk_costs *c, const struct pk_object *obj, uint64_t netns,
			  void (*send)(void *arg, const struct pk_msg_head *msg), void *arg)
{
	static const char *const names[] = { PK_PROG_XDP, PK_PROG_TC_IN, PK_PROG_TC_OUT,
					     PK_PROG_SWEEP };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct pk_msg_prog m = { .head = { PK_MSG_PROG, sizeof(m) },
					 .netns = netns,
					 .attached = 1 };
		int fd = pk_object_prog_fd(obj, names[i]);

		if (fd < 0)
			continue;
		pk_costs_read(c, fd, &m);
		memcpy(m.name, names[i], strlen(names[i]));
		send(arg, &m.head);
	}
}
