/* SPDX-License-Identifier: Apache-2.0 */
/* Reads cgroup paths, part by part from the root. Pure: looks at no file. */
#include "enrich/cgroup.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define ID_HEX 64

struct part {
	const char *s;
	size_t len;
};

static bool is(struct part p, const char *s)
{
	return p.len == strlen(s) && memcmp(p.s, s, p.len) == 0;
}

static bool cut_prefix(struct part *p, const char *prefix)
{
	size_t n = strlen(prefix);

	if (p->len < n || memcmp(p->s, prefix, n) != 0)
		return false;
	p->s += n;
	p->len -= n;
	return true;
}

static bool cut_suffix(struct part *p, const char *suffix)
{
	size_t n = strlen(suffix);

	if (p->len < n || memcmp(p->s + p->len - n, suffix, n) != 0)
		return false;
	p->len -= n;
	return true;
}

static bool is_hex(struct part p)
{
	for (size_t i = 0; i < p.len; i++)
		if (!isdigit((unsigned char)p.s[i]) && (p.s[i] < 'a' || p.s[i] > 'f'))
			return false;
	return p.len > 0;
}

static bool is_id(struct part p)
{
	return p.len == ID_HEX && is_hex(p);
}

static void copy(char *dest, size_t cap, struct part p)
{
	size_t n = p.len < cap ? p.len : cap - 1;

	memcpy(dest, p.s, n);
	dest[n] = '\0';
}

/* systemd writes what must not be in a unit name as \xNN. */
static void copy_unescaped(char *dest, size_t cap, struct part p)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < p.len && n + 1 < cap; i++) {
		const char *hi, *lo;

		if (p.len - i >= 4 && p.s[i] == '\\' && p.s[i + 1] == 'x' && p.s[i + 2] &&
		    p.s[i + 3] && (hi = strchr(digits, p.s[i + 2])) &&
		    (lo = strchr(digits, p.s[i + 3]))) {
			dest[n++] = (hi - digits) << 4 | (lo - digits);
			i += 3;
		} else {
			dest[n++] = p.s[i];
		}
	}
	dest[n] = '\0';
}

static const struct {
	const char *name;
	enum pk_runtime runtime;
} makers[] = {
	{ "docker", PK_RUNTIME_DOCKER },
	{ "cri-containerd", PK_RUNTIME_CONTAINERD },
	{ "containerd", PK_RUNTIME_CONTAINERD },
	{ "nerdctl", PK_RUNTIME_CONTAINERD },
	{ "crio", PK_RUNTIME_CRIO },
	{ "libpod", PK_RUNTIME_PODMAN },
	{ "libpod-payload", PK_RUNTIME_PODMAN },
	{ "buildah", PK_RUNTIME_PODMAN },
	{ "k8s.io", PK_RUNTIME_CONTAINERD },
	{ "moby", PK_RUNTIME_DOCKER },
	{ "default", PK_RUNTIME_CONTAINERD },
};

static enum pk_runtime maker_of(struct part p)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(makers); i++)
		if (is(p, makers[i].name))
			return makers[i].runtime;
	return PK_RUNTIME_NONE;
}

/* "MAKER-ID.scope", "MAKER-ID", "SLICE:MAKER:ID" */
static enum pk_runtime match_made(struct part p, struct part *ret_id)
{
	const char *colon;
	struct part id = p;
	enum pk_runtime r;

	cut_suffix(&p, ".scope");
	if (p.len <= ID_HEX + 1)
		return PK_RUNTIME_NONE;
	id = (struct part){ p.s + p.len - ID_HEX, ID_HEX };
	if (!is_id(id) || !strchr("-:", id.s[-1]))
		return PK_RUNTIME_NONE;
	p.len -= ID_HEX + 1;
	if (id.s[-1] == ':') {
		colon = memrchr(p.s, ':', p.len);
		if (colon) {
			p.len -= colon + 1 - p.s;
			p.s = colon + 1;
		}
	}
	r = maker_of(p);
	if (r)
		*ret_id = id;
	return r;
}

/* A bare id tells its maker by what is above it. */
static enum pk_runtime match_bare(struct part p, struct part parent, struct part *ret_id)
{
	enum pk_runtime r = maker_of(parent);

