/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One source has many short sessions with a service that asks for a password, and then one that is
 * much longer. Whether a password was right is in no packet: sessions that end early and small are
 * taken for wrong ones, so several guesses within one long session are not seen. Of SSH the
 * processes at either end may know better: sshd started a shell, ssh ended without complaint.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/app.h"
#include "detect/detect.h"
#include "detect/program.h"
#include "detect/registry.h"
#include "detect/spread.h"
#include "detect/talk.h"
#include "enrich/enrich.h"
#include "flow/table.h"
#include "name/fact.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/wait.h>

#define SEC 1000000000ull

/* pk_memo_key.what */
enum { ONE_SOURCE, ANY_SOURCE, SOURCES, LOGGED_IN };

#define SHORT_NS       (20 * SEC)
#define LOGGED_IN_NS   (30 * SEC) /* or large; and twice the bytes of the usual short one */
#define SOURCES_ENOUGH 10
#define SSH_FAILED     255 /* ssh(1): no session; else it ends as the command over there did */
#define SSHD_LEVELS    3   /* of a session: sshd, its child with the user's rights */

/* bytes: of frames both ways, which a session that only fails to log in does not reach. times:
 * clients that connect anew for each question need that many sessions more. */
static const struct service {
	uint16_t port;
	uint8_t app; /* enum pk_proto: the same on another port; 0: none */
	uint8_t times;
	uint32_t bytes;
	const char *name;
} services[] = {
	{ 22, PK_PROTO_SSH, 1, 16384, "SSH" }, { 3389, 0, 1, 16384, "RDP" },
	{ 23, 0, 1, 8192, "Telnet" },          { 21, PK_PROTO_FTP, 1, 4096, "FTP" },
	{ 5900, 0, 1, 4096, "VNC" },           { 445, 0, 2, 8192, "SMB" },
	{ 1433, 0, 2, 4096, "SQL Server" },    { 3306, 0, 5, 2560, "MySQL" },
	{ 5432, 0, 5, 2560, "PostgreSQL" },    { 587, PK_PROTO_SMTP, 2, 8192, "SMTP" },
	{ 465, 0, 2, 8192, "SMTP" },           { 143, PK_PROTO_IMAP, 2, 8192, "IMAP" },
	{ 993, 0, 2, 8192, "IMAP" },           { 110, PK_PROTO_POP3, 2, 4096, "POP3" },
	{ 995, 0, 2, 8192, "POP3" },
};

static int init(const struct pk_world *w, void **ret_state)
{
	return pk_spread_begin(w->conf, w->conf->password_guess_window_ns,
			       24 * w->conf->password_guess_window_ns, ret_state);
}

/* Mail servers deliver to port 25 without a password, all day. */
static const struct service *service_of(const struct pk_talk *t, const struct pk_fact *fact)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(services); i++)
		if (services[i].port == t->dport)
			return &services[i];
	for (size_t i = 0; fact && t->dport != 25 && i < PK_ARRAY_SIZE(services); i++)
		if (services[i].app && services[i].app == fact->app)
			return &services[i];
	return NULL;
}

static struct pk_memo_key key_of(const struct pk_talk *t, unsigned what)
{
	struct pk_memo_key k = { .what = what, .port = t->dport };

	k.scope = t->e->flow.key.netns;
	memcpy(k.b, t->dst, sizeof(k.b));
	if (what == ONE_SOURCE)
		memcpy(k.a, t->src, sizeof(k.a));
	return k;
}

static bool is_sshd(const struct pk_process *p)
{
	return p && strncmp(pk_process_name(p), "sshd", 4) == 0 &&
	       pk_program_path_is_system(pk_process_path(p));
}

static struct pk_memo_key key_of_login(const struct pk_process *p)
{
	struct pk_memo_key k = { .what = LOGGED_IN };
	struct pk_program_key id = pk_program_key(p);

	memcpy(k.a, &id, sizeof(k.a));
	return k;
}

/*
 * sshd ran a user's shell. What helps it to decide (AuthorizedKeysCommand, modules of PAM) is run
 * without one, or is a script with a name of its own. The first sshd is all sessions' parent.
 */
static void see_exec(struct pk_detect *d, struct pk_spread *s, const struct pk_see *see)
{
	const struct pk_enrich *e = pk_detect_world(d)->enrich;
	const struct pk_process *p = see->proc, *up;
	const char *file, *slash;

	if (!e || !p || !p->image[0])
		return;
	file = p->image[0]->filename;
	slash = strrchr(file, '/');
	file = slash ? slash + 1 : file;
	if (!(pk_program_of(file) & PK_PROG_SHELL) && strcmp(file, "git-shell") != 0)
		return;
	p = pk_process_parent(&e->processes, p);
	for (unsigned i = 0; i < SSHD_LEVELS && is_sshd(p); i++, p = up) {
		struct pk_memo_key key = key_of_login(p);

		up = pk_process_parent(&e->processes, p);
		if (is_sshd(up))
			(void)pk_spread_add(s, &key, "", 1, see->now_ns); /* full: as if not seen */
	}
}

