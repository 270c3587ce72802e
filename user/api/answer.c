/* SPDX-License-Identifier: Apache-2.0 */
/* Writes lists, entries and outcomes as JSON. It asks nothing and changes nothing. */
#include "api/answer.h"

#include "api/exchange.h"
#include "api/server.h"
#include "api/tag.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "base/json.h"
#include "block/limits.h"
#include "block/treat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct pk_block *pk_answer_block(struct pk_api_request *q)
{
	struct pk_block *b = q->view->block;

	if (b && pk_block_is_ready(b))
		return b;
	if (b)
		(void)pk_api_busy(q, "the lists of before are still being put in force: try again");
	else
		(void)pk_api_problem(q, 503,
				     "there are no block lists without the privileged process");
	return NULL;
}

bool pk_answer_is_loading(struct pk_block *b, const char *list)
{
	struct pk_block_info info;

	return pk_block_list_get(b, list, &info) && info.loading;
}

static const char *kind_of(const struct pk_block_proc *p)
{
	static const char *const kind[] = {
		[PK_BLOCK_EXE] = "exe",
		[PK_BLOCK_USER] = "user",
		[PK_BLOCK_CONTAINER] = "container",
		[PK_BLOCK_CGROUP] = "cgroup",
	};

	return p->kind && p->kind < PK_ARRAY_SIZE(kind) ? kind[p->kind] : "unknown";
}

void pk_answer_who(struct pk_json *j, const struct pk_block_proc *p)
{
	pk_json_obj(j, "who");
	pk_json_str(j, kind_of(p), p->name);
	pk_json_end(j);
}

static void write_proc(struct pk_json *j, const struct pk_block_row *row)
{
	pk_json_obj(j, "who");
	pk_json_str(j, kind_of(row->proc), row->proc->name);
	pk_json_bool(j, "found", row->proc_found);
	pk_json_end(j);
}

void pk_answer_how(struct pk_json *j, uint8_t how)
{
	pk_json_arr(j, "how");
	if (how & PK_BLOCK_SNI_ONLY)
		pk_json_str(j, NULL, "sni-only");
	if (how & PK_BLOCK_REFUSE)
		pk_json_str(j, NULL, "refuse-query");
	pk_json_end(j);
}

static void write_name(struct pk_json *j, const struct pk_block_row *row)
{
	pk_json_u64(j, "id", row->e->id);
	pk_json_str(j, "name", row->name);
	pk_answer_how(j, row->how);
	if (row->e->expires_ms)
		pk_json_i64(j, "expires", row->e->expires_ms);
	if (*row->reason)
		pk_json_str(j, "reason", row->reason);
	pk_json_u64(j, "answers", row->hits.answers);
	pk_json_u64(j, "answers_safe", row->hits.safe);
	pk_json_u64(j, "answers_shared", row->hits.shared);
	pk_json_u64(j, "hellos_cut", row->hits.hellos);
	pk_json_u64(j, "queries_refused", row->queries);
	if (row->last_hit_ms)
		pk_json_i64(j, "last_hit", row->last_hit_ms);
}

void pk_answer_row(struct pk_json *j, const struct pk_block_row *row)
{
	static const uint8_t none[16];
	char text[PK_PREFIX_TEXT];

	if (row->name) {
		write_name(j, row);
		return;
	}
	pk_json_u64(j, "id", row->e->id);
	if (row->proc)
		write_proc(j, row);
	if (!row->proc || row->e->bits)
		pk_json_str(j, "prefix", pk_limits_prefix(row->e, text));
	pk_limits_write(j, row->e, row->iface);
	if (row->reason && *row->reason)
		pk_json_str(j, "reason", row->reason);
	pk_json_u64(j, "packets", row->packets);
	pk_json_u64(j, "bytes", row->bytes);
	if (row->last_hit_ms)
		pk_json_i64(j, "last_hit", row->last_hit_ms);
	if (memcmp(row->last_peer, none, sizeof(none)) != 0)
		pk_json_str(j, "last_peer", pk_ip_format(row->last_peer, text));
}

static void write_sum(struct pk_json *j, const char *key, uint64_t packets, uint64_t bytes)
{
	pk_json_obj(j, key);
	pk_json_u64(j, "packets", packets);
	pk_json_u64(j, "bytes", bytes);
	pk_json_end(j);
}

