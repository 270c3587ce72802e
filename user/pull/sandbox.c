/* SPDX-License-Identifier: Apache-2.0 */
/*
 * It may connect, but listen to nobody; start threads of its own, for libcurl resolves names in
 * them, but no process. Names are looked up in files and by DNS: other ways would load code, which
 * has an end with the sandbox.
 */
#include "pull/sandbox.h"

#include "base/cleanup.h"
#include "base/sandbox.h"
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <nss.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SOCK_KINDS 0xf /* of a socket's type; the rest are flags */

#define SOCKET(family, kind)                                                                       \
	{                                                                                          \
		.call = SCMP_SYS(socket), .args = 2,                                               \
		.arg = { SCMP_A0(SCMP_CMP_EQ, family),                                             \
			 SCMP_A1(SCMP_CMP_MASKED_EQ, SOCK_KINDS, kind) }                           \
	}

static const struct pk_sandbox_call calls[] = {
	SOCKET(AF_INET, SOCK_STREAM),
	SOCKET(AF_INET, SOCK_DGRAM),
	SOCKET(AF_INET6, SOCK_STREAM),
	SOCKET(AF_INET6, SOCK_DGRAM),
	/* threads tell each other by these that they are done */
	{ .call = SCMP_SYS(socketpair), .args = 1, .arg = { SCMP_A0(SCMP_CMP_EQ, AF_UNIX) } },
	{ .call = SCMP_SYS(eventfd2) },
	{ .call = SCMP_SYS(pipe2) },
	{ .call = SCMP_SYS(connect) },
	{ .call = SCMP_SYS(sendmmsg) },
	{ .call = SCMP_SYS(ioctl), .args = 1, .arg = { SCMP_A1(SCMP_CMP_EQ, FIONREAD) } },
	/* a thread; what clone3 would start can not be looked at: the library takes clone then */
	{ .call = SCMP_SYS(clone3), .error = ENOSYS },
	{ .call = SCMP_SYS(clone),
	  .args = 1,
	  .arg = { SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD) } },
	{ .call = SCMP_SYS(set_robust_list) },
	{ .call = SCMP_SYS(rseq) },
	{ .call = SCMP_SYS(sched_getaffinity) },
	{ .call = SCMP_SYS(sched_yield) },
	{ .call = SCMP_SYS(clock_nanosleep) },
	{ .call = SCMP_SYS(prctl), .args = 1, .arg = { SCMP_A0(SCMP_CMP_EQ, 15) } }, /* a name */
	/* files, as far as Landlock lets */
	{ .call = SCMP_SYS(openat) },
	{ .call = SCMP_SYS(newfstatat) },
	{ .call = SCMP_SYS(lseek) },
	{ .call = SCMP_SYS(uname) },
	{ .call = SCMP_SYS(sysinfo) },
};

static const char *const names[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
				     "/etc/host.conf", "/etc/gai.conf" };
/* of the system, by which servers of NATS are checked where nats.ca names none */
static const char *const authorities[] = { "/etc/ssl/certs", "/usr/share/ca-certificates",
					   "/usr/lib/ssl" };

/* The first ones of these; at last NULL. */
static const char *files[PK_ARRAY_SIZE(names) + PK_ARRAY_SIZE(authorities) + 3 + 1];
static size_t watched; /* of them: to be seen when they are replaced */
static bool could_read[PK_ARRAY_SIZE(files)];

static bool can_read(size_t i)
{
	_cleanup_close_ int fd = open(files[i], O_RDONLY | O_CLOEXEC);

	return fd >= 0;
}

static void list_files(const struct pk_conf *c)
{
	const char *const own[] = { c->nats_ca, c->nats_cert, c->nats_key };
	size_t n = 0;

	for (size_t i = 0; i < PK_ARRAY_SIZE(names); i++)
		files[n++] = names[i];
	for (size_t i = 0; c->nats_servers.n && i < PK_ARRAY_SIZE(own); i++)
		if (*own[i])
			files[n++] = own[i];
	for (watched = 0; watched < n; watched++)
		could_read[watched] = can_read(watched);
	for (size_t i = 0; c->nats_servers.n && !*c->nats_ca && i < PK_ARRAY_SIZE(authorities); i++)
		files[n++] = authorities[i];
}

int pk_pull_sandbox(const struct pk_conf *conf)
{
	list_files(conf);
	if (__nss_configure_lookup("hosts", "files dns") < 0)
		return -errno;
	return pk_sandbox_enter(&(struct pk_sandbox){
		.who = "pull", .calls = calls, .n = PK_ARRAY_SIZE(calls), .files = files });
}

bool pk_pull_is_blind(void)
{
	for (size_t i = 0; i < watched; i++)
		if (could_read[i] && !can_read(i) && errno == EACCES)
			return true;
	return false;
}