static bool sshd_let_in(struct pk_spread *s, const struct pk_process *p)
{
	struct pk_memo_key key;

	if (!is_sshd(p))
		return false;
	key = key_of_login(p);
	return pk_spread_find(s, &key);
}

/* As far as this host's processes tell; what another host's did is not known. */
static bool was_let_in(const struct pk_world *w, struct pk_spread *s, const struct pk_talk *t)
{
	const struct pk_flow *f = &t->e->flow;
	const struct pk_process *p;

	if (!w->enrich)
		return false;
	p = pk_enrich_owner(w->enrich, &f->own[t->from].user);
	if (p && p->end_ns && strcmp(pk_process_path(p), "/usr/bin/ssh") == 0 &&
	    WIFEXITED(p->exit_code) && WEXITSTATUS(p->exit_code) != SSH_FAILED)
		return true;
	p = pk_enrich_owner(w->enrich, &f->own[t->to].user);
	return sshd_let_in(s, p) || /* the one that spoke before the login is its brother */
	       (is_sshd(p) && sshd_let_in(s, pk_process_parent(&w->enrich->processes, p)));
}

static uint64_t bytes_of(const struct pk_talk *t)
{
	return t->e->flow.dir[0].bytes + t->e->flow.dir[1].bytes;
}

static uint64_t age_of(const struct pk_talk *t)
{
	const struct pk_flow *f = &t->e->flow;
	uint64_t last =
		f->dir[0].last_ns > f->dir[1].last_ns ? f->dir[0].last_ns : f->dir[1].last_ns;

	return last > f->meta.start_ns ? last - f->meta.start_ns : 0;
}

static void fill(struct pk_finding *f, const struct pk_conf *c, const struct service *service,
		 const struct pk_spread_row *r, unsigned sessions)
{
	f->first_ns = r->first_ns;
	pk_finding_field(f, "service", "%s", service->name);
	pk_finding_field(f, "short_sessions", "%u", sessions);
	pk_finding_field(f, "sessions_threshold", "%ju",
			 (uintmax_t)c->password_guess_sessions * service->times);
	pk_finding_field(f, "window_s", "%ju", (uintmax_t)(c->password_guess_window_ns / SEC));
	pk_finding_field(f, "mean_bytes", "%ju", (uintmax_t)(r->sum_bytes / r->events));
	pk_finding_field(f, "mean_ms", "%ju", (uintmax_t)(r->sum_ns / r->events / 1000000));
}

static void tell_one(struct pk_detect *d, const struct pk_talk *t, const struct service *service,
		     struct pk_spread_row *r, uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	unsigned n = pk_spread_count(r, PK_SPREAD_SHORT);
	struct pk_finding f = { .ts_ns = now_ns };
	char src[PK_IP_TEXT], dst[PK_IP_TEXT];

	if (n < c->password_guess_sessions * service->times || !pk_spread_tell(r, n, now_ns))
		return;
	pk_ip_format(t->src, src);
	pk_ip_format(t->dst, dst);
	pk_talk_finding(t, &f);
	pk_finding_plain(&f,
			 "%s tried to log in at %s about %u times, as somebody does who guesses "
			 "passwords.",
			 src, dst, n);
	pk_finding_detail(&f, "%s had about %u short sessions with %s (%s, port %u).", src, n, dst,
			  service->name, t->dport);
	fill(&f, c, service, r, n);
	pk_finding_fold(&f, t->src, 16);
	pk_finding_fold(&f, service->name, strlen(service->name));
	pk_detect_found(d, &pk_detect_password_guess, &f);
}

static void tell_many(struct pk_detect *d, const struct pk_talk *t, const struct service *service,
		      struct pk_spread_row *r, const struct pk_spread_row *sources, uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	unsigned n = pk_spread_count(r, PK_SPREAD_SHORT);
	unsigned from = pk_spread_count(sources, PK_SPREAD_SHORT);
	struct pk_finding f = { .ts_ns = now_ns };
	char dst[PK_IP_TEXT];

	if (n < 3 * c->password_guess_sessions * service->times || from < SOURCES_ENOUGH ||
	    !pk_spread_tell(r, n, now_ns))
		return;
	pk_ip_format(t->dst, dst);
	pk_talk_finding(t, &f);
	f.has_remote = false; /* many; the last is not to answer for all */
	pk_finding_plain(&f,
			 "About %u computers tried to log in at %s about %u times within "
			 "minutes.",
			 from, dst, n);
	pk_finding_detail(&f, "About %u sources had about %u short sessions with %s (%s, port %u).",
			  from, n, dst, service->name, t->dport);
	fill(&f, c, service, r, n);
	pk_finding_field(&f, "sources", "%u", from);
	pk_finding_field(&f, "sources_threshold", "%u", SOURCES_ENOUGH);
	pk_finding_fold(&f, "many", 4);
	pk_finding_fold(&f, t->dst, 16);
	pk_detect_found(d, &pk_detect_password_guess, &f);
}

