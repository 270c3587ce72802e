/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of log sources and their fields, by Sigma's taxonomy appendix 2.1, Sysmon for Linux,
 * auditd and Zeek. A name is here only where Picket's value means the same as the original's.
 */
#include "sigma/field.h"

#include "base/cleanup.h"
#include "sigma/rule.h"

#include <string.h>
#include <strings.h>

struct name {
	const char *name;
	enum pk_sigma_field field;
};

static const struct name process_names[] = {
	{ "Image", PK_SIGMA_F_IMAGE },
	{ "CommandLine", PK_SIGMA_F_COMMAND_LINE },
	{ "CurrentDirectory", PK_SIGMA_F_CURRENT_DIRECTORY },
	{ "User", PK_SIGMA_F_USER },
	{ "LogonId", PK_SIGMA_F_LOGON_ID },
	{ "ProcessId", PK_SIGMA_F_PROCESS_ID },
	{ "ParentImage", PK_SIGMA_F_PARENT_IMAGE },
	{ "ParentCommandLine", PK_SIGMA_F_PARENT_COMMAND_LINE },
	{ "ParentProcessId", PK_SIGMA_F_PARENT_PROCESS_ID },
	{ 0 },
};

static const struct name network_names[] = {
	{ "Image", PK_SIGMA_F_IMAGE },
	{ "CommandLine", PK_SIGMA_F_COMMAND_LINE },
	{ "User", PK_SIGMA_F_USER },
	{ "ProcessId", PK_SIGMA_F_PROCESS_ID },
	{ "Protocol", PK_SIGMA_F_PROTOCOL },
	{ "Initiated", PK_SIGMA_F_INITIATED },
	{ "SourceIp", PK_SIGMA_F_SOURCE_IP },
	{ "SourcePort", PK_SIGMA_F_SOURCE_PORT },
	{ "DestinationIp", PK_SIGMA_F_DESTINATION_IP },
	{ "DestinationPort", PK_SIGMA_F_DESTINATION_PORT },
	{ "DestinationHostname", PK_SIGMA_F_DESTINATION_HOSTNAME },
	{ 0 },
};

static const struct name dns_query_names[] = {
	{ "QueryName", PK_SIGMA_F_QUERY },
	{ "QueryResults", PK_SIGMA_F_ANSWER },
	{ "QueryStatus", PK_SIGMA_F_RCODE },
	{ "Image", PK_SIGMA_F_IMAGE },
	{ "ProcessId", PK_SIGMA_F_PROCESS_ID },
	{ "User", PK_SIGMA_F_USER },
	{ 0 },
};

static const struct name dns_names[] = {
	{ "query", PK_SIGMA_F_QUERY },
	{ "record_type", PK_SIGMA_F_RECORD_TYPE },
	{ "answer", PK_SIGMA_F_ANSWER },
	{ 0 },
};

static const struct name firewall_names[] = {
	{ "src_ip", PK_SIGMA_F_SOURCE_IP },
	{ "src_port", PK_SIGMA_F_SOURCE_PORT },
	{ "dst_ip", PK_SIGMA_F_DESTINATION_IP },
	{ "dst_port", PK_SIGMA_F_DESTINATION_PORT },
	{ "action", PK_SIGMA_F_ACTION },
	{ "blocked", PK_SIGMA_F_BLOCKED },
	{ 0 },
};

#define ZEEK_ID                                                                                    \
	{ "id.orig_h", PK_SIGMA_F_SOURCE_IP }, { "id.orig_p", PK_SIGMA_F_SOURCE_PORT },            \
		{ "id.resp_h", PK_SIGMA_F_DESTINATION_IP },                                        \
	{                                                                                          \
		"id.resp_p", PK_SIGMA_F_DESTINATION_PORT                                           \
	}

