/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of alerts, for whoever prints OCSF Detection Findings as a table. */
#pragma once

#include "table.h"

extern const struct pk_column pk_alert_columns[];
extern const size_t pk_alert_columns_n;
