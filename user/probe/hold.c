/* SPDX-License-Identifier: Apache-2.0 */
/* Knows the order: programs first, then maps, then links. A kill between any two leaves hooks that
 * enforce. */
#include "probe/hold.h"

#include "probe/attach.h"
#include "probe/object.h"
#include "probe/pins.h"
#include "probe/spaces.h"

#include <errno.h>

static int pin_maps(const struct pk_hold *h)
{
	struct pk_pins_meta meta;

	pk_object_meta(h->obj, &meta);
	return pk_pins_hold(h->pins, pk_object_bpf(h->obj), &meta);
}

int pk_hold_set(const struct pk_hold *h, bool on)
{
	int r;

	if (pk_pins_is_waiting(h->pins)) {
		/* The new programs know all that the old ones enforced: now they may take over. */
		pk_pins_settle(h->pins);
		pk_attach_renew(h->hooks, h->obj);
		pk_spaces_renew(h->spaces);
	}
	if (!on) {
		pk_pins_release(h->pins);
		return 0;
	}
	r = pin_maps(h);
	if (r < 0)
		return r;
	(void)pk_attach_pin(h->hooks);
	(void)pk_spaces_pin(h->spaces);
	return 0;
}

bool pk_hold_check(const struct pk_hold *h)
{
	if (!pk_pins_is_held(h->pins) || pk_pins_is_waiting(h->pins))
		return true;
	/* Interfaces look after their own. */
	return pk_pins_are_whole(h->pins, pk_object_bpf(h->obj)) && !pk_attach_pin(h->hooks);
}
