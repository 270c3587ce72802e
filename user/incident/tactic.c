/* SPDX-License-Identifier: Apache-2.0 */
/* The two tables: tactics, and techniques by the five characters of their number. */
#include "incident/tactic.h"

#include "base/cleanup.h"

#include <string.h>

static const struct {
	const char *uid, *name;
} tactics[PK_TACTICS] = {
	[PK_TACTIC_RECONNAISSANCE] = { "TA0043", "Reconnaissance" },
	[PK_TACTIC_DISCOVERY] = { "TA0007", "Discovery" },
	[PK_TACTIC_CREDENTIALS] = { "TA0006", "Credential Access" },
	[PK_TACTIC_ENTRY] = { "TA0001", "Initial Access" },
	[PK_TACTIC_EXECUTION] = { "TA0002", "Execution" },
	[PK_TACTIC_PERSISTENCE] = { "TA0003", "Persistence" },
	[PK_TACTIC_PRIVILEGES] = { "TA0004", "Privilege Escalation" },
	[PK_TACTIC_STEALTH] = { "TA0005", "Stealth" },
	[PK_TACTIC_IMPAIRMENT] = { "TA0112", "Defense Impairment" },
	[PK_TACTIC_LATERAL] = { "TA0008", "Lateral Movement" },
	[PK_TACTIC_COLLECTION] = { "TA0009", "Collection" },
	[PK_TACTIC_CONTROL] = { "TA0011", "Command and Control" },
	[PK_TACTIC_EXFILTRATION] = { "TA0010", "Exfiltration" },
	[PK_TACTIC_IMPACT] = { "TA0040", "Impact" },
};

static const struct {
	enum pk_tactic tactic;
	const char *techniques;
} table[] = {
	{ PK_TACTIC_RECONNAISSANCE, "T1589 T1590 T1592 T1593 T1594 T1595 T1596" },
	{ PK_TACTIC_DISCOVERY, "T1007 T1016 T1018 T1033 T1046 T1049 T1057 T1082 T1083 T1087 T1135 "
			       "T1518 T1580 T1613" },
	{ PK_TACTIC_CREDENTIALS, "T1003 T1040 T1110 T1552 T1555 T1556 T1557" },
	{ PK_TACTIC_ENTRY, "T1078 T1133 T1189 T1190 T1195 T1199 T1200" },
	{ PK_TACTIC_EXECUTION, "T1059 T1106 T1129 T1203 T1204 T1609 T1610" },
	{ PK_TACTIC_PERSISTENCE,
	  "T1037 T1053 T1098 T1136 T1176 T1205 T1505 T1542 T1543 T1546 T1547 "
	  "T1554 T1574" },
	{ PK_TACTIC_PRIVILEGES, "T1055 T1068 T1548 T1611" },
	{ PK_TACTIC_STEALTH, "T1014 T1027 T1036 T1070 T1140 T1218 T1222 T1564 T1620" },
	{ PK_TACTIC_IMPAIRMENT, "T1685 T1686 T1690" },
	{ PK_TACTIC_LATERAL, "T1021 T1080 T1210 T1534 T1563 T1570" },
	{ PK_TACTIC_COLLECTION, "T1005 T1039 T1056 T1074 T1113 T1114 T1115 T1119 T1560" },
	{ PK_TACTIC_CONTROL, "T1001 T1008 T1071 T1090 T1092 T1095 T1102 T1104 T1105 T1132 T1219 "
			     "T1568 T1571 T1572 T1573 T1659" },
	{ PK_TACTIC_EXFILTRATION, "T1011 T1020 T1029 T1030 T1041 T1048 T1052 T1537 T1567" },
	{ PK_TACTIC_IMPACT, "T1485 T1486 T1489 T1490 T1491 T1495 T1496 T1498 T1499 T1529 T1531 "
			    "T1565" },
};

enum pk_tactic pk_tactic_of(const char *technique)
{
	char id[6] = "";

	if (!technique || strlen(technique) < 5)
		return PK_TACTICS;
	memcpy(id, technique, 5);
	for (size_t i = 0; i < PK_ARRAY_SIZE(table); i++)
		if (strstr(table[i].techniques, id))
			return table[i].tactic;
	return PK_TACTICS;
}

const char *pk_tactic_uid(enum pk_tactic t)
{
	return t < PK_TACTICS ? tactics[t].uid : NULL;
}

const char *pk_tactic_name(enum pk_tactic t)
{
	return t < PK_TACTICS ? tactics[t].name : NULL;
}
