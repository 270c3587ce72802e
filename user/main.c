/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picketd: options, configuration, the lock, the API socket, and the two processes: the broker
 * (this one, privileged) and its children without capabilities: the pipeline, where the API is
 * served over the network the gate, and where lists are fetched who does that.
 */
#include "agent.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "conf/conf.h"
#include "gate/gate.h"
#include "probe/broker.h"
#include "probe/detach.h"
#include "probe/privs.h"
#include "pull/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PIPELINE_USER "picket"

struct daemon {
	struct pk_conf *conf;
	int lock_fd, listen_fd;
	int gate_fd; /* -1: nothing is served over the network */
	struct pk_places places;
	gid_t group;
};

enum { OPT_CHECK = 256, OPT_PRINT, OPT_VERSION, OPT_LOG, OPT_DETACH };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check-config", no_argument, NULL, OPT_CHECK },
	{ "print-config", no_argument, NULL, OPT_PRINT },
	{ "detach", no_argument, NULL, OPT_DETACH },
	{ "log-level", required_argument, NULL, OPT_LOG },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *to)
{
	fputs("Usage: picketd [OPTION]...\n"
	      "Watches this host's network flows and the processes behind them. Runs in the\n"
	      "foreground until SIGTERM or Ctrl-C and leaves nothing behind but block lists in\n"
	      "force; SIGHUP reads the configuration again. Needs root.\n\n"
	      "  -c, --config FILE     configuration (" PK_CONF_FILE " and conf.d/ beside it)\n"
	      "      --check-config    say what is wrong with the configuration, and end\n"
	      "      --print-config    print the configuration in force with all keys, and end\n"
	      "      --detach          when no agent runs: take down what one left in force, and "
	      "end\n"
	      "      --log-level L     error, warning, notice, info or debug\n"
	      "      --version         print the version, and end\n"
	      "  -h, --help            this text\n\n"
	      "Examples:\n"
	      "  picketd                          watch with the defaults; then: picket top\n"
	      "  picketd --print-config           every key with its default and meaning\n"
	      "  picketd -c test.yaml --log-level debug\n\n"
	      "Exit status: 0 ended as asked or the configuration is right, 1 failed, 2 wrong "
	      "usage.\n",
	      to);
}

static void print_errors(const struct pk_buf *errors)
{
	if (errors->data)
		fprintf(stderr, "%s%s", errors->data,
			errors->data[errors->len - 1] == '\n' ? "" : "\n");
}

static int make_dir(const char *path, mode_t mode)
{
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/* Without it lists are not saved, which the broker tells; watching goes on. */
static void make_state_dir(const struct pk_conf *conf)
{
	char lists[256];

	snprintf(lists, sizeof(lists), "%s/lists", conf->state_dir);
	(void)make_dir(conf->state_dir, 0750);
	(void)make_dir(lists, 0700);
}

/* By the rights that the pipeline will have. */
static void open_places(struct daemon *d)
{
	uid_t uid;
	gid_t gid;

	pk_privs_user(PIPELINE_USER, &uid, &gid);
	pk_places_open(d->conf, uid, gid, &d->places);
}

/* One agent per lock file: two would count and report everything twice. */
static int take_lock(struct daemon *d)
{
	const char *path = d->conf->lock_file;
	char pid[16];
	int n;

	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (d->lock_fd < 0) {
		pk_error("lock file %s: %m", path);
		return -errno;
	}
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		pk_error("picketd already runs with lock file %s; a second instance needs its own "
			 "dirs.lock and api.socket",
			 path);
		return -EBUSY;
	}
	n = snprintf(pid, sizeof(pid), "%d\n", getpid());
	if (ftruncate(d->lock_fd, 0) < 0 || write(d->lock_fd, pid, (size_t)n) != n)
		pk_warn("lock file %s: %m; continuing without a pid in it", path);
	return 0;
}

