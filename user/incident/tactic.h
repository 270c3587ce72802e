/* SPDX-License-Identifier: Apache-2.0 */
/* What an attacker wants with a technique: the tactics of ATT&CK 19.1, in the order of an attack.
 */
#pragma once

#include <stdint.h>

enum pk_tactic {
	PK_TACTIC_RECONNAISSANCE,
	PK_TACTIC_DISCOVERY,
	PK_TACTIC_CREDENTIALS,
	PK_TACTIC_ENTRY,
	PK_TACTIC_EXECUTION,
	PK_TACTIC_PERSISTENCE,
	PK_TACTIC_PRIVILEGES,
	PK_TACTIC_STEALTH,
	PK_TACTIC_IMPAIRMENT,
	PK_TACTIC_LATERAL,
	PK_TACTIC_COLLECTION,
	PK_TACTIC_CONTROL,
	PK_TACTIC_EXFILTRATION,
	PK_TACTIC_IMPACT,
	PK_TACTICS /* also: of no tactic that we know */
};

/* Of "T1059.004"; PK_TACTICS: unknown. A technique of several tactics has the one that a sensor on
 * the host is most likely to mean. */
enum pk_tactic pk_tactic_of(const char *technique);
const char *pk_tactic_uid(enum pk_tactic t);  /* "TA0002"; NULL */
const char *pk_tactic_name(enum pk_tactic t); /* "Execution"; NULL */
