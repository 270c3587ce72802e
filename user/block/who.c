/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What processes may not talk to: by executable, user, container or cgroup. A name is resolved to
 * what the kernel sees (inode, uid, cgroup id) and looked up again each second, since packages are
 * upgraded and containers started anew. Rules with one key form a chain of their own.
 */
#include "block/who.h"

#include "base/cleanup.h"
#include "block/journal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define BOTH (PK_BLK_SEEN0 | PK_BLK_SEEN1)

static const uint32_t have_of[] = {
	[PK_BLK_WHO_EXE] = PK_BLK_HAVE_EXE,
	[PK_BLK_WHO_UID] = PK_BLK_HAVE_UID,
	[PK_BLK_WHO_CGROUP] = PK_BLK_HAVE_CGROUP,
};

static size_t resolve(struct pk_block *b, const struct pk_block_proc *p,
		      struct pk_blk_who_key key[16])
{
	uint64_t id[16];
	struct stat st;
	int n;

	switch (p->kind) {
	case PK_BLOCK_EXE:
		if (stat(p->name, &st) < 0)
			return 0;
		key[0] = (struct pk_blk_who_key){ .id = st.st_ino,
						  .dev = major(st.st_dev) << 20 | minor(st.st_dev),
						  .kind = PK_BLK_WHO_EXE };
		return 1;
	case PK_BLOCK_USER:
		if (b->ops.user(b->ops.arg, p->name, &id[0]) < 0)
			return 0;
		key[0] = (struct pk_blk_who_key){ .id = id[0], .kind = PK_BLK_WHO_UID };
		return 1;
	case PK_BLOCK_CGROUP:
		n = b->ops.cgroup(b->ops.arg, p->name, &id[0]) < 0 ? 0 : 1;
		break;
	default:
		n = b->ops.container(b->ops.arg, p->name, id, 16);
	}
	for (int i = 0; i < n && i < 16; i++)
		key[i] = (struct pk_blk_who_key){ .id = id[i], .kind = PK_BLK_WHO_CGROUP };
	return n > 0 ? (size_t)n : 0;
}

static bool same_key(const struct pk_blk_who_key *a, const struct pk_blk_who_key *z)
{
	return a->id == z->id && a->dev == z->dev && a->kind == z->kind;
}

static bool has_key(const struct pk_who_rule *w, const struct pk_blk_who_key *key)
{
	for (size_t i = 0; i < w->n; i++)
		if (same_key(&w->key[i], key))
			return true;
	return false;
}

static int make_line(struct pk_block *b, const struct pk_who_rule *w, uint32_t next, uint32_t *ret)
{
	struct pk_trie_rule rule = { .bits = w->e.bits,
				     .v4 = w->e.v4,
				     .list = (uint16_t)w->l->index,
				     .flags = BOTH,
				     .has_cond = pk_block_entry_has_cond(&w->e) };

	memcpy(rule.prefix, w->e.prefix, sizeof(rule.prefix));
	if (rule.has_cond)
		pk_rule_cond(b, &w->e, &rule.cond);
	return pk_trie_add_loose(b->trie, &rule, next, ret);
}

/* What a key's chain is made of: each rule that has it, and the place of its line. */
struct chain {
	const struct pk_who_rule *rule[PK_BLK_CHAIN_MAX];
	uint32_t *line[PK_BLK_CHAIN_MAX], fresh[PK_BLK_CHAIN_MAX];
	size_t n;
};

static int gather(struct pk_block *b, const struct pk_blk_who_key *key, struct chain *c)
{
	c->n = 0;
	for (size_t i = 0; i < b->who->n; i++)
		for (size_t k = 0; k < b->who->v[i]->n; k++) {
			if (!same_key(&b->who->v[i]->key[k], key))
				continue;
			if (c->n == PK_BLK_CHAIN_MAX)
				return -ENOSPC;
			c->rule[c->n] = b->who->v[i];
			c->line[c->n++] = &b->who->v[i]->line[k];
		}
	return 0;
}

