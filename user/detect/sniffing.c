/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program opened a socket that sees or makes raw packets and is none of the services that need
 * one. Tools that people use to look at the network are told low. It keeps nothing.
 */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/registry.h"
#include "enrich/enrich.h"

#include <netinet/in.h>
#include <string.h>

static const struct {
	uint32_t kind;
	const char *what;
} kinds[] = {
	{ PK_ACT_PACKET_SOCKET, "a packet socket, which sees every packet" },
	{ PK_ACT_RAW_SOCKET, "a raw socket, which sees packets of a protocol and makes them" },
	{ PK_ACT_XDP_SOCKET, "an AF_XDP socket, which takes packets before the system does" },
	{ PK_ACT_QDISC_BYPASS, "a packet socket that sends past the system's filters" },
	{ PK_ACT_XDP_UMEM, "an AF_XDP socket that sends past the system's filters" },
};

static const char *what_of(const struct pk_act *a)
{
	if (a->kind == PK_ACT_RAW_SOCKET &&
	    (a->arg[2] == IPPROTO_ICMP || a->arg[2] == IPPROTO_ICMPV6))
		return NULL; /* ping */
	for (size_t i = 0; i < PK_ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == a->kind)
			return kinds[i].what;
	return NULL;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_world *w = pk_detect_world(d);
	const char *what = what_of(s->ev->act);
	struct pk_finding f = { .ts_ns = s->now_ns };
	const struct pk_process *p = s->proc;

	(void)state; /* none */
	if (!p || !what || pk_program_is_known(p, PK_PROG_SNIFF) ||
	    pk_program_is_own(w->enrich, p) || pk_program_is_listed(p, &w->conf->sniffing_allow))
		return;
	if (pk_program_is_known(p, PK_PROG_PROBE))
		f.severity = PK_LOW;
	pk_finding_proc(&f, &p->id);
	pk_finding_proc(&f, &p->parent);
	pk_finding_plain(&f,
			 "A program (%.64s) can listen to the network traffic of this computer.",
			 pk_process_name(p));
	pk_finding_detail(&f, "%s (pid %u) opened %s (protocol %llu): %s", pk_process_name(p),
			  p->id.tgid, what, (unsigned long long)s->ev->act->arg[2],
			  pk_process_cmd_line(p));
	pk_finding_field(&f, "program", "%s", pk_process_path(p));
	pk_finding_field(&f, "socket", "%s", what);
	pk_finding_fold(&f, pk_process_path(p), strlen(pk_process_path(p)));
	pk_detect_found(d, &pk_detect_sniffing, &f);
}

const struct pk_detector pk_detect_sniffing = {
	.name = "sniffing",
	.title = "Listening to network traffic",
	.technique = { "T1040" },
	.severity = PK_MEDIUM,
	.confidence = 65,
	.doubt = "Network tools and services that are not in the built-in list.",
	.next = "If nobody started it on purpose, stop the program and look at what it wrote.",
	.wants = 1u << PK_SEE_ACT,
	.see = see,
};