static const struct name zeek_dns_names[] = {
	ZEEK_ID,
	{ "proto", PK_SIGMA_F_PROTOCOL },
	{ "query", PK_SIGMA_F_QUERY },
	{ "qtype_name", PK_SIGMA_F_RECORD_TYPE },
	{ "answers", PK_SIGMA_F_ANSWER },
	{ "rcode", PK_SIGMA_F_RCODE },
	{ "rcode_name", PK_SIGMA_F_RCODE_NAME },
	{ "Z", PK_SIGMA_F_DNS_Z },
	{ 0 },
};

static const struct name zeek_conn_names[] = {
	ZEEK_ID,
	{ "proto", PK_SIGMA_F_PROTOCOL },
	{ 0 },
};

static const struct name zeek_http_names[] = {
	ZEEK_ID,
	{ "host", PK_SIGMA_F_HTTP_HOST },
	{ "uri", PK_SIGMA_F_HTTP_URI },
	{ "c-uri", PK_SIGMA_F_HTTP_URI },
	{ "method", PK_SIGMA_F_HTTP_METHOD },
	{ "user_agent", PK_SIGMA_F_HTTP_USER_AGENT },
	{ "c-useragent", PK_SIGMA_F_HTTP_USER_AGENT },
	{ 0 },
};

static const struct name audit_names[] = {
	{ "type", PK_SIGMA_F_AUDIT_TYPE },
	{ "SYSCALL", PK_SIGMA_F_SYSCALL },
	{ "syscall", PK_SIGMA_F_SYSCALL },
	{ "exe", PK_SIGMA_F_IMAGE },
	{ "comm", PK_SIGMA_F_COMM },
	{ "proctitle", PK_SIGMA_F_PROCTITLE },
	{ "pid", PK_SIGMA_F_PROCESS_ID },
	{ "ppid", PK_SIGMA_F_PARENT_PROCESS_ID },
	{ "uid", PK_SIGMA_F_UID },
	{ "euid", PK_SIGMA_F_EUID },
	{ "gid", PK_SIGMA_F_GID },
	{ "egid", PK_SIGMA_F_EGID },
	{ "auid", PK_SIGMA_F_AUID },
	{ "ses", PK_SIGMA_F_SESSION },
	{ "a0", PK_SIGMA_F_A0 },
	{ "a1", PK_SIGMA_F_A0 + 1 },
	{ "a2", PK_SIGMA_F_A0 + 2 },
	{ "a3", PK_SIGMA_F_A0 + 3 },
	{ "a4", PK_SIGMA_F_A0 + 4 },
	{ "a5", PK_SIGMA_F_A0 + 5 },
	{ "a6", PK_SIGMA_F_A0 + 6 },
	{ "a7", PK_SIGMA_F_A0 + 7 },
	{ "a8", PK_SIGMA_F_A0 + 8 },
	{ "a9", PK_SIGMA_F_A0 + 9 },
	{ "a10", PK_SIGMA_F_A0 + 10 },
	{ "a11", PK_SIGMA_F_A0 + 11 },
	{ "a12", PK_SIGMA_F_A0 + 12 },
	{ "a13", PK_SIGMA_F_A0 + 13 },
	{ "a14", PK_SIGMA_F_A0 + 14 },
	{ "a15", PK_SIGMA_F_A0 + 15 },
	{ 0 },
};

/*
 * The first row that fits. "*": anything or nothing; "?x": x or nothing; NULL: nothing. Without
 * names there are no such events, and the reason says why.
 */