/* The chain of a key made anew and put in place by one store; on failure the old one stays. */
static int rebuild(struct pk_block *b, const struct pk_blk_who_key *key)
{
	struct chain c;
	uint32_t head = 0;
	size_t made = 0;
	int r = gather(b, key, &c);

	for (; r == 0 && made < c.n; made++) {
		r = make_line(b, c.rule[made], head, &c.fresh[made]);
		if (r < 0)
			break;
		head = c.fresh[made];
	}
	if (r == 0 && head)
		pk_rule_have(b, have_of[key->kind], true);
	if (r == 0)
		r = b->ops.who(b->ops.arg, key, head);
	if (r < 0) {
		while (made--)
			pk_trie_remove_loose(b->trie, c.fresh[made]);
		return r;
	}
	for (size_t i = 0; i < c.n; i++) {
		if (*c.line[i]) {
			pk_rule_carry(b, *c.line[i], c.fresh[i]);
			pk_trie_remove_loose(b->trie, *c.line[i]);
		}
		*c.line[i] = c.fresh[i];
	}
	return 0;
}

static void update_have(struct pk_block *b)
{
	uint32_t have = 0;

	for (size_t i = 0; i < b->who->n; i++)
		for (size_t k = 0; k < b->who->v[i]->n; k++)
			have |= have_of[b->who->v[i]->key[k].kind];
	pk_rule_have(b, have, true);
	pk_rule_have(b, ~have & (PK_BLK_HAVE_EXE | PK_BLK_HAVE_UID | PK_BLK_HAVE_CGROUP), false);
}

/* Takes the rule out of the chain of a key that it has no more, where its line was. */
static void leave(struct pk_block *b, const struct pk_blk_who_key *key, uint32_t line)
{
	int r = rebuild(b, key);

	if (!line)
		return;
	if (r < 0) /* no memory for the chain without it: it stays, but is not seen */
		pk_trie_set_flags(b->trie, line, 0);
	else
		pk_trie_remove_loose(b->trie, line);
}

/* The rule's keys are these from now on; on failure they are what they were. */
static int set_keys(struct pk_block *b, struct pk_who_rule *w, const struct pk_blk_who_key *key,
		    size_t n)
{
	const struct pk_who_rule was = *w;
	size_t done = 0;
	int r = 0;

	w->n = n;
	for (size_t k = 0; k < n; k++) {
		w->key[k] = key[k];
		w->line[k] = 0;
		for (size_t i = 0; i < was.n; i++)
			if (same_key(&was.key[i], &key[k]))
				w->line[k] = was.line[i]; /* stays as it is */
	}
	for (; r == 0 && done < n; done++)
		if (!w->line[done])
			r = rebuild(b, &w->key[done]);
	if (r < 0) {
		const struct pk_who_rule half = *w;

		*w = was;
		for (size_t k = 0; k < n; k++)
			if (half.line[k] && !has_key(&was, &half.key[k]))
				leave(b, &half.key[k], half.line[k]);
		return r;
	}
	for (size_t i = 0; i < was.n; i++)
		if (!has_key(w, &was.key[i]))
			leave(b, &was.key[i], was.line[i]);
	update_have(b);
	return 0;
}

static bool same_rule(const struct pk_who_rule *w, const struct pk_block_list *l,
		      const struct pk_block_proc *p, const struct pk_block_entry *e)
{
	return w->l == l && w->proc.kind == p->kind && strcmp(w->proc.name, p->name) == 0 &&
	       w->e.v4 == e->v4 && pk_block_entry_compare(&w->e, e) == 0;
}

static struct pk_who_rule *find(const struct pk_block *b, const struct pk_block_list *l,
				const struct pk_block_proc *p, const struct pk_block_entry *e)
{
	for (size_t i = 0; b->who && i < b->who->n; i++)
		if (same_rule(b->who->v[i], l, p, e))
			return b->who->v[i];
	return NULL;
}

static void free_rule(struct pk_who_rule *w)
{
	free((char *)w->proc.name);
	free(w->reason);
	free(w);
}

/* A list that was made for a rule that could not be. */
static void forget_empty(struct pk_block *b, struct pk_block_list *l)
{
	if (l->in_file || l->dirty || l->asked || l->now.entries.n || l->processes)
		return;
	pk_list_forget(b, l);
	pk_list_publish(b, l);
	pk_list_free(b, l);
}

static void take_out(struct pk_block *b, struct pk_who_rule *w)
{
	size_t i = 0;

	(void)set_keys(b, w, NULL, 0);
	w->l->processes--;
	while (b->who->v[i] != w)
		i++;
	memmove(b->who->v + i, b->who->v + i + 1, (--b->who->n - i) * sizeof(*b->who->v));
}

