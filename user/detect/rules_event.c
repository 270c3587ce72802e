/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields for rules, with the meaning that sigma/field.c promises. Nothing is made up: what is not
 * known is absent. LogonId is the real uid, as Sysmon for Linux has it.
 */
#include "detect/rules_event.h"

#include "decode/dns.h"
#include "decode/record.h"
#include "enrich/enrich.h"
#include "flow/table.h"
#include "name/fact.h"
#include "name/name.h"
#include "name/news.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct make {
	const struct pk_world *w;
	const struct pk_see *s;
	struct pk_rules_texts *t;
	struct pk_rules_event *e;
};

static void put(struct make *m, unsigned field, const char *s)
{
	if (s)
		m->e->event.field[field] = (struct pk_sigma_text){ s, strlen(s) };
}

/* Unknown texts are "" in the process table. */
static void put_known(struct make *m, unsigned field, const char *s)
{
	if (s && *s)
		put(m, field, s);
}

static void put_number(struct make *m, unsigned field, uint64_t v)
{
	char *to = m->t->number[m->t->numbers++ % 32];

	snprintf(to, sizeof(m->t->number[0]), "%llu", (unsigned long long)v);
	put(m, field, to);
}

static void put_process(struct make *m)
{
	const struct pk_process *p = m->e->proc;
	const char *user;

	if (!p)
		return;
	put_known(m, PK_SIGMA_F_IMAGE, pk_process_path(p));
	put_known(m, PK_SIGMA_F_COMMAND_LINE, pk_process_cmd_line(p));
	put_number(m, PK_SIGMA_F_PROCESS_ID, p->id.tgid);
	user = m->w->enrich ? pk_user_name(&m->w->enrich->users, p->id.uid) : NULL;
	if (user)
		put(m, PK_SIGMA_F_USER, user);
	else
		put_number(m, PK_SIGMA_F_USER, p->id.uid);
}

static void put_parent(struct make *m)
{
	const struct pk_process *p = m->e->proc, *parent;

	if (!p->parent.tgid)
		return;
	put_number(m, PK_SIGMA_F_PARENT_PROCESS_ID, p->parent.tgid);
	parent = m->w->enrich ? pk_process_parent(&m->w->enrich->processes, p) : NULL;
	if (!parent)
		return;
	put_known(m, PK_SIGMA_F_PARENT_IMAGE, pk_process_path(parent));
	put_known(m, PK_SIGMA_F_PARENT_COMMAND_LINE, pk_process_cmd_line(parent));
}

static void make_process(struct make *m)
{
	const struct pk_image *image = m->e->proc->image[0];

	put_process(m);
	put_parent(m);
	put_number(m, PK_SIGMA_F_LOGON_ID, m->e->proc->uid);
	if (image)
		put_known(m, PK_SIGMA_F_CURRENT_DIRECTORY, image->cwd);
}

/* EXECVE: its arguments, from a0 on. Those behind a cut are not there. */
static void make_execve(struct make *m)
{
	const struct pk_exec *x = m->s->ev->exec;
	const char *at = x->argv, *end = x->argv + x->argv_len;

	put(m, PK_SIGMA_F_AUDIT_TYPE, "EXECVE");
	put_known(m, PK_SIGMA_F_PROCTITLE, pk_process_cmd_line(m->e->proc));
	for (unsigned i = 0; i < PK_SIGMA_ARGS && at < end; i++) {
		size_t len = strnlen(at, end - at);

		m->e->event.field[PK_SIGMA_F_A0 + i] = (struct pk_sigma_text){ at, len };
		at += len + 1;
	}
}

