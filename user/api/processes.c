/* SPDX-License-Identifier: Apache-2.0 */
/* Processes as a list, and one with its tree, children and flows. It reads and keeps nothing. */
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "base/json.h"
#include "enrich/enrich.h"
#include "enrich/file.h"
#include "flow/filter.h"
#include "flow/socket.h"
#include "flow/table.h"

#include <picket/api.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define LIMIT         1000
#define LIMIT_MAX     10000
#define FLOWS_MAX     100
#define CHILDREN_MAX  1000
#define LISTENERS_MAX 1024
#define BODY_MAX      (64u << 20)

static bool owns(const struct pk_process *p, const struct pk_proc_id *id)
{
	return id->tgid == p->id.tgid && id->start_ns == p->id.start_ns;
}

/* Sockets that listen, gathered once for a request. */
struct listeners {
	const struct pk_sock_entry *s[LISTENERS_MAX];
	size_t n;
};

static void find_listeners(const struct pk_view *v, struct listeners *l)
{
	l->n = 0;
	for (const struct pk_sock_entry *s = NULL; (s = pk_sock_table_next(v->ocsf.socks, s));)
		if (s->listening && l->n < LISTENERS_MAX)
			l->s[l->n++] = s;
}

static void write_listening(struct pk_json *j, const struct listeners *l,
			    const struct pk_process *p)
{
	char ip[PK_IP_TEXT], text[PK_IP_TEXT + 32];
	bool any = false, v6;

	for (size_t i = 0; i < l->n; i++) {
		const struct pk_sock_entry *s = l->s[i];
		const char *proto = pk_ip_proto_name(s->l4);

		if (!owns(p, &s->owner.user))
			continue;
		if (!any)
			pk_json_arr(j, "listening");
		any = true;
		v6 = strchr(pk_ip_format(s->laddr, ip), ':');
		snprintf(text, sizeof(text), "%s %s%s%s:%u", proto ? proto : "?", v6 ? "[" : "", ip,
			 v6 ? "]" : "", ntohs(s->lport));
		pk_json_str(j, NULL, text);
	}
	if (any)
		pk_json_end(j);
}

/* The object stays open. */
static void open_one(struct pk_json *j, const struct pk_view *v, const struct listeners *l,
		     const struct pk_process *p)
{
	pk_json_obj(j, NULL);
	pk_ocsf_process(j, "process", &v->ocsf, p);
	pk_json_str(j, "status", p->end_ns ? "ended" : "running");
	if (p->end_ns && p->exit_code >= 0)
		pk_json_i64(j, "exit_code",
			    WIFEXITED(p->exit_code) ? WEXITSTATUS(p->exit_code)
						    : 128 + WTERMSIG(p->exit_code));
	pk_json_u64(j, "flows", p->net.flows);
	pk_json_u64(j, "flows_ended", p->net.flows_ended);
	pk_json_u64(j, "bytes_out", p->net.bytes_out);
	pk_json_u64(j, "bytes_in", p->net.bytes_in);
	pk_json_dbl(j, "rate_out", p->net.rate_out);
	pk_json_dbl(j, "rate_in", p->net.rate_in);
	write_listening(j, l, p);
	if (p->flags & PK_TASK_KTHREAD)
		pk_json_bool(j, "kernel_thread", true);
}

/* Rates of processes are sums over live flows, made when somebody asks. */
static void sum_rates(struct pk_view *v)
{
	struct pk_processes *all = &v->ocsf.enrich->processes;

	for (struct pk_process *p = NULL; (p = pk_process_next(all, p));)
		p->net.rate_out = p->net.rate_in = 0;
	for (struct pk_flow_entry *e = NULL; (e = pk_flow_table_live(v->ocsf.flows, e));)
		for (unsigned d = 0; d < 2; d++) {
			struct pk_process *p =
				e->flow.own[d].user.tgid && !(e->joined & PK_FLOW_VIEWED(d))
					? pk_enrich_owner(v->ocsf.enrich, &e->flow.own[d].user)
					: NULL;

			if (!p)
				continue;
			p->net.rate_out += pk_flow_rate_bytes(e, d, v->now_ns, v->ocsf.stale_ns);
			p->net.rate_in += pk_flow_rate_bytes(e, !d, v->now_ns, v->ocsf.stale_ns);
		}
}