static void drop(struct pk_block *b, struct pk_who_rule *w)
{
	take_out(b, w);
	free_rule(w);
}

/* By whatever name. */
static bool is_self(const char *path)
{
	struct stat a, z;

	return stat(path, &a) == 0 && stat("/proc/self/exe", &z) == 0 && a.st_dev == z.st_dev &&
	       a.st_ino == z.st_ino;
}

/* Without a --to, whom would it cut off from everything? */
static int guard(const struct pk_block *b, const struct pk_block_ask *ask,
		 const struct pk_block_proc *p, const struct pk_block_entry *e,
		 struct pk_block_done *ret)
{
	const char *base = strrchr(p->name, '/');
	bool root = p->kind == PK_BLOCK_USER &&
		    (strcmp(p->name, "root") == 0 || strcmp(p->name, "0") == 0);
	bool vital = p->kind == PK_BLOCK_EXE && base &&
		     (strcmp(base, "/sshd") == 0 || strcmp(base, "/picketd") == 0 ||
		      strcmp(base, "/picket") == 0);
	bool all = p->kind == PK_BLOCK_CGROUP && strspn(p->name, "/") == strlen(p->name);

	if (ask->allow)
		return pk_done_set(ret, -EINVAL, "a list that allows has no rules about processes");
	if (e->expires_ms && e->expires_ms <= b->now_ms)
		return pk_done_set(ret, -EINVAL, "it would have ended already");
	if (p->kind == PK_BLOCK_EXE && is_self(p->name))
		return pk_done_set(ret, -EPERM, "refused: %s is the agent itself", p->name);
	if (ask->wide || e->bits || !(root || vital || all))
		return 0;
	return pk_done_set(ret, -EPERM,
			   "refused: %s could talk to nobody; --to CIDR, or --wide if "
			   "it is meant",
			   p->name);
}

static int insert(struct pk_block *b, struct pk_block_list *l, const struct pk_block_proc *p,
		  const struct pk_block_entry *e, const char *reason, struct pk_who_rule **ret)
{
	struct pk_who_rule *w = calloc(1, sizeof(*w));
	size_t at;

	if (!b->who)
		b->who = calloc(1, sizeof(*b->who));
	if (w) {
		w->proc = (struct pk_block_proc){ p->kind, strdup(p->name) };
		w->reason = strdup(reason ? reason : "");
	}
	if (!b->who || !w || !w->proc.name || !w->reason || b->who->n == 1024) {
		bool full = b->who && b->who->n == 1024;

		if (w)
			free_rule(w);
		return full ? -ENOSPC : -ENOMEM;
	}
	w->e = *e;
	w->l = l;
	at = b->who->n;
	if (!w->e.id)
		w->e.id = l->next_id++;
	else if (w->e.id >= l->next_id)
		l->next_id = w->e.id + 1;
	/* shorter prefixes first: chains are made from their end */
	while (at && b->who->v[at - 1]->e.bits > w->e.bits)
		at--;
	memmove(b->who->v + at + 1, b->who->v + at, (b->who->n++ - at) * sizeof(*b->who->v));
	b->who->v[at] = w;
	l->processes++;
	if (ret)
		*ret = w;
	return 0;
}

int pk_block_add_proc(struct pk_block *b, const struct pk_block_ask *ask,
		      const struct pk_block_proc *proc, const struct pk_block_entry *e,
		      const char *reason, struct pk_block_done *ret)
{
	struct pk_block_list *l = NULL;
	struct pk_blk_who_key key[16];
	size_t n = resolve(b, proc, key);
	struct pk_who_rule *w;
	int r = guard(b, ask, proc, e, ret);

	if (r < 0)
		return r;
	if (!n)
		return pk_done_set(ret, -ENOENT, "there is no such %s: %s",
				   proc->kind == PK_BLOCK_EXE      ? "executable"
				   : proc->kind == PK_BLOCK_USER   ? "user"
				   : proc->kind == PK_BLOCK_CGROUP ? "cgroup"
								   : "container",
				   proc->name);
	r = pk_change_list(b, ask, true, &l, ret);
	if (r < 0)
		return r;
	if (find(b, l, proc, e)) {
		ret->kept = 1;
		return 0;
	}
	r = insert(b, l, proc, e, reason, &w);
	if (r < 0) {
		forget_empty(b, l);
		return pk_done_fail(ret, r);
	}
	r = set_keys(b, w, key, n);
	if (r < 0) {
		drop(b, w);
		forget_empty(b, l);
		(void)pk_rule_grow(b, PK_BLK_CHUNK_ROOM); /* for the next try */
		return pk_done_set(ret, -EAGAIN, "kernel memory is on its way; ask again");
	}
	ret->added = 1;
	ret->id = w->e.id;
	pk_list_changed(b, l, 0);
	pk_journal_process(b, l, true, w);
	return pk_done_set(ret, 0, NULL);
}