static void make_syscall(struct make *m)
{
	const struct pk_exec *x = m->s->ev->exec;

	put(m, PK_SIGMA_F_AUDIT_TYPE, "SYSCALL");
	put(m, PK_SIGMA_F_SYSCALL, "execve");
	put_known(m, PK_SIGMA_F_IMAGE, pk_process_path(m->e->proc));
	put(m, PK_SIGMA_F_COMM, m->e->proc->comm);
	put_number(m, PK_SIGMA_F_PROCESS_ID, m->e->proc->id.tgid);
	put_number(m, PK_SIGMA_F_PARENT_PROCESS_ID, m->e->proc->parent.tgid);
	put_number(m, PK_SIGMA_F_UID, x->uid);
	put_number(m, PK_SIGMA_F_EUID, x->euid);
	put_number(m, PK_SIGMA_F_GID, x->gid);
	put_number(m, PK_SIGMA_F_EGID, x->egid);
	put_number(m, PK_SIGMA_F_AUID, x->loginuid);
	put_number(m, PK_SIGMA_F_SESSION, x->sessionid);
}

/* Source is who began it, as in Sysmon's and firewalls' records. */
static void put_ends(struct make *m)
{
	static const unsigned ip[] = { PK_SIGMA_F_SOURCE_IP, PK_SIGMA_F_DESTINATION_IP };
	static const unsigned port[] = { PK_SIGMA_F_SOURCE_PORT, PK_SIGMA_F_DESTINATION_PORT };
	const struct pk_flow_key *k = m->e->key;

	for (unsigned i = 0; i < 2; i++) {
		unsigned d = i ? !m->e->client : m->e->client;

		put(m, ip[i], pk_ip_format(k->addr[d], m->t->ip[i]));
		if (k->proto == IPPROTO_TCP || k->proto == IPPROTO_UDP || k->proto == IPPROTO_SCTP)
			put_number(m, port[i], ntohs(k->port[d]));
	}
	put(m, PK_SIGMA_F_PROTOCOL, pk_ip_proto_name(k->proto));
}

static void make_flow(struct make *m)
{
	put_ends(m);
	put(m, PK_SIGMA_F_ACTION, "accept");
	put(m, PK_SIGMA_F_BLOCKED, "false");
}

static void make_network(struct make *m)
{
	struct pk_name_best best;

	put_process(m);
	put_ends(m);
	put(m, PK_SIGMA_F_INITIATED, m->e->client != m->e->far ? "true" : "false");
	if (m->s->fact && pk_fact_best(m->s->fact, &best))
		put_known(m, PK_SIGMA_F_DESTINATION_HOSTNAME, best.name);
}

static void put_answers(struct make *m, const struct pk_dns *dns)
{
	struct pk_buf *b = &m->t->answers;

	pk_buf_reset(b);
	for (unsigned i = 0; i < dns->n_rrs; i++) {
		if (dns->rrs[i].section != PK_DNS_ANSWER)
			continue;
		if (b->len)
			pk_buf_char(b, '\0'); /* each is a value of its own */
		pk_dns_rdata_text(b, &dns->rrs[i]);
	}
	if (b->len && !b->error)
		m->e->event.field[PK_SIGMA_F_ANSWER] = (struct pk_sigma_text){ b->data, b->len };
}

static void make_dns(struct make *m)
{
	const struct pk_news_dns *n = m->s->news->dns;

	put_process(m);
	put_ends(m);
	put(m, PK_SIGMA_F_QUERY, n->name);
	put(m, PK_SIGMA_F_RECORD_TYPE, pk_dns_type_name(n->qtype));
	if (!n->answer)
		return;
	put_answers(m, n->answer);
	put_number(m, PK_SIGMA_F_RCODE, n->answer->rcode);
	put(m, PK_SIGMA_F_RCODE_NAME, pk_dns_rcode_name(n->answer->rcode));
	put_number(m, PK_SIGMA_F_DNS_Z, n->answer->flags >> 4 & 7);
}

static void make_http(struct make *m)
{
	const struct pk_fact *f = m->s->fact;

	put_ends(m);
	put(m, PK_SIGMA_F_HTTP_HOST, f->http_host);
	put(m, PK_SIGMA_F_HTTP_URI, f->http_path);
	put(m, PK_SIGMA_F_HTTP_METHOD, f->http_method);
	put(m, PK_SIGMA_F_HTTP_USER_AGENT, f->http_agent);
}

