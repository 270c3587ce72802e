/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody looks for what a web server has: many different paths that are mostly refused, programs
 * that say they are scanners, and paths that nobody links to. In clear text only, and of a
 * connection its first requests.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/http.h"
#include "detect/detect.h"
#include "detect/owner.h"
#include "detect/registry.h"
#include "detect/spread.h"
#include "detect/talk.h"
#include "flow/local.h"
#include "flow/table.h"
#include "name/fact.h"
#include "name/news.h"

#include <arpa/inet.h>
#include <string.h>

#define MANY_TIMES 10 /* so many times the paths that are told are no mistake any more */

/* pk_memo_key.what */
enum { PATHS, AGENT, PROBE };

/* In User-Agent, small letters. */
static const char *const agents[] = {
	"sqlmap",
	"nikto",
	"nuclei",
	"masscan",
	"zgrab",
	"wpscan",
	"dirbuster",
	"gobuster",
	"feroxbuster",
	"fuzz faster u fool",
	"wfuzz",
	"dirsearch",
	"nmap scripting",
	"openvas",
	"nessus",
	"acunetix",
	"arachni",
	"w3af",
	"havij",
	"jorgee",
	"muieblack",
	"zmeu",
	"l9explore",
	"l9tcpid",
	"censysinspect",
	"whatweb",
	"jaeles",
	"commix",
	"projectdiscovery",
	"netsparker",
};

/* At the start of a path, small letters. */
static const char *const probes[] = {
	"/.env",
	"/.git/",
	"/.aws/",
	"/.ssh/",
	"/.svn/entries",
	"/.ds_store",
	"/.htpasswd",
	"/phpmyadmin",
	"/pma/",
	"/server-status",
	"/actuator/",
	"/manager/html",
	"/solr/admin/",
	"/hudson",
	"/owa/auth/logon.aspx",
	"/wp-config.",
	"/config.json",
	"/.vscode/",
	"/boaform/",
	"/cgi-bin/../",
	"/_profiler/",
	"/telescope/requests",
	"/phpinfo.php",
	"/.well-known/../",
};

/* A scan's row: good are answers that were no refusals, firm those that were. */

static int init(const struct pk_world *w, void **ret_state)
{
	return pk_spread_begin(w->conf, w->conf->web_scan_window_ns,
			       24 * w->conf->web_scan_window_ns, ret_state);
}

static struct pk_memo_key key_of(const struct pk_flow_key *f, unsigned client, unsigned what)
{
	struct pk_memo_key k = { .scope = f->netns, .what = what, .port = ntohs(f->port[!client]) };

	memcpy(k.a, f->addr[client], sizeof(k.a));
	memcpy(k.b, f->addr[!client], sizeof(k.b));
	return k;
}

/* What all findings say; returns whether it is this host that looks. */
static bool begin(struct pk_detect *d, struct pk_finding *f, const struct pk_flow_key *key,
		  uint64_t flow, unsigned client)
{
	const struct pk_world *w = pk_detect_world(d);
	bool out = w->local && pk_local_has(w->local, key->netns, key->addr[client]) &&
		   !pk_local_has(w->local, key->netns, key->addr[!client]);

	pk_finding_flow(f, key, flow, (uint8_t)client, out ? !client : client);
	pk_finding_owners(f, w, key, flow, out ? client : !client);
	pk_finding_fold(f, key->addr[client], 16);
	return out;
}

static void tell_paths(struct pk_detect *d, const struct pk_flow_key *key, uint64_t flow,
		       unsigned client, struct pk_spread_row *r, uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	unsigned n = pk_spread_count(r, PK_SPREAD_SHORT);
	struct pk_finding f = { .ts_ns = now_ns, .first_ns = r->first_ns };
	char src[PK_IP_TEXT], dst[PK_IP_TEXT];
	bool out;

	if (n < c->web_scan_paths || r->firm < r->good || !pk_spread_tell(r, n, now_ns))
		return;
	pk_ip_format(key->addr[client], src);
	pk_ip_format(key->addr[!client], dst);
	out = begin(d, &f, key, flow, client);
	if (n >= MANY_TIMES * c->web_scan_paths && r->firm > 3 * r->good)
		f.severity = PK_MEDIUM;
	f.spoofable = !out && !r->firm && !r->good;
	pk_finding_plain(&f,
			 "%s asked the web server %s for about %u different pages, as somebody "
			 "does who looks for a weak one%s.",
			 src, dst, n, out ? ": this computer may be misused" : "");
	pk_finding_detail(&f,
			  "%s asked %s port %u for about %u different paths; %u requests were "
			  "refused (4xx, 5xx), %u were not, of others the answer was not seen.",
			  src, dst, ntohs(key->port[!client]), n, r->firm, r->good);
	pk_finding_field(&f, "paths", "%u", n);
	pk_finding_field(&f, "paths_threshold", "%ju", (uintmax_t)c->web_scan_paths);
	pk_finding_field(&f, "refused", "%u", r->firm);
	pk_finding_field(&f, "not_refused", "%u", r->good);
	pk_finding_fold(&f, key->addr[!client], 16);
	pk_detect_found(d, &pk_detect_web_scan, &f);
}

