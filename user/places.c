/* SPDX-License-Identifier: Apache-2.0 */
/* Makes and opens the places; a name that leads elsewhere (a symbolic link) is not followed. */
#include "places.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "conf/conf.h"
#include "sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int open_dir(const char *path, mode_t mode, uid_t uid, gid_t gid, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return -errno;
	if ((st.st_uid != uid || st.st_gid != gid) && fchown(fd, uid, gid) < 0)
		return -errno;
	*ret_fd = PK_TAKE_FD(fd);
	return 0;
}

/* A part of dirs.state that is that user's alone. Told when it can't be had; false: it can't. */
static bool open_part(const struct pk_conf *conf, const char *part, const char *without, uid_t uid,
		      gid_t gid, int *ret_fd)
{
	char path[256];
	int r;

	snprintf(path, sizeof(path), "%s/%s", conf->state_dir, part);
	r = open_dir(path, 0700, uid, gid, ret_fd);
	if (r < 0)
		pk_warn("%s: %s, continuing without %s", path, strerror(-r), without);
	return r == 0;
}

static void open_store(const struct pk_conf *conf, uid_t uid, gid_t gid, struct pk_places *p)
{
	if (!open_part(conf, "store", "keeping alerts and acts", uid, gid, &p->store) ||
	    !*conf->store_checkpoints)
		return;
	p->checkpoints = open(conf->store_checkpoints,
			      O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (p->checkpoints < 0)
		pk_warn("store.checkpoints: %s: %m, continuing with a file beside the database",
			conf->store_checkpoints);
}

/* Made for that user if it is missing, else taken as somebody has set it up. */
static int open_file_dir(const char *file, uid_t uid, gid_t gid)
{
	_cleanup_free_ char *dir = strndup(file, (size_t)(strrchr(file, '/') - file));
	int fd, r;

	if (!dir)
		return -ENOMEM;
	if (*dir && mkdir(dir, 0750) == 0) {
		r = open_dir(dir, 0750, uid, gid, &fd);
		return r < 0 ? r : fd;
	}
	fd = open(*dir ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void open_sinks(const struct pk_conf *conf, uid_t uid, gid_t gid, struct pk_places *p)
{
	if (!open_part(conf, "spool", "sinks", uid, gid, &p->spool) || !*conf->sink_file)
		return;
	p->sink_file = open_file_dir(conf->sink_file, uid, gid);
	if (p->sink_file < 0)
		pk_warn("sink.file: %s: %s, continuing without it", conf->sink_file,
			strerror(-p->sink_file));
}

void pk_places_open(const struct pk_conf *conf, uid_t uid, gid_t gid, struct pk_places *ret_places)
{
	*ret_places = PK_PLACES_NONE;
	(void)open_part(conf, "accepted", "accepting signed lists", uid, gid,
			&ret_places->accepted);
	(void)open_part(conf, "learned", "keeping what detectors learn", uid, gid,
			&ret_places->learned);
	if (conf->store)
		open_store(conf, uid, gid, ret_places);
	if (pk_sinks_wanted(conf))
		open_sinks(conf, uid, gid, ret_places);
}

void pk_places_close(struct pk_places *p)
{
	pk_closep(&p->store);
	pk_closep(&p->checkpoints);
	pk_closep(&p->spool);
	pk_closep(&p->accepted);
	pk_closep(&p->learned);
	pk_closep(&p->sink_file);
	*p = PK_PLACES_NONE;
}
