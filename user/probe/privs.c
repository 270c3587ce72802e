/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities by the kernel's own calls (capset(2), prctl(2)): two masks need no library. */
#include "probe/privs.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int set_caps(uint64_t mask)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = {};

	for (int i = 0; i < 2; i++)
		d[i].effective = d[i].permitted = (uint32_t)(mask >> (32 * i));
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

static uint64_t have_caps(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = {};

	if (syscall(SYS_capget, &h, d) < 0)
		return 0;
	return d[0].permitted | (uint64_t)d[1].permitted << 32;
}

/* The bounding set too, so that nothing we might execute gets them back. */
static int bound_caps(uint64_t mask)
{
	for (int c = 0; c < 64; c++) {
		if (mask & 1ULL << c)
			continue;
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 && errno != EINVAL && errno != EPERM)
			return -errno;
	}
	return 0;
}

int pk_privs_broker(void)
{
	/*
	 * SYS_ADMIN: setns and run-time statistics. SYS_PTRACE, DAC_READ_SEARCH: /proc of others.
	 * SETUID, SETGID, SETPCAP: a pipeline that is started again gives up its rights, too. KILL:
	 * it is another user's process.
	 */
	const uint64_t keep = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON | 1ULL << CAP_NET_ADMIN |
			      1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_PTRACE |
			      1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_KILL | 1ULL << CAP_SETUID |
			      1ULL << CAP_SETGID | 1ULL << CAP_SETPCAP;
	int r = bound_caps(keep);

	if (!r)
		r = set_caps(keep & have_caps());
	if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	return r;
}

bool pk_privs_user(const char *user, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *pw = getpwnam(user);

	/* Those of nobody. Root without capabilities would still own root's files. */
	*ret_uid = pw ? pw->pw_uid : 65534;
	*ret_gid = pw ? pw->pw_gid : 65534;
	return pw != NULL;
}

int pk_privs_none(const char *user)
{
	uid_t uid;
	gid_t gid;
	bool known = pk_privs_user(user, &uid, &gid);
	int r;

	r = bound_caps(0);
	if (r < 0)
		return r;
	r = known ? initgroups(user, gid) : setgroups(0, NULL);
	if (r < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	r = set_caps(0);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* Last: changing credentials clears it. */
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : 0;
}

int pk_privs_group(const char *name, gid_t *ret_gid)
{
	struct group *g = *name ? getgrnam(name) : NULL;

	if (!g)
		return -ENOENT;
	*ret_gid = g->gr_gid;
	return 0;
}
