/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/cgroup.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define A              "3f2a9c0d7b1e4f5a8c6d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b"
#define B              "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
#define POD            "5d9a8f4e-1c2b-4a3d-9e8f-7a6b5c4d3e2f"
#define POD_UNDERLINED "5d9a8f4e_1c2b_4a3d_9e8f_7a6b5c4d3e2f"
#define USER           "/user.slice/user-1000.slice/user@1000.service"

struct row {
	const char *path;
	enum pk_runtime runtime;
	const char *id, *pod, *unit;
	bool rootless, nested;
};

/* clang-format off */
static const struct row rows[] = {
	/* no container */
	{ "", 0, "", "", "", 0, 0 },
	{ "/", 0, "", "", "", 0, 0 },
	{ "/init.scope", 0, "", "", "init.scope", 0, 0 },
	{ "/system.slice/ssh.service", 0, "", "", "ssh.service", 0, 0 },
	{ "/system.slice/system-getty.slice/getty@tty1.service", 0, "", "", "getty@tty1.service", 0, 0 },
	{ "/user.slice/user-1000.slice/session-3.scope", 0, "", "", "session-3.scope", 0, 0 },
	{ USER "/app.slice/app-gnome-firefox-4242.scope", 0, "", "", "app-gnome-firefox-4242.scope", 0, 0 },
	{ "/system.slice/docker.service", 0, "", "", "docker.service", 0, 0 },
	{ "/system.slice/containerd.service", 0, "", "", "containerd.service", 0, 0 },
	{ "/docker", 0, "", "", "", 0, 0 },
	{ "/lxc", 0, "", "", "", 0, 0 },
	{ "/lxc.monitor.web", 0, "", "", "", 0, 0 },
	{ "/kubepods.slice/kubepods-burstable.slice", 0, "", "", "", 0, 0 },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dvm1.scope", 0, "", "", "machine-qemu\\x2d1\\x2dvm1.scope", 0, 0 },
	{ "/machine.slice/libpod-conmon-" A ".scope", 0, "", "", "libpod-conmon-" A ".scope", 0, 0 },
	{ "/system.slice/run-r3f2a9c0d7b1e4f5a8c6d2e1f0a9b8c7d.scope", 0, "", "", "run-r3f2a9c0d7b1e4f5a8c6d2e1f0a9b8c7d.scope", 0, 0 },
	/* docker */
	{ "/docker/" A, PK_RUNTIME_DOCKER, A, "", "", 0, 0 },
	{ "/system.slice/docker-" A ".scope", PK_RUNTIME_DOCKER, A, "", "", 0, 0 },
	{ "/system.slice/docker-" A ".scope/init.scope", PK_RUNTIME_DOCKER, A, "", "", 0, 0 },
	{ "/system.slice/docker-" A ".scope/system.slice/nginx.service", PK_RUNTIME_DOCKER, A, "", "", 0, 0 },
	{ USER "/user.slice/docker-" A ".scope", PK_RUNTIME_DOCKER, A, "", "user@1000.service", 1, 0 },
	{ "/docker/buildkit/ux4ncw2y1l8rt0p9q5m3k7j6h", PK_RUNTIME_DOCKER, "ux4ncw2y1l8rt0p9q5m3k7j6h", "", "", 0, 0 },
	{ "/docker/" A "/docker/" B, PK_RUNTIME_DOCKER, A, "", "", 0, 1 },
	{ "/docker/" A "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" POD_UNDERLINED ".slice/cri-containerd-" B ".scope", PK_RUNTIME_DOCKER, A, "", "", 0, 1 },
	{ "/system.slice/docker.service/docker/" A, PK_RUNTIME_DOCKER, A, "", "docker.service", 0, 0 },
	/* kubernetes */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_UNDERLINED ".slice/cri-containerd-" A ".scope", PK_RUNTIME_CONTAINERD, A, POD, "", 0, 0 },
	{ "/kubepods.slice/kubepods-pod" POD_UNDERLINED ".slice/crio-" A ".scope", PK_RUNTIME_CRIO, A, POD, "", 0, 0 },
	{ "/kubepods.slice/kubepods-pod" POD_UNDERLINED ".slice/crio-conmon-" A ".scope", 0, "", POD, "crio-conmon-" A ".scope", 0, 0 },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD_UNDERLINED ".slice/docker-" A ".scope", PK_RUNTIME_DOCKER, A, POD, "", 0, 0 },
	{ "/kubepods/besteffort/pod" POD "/" A, PK_RUNTIME_OCI, A, POD, "", 0, 0 },
	{ "/kubepods/pod" POD "/crio-" A, PK_RUNTIME_CRIO, A, POD, "", 0, 0 },
	{ "/kubepods/burstable/pod3f2a9c0d7b1e4f5a8c6d2e1f0a9b8c7d/" A, PK_RUNTIME_OCI, A, "3f2a9c0d7b1e4f5a8c6d2e1f0a9b8c7d", "", 0, 0 },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" POD_UNDERLINED ".slice:cri-containerd:" A, PK_RUNTIME_CONTAINERD, A, "", "containerd.service", 0, 0 },
	/* containerd alone */
	{ "/system.slice/nerdctl-" A ".scope", PK_RUNTIME_CONTAINERD, A, "", "", 0, 0 },
	{ "/default/" A, PK_RUNTIME_CONTAINERD, A, "", "", 0, 0 },
	{ "system.slice:docker:" A, PK_RUNTIME_DOCKER, A, "", "", 0, 0 },
	/* podman */
	{ "/machine.slice/libpod-" A ".scope", PK_RUNTIME_PODMAN, A, "", "", 0, 0 },
	{ "/machine.slice/libpod-" A ".scope/container", PK_RUNTIME_PODMAN, A, "", "", 0, 0 },
	{ "/libpod_parent/libpod-" A, PK_RUNTIME_PODMAN, A, "", "", 0, 0 },
	{ "/system.slice/web.service/libpod-payload-" A, PK_RUNTIME_PODMAN, A, "", "web.service", 0, 0 },
	{ USER "/user.slice/libpod-" A ".scope/container", PK_RUNTIME_PODMAN, A, "", "user@1000.service", 1, 0 },
	/* others */
	{ "/lxc/web", PK_RUNTIME_LXC, "web", "", "", 0, 0 },
	{ "/lxc/web/system.slice/ssh.service", PK_RUNTIME_LXC, "web", "", "", 0, 0 },
	{ "/lxc.payload.web-1", PK_RUNTIME_LXC, "web-1", "", "", 0, 0 },
	{ "/lxc.payload/web/init.scope", PK_RUNTIME_LXC, "web", "", "", 0, 0 },
	{ "/lxc.payload.web/docker/" A, PK_RUNTIME_LXC, "web", "", "", 0, 1 },
	{ "/machine.slice/systemd-nspawn@deb12.service/payload/system.slice/ssh.service", PK_RUNTIME_NSPAWN, "deb12", "", "", 0, 0 },
	{ "/machine.slice/machine-my\\x2dbox.scope/payload", PK_RUNTIME_NSPAWN, "my-box", "", "", 0, 0 },
	{ "/machine.slice/machine-lxc\\x2d42\\x2dvm.scope", PK_RUNTIME_LXC, "lxc-42-vm", "", "", 0, 0 },
	{ "/ecs/" POD "/" A, PK_RUNTIME_OCI, A, "", "", 0, 0 },
	/* close, but not it */
	{ "/system.slice/docker-3f2a9c0d7b1e.scope", 0, "", "", "docker-3f2a9c0d7b1e.scope", 0, 0 },
	{ "/system.slice/evil-" A ".scope", 0, "", "", "evil-" A ".scope", 0, 0 },
	{ "/system.slice/docker" A ".scope", 0, "", "", "docker" A ".scope", 0, 0 },
	{ "/a/lxc/b", 0, "", "", "", 0, 0 },
	{ "/tripod/x", 0, "", "", "", 0, 0 },
	{ "//docker///" A "//", PK_RUNTIME_DOCKER, A, "", "", 0, 0 },
};
/* clang-format on */

