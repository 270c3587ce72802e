/* SPDX-License-Identifier: Apache-2.0 */
/* What a cgroup path says about who runs in it: container runtime and id, pod, systemd unit. */
#pragma once

#include <stdbool.h>

enum pk_runtime {
	PK_RUNTIME_NONE = 0,
	PK_RUNTIME_DOCKER,
	PK_RUNTIME_CONTAINERD,
	PK_RUNTIME_PODMAN,
	PK_RUNTIME_CRIO,
	PK_RUNTIME_LXC,
	PK_RUNTIME_NSPAWN,
	PK_RUNTIME_OCI, /* a container, but the path does not tell whose */
	PK_RUNTIME_MAX
};

#define PK_CONTAINER_ID_LEN 80
#define PK_POD_UID_LEN      40
#define PK_UNIT_LEN         128

/*
 * The outermost container of the path: that name was given by the host's runtime, while what is
 * below it can be named by whoever is inside.
 */
struct pk_cgroup {
	enum pk_runtime runtime;
	bool rootless;                /* below a user's own slice: that user chose the name */
	bool nested;                  /* there is another container inside the container */
	char id[PK_CONTAINER_ID_LEN]; /* 64 hex digits, or the name (lxc, nspawn) */
	char pod[PK_POD_UID_LEN];     /* Kubernetes pod uid */
	char unit[PK_UNIT_LEN]; /* innermost systemd unit outside the container: "ssh.service" */
};

/* Any text; on a path that says nothing every member is empty. */
void pk_cgroup_parse(const char *path, struct pk_cgroup *ret);
const char *pk_runtime_name(enum pk_runtime r); /* "docker", ...; NULL for none */