static int listen_api(struct daemon *d)
{
	const char *path = d->conf->socket_path;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	int r;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		pk_error("socket path %s is too long, at most %zu bytes", path,
			 sizeof(sun.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* We hold the lock, so a socket in the way is one that a killed agent left. */
	(void)unlink(path);
	r = bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, 64) < 0 ? -errno : 0;
	if (r < 0) {
		pk_error("socket %s: %s", path, strerror(-r));
		return r;
	}
	d->group = (gid_t)-1;
	if (*d->conf->socket_group && pk_privs_group(d->conf->socket_group, &d->group) < 0)
		pk_notice("there is no group %s: only root may use %s", d->conf->socket_group,
			  path);
	if (chmod(path, 0660) < 0 || (d->group != (gid_t)-1 && chown(path, 0, d->group) < 0))
		return -errno;
	d->listen_fd = PK_TAKE_FD(fd);
	return 0;
}

/* What a child does first: rights go, and signals are the broker's. */
static int give_up_all(void)
{
	sigset_t none;
	int r;

	/* Ctrl-C goes to all of us; the broker decides when we end. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	r = pk_privs_none(PIPELINE_USER);
	if (r < 0)
		pk_error("capabilities can not be given up: %s", strerror(-r));
	else if (getppid() == 1)
		r = -EPIPE; /* the broker died before the kernel would have told us */
	return r;
}

/* The child: gives up everything, then runs the pipeline on its end of the pair. */
static int run_pipeline(const struct daemon *d, const struct pk_conf *conf, int fd)
{
	struct pk_agent_opts opts = { .conf = conf,
				      .broker_fd = fd,
				      .listen_fd = d->listen_fd,
				      .places = d->places,
				      .group = d->group };
	int r = give_up_all();

	if (!r)
		r = pk_agent_run(&opts);
	if (r < 0)
		pk_error("pipeline: %s", strerror(-r));
	return r < 0;
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Descriptors of the broker (maps, programs, netlink) are not for the pipeline. */
static void close_others(int *keep, size_t n)
{
	unsigned from = 3;

	qsort(keep, n, sizeof(keep[0]), by_number);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)from)
			continue; /* there is none, or a standard one */
		if (keep[i] > (int)from)
			close_range(from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	close_range(from, ~0U, 0);
}

static pid_t spawn(void *arg, const struct pk_conf *conf, int fd)
{
	struct daemon *d = arg;
	int keep[] = { d->listen_fd,          fd,
		       d->places.store,       d->places.accepted,
		       d->places.checkpoints, d->places.spool,
		       d->places.sink_file,   d->places.learned };
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	close_others(keep, PK_ARRAY_SIZE(keep));
	_exit(run_pipeline(d, conf, fd));
}

/* The third process: what it needs is open, and it can open nothing more. */
static int run_gate(const struct pk_gate_opts *opts)
{
	int r = give_up_all();

	(void)prctl(PR_SET_NAME, "picketd-gate", 0, 0, 0); /* for those who look at ps */
	if (!r)
		r = pk_gate_run(opts);
	if (r < 0)
		pk_error("gate: %s", strerror(-r));
	return r < 0;
}

/* The fourth: the same, but it may connect. */
static int run_pull(const struct pk_pull_opts *opts)
{
	int r = give_up_all();

	(void)prctl(PR_SET_NAME, "picketd-pull", 0, 0, 0);
	if (!r)
		r = pk_pull_run(opts);
	if (r < 0)
		pk_error("pull: %s", strerror(-r));
	return r < 0;
}

static pid_t spawn_pull(void *arg, const struct pk_conf *conf, int core, int files)
{
	const struct pk_pull_opts opts = { .conf = conf, .core_fd = core, .files_fd = files };
	int keep[] = { core, files };
	pid_t pid = fork();

	(void)arg;
	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	close_others(keep, PK_ARRAY_SIZE(keep));
	_exit(run_pull(&opts));
}

static pid_t spawn_gate(void *arg, const struct pk_conf *conf, int core, int files)
{
	const struct daemon *d = arg;
	const struct pk_gate_opts opts = {
		.conf = conf, .listen_fd = d->gate_fd, .core_fd = core, .files_fd = files
	};
	int keep[] = { d->gate_fd, core, files };
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	close_others(keep, PK_ARRAY_SIZE(keep));
	_exit(run_gate(&opts));
}

static int listen_gate(struct daemon *d)
{
	int r = *d->conf->gate_listen ? pk_gate_listen(d->conf->gate_listen, &d->gate_fd) : 0;

	if (r < 0)
		pk_error("gate.listen: %s: %s", d->conf->gate_listen,
			 r == -EINVAL ? "not ADDRESS:PORT" : strerror(-r));
	else if (d->gate_fd >= 0)
		pk_notice("the API is served on %s to who has a certificate", d->conf->gate_listen);
	return r;
}

static int load_conf(const char *file, const char *level, struct pk_conf **ret)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = {};
	int r = pk_conf_load(file, &errors, ret);

	if (!r && level)
		r = pk_conf_set(*ret, "log.level", level, &errors);
	if (r < 0)
		print_errors(&errors);
	return r;
}

