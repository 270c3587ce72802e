/* SPDX-License-Identifier: Apache-2.0 */
/* Follows /etc/resolv.conf by its time stamp: it is replaced rarely and whole. */
#include "probe/resolv.h"

#include "base/cleanup.h"
#include "base/ip.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define RESOLV_CONF "/etc/resolv.conf"

void pk_resolv_parse(struct pk_resolv *r, const char *text, size_t len)
{
	r->n = 0;
	while (len && r->n < PK_RESOLVERS_MAX) {
		const char *end = memchr(text, '\n', len);
		size_t line_len = end ? (size_t)(end - text) : len;
		char line[128] = "", word[64];

		if (line_len < sizeof(line))
			memcpy(line, text, line_len);
		/* A zone after % is the interface: the address is what we need. */
		if (sscanf(line, " nameserver %63[0-9a-fA-F:.]", word) == 1 &&
		    !pk_ip_parse(word, r->addr[r->n]))
			r->n++;
		text += line_len + (end ? 1 : 0);
		len -= line_len + (end ? 1 : 0);
	}
}

bool pk_resolv_changed(struct pk_resolv *r)
{
	_cleanup_close_ int fd = -1;
	char text[8192];
	struct stat st;
	uint64_t stamp;
	ssize_t n;

	if (stat(RESOLV_CONF, &st) < 0)
		return false;
	stamp = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec + st.st_ino;
	if (stamp == r->stamp)
		return false;
	r->stamp = stamp;
	fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (n < 0)
		return false;
	pk_resolv_parse(r, text, (size_t)n);
	return true;
}

void pk_resolv_tell(const struct pk_resolv *r, uint64_t netns,
		    void (*send)(void *arg, const struct pk_msg_head *msg), void *arg)
{
	for (size_t i = 0; i < r->n; i++) {
		struct pk_msg_addr m = { .head = { PK_MSG_ADDR, sizeof(m) },
					 .netns = netns,
					 .kind = PK_ADDR_RESOLVER };

		memcpy(m.addr, r->addr[i], 16);
		send(arg, &m.head);
	}
}
