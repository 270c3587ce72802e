/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines to stderr or journald ("<N>" prefixes when stderr is the journal). Text is escaped. */
#pragma once

enum pk_log_level { PK_LOG_ERROR = 3, PK_LOG_WARN = 4, PK_LOG_NOTICE = 5, PK_LOG_INFO = 6, PK_LOG_DEBUG = 7 };

void pk_log_init(const char *name, enum pk_log_level max);
int pk_log_level_parse(const char *s, enum pk_log_level *ret_level); /* error warning notice info debug */
void pk_log(enum pk_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define pk_error(...) pk_log(PK_LOG_ERROR, __VA_ARGS__)
#define pk_warn(...) pk_log(PK_LOG_WARN, __VA_ARGS__)
#define pk_notice(...) pk_log(PK_LOG_NOTICE, __VA_ARGS__)
#define pk_info(...) pk_log(PK_LOG_INFO, __VA_ARGS__)
#define pk_debug(...) pk_log(PK_LOG_DEBUG, __VA_ARGS__)
