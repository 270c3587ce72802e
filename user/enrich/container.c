/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the cache from cgroup id to path. Reading what a path means is cgroup.c's. Nothing here is
 * privileged, and nothing is asked of a container runtime.
 */
#include "enrich/container.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define NONE        UINT32_MAX
#define WALK_GAP_NS 1000000000ull
#define ASK_GAP_NS  100000000ull
#define WALK_DEPTH  32
#define TRIES_MAX   5 /* an id that no walk finds is gone */

static int find_root(char **ret_root, bool *ret_v1)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	_cleanup_free_ char *root = NULL;
	struct mntent *m;

	*ret_v1 = false;
	while (mounts && (m = getmntent(mounts))) {
		if (!root && strcmp(m->mnt_type, "cgroup2") == 0)
			root = strdup(m->mnt_dir);
		else if (strcmp(m->mnt_type, "cgroup") == 0)
			*ret_v1 = true;
	}
	if (mounts)
		(void)endmntent(mounts); /* always 1 */
	*ret_root = PK_TAKE(root);
	return *ret_root ? 0 : -ENOENT;
}

int pk_containers_init(struct pk_containers *c, const char *root, uint32_t max)
{
	uint32_t buckets = 1;
	int r = 0;

	while (buckets < max)
		buckets <<= 1;
	*c = (struct pk_containers){
		.slot = calloc(max, sizeof(*c->slot)),
		.bucket = malloc(buckets * sizeof(*c->bucket)),
		.mask = buckets - 1,
		.max = max,
		.proc = strdup("/proc"),
	};
	if (!c->slot || !c->bucket || !c->proc || getrandom(&c->seed, sizeof(c->seed), 0) < 0) {
		pk_containers_done(c);
		return -ENOMEM;
	}
	memset(c->bucket, 0xff, buckets * sizeof(*c->bucket));
	r = find_root(&c->root, &c->has_v1);
	if (*root) {
		free(c->root);
		c->root = strdup(root);
		r = c->root ? 0 : -ENOMEM;
	}
	return r == -ENOENT ? 0 : r; /* without the tree there are only /proc and unknown ids */
}

void pk_containers_done(struct pk_containers *c)
{
	for (uint32_t i = 0; c->slot && i < c->used; i++)
		free(c->slot[i].path);
	free(c->slot);
	free(c->bucket);
	free(c->root);
	free(c->proc);
	*c = (struct pk_containers){ 0 };
}

static uint32_t *bucket_of(const struct pk_containers *c, uint64_t key)
{
	return &c->bucket[XXH3_64bits_withSeed(&key, sizeof(key), c->seed) & c->mask];
}

static struct pk_container *find(const struct pk_containers *c, uint64_t key)
{
	for (uint32_t i = *bucket_of(c, key); i != NONE; i = c->slot[i].hash_next)
		if (c->slot[i].key == key)
			return &c->slot[i];
	return NULL;
}

/* The slot that was not asked for longest, taken out of its chain. */
static uint32_t evict_oldest(struct pk_containers *c)
{
	uint32_t old = 0, *at;

	for (uint32_t i = 1; i < c->used; i++)
		if (c->slot[i].used_ns < c->slot[old].used_ns)
			old = i;
	at = bucket_of(c, c->slot[old].key);
	while (*at != old)
		at = &c->slot[*at].hash_next;
	*at = c->slot[old].hash_next;
	free(c->slot[old].path);
	c->evicted++;
	return old;
}

static struct pk_container *add(struct pk_containers *c, uint64_t key, uint64_t now_ns)
{
	uint32_t i, *head;

	if (!c->max)
		return NULL;
	i = c->used < c->max ? c->used++ : evict_oldest(c);
	head = bucket_of(c, key);
	c->slot[i] = (struct pk_container){ .key = key, .used_ns = now_ns, .hash_next = *head };
	*head = i;
	return &c->slot[i];
}

static void set_path(struct pk_container *e, const char *path)
{
	char *copy = strdup(path);

	if (!copy)
		return;
	free(e->path);
	e->path = copy;
	pk_cgroup_parse(path, &e->cgroup);
}

struct walk {
	struct pk_containers *c;
	uint64_t now_ns;
	char path[PATH_MAX]; /* below the root */
	size_t len;
};

static void walk_dir(struct walk *w, int fd, int depth);

static void walk_child(struct walk *w, int fd, const char *name, int depth)
{
	size_t len = w->len, n = strlen(name);
	_cleanup_close_ int child = -1;

	if (len + n + 2 > sizeof(w->path))
		return;
	child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (child < 0)
		return; /* gone meanwhile */
	w->path[len] = '/';
	memcpy(w->path + len + 1, name, n + 1);
	w->len = len + 1 + n;
	walk_dir(w, child, depth + 1);
	w->len = len;
	w->path[len] = '\0';
}

