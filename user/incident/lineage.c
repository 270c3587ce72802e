/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the list of hubs; it keeps nothing. */
#include "incident/lineage.h"

#include "base/cleanup.h"
#include "enrich/process.h"

#include <string.h>

static const char *const hubs[] = {
	"systemd",
	"init",
	"sshd",
	"dropbear",
	"cron",
	"crond",
	"atd",
	"anacron",
	"inetd",
	"xinetd",
	"login",
	"agetty",
	"getty",
	"containerd",
	"crio",
	"dockerd",
	"conmon",
	"podman",
	"supervisord",
	"runsvdir",
	"gdm",
	"sddm",
	"lightdm",
	"dbus-daemon",
	"tmux: server",
	"screen",
	"s6-svscan",
	"containerd-shim",
	"containerd-shim-runc-v2",
};

static bool has_hub_name(const char *name)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(hubs); i++)
		if (strcmp(hubs[i], name) == 0)
			return true;
	return false;
}

/* The SSH server forks itself for each session: that child is the session, not the hub. */
bool pk_lineage_is_hub(const struct pk_processes *t, const struct pk_process *p)
{
	const struct pk_process *parent;

	if (p->id.tgid == 1 || (p->flags & PK_TASK_KTHREAD))
		return true;
	if (!has_hub_name(pk_process_name(p)) && !has_hub_name(p->comm))
		return false;
	parent = pk_process_parent(t, p);
	return !parent || strcmp(pk_process_name(parent), pk_process_name(p)) != 0;
}

size_t pk_lineage(const struct pk_processes *t, const struct pk_process *p,
		  const struct pk_process **ret, size_t max)
{
	size_t n = 0;

	while (p && n < max && !pk_lineage_is_hub(t, p)) {
		ret[n++] = p;
		p = pk_process_parent(t, p);
	}
	return n;
}
