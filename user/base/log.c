/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line to stderr for each message, written by one write(2), escaped as a whole: callers pass
 * raw text. It does not rotate, buffer or filter by module.
 */
#include "base/log.h"

#include "base/buf.h"
#include "base/escape.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_LINE_MAX 4096

static const char *const level_names[] = {
	[PK_LOG_ERROR] = "error", [PK_LOG_WARN] = "warning", [PK_LOG_NOTICE] = "notice",
	[PK_LOG_INFO] = "info",   [PK_LOG_DEBUG] = "debug",
};

static struct {
	const char *name;
	enum pk_log_level max;
	bool journal;
} log_to = { "picket", PK_LOG_INFO, false };

/* systemd names the journal's socket by device and inode, so that a redirect is noticed. */
static bool stderr_is_journal(void)
{
	const char *env = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!env || sscanf(env, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

void pk_log_init(const char *name, enum pk_log_level max)
{
	log_to.name = name;
	log_to.max = max;
	log_to.journal = stderr_is_journal();
}

void pk_log_target_set(enum pk_log_target target)
{
	log_to.journal =
		target == PK_LOG_TO_AUTO ? stderr_is_journal() : target == PK_LOG_TO_JOURNAL;
}

int pk_log_level_parse(const char *s, enum pk_log_level *ret_level)
{
	for (int i = PK_LOG_ERROR; i <= PK_LOG_DEBUG; i++) {
		if (strcmp(s, level_names[i]) == 0) {
			*ret_level = i;
			return 0;
		}
	}
	return -EINVAL;
}

void pk_log(enum pk_log_level level, const char *fmt, ...)
{
	struct pk_buf line = { 0 };
	char text[LOG_LINE_MAX];
	int saved = errno;
	va_list ap;
	int n;

	if (level > log_to.max || level < PK_LOG_ERROR)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (log_to.journal)
		pk_buf_fmt(&line, "<%d>", level);
	else
		pk_buf_fmt(&line, "%s: %s: ", log_to.name, level_names[level]);
	pk_escape_text(&line, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
	if ((size_t)n >= sizeof(text))
		pk_buf_str(&line, " [cut]");
	pk_buf_char(&line, '\n');
	if (!line.error)
		(void)!write(STDERR_FILENO, line.data, line.len); /* nowhere left to complain */
	pk_buf_done(&line);
	errno = saved;
}
