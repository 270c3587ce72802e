/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel as Picket sees it: only the types and fields the programs read, relocated by CO-RE at
 * load time. It is also the audit list of kernel internals. UAPI types come from <linux/...>.
 * `tests/check` compares every field here with the BTF of each kernel under test.
 * Drift between kernels is handled here and nowhere else.
 */
#ifndef PICKET_KERNEL_H
#define PICKET_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#define __ksym_read __attribute__((preserve_access_index))

#endif