int pk_processes_get(struct pk_api_request *q)
{
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_view *v = q->view;
	struct pk_filter *f = NULL;
	struct pk_filter_subject s;
	struct listeners l;
	uint64_t limit = LIMIT, matched = 0;
	struct pk_json j;

	if (pk_api_param_u64(q, "limit", LIMIT_MAX, &limit) < 0 || pk_api_param_filter(q, &f) < 0)
		return 0;
	sum_rates(v);
	find_listeners(v, &l);
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_arr(&j, "processes");
	for (struct pk_process *p = NULL; (p = pk_process_next(&v->ocsf.enrich->processes, p));) {
		pk_ocsf_subject_process(&v->ocsf, p, &s);
		if (!pk_filter_match(f, &s) || ++matched > limit)
			continue;
		open_one(&j, v, &l, p);
		pk_json_end(&j);
	}
	pk_json_end(&j);
	pk_json_u64(&j, "matched", matched);
	pk_json_u64(&j, "limit", limit);
	pk_json_end(&j);
	pk_filter_free(f);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

static void write_tree(struct pk_json *j, const struct pk_view *v, const struct pk_process *p)
{
	const struct pk_processes *all = &v->ocsf.enrich->processes;
	const struct pk_process *up[PK_ANCESTORS_MAX];
	size_t n = pk_process_ancestors(all, p, up), children = 0;

	pk_json_arr(j, "tree");
	pk_ocsf_process_brief(j, NULL, &v->ocsf, p);
	for (size_t i = 0; i < n; i++)
		pk_ocsf_process_brief(j, NULL, &v->ocsf, up[i]);
	pk_json_end(j);
	pk_json_arr(j, "children");
	for (struct pk_process *c = NULL; (c = pk_process_next(all, c));)
		if (owns(p, &c->parent) && children++ < CHILDREN_MAX)
			pk_ocsf_process_brief(j, NULL, &v->ocsf, c);
	pk_json_end(j);
}

static void write_flows(struct pk_json *j, struct pk_view *v, const struct pk_process *p)
{
	struct pk_flow_table *t = v->ocsf.flows;
	int n = 0;

	pk_json_arr(j, "flow_list");
	for (int ended = 0; ended < 2; ended++) {
		struct pk_flow_entry *e = NULL;

		while ((e = ended ? pk_flow_table_ended(t, e) : pk_flow_table_live(t, e)) &&
		       n < FLOWS_MAX) {
			if (!owns(p, &e->flow.own[0].user) && !owns(p, &e->flow.own[1].user))
				continue;
			pk_ocsf_flow(j, &v->ocsf, e, v->now_ns, 0);
			n++;
		}
	}
	pk_json_end(j);
}

/* UID as in records, "boot-pid-start", or a pid: the newest process that has it. */
static struct pk_process *find(const struct pk_view *v, const char *text)
{
	const struct pk_processes *all = &v->ocsf.enrich->processes;
	size_t boot = strlen(v->ocsf.boot);
	unsigned pid;
	uint64_t start;
	int end = 0;

	if (strlen(text) < PK_PROCESS_UID && strncmp(text, v->ocsf.boot, boot) == 0 &&
	    sscanf(text + boot, "-%10u-%20" SCNu64 "%n", &pid, &start, &end) == 2 &&
	    !text[boot + end])
		return pk_process_get(all, pid, start);
	if (strlen(text) <= 10 && sscanf(text, "%10u%n", &pid, &end) == 1 && !text[end])
		return pk_process_by_pid(all, pid);
	return NULL;
}

/* From the file itself, where it may be read and still is the one that was started. */
static void write_executable(struct pk_json *j, const struct pk_process *p)
{
	const struct pk_image *i = p->image[0];
	struct pk_file f;

	if (!i || !i->path[0] || pk_file_read(i->path, i->exe_dev, i->exe_ino, &f) < 0)
		return;
	pk_json_obj(j, "executable");
	pk_json_str(j, "build_id", f.build_id[0] ? f.build_id : NULL);
	pk_json_bool(j, "static", f.is_static);
	pk_json_bool(j, "no_sections", f.no_sections);
	pk_json_bool(j, "upx", f.upx);
	pk_json_bool(j, "write_exec", f.write_exec);
	pk_json_end(j);
}

int pk_process_one_get(struct pk_api_request *q)
{
	struct pk_process *p = find(q->view, q->rest);
	struct pk_buf body = { .max = BODY_MAX };
	struct listeners l;
	struct pk_json j;

	if (!p)
		return pk_api_problem(q, 404, "there is no such process (any more)");
	sum_rates(q->view);
	find_listeners(q->view, &l);
	pk_json_init(&j, &body);
	open_one(&j, q->view, &l, p);
	write_executable(&j, p);
	write_tree(&j, q->view, p);
	write_flows(&j, q->view, p);
	pk_json_end(&j);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
