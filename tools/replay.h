/* SPDX-License-Identifier: Apache-2.0 */
/* The command that feeds captures to the kernel's packet program. */
#pragma once

int pk_replay_main(int argc, char **argv); /* exit status */