/* One of the words that has it; NULL: none. at_start: only there. */
static const char *word_of(const char *const *words, size_t n, struct pk_slice s, bool at_start)
{
	char text[256];
	size_t len = s.len < sizeof(text) - 1 ? s.len : sizeof(text) - 1;

	for (size_t i = 0; i < len; i++)
		text[i] = s.s[i] >= 'A' && s.s[i] <= 'Z' ? (char)(s.s[i] | 0x20) : s.s[i];
	text[len] = '\0';
	for (size_t i = 0; i < n; i++)
		if (at_start ? !strncmp(text, words[i], strlen(words[i]))
			     : strstr(text, words[i]) != NULL)
			return words[i];
	return NULL;
}

static void see_word(struct pk_detect *d, void *state, const struct pk_see *see, unsigned what,
		     const char *word)
{
	const struct pk_news *n = see->news;
	unsigned client = n->client & 1;
	struct pk_memo_key who = key_of(n->key, client, what);
	struct pk_spread_row *r =
		word ? pk_spread_add(state, &who, word, strlen(word), see->now_ns) : NULL;
	struct pk_finding f = { .ts_ns = see->now_ns, .confidence = 60 };
	char src[PK_IP_TEXT], dst[PK_IP_TEXT];
	bool out;

	if (!r || !pk_spread_tell(r, r->events, see->now_ns))
		return;
	pk_ip_format(n->key->addr[client], src);
	pk_ip_format(n->key->addr[!client], dst);
	out = begin(d, &f, n->key, n->flow, client);
	f.spoofable = !out && !(see->fact && see->fact->http_status);
	f.technique[0] = what == AGENT ? "T1595.002" : "T1595.003";
	pk_finding_plain(&f, "%s looks for weaknesses of the web server %s%s.", src, dst,
			 out ? ": this computer may be misused" : "");
	pk_finding_detail(&f,
			  what == AGENT
				  ? "%s asked %s port %u with a program that says it is %s."
				  : "%s asked %s port %u for a path that nobody links to: %s.",
			  src, dst, ntohs(n->key->port[!client]), word);
	pk_finding_field(&f, what == AGENT ? "agent" : "path", "%s", word);
	pk_finding_field(&f, "requests", "%u", r->events);
	pk_finding_field(&f, "port", "%u", ntohs(n->key->port[!client]));
	pk_finding_fold(&f, word, strlen(word));
	pk_detect_found(d, &pk_detect_web_scan, &f);
}

static void see_request(struct pk_detect *d, void *state, const struct pk_see *see)
{
	const struct pk_http *h = see->news->http->head;
	struct pk_memo_key who = key_of(see->news->key, see->news->client & 1, PATHS);
	struct pk_slice path;
	const char *query;

	if (!h || h->connect || h->absolute || !h->target.len || h->target_cut)
		return;
	path = h->target;
	query = memchr(path.s, '?', path.len);
	if (query)
		path.len = (uint32_t)(query - path.s);
	(void)pk_spread_add(state, &who, path.s, path.len < 64 ? path.len : 64, see->now_ns);
	see_word(d, state, see, PROBE, word_of(probes, PK_ARRAY_SIZE(probes), path, true));
	see_word(d, state, see, AGENT,
		 word_of(agents, PK_ARRAY_SIZE(agents), h->user_agent, false));
}

static void see_response(struct pk_detect *d, void *state, const struct pk_see *see)
{
	const struct pk_news *n = see->news;
	unsigned client = n->client & 1, status = n->http->head->status;
	struct pk_memo_key who = key_of(n->key, client, PATHS);
	struct pk_spread_row *r = pk_spread_find(state, &who);

	if (!r)
		return;
	if (status < 400 || status == 401 || status == 407) /* who asks for a password has it */
		r->good++;
	else
		r->firm++;
	tell_paths(d, n->key, n->flow, client, r, see->now_ns);
}

/* A connection whose answer was not seen. */
static void see_flow(struct pk_detect *d, void *state, const struct pk_see *see)
{
	const struct pk_fact *f = see->fact;
	struct pk_memo_key who;
	struct pk_spread_row *r;

	if (!f || !(f->flags & PK_FACT_HTTP) || f->http_status)
		return;
	who = key_of(&see->flow->flow.key, f->client & 1, PATHS);
	r = pk_spread_find(state, &who);
	if (r)
		tell_paths(d, &see->flow->flow.key, see->flow->flow.meta.id, f->client & 1, r,
			   see->now_ns);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	if (see->kind == PK_SEE_FLOW)
		see_flow(d, state, see);
	else if (see->news->kind == PK_NEWS_REQUEST)
		see_request(d, state, see);
	else if (see->news->kind == PK_NEWS_RESPONSE)
		see_response(d, state, see);
}

const struct pk_detector pk_detect_web_scan = {
	.name = "web_scan",
	.title = "Scan of a web server",
	.technique = { "T1595.003" },
	.severity = PK_LOW,
	.confidence = 55,
	.doubt = "Crawlers, monitoring and sites with many broken links ask like this.",
	.next = "See which of the pages the server did give, and whether they are meant for "
		"everybody.",
	.wants = 1u << PK_SEE_NEWS | 1u << PK_SEE_FLOW,
	.bytes_max = pk_spread_bytes_max,
	.init = init,
	.done = pk_spread_done,
	.see = see,
	.tick = pk_spread_tick,
	.memory = pk_spread_memory,
};
