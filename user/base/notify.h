/* SPDX-License-Identifier: Apache-2.0 */
/* The readiness protocol of systemd (sd_notify(3)), without its library. */
#pragma once

#include <stdint.h>

/* Sends e.g. "READY=1" to $NOTIFY_SOCKET. 0 when sent or when nobody asked; -errno else. */
int pk_notify(const char *state);

/* How often the watchdog wants to hear of this process, 0: not at all. */
uint64_t pk_notify_watchdog_ns(void);