/* The end of the flow that a process here uses; -1: none is known. */
static int own_end(const struct make *m, const struct pk_flow *flow)
{
	unsigned first = flow->meta.initiator & 1;

	for (unsigned i = 0; i < 2; i++) {
		unsigned d = i ? !first : first;

		if (m->w->enrich && flow->own[d].user.tgid)
			return (int)d;
	}
	return -1;
}

static void of_flow(struct make *m, const struct pk_flow_entry *e)
{
	int own = own_end(m, &e->flow);

	m->e->key = &e->flow.key;
	m->e->flow = e->flow.meta.id;
	m->e->client = e->flow.meta.initiator & 1;
	m->e->far = own >= 0 ? !own : !m->e->client;
	m->e->proc = own >= 0 ? pk_enrich_owner(m->w->enrich, &e->flow.own[own].user) : NULL;
}

static void of_news(struct make *m)
{
	const struct pk_news *n = m->s->news;
	const struct pk_flow_entry *e =
		m->w->flows && n->flow ? pk_flow_table_find(m->w->flows, n->flow) : NULL;

	if (e)
		of_flow(m, e);
	m->e->key = n->key;
	m->e->flow = n->flow;
	m->e->client = n->client & 1;
	if (!e)
		m->e->far = !m->e->client;
}

struct kind {
	enum pk_sigma_source source;
	void (*make)(struct make *m);
};

/* What the thing seen can be, and the flow or process it is about. */
static size_t kinds_of(struct make *m, struct kind kinds[PK_RULES_EVENTS_MAX])
{
	const struct pk_see *s = m->s;

	switch (s->kind) {
	case PK_SEE_FLOW:
		kinds[0] = (struct kind){ PK_SIGMA_NETWORK, make_network };
		kinds[1] = (struct kind){ PK_SIGMA_FLOW, make_flow };
		return s->flow->is_new ? 2 : 0;
	case PK_SEE_NEWS:
		kinds[0] = (struct kind){ PK_SIGMA_NETWORK, make_network };
		kinds[1] = (struct kind){ PK_SIGMA_HTTP, make_http };
		if (s->news->kind == PK_NEWS_HELLO && s->news->flow)
			return 1; /* its name is known now */
		if (s->news->kind == PK_NEWS_HTTP && s->fact)
			return 2;
		kinds[0] = (struct kind){ PK_SIGMA_DNS, make_dns };
		return s->news->kind == PK_NEWS_DNS;
	default:
		return 0;
	}
}

static size_t exec_kinds(const struct make *m, struct kind kinds[PK_RULES_EVENTS_MAX])
{
	if (m->s->kind != PK_SEE_EXEC || !m->s->proc || m->s->ev->hdr->flags & PK_EVF_SNAPSHOT)
		return 0;
	kinds[0] = (struct kind){ PK_SIGMA_PROCESS, make_process };
	kinds[1] = (struct kind){ PK_SIGMA_AUDIT, make_execve };
	kinds[2] = (struct kind){ PK_SIGMA_AUDIT, make_syscall };
	return 3;
}

size_t pk_rules_events(const struct pk_world *w, const struct pk_see *s, uint64_t wanted,
		       struct pk_rules_texts *t, struct pk_rules_event out[PK_RULES_EVENTS_MAX])
{
	struct make m = { .w = w, .s = s, .t = t };
	struct kind kinds[PK_RULES_EVENTS_MAX];
	size_t n = exec_kinds(&m, kinds), made = 0;

	if (!n)
		n = kinds_of(&m, kinds);
	t->numbers = 0;
	for (size_t i = 0; i < n; i++) {
		if (!(wanted >> kinds[i].source & 1))
			continue;
		m.e = &out[made++];
		*m.e = (struct pk_rules_event){
			.event = { .source = kinds[i].source, .ts_ns = s->now_ns }, .proc = s->proc
		};
		if (s->kind == PK_SEE_FLOW)
			of_flow(&m, s->flow);
		else if (s->kind == PK_SEE_NEWS)
			of_news(&m);
		kinds[i].make(&m);
	}
	return made;
}