static void test_real_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		const struct row *t = &rows[i];
		struct pk_cgroup g;

		pk_cgroup_parse(t->path, &g);
		if (g.runtime != t->runtime || strcmp(g.id, t->id) || strcmp(g.pod, t->pod) ||
		    strcmp(g.unit, t->unit) || g.rootless != t->rootless || g.nested != t->nested)
			fail_msg("%s: runtime %d id %s pod %s unit %s rootless %d nested %d",
				 t->path, g.runtime, g.id, g.pod, g.unit, g.rootless, g.nested);
	}
}

static void test_long_names_are_cut(void **state)
{
	static char path[4096];
	struct pk_cgroup g;

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	memcpy(path, "/lxc/", 5);
	pk_cgroup_parse(path, &g);
	assert_int_equal(g.runtime, PK_RUNTIME_LXC);
	assert_int_equal(strlen(g.id), PK_CONTAINER_ID_LEN - 1);
	memcpy(path + sizeof(path) - 9, ".service", 8);
	path[4] = 'x';
	pk_cgroup_parse(path, &g);
	assert_int_equal(strlen(g.unit), PK_UNIT_LEN - 1);
}

static void test_names(void **state)
{
	(void)state;
	assert_null(pk_runtime_name(PK_RUNTIME_NONE));
	assert_null(pk_runtime_name(PK_RUNTIME_MAX));
	for (int i = PK_RUNTIME_NONE + 1; i < PK_RUNTIME_MAX; i++)
		assert_non_null(pk_runtime_name(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_paths),
		cmocka_unit_test(test_long_names_are_cut),
		cmocka_unit_test(test_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
