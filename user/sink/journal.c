/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To journald by its native protocol (systemd's JOURNAL_NATIVE_PROTOCOL): fields of one entry in a
 * datagram, or in a sealed memfd when it is too large for one. The sentence for people is the
 * message, the whole record a field.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"
#include "sink/kinds.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct journal {
	int fd;
	struct pk_buf text;
};

static bool wanted(const struct pk_conf *c)
{
	return c->sink_journal;
}

static int open_journal(const struct pk_sink_env *env, void **ret_state)
{
	struct journal *j = calloc(1, sizeof(*j));

	(void)env;
	if (!j)
		return -ENOMEM;
	j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (j->fd < 0) {
		free(j);
		return -errno;
	}
	*ret_state = j;
	return 0;
}

static void close_journal(void *state)
{
	struct journal *j = state;

	pk_closep(&j->fd);
	pk_buf_done(&j->text);
	free(j);
}

/* With its length, so that it may hold anything. */
static void field(struct pk_buf *out, const char *name, const char *value, size_t len)
{
	uint64_t le = htole64(len);

	pk_buf_str(out, name);
	pk_buf_char(out, '\n');
	pk_buf_add(out, &le, sizeof(le));
	pk_buf_add(out, value, len);
	pk_buf_char(out, '\n');
}

/* Priorities of syslog for severities of OCSF. */
static int priority(uint8_t severity)
{
	static const int of[] = { 6, 6, 5, 4, 3, 2, 1 };

	return severity < PK_ARRAY_SIZE(of) ? of[severity] : 4;
}

static void write_entry(struct pk_buf *out, const struct pk_sink_record *r)
{
	json_t *j = json_loadb(r->json, r->len, 0, NULL);
	const char *message = json_string_value(json_object_get(j, "message"));

	if (!message)
		message = r->uid;
	pk_buf_reset(out);
	field(out, "MESSAGE", message, strlen(message));
	pk_buf_fmt(out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=picketd\n", priority(r->severity));
	field(out, "PICKET_UID", r->uid, strlen(r->uid));
	field(out, "PICKET_RECORD", r->json, r->len);
	json_decref(j);
}

/* A datagram without bytes, that carries a file. */
static int send_file(int fd, const struct sockaddr_un *to, const struct pk_buf *text)
{
	_cleanup_close_ int mem = memfd_create("picket-journal", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct msghdr m = { .msg_name = (void *)to,
			    .msg_namelen = sizeof(*to),
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (mem < 0 || write(mem, text->data, text->len) != (ssize_t)text->len ||
	    fcntl(mem, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return errno ? -errno : -EIO;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &mem, sizeof(mem));
	return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send_one(const struct journal *j)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };

	if (j->text.error)
		return j->text.error;
	if (sendto(j->fd, j->text.data, j->text.len, MSG_NOSIGNAL | MSG_DONTWAIT,
		   (struct sockaddr *)&to, sizeof(to)) >= 0)
		return 0;
	return errno == EMSGSIZE || errno == ENOBUFS ? send_file(j->fd, &to, &j->text) : -errno;
}

static int send_entries(void *state, const struct pk_sink_record *rec, size_t n, size_t *ret_done,
			char *why)
{
	struct journal *j = state;
	int r;

	for (size_t i = 0; i < n; i++) {
		write_entry(&j->text, &rec[i]);
		r = send_one(j);
		if (r < 0) {
			snprintf(why, PK_SINK_WHY, JOURNAL_SOCKET ": %s", strerror(-r));
			return r;
		}
		*ret_done = i + 1;
	}
	return 0;
}

const struct pk_sink_kind pk_sink_journal = { .name = "journal",
					      .wanted = wanted,
					      .open = open_journal,
					      .send = send_entries,
					      .close = close_journal };
