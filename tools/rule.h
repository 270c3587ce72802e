/* SPDX-License-Identifier: Apache-2.0 */
/* `picket rule`: its subcommands. */
#pragma once

#include "command.h"

extern const struct pk_command pk_cmd_rule_ls;
extern const struct pk_command pk_cmd_rule_check;
extern const struct pk_command pk_cmd_rule_test;
