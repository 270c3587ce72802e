/* SPDX-License-Identifier: Apache-2.0 */
/* All kinds of sinks. Order does not matter. */
#include "base/cleanup.h"
#include "sink/kinds.h"

#include <assert.h>

const struct pk_sink_kind *const pk_sink_kinds[] = {
	&pk_sink_file,   &pk_sink_stdout,  &pk_sink_journal,
	&pk_sink_syslog, &pk_sink_webhook, &pk_sink_nats,
};
const size_t pk_sink_kinds_n = PK_ARRAY_SIZE(pk_sink_kinds);

static_assert(PK_ARRAY_SIZE(pk_sink_kinds) <= PK_SINK_KINDS_MAX, "room for each");
