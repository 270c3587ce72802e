/* SPDX-License-Identifier: Apache-2.0 */
/* The list of verbs. Commands are split at blanks; quotes, variables and the rest of a shell's
 * language mean nothing here and are refused. */
#include "respond/verb.h"

#include "base/cleanup.h"
#include "conf/schema.h"

#include <picket/block.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX 8

static const struct {
	const char *name, *object; /* the variable it is about; NULL: none */
	const char *options;       /* with blanks between */
	int class_uid, activity;
} verbs[PK_VERBS] = {
	[PK_VERB_BLOCK] = { "block", "__remote__:value", "--ttl --dir", 7004, 1 },
	[PK_VERB_CUT] = { "cut", "__remote__:value", "", 7004, 2 },
	[PK_VERB_SUSPEND] = { "suspend", "__pid__:value", "--ttl", 7003, 2 },
	[PK_VERB_SNAPSHOT] = { "snapshot", "__incident__:value", "", 0, 0 },
	[PK_VERB_ISOLATE] = { "isolate", NULL, "--ttl", 7004, 1 },
	[PK_VERB_VERIFY] = { "verify", "__incident__:value", "", 0, 0 },
	[PK_VERB_TELL] = { "tell", "__incident__:value", "", 0, 0 },
};

const char *pk_verb_name(enum pk_verb v)
{
	return v < PK_VERBS ? verbs[v].name : "";
}

int pk_verb_class(enum pk_verb v, int *ret_activity)
{
	*ret_activity = v < PK_VERBS ? verbs[v].activity : 0;
	return v < PK_VERBS ? verbs[v].class_uid : 0;
}

static int refuse(char *why, size_t size, const char *what, const char *word)
{
	(void)snprintf(why, size, "%s: %.64s", what, word);
	return -EINVAL;
}

static bool has_word(const char *list, const char *word)
{
	const char *at = strstr(list, word);
	size_t n = strlen(word);

	return at && n && (at == list || at[-1] == ' ') && (!at[n] || at[n] == ' ');
}

static int read_option(const char *name, const char *value, struct pk_command_step *c)
{
	const struct pk_conf_row ttl = { .name = "ttl",
					 .type = PK_CONF_DURATION,
					 .min = 1000000000ull,
					 .max = 30ull * 86400 * 1000000000 };
	static const struct {
		const char *name;
		uint8_t dir;
	} dirs[] = { { "in", PK_BLK_IN },
		     { "out", PK_BLK_OUT },
		     { "both", PK_BLK_IN | PK_BLK_OUT } };

	if (strcmp(name, "--ttl") == 0)
		return pk_conf_parse(&ttl, value, &c->ttl_ns);
	for (size_t i = 0; i < PK_ARRAY_SIZE(dirs); i++)
		if (strcmp(dirs[i].name, value) == 0) {
			c->dir = dirs[i].dir;
			return 0;
		}
	return -EINVAL;
}

static int read_words(char **word, size_t n, struct pk_command_step *c, char *why, size_t size)
{
	size_t at = 2;

	while (c->verb < PK_VERBS && strcmp(verbs[c->verb].name, word[1]) != 0)
		c->verb++;
	if (c->verb == PK_VERBS)
		return refuse(why, size, "no verb that a playbook may use", word[1]);
	if (verbs[c->verb].object) {
		if (at >= n || strcmp(word[at], verbs[c->verb].object) != 0)
			return refuse(why, size, "its object must be", verbs[c->verb].object);
		at++;
	}
	for (; at < n; at += 2)
		if (!has_word(verbs[c->verb].options, word[at]) || at + 1 == n ||
		    read_option(word[at], word[at + 1], c) < 0)
			return refuse(why, size, "not an option with its value", word[at]);
	return 0;
}

int pk_verb_parse(const char *command, struct pk_command_step *ret, char *why, size_t why_size)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789_-: ";
	struct pk_command_step c = { .dir = PK_BLK_IN | PK_BLK_OUT };
	char text[160], *at = text, *word[WORDS_MAX], *w;
	size_t n = 0;
	int r;

	if (strlen(command) >= sizeof(text) || strspn(command, good) != strlen(command))
		return refuse(why, why_size, "only words, no shell", command);
	strcpy(text, command);
	while ((w = strsep(&at, " ")))
		if (*w && n == WORDS_MAX)
			return refuse(why, why_size, "too many words", command);
		else if (*w)
			word[n++] = w;
	if (n < 2 || strcmp(word[0], "picket") != 0)
		return refuse(why, why_size, "not a command of picket", command);
	r = read_words(word, n, &c, why, why_size);
	if (r == 0)
		*ret = c;
	return r;
}
