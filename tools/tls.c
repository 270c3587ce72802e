/* SPDX-License-Identifier: Apache-2.0 */
/* `picket tls`: handshakes over TCP and QUIC, who began them, and for which name. */
#include "base/cleanup.h"
#include "column.h"
#include "list.h"

#include <picket/api.h>
#include <string.h>

static void v_over(struct pk_buf *out, json_t *t, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_at(t, "unmapped.picket.tls.quic_version") ? "quic" : "tcp");
}

/* The version that was chosen, else the highest that was offered. */
static void v_version(struct pk_buf *out, json_t *t, bool human)
{
	const char *chosen = pk_json_text(t, "unmapped.picket.tls.chosen");
	const char *offered = pk_json_text(t, "unmapped.picket.tls.offered");

	pk_buf_str(out, *chosen ? chosen : offered);
	if (!*chosen && *offered && human)
		pk_buf_char(out, '?');
}

static void v_alpn(struct pk_buf *out, json_t *t, bool human)
{
	const char *chosen = pk_json_text(t, "unmapped.picket.tls.alpn_chosen");

	(void)human;
	if (*chosen)
		pk_buf_str(out, chosen);
	else
		pk_column_strings(out, t, "unmapped.picket.tls.alpn");
}

static void v_ja4(struct pk_buf *out, json_t *t, bool human)
{
	json_t *first = json_array_get(json_object_get(t, "ja4_fingerprint_list"), 0);

	(void)human;
	pk_buf_str(out, pk_json_text(first, "value"));
}

static void v_ech(struct pk_buf *out, json_t *t, bool human)
{
	(void)human;
	if (json_is_true(pk_json_at(t, "unmapped.picket.tls.ech")))
		pk_buf_str(out, "ech");
}

/* With ECH it is the public name; whom the client really asks for is encrypted. */
static void v_name(struct pk_buf *out, json_t *t, bool human)
{
	json_t *sni = pk_json_at(t, "tls.sni");

	if (json_string_length(sni))
		pk_buf_add(out, json_string_value(sni), json_string_length(sni));
	else if (human)
		pk_buf_char(out, '-');
}

static const struct pk_column columns[] = {
	{ "TIME", 12, false, false, pk_column_time },
	{ "PID", 7, true, false, pk_column_pid },
	{ "PROGRAM", 15, false, false, pk_column_program },
	{ "SERVER", 21, false, false, pk_column_server },
	{ "OVER", 4, false, false, v_over },
	{ "VERSION", 8, false, false, v_version },
	{ "ALPN", 11, false, false, v_alpn },
	{ "ECH", 3, false, false, v_ech },
	{ "JA4", 36, false, false, v_ja4 },
	{ "NAME", 16, false, true, v_name },
};

static int run(const struct pk_command *self, int argc, char **argv)
{
	static const struct pk_list list = {
		.path = PK_API_TLS,
		.stream = PK_API_TLS_STREAM,
		.member = "tls",
		.col = columns,
		.n = PK_ARRAY_SIZE(columns),
		.oldest_first = true,
	};

	return pk_list_run(self, &list, argc, argv);
}

const struct pk_command pk_cmd_tls = {
	.name = "tls",
	.what = "list or follow TLS and QUIC handshakes with name and fingerprint",
	.usage = "tls [OPTION]... [FILTER]",
	.options = pk_list_options_log,
	.run = run,
	.help = "  -f, --follow     print each handshake as it comes, until Ctrl-C\n"
		"  -n, --number N   at most N handshakes (1000), the latest\n"
		"  -o, --output F   table, json (one OCSF 4001 record a line) or csv\n"
		"  -h, --help       this text\n\n"
		"NAME is the name that the client asked for (SNI), VERSION what the server chose, "
		"with ?\n"
		"the highest that was offered. JA4 tells the client's program: the same for all "
		"that use\n"
		"the same library the same way. With ech the name is the public one.\n\n"
		"FILTER is that of `picket flows`, with sni, ja4 and alpn.\n\n"
		"Examples:\n"
		"  picket tls\n"
		"  picket tls --follow sni '*.example.org'\n"
		"  picket tls 'not proc firefox and dir out'\n"
		"  picket tls -o csv | cut -d, -f9 | sort | uniq -c | sort -n\n",
};
