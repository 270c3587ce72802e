/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to the address where clouds hand out credentials, by a program that is none of their
 * agents. It keeps nothing. On a host outside of clouds the attempt alone is told.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/registry.h"
#include "enrich/enrich.h"

#include <arpa/inet.h>
#include <string.h>

static const struct {
	uint8_t addr[16];
	const char *whose;
} services[] = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 169, 254, 169, 254 },
	  "AWS, Azure, Google and others" },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 169, 254, 170, 2 }, "AWS, for containers" },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 169, 254, 170, 23 }, "AWS, for pods" },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 100, 100, 100, 200 }, "Alibaba" },
	{ { 0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54 }, "AWS" },
};

static const char *whose(const struct pk_sock *s)
{
	if (s->l4 != IPPROTO_TCP || s->rport == htons(53)) /* some serve DNS there, too */
		return NULL;
	for (size_t i = 0; i < PK_ARRAY_SIZE(services); i++)
		if (memcmp(services[i].addr, s->raddr, sizeof(s->raddr)) == 0)
			return services[i].whose;
	return NULL;
}

/* Agents written in Python are known by their script. */
static bool is_agent(const struct pk_world *w, const struct pk_process *p)
{
	static const char *const scripts[] = { "/cloud-init", "/waagent", "/google_", "/cloud-id",
					       "WALinuxAgent" };

	if (pk_program_is_known(p, PK_PROG_CLOUD) ||
	    pk_program_is_listed(p, &w->conf->metadata_access_allow))
		return true;
	for (size_t i = 0; i < PK_ARRAY_SIZE(scripts); i++)
		if (pk_program_is_known(p, PK_PROG_SCRIPT) &&
		    strstr(pk_process_cmd_line(p), scripts[i]))
			return true;
	return false;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_sock *sock = s->ev->sock;
	const struct pk_proc_id *id = &sock->owner.user;
	struct pk_finding f = { .ts_ns = s->now_ns, .netns = sock->netns };
	const struct pk_process *p = s->proc;
	const char *cloud = whose(sock), *name;
	char ip[PK_IP_TEXT];

	(void)state; /* none */
	if (!cloud || (sock->op != PK_SOCK_CONNECT && sock->op != PK_SOCK_ESTABLISHED))
		return;
	if (!p && w->enrich)
		p = pk_process_get(&w->enrich->processes, id->tgid, id->start_ns);
	if (p && is_agent(w, p))
		return;
	name = p ? pk_process_name(p) : "a program";
	if (p) {
		pk_finding_proc(&f, &p->id);
		pk_finding_proc(&f, &p->parent);
	}
	pk_finding_remote(&f, sock->raddr);
	pk_finding_plain(&f,
			 "A program (%.64s) asked the cloud's service that hands out this "
			 "machine's passwords and keys.",
			 name);
	pk_finding_detail(&f, "%s connected to %s port %u, the metadata service of %s: %s", name,
			  pk_ip_format(sock->raddr, ip), ntohs(sock->rport), cloud,
			  p ? pk_process_cmd_line(p) : "");
	pk_finding_field(&f, "address", "%s", pk_ip_format(sock->raddr, ip));
	pk_finding_field(&f, "program", "%s", p ? pk_process_path(p) : "");
	pk_finding_fold(&f, name, strlen(name));
	pk_detect_found(d, &pk_detect_metadata_access, &f);
}

const struct pk_detector pk_detect_metadata_access = {
	.name = "metadata_access",
	.title = "Cloud metadata asked for",
	.technique = { "T1552.005" },
	.severity = PK_MEDIUM,
	.confidence = 60,
	.doubt = "Programs that use the cloud's libraries and the machine's own role.",
	.next = "If the program has no reason to use the machine's role, revoke the role's "
		"sessions "
		"and look for what made it ask.",
	.wants = 1u << PK_SEE_SOCK,
	.see = see,
};
