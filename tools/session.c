/* SPDX-License-Identifier: Apache-2.0 */
/* Reads environments: its own, and those of the processes above, as far as it may. */
#include "session.h"

#include "base/cleanup.h"
#include "base/ip.h"

#include <fcntl.h>
#include <string.h>

#define ABOVE_MAX   16
#define ENVIRON_MAX (128u << 10)

bool pk_session_parse(const char *value, char ret[PK_SESSION_MAX])
{
	size_t n = value ? strcspn(value, " ") : 0;
	char text[PK_SESSION_MAX];
	uint8_t addr[16];

	if (!n || n >= sizeof(text))
		return false;
	memcpy(text, value, n);
	text[n] = '\0';
	text[strcspn(text, "%")] = '\0'; /* a zone is no part of the address */
	if (pk_ip_parse(text, addr) < 0)
		return false;
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

bool pk_session_find(const char *environ, size_t len, char ret[PK_SESSION_MAX])
{
	static const char *const names[] = { "SSH_CONNECTION=", "SSH_CLIENT=" };

	while (len) {
		size_t n = strnlen(environ, len);

		for (size_t i = 0; n < len && i < PK_ARRAY_SIZE(names); i++) {
			size_t name = strlen(names[i]);

			if (strncmp(environ, names[i], name) == 0 &&
			    pk_session_parse(environ + name, ret))
				return true;
		}
		n += n < len;
		environ += n;
		len -= n;
	}
	return false;
}

static bool find_in(int pid, char ret[PK_SESSION_MAX])
{
	_cleanup_free_ char *text = malloc(ENVIRON_MAX);
	_cleanup_close_ int fd = -1;
	char path[32];
	size_t n = 0;
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && text && n < ENVIRON_MAX &&
	       (got = read(fd, text + n, ENVIRON_MAX - n)) > 0)
		n += (size_t)got;
	return n && pk_session_find(text, n, ret);
}

/* Parent of a process: the fourth field of its stat, behind the name in brackets. 0: none. */
static int parent_of(int pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], text[512] = "";
	const char *behind;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f || !fread(text, 1, sizeof(text) - 1, f))
		return 0;
	behind = strrchr(text, ')');
	return behind && sscanf(behind + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

bool pk_session_address(char ret[PK_SESSION_MAX])
{
	int pid = getppid();

	if (pk_session_parse(getenv("PICKET_SESSION"), ret) ||
	    pk_session_parse(getenv("SSH_CONNECTION"), ret) ||
	    pk_session_parse(getenv("SSH_CLIENT"), ret))
		return true;
	for (int i = 0; i < ABOVE_MAX && pid > 1; i++, pid = parent_of(pid))
		if (find_in(pid, ret))
			return true;
	return false;
}
