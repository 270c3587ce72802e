/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fits the process and socket programs to the running kernel: which of the optional ones it has the
 * tracepoint for, how tracepoints that changed are made, and the numbers of system calls.
 */
#pragma once

struct picket_bpf;

/*
 * Between open and load of the object. Optional programs (SEC "?tp_btf/...", off by default) are
 * turned on where the kernel has their tracepoint; the others are left alone. -errno when the
 * kernel's BTF can not be read (then nothing was changed).
 */
int pk_hooks_prepare(struct picket_bpf *skel);
