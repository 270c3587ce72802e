/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file of any bytes: loaded or refused with a complaint, and printable after.
 * fuzz-links: user/conf/conf.c user/conf/load.c user/conf/value.c user/conf/schema.c
 * fuzz-links: user/conf/schema_detect.c user/conf/schema_gate.c user/conf/schema_incident.c
 * fuzz-links: user/conf/schema_sign.c user/conf/schema_nats.c user/conf/schema_hub.c
 * fuzz-links: user/conf/schema_pull.c user/conf/pull.c user/conf/threshold.c user/conf/deadline.c
 * fuzz-links: user/base/buf.c user/base/escape.c user/base/ip.c
 */
#include "conf/conf.h"
#include "base/buf.h"
#include "conf/schema.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_conf *c = pk_conf_new(), *again = pk_conf_new();
	struct pk_buf errors = { 0 }, out = { 0 };
	int r = pk_conf_load_text(c, "f", (const char *)data, size, &errors);

	if ((r < 0) != (errors.len > 0))
		abort();
	pk_conf_print(c, &out);
	errors.len = 0;
	if (r == 0 && pk_conf_load_text(again, "f", out.data, out.len, &errors) < 0)
		abort();
	pk_buf_done(&errors);
	pk_buf_done(&out);
	pk_conf_free(c);
	pk_conf_free(again);
	return 0;
}