static const struct row {
	const char *category, *product, *service;
	enum pk_sigma_source source;
	const struct name *names;
	const char *reason;
} rows[] = {
	{ "*", "windows", "*", 0, NULL, "it is about Windows" },
	{ "*", "macos", "*", 0, NULL, "it is about macOS" },
	{ "process_creation", "?linux", "?sysmon", PK_SIGMA_PROCESS, process_names, NULL },
	{ "network_connection", "?linux", "?sysmon", PK_SIGMA_NETWORK, network_names, NULL },
	{ "dns_query", "?linux", "?sysmon", PK_SIGMA_DNS, dns_query_names, NULL },
	{ "dns", NULL, NULL, PK_SIGMA_DNS, dns_names, NULL },
	{ "firewall", NULL, NULL, PK_SIGMA_FLOW, firewall_names, NULL },
	{ "?dns", "zeek", "dns", PK_SIGMA_DNS, zeek_dns_names, NULL },
	{ NULL, "zeek", "conn", PK_SIGMA_FLOW, zeek_conn_names, NULL },
	{ NULL, "zeek", "http", PK_SIGMA_HTTP, zeek_http_names, NULL },
	{ NULL, "zeek", "*", 0, NULL, "Picket does not read the content of this protocol" },
	{ NULL, "linux", "auditd", PK_SIGMA_AUDIT, audit_names, NULL },
	{ "file_event", "*", "*", 0, NULL, "Picket records no file events" },
	{ "file_access", "*", "*", 0, NULL, "Picket records no file events" },
	{ "file_change", "*", "*", 0, NULL, "Picket records no file events" },
	{ "file_delete", "*", "*", 0, NULL, "Picket records no file events" },
	{ "file_rename", "*", "*", 0, NULL, "Picket records no file events" },
	{ NULL, "linux", "*", 0, NULL, "Picket reads no log files of programs" },
	{ "*", "*", "*", 0, NULL, "Picket has no events of this kind" },
};

static bool fits(const char *want, const char *is)
{
	if (!want)
		return !is;
	if (*want == '*')
		return true;
	if (*want == '?')
		return !is || strcasecmp(want + 1, is) == 0;
	return is && strcasecmp(want, is) == 0;
}

int pk_sigma_logsource(const struct pk_sigma_rule *rule, const char **ret_reason)
{
	size_t i = 0;

	while (!fits(rows[i].category, rule->category) || !fits(rows[i].product, rule->product) ||
	       !fits(rows[i].service, rule->service))
		i++; /* the last row fits all */
	if (rows[i].names)
		return (int)i;
	*ret_reason = rows[i].reason;
	return -1;
}

enum pk_sigma_source pk_sigma_row_source(int row)
{
	return rows[row].source;
}

int pk_sigma_field_find(int row, const char *name)
{
	for (const struct name *n = rows[row].names; n->name; n++)
		if (strcmp(n->name, name) == 0)
			return n->field;
	return -1;
}

const char *pk_sigma_field_name(int row, enum pk_sigma_field field)
{
	for (const struct name *n = rows[row].names; n->name; n++)
		if (n->field == field)
			return n->name;
	return NULL;
}

const char *pk_sigma_field_at(int row, size_t i)
{
	return rows[row].names[i].name;
}

const char *pk_sigma_field_only(enum pk_sigma_field field)
{
	switch (field) {
	case PK_SIGMA_F_INITIATED:
		return "true false";
	case PK_SIGMA_F_BLOCKED: /* events of this kind are flows: what passed */
		return "false";
	case PK_SIGMA_F_ACTION:
		return "accept";
	case PK_SIGMA_F_AUDIT_TYPE:
		return "EXECVE SYSCALL";
	case PK_SIGMA_F_SYSCALL:
		return "execve";
	default:
		return NULL;
	}
}

uint64_t pk_sigma_source_fields(enum pk_sigma_source source)
{
	uint64_t set = 0;

	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++)
		if (rows[i].names && rows[i].source == source)
			for (const struct name *n = rows[i].names; n->name; n++)
				set |= 1ull << n->field;
	return set;
}

const char *pk_sigma_source_name(enum pk_sigma_source source)
{
	static const char *const names[PK_SIGMA_SOURCES] = {
		[PK_SIGMA_NO_SOURCE] = "none",  [PK_SIGMA_PROCESS] = "process",
		[PK_SIGMA_NETWORK] = "network", [PK_SIGMA_DNS] = "dns",
		[PK_SIGMA_FLOW] = "flow",       [PK_SIGMA_HTTP] = "http",
		[PK_SIGMA_AUDIT] = "audit",
	};

	return source < PK_SIGMA_SOURCES ? names[source] : names[0];
}