void pk_answer_info(struct pk_json *j, const struct pk_api_request *q,
		    const struct pk_block_info *info)
{
	char tag[PK_TAG_MAX];
	const struct pk_blk_count *c = &info->count;

	pk_json_str(j, "name", info->name);
	pk_json_str(j, "etag", pk_tag_of(q->view, info, tag));
	pk_json_str(j, "kind", info->allow ? "allow" : "block");
	pk_json_str(j, "mode", pk_list_mode_name(info->mode));
	pk_json_u64(j, "entries", info->entries);
	pk_json_u64(j, "names", info->names);
	pk_json_u64(j, "processes", info->processes);
	pk_json_i64(j, "created", info->created_ms);
	pk_json_i64(j, "changed", info->changed_ms);
	if (*info->source)
		pk_json_str(j, "source", info->source);
	if (*info->who)
		pk_json_str(j, "who", info->who);
	pk_json_bool(j, "saved", info->saved);
	pk_json_str(j, "fault", info->fault);
	pk_json_bool(j, "loading", info->loading);
	if (info->confirm_by_ms) {
		pk_json_i64(j, "confirm_by", info->confirm_by_ms);
		pk_json_u64(j, "entries_before", info->entries_before);
	}
	write_sum(j, "in", c->in_packets, c->in_bytes);
	write_sum(j, "out", c->out_packets, c->out_bytes);
	pk_json_u64(j, "calls", c->calls);
	write_sum(j, "seen", c->seen_packets, c->seen_bytes);
	pk_json_u64(j, "allowed", c->allowed_packets);
}

void pk_answer_safe(struct pk_json *j, const char *key, uint32_t kinds)
{
	pk_json_arr(j, key);
	for (uint32_t bit = 1; bit && bit <= kinds; bit <<= 1)
		if (kinds & bit)
			pk_json_str(j, NULL, pk_block_safe_text(bit));
	pk_json_end(j);
}

int pk_answer_status(int result)
{
	switch (result) {
	case -EINVAL:
		return 400;
	case -ENOENT:
		return 404;
	case -EPERM:
	case -EBUSY:
	case -EEXIST:
		return 409;
	case -EFBIG:
		return 413;
	case -EBADMSG:
		return 422;
	case -EAGAIN:
		return 503;
	case -ENOSPC:
	case -ENOMEM:
		return 507;
	default:
		return 500;
	}
}

void pk_answer_read(struct pk_json *j, const struct pk_list_data *data)
{
	pk_json_obj(j, "read");
	pk_json_str(j, "format", pk_list_format_name(data->format));
	pk_json_u64(j, "lines", data->lines);
	pk_json_u64(j, "entries", data->read);
	pk_json_u64(j, "doubles", data->doubles);
	pk_json_u64(j, "covered", data->covered);
	pk_json_u64(j, "host_bits", data->host_bits);
	pk_json_u64(j, "ignored", data->ignored);
	pk_json_u64(j, "names", data->n_names);
	pk_json_u64(j, "bad", data->bad_total);
	pk_json_end(j);
	if (!data->n_bad)
		return;
	pk_json_arr(j, "bad");
	for (size_t i = 0; i < data->n_bad; i++) {
		pk_json_obj(j, NULL);
		if (data->bad[i].line)
			pk_json_u64(j, "line", data->bad[i].line);
		pk_json_str(j, "text", data->bad[i].text);
		pk_json_str(j, "reason", data->bad[i].reason);
		pk_json_end(j);
	}
	pk_json_end(j);
}

void pk_answer_refused(struct pk_json *j, const struct pk_block_done *d)
{
	pk_json_u64(j, "refused_total", d->refused_total);
	pk_json_arr(j, "refused");
	for (size_t i = 0; i < d->n_refused; i++) {
		const struct pk_block_refusal *r = &d->refused[i];

		pk_json_obj(j, NULL);
		pk_json_str(j, "prefix", r->prefix);
		if (r->covers[0])
			pk_json_str(j, "covers", r->covers);
		pk_json_str(j, "why", r->why);
		pk_json_end(j);
	}
	pk_json_end(j);
}

int pk_answer_failed(struct pk_api_request *q, const struct pk_block_done *d)
{
	int status = pk_answer_status(d->result);
	struct pk_buf body = { 0 };
	struct pk_json j;

	if (status == 503 && q->x)
		pk_exchange_head(q->x, "Retry-After", "1"); /* memory is on its way */
	pk_api_problem_begin(&j, &body, status, d->detail ? d->detail : strerror(-d->result));
	if (d->result == -EBADMSG)
		pk_answer_read(&j, &d->data);
	if (d->refused_total)
		pk_answer_refused(&j, d);
	return pk_api_problem_end(q, &j, status);
}
