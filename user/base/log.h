/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines to stderr or journald ("<N>" prefixes when stderr is the journal). Text is escaped. */
#pragma once

enum pk_log_level {
	PK_LOG_ERROR = 3,
	PK_LOG_WARN = 4,
	PK_LOG_NOTICE = 5,
	PK_LOG_INFO = 6,
	PK_LOG_DEBUG = 7
};

/* How lines begin: name and level, or the journal's "<N>". AUTO asks whether stderr is the journal.
 */
enum pk_log_target { PK_LOG_TO_AUTO, PK_LOG_TO_STDERR, PK_LOG_TO_JOURNAL };

void pk_log_init(const char *name, enum pk_log_level max); /* target AUTO; name is borrowed */
void pk_log_target_set(enum pk_log_target target);
int pk_log_level_parse(const char *s,
		       enum pk_log_level *ret_level); /* error warning notice info debug */
void pk_log(enum pk_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define pk_error(...)  pk_log(PK_LOG_ERROR, __VA_ARGS__)
#define pk_warn(...)   pk_log(PK_LOG_WARN, __VA_ARGS__)
#define pk_notice(...) pk_log(PK_LOG_NOTICE, __VA_ARGS__)
#define pk_info(...)   pk_log(PK_LOG_INFO, __VA_ARGS__)
#define pk_debug(...)  pk_log(PK_LOG_DEBUG, __VA_ARGS__)
