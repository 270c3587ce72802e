/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loaded instance of the BPF object: table size, hash key, namespace, which programs, whose
 * maps; and the sweep. Attaching, links and rings belong to the caller.
 */
#pragma once

#include <picket/map.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct bpf_program;
struct pk_pins;
struct pk_pins_meta;
struct picket_bpf;
struct pk_object;

/* The packet programs. Whichever XDP program the kernel takes is behind pk_object_xdp(). */
#define PK_PROG_XDP        "pk_xdp"     /* with fragments (5.18) */
#define PK_PROG_XDP_LINEAR "pk_xdp_lin" /* without: jumbo frames refuse it */
#define PK_PROG_TC_IN      "pk_tc_in"
#define PK_PROG_TC_OUT     "pk_tc_out"
#define PK_PROG_TC_IN_L3   "pk_tc_in_l3" /* for devices without an Ethernet header */
#define PK_PROG_TC_OUT_L3  "pk_tc_out_l3"
#define PK_PROG_SWEEP      "pk_sweep"
#define PK_PROG_MARK       "pk_mark"
#define PK_PROG_DRAIN      "pk_drain"

struct pk_object_opts {
	uint32_t slots; /* of the flow table, rounded up to what the table allows; 0: 65,536 */
	uint64_t netns; /* cookie that flows of this instance carry */
	bool replaying; /* time and wire length from pk_replay */
	/* Names of programs to load, NULL ended; NULL: all. Either XDP name means what loads here.
	 */
	const char *const *progs;
	/* Take maps, table size and hash key from this loaded instance, which may be freed first.
	 */
	const struct pk_object *share;
	/* The same from what is pinned, if it fits; NULL: from nowhere. */
	struct pk_pins *pins;
};

/*
 * Opens the embedded object and applies opts; nothing is in the kernel yet, so that the caller may
 * still choose programs and map sizes through pk_object_skel() or pk_object_autoload().
 */
int pk_object_open(const struct pk_object_opts *opts, struct pk_object **ret);

/* Creates maps, loads the chosen programs and (unless maps are shared) writes default knobs. */
int pk_object_load(struct pk_object *o);

/* Detaches what the skeleton attached, closes all. NULL is fine. */
void pk_object_free(struct pk_object *o);

/* -ENOENT when there is no such program. Before load only. */
int pk_object_autoload(struct pk_object *o, const char *prog, bool load);

/* Borrowed. The skeleton is declared in picket.skel.h. */
struct picket_bpf *pk_object_skel(const struct pk_object *o);
struct bpf_object *pk_object_bpf(const struct pk_object *o);

/* The XDP program that this kernel takes, whether chosen for load or not. */
struct bpf_program *pk_object_xdp(const struct pk_object *o);

/* Descriptor of a loaded program or of a map, or -ENOENT. Borrowed. */
int pk_object_prog_fd(const struct pk_object *o, const char *name);
int pk_object_map_fd(const struct pk_object *o, const char *name);

/* What a later process must know to work with the maps. */
void pk_object_meta(const struct pk_object *o, struct pk_pins_meta *ret);

/* Slots the table really has. */
uint32_t pk_object_slots(const struct pk_object *o);

/* Defaults for a table of that many slots. */
void pk_knobs_default(struct pk_knobs *ret, uint32_t slots);
int pk_object_set_knobs(const struct pk_object *o, const struct pk_knobs *knobs);

/*
 * One sweep over the flow table: reports into pk_rb_flow, frees what ended. In: now_ns (0: now;
 * replay: the capture's clock), flush. Out: the counts. While ring_full is not 0, read the ring and
 * call again: nothing is freed unreported. An ended flow is freed by a later sweep, at least 200 ms
 * after, when no packet program can still hold it; when replaying and with flush, at once: flush
 * only when the packet programs are detached.
 */
int pk_object_sweep(const struct pk_object *o, struct pk_sweep_ctx *ctx);

/* Marks one flow, or all there are. Out: found. */
int pk_object_mark(const struct pk_object *o, struct pk_mark_ctx *ctx);
