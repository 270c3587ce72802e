/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of detection, each detector's begin with its name. A second table beside schema.c's,
 * for the same reader.
 */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/schema.h"

#define MS  1000000ull
#define SEC (1000 * MS)

#define AT(m)       .offset = offsetof(struct pk_conf, m)
#define RANGE(a, b) .min = (a), .max = (b)

const char *const pk_conf_detectors[] = {
	"clear_text", "fileless", "miner", "wrong_port", "all", NULL,
};

const struct pk_conf_row pk_conf_detect[] = {
	{ "detect.off", PK_CONF_LIST, true, AT(detect_off), RANGE(0, 256), "",
	  .doc = "Detectors that do not run (`picket detectors` lists them).",
	  .choices = pk_conf_detectors },
	{ "detect.alerts", PK_CONF_COUNT, true, AT(alerts_max), RANGE(16, 100000), "4096", "alerts",
	  .doc = "Alerts kept in memory; the oldest goes first." },
	{ "detect.fold", PK_CONF_DURATION, true, AT(alerts_fold_ns), RANGE(SEC, 7 * 86400 * SEC),
	  "1h", .doc = "An alert that comes again within this time is counted in the first one." },
};
const size_t pk_conf_detect_len = PK_ARRAY_SIZE(pk_conf_detect);