/* Until the broker can act on them: else they would leave the lock and the socket behind. */
static void hold_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int serve(struct daemon *d, const char *conf_file, const char *level)
{
	struct pk_broker_opts opts = {
		.conf_file = conf_file, .log_level = level, .spawn = spawn, .arg = d
	};
	int r;

	if (geteuid()) {
		pk_error("needs root: it loads programs into the kernel. Try: sudo picketd");
		return -EPERM;
	}
	signal(SIGPIPE, SIG_IGN);
	hold_signals();
	umask(022);
	r = make_dir(d->conf->run_dir, 0755);
	if (r < 0) {
		pk_error("%s: %s", d->conf->run_dir, strerror(-r));
		return r;
	}
	make_state_dir(d->conf);
	r = take_lock(d);
	if (!r)
		r = listen_api(d);
	if (!r)
		r = listen_gate(d);
	if (!r)
		open_places(d);
	if (!r)
		r = pk_privs_broker();
	if (r < 0)
		return r;
	/* A copy of the broker's own: a reload replaces it. */
	opts.spawn_ward[PK_WARD_GATE] = d->gate_fd >= 0 ? spawn_gate : NULL;
	opts.spawn_ward[PK_WARD_PULL] = d->conf->pull_lists.n ? spawn_pull : NULL;
	r = load_conf(conf_file, level, &opts.conf);
	if (!r)
		r = pk_broker_run(&opts);
	(void)unlink(d->conf->socket_path);
	(void)unlink(d->conf->lock_file);
	return r;
}

/* For when there is no agent to ask: one that runs would put everything back. */
static int detach(struct daemon *d)
{
	struct pk_detached done;
	int r;

	if (geteuid()) {
		pk_error("needs root: it removes programs from the kernel");
		return -EPERM;
	}
	r = make_dir(d->conf->run_dir, 0755);
	if (!r)
		r = take_lock(d);
	if (r < 0) {
		if (r == -EBUSY)
			pk_error("nothing was detached: ask it, with `picket detach`");
		return r;
	}
	r = pk_detach_offline(d->conf->pins_dir, &done);
	(void)unlink(d->conf->lock_file);
	if (r < 0)
		pk_error("nothing was detached: %s", *done.trouble ? done.trouble : strerror(-r));
	else if (!(done.maps + done.xdp + done.tcx + done.cgroup + done.filters))
		printf("nothing is attached (looked in %s)\n", d->conf->pins_dir);
	else
		printf("detached: %zu XDP, %zu tcx, %zu clsact and %zu cgroup hooks, %zu maps\n",
		       done.xdp, done.tcx, done.filters, done.cgroup, done.maps);
	return r;
}

static void print_conf(const struct pk_conf *c)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};

	pk_conf_print(c, &out);
	fwrite(out.data, 1, out.len, stdout);
}

int main(int argc, char **argv)
{
	struct daemon d = {
		.lock_fd = -1, .listen_fd = -1, .gate_fd = -1, .places = PK_PLACES_NONE
	};
	const char *file = NULL, *level = NULL;
	bool check = false, print = false, down = false;
	int c, r;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) >= 0) {
		switch (c) {
		case 'c':
			file = optarg;
			break;
		case OPT_CHECK:
			check = true;
			break;
		case OPT_PRINT:
			print = true;
			break;
		case OPT_DETACH:
			down = true;
			break;
		case OPT_LOG:
			level = optarg;
			break;
		case OPT_VERSION:
			puts("picketd " PK_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			fputs("Try: picketd --help\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "picketd: unexpected argument %s\nTry: picketd --help\n",
			argv[optind]);
		return 2;
	}
	if (load_conf(file, level, &d.conf) < 0)
		return 1;
	if (print)
		print_conf(d.conf);
	if (check || print) {
		pk_conf_free(d.conf);
		return 0;
	}
	pk_log_init("picketd", (enum pk_log_level)d.conf->log_level);
	pk_log_target_set((enum pk_log_target)d.conf->log_target);
	r = down ? detach(&d) : serve(&d, file, level);
	pk_conf_free(d.conf);
	return r < 0;
}