int pk_block_remove_proc(struct pk_block *b, const struct pk_block_ask *ask,
			 const struct pk_block_proc *proc, const struct pk_block_entry *e,
			 struct pk_block_done *ret)
{
	struct pk_block_list *l = NULL;
	struct pk_who_rule *w;
	int r = pk_change_list(b, ask, false, &l, ret);

	if (r < 0)
		return r;
	w = find(b, l, proc, e);
	if (!w)
		return pk_done_set(ret, -ENOENT, "list %s has no such rule for %s", l->name,
				   proc->name);
	ret->removed = 1;
	ret->id = w->e.id;
	take_out(b, w);
	pk_list_changed(b, l, 0);
	pk_journal_process(b, l, false, w);
	free_rule(w);
	return pk_done_set(ret, 0, NULL);
}

int pk_who_restore(struct pk_block *b, struct pk_block_list *l, const struct pk_block_proc *p,
		   const struct pk_block_entry *e, const char *reason)
{
	return insert(b, l, p, e, reason, NULL); /* its keys come with the next tick */
}

void pk_who_drop_list(struct pk_block *b, struct pk_block_list *l)
{
	for (size_t i = b->who ? b->who->n : 0; i-- > 0;)
		if (b->who->v[i]->l == l)
			drop(b, b->who->v[i]);
}

/* The kernel does not look at them any more; nor should anybody else. */
static void end_rules(struct pk_block *b)
{
	for (size_t i = b->who ? b->who->n : 0; i-- > 0;) {
		struct pk_who_rule *w = b->who->v[i];
		struct pk_block_list *l = w->l;

		if (!w->e.expires_ms || w->e.expires_ms > b->now_ms || l->load)
			continue;
		drop(b, w);
		pk_list_changed(b, l, 0);
	}
}

void pk_who_tick(struct pk_block *b)
{
	struct pk_blk_who_key key[16];

	end_rules(b);
	for (size_t i = 0; b->who && i < b->who->n; i++) {
		struct pk_who_rule *w = b->who->v[i];
		size_t n = resolve(b, &w->proc, key);

		if (n == w->n && memcmp(key, w->key, n * sizeof(*key)) == 0)
			continue;
		if (n && set_keys(b, w, key, n) < 0) /* a file that is gone: the old inode stays */
			(void)pk_rule_grow(b, PK_BLK_CHUNK_ROOM); /* the next tick tries again */
	}
}

void pk_who_refresh(struct pk_block *b)
{
	for (size_t i = 0; b->who && i < b->who->n; i++)
		for (size_t k = 0; k < b->who->v[i]->n; k++)
			pk_rule_set_expiry(b, b->who->v[i]->line[k], b->who->v[i]->e.expires_ms);
}

void pk_who_free(struct pk_block *b)
{
	for (size_t i = 0; b->who && i < b->who->n; i++)
		free_rule(b->who->v[i]);
	free(b->who);
	b->who = NULL;
}

const struct pk_who_rule *pk_who_next(const struct pk_block *b, const struct pk_block_list *l,
				      size_t *at)
{
	for (; b->who && *at < b->who->n; ++*at)
		if (b->who->v[*at]->l == l)
			return b->who->v[(*at)++];
	return NULL;
}

const struct pk_who_rule *pk_who_of_line(const struct pk_block *b, uint32_t line, size_t *ret_key)
{
	for (size_t i = 0; b->who && i < b->who->n; i++)
		for (size_t k = 0; k < b->who->v[i]->n; k++)
			if (b->who->v[i]->line[k] == line) {
				*ret_key = k;
				return b->who->v[i];
			}
	return NULL;
}
