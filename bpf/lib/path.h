/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * File names as the kernel holds them: a walk from the innermost name outwards, across mounts, up
 * to the root of the mount namespace. No lock is taken: a rename during the walk may mix old and
 * new names, which is why a program's identity is its inode and not its path.
 */
#ifndef PICKET_PATH_H
#define PICKET_PATH_H

#include "../kernel.h"

#include <picket/event.h>

#define PK_PATH_STEPS 48  /* names and mounts crossed; deeper paths are marked as truncated */
#define PK_PATH_NAME  256 /* NAME_MAX and its NUL */

static __always_inline struct mount *pk_mount_of(struct vfsmount *vfs)
{
	return vfs ? (struct mount *)((char *)vfs - bpf_core_field_offset(struct mount, mnt))
		   : NULL;
}

/*
 * Writes the names of path to dst, innermost first, each ended by NUL; returns the bytes used.
 * dst must be followed by at least PK_PATH_NAME bytes of the same record (the verifier bounds
 * offset and length apart); they are not written. Sets PK_EVF_TRUNCATED in flags when names are
 * missing.
 */
static __always_inline __u32 pk_path_fill(char *dst, __u32 size, const struct path *path,
					  __u16 *flags)
{
	struct dentry *dentry = BPF_CORE_READ(path, dentry);
	struct mount *mount = pk_mount_of(BPF_CORE_READ(path, mnt));
	__u32 off = 0;

	if (!dentry || !mount)
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < PK_PATH_STEPS; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		__u64 at = off, room;
		long n;

		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			struct mount *up = BPF_CORE_READ(mount, mnt_parent);

			if (!up || up == mount)
				return off;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = up;
			continue;
		}
		/* For the verifier (6.1): bound the copy that is added, not the one on the stack.
		 */
		barrier_var(at);
		if (at >= size)
			break;
		room = size - at;
		if (room > PK_PATH_NAME)
			room = PK_PATH_NAME;
		n = bpf_probe_read_kernel_str(dst + at, room, BPF_CORE_READ(dentry, d_name.name));
		if (n <= 0)
			break;
		off = at + n;
		if (dentry == parent) /* in no directory: memfd */
			return off;
		dentry = parent;
	}
	*flags |= PK_EVF_TRUNCATED;
	return off < size ? off : size;
}

#endif