	if (is_id(p)) {
		*ret_id = p;
		return r ? r : PK_RUNTIME_OCI;
	}
	if (is(parent, "buildkit") && p.len >= 20 && p.len < 30) {
		*ret_id = p;
		return PK_RUNTIME_DOCKER;
	}
	return PK_RUNTIME_NONE;
}

/* Containers that have a name for an id. */
static enum pk_runtime match_named(struct part p, struct part parent, bool top, struct part *ret_id)
{
	struct part id = p;

	if (cut_prefix(&id, "lxc.payload.") ||
	    (top && (is(parent, "lxc") || is(parent, "lxc.payload")))) {
		*ret_id = id;
		return id.len ? PK_RUNTIME_LXC : PK_RUNTIME_NONE;
	}
	if (cut_prefix(&id, "systemd-nspawn@") && cut_suffix(&id, ".service") && id.len) {
		*ret_id = id;
		return PK_RUNTIME_NSPAWN;
	}
	id = p;
	if (is(parent, "machine.slice") && cut_prefix(&id, "machine-") &&
	    cut_suffix(&id, ".scope") && id.len) {
		struct part vm = id;

		*ret_id = id;
		return cut_prefix(&vm, "qemu\\x2d") ? PK_RUNTIME_NONE : /* a virtual machine */
			       cut_prefix(&vm, "lxc\\x2d") ? PK_RUNTIME_LXC
							   : PK_RUNTIME_NSPAWN;
	}
	return PK_RUNTIME_NONE;
}

/* "podUID" or "kubepods-burstable-podUID_WITH_UNDERSCORES.slice" */
static void match_pod(struct part p, struct pk_cgroup *ret)
{
	cut_suffix(&p, ".slice");
	for (const char *at = p.s + p.len; at >= p.s + 3; at--) {
		struct part uid = { at, p.s + p.len - at };

		if (memcmp(at - 3, "pod", 3) != 0 || (at - 3 > p.s && at[-4] != '-'))
			continue;
		if (uid.len != 36 && !(uid.len == 32 && is_hex(uid)))
			continue;
		copy(ret->pod, sizeof(ret->pod), uid);
		for (char *c = ret->pod; *c; c++)
			if (*c == '_')
				*c = '-';
		return;
	}
}

static bool is_unit(struct part p)
{
	static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

	for (size_t i = 0; i < PK_ARRAY_SIZE(kinds); i++) {
		struct part name = p;

		if (cut_suffix(&name, kinds[i]) && name.len)
			return true;
	}
	return false;
}

static enum pk_runtime match_any(struct part p, struct part parent, bool top, struct part *ret_id)
{
	enum pk_runtime r = match_made(p, ret_id);

	r = r ? r : match_bare(p, parent, ret_id);
	return r ? r : match_named(p, parent, top, ret_id);
}

void pk_cgroup_parse(const char *path, struct pk_cgroup *ret)
{
	struct part parent = { "", 0 }, id = { "", 0 };
	unsigned depth = 0;

	*ret = (struct pk_cgroup){ 0 };
	while (*path) {
		struct part p = { path, strcspn(path, "/") };
		enum pk_runtime r;

		path += p.len;
		path += strspn(path, "/");
		if (!p.len)
			continue;
		r = match_any(p, parent, depth == 1, &id);
		if (ret->runtime) {
			if (r) {
				ret->nested = true;
				return;
			}
		} else if (r) {
			ret->runtime = r;
			copy_unescaped(ret->id, sizeof(ret->id), id);
		} else {
			struct part user = p;

			match_pod(p, ret);
			if (is(parent, "user.slice") && cut_prefix(&user, "user-"))
				ret->rootless = true;
		}
		if (!ret->runtime && is_unit(p))
			copy(ret->unit, sizeof(ret->unit), p);
		parent = p;
		depth++;
	}
	ret->rootless &= ret->runtime != PK_RUNTIME_NONE;
}

const char *pk_runtime_name(enum pk_runtime r)
{
	static const char *const names[] = {
		[PK_RUNTIME_DOCKER] = "docker", [PK_RUNTIME_CONTAINERD] = "containerd",
		[PK_RUNTIME_PODMAN] = "podman", [PK_RUNTIME_CRIO] = "crio",
		[PK_RUNTIME_LXC] = "lxc",       [PK_RUNTIME_NSPAWN] = "systemd-nspawn",
		[PK_RUNTIME_OCI] = "oci",
	};

	return r < PK_RUNTIME_MAX ? names[r] : NULL;
}