static void see_short(struct pk_detect *d, struct pk_spread *s, const struct pk_talk *t,
		      const struct service *service, uint64_t now_ns)
{
	struct pk_memo_key one = key_of(t, ONE_SOURCE), any = key_of(t, ANY_SOURCE);
	struct pk_memo_key from = key_of(t, SOURCES);
	uint64_t id = t->e->flow.meta.id;
	struct pk_spread_row *r = pk_spread_add(s, &one, &id, sizeof(id), now_ns);
	struct pk_spread_row *all, *sources;

	if (r) {
		r->sum_bytes += bytes_of(t);
		r->sum_ns += age_of(t);
		tell_one(d, t, service, r, now_ns);
	}
	sources = pk_spread_add(s, &from, t->src, 16, now_ns);
	all = pk_spread_add(s, &any, &id, sizeof(id), now_ns);
	if (!all || !sources)
		return;
	all->sum_bytes += bytes_of(t);
	all->sum_ns += age_of(t);
	tell_many(d, t, service, all, sources, now_ns);
}

/* A session that goes on, carries more or is known to be one, of somebody who was told to guess. */
static void see_login(struct pk_detect *d, struct pk_spread *s, const struct pk_talk *t,
		      const struct service *service, bool is_known, uint64_t now_ns)
{
	struct pk_memo_key one = key_of(t, ONE_SOURCE);
	struct pk_spread_row *r = pk_spread_find(s, &one);
	struct pk_finding f = { .ts_ns = now_ns, .title = "Login after password guessing" };
	uint64_t bytes = bytes_of(t), id = t->e->flow.meta.id;
	char src[PK_IP_TEXT], dst[PK_IP_TEXT];

	if (!r || !r->told || (!is_known && bytes < 2 * r->sum_bytes / r->events) ||
	    t->e->flow.meta.start_ns < r->first_ns)
		return;
	pk_ip_format(t->src, src);
	pk_ip_format(t->dst, dst);
	pk_talk_finding(t, &f);
	f.severity = PK_HIGH;
	f.confidence = is_known ? 85 : 65;
	f.technique[0] = "T1110.001";
	f.technique[1] = t->dport == 22 ? "T1021.004" : NULL;
	pk_finding_plain(&f,
			 "%s, which guessed passwords of %s, now has a session there: it "
			 "probably found one.",
			 src, dst);
	pk_finding_detail(&f,
			  "After %u short sessions, one of %s with %s (%s, port %u) lasts %ju s "
			  "and carries %ju bytes.",
			  r->told, src, dst, service->name, t->dport, (uintmax_t)(age_of(t) / SEC),
			  (uintmax_t)bytes);
	fill(&f, pk_detect_world(d)->conf, service, r, r->told);
	pk_finding_field(&f, "session_s", "%ju", (uintmax_t)(age_of(t) / SEC));
	pk_finding_field(&f, "session_bytes", "%ju", (uintmax_t)bytes);
	pk_finding_fold(&f, "success", 7);
	pk_finding_fold(&f, &id, sizeof(id));
	pk_detect_found(d, &pk_detect_password_guess, &f);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	const struct service *service;
	struct pk_talk t;

	if (see->kind == PK_SEE_EXEC) {
		see_exec(d, state, see);
		return;
	}
	if (see->flow->flow.key.proto != IPPROTO_TCP)
		return;
	pk_talk_of(pk_detect_world(d), see->flow, &t);
	service =
		t.firm && t.said && !pk_addr_is_loopback(t.dst) ? service_of(&t, see->fact) : NULL;
	if (!service)
		return;
	if (age_of(&t) >= LOGGED_IN_NS || bytes_of(&t) >= service->bytes) {
		see_login(d, state, &t, service, false, see->now_ns);
		return;
	}
	if (!see->flow->ended || see->flow->was_ended || age_of(&t) > SHORT_NS)
		return;
	if (service->app == PK_PROTO_SSH && was_let_in(pk_detect_world(d), state, &t))
		see_login(d, state, &t, service, true, see->now_ns);
	else
		see_short(d, state, &t, service, see->now_ns);
}

const struct pk_detector pk_detect_password_guess = {
	.name = "password_guess",
	.title = "Password guessing",
	.technique = { "T1110.001" },
	.severity = PK_MEDIUM,
	.confidence = 60,
	.doubt = "Programs that connect again and again (monitoring, clients of a database without "
		 "a pool, SSH between two other hosts) have many short sessions, too.",
	.next = "Look in the log of the service for failed logins, and at the accounts that were "
		"tried; block the source if it is nobody you know.",
	.wants = 1u << PK_SEE_FLOW | 1u << PK_SEE_EXEC,
	.bytes_max = pk_spread_bytes_max,
	.init = init,
	.done = pk_spread_done,
	.see = see,
	.tick = pk_spread_tick,
	.memory = pk_spread_memory,
};
