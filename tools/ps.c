/* SPDX-License-Identifier: Apache-2.0 */
/* `picket ps`: processes that use the network, as a tree. */
#include "base/cleanup.h"
#include "list.h"
#include "tree.h"

#include <picket/api.h>
#include <string.h>

static void v_pid(struct pk_buf *out, json_t *p, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(p, "process.pid"));
}

static void v_user(struct pk_buf *out, json_t *p, bool human)
{
	const char *name = pk_json_text(p, "process.user.name");

	(void)human;
	pk_buf_str(out, *name ? name : pk_json_text(p, "process.user.uid"));
}

static void v_container(struct pk_buf *out, json_t *p, bool human)
{
	const char *name = pk_json_text(p, "process.container.name");
	const char *id = pk_json_text(p, "process.container.uid");

	if (*name)
		pk_buf_str(out, name);
	else
		pk_buf_add(out, id, human && strlen(id) > 12 ? 12 : strlen(id));
}

static void v_flows(struct pk_buf *out, json_t *p, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(p, "flows"));
}

static void number(struct pk_buf *out, json_t *p, const char *name, bool human)
{
	if (human)
		pk_human_bytes(out, pk_json_num(p, name));
	else
		pk_buf_fmt(out, "%.0f", pk_json_num(p, name));
}

static void v_out(struct pk_buf *out, json_t *p, bool human)
{
	number(out, p, "bytes_out", human);
}

static void v_in(struct pk_buf *out, json_t *p, bool human)
{
	number(out, p, "bytes_in", human);
}

static void v_listen(struct pk_buf *out, json_t *p, bool human)
{
	json_t *list = json_object_get(p, "listening");

	(void)human;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (s)
			pk_buf_fmt(out, "%s%s", i ? ", " : "", s);
	}
}

static void v_command(struct pk_buf *out, json_t *p, bool human)
{
	json_t *cmd = pk_json_at(p, "process.cmd_line");

	for (double depth = pk_json_num(p, "depth"); human && depth > 0; depth--)
		pk_buf_str(out, "  ");
	if (!json_string_length(cmd))
		cmd = pk_json_at(p, "process.name");
	if (json_string_length(cmd))
		pk_buf_add(out, json_string_value(cmd), json_string_length(cmd));
}

static const struct pk_column columns[] = {
	{ "PID", 7, true, false, v_pid },
	{ "USER", 10, false, false, v_user },
	{ "CONTAINER", 12, false, false, v_container },
	{ "FLOWS", 6, true, false, v_flows },
	{ "SENT", 5, true, false, v_out },
	{ "RECV", 5, true, false, v_in },
	{ "LISTENS", 22, false, false, v_listen },
	{ "COMMAND", 16, false, true, v_command },
};

static int run(const struct pk_command *self, int argc, char **argv)
{
	static const struct pk_list list = {
		.path = PK_API_PROCESSES,
		.member = "processes",
		.col = columns,
		.n = PK_ARRAY_SIZE(columns),
		.oldest_first = true,
		.limit = "10000",
		.arrange = pk_tree_arrange,
	};

	return pk_list_run(self, &list, argc, argv);
}

const struct pk_command pk_cmd_ps = {
	.name = "ps",
	.what = "tree of processes with what they send, receive and listen on",
	.usage = "ps [OPTION]... [FILTER]",
	.options = pk_list_options_plain,
	.run = run,
	.help = "  -a, --all        those that do not use the network too\n"
		"  -n, --number N   look at no more than N processes (10000)\n"
		"  -o, --output F   table, json (with the depth in the tree) or csv\n"
		"  -h, --help       this text\n\n"
		"Examples:\n"
		"  picket ps\n"
		"  picket ps user www-data\n"
		"  picket ps -o csv > processes.csv\n",
};
