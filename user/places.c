/* SPDX-License-Identifier: Apache-2.0 */
/* Makes and opens the places; a name that leads elsewhere (a symbolic link) is not followed. */
#include "places.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "conf/conf.h"

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

static void open_store(const struct pk_conf *conf, uid_t uid, gid_t gid, struct pk_places *p)
{
	char path[256];
	int r;

	snprintf(path, sizeof(path), "%s/store", conf->state_dir);
	r = open_dir(path, 0700, uid, gid, &p->store);
	if (r < 0)
		pk_warn("%s: %s, continuing without keeping alerts and acts", path, strerror(-r));
	if (r < 0 || !*conf->store_checkpoints)
		return;
	p->checkpoints = open(conf->store_checkpoints,
			      O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (p->checkpoints < 0)
		pk_warn("store.checkpoints: %s: %m, continuing with a file beside the database",
			conf->store_checkpoints);
}

void pk_places_open(const struct pk_conf *conf, uid_t uid, gid_t gid, struct pk_places *ret_places)
{
	*ret_places = PK_PLACES_NONE;
	if (conf->store)
		open_store(conf, uid, gid, ret_places);
}

void pk_places_close(struct pk_places *p)
{
	pk_closep(&p->store);
	pk_closep(&p->checkpoints);
	*p = PK_PLACES_NONE;
}