/* Notes this directory and goes down. Only what somebody asked for takes a slot. */
static void walk_dir(struct walk *w, int fd, int depth)
{
	struct pk_container *e;
	struct dirent *d;
	struct stat st;
	DIR *dir;
	int own;

	if (fstat(fd, &st) == 0) {
		e = find(w->c, st.st_ino);
		if (e && !e->path)
			set_path(e, w->len ? w->path : "/");
	}
	own = depth < WALK_DEPTH ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
	dir = own >= 0 ? fdopendir(own) : NULL;
	if (!dir) {
		if (own >= 0)
			close(own);
		return;
	}
	while ((d = readdir(dir)))
		if (d->d_type == DT_DIR && d->d_name[0] != '.')
			walk_child(w, fd, d->d_name, depth);
	closedir(dir);
}

static void walk_tree(struct pk_containers *c, uint64_t now_ns)
{
	_cleanup_close_ int fd = -1;
	struct walk w = { .c = c, .now_ns = now_ns };

	c->walk_ns = now_ns + WALK_GAP_NS;
	c->walks++;
	fd = c->root ? open(c->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0)
		walk_dir(&w, fd, 0);
}

/* Is this path the cgroup with that id? A process may have been moved since the event. */
static bool path_has_id(const struct pk_containers *c, const char *path, uint64_t id)
{
	char full[PATH_MAX];
	struct stat st;

	if (!c->root || snprintf(full, sizeof(full), "%s%s", c->root, path) >= (int)sizeof(full))
		return false;
	return stat(full, &st) == 0 && st.st_ino == id;
}

/*
 * Lines of /proc/PID/cgroup are "0::/path" for the v2 tree and "N:controllers:/path" for a v1 one.
 * Calls f with each path; stops when f says so.
 */
struct lines {
	struct pk_containers *c;
	struct pk_container *e;
	uint64_t now_ns, key;
	bool (*f)(struct lines *l, const char *path);
	bool v1;
};

static void read_lines(struct lines *l, uint32_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char file[64];
	size_t cap = 0;

	snprintf(file, sizeof(file), "%.40s/%u/cgroup", l->c->proc, pid);
	f = fopen(file, "re");
	while (f && getline(&line, &cap, f) > 0) {
		char *path = strchr(line, ':');

		path = path ? strchr(path + 1, ':') : NULL;
		if (!path || path[1] != '/' || (strncmp(line, "0::", 3) == 0) == l->v1)
			continue;
		path[strcspn(path, "\n")] = '\0';
		if (l->f(l, path + 1))
			return;
	}
}

static bool learn_v2(struct lines *l, const char *path)
{
	if (path_has_id(l->c, path, l->e->key))
		set_path(l->e, path);
	return true;
}

static bool learn_v1(struct lines *l, const char *path)
{
	struct pk_cgroup g;

	pk_cgroup_parse(path, &g);
	if (!g.runtime)
		return false;
	l->key = XXH3_64bits_withSeed(path, strlen(path), l->c->seed) | PK_CONTAINER_V1;
	l->e = find(l->c, l->key);
	if (!l->e)
		l->e = add(l->c, l->key, l->now_ns);
	if (!l->e)
		l->key = 0;
	else if (!l->e->path)
		set_path(l->e, path);
	return true;
}

uint64_t pk_container_find_v1(struct pk_containers *c, uint32_t pid, uint64_t now_ns)
{
	struct lines l = { .c = c, .now_ns = now_ns, .f = learn_v1, .v1 = true };

	if (c->has_v1)
		read_lines(&l, pid);
	return l.key;
}

const struct pk_container *pk_container_get(struct pk_containers *c, uint64_t id, uint32_t pid,
					    uint64_t now_ns)
{
	struct lines l = { .c = c, .now_ns = now_ns, .f = learn_v2 };

	if (!id)
		return NULL;
	l.e = find(c, id);
	if (!l.e && !(id & PK_CONTAINER_V1))
		l.e = add(c, id, now_ns);
	if (!l.e)
		return NULL;
	if (now_ns > l.e->used_ns)
		l.e->used_ns = now_ns;
	if (l.e->path || l.e->tries >= TRIES_MAX)
		return l.e;
	if (pid && now_ns >= l.e->ask_ns) {
		l.e->ask_ns = now_ns + ASK_GAP_NS;
		read_lines(&l, pid);
	}
	if (!l.e->path && now_ns >= c->walk_ns) {
		walk_tree(c, now_ns);
		l.e->tries += !l.e->path;
		c->unknown += !l.e->path && l.e->tries == TRIES_MAX;
	}
	return l.e;
}

const char *pk_container_name(const struct pk_container *c, char out[PK_CONTAINER_ID_LEN])
{
	bool named = c->cgroup.runtime == PK_RUNTIME_LXC || c->cgroup.runtime == PK_RUNTIME_NSPAWN;

	snprintf(out, PK_CONTAINER_ID_LEN, "%.*s", named ? PK_CONTAINER_ID_LEN - 1 : 12,
		 c->cgroup.id);
	return out;
}
